/* Snapshot of an order, restored when a call on it is refused. Each list of the aggregate is named here once. */
#include "orders/order.h"

#include "base/snapshot.h"

static void fulfillment_snapshot(struct snapshot *snapshot, struct fulfillment *fulfillment) {
        snapshot_one(snapshot, fulfillment);
        snapshot_list(snapshot, fulfillment->lines, fulfillment->n_lines);
        for (size_t i = 0; i < fulfillment->n_lines; i++)
                stock_row_snapshot(snapshot, fulfillment->lines[i].stock);
}

void order_snapshot(struct snapshot *snapshot, struct order *order) {
        if (!order)
                return;
        snapshot_one(snapshot, order);
        snapshot_list(snapshot, order->lines, order->n_lines);
        snapshot_list(snapshot, order->discounts, order->n_discounts);
        snapshot_list(snapshot, order->fulfillments, order->n_fulfillments);
        snapshot_list(snapshot, order->return_places, order->n_return_places);
        balance_snapshot(snapshot, &order->balance);
        for (size_t i = 0; i < order->n_fulfillments; i++)
                fulfillment_snapshot(snapshot, order->fulfillments[i]);
}
