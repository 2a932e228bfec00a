/* The routes of the room: of clients, then of the importer. */
#include "orders/commands.h"
#include "orders/commands_import.h"

#define PLACE_BATCH   128
#define CANCEL_BATCH  64
#define CHANGE_BATCH  16
#define PAYMENT_BATCH 64
#define READ_BATCH    16
#define QUOTE_BATCH   1 /* a quote changes the order that it has read */
#define LIST_BATCH    1
#define IMPORT_BATCH  128

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
        { METHOD_POST, "/v1/orders/{id}/cancel/quote", SCOPE_ORDERS_WRITE, LANE_READ, QUOTE_BATCH, KEY_UNUSED,
                .body = &order_cancel_shape, .operation = &order_cancel_quote_operation },
        { METHOD_POST, "/v1/orders/{id}/change", SCOPE_ORDERS_WRITE, LANE_WRITE, CHANGE_BATCH, KEY_OPTIONAL,
                .body = &order_change_shape, .check = order_change_check, .operation = &order_change_operation },
        { METHOD_POST, "/v1/orders/{id}/payments", SCOPE_ORDERS_WRITE, LANE_WRITE, PAYMENT_BATCH, KEY_REQUIRED,
                .body = &order_payment_shape, .operation = &order_pay_operation },
        { METHOD_POST, "/v1/orders/{id}/refunds", SCOPE_ORDERS_WRITE, LANE_WRITE, PAYMENT_BATCH, KEY_REQUIRED,
                .body = &order_refund_shape, .operation = &order_refund_operation },
        { METHOD_GET, "/v1/orders/{id}/timeline", SCOPE_ORDERS_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .operation = &order_timeline_operation },
        { METHOD_GET, "/v1/payments/{id}", SCOPE_ORDERS_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .operation = &payment_show_operation },
        { METHOD_POST, "/v1/payments/{id}/events", SCOPE_ORDERS_WRITE, LANE_WRITE, PAYMENT_BATCH, KEY_OPTIONAL,
                .body = &payment_event_shape, .check = payment_event_check, .operation = &payment_event_operation },
        { METHOD_GET, "/v1/refunds/{id}", SCOPE_ORDERS_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .operation = &refund_show_operation },
};
const size_t order_route_count = array_size(order_routes);

const struct route order_import_routes[] = {
        { METHOD_POST, "/import/orders", SCOPE_ADMIN, LANE_CATALOG, IMPORT_BATCH, KEY_UNUSED,
                .body = &order_import_shape, .check = order_import_body_check, .operation = &order_import_operation },
        { METHOD_POST, "/import/orders/compare", SCOPE_ADMIN, LANE_READ, IMPORT_BATCH, KEY_UNUSED,
                .body = &order_import_shape, .check = order_import_body_check, .operation = &order_compare_operation },
};
const size_t order_import_route_count = array_size(order_import_routes);
