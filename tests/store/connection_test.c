/* One connection: its trips, its failures, and its reconnects. */
#include "db/session.h"
#include "fixture.h"
#include "sql/transaction.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(connection, .init = store_open, .fini = store_close);

static enum problem text_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(const char **) into = row_text(&row);
        return PROBLEM_NONE;
}

static enum problem count(struct rows *rows, void *into) {
        (void) rows;
        (*(int *) into)++;
        return PROBLEM_NONE;
}

static const char *setting(const char *name) {
        const char *const values[] = { name };
        const char *text = NULL;

        database_ask_values(store_database, "select current_setting($1)", 1, values, text_read, &text);
        store_trip();
        return text;
}

Test(connection, lanes_are_pinned_to_indexes_and_give_up_in_time) {
        cr_assert_str_eq(setting("plan_cache_mode"), "force_generic_plan");
        cr_assert_str_eq(setting("enable_seqscan"), "off");
        cr_assert_str_eq(setting("enable_hashjoin"), "off");
        cr_assert_str_eq(setting("enable_mergejoin"), "off");
        cr_assert_str_eq(setting("jit"), "off");
        cr_assert_str_eq(setting("statement_timeout"), "20s");
        cr_assert_str_eq(setting("lock_timeout"), "5s");
        cr_assert_str_eq(setting("search_path"), "holdfast");
        cr_assert_str_eq(setting("transaction_isolation"), "read committed");
        store_execute("rollback"); /* of the fixture, which has a limit for its own transaction */
        cr_assert_str_eq(setting("idle_in_transaction_session_timeout"), "2s");
}

Test(connection, many_statements_make_one_trip) {
        const uint64_t before = database_trips(store_database);
        int answered = 0;

        for (int i = 0; i < 20; i++)
                database_ask_text(store_database, "select 1", count, &answered);
        store_trip();
        cr_assert_eq(answered, 20);
        cr_assert_eq(database_trips(store_database), before + 1);
}

Test(connection, after_the_first_failure_no_reader_is_called) {
        int answered = 0;

        database_ask_text(store_database, "select 1", count, &answered);
        database_ask_text(store_database, "select 1 / 0", count, &answered);
        database_ask_text(store_database, "select 1", count, &answered);
        store_trip_expecting(FAULT_POISON);
        cr_assert_eq(answered, 1);
        cr_assert_str_eq(database_sqlstate(store_database), "22012");
}

Test(connection, a_failed_transaction_is_rolled_back_and_the_connection_goes_on) {
        int answered = 0;

        store_execute("create table passing (n bigint)");
        database_ask_text(store_database, "select 1 / 0", NULL, NULL);
        store_trip_expecting(FAULT_POISON);
        cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
        database_ask_text(store_database, "select from passing", count, &answered);
        store_trip_expecting(FAULT_BROKEN);
        cr_assert_str_eq(database_sqlstate(store_database), "42P01", "the table went with its transaction");
        cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
        database_ask_text(store_database, "select 1", count, &answered);
        store_trip();
        cr_assert_eq(answered, 1);
}

Test(connection, a_commit_that_rolls_back_is_a_failure) {
        database_ask_text(store_database, "select 1 / 0", NULL, NULL);
        store_trip_expecting(FAULT_POISON);
        database_commit(store_database);
        store_trip_expecting(FAULT_BROKEN);
}

Test(connection, a_session_that_is_ended_is_lost_and_made_anew) {
        int answered = 0;

        database_ask_text(store_database, "select pg_terminate_backend(pg_backend_pid())", count, &answered);
        database_ask_text(store_database, "select 1", count, &answered);
        store_trip_expecting(FAULT_LOST);
        cr_assert_eq(answered, 0);
        store_trip_expecting(FAULT_LOST);
        cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
        database_begin(store_database);
        database_ask(store_database, &sql_clock, NULL, count, &answered);
        store_trip();
        cr_assert_eq(answered, 1);
}

Test(connection, a_statement_without_a_connection_is_lost) {
        database_ask_text(store_database, "select pg_terminate_backend(pg_backend_pid())", NULL, NULL);
        store_trip_expecting(FAULT_LOST);
        database_ask_text(store_database, "select 1", NULL, NULL);
        store_trip_expecting(FAULT_LOST);
        cr_assert_str_eq(database_host(store_database), "");
}

Test(connection, a_deadline_that_has_passed_gives_the_connection_up) {
        database_ask_text(store_database, "select pg_sleep(10)", NULL, NULL);
        cr_assert_eq(database_trip(store_database, clock_monotonic() + 50 * MILLISECOND), FAULT_LOST);
        cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
        cr_assert_str_eq(setting("jit"), "off");
}

Test(connection, statements_of_an_abandoned_trip_leave_no_trace) {
        store_execute("create table passing (n bigint)");
        database_ask_text(store_database, "insert into passing values (1)", NULL, NULL);
        cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
        store_execute("create table passing (n bigint)");
}

/* Each statement is prepared in the same trip, so the queue of answers reaches its ceiling as well. */
Test(connection, a_trip_takes_as_many_statements_as_it_says) {
        struct statement many[TRIP_STATEMENTS_MAX];
        char names[TRIP_STATEMENTS_MAX][16];
        int answered = 0;

        for (unsigned i = 0; i < TRIP_STATEMENTS_MAX; i++) {
                (void) snprintf(names[i], sizeof(names[i]), "many_%u", i);
                many[i] = (struct statement){ .name = names[i], .sql = "select 1", .index = STATEMENTS_MAX - 1 - i };
                database_ask(store_database, &many[i], NULL, count, &answered);
        }
        store_trip();
        cr_assert_eq(answered, TRIP_STATEMENTS_MAX);
}

Test(connection, a_trip_has_a_limit_of_statements) {
        for (int i = 0; i < TRIP_STATEMENTS_MAX + 1; i++)
                database_ask_text(store_database, "select 1", NULL, NULL);
        store_trip_expecting(FAULT_BROKEN);
        cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
        store_execute("select 1");
}

static enum problem integer_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(int64_t *) into = row_integer(&row);
        return PROBLEM_NONE;
}

/* As the server counts them. */
static int64_t statements_prepared(void) {
        int64_t n = -1;

        database_ask_text(store_database, "select count(*) from pg_prepared_statements", integer_read, &n);
        store_trip();
        return n;
}

static void session_end(void) {
        database_ask_text(store_database, "select pg_terminate_backend(pg_backend_pid())", NULL, NULL);
        store_trip_expecting(FAULT_LOST);
        cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
}

#define KNOWN 500
#define USED  20

static void use(const struct statement *const *known) {
        int answered = 0;

        for (int i = 0; i < USED; i++)
                database_ask(store_database, known[i], NULL, count, &answered);
        store_trip();
        cr_assert_eq(answered, USED);
}

Test(connection, a_reconnect_prepares_only_statements_in_use) {
        const struct statement *known[KNOWN];
        uint64_t before;

        for (int i = 0; i < KNOWN; i++)
                known[i] = store_statement("select 1");
        session_end();
        before = database_trips(store_database);
        use(known);
        cr_assert_eq(database_trips(store_database), before + 1, "the first use takes no trip more");
        cr_assert_eq(statements_prepared(), USED);
        use(known);
        cr_assert_eq(statements_prepared(), USED);
        session_end();
        cr_assert_eq(statements_prepared(), 0);
        use(known);
        cr_assert_eq(statements_prepared(), USED);
}

Test(connection, a_reconnect_takes_one_trip_however_many_statements_there_are) {
        uint64_t before;

        database_ask_text(store_database, "select pg_terminate_backend(pg_backend_pid())", NULL, NULL);
        store_trip_expecting(FAULT_LOST);
        before = database_trips(store_database);
        cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
        cr_assert_eq(database_trips(store_database), before + 1);
}

Test(connection, a_trip_prepares_as_many_statements_as_it_can_carry) {
        int answered = 0;

        store_trip();
        for (int i = 0; i < 64; i++)
                database_ask(store_database, store_statement("select 1"), NULL, count, &answered);
        store_trip();
        cr_assert_eq(answered, 64);
}

Test(connection, a_statement_used_twice_in_its_first_trip_is_prepared_once) {
        const struct statement *statement = store_statement("select 1");
        int answered = 0;

        database_ask(store_database, statement, NULL, count, &answered);
        database_ask(store_database, statement, NULL, count, &answered);
        store_trip();
        cr_assert_eq(answered, 2);
}

Test(connection, a_statement_that_cannot_be_prepared_fails_its_trip_and_is_tried_again) {
        const struct statement *broken = store_statement("select from nowhere"), *sound = store_statement("select 1");
        int answered = 0;

        for (int i = 0; i < 2; i++) {
                database_ask(store_database, broken, NULL, count, &answered);
                database_ask(store_database, sound, NULL, count, &answered);
                store_trip_expecting(FAULT_BROKEN);
                cr_assert_str_eq(database_sqlstate(store_database), "42P01");
                cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
        }
        cr_assert_eq(answered, 0);
        database_ask(store_database, sound, NULL, count, &answered);
        store_trip();
        cr_assert_eq(answered, 1);
}

static enum problem row_refuse(struct rows *rows, void *into) {
        (void) rows;
        (void) into;
        return FAULT_BROKEN;
}

/* The first fails in the server, which passes over the rest; the second in its reader, when the server has run all. */
Test(connection, a_statement_of_a_failed_trip_can_be_used_afterwards) {
        static const struct {
                const char *sql;
                rows_reader reader;
                enum problem problem;
        } failures[] = { { "select 1 / 0", NULL, FAULT_POISON }, { "select 1", row_refuse, FAULT_BROKEN } };

        for (size_t i = 0; i < array_size(failures); i++) {
                const struct statement *early = store_statement("select 1"), *late = store_statement("select 1");
                int answered = 0;

                database_ask(store_database, early, NULL, NULL, NULL);
                database_ask_text(store_database, failures[i].sql, failures[i].reader, NULL);
                database_ask(store_database, late, NULL, NULL, NULL);
                store_trip_expecting(failures[i].problem);
                cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
                database_ask(store_database, early, NULL, count, &answered);
                database_ask(store_database, late, NULL, count, &answered);
                store_trip();
                cr_assert_eq(answered, 2);
        }
}

Test(connection, a_statement_of_an_abandoned_trip_can_be_used_afterwards) {
        const struct statement *statement = store_statement("select 1");
        int answered = 0;

        database_ask(store_database, statement, NULL, count, &answered);
        cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
        cr_assert_eq(answered, 0);
        database_ask(store_database, statement, NULL, count, &answered);
        store_trip();
        cr_assert_eq(answered, 1);
}

/* A pooler may hand out a session that was emptied, or one in which another client has prepared its statements. */
Test(connection, a_session_without_our_statements_or_with_those_of_others_is_made_anew) {
        const struct statement *ours = store_statement("select 1"), *theirs = store_statement("select 2");
        int answered = 0;

        database_ask(store_database, ours, NULL, NULL, NULL);
        store_trip();
        store_execute("deallocate all");
        database_ask(store_database, ours, NULL, NULL, NULL);
        store_trip_expecting(FAULT_LOST);
        cr_assert_str_eq(database_sqlstate(store_database), "26000");
        cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
        store_execute(arena_format(&store_arena, "prepare %s as select 3", theirs->name));
        database_ask(store_database, theirs, NULL, NULL, NULL);
        store_trip_expecting(FAULT_LOST);
        cr_assert_str_eq(database_sqlstate(store_database), "42P05");
        cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
        database_ask(store_database, ours, NULL, count, &answered);
        database_ask(store_database, theirs, NULL, count, &answered);
        store_trip();
        cr_assert_eq(answered, 2);
}

Test(connection, large_answers_and_large_questions_do_not_wait_for_each_other) {
        char *large = arena_alloc(&store_arena, (size_t) 4 << 20);
        int answered = 0;

        memset(large, 'x', ((size_t) 4 << 20) - 1);
        for (int i = 0; i < 4; i++) {
                const char *const values[] = { large };

                database_ask_values(store_database, "select repeat($1, 4)", 1, values, count, &answered);
        }
        store_trip();
        cr_assert_eq(answered, 4);
}

Test(connection, a_lock_timeout_is_a_stuck_row) {
        struct database_settings settings = { .url = getenv("HOLDFAST_DATABASE_URL"),
                .schema = getenv("HOLDFAST_SCHEMA"),
                .name = "impatient",
                .statement_timeout_ms = 20000,
                .lock_timeout_ms = 50 };
        struct database *impatient = database_new(&settings);

        cr_assert_eq(database_connect(impatient), PROBLEM_NONE);
        store_execute("lock table products in access exclusive mode");
        database_begin(impatient);
        database_ask_text(impatient, "select from products", NULL, NULL);
        cr_assert_eq(database_trip(impatient, clock_monotonic() + 30 * SECOND), FAULT_STUCK);
        cr_assert_str_eq(database_sqlstate(impatient), "55P03");
        impatient = database_close(impatient);
}
