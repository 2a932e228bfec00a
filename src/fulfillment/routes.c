/* The routes of the room. */
#include "fulfillment/commands.h"
#include "fulfillment/commands_bodies.h"

#define COMMAND_BATCH 64
#define READ_BATCH    32

/* A command of staff. */
#define COMMAND(path_, shape_, operation_, ...)                                                                        \
        {                                                                                                              \
                METHOD_POST, (path_), SCOPE_FULFILLMENT_WRITE, LANE_WRITE, COMMAND_BATCH, KEY_OPTIONAL,                \
                        .body = &(shape_), .operation = &(operation_), __VA_ARGS__                                     \
        }

const struct route fulfillment_routes[] = {
        { METHOD_GET, "/v1/fulfillments/{id}", SCOPE_FULFILLMENT_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .operation = &fulfillment_show_operation },
        COMMAND("/v1/fulfillments/{id}/assign", fulfillment_assign_shape, fulfillment_assign_operation),
        COMMAND("/v1/fulfillments/{id}/cancel", fulfillment_cancel_shape, fulfillment_cancel_operation),
        COMMAND("/v1/fulfillments/{id}/check-in", fulfillment_check_in_shape, fulfillment_check_in_operation,
                .also = SCOPE_ORDERS_WRITE, .link = true),
        COMMAND("/v1/fulfillments/{id}/deliver", fulfillment_nothing_shape, fulfillment_deliver_operation),
        COMMAND("/v1/fulfillments/{id}/extend-hold", fulfillment_extend_hold_shape, fulfillment_extend_hold_operation,
                .also = SCOPE_ORDERS_WRITE),
        { METHOD_POST, "/v1/fulfillments/{id}/handover", SCOPE_FULFILLMENT_WRITE, LANE_WRITE, COMMAND_BATCH,
                KEY_REQUIRED, .body = &fulfillment_handover_shape, .check = fulfillment_handover_check,
                .operation = &fulfillment_handover_operation },
        { METHOD_POST, "/v1/fulfillments/{id}/link", SCOPE_FULFILLMENT_WRITE, LANE_WRITE, COMMAND_BATCH, KEY_UNUSED,
                .body = &fulfillment_nothing_shape, .operation = &fulfillment_link_operation,
                .also = SCOPE_ORDERS_WRITE },
        COMMAND("/v1/fulfillments/{id}/pick", fulfillment_pick_shape, fulfillment_pick_operation,
                .check = fulfillment_pick_check),
        COMMAND("/v1/fulfillments/{id}/ready", fulfillment_ready_shape, fulfillment_ready_operation),
        COMMAND("/v1/fulfillments/{id}/recipient", fulfillment_collector_shape, fulfillment_recipient_operation,
                .also = SCOPE_ORDERS_WRITE),
        COMMAND("/v1/fulfillments/{id}/reinstate", fulfillment_reinstate_shape, fulfillment_reinstate_operation,
                .also = SCOPE_ORDERS_WRITE),
        { METHOD_POST, "/v1/fulfillments/{id}/reissue-code", SCOPE_ADMIN, LANE_WRITE, COMMAND_BATCH, KEY_OPTIONAL,
                .body = &fulfillment_nothing_shape, .operation = &fulfillment_reissue_code_operation },
        COMMAND("/v1/fulfillments/{id}/reject", fulfillment_reject_shape, fulfillment_reject_operation),
        COMMAND("/v1/fulfillments/{id}/ship", fulfillment_ship_shape, fulfillment_ship_operation),
        COMMAND("/v1/fulfillments/{id}/short", fulfillment_short_shape, fulfillment_short_operation),
        { METHOD_GET, "/v1/fulfillments/{id}/status", SCOPE_FULFILLMENT_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .operation = &fulfillment_status_operation, .also = SCOPE_ORDERS_READ, .link = true },
        { METHOD_POST, "/v1/fulfillments/{id}/unlock", SCOPE_ADMIN, LANE_WRITE, COMMAND_BATCH, KEY_OPTIONAL,
                .body = &fulfillment_nothing_shape, .operation = &fulfillment_unlock_operation },
};
const size_t fulfillment_route_count = array_size(fulfillment_routes);
