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
        cr_assert_eq(report.to, migrate_head());
}

static int version(void) {
        int at = -1;

        cr_assert_eq(migrate_version(database, schema, clock_monotonic() + MINUTE, &at), PROBLEM_NONE);
        return at;
}

Test(migrate, an_empty_database_is_brought_to_head_step_by_step) {
        struct migrate_report report;

        cr_assert_eq(version(), 0);
        cr_assert_eq(migrate(&report), PROBLEM_NONE, "%s", database_message(database));
        cr_assert_eq(report.from, 0);
        cr_assert_eq(report.to, migrate_head());
        cr_assert_eq(announced, migrate_head());
        cr_assert_eq(version(), migrate_head());
        execute("select from stock, reservations, idempotency");
}

Test(migrate, a_second_time_there_is_nothing_to_do) {
        struct migrate_report report;

        migrated();
        cr_assert_eq(migrate(&report), PROBLEM_NONE);
        cr_assert_eq(report.from, migrate_head());
        cr_assert_eq(report.to, migrate_head());
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
        if (!*p && report.to != migrate_head())
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
        cr_assert_eq(version(), migrate_head());
}

Test(migrate, a_newer_schema_is_not_touched) {
        struct migrate_report report;

        migrated();
        execute("insert into schema_migration (version, name, digest) values (999999, 'tomorrow', 'x')");
        cr_assert_eq(migrate(&report), FAULT_STALE);
        cr_assert_eq(announced, 0);
        cr_assert_eq(report.to, -1);
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
