#include "db/migrate.h"

#include "base/text.h"
#include "db/connection_libpq.h"
#include "db/session.h"

#include <openssl/sha.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define STEP_TIME_MAX (15 * MINUTE)
#define DIGEST_TEXT   (2 * SHA256_DIGEST_LENGTH + 1)
#define SCRIPT_MAX    ((size_t) 1024 * 1024)

static void digest_text(const char *text, char *digest) {
        unsigned char bytes[SHA256_DIGEST_LENGTH];

        (void) SHA256((const unsigned char *) text, strlen(text), bytes);
        for (size_t i = 0; i < sizeof(bytes); i++)
                (void) snprintf(digest + 2 * i, 3, "%02x", bytes[i]);
}

static enum problem migrate_trip(struct database *database) {
        return database_trip(database, clock_monotonic() + STEP_TIME_MAX);
}

static enum problem migrations_lock(struct database *database, const char *schema) {
        const char *const values[] = { schema };

        database_ask_text(database, "set lock_timeout = '60s'", NULL, NULL);
        database_ask_values(database, "select pg_advisory_lock(hashtextextended('holdfast migrate ' || $1, 0))", 1,
                values, NULL, NULL);
        return migrate_trip(database);
}

static enum problem migrations_unlock(struct database *database, const char *schema) {
        const char *const values[] = { schema };

        database_ask_values(database, "select pg_advisory_unlock(hashtextextended('holdfast migrate ' || $1, 0))", 1,
                values, NULL, NULL);
        return migrate_trip(database);
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
        database_ask_text(database,
                "alter table schema_migration add column if not exists compatible boolean not null default false", NULL,
                NULL);
        return migrate_trip(database);
}

static enum problem digests_check(struct rows *rows, void *into) {
        (void) into;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                const int64_t version = row_integer(&row);
                char digest[DIGEST_TEXT];

                if (version > schema_head())
                        break; /* a newer program's migration, whose text is unknown here */
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
                p = migrate_trip(database);
                start = end + 2;
        }
        return p == FAULT_RIVAL ? FAULT_BROKEN : p; /* only a program's schema lock is a rival; a locked row is not */
}

static enum problem step_begin(struct database *database, const char *schema, const struct migration *migration) {
        char lock_timeout[64];
        bool alone = true;
        enum problem p;

        (void) snprintf(lock_timeout, sizeof(lock_timeout), "set local lock_timeout = %d", MIGRATE_TABLE_LOCK_MS);
        database_ask_text(database, "begin", NULL, NULL);
        database_ask_text(database, lock_timeout, NULL, NULL);
        if (!migration->compatible)
                schema_seize(database, schema, &alone);
        p = migrate_trip(database);
        return p || alone ? p : FAULT_RIVAL;
}

static enum problem step_try(struct database *database, const char *schema, const struct migration *migration) {
        char version[16], digest[DIGEST_TEXT];
        const char *const values[] = { version, migration->name, digest, migration->compatible ? "true" : "false" };
        enum problem p = step_begin(database, schema, migration);

        if (!p)
                p = script_run(database, migration->sql);
        if (p)
                return p;
        (void) snprintf(version, sizeof(version), "%d", migration->version);
        digest_text(migration->sql, digest);
        database_ask_values(database,
                "insert into schema_migration (version, name, digest, compatible) values ($1::bigint, $2, $3, $4::boolean)",
                array_size(values), values, NULL, NULL);
        database_ask_text(database, "commit", NULL, NULL);
        return migrate_trip(database);
}

/* Roll back what a step has done so far. The lock against other migrations belongs to this connection, so never use
 * another one.
 */
static enum problem step_back(struct database *database) {
        const int session = database_session(database);

        if (database_connect(database))
                return FAULT_LOST;
        return database_session(database) == session
                       ? PROBLEM_NONE
                       : database_drop(
                                 database, "it broke between two tries, and the lock against other migrations with it");
}

/* A session that waits for a table's lock blocks all later sessions. So the step waits briefly, lets them through, and
 * tries again. */
static enum problem migration_step_run(
        struct database *database, const char *schema, const struct migration *migration) {
        const timestamp patience = clock_monotonic() + MIGRATE_LOCK_WAIT_S * SECOND;
        enum problem p = step_try(database, schema, migration);

        while ((p == FAULT_STUCK || p == FAULT_CONFLICT) && clock_monotonic() < patience) {
                (void) poll(NULL, 0, (int) (MIGRATE_TABLE_PAUSE / MILLISECOND));
                p = step_back(database);
                if (!p)
                        p = step_try(database, schema, migration);
        }
        return p;
}

enum problem migrate_check_history(struct database *database) {
        database_ask_text(
                database, "select version, digest from schema_migration order by version", digests_check, NULL);
        return migrate_trip(database);
}

static enum problem history_check(struct database *database, const char *schema, struct schema_state *ret_state) {
        enum problem p = migrate_check_history(database);

        if (!p)
                p = schema_look(database, schema, clock_monotonic() + STEP_TIME_MAX, ret_state);
        if (!p && ret_state->version > schema_head() && !schema_fits(ret_state))
                return FAULT_STALE;
        return p;
}

static enum problem steps_run(struct database *database, const char *schema,
        void (*announce)(const struct migration *migration), struct migrate_report *report) {
        struct schema_state state = { 0 };
        enum problem p = schema_create(database, schema);

        if (!p)
                p = history_check(database, schema, &state);
        report->from = report->to = state.version;
        while (!p && report->to < schema_head()) {
                const struct migration *next = &migrations[report->to];

                p = migration_step_run(database, schema, next);
                if (p)
                        break;
                report->to++;
                if (announce)
                        announce(next);
        }
        return p;
}

enum problem migrate_to_head(struct database *database, const char *schema,
        void (*announce)(const struct migration *migration), struct migrate_report *ret_report) {
        enum problem p = migrations_lock(database, schema);

        *ret_report = (struct migrate_report){ 0 };
        if (!p)
                p = steps_run(database, schema, announce, ret_report);
        return p ? p : migrations_unlock(database, schema);
}
