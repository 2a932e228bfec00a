/*
 * queue/columns: the columns of queue heads, places, counts, codes and events (db/columns.h), for the room's store.
 */
#pragma once

#include "db/columns.h"

extern const struct columns queue_head_columns, queue_place_columns, queue_count_columns;
extern const struct columns scanned_code_columns, stream_event_columns;
