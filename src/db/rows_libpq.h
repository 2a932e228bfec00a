/*
 * db/rows_libpq: what stands behind `struct rows`; for db/ alone.
 */
#pragma once

#include "db/rows.h"

#include <libpq-fe.h>

struct rows {
        PGresult *result;
        bool broken; /* a column was read as a type it does not have */
};
