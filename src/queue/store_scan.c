#include "db/connection.h"
#include "queue/queue.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>

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

static enum problem codes_read(struct rows *rows, void *into) {
        struct scanned *scanned = into;
        const size_t n = rows_count(rows);

        scanned->waiting = arena_new_array(scanned->arena, struct queue_place, n);
        scanned->serials = arena_new_array(scanned->arena, int64_t, n);
        if (!scanned->waiting || !scanned->serials)
                return FAULT_BUSY;
        scanned->n_waiting = n;
        for (size_t i = 0; i < n; i++) {
                struct row row = row_at(rows, i);

                scanned->waiting[i].id = row_uuid(&row);
                scanned->waiting[i].order_id = row_uuid(&row);
                scanned->serials[i] = row_integer(&row);
        }
        return PROBLEM_NONE;
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

/* As people type a number: in small letters, with hyphens elsewhere or nowhere. NULL: it cannot be one. */
static const char *order_number_from(struct arena *arena, const char *text) {
        struct buffer number;

        buffer_init(&number, arena, ORDER_NUMBER_SIZE);
        for (const char *c = text; *c; c++) {
                const char letter = (char) toupper((unsigned char) *c);

                if (strchr("- ", *c))
                        continue;
                if (!isalnum((unsigned char) *c) || number.size + 1 >= ORDER_NUMBER_SIZE)
                        return NULL;
                buffer_append(&number, &letter, 1);
                if ((number.size + 1) % 4 == 0 && number.size + 1 < ORDER_NUMBER_SIZE)
                        buffer_append_text(&number, "-");
        }
        return number.failed ? NULL : buffer_text(&number);
}

enum problem scan_ask(
        struct database *database, struct scanned *scanned, const char *location, const char *text, const char *gtin) {
        struct parameters orders, codes, products;
        struct array *numbers;
        const char *number = order_number_from(scanned->arena, text);

        parameters_init(&orders, scanned->arena);
        parameter_text(&orders, location);
        numbers = parameter_texts(&orders);
        array_text(numbers, text);
        if (number)
                array_text(numbers, number);
        database_ask(database, STATEMENT_SCAN_ORDERS, &orders, orders_read_ids, scanned);
        parameters_init(&codes, scanned->arena);
        parameter_text(&codes, location);
        parameter_integer(&codes, OPEN_CODES_MAX);
        database_ask(database, STATEMENT_SCAN_CODES, &codes, codes_read, scanned);
        parameters_init(&products, scanned->arena);
        parameter_text(&products, text);
        parameter_text(&products, gtin);
        parameter_integer(&products, MATCHES_MAX);
        database_ask(database, STATEMENT_SCAN_PRODUCTS, &products, products_read, scanned);
        return PROBLEM_NONE;
}
