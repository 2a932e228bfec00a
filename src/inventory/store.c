#include "db/connection.h"
#include "inventory/inventory.h"
#include "sql/inventory.h"

#include <stdlib.h>
#include <string.h>

void stock_init(struct stock *stock, struct arena *arena) {
        *stock = (struct stock){ .arena = arena };
        stock->last_movement = &stock->movements;
}

void stock_want(struct stock *stock, const char *location, const char *sku) {
        struct stock_key *wanted =
                arena_grow(stock->arena, stock->wanted, stock->n_wanted, &stock->wanted_capacity, sizeof(*wanted));

        if (!wanted) {
                stock->exhausted = true;
                return;
        }
        stock->wanted = wanted;
        stock->wanted[stock->n_wanted++] = (struct stock_key){ location, sku };
}

static int key_compare(const void *left, const void *right) {
        const struct stock_key *a = left, *b = right;
        const int by_location = strcmp(a->location, b->location);

        return by_location ? by_location : strcmp(a->sku, b->sku);
}

static void wanted_sort(struct stock *stock) {
        size_t n = 0;

        if (stock->n_wanted)
                qsort(stock->wanted, stock->n_wanted, sizeof(*stock->wanted), key_compare);
        for (size_t i = 0; i < stock->n_wanted; i++)
                if (!n || key_compare(&stock->wanted[n - 1], &stock->wanted[i]) != 0)
                        stock->wanted[n++] = stock->wanted[i];
        stock->n_wanted = n;
}

enum problem stock_rows_read(struct rows *rows, void *into) {
        struct stock *stock = into;

        stock->rows = arena_new_array(stock->arena, struct stock_row, rows_count(rows));
        if (!stock->rows)
                return FAULT_BUSY;
        stock->n_rows = rows_count(rows);
        for (size_t i = 0; i < stock->n_rows; i++) {
                struct row row = row_at(rows, i);
                struct stock_row *s = &stock->rows[i];

                s->location = row_text(&row);
                s->sku = row_text(&row);
                s->on_hand = row_integer(&row);
                s->unsellable = row_integer(&row);
                s->reserved = row_integer(&row);
                s->safety_stock = row_integer(&row);
                s->movements = row_integer(&row);
                s->exists = row_boolean(&row);
                s->location_known = row_boolean(&row);
                s->sku_known = row_boolean(&row);
        }
        return PROBLEM_NONE;
}

enum problem stock_lock(struct database *database, struct stock *stock) {
        struct parameters p;
        struct array *locations, *skus;

        if (stock->exhausted)
                return FAULT_BUSY;
        wanted_sort(stock);
        parameters_init(&p, stock->arena);
        locations = parameter_texts(&p);
        skus = parameter_texts(&p);
        for (size_t i = 0; i < stock->n_wanted; i++) {
                array_text(locations, stock->wanted[i].location);
                array_text(skus, stock->wanted[i].sku);
        }
        database_ask(database, &sql_stock_lock, &p, stock_rows_read, stock);
        return PROBLEM_NONE;
}

static int row_compare(const void *left, const void *right) {
        const struct stock_key *key = left;
        const struct stock_row *row = right;
        const int by_location = strcmp(key->location, row->location);

        return by_location ? by_location : strcmp(key->sku, row->sku);
}

struct stock_row *stock_find(const struct stock *stock, const char *location, const char *sku) {
        const struct stock_key key = { location, sku };

        if (!stock->n_rows)
                return NULL;
        return bsearch(&key, stock->rows, stock->n_rows, sizeof(*stock->rows), row_compare);
}

static void figures_save(
        struct database *database, const struct stock *stock, bool existing, const struct statement *statement) {
        struct parameters p;
        struct array *locations, *skus, *on_hand, *unsellable, *reserved, *movements;

        parameters_init(&p, stock->arena);
        locations = parameter_texts(&p);
        skus = parameter_texts(&p);
        on_hand = parameter_integers(&p);
        unsellable = parameter_integers(&p);
        reserved = parameter_integers(&p);
        movements = parameter_integers(&p);
        for (size_t i = 0; i < stock->n_rows; i++) {
                const struct stock_row *row = &stock->rows[i];

                if (!row->changed || row->exists != existing)
                        continue;
                array_text(locations, row->location);
                array_text(skus, row->sku);
                array_integer(on_hand, row->on_hand);
                array_integer(unsellable, row->unsellable);
                array_integer(reserved, row->reserved);
                array_integer(movements, row->movements);
        }
        if (locations->n)
                database_ask(database, statement, &p, NULL, NULL);
}

static void movements_save(struct database *database, const struct stock *stock, timestamp now) {
        struct parameters p;
        struct array *locations, *skus, *numbers, *reasons, *on_hand_changes, *unsellable_changes, *on_hand_after;
        struct array *unsellable_after, *documents, *references, *actors;

        if (!stock->movements)
                return;
        parameters_init(&p, stock->arena);
        locations = parameter_texts(&p);
        skus = parameter_texts(&p);
        numbers = parameter_integers(&p);
        reasons = parameter_texts(&p);
        on_hand_changes = parameter_integers(&p);
        unsellable_changes = parameter_integers(&p);
        on_hand_after = parameter_integers(&p);
        unsellable_after = parameter_integers(&p);
        documents = parameter_texts(&p);
        references = parameter_texts(&p);
        actors = parameter_texts(&p);
        parameter_time(&p, now);
        for (const struct stock_movement *m = stock->movements; m; m = m->next) {
                array_text(locations, m->row->location);
                array_text(skus, m->row->sku);
                array_integer(numbers, m->number);
                array_text(reasons, m->reason);
                array_integer(on_hand_changes, m->on_hand_change);
                array_integer(unsellable_changes, m->unsellable_change);
                array_integer(on_hand_after, m->on_hand_after);
                array_integer(unsellable_after, m->unsellable_after);
                array_text(documents, m->document);
                array_text(references, m->reference);
                array_text(actors, m->actor);
        }
        database_ask(database, &sql_ledger_save, &p, NULL, NULL);
}

enum problem stock_save(struct database *database, struct stock *stock, timestamp now) {
        if (stock->exhausted)
                return FAULT_BUSY;
        figures_save(database, stock, /* existing= */ true, &sql_stock_save);
        figures_save(database, stock, /* existing= */ false, &sql_stock_insert);
        movements_save(database, stock, now);
        return PROBLEM_NONE;
}
