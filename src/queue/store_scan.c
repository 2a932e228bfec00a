#include "db/connection.h"
#include "orders/number.h"
#include "queue/columns.h"
#include "queue/queue.h"

#include "base/text.h"
#include "sql/queue.h"

static enum problem orders_read_ids(struct rows *rows, void *into) {
        struct scanned *scanned = into;

        scanned->orders = arena_new_array(scanned->arena, struct uuid, rows_count(rows));
        if (!scanned->orders)
                return FAULT_BUSY;
        scanned->n_orders = rows_count(rows);
        for (size_t i = 0; i < scanned->n_orders; i++) {
                struct row row = row_at(rows, i);

                scanned->orders[i] = row_uuid(&row);
        }
        return PROBLEM_NONE;
}

static enum problem scanned_codes_read(struct rows *rows, void *into) {
        struct scanned *scanned = into;

        scanned->waiting = rows_fill(rows, &scanned_code_columns, scanned->arena);
        scanned->n_waiting = rows_count(rows);
        return scanned->waiting ? PROBLEM_NONE : FAULT_BUSY;
}

static enum problem past_codes_read(struct rows *rows, void *into) {
        struct scanned *scanned = into;

        scanned->collected = rows_fill(rows, &scanned_code_columns, scanned->arena);
        scanned->n_collected = rows_count(rows);
        return scanned->collected ? PROBLEM_NONE : FAULT_BUSY;
}

static void ask_for_codes(struct database *database, struct scanned *scanned, const char *location, bool past) {
        struct parameters codes;

        parameters_init(&codes, scanned->arena);
        parameter_text(&codes, location);
        parameter_integer(&codes, past ? PAST_CODES_MAX : OPEN_CODES_MAX);
        database_ask(database, past ? &sql_scan_codes_of_old : &sql_scan_codes, &codes,
                past ? past_codes_read : scanned_codes_read, scanned);
}

static enum problem products_read(struct rows *rows, void *into) {
        struct scanned *scanned = into;
        const char **skus = arena_new_array(scanned->arena, const char *, rows_count(rows));

        if (!skus)
                return FAULT_BUSY;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);

                skus[i] = row_text(&row);
        }
        scanned->skus = skus;
        scanned->n_skus = rows_count(rows);
        return PROBLEM_NONE;
}

enum problem scan_ask(
        struct database *database, struct scanned *scanned, const char *location, const char *text, const char *gtin) {
        struct parameters orders, products;
        struct array *numbers;
        const char *number = order_number_read(text, scanned->arena);

        parameters_init(&orders, scanned->arena);
        parameter_text(&orders, location);
        numbers = parameter_texts(&orders);
        array_text(numbers, text);
        if (number)
                array_text(numbers, number);
        parameter_boolean(&orders, scanned->returns);
        database_ask(database, &sql_scan_orders, &orders, orders_read_ids, scanned);
        ask_for_codes(database, scanned, location, /* past= */ false);
        if (scanned->returns)
                ask_for_codes(database, scanned, location, /* past= */ true);
        parameters_init(&products, scanned->arena);
        parameter_text(&products, text);
        parameter_text(&products, gtin);
        parameter_integer(&products, MATCHES_MAX);
        database_ask(database, &sql_scan_products, &products, products_read, scanned);
        return PROBLEM_NONE;
}
