#include "db/session.h"
#include "events/events.h"
#include "orders/orders.h"
#include "privacy/erasing.h"
#include "privacy/redact.h"
#include "returns/returns.h"
#include "sql/erasure.h"
#include "sql/transaction.h"

#define TRIP_WAIT (10 * MINUTE)
#define ACTOR     "erasure"

/* ---- work ---- */

static enum problem found_orders_read(struct rows *rows, void *into) {
        struct found_orders *found = into;

        found->n = 0;
        found->rows = arena_new_array(found->arena, struct found_order, rows_count(rows));
        if (!found->rows)
                return rows_count(rows) ? FAULT_BUSY : PROBLEM_NONE;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);

                found->rows[found->n].id = row_uuid(&row);
                found->rows[found->n++].updated_at = row_time(&row);
        }
        return PROBLEM_NONE;
}

enum problem orders_find_person(
        struct database *database, const struct person_selector *selector, struct found_orders *found) {
        struct parameters p;

        database_begin(database);
        parameters_init(&p, found->arena);
        parameter_text(&p, selector->customer_id);
        parameter_text(&p, selector->email);
        parameter_text(&p, selector->phone);
        parameter_text(&p, selector->order_number);
        parameter_text(&p, selector->order_number_read);
        database_ask(database, &sql_erasure_find_person, &p, found_orders_read, found);
        database_commit(database);
        return database_trip(database, clock_monotonic() + TRIP_WAIT);
}

enum problem orders_find_aged(struct database *database, timestamp before, int64_t limit,
        const struct found_order *last, struct found_orders *found) {
        struct parameters p;

        database_begin(database);
        parameters_init(&p, found->arena);
        parameter_time(&p, before);
        parameter_integer(&p, limit);
        parameter_time(&p, last->updated_at);
        parameter_uuid(&p, &last->id);
        database_ask(database, &sql_erasure_find_aged, &p, found_orders_read, found);
        database_commit(database);
        return database_trip(database, clock_monotonic() + TRIP_WAIT);
}

static enum problem orders_read_locked(struct rows *rows, void *into) {
        struct erasure_batch *work = into;

        work->orders = arena_new_array(work->erasure->arena, struct erasable_order, rows_count(rows) + 1);
        work->open = arena_new_array(work->erasure->arena, struct open_order, rows_count(rows) + 1);
        if (!work->orders || !work->open)
                return FAULT_BUSY;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                struct erasable_order *order = &work->orders[work->n_orders++];

                order->id = row_uuid(&row);
                order->number = row_text(&row);
                order->open_for = row_text(&row);
                order->cancel_reason = row_text(&row);
                order->is_erased = row_boolean(&row);
                order->version = row_integer(&row) + 1;
        }
        return PROBLEM_NONE;
}

static enum problem documents_read(
        struct rows *rows, void *into, void (*read)(struct row *row, struct personal_document *document)) {
        struct personal_documents *documents = into;

        documents->rows = arena_new_array(documents->arena, struct personal_document, rows_count(rows) + 1);
        if (!documents->rows)
                return FAULT_BUSY;
        for (documents->n = 0; documents->n < rows_count(rows); documents->n++) {
                struct row row = row_at(rows, documents->n);

                read(&row, &documents->rows[documents->n]);
        }
        return PROBLEM_NONE;
}

static void fulfillment_read(struct row *row, struct personal_document *document) {
        document->id = row_uuid(row);
        document->order_id = row_uuid(row);
        document->reason = row_text(row);
        document->handover = row_text(row);
        document->packages = row_text(row);
}

static void refund_read(struct row *row, struct personal_document *document) {
        document->id = row_uuid(row);
        document->order_id = row_uuid(row);
        document->reason = row_text(row);
}

static void return_read(struct row *row, struct personal_document *document) {
        document->id = row_uuid(row);
        document->order_id = row_uuid(row);
        document->reason = row_text(row);
        document->text = row_text(row);
}

static void document_text_read(struct row *row, struct personal_document *document) {
        document->id = row_uuid(row);
        document->text = row_text(row);
}

static enum problem fulfillments_read(struct rows *rows, void *into) {
        return documents_read(rows, into, fulfillment_read);
}

static enum problem refunds_read(struct rows *rows, void *into) {
        return documents_read(rows, into, refund_read);
}

static enum problem returns_read_locked(struct rows *rows, void *into) {
        return documents_read(rows, into, return_read);
}

static enum problem texts_read(struct rows *rows, void *into) {
        return documents_read(rows, into, document_text_read);
}

static enum problem erasure_now_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(timestamp *) into = row_time(&row);
        return PROBLEM_NONE;
}

static struct parameters *order_parameters(struct erasure_batch *work, struct parameters *p) {
        struct array *ids;

        parameters_init(p, work->erasure->arena);
        ids = parameter_uuids(p);
        for (size_t i = 0; i < work->n_orders; i++)
                array_uuid(ids, &work->orders[i].id);
        return p;
}

enum problem erasure_lock(struct database *database, struct erasure_batch *work) {
        struct parameters p;
        struct array *ids;

        parameters_init(&p, work->erasure->arena);
        ids = parameter_uuids(&p);
        for (size_t i = 0; i < work->n_ids; i++)
                array_uuid(ids, &work->ids[i]);
        database_ask(database, &sql_erasure_lock_orders, &p, orders_read_locked, work);
        database_ask(database, &sql_erasure_read_fulfillments, &p, fulfillments_read, &work->fulfillments);
        database_ask(database, &sql_erasure_read_refunds, &p, refunds_read, &work->refunds);
        database_ask(database, &sql_erasure_read_returns, &p, returns_read_locked, &work->returns);
        database_ask(database, &sql_clock, NULL, erasure_now_read, &work->now);
        return database_trip(database, clock_monotonic() + TRIP_WAIT);
}

/* ---- events and kept replies of the orders to be erased ---- */

static void want_records(struct database *database, struct erasure_batch *work) {
        struct arena *arena = work->erasure->arena;
        struct parameters p;
        struct array *patterns;
        char id[UUID_TEXT_SIZE];

        parameters_init(&p, arena);
        patterns = parameter_texts(&p);
        for (size_t i = 0; i < work->n_orders; i++) {
                uuid_format(&work->orders[i].id, id);
                array_text(patterns, arena_format(arena, "%%%s%%", id));
        }
        for (size_t i = 0; i < work->fulfillments.n; i++) {
                if (!erasure_order_find(work, &work->fulfillments.rows[i].order_id))
                        continue;
                uuid_format(&work->fulfillments.rows[i].id, id);
                array_text(patterns, arena_format(arena, "%%%s%%", id));
        }
        database_ask(database, &sql_erasure_read_records, &p, texts_read, &work->records);
}

enum problem erasure_read(struct database *database, struct erasure_batch *work) {
        struct parameters p;

        database_ask(database, &sql_erasure_read_events, order_parameters(work, &p), texts_read, &work->events);
        if (work->erasure->records)
                want_records(database, work);
        return database_trip(database, clock_monotonic() + TRIP_WAIT);
}

/* ---- writing ---- */

static void save_orders(struct database *database, struct erasure_batch *work) {
        struct parameters p;
        struct array *reasons;
        char now[TIMESTAMP_TEXT_SIZE];

        (void) order_parameters(work, &p);
        database_ask(database, &sql_erasure_save_discounts, &p, NULL, NULL);
        (void) order_parameters(work, &p);
        reasons = parameter_texts(&p);
        for (size_t i = 0; i < work->n_orders; i++)
                array_text(reasons, redact_reason(work->orders[i].cancel_reason));
        parameter_time(&p, work->now);
        timestamp_format(work->now, now);
        parameter_text(&p, arena_text(work->erasure->arena, now));
        database_ask(database, &sql_erasure_save_orders, &p, NULL, NULL);
}

static void save_money(struct database *database, struct erasure_batch *work) {
        struct parameters p;
        struct array *ids, *reasons;

        (void) order_parameters(work, &p);
        parameter_time(&p, work->now);
        database_ask(database, &sql_erasure_save_payments, &p, NULL, NULL);
        parameters_init(&p, work->erasure->arena);
        ids = parameter_uuids(&p);
        reasons = parameter_texts(&p);
        parameter_time(&p, work->now);
        for (size_t i = 0; i < work->refunds.n; i++) {
                if (!erasure_order_find(work, &work->refunds.rows[i].order_id))
                        continue;
                array_uuid(ids, &work->refunds.rows[i].id);
                array_text(reasons, redact_reason(work->refunds.rows[i].reason));
        }
        if (ids->n)
                database_ask(database, &sql_erasure_save_refunds, &p, NULL, NULL);
}

static bool save_returns(struct database *database, struct erasure_batch *work) {
        struct arena *arena = work->erasure->arena;
        struct parameters p;
        struct array *ids, *reasons, *unexpected;

        database_ask(database, &sql_erasure_save_return_lines, order_parameters(work, &p), NULL, NULL);
        parameters_init(&p, arena);
        ids = parameter_uuids(&p);
        reasons = parameter_texts(&p);
        unexpected = parameter_jsonbs(&p);
        for (size_t i = 0; i < work->returns.n; i++) {
                const struct personal_document *kept = &work->returns.rows[i];
                const char *text = redact_document(kept->text, arena);

                if (!erasure_order_find(work, &kept->order_id))
                        continue;
                if (!text)
                        return false;
                array_uuid(ids, &kept->id);
                array_text(reasons, redact_reason(kept->reason));
                array_jsonb(unexpected, text);
        }
        if (ids->n)
                database_ask(database, &sql_erasure_save_returns, &p, NULL, NULL);
        return true;
}

static bool save_fulfillments(struct database *database, struct erasure_batch *work) {
        struct arena *arena = work->erasure->arena;
        struct parameters p;
        struct array *ids, *reasons, *handovers, *packages;

        parameters_init(&p, arena);
        ids = parameter_uuids(&p);
        reasons = parameter_texts(&p);
        handovers = parameter_jsonbs(&p);
        packages = parameter_jsonbs(&p);
        for (size_t i = 0; i < work->fulfillments.n; i++) {
                const struct personal_document *kept = &work->fulfillments.rows[i];
                const char *handover = kept->handover ? redact_document(kept->handover, arena) : NULL;
                const char *parcels = redact_document(kept->packages, arena);

                if (!erasure_order_find(work, &kept->order_id))
                        continue;
                if (!parcels || (kept->handover && !handover))
                        return false;
                array_uuid(ids, &kept->id);
                array_text(reasons, redact_reason(kept->reason));
                array_jsonb(handovers, handover);
                array_jsonb(packages, parcels);
        }
        database_ask(database, &sql_erasure_save_fulfillments, &p, NULL, NULL);
        return true;
}

static bool save_texts(struct database *database, struct arena *arena, const struct personal_documents *documents,
        const struct statement *statement, struct array *(*column)(struct parameters *),
        void (*add)(struct array *array, const char *text)) {
        struct parameters p;
        struct array *ids, *texts;

        if (!documents->n)
                return true;
        parameters_init(&p, arena);
        ids = parameter_uuids(&p);
        texts = column(&p);
        for (size_t i = 0; i < documents->n; i++) {
                const char *text = redact_document(documents->rows[i].text, arena);

                if (!text)
                        return false;
                array_uuid(ids, &documents->rows[i].id);
                add(texts, text);
        }
        database_ask(database, statement, &p, NULL, NULL);
        return true;
}

static enum problem erasure_events_save(struct database *database, struct erasure_batch *work) {
        struct events events;

        events_init(&events, work->erasure->arena);
        for (size_t i = 0; i < work->n_orders; i++) {
                struct event *event = event_add(&events, EVENT_ORDER_CUSTOMER_ERASED, ACTOR);

                event->order_id = &work->orders[i].id;
                event_about(event, SUBJECT_ORDER, &work->orders[i].id, &work->orders[i].version);
                event_text(event, "cause", work->erasure->cause);
        }
        return events_save(database, &events, work->now);
}

enum problem erasure_save(struct database *database, struct erasure_batch *work) {
        struct arena *arena = work->erasure->arena;
        enum problem p;

        save_orders(database, work);
        save_money(database, work);
        if (!save_returns(database, work) || !save_fulfillments(database, work) ||
                !save_texts(database, arena, &work->events, &sql_erasure_save_events, parameter_jsonbs, array_jsonb) ||
                !save_texts(database, arena, &work->records, &sql_erasure_save_records, parameter_texts, array_text))
                return FAULT_BUSY;
        p = erasure_events_save(database, work);
        if (p)
                return p;
        database_commit(database);
        return database_trip(database, clock_monotonic() + TRIP_WAIT);
}
