/* Reading the returns of orders: where their goods went, and the money that they claim. */
#include "db/connection.h"
#include "orders/columns.h"
#include "orders/lists.h"
#include "sql/orders.h"

static void ask_by_order(
        struct database *database, struct order_set *set, const struct statement *statement, rows_reader reader) {
        struct parameters p;
        struct array *ids;

        parameters_init(&p, set->arena);
        ids = parameter_uuids(&p);
        for (size_t i = 0; i < set->n_orders_wanted; i++)
                array_uuid(ids, &set->orders_wanted[i]);
        database_ask(database, statement, &p, reader, set);
}

static enum problem return_places_read(struct rows *rows, void *into) {
        struct order_set *set = into;

        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                const struct uuid order_id = row_uuid(&row);
                const char *location = row_text(&row);
                struct order *order = order_find(set, &order_id);
                const char **places;

                if (!order)
                        continue;
                places = arena_grow(set->arena, order->return_places, order->n_return_places, &order->places_capacity,
                        sizeof(*places));
                if (!places)
                        return FAULT_BUSY;
                order->return_places = places;
                places[order->n_return_places++] = location;
        }
        return PROBLEM_NONE;
}

void return_places_load(struct database *database, struct order_set *set) {
        ask_by_order(database, set, &sql_order_return_places, return_places_read);
}

/* Rows come sorted by order, so those of one order are adjacent. */
static enum problem return_claims_read(struct rows *rows, void *into) {
        struct order_set *set = into;
        struct return_claim *claims = arena_new_array(set->arena, struct return_claim, rows_count(rows));
        struct binding binding;

        if (!claims)
                return FAULT_BUSY;
        if (!rows_bind(rows, &return_claim_columns, &binding))
                return FAULT_BROKEN;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct return_claim_row row;
                struct balance *balance;

                row_fill(&binding, i, &row);
                balance = balance_find(&set->balances, &row.order_id);
                if (!balance)
                        return FAULT_BROKEN;
                claims[i] = row.claim;
                if (!balance->n_claims++)
                        balance->claims = &claims[i];
        }
        return PROBLEM_NONE;
}

void return_claims_load(struct database *database, struct order_set *set) {
        ask_by_order(database, set, &sql_order_return_claims, return_claims_read);
}
