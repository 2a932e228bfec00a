/*
 * sourcing/columns: the columns of the room's look-up (db/columns.h), for its store.
 */
#pragma once

#include "db/columns.h"

extern const struct columns sourcing_shelf_columns;
