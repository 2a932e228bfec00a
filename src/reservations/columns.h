/*
 * reservations/columns: the columns of reservations and their lines (db/columns.h), for the room's store.
 */
#pragma once

#include "db/columns.h"

extern const struct columns reservation_columns, reservation_line_columns;
