/*
 * db/rows_libpq: what stands behind `struct rows`; for db/ alone.
 */
#pragma once

#include "db/rows.h"

#include <libpq-fe.h>

struct rows {
        PGresult *result;
        bool broken; /* a column was read as a type it does not have */
        /* Of the first enum column with a word that is not on its list; NULL: none. The word points into the result
         * or an arena; NULL: the column was null. */
        const struct enum_column *unknown_in;
        const char *unknown;
};
