#include "orders/orders.h"
#include "privacy/erasing.h"

#include "base/text.h"

struct erasable_order *erasure_order_find(const struct erasure_batch *work, const struct uuid *id) {
        for (size_t i = 0; i < work->n_orders; i++)
                if (uuid_equal(&work->orders[i].id, id))
                        return &work->orders[i];
        return NULL;
}

/* The reason why an order is open and the action that closes it. */
static const char *const whys[] = {
        [OPEN_FOR_UNITS] = "a location holds units of it: hand over, ship or cancel them",
        [OPEN_FOR_FULFILLMENT] = "it is not fulfilled: cancel the other units by POST /v1/orders/{id}/cancel",
        [OPEN_FOR_GOODS] = "goods of it are on their way back: POST /v1/returns/{id}/receive or cancel",
        [OPEN_FOR_CAPTURE] =
                "a payment is not captured yet: report the provider's event by POST /v1/payments/{id}/events",
        [OPEN_FOR_REFUND_DUE] = "a refund is due: POST /v1/orders/{id}/refunds",
        [OPEN_FOR_REFUND] = "a refund is under way: report the provider's event by POST /v1/payments/{id}/events",
};
_Static_assert(array_size(whys) == OPEN_FOR_NOTHING, "a reason without a text");

/* A newer program may keep it open for another reason. NULL: it is closed. */
static const char *why_open(const struct erasable_order *order) {
        if (!order->open_for)
                return NULL;
        for (size_t i = 0; i < array_size(whys); i++)
                if (text_equal(open_reason_texts[i], order->open_for))
                        return whys[i];
        return "this program does not know why: erase it with the program that wrote it";
}

void erasure_judge(struct erasure_batch *work) {
        size_t n = 0;

        for (size_t i = 0; i < work->n_orders; i++) {
                const struct erasable_order *order = &work->orders[i];
                const char *why = why_open(order);

                if (why)
                        work->open[work->n_open++] = (struct open_order){ order->number, why };
                work->n_before += !why && order->is_erased;
                if (!why && !order->is_erased)
                        work->orders[n++] = *order;
        }
        work->n_orders = n;
}
