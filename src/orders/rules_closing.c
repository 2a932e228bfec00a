/* Why an order is open, or that it is closed. Pure. */
#include "orders/order.h"

const char *const open_reason_texts[] = {
        [OPEN_FOR_UNITS] = "units",
        [OPEN_FOR_FULFILLMENT] = "unfulfilled",
        [OPEN_FOR_GOODS] = "goods",
        [OPEN_FOR_CAPTURE] = "capture",
        [OPEN_FOR_REFUND_DUE] = "refund_due",
        [OPEN_FOR_REFUND] = "refund",
        [OPEN_FOR_NOTHING] = NULL,
};

static bool has_units_at_location(const struct order *order) {
        for (size_t i = 0; i < order->n_fulfillments; i++)
                if (fulfillment_is_at_location(order->fulfillments[i]->status))
                        return true;
        return false;
}

static bool awaits_capture(const struct order *order) {
        for (size_t i = 0; i < order->balance.n_payments; i++)
                if (order->balance.payments[i]->capture_due)
                        return true;
        return false;
}

static bool awaits_refund(const struct order *order) {
        for (size_t i = 0; i < order->balance.n_refunds; i++)
                if (order->balance.refunds[i]->state == REFUND_PENDING ||
                        order->balance.refunds[i]->state == REFUND_ISSUED)
                        return true;
        return false;
}

enum open_reason order_open_reason(const struct order *order) {
        if (has_units_at_location(order))
                return OPEN_FOR_UNITS;
        if (order->status != ORDER_FULFILLED && order->status != ORDER_CANCELLED)
                return OPEN_FOR_FULFILLMENT;
        if (order->returns_awaited)
                return OPEN_FOR_GOODS;
        if (awaits_capture(order))
                return OPEN_FOR_CAPTURE;
        if (order->balance.refund_due)
                return OPEN_FOR_REFUND_DUE;
        return awaits_refund(order) ? OPEN_FOR_REFUND : OPEN_FOR_NOTHING;
}

void order_project_open(struct order *order) {
        order->open_for = open_reason_texts[order_open_reason(order)];
}
