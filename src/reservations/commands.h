/*
 * reservations/commands: the operations on reservations, for the table of routes.
 */
#pragma once

#include "engine/call.h"

extern const struct shape reservation_create_shape, reservation_extend_shape;
extern const struct operation reservation_create_operation, reservation_extend_operation, reservation_release_operation,
        reservation_show_operation;

/* On the loop: refuse a location that the token does not cover. */
void reservation_create_check(struct call *call);

/* The code of the location that the body names. */
const char *reservation_create_location(const struct call *call);
