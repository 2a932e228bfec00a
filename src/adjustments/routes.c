/* The routes of the room: of clients, then of the importer. */
#include "adjustments/commands.h"
#include "adjustments/commands_import.h"

#define ADJUST_BATCH     16
#define OVERRIDDEN_BATCH 16

const struct route adjustment_routes[] = {
        { METHOD_POST, "/v1/inventory/adjustments/batch", SCOPE_INVENTORY_WRITE, LANE_CATALOG, ADJUST_BATCH,
                KEY_REQUIRED, .body = &adjust_body_shape, .query = &adjust_query_shape,
                .operation = &adjust_operation },
};
const size_t adjustment_route_count = array_size(adjustment_routes);

const struct route stock_import_routes[] = {
        { METHOD_POST, "/import/stock/overridden", SCOPE_ADMIN, LANE_READ, OVERRIDDEN_BATCH, KEY_UNUSED,
                .body = &stock_overridden_shape, .operation = &stock_overridden_operation },
};
const size_t stock_import_route_count = array_size(stock_import_routes);
