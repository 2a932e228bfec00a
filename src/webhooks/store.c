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
                &sql_webhook_failures_delete };

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
        struct records inserted, begun, updated;

        records_begin(&inserted, arena, &sql_webhooks_insert, &webhook_columns);
        records_begin(&begun, arena, &sql_webhook_progress_insert, &webhook_columns);
        records_begin(&updated, arena, &sql_webhooks_update, &webhook_columns);
        for (size_t i = 0; i < n; i++) {
                if (list[i]->is_new) {
                        records_add(&inserted, list[i]);
                        records_add(&begun, list[i]);
                } else if (list[i]->changed && !list[i]->gone) {
                        records_add(&updated, list[i]);
                }
        }
        records_ask(&inserted, database);
        records_ask(&begun, database);
        records_ask(&updated, database);
        resumed_save(database, arena, list, n);
        gone_delete(database, arena, list, n);
        if (n)
                topic_change(database, TOPIC_WEBHOOKS, "");
}
