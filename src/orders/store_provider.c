/* Whose payments are, and what was told of them before. */
#include "db/connection.h"
#include "orders/provider.h"
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

static enum problem told_events_read(struct rows *rows, void *into) {
        struct told_events *told = into;

        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                struct told_event *event = &told->at[told->n++];
                const void *content;
                size_t size = 0;

                event->payment_id = row_uuid(&row);
                event->event_id = row_text(&row);
                content = row_bytes(&row, &size);
                if (!content || size != DIGEST_SIZE)
                        return FAULT_BROKEN;
                memcpy(event->content, content, DIGEST_SIZE);
        }
        return PROBLEM_NONE;
}

void told_events_ask(struct database *database, const struct uuid *payments, const struct provider_event *const *events,
        size_t n, struct told_events *told) {
        struct parameters p;
        struct array *ids, *event_ids;

        parameters_init(&p, told->arena);
        ids = parameter_uuids(&p);
        event_ids = parameter_texts(&p);
        for (size_t i = 0; i < n; i++) {
                array_uuid(ids, &payments[i]);
                array_text(event_ids, events[i]->event_id);
        }
        database_ask(database, &sql_payment_events_read, &p, told_events_read, told);
}

void told_events_save(struct database *database, const struct told_events *told) {
        struct parameters p;
        struct array *ids, *event_ids, *types, *contents;

        parameters_init(&p, told->arena);
        ids = parameter_uuids(&p);
        event_ids = parameter_texts(&p);
        types = parameter_texts(&p);
        contents = parameter_byteas(&p);
        for (size_t i = 0; i < told->n; i++) {
                const struct told_event *event = &told->at[i];

                if (!event->is_new)
                        continue;
                array_uuid(ids, &event->payment_id);
                array_text(event_ids, event->event_id);
                array_text(types, event->type);
                array_bytes(contents, event->content, DIGEST_SIZE);
        }
        if (ids->n)
                database_ask(database, &sql_payment_events_insert, &p, NULL, NULL);
}
