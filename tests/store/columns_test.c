/* Records are read and written by the names of their columns. */
#include "fixture.h"

#include "base/digest.h"
#include "db/columns.h"
#include "db/session.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(columns, .init = store_open, .fini = store_close);

enum color { RED, GREEN, NO_COLOR };

static const char *const colors[] = { "red", "green", NULL };
static const struct enum_column color_column = { "paints", "color", .texts = colors };

struct rack {
        int64_t number;
};

struct paint {
        struct uuid id, mixed_from;
        const char *name, *recipe, *finish;
        int64_t liters, shelf;
        bool sold, is_weighed;
        double density;
        timestamp made_at;
        enum color color, lid;
        unsigned stripes;
        const uint8_t *digest;
        const struct rack *rack;
};

static const struct column columns[] = {
        { "id", UUID_AT(struct paint, id) },
        { "mixed_from", UUID_AT(struct paint, mixed_from), .nullable = true },
        { "name", TEXT_AT(struct paint, name) },
        { "recipe", JSONB_AT(struct paint, recipe) },
        { "finish", WORD_AT(struct paint, finish), .words = &color_column },
        { "liters", INTEGER_AT(struct paint, liters) },
        { "shelf", INTEGER_AT(struct paint, shelf), .nullable = true, .absent = -1 },
        { "sold", BOOLEAN_AT(struct paint, sold) },
        { "density", NUMBER_AT(struct paint, density), .has = HAS(struct paint, is_weighed) },
        { "made_at", TIME_AT(struct paint, made_at) },
        { "color", ENUM_AT(struct paint, color), .words = &color_column },
        { "lid", ENUM_AT(struct paint, lid), .words = &color_column, .nullable = true, .absent = NO_COLOR },
        { "stripes", BITS_AT(struct paint, stripes), .words = &color_column },
        { "digest", DIGEST_AT(struct paint, digest) },
        { "rack", INTEGER_AT(struct rack, number), .through = POINTER(struct paint, rack) },
};

/* In another order than the table, so that places and names do not agree by chance. */
static const struct statement_parameter parameters[] = { { "lid", "text" }, { "color", "text" },
        { "made_at", "timestamptz" }, { "density", "float8" }, { "sold", "boolean" }, { "shelf", "bigint" },
        { "liters", "bigint" }, { "finish", "text" }, { "recipe", "jsonb" }, { "name", "text" },
        { "mixed_from", "uuid" }, { "id", "uuid" }, { "stripes", "text" }, { "digest", "bytea" },
        { "rack", "bigint" } };

#define ROUND_TRIP                                                                                                                              \
        "select name, id, mixed_from, recipe, finish, liters::integer, shelf, sold, density, made_at, lid, color, stripes, digest, rack"        \
        "  from unnest($1::text[], $2::text[], $3::timestamptz[], $4::float8[], $5::boolean[], $6::bigint[],"                                   \
        "              $7::bigint[], $8::text[], $9::jsonb[], $10::text[], $11::uuid[], $12::uuid[], $13::text[], $14::bytea[], $15::bigint[])" \
        "       as x (lid, color, made_at, density, sold, shelf, liters, finish, recipe, name, mixed_from, id, stripes, digest, rack)"

static struct statement statement;
static const struct columns paint_columns = { "paints", COLUMNS(struct paint, columns) };

static void statement_make(const char *sql) {
        statement = *store_statement(sql);
        statement.record = "paints";
        statement.parameters = parameters;
        statement.n_parameters = array_size(parameters);
}

static int64_t rack_read; /* of the last row */

static enum problem paints_read(struct rows *rows, void *into) {
        struct binding binding;

        if (rows_bind(rows, &paint_columns, &binding) && binding_place(&binding, "rack") >= 0)
                rack_read = binding_integer(&binding, rows_count(rows) - 1, binding_place(&binding, "rack"));
        *(struct paint **) into = rows_fill(rows, &paint_columns, &store_arena);
        return PROBLEM_NONE;
}

static struct paint *round_trip(const struct paint *paints, size_t n) {
        struct paint *read = NULL;
        struct records records;

        statement_make(ROUND_TRIP);
        records_begin(&records, &store_arena, &statement, &paint_columns);
        for (size_t i = 0; i < n; i++)
                records_add(&records, &paints[i]);
        database_ask(store_database, &statement, &records.parameters, paints_read, &read);
        store_trip();
        cr_assert_not_null(read);
        return read;
}

Test(columns, every_kind_comes_back_as_it_was_written) {
        static const uint8_t digest[DIGEST_SIZE] = "a digest";
        static const struct rack rack = { .number = 42 };
        const struct paint paint = { .id = uuid_random(),
                .mixed_from = uuid_random(),
                .name = "gr\xc3\xbcn",
                .recipe = "{\"a\": [1, null]}",
                .finish = "green",
                .liters = -7,
                .shelf = INT64_MAX,
                .sold = true,
                .is_weighed = true,
                .density = -0.1,
                .made_at = STORE_NOW + 123456,
                .color = GREEN,
                .lid = RED,
                .stripes = 1u << RED | 1u << GREEN,
                .digest = digest,
                .rack = &rack };
        const struct paint *read = round_trip(&paint, 1);

        cr_assert_eq(uuid_compare(&read->id, &paint.id), 0);
        cr_assert_eq(uuid_compare(&read->mixed_from, &paint.mixed_from), 0);
        cr_assert_str_eq(read->name, paint.name);
        cr_assert_str_eq(read->recipe, paint.recipe);
        cr_assert_str_eq(read->finish, "green");
        cr_assert_eq(read->liters, -7, "of four bytes in the result");
        cr_assert_eq(read->shelf, INT64_MAX);
        cr_assert(read->sold);
        cr_assert(read->is_weighed);
        cr_assert_float_eq(read->density, -0.1, 0);
        cr_assert_eq(read->made_at, paint.made_at);
        cr_assert_eq(read->color, GREEN);
        cr_assert_eq(read->lid, RED);
        cr_assert_eq(memcmp(read->digest, digest, sizeof(digest)), 0);
        cr_assert_eq(rack_read, 42);
        cr_assert_null(read->rack, "a member of another record is looked up by its reader");
        cr_assert_eq(read->stripes, 1u << RED | 1u << GREEN);
}

static enum problem nulls_count(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(int64_t *) into = row_integer(&row);
        return PROBLEM_NONE;
}

Test(columns, an_absent_value_is_null_in_sql_and_absent_again) {
        const struct paint paints[] = { { .made_at = TIMESTAMP_NONE, .shelf = -1, .lid = NO_COLOR },
                { .made_at = STORE_NOW, .shelf = 0, .lid = RED, .name = "", .is_weighed = true } };
        const struct paint *read = round_trip(paints, array_size(paints));
        struct records records;
        int64_t nulls = 0;

        cr_assert(uuid_is_nil(&read[0].id) && uuid_is_nil(&read[0].mixed_from));
        cr_assert(!read[0].name && !read[0].recipe && !read[0].finish && !read[0].sold);
        cr_assert_eq(read[0].shelf, -1);
        cr_assert_eq(read[0].made_at, TIMESTAMP_NONE);
        cr_assert_eq(read[0].lid, NO_COLOR);
        cr_assert_not(read[0].is_weighed);
        cr_assert(read[1].is_weighed);
        cr_assert_str_eq(read[1].name, "");
        cr_assert_eq(read[1].shelf, 0);
        statement_make(
                "select num_nulls($1[1], $2[1], $3[1], $4[1], $5[1], $6[1], $7[1], $8[1], $9[1], $10[1], $11[1],"
                " $12[1], $13[1], $14[1], $15[1])::bigint from (select $1::text[], $2::text[], $3::timestamptz[], $4::float8[],"
                " $5::boolean[], $6::bigint[], $7::bigint[], $8::text[], $9::jsonb[], $10::text[], $11::uuid[],"
                " $12::uuid[], $13::text[], $14::bytea[], $15::bigint[]) as x");
        records_begin(&records, &store_arena, &statement, &paint_columns);
        records_add(&records, &paints[0]);
        database_ask(store_database, &statement, &records.parameters, nulls_count, &nulls);
        store_trip();
        cr_assert_eq(nulls, 10, "rack, digest, lid, made_at, density, shelf, finish, recipe, name and mixed_from");
}

static void read_expecting(const char *sql, enum problem expected, const char *message) {
        struct paint *read = NULL;

        statement_make(sql);
        database_ask(store_database, &statement, NULL, paints_read, &read);
        store_trip_expecting(expected);
        if (message)
                cr_assert_not_null(
                        strstr(database_message(store_database), message), "%s", database_message(store_database));
        cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
}

Test(columns, a_result_that_does_not_fit_fails_the_trip_by_the_name_of_the_column) {
        read_expecting("select 'a'::text as name, 1::bigint as liters", PROBLEM_NONE, NULL);
        read_expecting("select 'a'::text as title", FAULT_BROKEN, "title");
        read_expecting("select 1::bigint as name", FAULT_BROKEN, "name");
        read_expecting("select 1::smallint as liters", FAULT_BROKEN, "liters");
}

Test(columns, an_unknown_word_fails_the_trip_by_the_names_of_table_and_column) {
        read_expecting("select 'blue'::text as color", FAULT_BROKEN, "paints.color: blue");
        read_expecting("select 'blue'::text as lid", FAULT_BROKEN, "paints.color: blue");
        read_expecting("select 'red blue'::text as stripes", FAULT_BROKEN, "paints.color: blue");
        read_expecting("select 'blue'::text as finish", FAULT_BROKEN, "paints.color: blue");
        read_expecting("select null::text as color", FAULT_BROKEN, "paints.color: null");
        read_expecting("select null::text as lid", PROBLEM_NONE, NULL);
}

static enum problem read_by_another(struct rows *rows, void *into) {
        struct binding binding;

        *(bool *) into = rows_bind(rows, &paint_columns, &binding);
        return PROBLEM_NONE;
}

Test(columns, a_statement_of_another_record_is_refused) {
        const struct statement *other = store_statement("select 'a'::text as name");
        bool is_bound = true;
        struct records records;

        statement_make("select");
        database_ask(store_database, other, NULL, read_by_another, &is_bound);
        store_trip_expecting(FAULT_BROKEN);
        cr_assert_not(is_bound);
        cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
        records_begin(&records, &store_arena, other, &paint_columns);
        records_add(&records, &(struct paint){ .name = "a" });
        records_ask(&records, store_database);
        store_trip_expecting(FAULT_BROKEN);
}

Test(columns, a_name_without_a_column_is_not_written) {
        static const struct statement_parameter unknown[] = { { "title", "text" } };
        struct records records;

        statement_make("select $1::text[]");
        statement.parameters = unknown;
        statement.n_parameters = 1;
        records_begin(&records, &store_arena, &statement, &paint_columns);
        records_add(&records, &(struct paint){ .name = "a" });
        records_ask(&records, store_database);
        store_trip_expecting(FAULT_BROKEN);
        cr_assert_not_null(strstr(database_message(store_database), "title"));
}

Test(columns, without_records_no_statement_is_queued) {
        const uint64_t before = database_trips(store_database);
        struct records records;

        store_trip();
        statement_make("select 1 / 0");
        records_begin(&records, &store_arena, &statement, &paint_columns);
        records_ask(&records, store_database);
        store_trip();
        cr_assert_eq(database_trips(store_database), before + 2);
}
