/*
 * returns/columns: the columns of returns and their lines (db/columns.h), for the room's store.
 */
#pragma once

#include "db/columns.h"
#include "returns/returns.h"

/* A line with the text of its terms. */
struct return_line_row {
        struct return_line line;
        const char *terms;
};

extern const struct columns return_columns, return_line_columns;
extern const struct columns left_day_columns, listed_return_columns, return_target_columns;
