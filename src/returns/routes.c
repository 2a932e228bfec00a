/* The routes of the room: of clients, then of the importer. */
#include "returns/commands.h"
#include "returns/commands_import.h"

#define LIST_BATCH   4
#define IMPORT_BATCH 128

#define COMMAND(path_, shape_, operation_, ...)                                                                        \
        {                                                                                                              \
                METHOD_POST, (path_), SCOPE_RETURNS_WRITE, LANE_WRITE, RETURN_BATCH, KEY_OPTIONAL,                     \
                        .body = &(shape_), .operation = &(operation_), __VA_ARGS__                                     \
        }

const struct route return_routes[] = {
        { METHOD_GET, "/v1/returns", SCOPE_RETURNS_WRITE, LANE_LIST, LIST_BATCH, KEY_UNUSED,
                .query = &return_list_shape, .operation = &list_operation, .kind = &returns_list },
        { METHOD_POST, "/v1/returns", SCOPE_RETURNS_WRITE, LANE_WRITE, RETURN_BATCH, KEY_REQUIRED,
                .body = &return_shape, .check = return_create_check, .location = return_create_location,
                .operation = &return_create },
        { METHOD_POST, "/v1/returns/quote", SCOPE_RETURNS_WRITE, LANE_READ, RETURN_READ_BATCH, KEY_UNUSED,
                .body = &return_shape, .check = return_create_check, .operation = &return_quote },
        { METHOD_GET, "/v1/returns/{id}", SCOPE_RETURNS_WRITE, LANE_READ, RETURN_READ_BATCH, KEY_UNUSED,
                .operation = &return_show },
        COMMAND("/v1/returns/{id}/cancel", return_cancel_shape, return_cancel_operation),
        COMMAND("/v1/returns/{id}/dispose", dispose_shape, return_dispose_operation),
        COMMAND("/v1/returns/{id}/lost", lost_shape, return_lost, .check = lost_check),
        COMMAND("/v1/returns/{id}/receive", receive_shape, return_receive_operation, .check = receive_check),
        { METHOD_POST, "/v1/returns/{id}/refund", SCOPE_RETURNS_WRITE, LANE_WRITE, RETURN_BATCH, KEY_REQUIRED,
                .body = &return_refund_shape, .operation = &return_refund_operation },
};
const size_t return_route_count = array_size(return_routes);

const struct route return_import_routes[] = {
        { METHOD_POST, "/import/returns", SCOPE_ADMIN, LANE_CATALOG, IMPORT_BATCH, KEY_UNUSED,
                .body = &return_import_shape, .operation = &return_import_operation },
};
const size_t return_import_route_count = array_size(return_import_routes);
