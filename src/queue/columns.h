/*
 * queue/columns: the columns of queue heads, places and counts (db/columns.h), for the room's store.
 */
#pragma once

#include "db/columns.h"

extern const struct columns queue_head_columns, queue_place_columns, queue_count_columns;
