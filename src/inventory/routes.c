/* The routes of the room. */
#include "inventory/commands.h"

#define LIST_BATCH 4
#define PUT_BATCH  32
#define READ_BATCH 16

const struct route inventory_routes[] = {
        { METHOD_POST, "/v1/availability/query", SCOPE_INVENTORY_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .body = &availability_shape, .check = availability_check, .operation = &availability_query,
                .may_lag = true },
        { METHOD_GET, "/v1/inventory/{sku}", SCOPE_INVENTORY_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .operation = &product_stock_show },
        { METHOD_GET, "/v1/locations/{code}/inventory", SCOPE_INVENTORY_READ, LANE_LIST, LIST_BATCH, KEY_UNUSED,
                .query = &page_query_shape, .check = call_check_location, .operation = &list_operation,
                .kind = &stock_list },
        { METHOD_GET, "/v1/locations/{code}/inventory/{sku}", SCOPE_INVENTORY_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .check = call_check_location, .operation = &record_show_operation, .kind = &safety_stock_record },
        { METHOD_PUT, "/v1/locations/{code}/inventory/{sku}", SCOPE_INVENTORY_WRITE, LANE_CATALOG, PUT_BATCH,
                KEY_UNUSED, .body = &safety_stock_shape, .check = call_check_location,
                .operation = &record_put_operation, .kind = &safety_stock_record },
        { METHOD_GET, "/v1/locations/{code}/inventory/{sku}/ledger", SCOPE_INVENTORY_READ, LANE_LIST, LIST_BATCH,
                KEY_UNUSED, .query = &page_query_shape, .check = call_check_location, .operation = &list_operation,
                .kind = &ledger_list },
};
const size_t inventory_route_count = array_size(inventory_routes);
