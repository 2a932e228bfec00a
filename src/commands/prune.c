/* holdfast prune: delete records past their retention period, in small batches and while the service runs. */
#include "commands/commands.h"

#include "base/config.h"
#include "base/text.h"
#include "commands/jobs.h"
#include "db/connection.h"
#include "privacy/erasure.h"
#include "sql/retention.h"
#include "sql/transaction.h"
#include "webhooks/attempts.h"

#include <inttypes.h>
#include <stdio.h>

#define PRUNED_AT_ONCE     1000
#define PARTS_AT_ONCE      4   /* partitions of the event log, which are locked until the commit */
#define SLOT_KEPT_FOR      DAY /* after its beginning; a place in it can only have been taken before that */
#define FAILURE_KEPT_FOR   (30 * DAY)
#define PRUNE_TRIP_WAIT    (10 * MINUTE)
#define STATEMENT_MS_LIMIT 600000

/* Kinds of records deleted by age. */
static const struct kind {
        const char *name;
        enum setting setting; /* SETTING_COUNT: none, always the same age */
        duration age;
        const struct statement *statement;
        bool by_id; /* ids are ordered by time, so batches go along them */
} kinds[] = {
        { "idempotency records", CONFIG_RETENTION_IDEMPOTENCY, 0, &sql_prune_idempotency, false },
        { "event log", CONFIG_RETENTION_EVENT_LOG, 0, &sql_prune_event_log, false },
        { "events", CONFIG_RETENTION_EVENTS, 0, &sql_prune_events, true },
        { "reservations", CONFIG_RETENTION_RESERVATIONS, 0, &sql_prune_reservations, true },
        { "deliveries", SETTING_COUNT, ATTEMPTS_KEPT_FOR, &sql_prune_webhook_attempts, false },
        { "given up deliveries", SETTING_COUNT, FAILURE_KEPT_FOR, &sql_prune_webhook_failures, false },
        { "notifications", CONFIG_RETENTION_NOTIFICATIONS, 0, &sql_prune_notifications, false },
        { "past slots", SETTING_COUNT, SLOT_KEPT_FOR, &sql_prune_slots, false },
};

/* The service deletes these by scheduled jobs. */
const struct job pruning_jobs[] = {
        { "prune_idempotency", JOBS_TIDYING, .batch = PRUNED_AT_ONCE, .prune = &sql_prune_idempotency,
                .has_kept_setting = true, .kept_setting = CONFIG_RETENTION_IDEMPOTENCY },
        { "prune_event_log", JOBS_TIDYING, .every = 10 * SECOND, .batch = PARTS_AT_ONCE, .prune = &sql_prune_event_log,
                .has_kept_setting = true, .kept_setting = CONFIG_RETENTION_EVENT_LOG },
        { "prune_webhook_attempts", JOBS_TIDYING, .every = 10 * SECOND, .batch = PRUNED_AT_ONCE,
                .prune = &sql_prune_webhook_attempts, .kept_for = ATTEMPTS_KEPT_FOR },
        { "prune_webhook_failures", JOBS_TIDYING, .every = MINUTE, .batch = PRUNED_AT_ONCE,
                .prune = &sql_prune_webhook_failures, .kept_for = FAILURE_KEPT_FOR },
        { "prune_notifications", JOBS_TIDYING, .every = 10 * SECOND, .batch = PRUNED_AT_ONCE,
                .prune = &sql_prune_notifications, .has_kept_setting = true,
                .kept_setting = CONFIG_RETENTION_NOTIFICATIONS },
};
const size_t pruning_job_count = array_size(pruning_jobs);

struct prune {
        struct database *database;
        struct arena arena; /* of one batch */
        bool dry_run;
        timestamp now;
        /* The batch at hand. */
        const struct kind *kind;
        timestamp before;
        struct uuid after, last; /* its first id, and the last id it has checked */
        int64_t limit, n;
};

/* ---- rows ---- */

static enum problem prune_rows_read(struct rows *rows, void *into) {
        struct prune *prune = into;
        struct row row = row_at(rows, 0);

        prune->n = row_integer(&row);
        prune->last = row_uuid(&row);
        return PROBLEM_NONE;
}

static enum problem batch_prune(struct database *database, void *context) {
        struct prune *prune = context;
        const struct uuid end = uuid_floor(prune->before);
        struct parameters p;

        arena_reset(&prune->arena);
        database_begin(database);
        parameters_init(&p, &prune->arena);
        parameter_time(&p, prune->before);
        parameter_integer(&p, prune->limit);
        parameter_boolean(&p, !prune->dry_run);
        if (prune->kind->by_id) {
                parameter_uuid(&p, &prune->after);
                parameter_uuid(&p, &end);
        }
        database_ask(database, prune->kind->statement, &p, prune_rows_read, prune);
        database_commit(database);
        return database_trip(database, clock_monotonic() + PRUNE_TRIP_WAIT);
}

static void prune_print(const char *what, const char *verb, int64_t n) {
        (void) printf("%-22s %10" PRId64 " %s\n", what, n, verb);
}

static void say_kept(const char *what, enum setting setting) {
        (void) printf("%-22s          - kept: %s is not set\n", what, setting_variable(setting));
}

/* A dry run does not delete the rows it has counted, so it goes along the ids, or counts all at once. */
static enum problem kind_prune(struct prune *prune, const struct kind *kind) {
        const duration age = kind->setting == SETTING_COUNT ? kind->age : config_integer(kind->setting);
        enum problem p = PROBLEM_NONE;
        int64_t sum = 0;

        if (!age) {
                say_kept(kind->name, kind->setting);
                return PROBLEM_NONE;
        }
        prune->kind = kind;
        prune->before = prune->now - age;
        prune->after = (struct uuid){ 0 };
        prune->limit = prune->dry_run && !kind->by_id ? INT64_MAX : PRUNED_AT_ONCE;
        do {
                p = run_patiently(prune->database, batch_prune, prune);
                sum += p ? 0 : prune->n;
                prune->after = prune->last;
        } while (!p && prune->n == prune->limit);
        if (!p)
                prune_print(kind->name, prune->dry_run ? "would go" : "removed", sum);
        return p;
}

/* ---- customers ---- */

static enum problem customers_erase_some(
        struct prune *prune, struct erasure *erasure, struct found_order *last, size_t *ret_n) {
        struct uuid ids[ERASED_AT_ONCE];
        struct found_orders found;
        enum problem p;

        arena_reset(&prune->arena);
        found = (struct found_orders){ .arena = &prune->arena };
        p = orders_find_aged(prune->database, prune->now - config_integer(CONFIG_RETENTION_PERSONAL_DATA),
                ERASED_AT_ONCE, last, &found);
        if (p)
                return p;
        for (size_t i = 0; i < found.n; i++)
                ids[i] = found.rows[i].id;
        *ret_n = found.n;
        if (found.n)
                *last = found.rows[found.n - 1];
        return erase_orders(erasure, ids, found.n);
}

static enum problem customers_erase(struct prune *prune) {
        struct erasure erasure = {
                .database = prune->database, .arena = &prune->arena, .cause = "age", .dry_run = prune->dry_run
        };
        struct found_order last = { .updated_at = 0 };
        enum problem p = PROBLEM_NONE;
        size_t n = 0;

        if (!config_integer(CONFIG_RETENTION_PERSONAL_DATA)) {
                say_kept("customers of orders", CONFIG_RETENTION_PERSONAL_DATA);
                return PROBLEM_NONE;
        }
        do {
                p = customers_erase_some(prune, &erasure, &last, &n);
        } while (!p && n == ERASED_AT_ONCE);
        if (p)
                return p;
        prune_print("customers of orders", prune->dry_run ? "would be erased" : "erased", (int64_t) erasure.erased);
        if (erasure.open)
                prune_print("", "kept: their orders are still open", (int64_t) erasure.open);
        return PROBLEM_NONE;
}

/* ---- the command ---- */

static enum problem prune_read_clock(struct prune *prune) {
        database_begin(prune->database);
        database_ask_clock(prune->database, &prune->now);
        database_commit(prune->database);
        return database_trip(prune->database, clock_monotonic() + DATABASE_SHORT_WAIT);
}

static int prune_run(struct prune *prune) {
        enum problem p = prune_read_clock(prune);

        for (size_t i = 0; i < array_size(kinds) && !p; i++)
                p = kind_prune(prune, &kinds[i]);
        if (!p)
                p = customers_erase(prune);
        if (!p)
                return EXIT_OK;
        (void) fprintf(stderr,
                "holdfast: prune stopped early: %s\nholdfast: run it again; deleted records stay deleted, all others are complete\n",
                database_message(prune->database));
        return p == FAULT_LOST ? EXIT_NO_DATABASE : EXIT_FAILED;
}

int command_prune(int argc, char **argv) {
        _cleanup_(database_close_cleanup) struct database *database = NULL;
        struct prune prune = { 0 };
        int code;

        prune.dry_run = argc == 2 && text_equal(argv[1], "--dry-run");
        if (argc > 1 && !prune.dry_run)
                return command_misused("prune");
        if (command_database_config())
                return EXIT_BAD_CONFIG;
        code = command_open(STATEMENT_MS_LIMIT, &database);
        if (code)
                return code;
        prune.database = database;
        arena_init(&prune.arena, ERASURE_MEMORY_MAX);
        code = prune_run(&prune);
        arena_clear(&prune.arena);
        return code;
}
