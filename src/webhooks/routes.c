/* The routes of the room. */
#include "webhooks/commands.h"

#define WRITE_BATCH 16
#define READ_BATCH  16

const struct route webhook_routes[] = {
        { METHOD_GET, "/v1/webhooks", SCOPE_WEBHOOKS_MANAGE, LANE_LIST, READ_BATCH, KEY_UNUSED,
                .query = &page_query_shape, .operation = &list_operation, .kind = &webhooks_list },
        { METHOD_POST, "/v1/webhooks", SCOPE_WEBHOOKS_MANAGE, LANE_CATALOG, WRITE_BATCH, KEY_OPTIONAL,
                .body = &webhook_body_shape, .check = webhook_body_check, .operation = &webhook_create_operation,
                .seals = true },
        { METHOD_GET, "/v1/webhooks/{id}", SCOPE_WEBHOOKS_MANAGE, LANE_READ, READ_BATCH, KEY_UNUSED,
                .operation = &webhook_show_operation },
        { METHOD_PUT, "/v1/webhooks/{id}", SCOPE_WEBHOOKS_MANAGE, LANE_CATALOG, WRITE_BATCH, KEY_UNUSED,
                .body = &webhook_body_shape, .check = webhook_body_check, .operation = &webhook_put_operation },
        { METHOD_DELETE, "/v1/webhooks/{id}", SCOPE_WEBHOOKS_MANAGE, LANE_CATALOG, WRITE_BATCH, KEY_UNUSED,
                .operation = &webhook_delete_operation },
        { METHOD_GET, "/v1/webhooks/{id}/attempts", SCOPE_WEBHOOKS_MANAGE, LANE_LIST, READ_BATCH, KEY_UNUSED,
                .query = &attempts_query_shape, .operation = &list_operation, .kind = &attempts_list },
        { METHOD_POST, "/v1/webhooks/{id}/pause", SCOPE_WEBHOOKS_MANAGE, LANE_CATALOG, WRITE_BATCH, KEY_OPTIONAL,
                .body = &webhook_nothing_shape, .operation = &webhook_pause_operation },
        { METHOD_POST, "/v1/webhooks/{id}/resume", SCOPE_WEBHOOKS_MANAGE, LANE_CATALOG, WRITE_BATCH, KEY_OPTIONAL,
                .body = &webhook_nothing_shape, .operation = &webhook_resume_operation },
        { METHOD_POST, "/v1/webhooks/{id}/rotate", SCOPE_WEBHOOKS_MANAGE, LANE_CATALOG, WRITE_BATCH, KEY_OPTIONAL,
                .body = &webhook_rotation_shape, .operation = &webhook_rotate_operation, .seals = true },
        { METHOD_POST, "/v1/webhooks/{id}/test", SCOPE_WEBHOOKS_MANAGE, LANE_CATALOG, WRITE_BATCH, KEY_OPTIONAL,
                .body = &webhook_nothing_shape, .operation = &webhook_test_operation },
        { METHOD_POST, "/v1/webhooks/{id}/replay", SCOPE_WEBHOOKS_MANAGE, LANE_CATALOG, WRITE_BATCH, KEY_OPTIONAL,
                .body = &webhook_replay_shape, .check = webhook_replay_check, .operation = &webhook_replay_operation },
};
const size_t webhook_route_count = array_size(webhook_routes);
