/*
 * payments/columns: the columns of payments, refunds and events of the provider (db/columns.h), for the room's store.
 */
#pragma once

#include "db/columns.h"
#include "payments/provider.h"

/* A recorded event of the provider. */
struct told_row {
        struct told_event event;
        const uint8_t *content; /* its digest */
};

extern const struct columns owner_columns, payment_columns, refund_columns, told_row_columns;
