#include "db/connection.h"
#include "orders/history.h"
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

static enum problem known_lines_read(struct rows *rows, void *into) {
        struct known_lines *lines = into;

        lines->n = rows_count(rows);
        lines->at = arena_new_array(lines->arena, struct known_line, lines->n);
        if (!lines->at)
                return FAULT_BUSY;
        for (size_t i = 0; i < lines->n; i++) {
                struct row row = row_at(rows, i);

                lines->at[i].place = (size_t) row_integer(&row) - 1;
                lines->at[i].sku = row_text(&row);
                lines->at[i].quantity = row_integer(&row);
                lines->at[i].unit_price = row_integer(&row);
        }
        return PROBLEM_NONE;
}

void known_lines_ask(struct database *database, const struct order_ref *refs, size_t n, struct known_lines *lines) {
        struct parameters p;
        struct array *channels, *external_refs;

        parameters_init(&p, lines->arena);
        channels = parameter_texts(&p);
        external_refs = parameter_texts(&p);
        for (size_t i = 0; i < n; i++) {
                array_text(channels, refs[i].channel);
                array_text(external_refs, refs[i].external_ref);
        }
        database_ask(database, &sql_orders_lines_by_external_ref, &p, known_lines_read, lines);
}
