#include "db/connection.h"
#include "orders/columns.h"
#include "orders/import.h"
#include "sql/orders.h"

static const struct column in_local_time[] = {
        { "location", TEXT_AT(struct local_time, location) },
        { "told", TEXT_AT(struct local_time, text) },
        { "instant", TIME_AT(struct local_time, instant) },
};
const struct columns local_time_columns = { "local_times", COLUMNS(struct local_time, in_local_time) };

/* They come in the order of the times asked for. */
static enum problem local_times_read(struct rows *rows, void *into) {
        struct local_time *times = into;
        struct binding binding;

        if (!rows_bind(rows, &local_time_columns, &binding))
                return FAULT_BROKEN;
        for (size_t i = 0; i < rows_count(rows); i++)
                row_fill(&binding, i, &times[i]);
        return PROBLEM_NONE;
}

void local_times_ask(struct database *database, struct arena *arena, struct local_time *times, size_t n) {
        struct records asked;

        records_begin(&asked, arena, &sql_orders_local_times, &local_time_columns);
        for (size_t i = 0; i < n; i++)
                records_add(&asked, &times[i]);
        database_ask(database, &sql_orders_local_times, &asked.parameters, local_times_read, times);
}

/* A reference, or a line of its order with the header. */
struct known_order_row {
        struct order_ref ref;
        int64_t place; /* of the reference, from 1 */
        struct known_line line;
        struct known_order order;
};

static const struct column in_known_order_row[] = {
        { "channel", TEXT_AT(struct known_order_row, ref.channel) },
        { "external_ref", TEXT_AT(struct known_order_row, ref.external_ref) },
        { "place", INTEGER_AT(struct known_order_row, place) },
        { "sku", TEXT_AT(struct known_order_row, line.sku) },
        { "title", TEXT_AT(struct known_order_row, line.title) },
        { "quantity", INTEGER_AT(struct known_order_row, line.quantity) },
        { "unit_price", INTEGER_AT(struct known_order_row, line.unit_price) },
        { "currency", TEXT_AT(struct known_order_row, order.currency) },
        { "placed_at", TIME_AT(struct known_order_row, order.placed_at) },
        { "customer_id", TEXT_AT(struct known_order_row, order.customer_id) },
        { "is_erased", BOOLEAN_AT(struct known_order_row, order.is_erased) },
        { "location", TEXT_AT(struct known_order_row, order.location) },
        { "tells_country", BOOLEAN_AT(struct known_order_row, order.tells_country) },
        { "country", TEXT_AT(struct known_order_row, order.country) },
};
const struct columns known_order_columns = { "known_orders", COLUMNS(struct known_order_row, in_known_order_row) };

/* Rows come sorted by place of the reference, so the lines of an order are adjacent. */
static enum problem known_orders_read(struct rows *rows, void *into) {
        struct known_orders *orders = into;
        const size_t n = rows_count(rows);
        const struct known_order_row *known = rows_fill(rows, &known_order_columns, orders->arena);
        struct known_line *lines = arena_new_array(orders->arena, struct known_line, n);

        if (!known || !lines)
                return FAULT_BUSY;
        for (size_t i = 0; i < n; i++) {
                struct known_order *order = &orders->at[known[i].place - 1];

                lines[i] = known[i].line;
                if (!order->n_lines) {
                        *order = known[i].order;
                        order->lines = &lines[i];
                }
                order->n_lines++;
        }
        return PROBLEM_NONE;
}

void known_orders_ask(struct database *database, const struct order_ref *refs, size_t n, struct known_orders *orders) {
        struct records asked;

        records_begin(&asked, orders->arena, &sql_orders_known_by_external_ref, &known_order_columns);
        for (size_t i = 0; i < n; i++)
                records_add(&asked, &(struct known_order_row){ .ref = refs[i] });
        database_ask(database, &sql_orders_known_by_external_ref, &asked.parameters, known_orders_read, orders);
}
