#include "privacy/erasure.h"

#include "base/text.h"
#include "db/session.h"
#include "events/events.h"
#include "orders/orders.h"
#include "privacy/redact.h"
#include "returns/returns.h"
#include "sql/erasure.h"
#include "sql/transaction.h"

#include <string.h>

#define TRIP_WAIT    (10 * MINUTE)
#define ATTEMPTS_MAX 8
#define ACTOR        "erasure"

struct closed_order {
        struct uuid id;
        int64_t version; /* once it is erased */
        const char *number, *status, *cancel_reason;
        int64_t refund_due;
        bool is_erased, is_unknown, holds_units, awaits_goods, awaits_capture, awaits_refund;
};

struct open_order {
        const char *number, *why;
};

struct document {
        struct uuid id, order_id;
        bool is_unknown;                 /* its status is a word of a newer program */
        const char *status, *reason;     /* of a fulfillment, a refund or a return */
        const char *handover, *packages; /* of a fulfillment */
        int64_t capture_due;             /* of a payment */
        const char *text;                /* of an event, a record or a return */
};

struct documents {
        struct arena *arena;
        struct document *rows;
        size_t n;
};

/* What is read of one batch. */
struct reading {
        struct erasure *erasure;
        const struct uuid *ids;
        size_t n_ids;
        struct closed_order *orders; /* sorted by id; first all, then those that are to be erased */
        size_t n_orders;
        struct open_order *open;
        struct documents fulfillments, payments, refunds, returns, events, records;
        timestamp now;
        size_t n_open, n_before;
};

/* ---- patience ---- */

static bool passes(enum problem fault) {
        return fault == FAULT_CONFLICT || fault == FAULT_STUCK || fault == FAULT_RIVAL;
}

enum problem run_patiently(
        struct database *database, enum problem (*run)(struct database *database, void *context), void *context) {
        enum problem p = run(database, context);

        for (size_t i = 1; i < ATTEMPTS_MAX && passes(p); i++) {
                p = database_connect(database);
                if (!p)
                        p = run(database, context);
        }
        return p;
}

/* ---- reading ---- */

enum problem found_orders_read(struct rows *rows, void *into) {
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

static bool is_unknown_in(const struct enum_column *column, const char *status) {
        int index;

        return !enum_column_find(column, status, &index);
}

static enum problem orders_read_locked(struct rows *rows, void *into) {
        struct reading *reading = into;

        reading->orders = arena_new_array(reading->erasure->arena, struct closed_order, rows_count(rows) + 1);
        reading->open = arena_new_array(reading->erasure->arena, struct open_order, rows_count(rows) + 1);
        if (!reading->orders || !reading->open)
                return FAULT_BUSY;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                struct closed_order *order = &reading->orders[reading->n_orders++];

                order->id = row_uuid(&row);
                order->number = row_text(&row);
                order->status = row_text(&row);
                order->refund_due = row_integer(&row);
                order->cancel_reason = row_text(&row);
                order->is_erased = row_boolean(&row);
                order->version = row_integer(&row) + 1;
                order->is_unknown = is_unknown_in(&order_status_column, order->status);
        }
        return PROBLEM_NONE;
}

static enum problem documents_read(
        struct rows *rows, void *into, void (*read)(struct row *row, struct document *document)) {
        struct documents *documents = into;

        documents->rows = arena_new_array(documents->arena, struct document, rows_count(rows) + 1);
        if (!documents->rows)
                return FAULT_BUSY;
        for (documents->n = 0; documents->n < rows_count(rows); documents->n++) {
                struct row row = row_at(rows, documents->n);

                read(&row, &documents->rows[documents->n]);
        }
        return PROBLEM_NONE;
}

static void status_read(struct row *row, struct document *document, const struct enum_column *column) {
        document->status = row_text(row);
        document->is_unknown = is_unknown_in(column, document->status);
}

static void fulfillment_read(struct row *row, struct document *document) {
        document->id = row_uuid(row);
        document->order_id = row_uuid(row);
        status_read(row, document, &fulfillment_status_column);
        document->reason = row_text(row);
        document->handover = row_text(row);
        document->packages = row_text(row);
}

static void payment_read(struct row *row, struct document *document) {
        document->order_id = row_uuid(row);
        document->capture_due = row_integer(row);
}

static void refund_read(struct row *row, struct document *document) {
        document->id = row_uuid(row);
        document->order_id = row_uuid(row);
        status_read(row, document, &refund_status_column);
        document->reason = row_text(row);
}

static void return_read(struct row *row, struct document *document) {
        document->id = row_uuid(row);
        document->order_id = row_uuid(row);
        status_read(row, document, &return_status_column);
        document->reason = row_text(row);
        document->text = row_text(row);
}

static void document_text_read(struct row *row, struct document *document) {
        document->id = row_uuid(row);
        document->text = row_text(row);
}

static enum problem fulfillments_read(struct rows *rows, void *into) {
        return documents_read(rows, into, fulfillment_read);
}

static enum problem payments_read(struct rows *rows, void *into) {
        return documents_read(rows, into, payment_read);
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

static struct parameters *order_parameters(struct reading *reading, struct parameters *p) {
        struct array *ids;

        parameters_init(p, reading->erasure->arena);
        ids = parameter_uuids(p);
        for (size_t i = 0; i < reading->n_orders; i++)
                array_uuid(ids, &reading->orders[i].id);
        return p;
}

static enum problem lock_orders(struct database *database, struct reading *reading) {
        struct parameters p;
        struct array *ids;

        parameters_init(&p, reading->erasure->arena);
        ids = parameter_uuids(&p);
        for (size_t i = 0; i < reading->n_ids; i++)
                array_uuid(ids, &reading->ids[i]);
        database_ask(database, &sql_erasure_lock_orders, &p, orders_read_locked, reading);
        database_ask(database, &sql_erasure_read_fulfillments, &p, fulfillments_read, &reading->fulfillments);
        database_ask(database, &sql_erasure_read_payments, &p, payments_read, &reading->payments);
        database_ask(database, &sql_erasure_read_refunds, &p, refunds_read, &reading->refunds);
        database_ask(database, &sql_erasure_read_returns, &p, returns_read_locked, &reading->returns);
        database_ask(database, &sql_clock, NULL, erasure_now_read, &reading->now);
        return database_trip(database, clock_monotonic() + TRIP_WAIT);
}

/* ---- judging ---- */

static struct closed_order *closed_order_of(struct reading *reading, const struct uuid *id) {
        for (size_t i = 0; i < reading->n_orders; i++)
                if (uuid_equal(&reading->orders[i].id, id))
                        return &reading->orders[i];
        return NULL;
}

static bool is_in_the_house(const char *status) {
        return text_equal(status, "allocated") || text_equal(status, "picking") || text_equal(status, "ready") ||
               text_equal(status, "packed");
}

/* Why an order is open, and what closes it; NULL when it is closed. */
static const char *why_open(const struct closed_order *order) {
        if (order->is_unknown)
                return "this program does not know a status of it: erase it with the program that wrote it";
        if (order->holds_units)
                return "units of it are in the house: hand over, ship or cancel them";
        if (!text_equal(order->status, "fulfilled") && !text_equal(order->status, "cancelled"))
                return "it is not fulfilled: POST /v1/orders/{id}/cancel what will not leave";
        if (order->awaits_goods)
                return "goods of it are on their way back: POST /v1/returns/{id}/receive or cancel";
        if (order->awaits_capture)
                return "a payment is not captured yet: POST what the provider did to /v1/payments/{id}/events";
        if (order->refund_due)
                return "a refund is due: POST /v1/orders/{id}/refunds";
        return order->awaits_refund ? "a refund is under way: POST what the provider did to /v1/payments/{id}/events"
                                    : NULL;
}

static bool is_unknown(const struct document *document) {
        return document->is_unknown;
}

static bool awaits_goods(const struct document *rma) {
        return text_equal(rma->status, "authorized") || text_equal(rma->status, "partially_received");
}

static bool awaits_refund(const struct document *refund) {
        return text_equal(refund->status, "pending") || text_equal(refund->status, "issued");
}

static bool awaits_capture(const struct document *payment) {
        return payment->capture_due > 0;
}

static bool holds_units(const struct document *fulfillment) {
        return is_in_the_house(fulfillment->status);
}

/* What keeps orders open besides their own rows. */
#define MARK(documents, what)                                                                                          \
        for (size_t i = 0; i < reading->documents.n; i++) {                                                            \
                struct closed_order *order = closed_order_of(reading, &reading->documents.rows[i].order_id);           \
                                                                                                                       \
                if (order && what(&reading->documents.rows[i]))                                                        \
                        order->what = true;                                                                            \
        }

static void find_dues(struct reading *reading) {
        MARK(fulfillments, is_unknown)
        MARK(refunds, is_unknown)
        MARK(returns, is_unknown)
        MARK(fulfillments, holds_units)
        MARK(returns, awaits_goods)
        MARK(payments, awaits_capture)
        MARK(refunds, awaits_refund)
}

/* Keep those that are to be erased. */
static void open_orders_leave(struct reading *reading) {
        size_t n = 0;

        find_dues(reading);
        for (size_t i = 0; i < reading->n_orders; i++) {
                const struct closed_order *order = &reading->orders[i];
                const char *why = why_open(order);

                if (why)
                        reading->open[reading->n_open++] = (struct open_order){ order->number, why };
                reading->n_before += !why && order->is_erased;
                if (!why && !order->is_erased)
                        reading->orders[n++] = *order;
        }
        reading->n_orders = n;
}

/* ---- what hangs on the orders that are to be erased ---- */

static void want_records(struct database *database, struct reading *reading) {
        struct arena *arena = reading->erasure->arena;
        struct parameters p;
        struct array *patterns;
        char id[UUID_TEXT_SIZE];

        parameters_init(&p, arena);
        patterns = parameter_texts(&p);
        for (size_t i = 0; i < reading->n_orders; i++) {
                uuid_format(&reading->orders[i].id, id);
                array_text(patterns, arena_format(arena, "%%%s%%", id));
        }
        for (size_t i = 0; i < reading->fulfillments.n; i++) {
                if (!closed_order_of(reading, &reading->fulfillments.rows[i].order_id))
                        continue;
                uuid_format(&reading->fulfillments.rows[i].id, id);
                array_text(patterns, arena_format(arena, "%%%s%%", id));
        }
        database_ask(database, &sql_erasure_read_records, &p, texts_read, &reading->records);
}

static enum problem read_more(struct database *database, struct reading *reading) {
        struct parameters p;

        database_ask(database, &sql_erasure_read_events, order_parameters(reading, &p), texts_read, &reading->events);
        if (reading->erasure->records)
                want_records(database, reading);
        return database_trip(database, clock_monotonic() + TRIP_WAIT);
}

/* ---- writing what is left ---- */

static void save_orders(struct database *database, struct reading *reading) {
        struct parameters p;
        struct array *reasons;
        char now[TIMESTAMP_TEXT_SIZE];

        (void) order_parameters(reading, &p);
        database_ask(database, &sql_erasure_save_discounts, &p, NULL, NULL);
        (void) order_parameters(reading, &p);
        reasons = parameter_texts(&p);
        for (size_t i = 0; i < reading->n_orders; i++)
                array_text(reasons, redact_reason(reading->orders[i].cancel_reason));
        parameter_time(&p, reading->now);
        timestamp_format(reading->now, now);
        parameter_text(&p, arena_text(reading->erasure->arena, now));
        database_ask(database, &sql_erasure_save_orders, &p, NULL, NULL);
}

static void save_money(struct database *database, struct reading *reading) {
        struct parameters p;
        struct array *ids, *reasons;

        (void) order_parameters(reading, &p);
        parameter_time(&p, reading->now);
        database_ask(database, &sql_erasure_save_payments, &p, NULL, NULL);
        parameters_init(&p, reading->erasure->arena);
        ids = parameter_uuids(&p);
        reasons = parameter_texts(&p);
        parameter_time(&p, reading->now);
        for (size_t i = 0; i < reading->refunds.n; i++) {
                if (!closed_order_of(reading, &reading->refunds.rows[i].order_id))
                        continue;
                array_uuid(ids, &reading->refunds.rows[i].id);
                array_text(reasons, redact_reason(reading->refunds.rows[i].reason));
        }
        if (ids->n)
                database_ask(database, &sql_erasure_save_refunds, &p, NULL, NULL);
}

static bool save_returns(struct database *database, struct reading *reading) {
        struct arena *arena = reading->erasure->arena;
        struct parameters p;
        struct array *ids, *reasons, *unexpected;

        database_ask(database, &sql_erasure_save_return_lines, order_parameters(reading, &p), NULL, NULL);
        parameters_init(&p, arena);
        ids = parameter_uuids(&p);
        reasons = parameter_texts(&p);
        unexpected = parameter_jsonbs(&p);
        for (size_t i = 0; i < reading->returns.n; i++) {
                const struct document *kept = &reading->returns.rows[i];
                const char *text = redact_document(kept->text, arena);

                if (!closed_order_of(reading, &kept->order_id))
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

static bool save_fulfillments(struct database *database, struct reading *reading) {
        struct arena *arena = reading->erasure->arena;
        struct parameters p;
        struct array *ids, *reasons, *handovers, *packages;

        parameters_init(&p, arena);
        ids = parameter_uuids(&p);
        reasons = parameter_texts(&p);
        handovers = parameter_jsonbs(&p);
        packages = parameter_jsonbs(&p);
        for (size_t i = 0; i < reading->fulfillments.n; i++) {
                const struct document *kept = &reading->fulfillments.rows[i];
                const char *handover = kept->handover ? redact_document(kept->handover, arena) : NULL;
                const char *parcels = redact_document(kept->packages, arena);

                if (!closed_order_of(reading, &kept->order_id))
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

static bool save_texts(struct database *database, struct arena *arena, const struct documents *documents,
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

static enum problem erasure_events_save(struct database *database, struct reading *reading) {
        struct events events;

        events_init(&events, reading->erasure->arena);
        for (size_t i = 0; i < reading->n_orders; i++) {
                struct event *event = event_add(&events, "order.customer_erased", ACTOR);

                event->order_id = &reading->orders[i].id;
                event->version_of = &reading->orders[i].version;
                event_text(event, "cause", reading->erasure->cause);
        }
        return events_save(database, &events, reading->now);
}

static enum problem erasure_save(struct database *database, struct reading *reading) {
        struct arena *arena = reading->erasure->arena;
        enum problem p;

        save_orders(database, reading);
        save_money(database, reading);
        if (!save_returns(database, reading) || !save_fulfillments(database, reading) ||
                !save_texts(
                        database, arena, &reading->events, &sql_erasure_save_events, parameter_jsonbs, array_jsonb) ||
                !save_texts(database, arena, &reading->records, &sql_erasure_save_records, parameter_texts, array_text))
                return FAULT_BUSY;
        p = erasure_events_save(database, reading);
        if (p)
                return p;
        database_commit(database);
        return database_trip(database, clock_monotonic() + TRIP_WAIT);
}

/* ---- a batch ---- */

static enum problem orders_unlock(struct database *database) {
        database_ask(database, &sql_rollback, NULL, NULL, NULL);
        return database_trip(database, clock_monotonic() + TRIP_WAIT);
}

static void erasure_count(const struct reading *reading) {
        struct erasure *erasure = reading->erasure;

        for (size_t i = 0; i < reading->n_open && erasure->is_open; i++)
                erasure->is_open(reading->open[i].number, reading->open[i].why);
        erasure->erased += reading->n_orders;
        erasure->open += reading->n_open;
        erasure->before += reading->n_before;
        erasure->records_erased += reading->records.n;
}

static enum problem batch_erase(struct database *database, void *context) {
        struct reading *given = context;
        struct arena *arena = given->erasure->arena;
        struct reading reading = { .erasure = given->erasure,
                .ids = given->ids,
                .n_ids = given->n_ids,
                .fulfillments.arena = arena,
                .payments.arena = arena,
                .refunds.arena = arena,
                .returns.arena = arena,
                .events.arena = arena,
                .records.arena = arena };
        enum problem p;

        database_begin(database);
        p = lock_orders(database, &reading);
        if (p)
                return p;
        open_orders_leave(&reading);
        if (reading.n_orders && !reading.erasure->dry_run) {
                p = read_more(database, &reading);
                if (!p)
                        p = erasure_save(database, &reading);
        } else {
                p = orders_unlock(database);
        }
        if (!p)
                erasure_count(&reading);
        return p;
}

enum problem erase_orders(struct erasure *erasure, const struct uuid *ids, size_t n) {
        struct reading reading = { .erasure = erasure, .ids = ids, .n_ids = n };

        return n ? run_patiently(erasure->database, batch_erase, &reading) : PROBLEM_NONE;
}
