/* The routes of the room. */
#include "fulfillment/commands.h"
#include "fulfillment/commands_bodies.h"

#define COMMAND_BATCH 64
#define READ_BATCH    32

const struct route fulfillment_routes[] = {
        { METHOD_GET, "/v1/fulfillments/{id}", SCOPE_FULFILLMENT_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .operation = &fulfillment_show_operation },
        { METHOD_POST, "/v1/fulfillments/{id}/assign", SCOPE_FULFILLMENT_WRITE, LANE_WRITE, COMMAND_BATCH, KEY_OPTIONAL,
                .body = &fulfillment_assign_shape, .operation = &fulfillment_assign_operation },
        { METHOD_POST, "/v1/fulfillments/{id}/cancel", SCOPE_FULFILLMENT_WRITE, LANE_WRITE, COMMAND_BATCH, KEY_OPTIONAL,
                .body = &fulfillment_cancel_shape, .operation = &fulfillment_cancel_operation },
        { METHOD_POST, "/v1/fulfillments/{id}/check-in", SCOPE_FULFILLMENT_WRITE, LANE_WRITE, COMMAND_BATCH,
                KEY_OPTIONAL, .body = &fulfillment_check_in_shape, .operation = &fulfillment_check_in_operation,
                .also = SCOPE_ORDERS_WRITE, .link = true },
        { METHOD_POST, "/v1/fulfillments/{id}/deliver", SCOPE_FULFILLMENT_WRITE, LANE_WRITE, COMMAND_BATCH,
                KEY_OPTIONAL, .body = &fulfillment_nothing_shape, .operation = &fulfillment_deliver_operation },
        { METHOD_POST, "/v1/fulfillments/{id}/extend-hold", SCOPE_FULFILLMENT_WRITE, LANE_WRITE, COMMAND_BATCH,
                KEY_OPTIONAL, .body = &fulfillment_extend_hold_shape, .operation = &fulfillment_extend_hold_operation,
                .also = SCOPE_ORDERS_WRITE },
        { METHOD_POST, "/v1/fulfillments/{id}/handover", SCOPE_FULFILLMENT_WRITE, LANE_WRITE, COMMAND_BATCH,
                KEY_REQUIRED, .body = &fulfillment_handover_shape, .check = fulfillment_handover_check,
                .operation = &fulfillment_handover_operation },
        { METHOD_POST, "/v1/fulfillments/{id}/link", SCOPE_FULFILLMENT_WRITE, LANE_WRITE, COMMAND_BATCH, KEY_UNUSED,
                .body = &fulfillment_nothing_shape, .operation = &fulfillment_link_operation,
                .also = SCOPE_ORDERS_WRITE },
        { METHOD_POST, "/v1/fulfillments/{id}/pick", SCOPE_FULFILLMENT_WRITE, LANE_WRITE, COMMAND_BATCH, KEY_OPTIONAL,
                .body = &fulfillment_pick_shape, .check = fulfillment_pick_check,
                .operation = &fulfillment_pick_operation },
        { METHOD_POST, "/v1/fulfillments/{id}/ready", SCOPE_FULFILLMENT_WRITE, LANE_WRITE, COMMAND_BATCH, KEY_OPTIONAL,
                .body = &fulfillment_ready_shape, .operation = &fulfillment_ready_operation },
        { METHOD_POST, "/v1/fulfillments/{id}/recipient", SCOPE_FULFILLMENT_WRITE, LANE_WRITE, COMMAND_BATCH,
                KEY_OPTIONAL, .body = &fulfillment_collector_shape, .operation = &fulfillment_recipient_operation,
                .also = SCOPE_ORDERS_WRITE },
        { METHOD_POST, "/v1/fulfillments/{id}/reinstate", SCOPE_FULFILLMENT_WRITE, LANE_WRITE, COMMAND_BATCH,
                KEY_OPTIONAL, .body = &fulfillment_reinstate_shape, .operation = &fulfillment_reinstate_operation,
                .also = SCOPE_ORDERS_WRITE },
        { METHOD_POST, "/v1/fulfillments/{id}/reissue-code", SCOPE_ADMIN, LANE_WRITE, COMMAND_BATCH, KEY_OPTIONAL,
                .body = &fulfillment_nothing_shape, .operation = &fulfillment_reissue_code_operation },
        { METHOD_POST, "/v1/fulfillments/{id}/reject", SCOPE_FULFILLMENT_WRITE, LANE_WRITE, COMMAND_BATCH, KEY_OPTIONAL,
                .body = &fulfillment_reject_shape, .operation = &fulfillment_reject_operation },
        { METHOD_POST, "/v1/fulfillments/{id}/ship", SCOPE_FULFILLMENT_WRITE, LANE_WRITE, COMMAND_BATCH, KEY_OPTIONAL,
                .body = &fulfillment_ship_shape, .operation = &fulfillment_ship_operation },
        { METHOD_POST, "/v1/fulfillments/{id}/short", SCOPE_FULFILLMENT_WRITE, LANE_WRITE, COMMAND_BATCH, KEY_OPTIONAL,
                .body = &fulfillment_short_shape, .operation = &fulfillment_short_operation },
        { METHOD_GET, "/v1/fulfillments/{id}/status", SCOPE_FULFILLMENT_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .operation = &fulfillment_status_operation, .also = SCOPE_ORDERS_READ, .link = true },
        { METHOD_POST, "/v1/fulfillments/{id}/unlock", SCOPE_ADMIN, LANE_WRITE, COMMAND_BATCH, KEY_OPTIONAL,
                .body = &fulfillment_nothing_shape, .operation = &fulfillment_unlock_operation },
};
const size_t fulfillment_route_count = array_size(fulfillment_routes);
