/* The routes of the room. */
#include "notifications/commands.h"

#define PUT_BATCH     16
#define READ_BATCH    32
#define PREVIEW_BATCH 8
#define SEND_BATCH    16

#define TEMPLATE_PATH "/v1/notification-templates/{kind}/{medium}/{locale}"

const struct route notification_routes[] = {
        { METHOD_GET, "/v1/orders/{id}/notifications", SCOPE_ORDERS_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .operation = &messages_list_operation },
        { METHOD_POST, "/v1/orders/{id}/notifications", SCOPE_ORDERS_WRITE, LANE_CATALOG, SEND_BATCH, KEY_OPTIONAL,
                .body = &message_shape, .operation = &message_send_operation },
        { METHOD_GET, TEMPLATE_PATH, SCOPE_CATALOG_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .operation = &template_show_operation, .check = template_path_check },
        { METHOD_PUT, TEMPLATE_PATH, SCOPE_CATALOG_WRITE, LANE_CATALOG, PUT_BATCH, KEY_UNUSED, .body = &template_shape,
                .operation = &record_put_operation, .kind = &template_record, .check = template_path_check },
        { METHOD_DELETE, TEMPLATE_PATH, SCOPE_CATALOG_WRITE, LANE_CATALOG, PUT_BATCH, KEY_UNUSED,
                .operation = &template_delete_operation, .check = template_path_check },
        { METHOD_POST, TEMPLATE_PATH "/preview", SCOPE_ORDERS_READ, LANE_READ, PREVIEW_BATCH, KEY_UNUSED,
                .body = &preview_shape, .operation = &template_preview_operation, .check = template_path_check },
};
const size_t notification_route_count = array_size(notification_routes);
