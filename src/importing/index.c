#include "importing/index.h"

#include "importing/amounts.h"

#include "base/text.h"
#include "importing/invoice.h"
#include "importing/keys.h"

#define CAPACITY_FIRST 4096

static bool is_below_zero(const struct import *import, const char *quantity) {
        int64_t units;

        return !quantity_plain(quantity, import->decimal, import->file.separator == ',', &units) && units < 0;
}

static bool index_add(const struct import *import, struct import_index *index, const struct import_row *row) {
        if (index->n == index->capacity) {
                const size_t capacity = index->capacity ? 2 * index->capacity : CAPACITY_FIRST;
                struct import_index_entry *at = realloc(index->at, capacity * sizeof(*at));

                if (!at)
                        return false;
                index->at = at;
                index->capacity = capacity;
        }
        index->at[index->n++] = (struct import_index_entry){ .invoice = import_key(row->cells[INVOICE_NUMBER], ""),
                .offset = row->offset,
                .line = row->line & (UINT64_MAX >> 1),
                .has_returns = is_below_zero(import, row->cells[INVOICE_QUANTITY]) };
        index->has_returns = index->has_returns || index->at[index->n - 1].has_returns;
        date_evidence_add(&index->dates, row->cells[INVOICE_DATE], row->line);
        return true;
}

static int compare(const void *left, const void *right) {
        const struct import_index_entry *a = left, *b = right;

        if (a->invoice != b->invoice)
                return a->invoice < b->invoice ? -1 : 1;
        return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Set the members that all lines of one invoice share. */
static void invoices_settle(struct import_index_entry *entries, size_t n) {
        const uint64_t first = entries[0].offset;
        bool has_returns = false;

        for (size_t i = 0; i < n; i++)
                has_returns = has_returns || entries[i].has_returns;
        for (size_t i = 0; i < n; i++) {
                entries[i].invoice = first;
                entries[i].has_returns = has_returns;
        }
}

/* By digest, so that the lines of each invoice stand together; then by the first line of each. */
static void sort(struct import_index *index) {
        size_t first = 0;

        if (!index->n)
                return;
        qsort(index->at, index->n, sizeof(*index->at), compare);
        for (size_t i = 0; i < index->n; i++)
                if (i + 1 == index->n || index->at[i + 1].invoice != index->at[i].invoice) {
                        invoices_settle(&index->at[first], i + 1 - first);
                        first = i + 1;
                }
        qsort(index->at, index->n, sizeof(*index->at), compare);
}

int import_index_make(struct import *import, struct import_index *index) {
        struct import_row row;
        bool more = true;

        for (;;) {
                const int code = import_next(import, &row, &more);

                if (code)
                        return code;
                if (!more)
                        break;
                if (index->n == IMPORT_LINES_MAX)
                        return import_too_long();
                if (!index_add(import, index, &row))
                        return EXIT_OUR_FAULT;
        }
        sort(index);
        return EXIT_OK;
}

void import_index_clear(struct import_index *index) {
        free(index->at);
        *index = (struct import_index){ 0 };
}
