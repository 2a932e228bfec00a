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
                .query = &stock_query_shape, .check = stock_location_check, .operation = &stock_list },
        { METHOD_GET, "/v1/locations/{code}/inventory/{sku}", SCOPE_INVENTORY_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .check = stock_location_check, .operation = &stock_row_show },
        { METHOD_PUT, "/v1/locations/{code}/inventory/{sku}", SCOPE_INVENTORY_WRITE, LANE_CATALOG, PUT_BATCH,
                KEY_UNUSED, .body = &safety_stock_shape, .check = stock_location_check,
                .operation = &safety_stock_put },
        { METHOD_GET, "/v1/locations/{code}/inventory/{sku}/ledger", SCOPE_INVENTORY_READ, LANE_LIST, LIST_BATCH,
                KEY_UNUSED, .query = &ledger_query_shape, .check = stock_location_check, .operation = &ledger_list },
};
const size_t inventory_route_count = array_size(inventory_routes);
