#include "base/sorted.h"
#include "db/connection.h"
#include "inventory/columns.h"
#include "inventory/inventory.h"
#include "inventory/lists.h"
#include "sql/inventory.h"

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

int stock_key_compare(const void *left, const void *right) {
        const struct stock_key *a = left, *b = right;
        const int by_location = strcmp(a->location, b->location);

        return by_location ? by_location : strcmp(a->sku, b->sku);
}

void parameter_stock_keys(struct parameters *parameters, const struct stock_key *keys, size_t n) {
        struct array *locations = parameter_texts(parameters), *skus = parameter_texts(parameters);

        for (size_t i = 0; i < n; i++) {
                array_text(locations, keys[i].location);
                array_text(skus, keys[i].sku);
        }
}

enum problem stock_rows_read(struct rows *rows, void *into) {
        struct stock *stock = into;

        stock->rows = rows_fill(rows, &stock_row_columns, stock->arena);
        stock->n_rows = stock->rows ? rows_count(rows) : 0;
        return stock->rows ? PROBLEM_NONE : FAULT_BUSY;
}

enum problem stock_lock(struct database *database, struct stock *stock) {
        struct parameters p;

        if (stock->exhausted)
                return FAULT_BUSY;
        stock->n_wanted = sort_unique(stock->wanted, stock->n_wanted, sizeof(*stock->wanted), stock_key_compare);
        parameters_init(&p, stock->arena);
        parameter_stock_keys(&p, stock->wanted, stock->n_wanted);
        database_ask(database, &sql_stock_lock, &p, stock_rows_read, stock);
        return PROBLEM_NONE;
}

static int stock_row_compare(const void *left, const void *right) {
        const struct stock_row *row = right;

        return stock_key_compare(left, &(struct stock_key){ row->location, row->sku });
}

struct stock_row *stock_find(const struct stock *stock, const char *location, const char *sku) {
        const struct stock_key key = { location, sku };

        return sorted_find(&key, stock->rows, stock->n_rows, sizeof(*stock->rows), stock_row_compare);
}

static void figures_save(
        struct database *database, const struct stock *stock, bool existing, const struct statement *statement) {
        struct records records;

        records_begin(&records, stock->arena, statement, &stock_row_columns);
        for (size_t i = 0; i < stock->n_rows; i++)
                if (stock->rows[i].changed && stock->rows[i].exists == existing)
                        records_add(&records, &stock->rows[i]);
        records_ask(&records, database);
}

static void movements_save(struct database *database, const struct stock *stock, timestamp now) {
        struct records records;

        records_begin(&records, stock->arena, &sql_ledger_save, &ledger_columns);
        for (const struct stock_movement *m = stock->movements; m; m = m->next)
                records_add(&records, &(struct ledger_row){ .location = m->row->location,
                                              .sku = m->row->sku,
                                              .number = m->number,
                                              .reason = m->reason,
                                              .on_hand_change = m->on_hand_change,
                                              .unsellable_change = m->unsellable_change,
                                              .on_hand_after = m->on_hand_after,
                                              .unsellable_after = m->unsellable_after,
                                              .document = m->document,
                                              .reference = m->reference,
                                              .actor = m->actor,
                                              .recorded_at = now });
        records_ask(&records, database);
}

/* One event a row that moved: its figures after the last movement, whose number is the version. */
static void movements_tell(const struct stock *stock, struct events *events) {
        for (const struct stock_movement *movement = stock->movements; movement; movement = movement->next) {
                const struct stock_row *row = movement->row;
                struct event *event;

                if (movement->number != row->movements)
                        continue;
                event = event_add(events, EVENT_INVENTORY_CHANGED, movement->actor);
                event_about_code(event, arena_format(stock->arena, "%s/%s", row->location, row->sku), &row->movements);
                event->location = row->location;
                event_text(event, "sku", row->sku);
                event_integer(event, "on_hand", movement->on_hand_after);
                event_integer(event, "unsellable", movement->unsellable_after);
        }
}

enum problem stock_save(struct database *database, struct stock *stock, struct events *events, timestamp now) {
        if (stock->exhausted)
                return FAULT_BUSY;
        figures_save(database, stock, /* existing= */ true, &sql_stock_save);
        figures_save(database, stock, /* existing= */ false, &sql_stock_insert);
        movements_save(database, stock, now);
        movements_tell(stock, events);
        return PROBLEM_NONE;
}
