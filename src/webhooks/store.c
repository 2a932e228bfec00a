#include "base/sorted.h"
#include "db/connection.h"
#include "events/topics.h"
#include "sql/webhooks.h"
#include "webhooks/columns.h"
#include "webhooks/webhooks.h"

static const struct enum_column mode_column = { "webhooks", "mode", .texts = webhook_modes };
static const struct enum_column state_column = { "webhooks", "state", .lifecycle = &webhook_lifecycle };

static const struct column columns[] = {
        { "id", UUID_AT(struct webhook, id) },
        { "url", TEXT_AT(struct webhook, url) },
        { "types", TEXT_AT(struct webhook, types) },
        { "locations", TEXT_AT(struct webhook, locations) },
        { "channels", TEXT_AT(struct webhook, channels) },
        { "description", TEXT_AT(struct webhook, description) },
        { "mode", ENUM_AT(struct webhook, mode), .words = &mode_column },
        { "max_in_flight", INTEGER_AT(struct webhook, max_in_flight) },
        { "state", ENUM_AT(struct webhook, state), .words = &state_column },
        { "secret", TEXT_AT(struct webhook, secret) },
        { "secret_hint", TEXT_AT(struct webhook, secret_hint) },
        { "secret_previous", TEXT_AT(struct webhook, secret_previous) },
        { "previous_until", TIME_AT(struct webhook, previous_until) },
        { "actor", TEXT_AT(struct webhook, actor) },
        { "created_at", TIME_AT(struct webhook, created_at) },
        { "updated_at", TIME_AT(struct webhook, updated_at) },
        { "version", INTEGER_AT(struct webhook, version) },
        { "cursor", INTEGER_AT(struct webhook, cursor) },
        { "head", INTEGER_AT(struct webhook, head) },
        { "failing_since", TIME_AT(struct webhook, failing_since) },
        { "last_success_at", TIME_AT(struct webhook, last_success_at) },
        { "gone_version", INTEGER_AT(struct webhook, gone_version) },
        { "tests_waiting", INTEGER_AT(struct webhook, tests_waiting) },
        { "test_id", UUID_AT(struct webhook, test_id) },
        { "replay_id", UUID_AT(struct webhook, replay_id), .nullable = true },
        { "after_position", INTEGER_AT(struct webhook, after_position) },
        { "until_position", INTEGER_AT(struct webhook, until_position) },
        { "replay_types", TEXT_AT(struct webhook, replay_types) },
        { "only_failed", BOOLEAN_AT(struct webhook, only_failed) },
};
const struct columns webhook_columns = { "webhooks", COLUMNS(struct webhook, columns) };

/* ---- reading ---- */

static enum problem webhooks_take(struct rows *rows, void *into) {
        struct webhook_set *set = into;

        set->rows = rows_fill(rows, &webhook_columns, set->arena);
        set->n = set->rows ? rows_count(rows) : 0;
        return set->rows ? PROBLEM_NONE : FAULT_BUSY;
}

void webhooks_read(struct database *database, struct webhook_set *set, const struct uuid *ids, size_t n, bool locked) {
        struct parameters p;
        struct array *wanted;

        parameters_init(&p, set->arena);
        wanted = parameter_uuids(&p);
        for (size_t i = 0; i < n; i++)
                array_uuid(wanted, &ids[i]);
        database_ask(database, locked ? &sql_webhooks_lock : &sql_webhooks_read, &p, webhooks_take, set);
}

static int webhook_id_compare(const void *left, const void *right) {
        return uuid_compare(left, &((const struct webhook *) right)->id);
}

struct webhook *webhook_find(const struct webhook_set *set, const struct uuid *id) {
        return sorted_find(id, set->rows, set->n, sizeof(*set->rows), webhook_id_compare);
}

void webhooks_page_ask(struct database *database, struct webhook_set *set, const struct uuid *after, int64_t limit) {
        struct parameters p;

        parameters_init(&p, set->arena);
        parameter_uuid(&p, after);
        parameter_integer(&p, limit);
        database_ask(database, &sql_webhooks_page, &p, webhooks_take, set);
}

static enum problem count_take(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        ((struct webhook_set *) into)->total = row_integer(&row);
        return PROBLEM_NONE;
}

void webhooks_count_locked(struct database *database, struct webhook_set *set) {
        database_ask(database, &sql_webhooks_guard, NULL, NULL, NULL);
        database_ask(database, &sql_webhooks_count, NULL, count_take, set);
}

/* ---- writing ---- */

/* Queue a statement whose only parameter is the ids of some endpoints. */
struct ids {
        struct parameters parameters;
        struct array *array;
        size_t n;
};

static void ids_begin(struct ids *ids, struct arena *arena) {
        ids->n = 0;
        parameters_init(&ids->parameters, arena);
        ids->array = parameter_uuids(&ids->parameters);
}

static void ids_add(struct ids *ids, const struct webhook *webhook) {
        array_uuid(ids->array, &webhook->id);
        ids->n++;
}

static void resumed_save(struct database *database, struct arena *arena, struct webhook *const *list, size_t n) {
        struct ids ids;

        ids_begin(&ids, arena);
        for (size_t i = 0; i < n; i++)
                if (list[i]->resumed && !list[i]->gone)
                        ids_add(&ids, list[i]);
        if (ids.n)
                database_ask(database, &sql_webhook_progress_resume, &ids.parameters, NULL, NULL);
}

static void gone_delete(struct database *database, struct arena *arena, struct webhook *const *list, size_t n) {
        const struct statement *const each_of[] = { &sql_webhooks_delete, &sql_webhook_progress_delete,
                &sql_webhook_failures_delete, &sql_webhook_tests_delete, &sql_webhook_replays_delete };

        for (size_t each = 0; each < array_size(each_of); each++) {
                struct ids ids;

                ids_begin(&ids, arena);
                for (size_t i = 0; i < n; i++)
                        if (list[i]->gone)
                                ids_add(&ids, list[i]);
                if (ids.n)
                        database_ask(database, each_of[each], &ids.parameters, NULL, NULL);
        }
}

void webhooks_save(struct database *database, struct arena *arena, struct webhook *const *list, size_t n) {
        struct records inserted, begun, updated, replayed, resealed;

        records_begin(&inserted, arena, &sql_webhooks_insert, &webhook_columns);
        records_begin(&begun, arena, &sql_webhook_progress_insert, &webhook_columns);
        records_begin(&updated, arena, &sql_webhooks_update, &webhook_columns);
        records_begin(&replayed, arena, &sql_webhook_replays_insert, &webhook_columns);
        records_begin(&resealed, arena, &sql_webhooks_reseal, &webhook_columns);
        for (size_t i = 0; i < n; i++) {
                if (list[i]->is_new) {
                        records_add(&inserted, list[i]);
                        records_add(&begun, list[i]);
                } else if (list[i]->changed && !list[i]->gone) {
                        records_add(&updated, list[i]);
                }
                if (list[i]->replayed && !list[i]->gone)
                        records_add(&replayed, list[i]);
                if (list[i]->resealed)
                        records_add(&resealed, list[i]);
        }
        records_ask(&inserted, database);
        records_ask(&begun, database);
        records_ask(&updated, database);
        records_ask(&replayed, database);
        records_ask(&resealed, database);
        resumed_save(database, arena, list, n);
        gone_delete(database, arena, list, n);
        if (n)
                topic_change(database, TOPIC_WEBHOOKS, "");
}

/* ---- tests and replays ---- */

static const struct column test_columns[] = {
        { "event_id", UUID_AT(struct webhook_test, event_id) },
        { "webhook_id", UUID_AT(struct webhook_test, webhook_id) },
        { "created_at", TIME_AT(struct webhook_test, created_at) },
};
const struct columns webhook_test_columns = { "webhook_tests", COLUMNS(struct webhook_test, test_columns) };

void webhook_tests_save(struct database *database, struct arena *arena, const struct webhook_test *list, size_t n) {
        struct records records;

        records_begin(&records, arena, &sql_webhook_tests_insert, &webhook_test_columns);
        for (size_t i = 0; i < n; i++)
                records_add(&records, &list[i]);
        records_ask(&records, database);
        if (n)
                topic_change(database, TOPIC_WEBHOOKS, "");
}

static enum problem positions_take(struct rows *rows, void *into) {
        int64_t *positions = into;

        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);

                positions[i] = row_integer(&row);
        }
        return PROBLEM_NONE;
}

void webhook_positions_ask(
        struct database *database, struct arena *arena, const timestamp *times, size_t n, int64_t *ret_positions) {
        struct parameters p;
        struct array *array;

        parameters_init(&p, arena);
        array = parameter_times(&p);
        for (size_t i = 0; i < n; i++)
                array_time(array, times[i]);
        if (n)
                database_ask(database, &sql_webhook_positions_at, &p, positions_take, ret_positions);
}

void webhook_position_ask(struct database *database, struct arena *arena, const struct uuid *webhook_id,
        const struct uuid *event_id, int64_t *ret_position) {
        struct parameters p;

        parameters_init(&p, arena);
        parameter_uuid(&p, webhook_id);
        parameter_uuid(&p, event_id);
        database_ask(database, &sql_webhook_position_of, &p, positions_take, ret_position);
}

/* ---- events that were given up ---- */

static const struct column dead_columns[] = {
        { "webhook_id", UUID_AT(struct webhook_dead, webhook_id) },
        { "event_id", UUID_AT(struct webhook_dead, event_id) },
        { "position", INTEGER_AT(struct webhook_dead, position) },
        { "attempts", INTEGER_AT(struct webhook_dead, attempts) },
        { "type", TEXT_AT(struct webhook_dead, type) },
};
const struct columns webhook_dead_columns = { "webhook_dead", COLUMNS(struct webhook_dead, dead_columns) };

static enum problem dead_take(struct rows *rows, void *into) {
        struct webhook_dead_set *set = into;

        set->rows = rows_fill(rows, &webhook_dead_columns, set->arena);
        set->n = set->rows ? rows_count(rows) : 0;
        return set->rows ? PROBLEM_NONE : FAULT_BUSY;
}

void webhook_dead_read(
        struct database *database, struct webhook_dead_set *set, const struct uuid *ids, size_t n, int64_t limit) {
        struct parameters p;
        struct array *wanted;

        parameters_init(&p, set->arena);
        wanted = parameter_uuids(&p);
        for (size_t i = 0; i < n; i++)
                array_uuid(wanted, &ids[i]);
        parameter_integer(&p, limit);
        database_ask(database, &sql_webhook_failures_to_tell, &p, dead_take, set);
}

void webhook_dead_told(struct database *database, const struct webhook_dead_set *set) {
        struct records records;

        records_begin(&records, set->arena, &sql_webhook_failures_told, &webhook_dead_columns);
        for (size_t i = 0; i < set->n; i++)
                records_add(&records, &set->rows[i]);
        records_ask(&records, database);
}
