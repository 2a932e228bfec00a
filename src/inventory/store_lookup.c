#include "base/sorted.h"
#include "db/connection.h"
#include "inventory/columns.h"
#include "inventory/lookup.h"
#include "sql/inventory.h"

#include <string.h>

void lookup_init(struct lookup *lookup, struct arena *arena) {
        *lookup = (struct lookup){ .arena = arena };
}

void lookup_want_everywhere(struct lookup *lookup, const char *sku) {
        struct codes *codes = &lookup->wanted_everywhere;
        const char **list = arena_grow(lookup->arena, codes->list, codes->n, &codes->capacity, sizeof(*list));

        if (!list) {
                lookup->exhausted = true;
                return;
        }
        codes->list = list;
        codes->list[codes->n++] = sku;
}

void lookup_want_row(struct lookup *lookup, const char *location, const char *sku) {
        struct stock_key *rows = arena_grow(lookup->arena, lookup->wanted_rows, lookup->n_wanted_rows,
                &lookup->wanted_rows_capacity, sizeof(*rows));

        if (!rows) {
                lookup->exhausted = true;
                return;
        }
        lookup->wanted_rows = rows;
        lookup->wanted_rows[lookup->n_wanted_rows++] = (struct stock_key){ location, sku };
}

/* ---- the trip ---- */

/* By product first, as the index stock_by_sku has it. */
static int lookup_key_compare(const void *left, const void *right) {
        const struct stock_key *a = left, *b = right;
        const int by_sku = strcmp(a->sku, b->sku);

        return by_sku ? by_sku : strcmp(a->location, b->location);
}

static enum problem everywhere_read(struct rows *rows, void *into) {
        struct lookup *lookup = into;

        lookup->everywhere = rows_fill(rows, &shelf_columns, lookup->arena);
        lookup->n_everywhere = lookup->everywhere ? rows_count(rows) : 0;
        return lookup->everywhere ? PROBLEM_NONE : FAULT_BUSY;
}

static enum problem lookup_rows_read(struct rows *rows, void *into) {
        struct lookup *lookup = into;

        lookup->rows = rows_fill(rows, &shelf_columns, lookup->arena);
        lookup->n_rows = lookup->rows ? rows_count(rows) : 0;
        return lookup->rows ? PROBLEM_NONE : FAULT_BUSY;
}

static void ask_everywhere(struct database *database, struct lookup *lookup) {
        struct codes *codes = &lookup->wanted_everywhere;
        struct parameters p;

        if (!codes->n)
                return;
        codes->n = sort_unique(codes->list, codes->n, sizeof(*codes->list), texts_compare);
        parameters_init(&p, lookup->arena);
        parameter_text_list(&p, codes->list, codes->n);
        database_ask(database, &sql_stock_by_sku, &p, everywhere_read, lookup);
}

static void ask_rows(struct database *database, struct lookup *lookup) {
        struct parameters p;

        if (!lookup->n_wanted_rows)
                return;
        lookup->n_wanted_rows = sort_unique(
                lookup->wanted_rows, lookup->n_wanted_rows, sizeof(*lookup->wanted_rows), lookup_key_compare);
        parameters_init(&p, lookup->arena);
        parameter_stock_keys(&p, lookup->wanted_rows, lookup->n_wanted_rows);
        database_ask(database, &sql_stock_by_key, &p, lookup_rows_read, lookup);
}

enum problem lookup_read(struct database *database, struct lookup *lookup) {
        if (lookup->exhausted)
                return FAULT_BUSY;
        ask_everywhere(database, lookup);
        ask_rows(database, lookup);
        return PROBLEM_NONE;
}

/* ---- the rows read ---- */

static int shelf_compare(const void *left, const void *right) {
        const struct stock_row *row = &((const struct shelf *) right)->row;
        const struct stock_key key = { row->location, row->sku };

        return lookup_key_compare(left, &key);
}

const struct shelf *lookup_row(const struct lookup *lookup, const char *location, const char *sku) {
        const struct stock_key key = { location, sku };

        return sorted_find(&key, lookup->rows, lookup->n_rows, sizeof(*lookup->rows), shelf_compare);
}

/* A product without stock still has one row, which is empty. */
static const struct shelf *rows_of(const struct lookup *lookup, const char *sku, size_t *ret_n) {
        size_t low = 0, high = lookup->n_everywhere;
        size_t n = 0;

        while (low < high) {
                const size_t middle = low + (high - low) / 2;

                if (strcmp(lookup->everywhere[middle].row.sku, sku) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        while (low + n < lookup->n_everywhere && strcmp(lookup->everywhere[low + n].row.sku, sku) == 0)
                n++;
        *ret_n = n;
        return lookup->everywhere + low;
}

const struct shelf *lookup_everywhere(const struct lookup *lookup, const char *sku, size_t *ret_n) {
        const struct shelf *shelves = rows_of(lookup, sku, ret_n);

        if (*ret_n && !shelves->row.exists)
                *ret_n = 0;
        return shelves;
}

bool lookup_knows(const struct lookup *lookup, const char *sku) {
        size_t n;

        (void) rows_of(lookup, sku, &n);
        return n > 0;
}
