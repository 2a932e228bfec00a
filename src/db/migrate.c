#include "db/migrate.h"

#include "base/text.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#define STEP_TIME_MAX (15 * MINUTE)
#define DIGEST_TEXT   (2 * SHA256_DIGEST_LENGTH + 1)
#define SCRIPT_MAX    ((size_t) 1024 * 1024)

int migrate_head(void) {
        return (int) migration_count;
}

static void digest_text(const char *text, char *digest) {
        unsigned char bytes[SHA256_DIGEST_LENGTH];

        (void) SHA256((const unsigned char *) text, strlen(text), bytes);
        for (size_t i = 0; i < sizeof(bytes); i++)
                (void) snprintf(digest + 2 * i, 3, "%02x", bytes[i]);
}

static enum problem trip(struct database *database) {
        return database_trip(database, clock_monotonic() + STEP_TIME_MAX);
}

static enum problem boolean_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(bool *) into = row_boolean(&row);
        return PROBLEM_NONE;
}

static enum problem version_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(int *) into = (int) row_integer(&row);
        return PROBLEM_NONE;
}

enum problem migrate_version(struct database *database, const char *schema, timestamp deadline, int *ret_version) {
        const char *const values[] = { schema };
        bool exists = false;
        enum problem p;

        database_ask_values(database,
                "select exists (select from pg_catalog.pg_tables where schemaname = $1 and tablename = 'schema_migration')",
                1, values, boolean_read, &exists);
        p = database_trip(database, deadline);
        if (p)
                return p;
        if (!exists) {
                *ret_version = 0;
                return PROBLEM_NONE;
        }
        database_ask_text(
                database, "select coalesce(max(version), 0)::bigint from schema_migration", version_read, ret_version);
        return database_trip(database, deadline);
}

static enum problem lock(struct database *database, const char *schema) {
        const char *const values[] = { schema };

        database_ask_text(database, "set lock_timeout = '60s'", NULL, NULL);
        database_ask_values(database, "select pg_advisory_lock(hashtextextended('holdfast migrate ' || $1, 0))", 1,
                values, NULL, NULL);
        return trip(database);
}

static enum problem unlock(struct database *database, const char *schema) {
        const char *const values[] = { schema };

        database_ask_values(database, "select pg_advisory_unlock(hashtextextended('holdfast migrate ' || $1, 0))", 1,
                values, NULL, NULL);
        return trip(database);
}

/* The schema's name has been checked by the configuration: lower-case letters, digits and underscores. */
static enum problem schema_create(struct database *database, const char *schema) {
        char create[128];

        (void) snprintf(create, sizeof(create), "create schema if not exists %s", schema);
        database_ask_text(database, create, NULL, NULL);
        database_ask_text(database,
                "create table if not exists schema_migration (version bigint primary key, name text not null,"
                " digest text not null, applied_at timestamptz not null default clock_timestamp())",
                NULL, NULL);
        return trip(database);
}

static enum problem digests_check(struct rows *rows, void *into) {
        (void) into;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                const int64_t version = row_integer(&row);
                char digest[DIGEST_TEXT];

                if (version > migrate_head())
                        return FAULT_STALE;
                digest_text(migrations[version - 1].sql, digest);
                if (!text_equal(row_text(&row), digest))
                        return FAULT_STALE;
        }
        return PROBLEM_NONE;
}

static void statement_ask(struct database *database, struct arena *arena, const char *start, size_t size) {
        const char *statement = arena_text_sized(arena, start, size);

        if (statement)
                database_ask_text(database, statement, NULL, NULL);
}

/* A migration is plain SQL whose statements end with ";" at the end of a line: no functions, no dollar quotes. */
static enum problem script_run(struct database *database, const char *script) {
        _cleanup_(arena_clear) struct arena arena;
        enum problem p = PROBLEM_NONE;
        const char *start = script;

        arena_init(&arena, SCRIPT_MAX);
        for (const char *end = strstr(start, ";\n"); end && !p; end = strstr(start, ";\n")) {
                statement_ask(database, &arena, start, (size_t) (end - start));
                p = trip(database);
                start = end + 2;
        }
        return p;
}

static enum problem step_run(struct database *database, const struct migration *migration) {
        char version[16], digest[DIGEST_TEXT];
        const char *const values[] = { version, migration->name, digest };
        enum problem p;

        (void) snprintf(version, sizeof(version), "%d", migration->version);
        digest_text(migration->sql, digest);
        database_ask_text(database, "begin", NULL, NULL);
        p = trip(database);
        if (!p)
                p = script_run(database, migration->sql);
        if (p)
                return p;
        database_ask_values(database,
                "insert into schema_migration (version, name, digest) values ($1::bigint, $2, $3)", array_size(values),
                values, NULL, NULL);
        database_ask_text(database, "commit", NULL, NULL);
        return trip(database);
}

static enum problem steps_run(struct database *database, const char *schema,
        void (*announce)(const struct migration *migration), struct migrate_report *report) {
        enum problem p = schema_create(database, schema);

        if (p)
                return p;
        database_ask_text(
                database, "select version, digest from schema_migration order by version", digests_check, NULL);
        p = trip(database);
        if (!p)
                p = migrate_version(database, schema, clock_monotonic() + STEP_TIME_MAX, &report->from);
        report->to = report->from;
        while (!p && report->to < migrate_head()) {
                const struct migration *next = &migrations[report->to];

                if (announce)
                        announce(next);
                p = step_run(database, next);
                if (!p)
                        report->to++;
        }
        return p;
}

enum problem migrate_to_head(struct database *database, const char *schema,
        void (*announce)(const struct migration *migration), struct migrate_report *ret_report) {
        struct migrate_report report = { 0 };
        enum problem p = lock(database, schema);

        if (p)
                return p;
        p = steps_run(database, schema, announce, &report);
        if (!p)
                p = unlock(database, schema);
        if (!p)
                *ret_report = report;
        return p;
}
