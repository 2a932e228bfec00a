/*
 * inventory/availability: the parts of POST /v1/availability/query, for the room's table of routes.
 */
#pragma once

struct call;

extern const struct shape availability_shape;
extern const struct operation availability_query;

/* Refuses what the token does not cover. */
void availability_check(struct call *call);
