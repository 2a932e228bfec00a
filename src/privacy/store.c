#include "db/session.h"
#include "events/events.h"
#include "orders/orders.h"
#include "privacy/columns.h"
#include "privacy/erasing.h"
#include "privacy/redact.h"
#include "returns/returns.h"
#include "sql/erasure.h"
#include "sql/transaction.h"

#define TRIP_WAIT (10 * MINUTE)
#define ACTOR     "erasure"

/* ---- columns ---- */

static const struct column in_found_order[] = {
        { "id", UUID_AT(struct found_order, id) },
        { "updated_at", TIME_AT(struct found_order, updated_at) },
};
const struct columns found_order_columns = { "found_orders", COLUMNS(struct found_order, in_found_order) };

static const struct column in_erasable_order[] = {
        { "id", UUID_AT(struct erasable_order, id) },
        { "order_number", TEXT_AT(struct erasable_order, number) },
        { "open_for", TEXT_AT(struct erasable_order, open_for) },
        { "cancel_reason", TEXT_AT(struct erasable_order, cancel_reason) },
        { "is_erased", BOOLEAN_AT(struct erasable_order, is_erased) },
        { "version", INTEGER_AT(struct erasable_order, version) },
};
const struct columns erasable_order_columns = { "erasable_orders", COLUMNS(struct erasable_order, in_erasable_order) };

/* A kind of document has one text: the unexpected goods of a return, the data of an event, the body of a kept reply. */
static const struct column in_personal_document[] = {
        { "id", UUID_AT(struct personal_document, id) },
        { "order_id", UUID_AT(struct personal_document, order_id) },
        { "reason", TEXT_AT(struct personal_document, reason) },
        { "handover", JSONB_AT(struct personal_document, handover) },
        { "packages", JSONB_AT(struct personal_document, packages) },
        { "unexpected", JSONB_AT(struct personal_document, text) },
        { "data", JSONB_AT(struct personal_document, text) },
        { "body", TEXT_AT(struct personal_document, text) },
};
const struct columns personal_document_columns = { "personal_documents",
        COLUMNS(struct personal_document, in_personal_document) };

/* ---- work ---- */

static enum problem found_orders_read(struct rows *rows, void *into) {
        struct found_orders *found = into;

        found->rows = rows_fill(rows, &found_order_columns, found->arena);
        found->n = found->rows ? rows_count(rows) : 0;
        return found->rows ? PROBLEM_NONE : FAULT_BUSY;
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

        work->orders = rows_fill(rows, &erasable_order_columns, work->erasure->arena);
        work->open = arena_new_array(work->erasure->arena, struct open_order, rows_count(rows));
        if (!work->orders || !work->open)
                return FAULT_BUSY;
        work->n_orders = rows_count(rows);
        for (size_t i = 0; i < work->n_orders; i++)
                work->orders[i].version++;
        return PROBLEM_NONE;
}

static enum problem documents_read(struct rows *rows, void *into) {
        struct personal_documents *documents = into;

        documents->rows = rows_fill(rows, &personal_document_columns, documents->arena);
        documents->n = documents->rows ? rows_count(rows) : 0;
        return documents->rows ? PROBLEM_NONE : FAULT_BUSY;
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
        if (!work->erasure->dry_run)
                database_ask(database, &sql_erasure_lock_search, NULL, NULL, NULL);
        database_ask(database, &sql_erasure_lock_orders, &p, orders_read_locked, work);
        database_ask(database, &sql_erasure_read_fulfillments, &p, documents_read, &work->fulfillments);
        database_ask(database, &sql_erasure_read_refunds, &p, documents_read, &work->refunds);
        database_ask(database, &sql_erasure_read_returns, &p, documents_read, &work->returns);
        database_ask_clock(database, &work->now);
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
        database_ask(database, &sql_erasure_read_records, &p, documents_read, &work->records);
}

enum problem erasure_read(struct database *database, struct erasure_batch *work) {
        struct parameters p;

        database_ask(database, &sql_erasure_read_events, order_parameters(work, &p), documents_read, &work->events);
        if (work->erasure->records)
                want_records(database, work);
        return database_trip(database, clock_monotonic() + TRIP_WAIT);
}

/* ---- writing ---- */

static void save_orders(struct database *database, struct erasure_batch *work) {
        struct parameters p;
        struct records saved;
        char now[TIMESTAMP_TEXT_SIZE];

        database_ask(database, &sql_erasure_save_discounts, order_parameters(work, &p), NULL, NULL);
        records_begin(&saved, work->erasure->arena, &sql_erasure_save_orders, &erasable_order_columns);
        for (size_t i = 0; i < work->n_orders; i++) {
                struct erasable_order order = work->orders[i];

                order.cancel_reason = redact_reason(order.cancel_reason);
                records_add(&saved, &order);
        }
        timestamp_format(work->now, now);
        parameter_time(&saved.parameters, work->now);
        parameter_text(&saved.parameters, arena_text(work->erasure->arena, now));
        records_ask(&saved, database);
}

/* Without the person; false without memory. */
static bool document_redact(struct personal_document *document, struct arena *arena) {
        const char **texts[] = { &document->text, &document->handover, &document->packages };

        document->reason = redact_reason(document->reason);
        for (size_t i = 0; i < array_size(texts); i++) {
                if (!*texts[i])
                        continue;
                *texts[i] = redact_document(*texts[i], arena);
                if (!*texts[i])
                        return false;
        }
        return true;
}

/* Add the documents of orders that are erased, without the person. False without memory. */
static bool documents_add(
        struct records *saved, const struct erasure_batch *work, const struct personal_documents *documents) {
        for (size_t i = 0; i < documents->n; i++) {
                struct personal_document document = documents->rows[i];

                if (!uuid_is_nil(&document.order_id) && !erasure_order_find(work, &document.order_id))
                        continue;
                if (!document_redact(&document, work->erasure->arena))
                        return false;
                records_add(saved, &document);
        }
        return true;
}

static bool documents_save(struct database *database, struct erasure_batch *work,
        const struct personal_documents *documents, const struct statement *statement) {
        struct records saved;

        records_begin(&saved, work->erasure->arena, statement, &personal_document_columns);
        if (!documents_add(&saved, work, documents))
                return false;
        records_ask(&saved, database);
        return true;
}

static bool save_money(struct database *database, struct erasure_batch *work) {
        struct parameters p;
        struct records saved;

        (void) order_parameters(work, &p);
        parameter_time(&p, work->now);
        database_ask(database, &sql_erasure_save_payments, &p, NULL, NULL);
        records_begin(&saved, work->erasure->arena, &sql_erasure_save_refunds, &personal_document_columns);
        if (!documents_add(&saved, work, &work->refunds))
                return false;
        parameter_time(&saved.parameters, work->now);
        records_ask(&saved, database);
        return true;
}

static bool documents_save_all(struct database *database, struct erasure_batch *work) {
        struct parameters p;

        if (!save_money(database, work))
                return false;
        (void) order_parameters(work, &p);
        parameter_time(&p, work->now);
        database_ask(database, &sql_erasure_save_notifications, &p, NULL, NULL);
        database_ask(database, &sql_erasure_save_return_lines, order_parameters(work, &p), NULL, NULL);
        return documents_save(database, work, &work->returns, &sql_erasure_save_returns) &&
               documents_save(database, work, &work->fulfillments, &sql_erasure_save_fulfillments) &&
               documents_save(database, work, &work->events, &sql_erasure_save_events) &&
               documents_save(database, work, &work->records, &sql_erasure_save_records);
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
        enum problem p;

        save_orders(database, work);
        if (!documents_save_all(database, work))
                return FAULT_BUSY;
        p = erasure_events_save(database, work);
        if (p)
                return p;
        database_commit(database);
        return database_trip(database, clock_monotonic() + TRIP_WAIT);
}
