#include "db/connection.h"
#include "inventory/lists.h"
#include "sql/inventory.h"

static enum problem stock_read(struct rows *rows, void *into) {
        struct stock_page *page = into;

        page->rows = arena_new_array(page->arena, struct stock_row, rows_count(rows));
        if (!page->rows)
                return FAULT_BUSY;
        page->n_rows = rows_count(rows);
        for (size_t i = 0; i < page->n_rows; i++) {
                struct row row = row_at(rows, i);
                struct stock_row *s = &page->rows[i];

                s->location = row_text(&row);
                s->sku = row_text(&row);
                s->on_hand = row_integer(&row);
                s->unsellable = row_integer(&row);
                s->reserved = row_integer(&row);
                s->safety_stock = row_integer(&row);
                s->exists = true;
        }
        return PROBLEM_NONE;
}

void stock_page_ask(
        struct database *database, struct stock_page *page, const char *location, const char *after, int64_t limit) {
        struct parameters p;

        parameters_init(&p, page->arena);
        parameter_text(&p, location);
        parameter_text(&p, after);
        parameter_integer(&p, limit);
        database_ask(database, &sql_stock_page, &p, stock_read, page);
}

static enum problem ledger_read(struct rows *rows, void *into) {
        struct ledger_page *page = into;

        page->rows = arena_new_array(page->arena, struct ledger_row, rows_count(rows));
        if (!page->rows)
                return FAULT_BUSY;
        page->n_rows = rows_count(rows);
        for (size_t i = 0; i < page->n_rows; i++) {
                struct row row = row_at(rows, i);
                struct ledger_row *m = &page->rows[i];

                m->number = row_integer(&row);
                m->reason = row_text(&row);
                m->on_hand_change = row_integer(&row);
                m->unsellable_change = row_integer(&row);
                m->on_hand_after = row_integer(&row);
                m->unsellable_after = row_integer(&row);
                m->document = row_text(&row);
                m->reference = row_text(&row);
                m->actor = row_text(&row);
                m->recorded_at = row_time(&row);
        }
        return PROBLEM_NONE;
}

void ledger_page_ask(struct database *database, struct ledger_page *page, const char *location, const char *sku,
        int64_t before, int64_t limit) {
        struct parameters p;

        parameters_init(&p, page->arena);
        parameter_text(&p, location);
        parameter_text(&p, sku);
        if (before)
                parameter_integer(&p, before);
        else
                parameter_null(&p);
        parameter_integer(&p, limit);
        database_ask(database, &sql_ledger_page, &p, ledger_read, page);
}
