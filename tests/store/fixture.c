#include "fixture.h"
#include "db/session.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MAX          ((size_t) 64 * 1024 * 1024)
#define STATEMENT_LIMIT_MS 20000
#define LOCK_LIMIT_MS      5000
#define TRIP_LIMIT         (30 * SECOND)
#define SQL_SIZE_MAX       2048 /* of store_run */

struct database *store_database;
struct arena store_arena;
struct events store_events;

static const char *variable(const char *name) {
        const char *value = getenv(name);

        cr_assert_not_null(value, "%s is not set; run tests/run.sh store", name);
        return value;
}

void store_open(void) {
        static struct database_settings settings;

        settings = (struct database_settings){ .url = variable("HOLDFAST_DATABASE_URL"),
                .schema = variable("HOLDFAST_SCHEMA"),
                .name = "holdfast store test",
                .plans = PLANS_PINNED,
                .statement_timeout_ms = STATEMENT_LIMIT_MS,
                .lock_timeout_ms = LOCK_LIMIT_MS };
        arena_init(&store_arena, ARENA_MAX);
        events_init(&store_events, &store_arena);
        store_database = database_new(&settings);
        cr_assert_not_null(store_database);
        cr_assert_eq(database_connect(store_database), PROBLEM_NONE, "%s", database_message(store_database));
        database_begin(store_database);
        store_execute("set local idle_in_transaction_session_timeout = 0"); /* a slow machine is no silent client */
}

/* Closing ends the transaction. */
void store_close(void) {
        store_database = database_close(store_database);
        arena_clear(&store_arena);
}

void store_trip_expecting(enum problem expected) {
        const enum problem p = database_trip(store_database, clock_monotonic() + TRIP_LIMIT);

        cr_assert_eq(p, expected, "problem %d instead of %d: %s", p, expected, database_message(store_database));
}

void store_trip(void) {
        store_trip_expecting(PROBLEM_NONE);
}

void store_execute(const char *sql) {
        database_ask_text(store_database, sql, NULL, NULL);
        store_trip();
}

void store_run(const char *format, ...) {
        char sql[SQL_SIZE_MAX];
        va_list arguments;
        int size;

        va_start(arguments, format);
        size = vsnprintf(sql, sizeof(sql), format, arguments);
        va_end(arguments);
        cr_assert(size > 0 && (size_t) size < sizeof(sql));
        store_execute(sql);
}

static enum problem text_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(const char **) into = row_text(&row);
        return PROBLEM_NONE;
}

const char *store_text(const char *sql) {
        const char *text = NULL;

        database_ask_text(store_database, sql, text_read, &text);
        store_trip();
        return text;
}

static enum problem integer_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(int64_t *) into = row_integer(&row);
        return PROBLEM_NONE;
}

int64_t store_integer(const char *sql) {
        int64_t integer = -1;

        database_ask_text(store_database, sql, integer_read, &integer);
        store_trip();
        return integer;
}

void assert_text(const char *sql, const char *expected) {
        const char *text = store_text(sql);

        cr_assert_str_eq(text, expected, "%s: %s instead of %s", sql, text, expected);
}

const struct statement *store_statement(const char *sql) {
        static unsigned made;
        struct statement *statement = arena_new(&store_arena, struct statement);
        const struct statement value = { .name = arena_format(&store_arena, "made_by_test_%u", made),
                .index = (unsigned) statement_count + made,
                .sql = sql };

        made++;
        cr_assert(statement && value.name && value.index < STATEMENTS_MAX);
        memcpy(statement, &value, sizeof(value));
        return statement;
}
