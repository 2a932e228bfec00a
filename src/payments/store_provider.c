/* Orders of payments and refunds, and the known events of payments. */
#include "db/connection.h"
#include "payments/provider.h"
#include "sql/payments.h"

#include <string.h>

static enum problem owners_read(struct rows *rows, void *into) {
        struct owners *owners = into;

        for (size_t i = 0; i < rows_count(rows) && owners->n < owners->capacity; i++) {
                struct row row = row_at(rows, i);
                struct owner *owner = &owners->at[owners->n++];

                owner->id = row_uuid(&row);
                owner->order_id = row_uuid(&row);
        }
        return PROBLEM_NONE;
}

void owners_ask(struct database *database, struct arena *arena, const struct uuid *payments, size_t n_payments,
        const struct uuid *refunds, size_t n_refunds, struct owners *owners) {
        struct parameters p;
        struct array *of_payments, *of_refunds;

        parameters_init(&p, arena);
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

static enum problem told_event_from_row(struct row *row, struct told_event *event) {
        const void *content;
        size_t size = 0;

        event->payment_id = row_uuid(row);
        event->event_id = row_text(row);
        event->type = row_enum(row, &provider_event_type_column);
        content = row_bytes(row, &size);
        if (!content || size != DIGEST_SIZE)
                return FAULT_BROKEN;
        memcpy(event->content, content, DIGEST_SIZE);
        event->number = row_integer(row);
        event->amount = row_integer(row);
        event->has_amount = event->amount > 0;
        event->voids_asked = row_integer(row);
        event->refund_id = row_uuid(row);
        event->has_refund_id = !uuid_is_nil(&event->refund_id);
        event->occurred_at = row_time(row);
        event->recorded_at = row_time(row);
        event->counts = row_boolean(row);
        return PROBLEM_NONE;
}

static enum problem told_events_read(struct rows *rows, void *into) {
        struct told_events *told = into;
        enum problem p = PROBLEM_NONE;

        for (size_t i = 0; i < rows_count(rows) && !p; i++) {
                struct row row = row_at(rows, i);
                struct told_event event = { 0 };

                p = told_event_from_row(&row, &event);
                if (!p && !told_events_add(told, &event))
                        return FAULT_BUSY;
        }
        return p;
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

/* The columns of payment_events. */
struct told_columns {
        struct parameters p;
        struct array *ids, *event_ids, *types, *contents, *numbers, *amounts, *voids_asked, *refunds, *occurred,
                *recorded;
};

static void told_columns_init(struct told_columns *c, struct arena *arena) {
        parameters_init(&c->p, arena);
        c->ids = parameter_uuids(&c->p);
        c->event_ids = parameter_texts(&c->p);
        c->types = parameter_texts(&c->p);
        c->contents = parameter_byteas(&c->p);
        c->numbers = parameter_integers(&c->p);
        c->amounts = parameter_integers(&c->p);
        c->voids_asked = parameter_integers(&c->p);
        c->refunds = parameter_uuids(&c->p);
        c->occurred = parameter_times(&c->p);
        c->recorded = parameter_times(&c->p);
}

static void told_columns_add(struct told_columns *c, const struct told_event *event) {
        array_uuid(c->ids, &event->payment_id);
        array_text(c->event_ids, event->event_id);
        array_text(c->types, provider_event_texts[event->type]);
        array_bytes(c->contents, event->content, DIGEST_SIZE);
        array_integer(c->numbers, event->number);
        if (event->has_amount)
                array_integer(c->amounts, event->amount);
        else
                array_null(c->amounts);
        array_integer(c->voids_asked, event->voids_asked);
        array_uuid(c->refunds, event->has_refund_id ? &event->refund_id : NULL);
        array_time(c->occurred, event->occurred_at);
        array_time(c->recorded, event->recorded_at);
}

void told_events_save(struct database *database, const struct told_events *told) {
        struct told_columns columns;

        told_columns_init(&columns, told->arena);
        for (size_t i = 0; i < told->n; i++)
                if (told->at[i].is_new)
                        told_columns_add(&columns, &told->at[i]);
        if (columns.ids->n)
                database_ask(database, &sql_payment_events_insert, &columns.p, NULL, NULL);
}
