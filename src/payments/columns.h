/*
 * payments/columns: the columns of payments and refunds (db/columns.h), for the room's store.
 */
#pragma once

#include "db/columns.h"
#include "payments/payments.h"

extern const struct columns payment_columns, refund_columns;
