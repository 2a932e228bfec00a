#include "db/connection.h"
#include "orders/columns.h"
#include "orders/placing.h"
#include "sql/orders.h"

enum problem placing_lock_stock(struct database *database, struct placing *placing) {
        const struct stock *stock = &placing->stock;
        struct parameters p;
        struct array *reservations;

        if (stock->exhausted)
                return FAULT_BUSY;
        parameters_init(&p, placing->arena);
        parameter_stock_keys(&p, stock->wanted, stock->n_wanted);
        reservations = parameter_uuids(&p);
        for (size_t i = 0; i < placing->reservations.n_wanted; i++)
                array_uuid(reservations, &placing->reservations.wanted[i]);
        database_ask(database, &sql_orders_place_lock_stock, &p, stock_rows_read, &placing->stock);
        return PROBLEM_NONE;
}

static enum problem known_read(struct rows *rows, void *into) {
        struct placing *placing = into;
        struct order *known = rows_fill(rows, &order_header_columns, placing->arena);

        if (!known)
                return FAULT_BUSY;
        for (size_t i = 0; i < rows_count(rows); i++)
                placing->orders[placing->n_orders++] = &known[i];
        return PROBLEM_NONE;
}

enum problem placing_find_known(struct database *database, struct placing *placing) {
        struct parameters p;
        struct array *channels, *external_refs;

        parameters_init(&p, placing->arena);
        channels = parameter_texts(&p);
        external_refs = parameter_texts(&p);
        for (size_t i = 0; i < placing->n_refs; i++) {
                array_text(channels, placing->refs[i].channel);
                array_text(external_refs, placing->refs[i].external_ref);
        }
        database_ask(database, &sql_orders_by_external_ref, &p, known_read, placing);
        return PROBLEM_NONE;
}
