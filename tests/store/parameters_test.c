/* PostgreSQL reads the values of db/parameters, and db/rows reads the values of PostgreSQL. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

TestSuite(parameters, .init = store_open, .fini = store_close);

static void ask(const char *sql, struct parameters *p, rows_reader reader, void *into) {
        database_ask(store_database, store_statement(sql), p, reader, into);
}

struct seen {
        const char *text;
        int64_t integer;
        bool boolean;
        double number;
        struct uuid uuid;
        timestamp time;
        const char *json;
        bool was_null;
};

static enum problem scalars_read(struct rows *rows, void *into) {
        struct seen *seen = into;
        struct row row = row_at(rows, 0);

        cr_assert_eq(rows_count(rows), 1);
        seen->text = row_text(&row);
        seen->integer = row_integer(&row);
        seen->boolean = row_boolean(&row);
        seen->number = row_number(&row);
        seen->uuid = row_uuid(&row);
        seen->time = row_time(&row);
        seen->json = row_text(&row);
        seen->was_null = row_is_null(&row);
        return PROBLEM_NONE;
}

#define SCALARS                                                                                                        \
        "select $1::text, $2::bigint, $3::boolean, $4::double precision, $5::uuid, $6::timestamptz, $7::jsonb, $8::text"

Test(parameters, every_kind_of_value_makes_the_round_trip) {
        const struct uuid uuid = uuid_random();
        struct parameters p;
        struct seen seen = { 0 };

        parameters_init(&p, &store_arena);
        parameter_text(&p, "gr\xc3\xbc\xc3\x9f' \\ \"");
        parameter_integer(&p, INT64_MIN);
        parameter_boolean(&p, true);
        parameter_number(&p, -0.1);
        parameter_uuid(&p, &uuid);
        parameter_time(&p, STORE_NOW + 123456);
        parameter_jsonb(&p, "{\"a\": [1, null]}");
        parameter_null(&p);
        ask(SCALARS, &p, scalars_read, &seen);
        store_trip();
        cr_assert_str_eq(seen.text, "gr\xc3\xbc\xc3\x9f' \\ \"");
        cr_assert_eq(seen.integer, INT64_MIN);
        cr_assert(seen.boolean);
        cr_assert_eq(memcmp(&seen.number, &(double){ -0.1 }, sizeof(double)), 0);
        cr_assert_eq(uuid_compare(&seen.uuid, &uuid), 0);
        cr_assert_eq(seen.time, STORE_NOW + 123456);
        cr_assert_str_eq(seen.json, "{\"a\": [1, null]}");
        cr_assert(seen.was_null);
}

Test(parameters, nothing_makes_the_round_trip_as_null) {
        struct parameters p;
        struct seen seen = { .text = "x", .json = "x", .integer = 1, .boolean = true };

        parameters_init(&p, &store_arena);
        parameter_text(&p, NULL);
        parameter_null(&p);
        parameter_null(&p);
        parameter_null(&p);
        parameter_uuid(&p, NULL);
        parameter_time(&p, TIMESTAMP_NONE);
        parameter_jsonb(&p, NULL);
        parameter_text(&p, "");
        ask(SCALARS, &p, scalars_read, &seen);
        store_trip();
        cr_assert_null(seen.text);
        cr_assert_eq(seen.integer, 0);
        cr_assert_not(seen.boolean);
        cr_assert(uuid_is_nil(&seen.uuid));
        cr_assert_eq(seen.time, TIMESTAMP_NONE);
        cr_assert_null(seen.json);
        cr_assert_not(seen.was_null);
}

static enum problem boolean_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(bool *) into = row_boolean(&row);
        return PROBLEM_NONE;
}

static void assert_true(const char *sql, struct parameters *p) {
        bool ok = false;

        ask(sql, p, boolean_read, &ok);
        store_trip();
        cr_assert(ok, "%s", sql);
}

Test(parameters, arrays_hold_values_and_nulls_in_order) {
        struct uuid uuid;
        struct parameters p;
        struct array *texts, *integers, *booleans, *numbers, *uuids, *times, *byteas, *jsonbs;

        cr_assert(uuid_parse("01900000-0000-7000-8000-00000000000a", &uuid));
        parameters_init(&p, &store_arena);
        texts = parameter_texts(&p);
        integers = parameter_integers(&p);
        booleans = parameter_booleans(&p);
        numbers = parameter_numbers(&p);
        uuids = parameter_uuids(&p);
        times = parameter_times(&p);
        byteas = parameter_byteas(&p);
        jsonbs = parameter_jsonbs(&p);
        array_text(texts, "a,\"{b}\"");
        array_text(texts, NULL);
        array_text(texts, "");
        array_integer(integers, INT64_MAX);
        array_integer(integers, -1);
        array_boolean(booleans, true);
        array_boolean(booleans, false);
        array_number(numbers, 2.5);
        array_uuid(uuids, &uuid);
        array_uuid(uuids, NULL);
        array_time(times, STORE_NOW);
        array_time(times, TIMESTAMP_NONE);
        array_bytes(byteas, "\0\1\377", 3);
        array_jsonb(jsonbs, "[1]");
        array_jsonb(jsonbs, NULL);
        assert_true(
                "select ($1::text[], $2::bigint[], $3::boolean[], $4::double precision[], $5::uuid[], $6::timestamptz[],"
                " $7::bytea[], $8::jsonb[])"
                " is not distinct from (array['a,\"{b}\"', null, ''], array[9223372036854775807, -1],"
                " array[true, false], array[2.5::double precision],"
                " array['01900000-0000-7000-8000-00000000000a'::uuid, null],"
                " array['2027-01-15T08:00:00Z'::timestamptz, null], array['\\x0001ff'::bytea], array['[1]'::jsonb, null])",
                &p);
}

Test(parameters, an_empty_array_is_empty_not_null) {
        struct parameters p;

        parameters_init(&p, &store_arena);
        (void) parameter_texts(&p);
        (void) parameter_uuids(&p);
        assert_true("select $1::text[] = '{}' and cardinality($2::uuid[]) = 0", &p);
}

Test(parameters, a_thousand_elements_arrive) {
        struct parameters p;
        struct array *integers, *texts;

        parameters_init(&p, &store_arena);
        integers = parameter_integers(&p);
        texts = parameter_texts(&p);
        for (int64_t i = 0; i < 1000; i++) {
                array_integer(integers, i);
                array_text(texts, arena_format(&store_arena, "t%d", (int) i));
        }
        assert_true("select count(*) = 1000 and sum(n) = 499500 and bool_and(t = 't' || n)"
                    " from unnest($1::bigint[], $2::text[]) as pair (n, t)",
                &p);
}

static enum problem texts_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);
        size_t n = 99;
        const char *const *texts = row_texts(&row, &store_arena, &n);

        cr_assert_eq(n, 3);
        cr_assert_str_eq(texts[0], "a b");
        cr_assert_str_eq(texts[1], "");
        cr_assert_str_eq(texts[2], "\xc3\xa4");
        (void) row_texts(&row, &store_arena, &n);
        cr_assert_eq(n, 0);
        (void) row_texts(&row, &store_arena, &n);
        cr_assert_eq(n, 0);
        *(bool *) into = true;
        return PROBLEM_NONE;
}

Test(parameters, text_arrays_are_read_whole) {
        bool read = false;

        database_ask_text(
                store_database, "select array['a b', '', '\xc3\xa4'], '{}'::text[], null::text[]", texts_read, &read);
        store_trip();
        cr_assert(read);
}

static enum problem wrong_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        (void) into;
        (void) row_integer(&row);
        return PROBLEM_NONE;
}

Test(parameters, a_column_of_another_type_fails_the_trip) {
        database_ask_text(store_database, "select 'seven'::text", wrong_read, NULL);
        store_trip_expecting(FAULT_BROKEN);
}

static enum problem too_many_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        (void) into;
        (void) row_integer(&row);
        (void) row_integer(&row);
        return PROBLEM_NONE;
}

Test(parameters, a_missing_column_fails_the_trip) {
        database_ask_text(store_database, "select 7::bigint", too_many_read, NULL);
        store_trip_expecting(FAULT_BROKEN);
}

static enum problem sum_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(int64_t *) into = row_integer(&row);
        return PROBLEM_NONE;
}

/* "select $1::bigint + $2::bigint + ...", with a value for each. */
static void ask_sum(int n, int64_t *ret_sum) {
        struct parameters p;
        struct buffer sql;

        parameters_init(&p, &store_arena);
        buffer_init(&sql, &store_arena, 4096);
        buffer_append_text(&sql, "select 0::bigint");
        for (int i = 1; i <= n; i++) {
                buffer_append_format(&sql, " + $%d::bigint", i);
                parameter_integer(&p, i);
        }
        ask(buffer_text(&sql), &p, sum_read, ret_sum);
}

Test(parameters, a_statement_takes_as_many_as_it_says) {
        int64_t sum = 0;

        ask_sum(PARAMETERS_MAX, &sum);
        store_trip();
        cr_assert_eq(sum, PARAMETERS_MAX * (PARAMETERS_MAX + 1) / 2);
}

Test(parameters, one_more_than_a_statement_takes_fails_the_trip) {
        int64_t sum = 0;

        ask_sum(PARAMETERS_MAX + 1, &sum);
        store_trip_expecting(FAULT_BROKEN);
        cr_assert_eq(sum, 0);
}

Test(parameters, a_value_that_does_not_fit_fails_the_trip) {
        struct arena small;
        struct parameters p;
        struct array *texts;
        bool ok = false;

        arena_init(&small, 4096);
        parameters_init(&p, &small);
        texts = parameter_texts(&p);
        for (int i = 0; i < 1000; i++)
                array_text(texts, "much too much");
        ask("select $1::text[] is null", &p, boolean_read, &ok);
        store_trip_expecting(FAULT_BROKEN);
        arena_clear(&small);
}
