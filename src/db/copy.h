/*
 * db/copy: the rows of a statement as lines, written by PostgreSQL (COPY ... TO STDOUT).
 *
 * A result of any length takes the memory of one row here, and one snapshot there. COPY has no parameters, so the
 * statement reads settings of its transaction (current_setting), which the caller sets before. Nothing else may be
 * queued on the connection. The reader runs on the calling thread.
 */
#pragma once

#include "db/connection.h"

enum copy_format {
        COPY_CSV,   /* RFC 4180 with LF and a header line; null is an empty cell without quotes */
        COPY_JSONL, /* one JSON object a line */
};

#define COPY_PAUSE (200 * MILLISECOND) /* at most, between two questions whether the copy shall end */

struct copy_reader {
        /* Takes one row with its line end; false ends the copy. */
        bool (*accept)(const char *row, size_t size, void *into);
        /* Whether the copy shall end; asked while the database sends nothing. */
        bool (*ends)(void *into);
        void *into;
};

/* Copy all rows of the statement to the reader. When the reader ends the copy, or after a fault, the statement is
 * cancelled and the connection closed, so that its snapshot ends, too; *ret_whole is false then. */
must_check enum problem database_copy(struct database *database, const struct statement *statement,
        enum copy_format format, const struct copy_reader *reader, bool *ret_whole);
