#include "base/text.h"
#include "privacy/erasing.h"

struct erasable_order *erasure_order_find(struct erasure_batch *work, const struct uuid *id) {
        for (size_t i = 0; i < work->n_orders; i++)
                if (uuid_equal(&work->orders[i].id, id))
                        return &work->orders[i];
        return NULL;
}

/* The reason why an order is open and the action that closes it; NULL when it is closed. */
static const char *why_open(const struct erasable_order *order) {
        if (order->is_unknown)
                return "this program does not know a status of it: erase it with the program that wrote it";
        if (order->holds_units)
                return "a location holds units of it: hand over, ship or cancel them";
        if (!text_equal(order->status, "fulfilled") && !text_equal(order->status, "cancelled"))
                return "it is not fulfilled: cancel the other units by POST /v1/orders/{id}/cancel";
        if (order->awaits_goods)
                return "goods of it are on their way back: POST /v1/returns/{id}/receive or cancel";
        if (order->awaits_capture)
                return "a payment is not captured yet: report the provider's event by POST /v1/payments/{id}/events";
        if (order->refund_due)
                return "a refund is due: POST /v1/orders/{id}/refunds";
        return order->awaits_refund
                       ? "a refund is under way: report the provider's event by POST /v1/payments/{id}/events"
                       : NULL;
}

static bool is_unknown(const struct personal_document *document) {
        return document->is_unknown;
}

static bool awaits_goods(const struct personal_document *rma) {
        return text_equal(rma->status, "authorized") || text_equal(rma->status, "partially_received");
}

static bool awaits_refund(const struct personal_document *refund) {
        return text_equal(refund->status, "pending") || text_equal(refund->status, "issued");
}

static bool awaits_capture(const struct personal_document *payment) {
        return payment->capture_due > 0;
}

static bool holds_units(const struct personal_document *fulfillment) {
        return text_equal(fulfillment->status, "allocated") || text_equal(fulfillment->status, "picking") ||
               text_equal(fulfillment->status, "ready") || text_equal(fulfillment->status, "packed");
}

/* Mark orders that a document keeps open. */
#define MARK(documents, what)                                                                                          \
        for (size_t i = 0; i < work->documents.n; i++) {                                                               \
                struct erasable_order *order = erasure_order_find(work, &work->documents.rows[i].order_id);            \
                                                                                                                       \
                if (order && what(&work->documents.rows[i]))                                                           \
                        order->what = true;                                                                            \
        }

static void find_dues(struct erasure_batch *work) {
        MARK(fulfillments, is_unknown)
        MARK(refunds, is_unknown)
        MARK(returns, is_unknown)
        MARK(fulfillments, holds_units)
        MARK(returns, awaits_goods)
        MARK(payments, awaits_capture)
        MARK(refunds, awaits_refund)
}

void erasure_judge(struct erasure_batch *work) {
        size_t n = 0;

        find_dues(work);
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
