/* The routes of the room. */
#include "reservations/commands.h"

#define CREATE_BATCH  128
#define RELEASE_BATCH 128
#define READ_BATCH    32

const struct route reservation_routes[] = {
        { METHOD_POST, "/v1/reservations", SCOPE_RESERVATIONS_WRITE, LANE_WRITE, CREATE_BATCH, KEY_REQUIRED,
                .body = &reservation_create_shape, .check = reservation_create_check,
                .location = reservation_create_location, .operation = &reservation_create_operation },
        { METHOD_GET, "/v1/reservations/{id}", SCOPE_RESERVATIONS_WRITE, LANE_READ, READ_BATCH, KEY_UNUSED,
                .operation = &reservation_show_operation },
        { METHOD_DELETE, "/v1/reservations/{id}", SCOPE_RESERVATIONS_WRITE, LANE_WRITE, RELEASE_BATCH, KEY_UNUSED,
                .operation = &reservation_release_operation },
        { METHOD_POST, "/v1/reservations/{id}/extend", SCOPE_RESERVATIONS_WRITE, LANE_WRITE, RELEASE_BATCH,
                KEY_OPTIONAL, .body = &reservation_extend_shape, .operation = &reservation_extend_operation },
};
const size_t reservation_route_count = array_size(reservation_routes);
