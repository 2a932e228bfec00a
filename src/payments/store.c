/* Load and save of payments and refunds, with their orders. */
#include "db/connection.h"
#include "orders/columns.h"
#include "orders/orders.h"

#include "sql/payments.h"

/* ---- reading ---- */

/* Rows come sorted by order and number, so those of one order are adjacent; likewise refunds. */
enum problem payments_row(struct rows *rows, void *into) {
        struct order_set *set = into;
        const size_t n = rows_count(rows);
        struct payment *payments = rows_fill(rows, &payment_columns, set->arena);
        struct payment **list = arena_new_array(set->arena, struct payment *, n);
        struct binding binding;

        if (!payments || !list)
                return FAULT_BUSY;
        if (!rows_bind(rows, &payment_columns, &binding))
                return FAULT_BROKEN;
        for (size_t i = 0; i < n; i++) {
                const struct uuid order_id = binding_uuid(&binding, i, binding_place(&binding, "order_id"));
                struct order *order = order_find(set, &order_id);

                if (!order)
                        return FAULT_BROKEN;
                list[i] = &payments[i];
                payments[i].order = order;
                if (!order->n_payments)
                        order->payments = &list[i];
                order->payments_capacity = ++order->n_payments;
        }
        return PROBLEM_NONE;
}

struct payment *payment_find(const struct order *order, const struct uuid *id) {
        for (size_t i = 0; i < order->n_payments; i++)
                if (uuid_equal(&order->payments[i]->id, id))
                        return order->payments[i];
        return NULL;
}

struct refund *refund_find(const struct order *order, const struct uuid *id) {
        for (size_t i = 0; i < order->n_refunds; i++)
                if (uuid_equal(&order->refunds[i]->id, id))
                        return order->refunds[i];
        return NULL;
}

enum problem refunds_row(struct rows *rows, void *into) {
        struct order_set *set = into;
        const size_t n = rows_count(rows);
        struct refund *refunds = rows_fill(rows, &refund_columns, set->arena);
        struct refund **list = arena_new_array(set->arena, struct refund *, n);
        struct binding binding;

        if (!refunds || !list)
                return FAULT_BUSY;
        if (!rows_bind(rows, &refund_columns, &binding))
                return FAULT_BROKEN;
        for (size_t i = 0; i < n; i++) {
                const struct uuid order_id = binding_uuid(&binding, i, binding_place(&binding, "order_id"));
                const struct uuid payment_id = binding_uuid(&binding, i, binding_place(&binding, "payment_id"));
                struct order *order = order_find(set, &order_id);

                if (!order)
                        return FAULT_BROKEN;
                list[i] = &refunds[i];
                refunds[i].order = order;
                refunds[i].payment = payment_find(order, &payment_id);
                if (!order->n_refunds)
                        order->refunds = &list[i];
                order->refunds_capacity = ++order->n_refunds;
        }
        for (size_t i = 0; i < set->n_rows; i++)
                set->rows[i].mark = order_worth_mark(&set->rows[i]); /* refunds are the last to be read */
        return PROBLEM_NONE;
}

/* Rows come sorted by order, so those of one order are adjacent. */
static enum problem return_claims_read(struct rows *rows, void *into) {
        struct order_set *set = into;
        struct return_claim *claims = arena_new_array(set->arena, struct return_claim, rows_count(rows));

        if (!claims)
                return FAULT_BUSY;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                const struct uuid order_id = row_uuid(&row);
                struct order *order = order_find(set, &order_id);

                if (!order)
                        return FAULT_BROKEN;
                claims[i].return_id = row_uuid(&row);
                claims[i].amount = row_integer(&row);
                claims[i].tax = row_integer(&row);
                if (!order->n_claims++)
                        order->claims = &claims[i];
        }
        return PROBLEM_NONE;
}

void return_claims_load(struct database *database, struct order_set *set) {
        struct parameters p;
        struct array *ids;

        parameters_init(&p, set->arena);
        ids = parameter_uuids(&p);
        for (size_t i = 0; i < set->n_orders_wanted; i++)
                array_uuid(ids, &set->orders_wanted[i]);
        database_ask(database, &sql_order_return_claims, &p, return_claims_read, set);
}

/* ---- payments ---- */

void payments_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n) {
        struct records records;

        records_begin(&records, arena, &sql_payments_insert, &payment_columns);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < list[i]->n_payments; j++)
                        records_add(&records, list[i]->payments[j]);
        records_ask(&records, database);
}

static void payments_save(struct database *database, const struct order_set *set) {
        struct records inserted, updated;

        records_begin(&inserted, set->arena, &sql_payments_insert, &payment_columns);
        records_begin(&updated, set->arena, &sql_payments_update, &payment_columns);
        for (size_t i = 0; i < set->n_rows; i++)
                for (size_t j = 0; j < set->rows[i].n_payments; j++) {
                        const struct payment *payment = set->rows[i].payments[j];

                        if (payment->is_new)
                                records_add(&inserted, payment);
                        else if (payment->changed)
                                records_add(&updated, payment);
                }
        records_ask(&inserted, database);
        records_ask(&updated, database);
}

/* ---- refunds ---- */

static void refunds_save(struct database *database, const struct order_set *set) {
        struct records inserted, updated;

        records_begin(&inserted, set->arena, &sql_refunds_insert, &refund_columns);
        records_begin(&updated, set->arena, &sql_refunds_update, &refund_columns);
        for (size_t i = 0; i < set->n_rows; i++)
                for (size_t j = 0; j < set->rows[i].n_refunds; j++) {
                        const struct refund *refund = set->rows[i].refunds[j];

                        if (refund->is_new)
                                records_add(&inserted, refund);
                        else if (refund->changed)
                                records_add(&updated, refund);
                }
        records_ask(&inserted, database);
        records_ask(&updated, database);
}

void payments_update(struct database *database, const struct order_set *set) {
        payments_save(database, set);
        refunds_save(database, set);
}
