/* Load and save of payments and refunds, with the balances that hold them. */
#include "db/connection.h"
#include "payments/columns.h"
#include "payments/payments.h"

#include "base/sorted.h"
#include "sql/payments.h"

/* ---- reading ---- */

static int balance_compare(const void *id, const void *balance) {
        return uuid_compare(id, &(*(struct balance *const *) balance)->order_id);
}

struct balance *balance_find(const struct balance_set *set, const struct uuid *order_id) {
        struct balance **found = sorted_find(order_id, set->list, set->n, sizeof(*set->list), balance_compare);

        return found ? *found : NULL;
}

static struct balance *balance_of(const struct balance_set *set, const struct binding *binding, size_t row) {
        const struct uuid order_id = binding_uuid(binding, row, binding_place(binding, "order_id"));

        return balance_find(set, &order_id);
}

/* Rows come sorted by order and number, so those of one order are adjacent; likewise refunds. */
enum problem payments_row(struct rows *rows, void *into) {
        const struct balance_set *set = into;
        const size_t n = rows_count(rows);
        struct payment *payments = rows_fill(rows, &payment_columns, set->arena);
        struct payment **list = arena_new_array(set->arena, struct payment *, n);
        struct binding binding;

        if (!payments || !list)
                return FAULT_BUSY;
        if (!rows_bind(rows, &payment_columns, &binding))
                return FAULT_BROKEN;
        for (size_t i = 0; i < n; i++) {
                struct balance *balance = balance_of(set, &binding, i);

                if (!balance)
                        return FAULT_BROKEN;
                list[i] = &payments[i];
                payments[i].balance = balance;
                if (!balance->n_payments)
                        balance->payments = &list[i];
                balance->payments_capacity = ++balance->n_payments;
        }
        return PROBLEM_NONE;
}

enum problem refunds_row(struct rows *rows, void *into) {
        const struct balance_set *set = into;
        const size_t n = rows_count(rows);
        struct refund *refunds = rows_fill(rows, &refund_columns, set->arena);
        struct refund **list = arena_new_array(set->arena, struct refund *, n);
        struct binding binding;

        if (!refunds || !list)
                return FAULT_BUSY;
        if (!rows_bind(rows, &refund_columns, &binding))
                return FAULT_BROKEN;
        for (size_t i = 0; i < n; i++) {
                const struct uuid payment_id = binding_uuid(&binding, i, binding_place(&binding, "payment_id"));
                struct balance *balance = balance_of(set, &binding, i);

                if (!balance)
                        return FAULT_BROKEN;
                list[i] = &refunds[i];
                refunds[i].balance = balance;
                refunds[i].payment = payment_find(balance, &payment_id);
                if (!balance->n_refunds)
                        balance->refunds = &list[i];
                balance->refunds_capacity = ++balance->n_refunds;
        }
        return PROBLEM_NONE;
}

/* ---- saving ---- */

void payments_insert(struct database *database, struct arena *arena, struct balance *const *list, size_t n) {
        struct records records;

        records_begin(&records, arena, &sql_payments_insert, &payment_columns);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < list[i]->n_payments; j++)
                        records_add(&records, list[i]->payments[j]);
        records_ask(&records, database);
}

static void payments_save(struct database *database, const struct balance_set *set) {
        struct records inserted, updated;

        records_begin(&inserted, set->arena, &sql_payments_insert, &payment_columns);
        records_begin(&updated, set->arena, &sql_payments_update, &payment_columns);
        for (size_t i = 0; i < set->n; i++)
                for (size_t j = 0; j < set->list[i]->n_payments; j++) {
                        const struct payment *payment = set->list[i]->payments[j];

                        if (payment->is_new)
                                records_add(&inserted, payment);
                        else if (payment->changed)
                                records_add(&updated, payment);
                }
        records_ask(&inserted, database);
        records_ask(&updated, database);
}

static void refunds_save(struct database *database, const struct balance_set *set) {
        struct records inserted, updated;

        records_begin(&inserted, set->arena, &sql_refunds_insert, &refund_columns);
        records_begin(&updated, set->arena, &sql_refunds_update, &refund_columns);
        for (size_t i = 0; i < set->n; i++)
                for (size_t j = 0; j < set->list[i]->n_refunds; j++) {
                        const struct refund *refund = set->list[i]->refunds[j];

                        if (refund->is_new)
                                records_add(&inserted, refund);
                        else if (refund->changed)
                                records_add(&updated, refund);
                }
        records_ask(&inserted, database);
        records_ask(&updated, database);
}

void balances_update(struct database *database, const struct balance_set *set) {
        payments_save(database, set);
        refunds_save(database, set);
}
