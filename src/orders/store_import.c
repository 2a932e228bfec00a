#include "db/connection.h"
#include "orders/import.h"
#include "sql/orders.h"

static enum problem local_times_read(struct rows *rows, void *into) {
        struct local_time *times = into;

        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);

                times[i].instant = row_time(&row);
        }
        return PROBLEM_NONE;
}

void local_times_ask(struct database *database, struct arena *arena, struct local_time *times, size_t n) {
        struct parameters p;
        struct array *locations, *texts;

        parameters_init(&p, arena);
        locations = parameter_texts(&p);
        texts = parameter_texts(&p);
        for (size_t i = 0; i < n; i++) {
                array_text(locations, times[i].location);
                array_text(texts, times[i].text);
        }
        database_ask(database, &sql_orders_local_times, &p, local_times_read, times);
}

/* Rows come sorted by place of the reference, so the lines of an order are adjacent. */
static enum problem known_orders_read(struct rows *rows, void *into) {
        struct known_orders *orders = into;
        struct known_line *lines = arena_new_array(orders->arena, struct known_line, rows_count(rows));

        if (!lines)
                return FAULT_BUSY;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                struct known_order *order = &orders->at[row_integer(&row) - 1];

                if (!order->n_lines)
                        order->lines = &lines[i];
                order->n_lines++;
                lines[i].sku = row_text(&row);
                lines[i].title = row_text(&row);
                lines[i].quantity = row_integer(&row);
                lines[i].unit_price = row_integer(&row);
                order->currency = row_text(&row);
                order->placed_at = row_time(&row);
                order->customer_id = row_text(&row);
                order->is_erased = row_boolean(&row);
                order->location = row_text(&row);
                order->tells_country = row_boolean(&row);
                order->country = row_text(&row);
        }
        return PROBLEM_NONE;
}

void known_orders_ask(struct database *database, const struct order_ref *refs, size_t n, struct known_orders *orders) {
        struct parameters p;
        struct array *channels, *external_refs;

        parameters_init(&p, orders->arena);
        channels = parameter_texts(&p);
        external_refs = parameter_texts(&p);
        for (size_t i = 0; i < n; i++) {
                array_text(channels, refs[i].channel);
                array_text(external_refs, refs[i].external_ref);
        }
        database_ask(database, &sql_orders_known_by_external_ref, &p, known_orders_read, orders);
}
