/*
 * reservations/upkeep: what time does to reservations, run by the sweeper through the same engine as any request.
 */
#pragma once

#include "engine/call.h"
#include "reservations/reservations.h"

#define RESERVATIONS_EXPIRED_AT_ONCE 200

/* Queue: lock some active reservations whose time is up, unless somebody else is at work on them, and want them. */
enum problem reservations_lock_lapsed(struct database *database, struct reservation_set *set, int64_t at_most);

/* Not a route of the API: a call of it closes so many of them and frees what they still hold. It leaves in call->work a
 * size_t: how many it has closed. */
extern const struct route reservations_expire_route;
