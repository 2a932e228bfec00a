/*
 * db/rows_libpq: the inside of `struct rows`; for db/ alone.
 */
#pragma once

#include "db/rows.h"

#include <libpq-fe.h>

struct rows {
        PGresult *result;
        const struct statement *statement; /* NULL: text without a name */
        bool broken;                       /* a column was read as a type it does not have */
        const char *broken_column;         /* its name, if known */
        /* Of the first enum column with a word that is not on its list; NULL: none. The word points into the result
         * or an arena; NULL: the column was null. */
        const struct enum_column *unknown_in;
        const char *unknown;
};

/* The index of the word on the list; else 0, and the rows are broken (`unknown_in`). */
int rows_enum(struct rows *rows, const struct enum_column *column, const char *text);
