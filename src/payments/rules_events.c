/* Events of payments and refunds. */
#include "payments/payments.h"

struct event *balance_tell(const struct balance *balance, enum event_type type, const struct command *command) {
        struct event *event = event_add(command->events, type, command->actor);

        event->order_id = &balance->order_id;
        event->channel = balance->channel;
        event_about(event, SUBJECT_ORDER, &balance->order_id, balance->order_version);
        return event;
}

struct event *payment_tell(
        const struct payment *payment, enum event_type type, int64_t amount, const struct command *command) {
        struct event *event = balance_tell(payment->balance, type, command);
        char id[UUID_TEXT_SIZE];

        event_about(event, SUBJECT_PAYMENT, &payment->id, &payment->version);
        uuid_format(&payment->id, id);
        event_text(event, "payment_id", id);
        event_text(event, "provider", payment->provider);
        event_text(event, "reference", payment->reference);
        event_integer(event, "amount", amount);
        event_text(event, "currency", payment->balance->currency);
        return event;
}

struct event *refund_tell(const struct refund *refund, enum event_type type, const struct command *command) {
        struct event *event = balance_tell(refund->balance, type, command);
        char id[UUID_TEXT_SIZE];

        uuid_format(&refund->id, id);
        event_text(event, "refund_id", id);
        if (refund->payment) {
                uuid_format(&refund->payment->id, id);
                event_text(event, "payment_id", id);
        }
        if (!uuid_is_nil(&refund->return_id)) {
                uuid_format(&refund->return_id, id);
                event_text(event, "return_id", id);
        }
        event_text(event, "to", refund_to_texts[refund->to]);
        event_integer(event, "amount", refund->amount);
        event_integer(event, "tax", refund->tax);
        event_text(event, "currency", refund->balance->currency);
        return event;
}
