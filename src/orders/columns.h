/*
 * orders/columns: the columns of orders and their parts (db/columns.h), for the room's store.
 */
#pragma once

#include "db/columns.h"
#include "orders/order.h"

struct discount_row {
        struct uuid order_id;
        int64_t number;
        struct order_discount discount;
};

extern const struct columns order_header_columns, order_line_columns, order_discount_columns;
extern const struct columns fulfillment_columns, fulfillment_line_columns;
/* A claim of a return on the balance of its order. */
struct return_claim_row {
        struct uuid order_id;
        struct return_claim claim;
};

extern const struct columns known_order_columns, local_time_columns;
extern const struct columns listed_order_columns, return_claim_columns, timeline_entry_columns;
