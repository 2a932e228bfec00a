/* The messages that events cause, and the pauses between attempts. */
#include "catalog/promise.h"
#include "notifications/mail.h"
#include "notifications/messages.h"

#include "base/text.h"
#include "orders/customer.h"

#define ACTOR "notifications"

const char *const message_medium_texts[] = {
        [MESSAGE_BY_EMAIL] = "email", [MESSAGE_BY_PUSH] = "push", [MESSAGE_BY_SMS] = "sms", [MESSAGE_MEDIA] = NULL
};
const char *const message_state_texts[] = {
        [MESSAGE_FAILED] = "failed",
        [MESSAGE_QUEUED] = "queued",
        [MESSAGE_REQUESTED] = "requested",
        [MESSAGE_SENT] = "sent",
        [MESSAGE_SKIPPED] = "skipped",
        NULL,
};

const struct enum_column message_kind_column = { "notifications", "kind", .texts = notification_kind_texts };
const struct enum_column message_medium_column = { "notifications", "medium", .texts = message_medium_texts };
const struct enum_column message_state_column = { "notifications", "state", .texts = message_state_texts };

/* ---- planning ---- */

/* The message about a refund follows the payment to the customer. */
static const struct {
        enum event_type type;
        enum notification_kind kind;
} causes[] = {
        { EVENT_FULFILLMENT_DELIVERED, NOTIFY_DELIVERED },
        { EVENT_FULFILLMENT_HANDED_OVER, NOTIFY_COLLECTED },
        { EVENT_FULFILLMENT_PARTIALLY_SHIPPED, NOTIFY_SHIPPED },
        { EVENT_FULFILLMENT_READY, NOTIFY_READY },
        { EVENT_FULFILLMENT_SHIPPED, NOTIFY_SHIPPED },
        { EVENT_ORDER_CANCELLED, NOTIFY_CANCELLED },
        { EVENT_ORDER_CREATED, NOTIFY_ORDER_PLACED },
        { EVENT_PICKUP_REMINDER, NOTIFY_REMINDER },
        { EVENT_REFUND_SETTLED, NOTIFY_REFUNDED },
        { EVENT_RETURN_RECEIVED, NOTIFY_RETURN_RECEIVED },
};

bool message_kind_of(const char *event_type, enum notification_kind *ret_kind) {
        for (size_t i = 0; i < array_size(causes); i++)
                if (text_equal(event_types[causes[i].type].name, event_type)) {
                        *ret_kind = causes[i].kind;
                        return true;
                }
        return false;
}

size_t message_event_types(enum event_type types[EVENT_TYPE_COUNT]) {
        for (size_t i = 0; i < array_size(causes); i++)
                types[i] = causes[i].type;
        return array_size(causes);
}

static bool channel_sends(const struct channel *channel, enum notification_kind kind) {
        const struct channel_messages *messages = channel ? channel->messages : NULL;

        for (size_t i = 0; messages && i < messages->n_kinds; i++)
                if (text_equal(messages->kinds[i], notification_kind_texts[kind]))
                        return true;
        return false;
}

bool message_list_add(struct message_list *list, const struct message *message) {
        struct message *grown = arena_grow(list->arena, list->at, list->n, &list->capacity, sizeof(*grown));

        if (!grown) {
                list->exhausted = true;
                return false;
        }
        list->at = grown;
        grown[list->n++] = *message;
        return true;
}

static void mail_plan(struct message_list *list, struct message message, const struct order *order,
        const struct channel *channel, timestamp now) {
        message.recipient = order_customer_member(order, "email", list->arena);
        if (!mail_address_is_plain(message.recipient))
                return;
        message.medium = MESSAGE_BY_EMAIL;
        message.state = MESSAGE_QUEUED;
        message.due_at = now;
        message.message_id = mail_message_id(&message.event_id, notification_kind_texts[message.kind],
                message.recipient, channel->messages->from, list->arena);
        list->exhausted |= !message.message_id;
        (void) message_list_add(list, &message);
}

/* Others send it, to the customer's number, or to the devices of the customer that they know by an id. */
static void request_plan(
        struct message_list *list, struct message message, enum message_medium medium, const struct order *order) {
        const char *reached_by = medium == MESSAGE_BY_SMS ? "phone" : "customer_id";

        message.recipient = order_customer_member(order, reached_by, list->arena);
        if (!message.recipient)
                return;
        message.medium = medium;
        message.state = MESSAGE_REQUESTED;
        (void) message_list_add(list, &message);
}

/* Members of the event's data; false: nothing is sent about an imported document. */
static bool data_read(const char *data, struct uuid *ret_refund_id) {
        json_t *members = json_loads(data ? data : "{}", 0, NULL);
        const char *refund_id = json_string_value(json_object_get(members, "refund_id"));
        const bool is_imported = json_object_get(members, "source") != NULL;

        if (!refund_id || !uuid_parse(refund_id, ret_refund_id))
                *ret_refund_id = (struct uuid){ 0 };
        json_decref(members);
        return !is_imported;
}

void messages_plan(struct message_list *list, const struct message_cause *cause, const struct order *order,
        const struct channel *channel, bool mails, timestamp now) {
        struct message message = { .order_id = order->id,
                .fulfillment_id = cause->fulfillment_id,
                .event_id = cause->event_id,
                .channel = order->channel,
                .actor = ACTOR,
                .due_at = TIMESTAMP_NONE,
                .sent_at = TIMESTAMP_NONE,
                .created_at = now,
                .updated_at = now,
                .version = 1 };

        if (!message_kind_of(cause->type, &message.kind) || !channel_sends(channel, message.kind) ||
                !data_read(cause->data, &message.refund_id) || cause->occurred_at < now - MESSAGE_AGE_MAX)
                return;
        message.locale = channel->messages->locale;
        if (mails)
                mail_plan(list, message, order, channel, now);
        request_plan(list, message, MESSAGE_BY_PUSH, order);
        request_plan(list, message, MESSAGE_BY_SMS, order);
}

/* ---- by request ---- */

static enum problem request_check(const struct message_request *request, const struct order *order,
        const struct channel *channel, const char *to, struct arena *arena, struct refusal *refusal) {
        if (!request->mails)
                return refuse(refusal, arena, PROBLEM_INVALID_TRANSITION,
                        "The service has no mail server (HOLDFAST_SMTP_URL), so it sends no e-mails.");
        if (!channel || !channel->messages)
                return refuse(refusal, arena, PROBLEM_INVALID_TRANSITION,
                        "The channel of the order sends no messages: its `notifications` is not set.");
        if (order_customer_member(order, "erased_at", arena))
                return refuse(refusal, arena, PROBLEM_INVALID_TRANSITION, "The customer of the order was erased.");
        if (request->n_before >= MESSAGES_OF_ORDER)
                return refuse(refusal, arena, PROBLEM_TOO_MANY, "The order has %d messages, which is the limit.",
                        MESSAGES_OF_ORDER);
        if (!to)
                (void) refuse_because(refusal, arena, "#/to", "required",
                        "The customer of the order has no e-mail address, so this is needed.");
        else if (!mail_address_is_plain(to))
                (void) refuse_because(refusal, arena, "#/to", "malformed",
                        "This must be a plain e-mail address such as ada@example.org, without a name.");
        if (refusal->n_violations)
                return refuse(refusal, arena, PROBLEM_VALIDATION_FAILED, "The message has no recipient.");
        return PROBLEM_NONE;
}

bool message_ask(const struct message_request *request, const struct order *order, const struct channel *channel,
        timestamp now, struct arena *arena, struct refusal *refusal, struct message *ret_message) {
        const char *to = request->to ? request->to : order_customer_member(order, "email", arena);
        struct message message = { .id = uuid_new(),
                .order_id = order->id,
                .kind = (enum notification_kind) request->kind,
                .medium = MESSAGE_BY_EMAIL,
                .state = MESSAGE_QUEUED,
                .channel = order->channel,
                .recipient = to,
                .actor = request->actor,
                .due_at = now,
                .sent_at = TIMESTAMP_NONE,
                .created_at = now,
                .updated_at = now,
                .version = 1 };

        if (request_check(request, order, channel, to, arena, refusal))
                return false;
        message.event_id = message.id;
        message.locale = channel->messages->locale;
        message.message_id =
                mail_message_id(&message.id, notification_kind_texts[message.kind], to, channel->messages->from, arena);
        *ret_message = message;
        return message.message_id || !refuse(refusal, arena, PROBLEM_OVERLOADED, "There is no memory left.");
}

struct event *message_tell(struct events *events, const struct message *message, enum event_type type) {
        struct event *event = event_add(events, type, message->actor);

        event_about(event, SUBJECT_NOTIFICATION, &message->id, NULL);
        event->version = message->version;
        event->order_id = &message->order_id;
        event->channel = message->channel;
        event_text(event, "kind", notification_kind_texts[message->kind]);
        event_text(event, "locale", message->locale);
        event_text(event, "medium", message_medium_texts[message->medium]);
        return event;
}

/* ---- attempts ---- */

/* Two days in all, so that a server may be down over a weekend. */
static const duration delays[MESSAGE_ATTEMPTS_MAX - 1] = { 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR,
        2 * HOUR, 4 * HOUR, 8 * HOUR, 12 * HOUR, 24 * HOUR };

duration message_delay(int64_t attempts, uint64_t random) {
        const size_t last = array_size(delays) - 1, i = attempts > 0 ? (size_t) attempts - 1 : 0;
        const duration delay = delays[i < last ? i : last], tenth = delay / 10;

        return delay - tenth + (duration) (random % (uint64_t) (2 * tenth + 1));
}

struct message_outcome message_retry(
        const struct message *message, const char *answer, timestamp now, uint64_t random) {
        const timestamp due_at = now + message_delay(message->attempts, random);
        const bool ends = message->attempts >= MESSAGE_ATTEMPTS_MAX || due_at > message->created_at + MESSAGE_AGE_MAX;

        return (struct message_outcome){ .id = message->id,
                .attempts = message->attempts,
                .counted = message->attempts,
                .state = ends ? MESSAGE_FAILED : MESSAGE_QUEUED,
                .due_at = ends ? TIMESTAMP_NONE : due_at,
                .sent_at = TIMESTAMP_NONE,
                .answer = answer };
}

/* Hours that are stored have been checked. */
static duration quiet_time(const char *text) {
        int minutes = 0;

        return time_of_day_parse(text, &minutes) ? minutes * MINUTE : 0;
}

timestamp quiet_until(timestamp instant, const struct zone *zone, const struct quiet_hours *hours) {
        const duration from = quiet_time(hours ? hours->from : QUIET_FROM),
                       to = quiet_time(hours ? hours->to : QUIET_UNTIL);
        const timestamp wall = zone ? zone_wall_time(zone, instant) : instant;
        const timestamp midnight = wall - wall % DAY;
        const duration of_day = wall - midnight;
        const bool is_quiet = from <= to ? of_day >= from && of_day < to : of_day >= from || of_day < to;
        timestamp until;

        if (!is_quiet)
                return instant;
        until = midnight + to + (of_day >= to ? DAY : 0);
        return zone ? zone_instant(zone, until) : until;
}
