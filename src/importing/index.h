/*
 * importing/index: where in the file the lines of each invoice stand.
 *
 * The lines of one order need not stand together, and another line may decide the order of a date. A first pass over
 * the file keeps 24 bytes for each line; sorted by invoice, in the order in which invoices first appear, they lead the
 * second pass.
 */
#pragma once

#include "importing/dates.h"
#include "importing/import.h"

#define IMPORT_LINES_MAX ((size_t) 4 * 1024 * 1024)

struct import_index_entry {
        uint64_t invoice; /* first a digest of its number, then the offset of its first line */
        uint64_t offset;
        uint64_t line : 63;
        uint64_t has_returns : 1; /* some line of the invoice has units below 0 */
};

struct import_index {
        struct import_index_entry *at;
        size_t n, capacity;
        struct date_evidence dates; /* of the whole file */
        bool has_returns;           /* some line of the file has units below 0 */
};

/* Read the whole file; lines that are no rows are reported here. EXIT_OK, or an exit code after complaining. */
int import_index_make(struct import *import, struct import_index *index);

void import_index_clear(struct import_index *index);
