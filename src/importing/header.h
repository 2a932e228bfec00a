/*
 * importing/header: the names in the first line of a file, and the columns of a kind among them.
 *
 * Names match without regard to case, blanks, `_` and `-`. Names that match no column are passed over; the two that a
 * file of rejects has are no strangers. Empty names at the end of the line are no columns. Pure.
 */
#pragma once

#include "base/csv.h"

#include <stdbool.h>
#include <stddef.h>

#define IMPORT_COLUMNS_MAX 16
#define IMPORT_REASON_SIZE 1024
#define IMPORT_FAULT_SIZE  ((size_t) 16 * 1024) /* room to name all columns of a file */

/* Columns that a file of rejects has behind those of the original. */
#define REJECTED_LINE   "rejected_line"
#define REJECTED_REASON "rejected_reason"

struct import_column {
        const char *name;
        bool required; /* the header must name it */
};

/* Columns of a kind, in the order of the help text; at most IMPORT_COLUMNS_MAX. */
struct import_columns {
        const struct import_column *at;
        size_t n;
};

struct import_header {
        char *text;                        /* of the names */
        const char *names[CSV_FIELDS_MAX]; /* as in the file */
        bool used[CSV_FIELDS_MAX]; /* some column of the kind takes the field, or it may be passed over in silence */
        size_t width;              /* fields */
        size_t place[IMPORT_COLUMNS_MAX]; /* field of each column; `width`: none */
        bool given[IMPORT_COLUMNS_MAX];   /* the file has the column, or a map gives it */
};

bool import_names_match(const char *one, const char *other);

/* The column with the name; columns->n: none. */
size_t import_column_named(const struct import_columns *columns, const char *name);

/* The field with the name; header->width: none. */
size_t import_field_named(const struct import_header *header, const char *name);

/* Keep the names and find the columns. False with a fault in `reason` of IMPORT_FAULT_SIZE: a column is named twice, or
 * there is no memory. */
bool import_header_take(
        struct import_header *header, const struct import_columns *columns, char **fields, size_t n, char *reason);

/* Whether the header has each column that the kind needs. */
bool import_header_is_complete(const struct import_header *header, const struct import_columns *columns);

/* The same, and with `strict` no others. False with the fault, which
 * names all missing and all unknown ones. */
bool import_header_check(
        const struct import_header *header, const struct import_columns *columns, bool strict, char *reason);

/* List the unknown columns into the text. Returns how many there are. */
size_t import_header_unknown(const struct import_header *header, char *text, size_t size);

/* Whether the fields of a row are the names of the header again. */
bool import_header_is_repeated(const struct import_header *header, char **fields);

/* Append the columns of the kind. */
void import_columns_list(const struct import_columns *columns, char *text, size_t size);

void import_header_clear(struct import_header *header);
