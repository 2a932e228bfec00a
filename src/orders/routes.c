/* The routes of the room. */
#include "orders/commands.h"

#define PLACE_BATCH  128
#define CANCEL_BATCH 64
#define CHANGE_BATCH 16
#define READ_BATCH   16
#define LIST_BATCH   1

const struct route order_routes[] = {
        { METHOD_GET, "/v1/orders", SCOPE_ORDERS_READ, LANE_LIST, LIST_BATCH, KEY_UNUSED, .query = &order_list_shape,
                .operation = &list_operation, .kind = &orders_list },
        { METHOD_POST, "/v1/orders", SCOPE_ORDERS_WRITE, LANE_WRITE, PLACE_BATCH, KEY_REQUIRED,
                .body = &order_place_shape, .check = order_place_check, .location = order_place_location,
                .operation = &order_place_operation, .weigh = order_place_weigh },
        { METHOD_GET, "/v1/orders/{id}", SCOPE_ORDERS_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .operation = &order_show_operation },
        { METHOD_POST, "/v1/orders/{id}/cancel", SCOPE_ORDERS_WRITE, LANE_WRITE, CANCEL_BATCH, KEY_OPTIONAL,
                .body = &order_cancel_shape, .operation = &order_cancel_operation },
        /* One a batch: a quote changes the order that it has read. */
        { METHOD_POST, "/v1/orders/{id}/cancel/quote", SCOPE_ORDERS_WRITE, LANE_READ, 1, KEY_UNUSED,
                .body = &order_cancel_shape, .operation = &order_cancel_quote_operation },
        { METHOD_POST, "/v1/orders/{id}/change", SCOPE_ORDERS_WRITE, LANE_WRITE, CHANGE_BATCH, KEY_OPTIONAL,
                .body = &order_change_shape, .check = order_change_check, .operation = &order_change_operation },
        { METHOD_GET, "/v1/orders/{id}/timeline", SCOPE_ORDERS_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .operation = &order_timeline_operation },
};
const size_t order_route_count = array_size(order_routes);
