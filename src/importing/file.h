/*
 * importing/file: a CSV file, row by row, its columns found by name.
 *
 * Bounded: one buffer, whatever the file. A line that is no row is skipped, and the reader returns its reason; then it
 * reads the next line. Cells are NUL-terminated UTF-8 without white space around them and live until the next read. A
 * line that repeats the header is no row: two files were put together. A byte order mark decides over the encoding that
 * was named.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMPORT_COLUMNS_MAX     16
#define IMPORT_RECORD_SIZE_MAX ((size_t) 64 * 1024) /* bytes of one row, with all its lines */
#define IMPORT_REASON_SIZE     1024

struct import_column {
        const char *name;
        bool required; /* the header must name it */
};

/* Columns of a kind, in the order of the help text; at most IMPORT_COLUMNS_MAX. */
struct import_columns {
        const struct import_column *at;
        size_t n;
};

struct import_row {
        size_t line;                           /* number of its first line; the header is line 1 */
        uint64_t offset;                       /* of its first byte in the file */
        const char *cells[IMPORT_COLUMNS_MAX]; /* by column; NULL: the file has no such column */
};

enum import_read {
        IMPORT_ROW,
        IMPORT_NO_ROW, /* a line that cannot be read, with a reason */
        IMPORT_END,
        IMPORT_BROKEN, /* the file cannot be read any further */
};

struct import_file {
        const char *path;
        struct import_columns columns;
        bool latin1;   /* bytes that are Windows-1252, which ISO 8859-1 is part of, instead of UTF-8 */
        uint64_t size; /* of the file; 0 when it is unknown */
        int descriptor;
        char *bytes, *converted;
        size_t begin, end; /* the part of `bytes` that is read and not taken */
        uint64_t offset;   /* of bytes[begin] in the file */
        size_t line;       /* of bytes[begin] */
        bool at_end;
        bool open_end;                    /* the last record ended with the file, without a line end */
        size_t width;                     /* fields of the header */
        size_t place[IMPORT_COLUMNS_MAX]; /* field of each column; `width`: none */
        char reason[IMPORT_REASON_SIZE];  /* of the last failure */
};

/* Open the file and read its header line. False with `reason` when it cannot be read or the header is not the kind's.
 */
bool import_file_open(struct import_file *file, const char *path, const struct import_columns *columns, bool latin1);

/* The next row; empty lines are passed over. `row->line` is set for IMPORT_NO_ROW, too. */
enum import_read import_file_next(struct import_file *file, struct import_row *ret_row);

/* Whether the header names the column. */
bool import_file_has(const struct import_file *file, size_t column);

/* Read on from a row seen before. False when the file cannot be read out of order (a pipe). */
bool import_file_seek(struct import_file *file, uint64_t offset, size_t line);

void import_file_close(struct import_file *file);
