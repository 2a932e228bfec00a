/*
 * base/enum_column: a database column that holds one word of a list.
 *
 * A room declares one `struct enum_column` for each such column. `row_enum` (db/rows.h) is the only reader: a word that
 * is not on the list, written by a newer program or by hand, is a fault of the row and never a value of the enum.
 */
#pragma once

#include "base/lifecycle.h"

struct enum_column {
        const char *table, *column;        /* as in sql/migrations; the log names them */
        const char *const *texts;          /* the index is the enum; NULL behind the last */
        const struct lifecycle *lifecycle; /* in place of `texts`: the column holds its states */
};

/* The index of the word, or false when it is not on the list; NULL never is. */
must_check bool enum_column_find(const struct enum_column *column, const char *text, int *ret_index);

/* The word of an index. */
const char *enum_column_text(const struct enum_column *column, int index);
