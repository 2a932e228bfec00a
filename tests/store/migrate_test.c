/* Each test migrates a schema of its own, which goes with it. */
#include "fixture.h"

#include "db/migrate.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIGRATORS 4

static char schema[32];
static struct database_settings settings;
static struct database *database;

static struct database *connected(void) {
        struct database *made = database_new(&settings);

        cr_assert_eq(database_connect(made), PROBLEM_NONE, "%s", database_message(made));
        return made;
}

static void set_up(void) {
        const struct uuid random = uuid_random();

        (void) snprintf(schema, sizeof(schema), "test_%02x%02x%02x%02x", random.bytes[0], random.bytes[1],
                random.bytes[2], random.bytes[3]);
        settings = (struct database_settings){ .url = getenv("HOLDFAST_DATABASE_URL"),
                .schema = schema,
                .name = "migrate test",
                .plans = PLANS_FREE,
                .unprepared = true };
        database = connected();
}

static void execute(const char *sql) {
        database_ask_text(database, sql, NULL, NULL);
        cr_assert_eq(
                database_trip(database, clock_monotonic() + MINUTE), PROBLEM_NONE, "%s", database_message(database));
}

static void tear_down(void) {
        char drop[64];

        database = database_close(database);
        database = connected();
        (void) snprintf(drop, sizeof(drop), "drop schema if exists %s cascade", schema);
        execute(drop);
        database = database_close(database);
}

TestSuite(migrate, .init = set_up, .fini = tear_down);

static int announced;

static void announce(const struct migration *migration) {
        cr_assert_eq(migration->version, ++announced);
}

static enum problem migrate(struct migrate_report *report) {
        announced = 0;
        *report = (struct migrate_report){ -1, -1 };
        return migrate_to_head(database, schema, announce, report);
}

static void migrated(void) {
        struct migrate_report report;

        cr_assert_eq(migrate(&report), PROBLEM_NONE, "%s", database_message(database));
        cr_assert_eq(report.to, schema_head());
}

static int version(void) {
        struct schema_state state = { -1, -1 };

        cr_assert_eq(schema_look(database, schema, clock_monotonic() + MINUTE, &state), PROBLEM_NONE);
        return state.version;
}

/* What a program of tomorrow leaves in the book. */
static void migrated_tomorrow(const char *compatible) {
        char insert[192];

        migrated();
        (void) snprintf(insert, sizeof(insert),
                "insert into schema_migration (version, name, digest, compatible) values (%d, 'tomorrow', 'x', %s)",
                schema_head() + 1, compatible);
        execute(insert);
}

/* As a lane connects: it is going to work. */
static enum problem work(struct database **ret_worker) {
        static struct database_settings at_work;

        at_work = settings;
        at_work.unprepared = false;
        *ret_worker = database_new(&at_work);
        return database_connect(*ret_worker);
}

Test(migrate, an_empty_database_is_brought_to_head_step_by_step) {
        struct migrate_report report;

        cr_assert_eq(version(), 0);
        cr_assert_eq(migrate(&report), PROBLEM_NONE, "%s", database_message(database));
        cr_assert_eq(report.from, 0);
        cr_assert_eq(report.to, schema_head());
        cr_assert_eq(announced, schema_head());
        cr_assert_eq(version(), schema_head());
        execute("select from stock, reservations, idempotency");
}

Test(migrate, a_second_time_there_is_nothing_to_do) {
        struct migrate_report report;

        migrated();
        cr_assert_eq(migrate(&report), PROBLEM_NONE);
        cr_assert_eq(report.from, schema_head());
        cr_assert_eq(report.to, schema_head());
        cr_assert_eq(announced, 0);
}

Test(migrate, what_is_missing_is_added_and_what_is_there_stays) {
        struct migrate_report report;

        migrated();
        execute("insert into channels (code, name, kind, created_at, updated_at) values ('web', 'Web', 'web', now(), now())");
        cr_assert_eq(migrate(&report), PROBLEM_NONE);
        execute("delete from channels where code = 'web' and 1 / (select count(*) from channels) = 1");
}

static void *migrate_too(void *context) {
        struct database *mine = connected();
        struct migrate_report report = { -1, -1 };
        enum problem *p = context;

        *p = migrate_to_head(mine, schema, NULL, &report);
        if (!*p && report.to != schema_head())
                *p = PROBLEM_INTERNAL;
        mine = database_close(mine);
        return NULL;
}

Test(migrate, several_at_once_do_it_once) {
        pthread_t threads[MIGRATORS];
        enum problem problems[MIGRATORS];

        for (int i = 0; i < MIGRATORS; i++)
                cr_assert_eq(pthread_create(&threads[i], NULL, migrate_too, &problems[i]), 0);
        for (int i = 0; i < MIGRATORS; i++)
                cr_assert_eq(pthread_join(threads[i], NULL), 0);
        for (int i = 0; i < MIGRATORS; i++)
                cr_assert_eq(problems[i], PROBLEM_NONE);
        cr_assert_eq(version(), schema_head());
}

Test(migrate, a_newer_schema_is_not_touched) {
        struct migrate_report report;

        migrated();
        execute("insert into schema_migration (version, name, digest) values (999999, 'tomorrow', 'x')");
        cr_assert_eq(migrate(&report), FAULT_STALE);
        cr_assert_eq(announced, 0);
        cr_assert_eq(version(), 999999);
}

Test(migrate, a_newer_schema_that_is_compatible_is_left_as_it_is) {
        struct migrate_report report;

        migrated_tomorrow("true");
        cr_assert_eq(migrate(&report), PROBLEM_NONE);
        cr_assert_eq(announced, 0);
        cr_assert_eq(report.to, schema_head() + 1);
}

Test(migrate, nobody_works_on_a_schema_whose_newer_steps_are_not_compatible) {
        struct database *worker = NULL;

        migrated_tomorrow("false");
        cr_assert_eq(work(&worker), FAULT_LOST);
        cr_assert(strstr(database_message(worker), "use the program that migrated it"), "%s", database_message(worker));
        worker = database_close(worker);
}

Test(migrate, a_program_works_on_a_newer_schema_that_is_compatible) {
        struct database *worker = NULL;

        migrated_tomorrow("true");
        cr_assert_eq(work(&worker), PROBLEM_NONE, "%s", database_message(worker));
        worker = database_close(worker);
}

Test(migrate, one_step_that_is_not_compatible_among_others_is_enough) {
        struct schema_state state;

        migrated_tomorrow("false");
        execute("insert into schema_migration (version, name, digest, compatible) values (999999, 'later', 'x', true)");
        cr_assert_eq(schema_look(database, schema, clock_monotonic() + MINUTE, &state), PROBLEM_NONE);
        cr_assert_eq(state.version, 999999);
        cr_assert_eq(state.oldest, schema_head() + 1);
        cr_assert_not(schema_fits(&state));
}

/* Early programs kept no word about it in their book. */
Test(migrate, a_book_without_declarations_counts_all_its_steps_as_incompatible) {
        struct database *worker = NULL;

        migrated();
        execute("alter table schema_migration drop column compatible");
        cr_assert_eq(work(&worker), PROBLEM_NONE, "%s", database_message(worker));
        worker = database_close(worker);
        execute("insert into schema_migration (version, name, digest) values (999999, 'tomorrow', 'x')");
        cr_assert_eq(work(&worker), FAULT_LOST);
        worker = database_close(worker);
}

Test(migrate, nobody_works_on_a_schema_that_is_older_than_needed) {
        struct database *worker = NULL;

        migrated();
        execute("delete from schema_migration where version > 1");
        cr_assert_eq(work(&worker), FAULT_LOST);
        cr_assert(strstr(database_message(worker), "run holdfast migrate"), "%s", database_message(worker));
        worker = database_close(worker);
}

Test(migrate, a_step_that_is_not_compatible_does_not_run_beside_a_program_at_work) {
        struct database *worker = connected();
        struct migrate_report report;
        bool granted = false;

        schema_share(worker, schema, &granted);
        cr_assert_eq(database_trip(worker, clock_monotonic() + MINUTE), PROBLEM_NONE);
        cr_assert(granted);
        cr_assert_not(migrations[0].compatible);
        cr_assert_eq(migrate(&report), FAULT_RIVAL);
        cr_assert_eq(report.to, 0);
        worker = database_close(worker);
        database = database_close(database); /* its lock and its transaction end with it */
        database = connected();
        cr_assert_eq(version(), 0);
        migrated();
}

Test(migrate, nobody_begins_to_work_while_such_a_step_runs) {
        struct database *worker = NULL;
        bool alone = false;

        migrated();
        database_ask_text(database, "begin", NULL, NULL);
        schema_seize(database, schema, &alone);
        cr_assert_eq(database_trip(database, clock_monotonic() + MINUTE), PROBLEM_NONE);
        cr_assert(alone);
        cr_assert_eq(work(&worker), FAULT_LOST);
        cr_assert_str_eq(database_message(worker), "the schema is being migrated");
        execute("rollback");
        cr_assert_eq(database_connect(worker), PROBLEM_NONE, "%s", database_message(worker));
        worker = database_close(worker);
}

static void execute_on(struct database *other, const char *sql) {
        database_ask_text(other, sql, NULL, NULL);
        cr_assert_eq(database_trip(other, clock_monotonic() + MINUTE), PROBLEM_NONE, "%s", database_message(other));
}

static enum problem waits_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(bool *) into = row_boolean(&row);
        return PROBLEM_NONE;
}

/* Until somebody waits for the table, or nobody does. */
static void waiters_awaited(struct database *watcher, bool wanted) {
        bool waits = !wanted;

        while (waits != wanted) {
                database_ask_text(watcher,
                        "select exists (select from pg_locks where relation = 'stock'::regclass and not granted)",
                        waits_read, &waits);
                cr_assert_eq(database_trip(watcher, clock_monotonic() + MINUTE), PROBLEM_NONE);
        }
}

static struct database *reader, *watcher;

/* A report that reads a table for long. Lets go when the migration has come back for it a second time. */
static void *read_for_long(void *context) {
        (void) context;
        waiters_awaited(watcher, true);
        waiters_awaited(watcher, false);
        waiters_awaited(watcher, true);
        execute_on(reader, "commit");
        return NULL;
}

static pthread_t reading;

static void begin_to_read_before_stock_changes(const struct migration *migration) {
        if (strcmp(migration->name, "0004_safety_stock") != 0)
                return;
        execute_on(reader, "begin");
        execute_on(reader, "select from stock");
        cr_assert_eq(pthread_create(&reading, NULL, read_for_long, NULL), 0);
}

/* Whoever comes after a migration that waits for a table waits behind it: so it steps aside now and then. */
Test(migrate, a_step_waits_for_a_table_in_short_turns_until_it_has_it) {
        struct migrate_report report;

        reader = connected();
        watcher = connected();
        cr_assert_eq(migrate_to_head(database, schema, begin_to_read_before_stock_changes, &report), PROBLEM_NONE, "%s",
                database_message(database));
        cr_assert_eq(pthread_join(reading, NULL), 0);
        cr_assert_eq(report.to, schema_head());
        reader = database_close(reader);
        watcher = database_close(watcher);
}

Test(migrate, a_step_whose_text_has_changed_is_noticed) {
        struct migrate_report report;

        migrated();
        execute("update schema_migration set digest = repeat('0', 64) where version = 1");
        cr_assert_eq(migrate(&report), FAULT_STALE);
        cr_assert_eq(announced, 0);
}

Test(migrate, a_step_that_fails_leaves_the_schema_as_it_was) {
        struct migrate_report report;
        char obstacle[128];

        (void) snprintf(obstacle, sizeof(obstacle), "create schema %s", schema);
        execute(obstacle);
        execute("create table idempotency (in_the_way text)"); /* the last of the first step */
        cr_assert_neq(migrate(&report), PROBLEM_NONE);
        database = database_close(database);
        database = connected();
        cr_assert_eq(version(), 0);
        execute("drop table idempotency");
        migrated();
}

Test(migrate, every_statement_of_every_step_is_run) {
        for (size_t i = 0; i < migration_count; i++) {
                const char *sql = migrations[i].sql;
                const size_t size = strlen(sql);

                cr_assert_eq(migrations[i].version, (int) i + 1);
                cr_assert_gt(size, 2);
                cr_assert_str_eq(
                        sql + size - 2, ";\n", "%s: what follows the last \";\" would be left out", migrations[i].name);
        }
}
