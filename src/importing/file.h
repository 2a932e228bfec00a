/*
 * importing/file: a file of rows, separated by commas or otherwise, its columns found by name.
 *
 * Bounded: one buffer, whatever the file. A line that is no row is skipped, and the reader returns its reason; then it
 * reads the next line. Cells are NUL-terminated UTF-8 without white space around them and live until the next read. A
 * line that repeats the header is no row: two files were put together. A byte order mark decides over the encoding that
 * was named. Lines of nothing but separators are passed over as empty ones are.
 */
#pragma once

#include "importing/encoding.h"
#include "importing/header.h"
#include "importing/mapping.h"
#include "importing/plan.h"

#define IMPORT_RECORD_SIZE_MAX ((size_t) 64 * 1024) /* bytes of one row, with all its lines */
#define SEPARATOR_AUTO         '\0'

/* How to read a file, as the options say. */
struct import_reading {
        enum import_encoding encoding;
        char separator;                /* SEPARATOR_AUTO: by the header line */
        bool strict;                   /* refuse a file with unknown columns */
        const struct mapping *mapping; /* NULL: the columns are those of the kind */
};

struct import_row {
        size_t line;                           /* number of its first line; the header is line 1 */
        uint64_t offset;                       /* of its first byte in the file */
        const char *cells[IMPORT_COLUMNS_MAX]; /* by column; NULL: the file has no such column */
};

enum import_read {
        IMPORT_ROW,
        IMPORT_PASSED, /* a row that the map skips */
        IMPORT_NO_ROW, /* a line that cannot be read, with a reason */
        IMPORT_END,
        IMPORT_BROKEN, /* the file cannot be read any further */
};

struct import_file {
        const char *path;
        struct import_columns columns;
        struct import_reading reading;
        enum import_encoding encoding; /* of the bytes of the file, once it is open */
        char separator;
        uint64_t size; /* of the file; 0 when it is unknown */
        int descriptor;
        char *bytes, *converted, *raw; /* read, one record of it as UTF-8, UTF-16 as it was read */
        size_t begin, end;             /* the part of `bytes` that is read and not taken */
        size_t raw_size;
        uint64_t offset; /* of bytes[begin] in the file */
        size_t line;     /* of bytes[begin] */
        bool at_end;
        bool open_end; /* the last record ended with the file, without a line end */
        struct import_header header;
        const struct import_map *map;   /* that the header and the options chose; NULL: none */
        struct import_plan *plan;       /* of the map */
        struct import_row planned;      /* the row that the plan is at */
        bool has_planned;               /* the plan may have more of that row */
        char reason[IMPORT_FAULT_SIZE]; /* of the last failure */
};

/* By its name on the command line: auto, tab, or the byte itself. */
bool separator_named(const char *name, char *ret_separator);

/* Open the file and read its header line. False with `reason` when it cannot be read or the header is not the kind's.
 */
bool import_file_open(struct import_file *file, const char *path, const struct import_columns *columns,
        const struct import_reading *reading);

/* The next row; empty lines are passed over. `row->line` is set for IMPORT_NO_ROW, too. */
enum import_read import_file_next(struct import_file *file, struct import_row *ret_row);

/* A row of the file as UTF-8, without its line end and empty fields behind the last column; a line that
 * is no row, too. */
struct import_raw {
        size_t line;
        const char *text;
        size_t size;
};

/* The next one, for a second pass; empty lines are passed over. False at the end. */
bool import_file_raw_next(struct import_file *file, struct import_raw *ret_raw);

/* Whether the file can be read twice: a pipe cannot. */
bool import_file_is_regular(const struct import_file *file);

/* Whether the header names the column. */
bool import_file_has(const struct import_file *file, size_t column);

/* Read on from a row seen before. False when the file cannot be read out of order (a pipe). */
bool import_file_seek(struct import_file *file, uint64_t offset, size_t line);

void import_file_close(struct import_file *file);
