/* Orders of payments and refunds, and the known events of payments. */
#include "db/connection.h"
#include "payments/columns.h"
#include "sql/payments.h"

#include <string.h>

static enum problem owners_read(struct rows *rows, void *into) {
        struct owners *owners = into;

        owners->at = rows_fill(rows, &owner_columns, owners->arena);
        owners->n = owners->at ? rows_count(rows) : 0;
        return owners->at ? PROBLEM_NONE : FAULT_BUSY;
}

void owners_ask(struct database *database, const struct uuid *payments, size_t n_payments, const struct uuid *refunds,
        size_t n_refunds, struct owners *owners) {
        struct parameters p;
        struct array *of_payments, *of_refunds;

        parameters_init(&p, owners->arena);
        of_payments = parameter_uuids(&p);
        of_refunds = parameter_uuids(&p);
        for (size_t i = 0; i < n_payments; i++)
                array_uuid(of_payments, &payments[i]);
        for (size_t i = 0; i < n_refunds; i++)
                array_uuid(of_refunds, &refunds[i]);
        database_ask(database, &sql_payments_orders, &p, owners_read, owners);
}

const struct uuid *owners_find(const struct owners *owners, const struct uuid *id) {
        for (size_t i = 0; i < owners->n; i++)
                if (uuid_equal(&owners->at[i].id, id))
                        return &owners->at[i].order_id;
        return NULL;
}

static enum problem told_events_read(struct rows *rows, void *into) {
        struct told_events *told = into;
        struct told_row *read = rows_fill(rows, &told_row_columns, told->arena);

        if (!read)
                return FAULT_BUSY;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct told_event *event = &read[i].event;

                if (!read[i].content)
                        return FAULT_BROKEN;
                memcpy(event->content, read[i].content, DIGEST_SIZE);
                if (!told_events_add(told, event))
                        return FAULT_BUSY;
        }
        return PROBLEM_NONE;
}

static bool is_named_before(const struct uuid *payments, size_t i) {
        for (size_t j = 0; j < i; j++)
                if (uuid_equal(&payments[j], &payments[i]))
                        return true;
        return false;
}

void told_events_ask(struct database *database, const struct uuid *payments, size_t n, struct told_events *told) {
        struct parameters p;
        struct array *ids;

        parameters_init(&p, told->arena);
        ids = parameter_uuids(&p);
        for (size_t i = 0; i < n; i++)
                if (!is_named_before(payments, i))
                        array_uuid(ids, &payments[i]);
        database_ask(database, &sql_payment_events_read, &p, told_events_read, told);
}

void told_events_save(struct database *database, const struct told_events *told) {
        struct records records;

        records_begin(&records, told->arena, &sql_payment_events_insert, &told_row_columns);
        for (size_t i = 0; i < told->n; i++)
                if (told->at[i].is_new)
                        records_add(
                                &records, &(struct told_row){ .event = told->at[i], .content = told->at[i].content });
        records_ask(&records, database);
}
