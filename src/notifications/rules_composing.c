/* One e-mail, from its row and the documents that it is about. */
#include "notifications/data.h"
#include "notifications/mail.h"
#include "notifications/messages.h"
#include "orders/customer.h"

#include "base/text.h"

#include <string.h>

#define LAST_LOCALE   "en"
#define OVERTAKEN_MAX (10 * MINUTE)

/* ---- the template ---- */

/* "de" of "de-AT". */
static const char *message_language(const char *locale, struct arena *arena) {
        return arena_text_sized(arena, locale, strcspn(locale, "-"));
}

void message_templates_want(struct template_set *set, const struct message *message) {
        const char *kind = notification_kind_texts[message->kind], *medium = message_medium_texts[message->medium];
        const char *language = message_language(message->locale, set->arena);

        templates_want(set, kind, medium, message->locale);
        templates_want(set, kind, medium, LAST_LOCALE);
        if (language)
                templates_want(set, kind, medium, language);
        set->exhausted |= !language;
}

/* The retailer's template of the locale, of its language, the program's; then the same of English. */
static bool template_choose(const struct message *message, const struct composing *composing, struct arena *arena,
        struct message_text *ret_text, const char **ret_locale) {
        const char *kind = notification_kind_texts[message->kind], *medium = message_medium_texts[message->medium];
        const char *const locales[] = { message->locale, message_language(message->locale, arena), LAST_LOCALE };

        for (size_t i = 0; i < array_size(locales); i++) {
                const struct notification_template *row =
                        locales[i] ? templates_find(composing->templates, kind, medium, locales[i]) : NULL;
                const bool of_program = i > 0; /* it has templates of languages alone */

                *ret_locale = i < array_size(locales) - 1 ? message->locale : LAST_LOCALE;
                if (row && row->stored) {
                        *ret_text = row->text;
                        return true;
                }
                if (of_program && locales[i] && template_default(kind, medium, locales[i], ret_text))
                        return true;
        }
        return false;
}

/* ---- what the message is about ---- */

static const struct fulfillment *composed_fulfillment(const struct message *message, const struct order *order) {
        for (size_t i = 0; i < order->n_fulfillments; i++)
                if (uuid_equal(&order->fulfillments[i]->id, &message->fulfillment_id))
                        return order->fulfillments[i];
        return notification_fulfillment(order, notification_kind_texts[message->kind]);
}

static const struct refund *composed_refund(const struct message *message, const struct order *order) {
        const struct refund *refund = refund_find(&order->balance, &message->refund_id);

        if (refund || !order->balance.n_refunds)
                return refund;
        return order->balance.refunds[order->balance.n_refunds - 1];
}

/* A customer is not called to a location that no longer has the units. A hand-over at once may overtake the mail. */
static bool is_true_now(const struct message *message, const struct fulfillment *fulfillment, timestamp now) {
        if (message->kind != NOTIFY_READY && message->kind != NOTIFY_REMINDER)
                return true;
        if (fulfillment && fulfillment->status == FULFILLMENT_HANDED_OVER)
                return now - message->created_at < OVERTAKEN_MAX;
        return fulfillment && fulfillment->status == FULFILLMENT_READY;
}

static const char *composed_code(
        const struct message *message, const struct fulfillment *fulfillment, const char *secret, struct arena *arena) {
        const bool calls = message->kind == NOTIFY_READY || message->kind == NOTIFY_REMINDER;
        char code[PICKUP_CODE_SIZE];

        if (!fulfillment || fulfillment->method == BY_SHIPPING ||
                (!calls && fulfillment->status != FULFILLMENT_READY) ||
                !pickup_code(secret, &fulfillment->id, fulfillment->pickup_serial, code))
                return NULL;
        return arena_text(arena, code);
}

/* ---- ends of an attempt ---- */

static void composed_end(
        struct composed *composed, const struct message *message, enum message_state state, const char *answer) {
        composed->outcome = (struct message_outcome){ .id = message->id,
                .attempts = message->attempts,
                .counted = message->attempts - 1, /* the server was not asked */
                .state = state,
                .due_at = TIMESTAMP_NONE,
                .sent_at = TIMESTAMP_NONE,
                .answer = answer };
}

/* Whether the message waits for the end of the quiet hours. */
static bool composed_wait(struct composed *composed, const struct message *message, const struct composing *composing,
        const struct channel *channel, const struct location *location) {
        const struct zone *zone = location ? catalog_find_zone(composing->catalog, location->time_zone) : NULL;
        const timestamp until = quiet_until(composing->now, zone, channel->messages->quiet_hours);

        if (message->kind != NOTIFY_REMINDER || until <= composing->now)
                return false;
        composed_end(composed, message, MESSAGE_QUEUED, NULL);
        composed->outcome.due_at = until;
        return true;
}

/* ---- composing ---- */

static bool mail_compose(const struct message *message, const struct composing *composing, const struct order *order,
        const struct notification_facts *facts, const struct message_text *text, struct arena *arena,
        struct composed *composed) {
        const struct channel_messages *sender = facts->channel->messages;
        const struct mail mail = { .from = sender->from,
                .from_name = facts->channel->name,
                .to = message->recipient,
                .to_name = order_customer_name(order, arena),
                .reply_to = sender->reply_to,
                .message_id = message->message_id,
                .subject = text->subject ? text->subject : "",
                .text = text->text,
                .html = text->html,
                .pickup_code = facts->pickup_code,
                .date = composing->now };
        struct buffer buffer;

        buffer_init(&buffer, arena, MAIL_SIZE_MAX);
        if (!mail_write(&mail, &buffer))
                return false;
        composed->from = sender->from;
        composed->bytes = buffer_text(&buffer);
        composed->size = buffer.size;
        composed->is_ready = true;
        return true;
}

static enum problem message_render(const struct message *message, const struct composing *composing,
        const struct order *order, struct notification_facts *facts, struct arena *arena, struct composed *composed) {
        struct message_text text, rendered;
        struct refusal refusal = { 0 };
        enum problem problem;
        json_t *data;

        if (!template_choose(message, composing, arena, &text, &facts->locale)) {
                composed_end(composed, message, MESSAGE_FAILED, "there is no template of this kind");
                return PROBLEM_NONE;
        }
        data = notification_data(facts, arena);
        if (!data)
                return FAULT_BUSY;
        problem = template_render(&text, data, arena, &refusal, &rendered);
        json_decref(data);
        if (problem == PROBLEM_OVERLOADED)
                return FAULT_BUSY;
        if (problem)
                composed_end(composed, message, MESSAGE_FAILED, "the template cannot be rendered with this order");
        else if (!mail_compose(message, composing, order, facts, &rendered, arena, composed))
                composed_end(composed, message, MESSAGE_FAILED, "the mail cannot be written: it is too long");
        return PROBLEM_NONE;
}

enum problem message_compose(
        const struct message *message, const struct composing *composing, struct arena *arena, struct composed *ret) {
        const struct order *order = order_find(composing->orders, &message->order_id);
        const struct fulfillment *fulfillment = order ? composed_fulfillment(message, order) : NULL;
        const struct location *location =
                fulfillment ? catalog_find_location(composing->catalog, fulfillment->location) : NULL;
        struct notification_facts facts = { .order = order,
                .fulfillment = fulfillment,
                .location = location,
                .channel = order ? catalog_find_channel(composing->catalog, order->channel) : NULL,
                .zone = location ? catalog_find_zone(composing->catalog, location->time_zone) : NULL,
                .refund = order ? composed_refund(message, order) : NULL,
                .pickup_code = composed_code(message, fulfillment, composing->pickup_secret, arena) };

        *ret = (struct composed){ 0 };
        if (!order || !message->recipient)
                composed_end(ret, message, MESSAGE_SKIPPED, "the customer was erased");
        else if (!facts.channel || !facts.channel->messages)
                composed_end(ret, message, MESSAGE_SKIPPED, "the channel no longer sends messages");
        else if (!is_true_now(message, fulfillment, composing->now))
                composed_end(ret, message, MESSAGE_SKIPPED, "the units are no longer ready");
        else if (message->attempts > MESSAGE_ATTEMPTS_MAX)
                composed_end(ret, message, MESSAGE_FAILED, "it was tried too often");
        else if (!composed_wait(ret, message, composing, facts.channel, location))
                return message_render(message, composing, order, &facts, arena, ret);
        return PROBLEM_NONE;
}
