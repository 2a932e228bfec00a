/* The promises that a batch may break: chosen without a lock, locked, read, saved. */
#include "adjustments/adjustments.h"
#include "base/sorted.h"
#include "db/connection.h"
#include "inventory/lookup.h"
#include "sql/adjustments.h"

#include <string.h>

/* ---- which rows may shrink ---- */

static int item_compare(const void *left, const void *right) {
        const struct adjustment *a = *(const struct adjustment *const *) left;
        const struct adjustment *b = *(const struct adjustment *const *) right;
        const int by_location = strcmp(a->location, b->location);

        return by_location ? by_location : strcmp(a->sku, b->sku);
}

static enum problem losses_make(struct promises *promises, const struct adjustment *const *items, size_t n_items) {
        const struct adjustment **sorted = arena_new_array(promises->arena, const struct adjustment *, n_items);
        size_t n = 0;

        promises->losses = arena_new_array(promises->arena, struct adjustment_loss, n_items);
        if (!sorted || !promises->losses)
                return FAULT_BUSY;
        for (size_t i = 0; i < n_items; i++)
                if (adjustment_may_shrink(items[i]))
                        sorted[n++] = items[i];
        sort(sorted, n, sizeof(*sorted), item_compare);
        for (size_t i = 0; i < n; i++) {
                if (!i || item_compare(&sorted[i - 1], &sorted[i]) != 0)
                        adjustment_loss_begin(
                                &promises->losses[promises->n_losses++], sorted[i]->location, sorted[i]->sku);
                adjustment_loss_add(&promises->losses[promises->n_losses - 1], sorted[i]);
        }
        return PROBLEM_NONE;
}

/* Read the figures of the rows that may shrink. */
static enum problem figures_peek(
        struct promises *promises, struct database *database, struct lookup *lookup, timestamp deadline) {
        enum problem p;

        lookup_init(lookup, promises->arena);
        for (size_t i = 0; i < promises->n_losses; i++)
                lookup_want_row(lookup, promises->losses[i].location, promises->losses[i].sku);
        p = lookup_read(database, lookup);
        return p ? p : database_trip(database, deadline);
}

/* ---- whose documents to lock ---- */

static enum problem chosen_read(struct rows *rows, void *into) {
        struct promises *promises = into;

        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                const struct uuid id = row_uuid(&row);
                const char *location = row_text(&row);
                const char *sku = row_text(&row);

                reservations_want(&promises->reservations, &id);
                stock_want(promises->stock, location, sku);
        }
        return PROBLEM_NONE;
}

static enum problem chosen_orders_read(struct rows *rows, void *into) {
        struct promises *promises = into;

        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                const struct uuid id = row_uuid(&row);

                orders_want(&promises->orders, &id);
        }
        return PROBLEM_NONE;
}

/* Keep the losses that promises may have to bear, and ask for the newest ones that can. */
static bool choose(struct promises *promises, struct database *database, const struct lookup *lookup) {
        struct array *locations[2], *skus[2], *units[2];
        struct parameters p[2];
        size_t n = 0;

        for (size_t i = 0; i < array_size(p); i++) {
                parameters_init(&p[i], promises->arena);
                locations[i] = parameter_texts(&p[i]);
                skus[i] = parameter_texts(&p[i]);
                units[i] = parameter_integers(&p[i]);
        }
        for (size_t i = 0; i < promises->n_losses; i++) {
                const struct adjustment_loss *loss = &promises->losses[i];
                const struct shelf *shelf = lookup_row(lookup, loss->location, loss->sku);
                const int64_t short_by = shelf ? adjustment_loss_of_promises(loss, &shelf->row) : 0;

                if (!short_by)
                        continue;
                for (size_t j = 0; j < array_size(p); j++) {
                        array_text(locations[j], loss->location);
                        array_text(skus[j], loss->sku);
                        array_integer(units[j], short_by);
                }
                promises->losses[n++] = *loss;
        }
        promises->n_losses = n;
        if (!n)
                return false;
        database_ask(database, &sql_adjustments_reservations, &p[0], chosen_read, promises);
        database_ask(database, &sql_adjustments_orders, &p[1], chosen_orders_read, promises);
        return true;
}

enum problem promises_lock(struct promises *promises, struct database *database, struct stock *stock,
        const struct adjustment *const *items, size_t n_items, timestamp deadline) {
        struct lookup lookup;
        enum problem p;

        promises->arena = stock->arena;
        promises->stock = stock;
        orders_init(&promises->orders, stock->arena, stock);
        reservations_init(&promises->reservations, stock->arena, stock);
        p = losses_make(promises, items, n_items);
        if (!p && promises->n_losses)
                p = figures_peek(promises, database, &lookup, deadline);
        if (p || !promises->n_losses || !choose(promises, database, &lookup))
                return p;
        p = database_trip(database, deadline);
        if (!p && promises->orders.n_orders_wanted)
                p = orders_lock_headers(database, &promises->orders);
        if (!p && promises->reservations.n_wanted)
                p = reservations_lock(database, &promises->reservations);
        return p;
}

/* ---- locked documents ---- */

static enum problem held_read(struct rows *rows, void *into) {
        struct promises *promises = into;

        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                const char *location = row_text(&row);
                const char *sku = row_text(&row);

                promises->losses[i].row = stock_find(promises->stock, location, sku);
                promises->losses[i].held = row_integer(&row);
                promises->losses[i].allocated = row_integer(&row);
        }
        return PROBLEM_NONE;
}

static void ask_held(struct promises *promises, struct database *database) {
        struct array *locations, *skus;
        struct parameters p;

        parameters_init(&p, promises->arena);
        locations = parameter_texts(&p);
        skus = parameter_texts(&p);
        for (size_t i = 0; i < promises->n_losses; i++) {
                array_text(locations, promises->losses[i].location);
                array_text(skus, promises->losses[i].sku);
        }
        database_ask(database, &sql_adjustments_held, &p, held_read, promises);
}

enum problem promises_read(struct promises *promises, struct database *database) {
        enum problem p = PROBLEM_NONE;

        if (promises->n_losses)
                ask_held(promises, database);
        if (promises->orders.n_orders_wanted)
                p = orders_read_parts(database, &promises->orders);
        if (!p && promises->reservations.n_wanted)
                p = reservations_read_lines(database, &promises->reservations);
        return p;
}

enum problem promises_save(struct promises *promises, struct database *database) {
        const enum problem p = reservations_save(
                database, promises->arena, promises->reservations_by_age, promises->reservations.n_rows);

        return p || !promises->orders.n_rows ? p : orders_update(database, &promises->orders);
}
