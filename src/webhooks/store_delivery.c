#include "webhooks/store_delivery.h"

#include "db/connection.h"
#include "events/columns.h"
#include "sql/webhooks.h"
#include "webhooks/columns.h"

static const struct column failure_columns[] = {
        { "webhook_id", UUID_AT(struct webhook_failure, webhook_id) },
        { "position", INTEGER_AT(struct webhook_failure, position) },
        { "event_id", UUID_AT(struct webhook_failure, event_id) },
        { "attempts", INTEGER_AT(struct webhook_failure, attempts) },
        { "due_at", TIME_AT(struct webhook_failure, due_at) },
        { "died_at", TIME_AT(struct webhook_failure, died_at) },
};
const struct columns webhook_failure_columns = { "webhook_failures", COLUMNS(struct webhook_failure, failure_columns) };

/* ---- leases ---- */

static enum problem leases_take(struct rows *rows, void *into) {
        struct leases *leases = into;
        struct row row = row_at(rows, 0);

        leases->taken = (size_t) row_integer(&row);
        leases->share = (size_t) row_integer(&row);
        leases->now = row_time(&row);
        return PROBLEM_NONE;
}

void webhooks_lease(
        struct database *database, struct arena *arena, const struct uuid *instance, struct leases *leases) {
        struct parameters p;

        parameters_init(&p, arena);
        parameter_uuid(&p, instance);
        database_ask(database, &sql_webhooks_lease, &p, leases_take, leases);
}

static enum problem leased_take(struct rows *rows, void *into) {
        struct webhook_set *set = into;

        set->rows = rows_fill(rows, &webhook_columns, set->arena);
        set->n = set->rows ? rows_count(rows) : 0;
        return set->rows ? PROBLEM_NONE : FAULT_BUSY;
}

void webhooks_leased_ask(struct database *database, struct webhook_set *set, const struct uuid *instance) {
        struct parameters p;

        parameters_init(&p, set->arena);
        parameter_uuid(&p, instance);
        database_ask(database, &sql_webhooks_leased, &p, leased_take, set);
}

void webhooks_release(
        struct database *database, struct arena *arena, const struct uuid *instance, const struct uuid *ids, size_t n) {
        struct parameters p;
        struct array *array;

        parameters_init(&p, arena);
        parameter_uuid(&p, instance);
        if (ids) {
                array = parameter_uuids(&p);
                for (size_t i = 0; i < n; i++)
                        array_uuid(array, &ids[i]);
        } else {
                parameter_null(&p);
        }
        database_ask(database, &sql_webhooks_release, &p, NULL, NULL);
}

/* ---- failed events ---- */

static enum problem ids_take(struct rows *rows, void *into) {
        struct webhook_ids *kept = into;

        kept->ids = arena_new_array(kept->arena, struct uuid, rows_count(rows));
        if (!kept->ids)
                return FAULT_BUSY;
        kept->n = rows_count(rows);
        for (size_t i = 0; i < kept->n; i++) {
                struct row row = row_at(rows, i);

                kept->ids[i] = row_uuid(&row);
        }
        return PROBLEM_NONE;
}

void webhooks_with_failures_ask(
        struct database *database, struct webhook_ids *ret_ids, const struct uuid *ids, size_t n) {
        struct parameters p;
        struct array *wanted;

        parameters_init(&p, ret_ids->arena);
        wanted = parameter_uuids(&p);
        for (size_t i = 0; i < n; i++)
                array_uuid(wanted, &ids[i]);
        database_ask(database, &sql_webhooks_with_failures, &p, ids_take, ret_ids);
}

static enum problem failures_take(struct rows *rows, void *into) {
        struct webhook_failures *failures = into;

        failures->rows = rows_fill(rows, &webhook_failure_columns, failures->arena);
        failures->n = failures->rows ? rows_count(rows) : 0;
        return failures->rows ? PROBLEM_NONE : FAULT_BUSY;
}

static enum problem logged_events_take(struct rows *rows, void *into) {
        struct log_page *page = into;

        page->events = rows_fill(rows, &log_event_columns, page->arena);
        page->n = page->events ? rows_count(rows) : 0;
        return page->events ? PROBLEM_NONE : FAULT_BUSY;
}

void webhook_failures_ask(
        struct database *database, struct webhook_failures *failures, const struct uuid *id, int64_t limit) {
        struct parameters rows, events;

        parameters_init(&rows, failures->arena);
        parameter_uuid(&rows, id);
        parameter_integer(&rows, limit);
        database_ask(database, &sql_webhook_failures_due, &rows, failures_take, failures);
        parameters_init(&events, failures->arena);
        parameter_uuid(&events, id);
        parameter_integer(&events, limit);
        failures->page.arena = failures->arena;
        database_ask(database, &sql_webhook_failures_read, &events, logged_events_take, &failures->page);
}

static void failures_ask(struct database *database, struct arena *arena, const struct statement *statement,
        const struct webhook_failure *list, size_t n) {
        struct records records;

        records_begin(&records, arena, statement, &webhook_failure_columns);
        for (size_t i = 0; i < n; i++)
                records_add(&records, &list[i]);
        records_ask(&records, database);
}

void webhook_failures_store(
        struct database *database, struct arena *arena, const struct webhook_failure *list, size_t n) {
        failures_ask(database, arena, &sql_webhook_failures_save, list, n);
}

void webhook_failures_drop(
        struct database *database, struct arena *arena, const struct webhook_failure *list, size_t n) {
        failures_ask(database, arena, &sql_webhook_failures_end, list, n);
}

/* ---- progress ---- */

void webhook_progress_store(struct database *database, struct arena *arena, const struct uuid *instance,
        const struct webhook_progress *list, size_t n, struct webhook_ids *kept) {
        struct parameters p;
        struct array *ids, *cursors, *failing, *successes, *gone;

        kept->arena = arena;
        parameters_init(&p, arena);
        ids = parameter_uuids(&p);
        cursors = parameter_integers(&p);
        failing = parameter_times(&p);
        successes = parameter_times(&p);
        for (size_t i = 0; i < n; i++) {
                array_uuid(ids, &list[i].webhook_id);
                array_integer(cursors, list[i].cursor);
                array_time(failing, list[i].failing_since);
                array_time(successes, list[i].last_success_at);
        }
        parameter_uuid(&p, instance);
        gone = parameter_integers(&p);
        for (size_t i = 0; i < n; i++)
                array_integer(gone, list[i].gone_version);
        database_ask(database, &sql_webhook_progress_save, &p, ids_take, kept);
}

/* ---- events once more ---- */

void webhook_tests_take(struct database *database, struct webhook_set *set, int64_t limit) {
        struct parameters p;

        parameters_init(&p, set->arena);
        parameter_integer(&p, limit);
        database_ask(database, &sql_webhook_tests_take, &p, leased_take, set);
}

void webhook_dead_ask(struct database *database, struct log_page *page, const struct uuid *id, int64_t after,
        int64_t until, int64_t limit) {
        struct parameters p;

        parameters_init(&p, page->arena);
        parameter_uuid(&p, id);
        parameter_integer(&p, after);
        parameter_integer(&p, until);
        parameter_integer(&p, limit);
        database_ask(database, &sql_webhook_dead_read, &p, logged_events_take, page);
}

void webhook_replays_store(
        struct database *database, struct arena *arena, const struct webhook_replay *list, size_t n) {
        struct parameters p;
        struct array *ids, *positions;

        parameters_init(&p, arena);
        ids = parameter_uuids(&p);
        positions = parameter_integers(&p);
        for (size_t i = 0; i < n; i++) {
                array_uuid(ids, &list[i].id);
                array_integer(positions, list[i].position);
        }
        if (n)
                database_ask(database, &sql_webhook_replays_save, &p, NULL, NULL);
}
