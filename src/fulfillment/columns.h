/*
 * fulfillment/columns: the columns of the room's look-ups (db/columns.h), for its store.
 */
#pragma once

#include "db/columns.h"

extern const struct columns resourcing_policy_columns;
