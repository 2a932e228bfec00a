/* Fulfillments of an order: making, packing and closing them. */
#include "catalog/catalog.h"
#include "orders/order.h"

unsigned fulfillment_capability(enum fulfillment_method method) {
        static const unsigned needed[] = {
                [BY_CURBSIDE] = CAN_CURBSIDE,
                [BY_PICKUP] = CAN_PICKUP,
                [BY_SHIPPING] = CAN_SHIP,
        };

        return needed[method];
}

struct fulfillment *order_add_fulfillment(struct order *order, enum fulfillment_method method, const char *location,
        timestamp promised_at, timestamp now, struct arena *arena) {
        struct fulfillment *fulfillment = arena_new(arena, struct fulfillment);
        struct fulfillment **list = arena_grow(arena, order->fulfillments, order->n_fulfillments,
                &order->fulfillments_capacity, sizeof(struct fulfillment *));

        if (!fulfillment || !list)
                return NULL;
        order->fulfillments = list;
        order->fulfillments[order->n_fulfillments++] = fulfillment;
        *fulfillment = (struct fulfillment){
                .id = uuid_new_at(location),
                .order = order,
                .number = (int64_t) order->n_fulfillments,
                .method = method,
                .location = location,
                .packages = "[]",
                .promised_at = promised_at,
                .hold_until = TIMESTAMP_NONE,
                .locked_until = TIMESTAMP_NONE,
                .check_in = NO_CHECK_IN,
                .remind_at = TIMESTAMP_NONE,
                .link.expires_at = TIMESTAMP_NONE,
                .created_at = now,
                .updated_at = now,
                .pickup_serial = 1,
                .version = order->is_new ? 1 : 0,
                .is_new = true,
        };
        return fulfillment;
}

int64_t fulfillment_open(const struct fulfillment *fulfillment) {
        int64_t units = 0;

        for (size_t i = 0; i < fulfillment->n_lines; i++)
                units += fulfillment_line_open(&fulfillment->lines[i]);
        return units;
}

static int64_t fulfilled_units(const struct fulfillment *fulfillment) {
        int64_t units = 0;

        for (size_t i = 0; i < fulfillment->n_lines; i++)
                units += fulfillment->lines[i].fulfilled;
        return units;
}

void fulfillment_pack_if_done(struct fulfillment *fulfillment, const struct command *command) {
        struct refusal ignored = { 0 };
        struct arena none;

        if (fulfillment->method != BY_SHIPPING || fulfillment->status != FULFILLMENT_PICKING ||
                fulfillment_remaining(fulfillment) || !fulfillment_open(fulfillment))
                return;
        arena_init(&none, 0);
        if (!fulfillment_advance(fulfillment, FULFILLMENT_PACK, &none, &ignored))
                (void) fulfillment_tell(fulfillment, EVENT_FULFILLMENT_PACKED, command);
}

bool fulfillment_is_at_location(enum fulfillment_status status) {
        return status == FULFILLMENT_ALLOCATED || status == FULFILLMENT_PICKING || status == FULFILLMENT_READY ||
               status == FULFILLMENT_PACKED;
}

enum problem fulfillment_close_if_empty(
        struct fulfillment *fulfillment, const char *reason, const struct command *command) {
        const bool gone = fulfilled_units(fulfillment) > 0;
        enum event_type told = EVENT_FULFILLMENT_CANCELLED;
        enum problem p;

        if (fulfillment_open(fulfillment) || !fulfillment_is_at_location(fulfillment->status))
                return PROBLEM_NONE;
        p = fulfillment_advance(
                fulfillment, gone ? FULFILLMENT_CLOSE : FULFILLMENT_CANCEL, command->arena, command->refusal);
        if (p)
                return p;
        if (gone)
                told = fulfillment->method == BY_SHIPPING ? EVENT_FULFILLMENT_SHIPPED : EVENT_FULFILLMENT_HANDED_OVER;
        else
                fulfillment->reason = reason;
        event_text(fulfillment_tell(fulfillment, told, command), "reason", reason);
        return PROBLEM_NONE;
}
