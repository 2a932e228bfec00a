/*
 * events/columns: the columns of events (db/columns.h), for the room's store.
 */
#pragma once

#include "db/columns.h"

extern const struct columns consumer_columns, event_columns, log_event_columns;
