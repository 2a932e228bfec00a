/*
 * db/rows: reader for the result of a statement.
 *
 * A `row` is read column by column, in the order of the select list, by functions that name the type; a column of
 * another type, or one too many, marks the rows `broken`, and the trip fails with FAULT_BROKEN. So does a word that the
 * list of an enum column does not have; the log then names the table, the column and the word. Text points into the
 * result and lives until the next transaction begins (`database_begin`) or the connection closes.
 */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "base/enum_column.h"
#include "base/uuid.h"

struct rows;

struct row {
        struct rows *rows;
        int index;
        int column; /* the next one to be read */
};

size_t rows_count(const struct rows *rows);
struct row row_at(struct rows *rows, size_t index);

/* Rows an insert, update or delete has touched. */
size_t rows_affected(const struct rows *rows);

bool row_is_null(const struct row *row);                  /* the next column; reads nothing */
const char *row_text(struct row *row);                    /* text or jsonb; NULL for null */
int64_t row_integer(struct row *row);                     /* bigint or integer; 0 for null */
bool row_boolean(struct row *row);                        /* false for null */
double row_number(struct row *row);                       /* double precision; 0 for null */
struct uuid row_uuid(struct row *row);                    /* nil for null */
timestamp row_time(struct row *row);                      /* TIMESTAMP_NONE for null */
const void *row_bytes(struct row *row, size_t *ret_size); /* bytea; NULL for null */

/* The index of the column's word. Null and a word that is not on the list break the rows; the index is then 0. */
int row_enum(struct row *row, const struct enum_column *column);

/* The same for a column that may be null, which is `otherwise`. */
int row_enum_or(struct row *row, const struct enum_column *column, int otherwise);

/* The column's word when it is on the list; NULL for null. */
const char *row_enum_text(struct row *row, const struct enum_column *column);

/* Of text[]: a bit for the index of each word. */
unsigned row_enum_bits(struct row *row, const struct enum_column *column, struct arena *arena);

/* text[] without nulls: copies into the arena; an empty list for null. */
const char *const *row_texts(struct row *row, struct arena *arena, size_t *ret_n);
