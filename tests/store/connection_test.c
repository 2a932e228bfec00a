/* One connection: its trips, its failures, and how it comes back. */
#include "fixture.h"
#include "sql/transaction.h"

#include <criterion/criterion.h>
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
        cr_assert_str_eq(setting("idle_in_transaction_session_timeout"), "2s");
        cr_assert_str_eq(setting("search_path"), "holdfast");
        cr_assert_str_eq(setting("transaction_isolation"), "read committed");
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

Test(connection, what_is_asked_without_a_connection_is_lost) {
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

Test(connection, statements_queued_for_a_trip_that_never_came_leave_no_trace) {
        store_execute("create table passing (n bigint)");
        database_ask_text(store_database, "insert into passing values (1)", NULL, NULL);
        cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
        store_execute("create table passing (n bigint)");
}

Test(connection, a_trip_has_room_for_so_many_statements) {
        for (int i = 0; i < 65; i++)
                database_ask_text(store_database, "select 1", NULL, NULL);
        store_trip_expecting(FAULT_BROKEN);
        cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
        store_execute("select 1");
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

Test(connection, a_lock_that_is_not_had_in_time_is_stuck) {
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
