#include "fulfillment_scene.h"

#include "base/text.h"
#include "notifications/messages.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(messages, .init = given_pickup, .fini = scene_clear);

static const struct zone_span berlin_spans[] = { { TIMESTAMP_NONE, 2 * HOUR }, { NOW - DAY, HOUR } };
static const struct zone berlin = { .name = "Europe/Berlin", .spans = berlin_spans, .n_spans = 2 };
static const char *kinds[] = { "cancelled", "ready", "refunded" };
static const struct channel_messages sender = {
        .from = "shop@example.org", .locale = "de-AT", .kinds = kinds, .n_kinds = array_size(kinds)
};
static const struct channel channel = { .record.exists = true, .code = "web", .name = "Web shop", .messages = &sender };

/* ---- planning ---- */

static struct message_cause ready_cause(void) {
        return (struct message_cause){ .type = "fulfillment.ready",
                .data = "{}",
                .event_id = it->id,
                .fulfillment_id = it->id,
                .occurred_at = NOW };
}

static struct message_list planned(const struct message_cause *cause, const char *customer, bool mails) {
        struct message_list list = { .arena = &scene.arena };

        scene.order.channel = "web";
        scene.order.customer = customer;
        messages_plan(&list, cause, &scene.order, &channel, mails, NOW);
        cr_assert_not(list.exhausted);
        return list;
}

Test(messages, an_event_of_a_listed_kind_queues_a_mail) {
        const struct message_cause cause = ready_cause();
        const struct message_list list = planned(&cause, "{\"email\": \"ada@example.com\"}", true);
        const struct message *message = list.at;

        cr_assert_eq(list.n, 1);
        cr_assert_eq(message->kind, NOTIFY_READY);
        cr_assert_eq(message->medium, MESSAGE_BY_EMAIL);
        cr_assert_eq(message->state, MESSAGE_QUEUED);
        cr_assert_eq(message->due_at, NOW);
        cr_assert_str_eq(message->recipient, "ada@example.com");
        cr_assert_str_eq(message->locale, "de-AT");
        cr_assert_not_null(strstr(message->message_id, "@example.org"));
}

Test(messages, the_same_event_has_the_same_message_id_again) {
        const struct message_cause cause = ready_cause();
        const struct message_list one = planned(&cause, "{\"email\": \"ada@example.com\"}", true),
                                  other = planned(&cause, "{\"email\": \"ada@example.com\"}", true);

        cr_assert_str_eq(one.at->message_id, other.at->message_id);
}

Test(messages, media_need_a_way_to_the_customer) {
        const struct message_cause cause = ready_cause();
        const char *all = "{\"email\": \"ada@example.com\", \"phone\": \"030\", \"customer_id\": \"c\"}";

        cr_expect_eq(planned(&cause, all, true).n, 3);
        cr_expect_eq(planned(&cause, all, false).n, 2);
        cr_expect_eq(planned(&cause, "{\"phone\": \"030\"}", true).n, 1);
        cr_expect_eq(planned(&cause, "{\"email\": \"Ada <ada@example.com>\"}", true).n, 0);
        cr_expect_eq(planned(&cause, "{\"email\": \"ada@example.com\\r\\nBcc: eve@example.org\"}", true).n, 0);
        cr_expect_eq(planned(&cause, "{}", true).n, 0);
}

Test(messages, no_message_is_about_history) {
        struct message_cause cause = ready_cause();

        cause.data = "{\"source\": \"import\"}";
        cr_expect_eq(planned(&cause, "{\"email\": \"ada@example.com\"}", true).n, 0);
        cause = ready_cause();
        cause.occurred_at = NOW - MESSAGE_AGE_MAX - SECOND;
        cr_expect_eq(planned(&cause, "{\"email\": \"ada@example.com\"}", true).n, 0);
        cause.occurred_at = NOW - MESSAGE_AGE_MAX;
        cr_expect_eq(planned(&cause, "{\"email\": \"ada@example.com\"}", true).n, 1);
}

Test(messages, other_kinds_and_other_events_cause_nothing) {
        struct message_cause cause = ready_cause();

        cause.type = "fulfillment.handed_over"; /* the channel does not list "collected" */
        cr_expect_eq(planned(&cause, "{\"email\": \"ada@example.com\"}", true).n, 0);
        cause.type = "fulfillment.picked";
        cr_expect_eq(planned(&cause, "{\"email\": \"ada@example.com\"}", true).n, 0);
}

Test(messages, a_message_knows_its_refund) {
        struct message_cause cause = ready_cause();
        struct uuid refund;

        cause.type = "refund.settled";
        cause.data = "{\"refund_id\": \"0195b6a2-7c11-7d20-a1f4-5b0c93ae1102\"}";
        cr_assert(uuid_parse("0195b6a2-7c11-7d20-a1f4-5b0c93ae1102", &refund));
        cr_assert(uuid_equal(&planned(&cause, "{\"email\": \"ada@example.com\"}", true).at->refund_id, &refund));
}

/* ---- attempts ---- */

Test(messages, pauses_grow_and_differ_by_a_tenth_at_most) {
        for (uint64_t random = 0; random < 1000; random++) {
                const duration first = message_delay(1, random * UINT64_C(7919) * SECOND);

                cr_assert(first >= 27 * SECOND && first <= 33 * SECOND);
        }
        for (int64_t attempts = 1; attempts < MESSAGE_ATTEMPTS_MAX - 1; attempts++)
                cr_assert_gt(message_delay(attempts + 1, 0), message_delay(attempts, 0));
}

Test(messages, a_message_ends_after_its_last_attempt_and_by_its_age) {
        struct message message = { .attempts = MESSAGE_ATTEMPTS_MAX - 1, .created_at = NOW };

        cr_expect_eq(message_retry(&message, "451", NOW, 0).state, MESSAGE_QUEUED);
        message.attempts++;
        cr_expect_eq(message_retry(&message, "451", NOW, 0).state, MESSAGE_FAILED);
        message.attempts = 1;
        cr_expect_eq(message_retry(&message, "451", NOW + MESSAGE_AGE_MAX, 0).state, MESSAGE_FAILED);
        cr_expect_eq(message_retry(&message, "451", NOW + MESSAGE_AGE_MAX, 0).due_at, TIMESTAMP_NONE);
}

Test(messages, quiet_hours_end_at_eight_on_the_clock_of_the_location) {
        const timestamp midnight = NOW - NOW % DAY; /* of UTC; Berlin has one hour more */

        cr_expect_eq(quiet_until(midnight + 12 * HOUR, &berlin, NULL), midnight + 12 * HOUR);
        cr_expect_eq(quiet_until(midnight + 3 * HOUR, &berlin, NULL), midnight + 7 * HOUR);
        cr_expect_eq(quiet_until(midnight + 20 * HOUR, &berlin, NULL), midnight + DAY + 7 * HOUR);
        cr_expect_eq(quiet_until(midnight + 20 * HOUR - SECOND, &berlin, NULL), midnight + 20 * HOUR - SECOND);
        cr_expect_eq(quiet_until(midnight + 7 * HOUR, &berlin, NULL), midnight + 7 * HOUR);
        cr_expect_eq(quiet_until(midnight + 20 * HOUR, NULL, NULL), midnight + 20 * HOUR);
        cr_expect_eq(quiet_until(midnight + 22 * HOUR, NULL, NULL), midnight + DAY + 8 * HOUR);
}

Test(messages, a_channel_may_have_other_quiet_hours_or_none) {
        static const struct quiet_hours noon = { "12:30", "14:00" }, none = { "00:00", "00:00" },
                                        all = { "00:00", "24:00" };
        const timestamp midnight = NOW - NOW % DAY;

        cr_expect_eq(quiet_until(midnight + 13 * HOUR, NULL, &noon), midnight + 14 * HOUR);
        cr_expect_eq(quiet_until(midnight + 14 * HOUR, NULL, &noon), midnight + 14 * HOUR);
        cr_expect_eq(quiet_until(midnight + 23 * HOUR, NULL, &noon), midnight + 23 * HOUR);
        cr_expect_eq(quiet_until(midnight + 23 * HOUR, NULL, &none), midnight + 23 * HOUR);
        cr_expect_eq(quiet_until(midnight + 23 * HOUR, NULL, &all), midnight + DAY);
}

/* ---- composing ---- */

static struct catalog_set catalog;
static struct template_set templates;
static struct order_set orders;

static struct composed composed_of(enum notification_kind kind, const char *locale, timestamp now) {
        const struct message message = { .order_id = scene.order.id,
                .fulfillment_id = it->id,
                .kind = kind,
                .channel = "web",
                .locale = locale,
                .recipient = "ada@example.com",
                .message_id = "id@example.org",
                .attempts = 1,
                .created_at = NOW };
        const struct composing composing = {
                .orders = &orders, .catalog = &catalog, .templates = &templates, .pickup_secret = SECRET, .now = now
        };
        static struct channel row;
        static struct location location = {
                .record.exists = true, .code = "store", .name = "Berlin Mitte", .time_zone = "Europe/Berlin"
        };
        struct composed composed;

        row = channel;
        scene.order.channel = "web";
        scene.order.number = "W-7K3M-9QXA";
        scene.order.customer = "{\"name\": \"Ada\"}";
        it->location = "store";
        it->packages = "[]";
        orders = (struct order_set){ .arena = &scene.arena, .rows = &scene.order, .n_rows = 1 };
        catalog = (struct catalog_set){ .channels = &row,
                .n_channels = 1,
                .locations = &location,
                .n_locations = 1,
                .zones = (struct zone *) &berlin,
                .n_zones = 1 };
        cr_assert_eq(message_compose(&message, &composing, &scene.arena, &composed), PROBLEM_NONE);
        return composed;
}

Test(messages, a_mail_is_composed_in_the_language_of_the_channel) {
        it->status = FULFILLMENT_READY;
        cr_assert(composed_of(NOTIFY_READY, "de-AT", NOW).is_ready);
        cr_expect_not_null(strstr(composed_of(NOTIFY_READY, "de-AT", NOW).bytes, "Guten Tag"));
        cr_expect_not_null(strstr(composed_of(NOTIFY_READY, "fr", NOW).bytes, "Hello Ada"));
}

Test(messages, the_retailers_template_of_the_language_comes_before_that_of_the_program) {
        static struct notification_template row = { .kind = "ready",
                .medium = "email",
                .locale = "de",
                .text = { "Betreff", "Servus {{customer.name}}", NULL },
                .stored = true };

        it->status = FULFILLMENT_READY;
        templates = (struct template_set){ .rows = &row, .n_rows = 1 };
        cr_expect_not_null(strstr(composed_of(NOTIFY_READY, "de-AT", NOW).bytes, "Servus Ada"));
        cr_expect_not_null(strstr(composed_of(NOTIFY_READY, "en", NOW).bytes, "Hello Ada"));
        templates = (struct template_set){ 0 };
}

Test(messages, a_message_that_is_no_longer_true_is_skipped) {
        it->status = FULFILLMENT_EXPIRED;
        cr_expect_eq(composed_of(NOTIFY_READY, "en", NOW).outcome.state, MESSAGE_SKIPPED);
        cr_expect_eq(composed_of(NOTIFY_REMINDER, "en", NOW).outcome.state, MESSAGE_SKIPPED);
        it->status = FULFILLMENT_HANDED_OVER;
        cr_expect_eq(composed_of(NOTIFY_READY, "en", NOW + 10 * MINUTE).outcome.state, MESSAGE_SKIPPED);
        cr_expect(composed_of(NOTIFY_COLLECTED, "en", NOW + 10 * MINUTE).is_ready);
}

Test(messages, a_ready_mail_that_a_hand_over_has_overtaken_is_sent) {
        it->status = FULFILLMENT_HANDED_OVER;
        cr_expect(composed_of(NOTIFY_READY, "en", NOW + 10 * MINUTE - 1).is_ready);
}

Test(messages, a_reminder_waits_for_the_end_of_the_quiet_hours_and_others_do_not) {
        const timestamp night = NOW - NOW % DAY + 2 * HOUR;
        struct composed composed;

        it->status = FULFILLMENT_READY;
        cr_expect(composed_of(NOTIFY_READY, "en", night).is_ready);
        composed = composed_of(NOTIFY_REMINDER, "en", night);
        cr_expect_not(composed.is_ready);
        cr_expect_eq(composed.outcome.state, MESSAGE_QUEUED);
        cr_expect_eq(composed.outcome.due_at, night + 5 * HOUR);
        cr_expect_eq(composed.outcome.counted, 0);
}
