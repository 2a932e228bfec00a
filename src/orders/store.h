/*
 * orders/store: declarations shared by the files that write orders.
 */
#pragma once

#include "orders/orders.h"

/* Fulfillments of any orders. Empty when zeroed. */
struct fulfillment_list {
        struct fulfillment **list;
        size_t n, capacity;
        bool exhausted;
};

void fulfillment_list_add(struct fulfillment_list *fulfillments, struct arena *arena, struct fulfillment *fulfillment);

/* Queue: insert the lines of new orders, and the lines added to others. */
void order_lines_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n);

/* Queue: insert all discounts. */
void order_discounts_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n);

/* Queue: insert the new fulfillments, and the new lines of existing ones. */
enum problem fulfillments_insert_new(
        struct database *database, struct arena *arena, const struct fulfillment_list *fulfillments);
