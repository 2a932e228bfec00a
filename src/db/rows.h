/*
 * db/rows: reading what a statement returned.
 *
 * A `row` is read column by column, in the order of the select list, by functions that name the type; a column of
 * another type, or one too many, marks the rows `broken`, and the trip fails with FAULT_BROKEN. Text points into the
 * result and lives until the next transaction begins (`database_begin`) or the connection closes.
 */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
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

/* text[] without nulls: copies into the arena; an empty list for null. */
const char *const *row_texts(struct row *row, struct arena *arena, size_t *ret_n);
