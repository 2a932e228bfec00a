/* The routes of the room. */
#include "adjustments/commands.h"

#define ADJUST_BATCH 16

const struct route adjustment_routes[] = {
        { METHOD_POST, "/v1/inventory/adjustments/batch", SCOPE_INVENTORY_WRITE, LANE_CATALOG, ADJUST_BATCH,
                KEY_REQUIRED, .body = &adjust_body_shape, .query = &adjust_query_shape,
                .operation = &adjust_operation },
};
const size_t adjustment_route_count = array_size(adjustment_routes);
