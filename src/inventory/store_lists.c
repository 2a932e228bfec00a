#include "db/connection.h"
#include "inventory/columns.h"
#include "inventory/lists.h"
#include "sql/inventory.h"

static enum problem stock_read(struct rows *rows, void *into) {
        struct stock_page *page = into;

        page->rows = rows_fill(rows, &stock_row_columns, page->arena);
        page->n_rows = page->rows ? rows_count(rows) : 0;
        return page->rows ? PROBLEM_NONE : FAULT_BUSY;
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

        page->rows = rows_fill(rows, &ledger_columns, page->arena);
        page->n_rows = page->rows ? rows_count(rows) : 0;
        return page->rows ? PROBLEM_NONE : FAULT_BUSY;
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
