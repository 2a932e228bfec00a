/* Events of an order and of its fulfillments. */
#include "orders/order.h"

struct event *order_tell(struct events *events, const struct order *order, enum event_type type, const char *actor) {
        struct event *event = event_add(events, type, actor);

        event->order_id = &order->id;
        event->channel = order->channel;
        event_about(event, SUBJECT_ORDER, &order->id, &order->version);
        return event;
}

struct event *fulfillment_tell(
        struct events *events, const struct fulfillment *fulfillment, enum event_type type, const char *actor) {
        struct event *event = order_tell(events, fulfillment->order, type, actor);

        event->location = fulfillment->location;
        event_about(event, SUBJECT_FULFILLMENT, &fulfillment->id, &fulfillment->version);
        return event;
}
