/* Events of an order and of its fulfillments. */
#include "orders/order.h"

struct event *order_tell(const struct order *order, enum event_type type, const struct command *command) {
        return balance_tell(&order->balance, type, command);
}

struct event *fulfillment_tell(
        const struct fulfillment *fulfillment, enum event_type type, const struct command *command) {
        struct event *event = order_tell(fulfillment->order, type, command);

        event->location = fulfillment->location;
        event_about(event, SUBJECT_FULFILLMENT, &fulfillment->id, &fulfillment->version);
        return event;
}
