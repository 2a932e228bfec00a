/*
 * webhooks/columns: the columns of endpoints, of their failed events and of single deliveries (db/columns.h), for the
 * room's stores.
 */
#pragma once

#include "db/columns.h"

extern const struct columns webhook_attempt_columns, webhook_columns, webhook_dead_columns, webhook_failure_columns,
        webhook_test_columns;
