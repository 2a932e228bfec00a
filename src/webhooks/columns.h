/*
 * webhooks/columns: the columns of endpoints and of their failed deliveries (db/columns.h), for the room's stores.
 */
#pragma once

#include "db/columns.h"

extern const struct columns webhook_columns, webhook_failure_columns;
