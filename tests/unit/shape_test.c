#include "base/shape.h"

#include "base/text.h"
#include "base/writer.h"
#include "dice.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- a shape with a member of every kind ---- */

struct line {
        const char *sku;
        int64_t quantity;
        struct money price;
        bool has_price;
};

static const struct shape_member line_members[] = {
        { "sku", SHAPE_CODE, true, offsetof(struct line, sku), SHAPE_NO_OFFSET, 0, 0, NULL, NULL },
        { "quantity", SHAPE_INTEGER, true, offsetof(struct line, quantity), SHAPE_NO_OFFSET, 1, 1000, NULL, NULL },
        { "price", SHAPE_MONEY, false, offsetof(struct line, price), offsetof(struct line, has_price), 0, 100000, NULL,
                NULL },
};
static const struct shape line_shape = SHAPE(struct line, line_members);

struct person {
        const char *name;
        timestamp born;
};

static const struct shape_member person_members[] = {
        { "name", SHAPE_TEXT, true, offsetof(struct person, name), SHAPE_NO_OFFSET, 1, 3, NULL, NULL },
        { "born", SHAPE_TIME, false, offsetof(struct person, born), SHAPE_NO_OFFSET, 0, 0, NULL, NULL },
};
static const struct shape person_shape = SHAPE(struct person, person_members);

struct everything {
        bool urgent, has_urgent;
        const char *code;
        duration wait;
        bool has_wait;
        int kind;
        int64_t count;
        bool has_count;
        struct line *lines;
        size_t n_lines;
        struct money total;
        bool has_total;
        double latitude;
        bool has_latitude;
        struct person *person;
        const char *attributes;
        const char *note;
        const char **channels;
        size_t n_channels;
        const char **kinds;
        size_t n_kinds;
        timestamp at;
        struct uuid id;
        bool has_id;
};

static const char *const kinds[] = { "pickup", "ship", NULL };

#define AT(member) offsetof(struct everything, member)

static const struct shape_member everything_members[] = {
        { "at", SHAPE_TIME, false, AT(at), SHAPE_NO_OFFSET, 0, 0, NULL, NULL },
        { "attributes", SHAPE_RAW, false, AT(attributes), SHAPE_NO_OFFSET, 0, 60, NULL, NULL },
        { "channels", SHAPE_TEXTS, false, AT(channels), AT(n_channels), 1, 3, NULL, NULL },
        { "code", SHAPE_CODE, false, AT(code), SHAPE_NO_OFFSET, 0, 0, NULL, NULL },
        { "count", SHAPE_INTEGER, false, AT(count), AT(has_count), INT64_MIN, INT64_MAX, NULL, NULL },
        { "id", SHAPE_UUID, false, AT(id), AT(has_id), 0, 0, NULL, NULL },
        { "kind", SHAPE_ENUM, false, AT(kind), SHAPE_NO_OFFSET, 0, 0, kinds, NULL },
        { "kinds", SHAPE_TEXTS, false, AT(kinds), AT(n_kinds), 0, 2, kinds, NULL },
        { "latitude", SHAPE_NUMBER, false, AT(latitude), AT(has_latitude), -90, 90, NULL, NULL },
        { "lines", SHAPE_LIST, false, AT(lines), AT(n_lines), 1, 3, NULL, &line_shape },
        { "note", SHAPE_TEXT, false, AT(note), SHAPE_NO_OFFSET, 2, 4, NULL, NULL },
        { "person", SHAPE_OBJECT, false, AT(person), SHAPE_NO_OFFSET, 0, 0, NULL, &person_shape },
        { "total", SHAPE_MONEY, false, AT(total), AT(has_total), INT64_MIN, INT64_MAX, NULL, NULL },
        { "urgent", SHAPE_BOOLEAN, false, AT(urgent), AT(has_urgent), 0, 0, NULL, NULL },
        { "wait", SHAPE_DURATION, false, AT(wait), AT(has_wait), MINUTE, DAY, NULL, NULL },
};
static const struct shape everything_shape = SHAPE(struct everything, everything_members);

/* ---- reading and judging ---- */

static struct arena arena;
static struct refusal refusal;

static void open_arena(void) {
        arena_init(&arena, (size_t) 4 << 20);
        refusal = (struct refusal){ 0 };
}

static void close_arena(void) {
        arena_clear(&arena);
}

TestSuite(shape, .init = open_arena, .fini = close_arena);

static enum problem read_sized(const struct shape *shape, const char *body, size_t size, void **ret_filled) {
        arena_reset(&arena);
        refusal = (struct refusal){ 0 };
        return shape_read(shape, body, size, &arena, &refusal, ret_filled);
}

static const struct everything *accepted(const char *body) {
        void *filled = NULL;

        cr_assert_eq(read_sized(&everything_shape, body, strlen(body), &filled), PROBLEM_NONE, "%s: %s", body,
                refusal.violations ? refusal.violations->code : refusal.detail);
        cr_assert_eq(refusal.problem, PROBLEM_NONE);
        cr_assert_eq(refusal.n_violations, 0);
        return filled;
}

static void assert_listed(const struct violation *violation) {
        cr_assert_not_null(violation);
        cr_assert_gt(strlen(violation->detail), 0);
        cr_assert(text_is_utf8(violation->detail, strlen(violation->detail)));
}

/* Exactly these violations, in this order: pointer and code in turn, then NULL. */
static void assert_refused(const struct shape *shape, const char *body, const char *const *expected) {
        const struct violation *violation = NULL;
        void *filled = NULL;
        size_t n = 0;

        cr_assert_eq(read_sized(shape, body, strlen(body), &filled), PROBLEM_VALIDATION_FAILED, "%s", body);
        cr_assert_eq(refusal.problem, PROBLEM_VALIDATION_FAILED);
        cr_assert_not_null(refusal.detail);
        cr_assert_null(filled);
        violation = refusal.violations;
        for (; expected[2 * n]; n++, violation = violation->next) {
                assert_listed(violation);
                cr_assert_str_eq(violation->pointer, expected[2 * n], "%s: %s", body, violation->pointer);
                cr_assert_str_eq(violation->code, expected[2 * n + 1], "%s: %s", body, violation->code);
        }
        cr_assert_null(violation);
        cr_assert_eq(refusal.n_violations, n);
}

#define assert_violations(body, ...)                                                                                   \
        assert_refused(&everything_shape, (body), (const char *const[]){ __VA_ARGS__, NULL })

static void assert_malformed_sized(const char *body, size_t size) {
        void *filled = NULL;

        cr_assert_eq(read_sized(&everything_shape, body, size, &filled), PROBLEM_MALFORMED_JSON, "%s", body);
        cr_assert_null(filled);
        cr_assert_eq(refusal.n_violations, 0);
        cr_assert(text_is_utf8(refusal.detail, strlen(refusal.detail)));
}

static void assert_malformed(const char *body) {
        assert_malformed_sized(body, strlen(body));
}

/* ---- accepted bodies ---- */

static const char full[] =
        "{\"at\":\"2026-11-21T10:15:30+00:00\",\"attributes\":{\"size\":0.1,\"tags\":[1,true,null,\"\\u00e9\"]},"
        "\"channels\":[\"web\",\"app\"],\"code\":\"0042\",\"count\":-7,\"id\":\"0190a6e2-7b7c-7def-8123-456789abcdef\","
        "\"kind\":\"ship\",\"kinds\":[\"ship\",\"pickup\"],\"latitude\":52.5,"
        "\"lines\":[{\"sku\":\"A-1\",\"quantity\":2},{\"sku\":\"B-2\",\"quantity\":1,"
        "\"price\":{\"amount\":1999,\"currency\":\"EUR\",\"exponent\":2}}],"
        "\"note\":\"abc\",\"person\":{\"name\":\"Ada\",\"born\":\"1815-12-10T00:00:00Z\"},"
        "\"total\":{\"amount\":-500,\"currency\":\"JPY\"},\"urgent\":true,\"wait\":\"PT30M\"}";

Test(shape, fills_scalars) {
        const struct everything *filled = accepted(full);

        cr_assert_eq(filled->at, INT64_C(1795256130) * SECOND);
        cr_assert_str_eq(filled->code, "0042");
        cr_assert(filled->has_count);
        cr_assert_eq(filled->count, -7);
        cr_assert(filled->has_id);
        cr_assert_eq(filled->id.bytes[15], 0xef);
        cr_assert_eq(filled->kind, 1);
        cr_assert(filled->has_latitude);
        cr_assert_eq(filled->latitude, 52.5);
        cr_assert_str_eq(filled->note, "abc");
        cr_assert(filled->has_urgent);
        cr_assert(filled->urgent);
        cr_assert(filled->has_wait);
        cr_assert_eq(filled->wait, 30 * MINUTE);
}

Test(shape, fills_lists_objects_and_money) {
        const struct everything *filled = accepted(full);

        cr_assert_eq(filled->n_lines, 2);
        cr_assert_str_eq(filled->lines[0].sku, "A-1");
        cr_assert_eq(filled->lines[0].quantity, 2);
        cr_assert_not(filled->lines[0].has_price);
        cr_assert_str_eq(filled->lines[0].price.currency, "");
        cr_assert_str_eq(filled->lines[1].sku, "B-2");
        cr_assert(filled->lines[1].has_price);
        cr_assert_eq(filled->lines[1].price.amount, 1999);
        cr_assert_str_eq(filled->lines[1].price.currency, "EUR");
        cr_assert(filled->has_total);
        cr_assert_eq(filled->total.amount, -500);
        cr_assert_str_eq(filled->person->name, "Ada");
        cr_assert_lt(filled->person->born, 0);
        cr_assert_eq(filled->n_channels, 2);
        cr_assert_str_eq(filled->channels[0], "web");
        cr_assert_str_eq(filled->channels[1], "app");
        cr_assert_eq(filled->n_kinds, 2);
        cr_assert_str_eq(filled->kinds[0], "ship");
        cr_assert_str_eq(filled->kinds[1], "pickup");
}

Test(shape, keeps_raw_objects_as_compact_text) {
        const struct everything *filled = accepted(full);

        cr_assert_str_eq(filled->attributes, "{\"size\":0.1,\"tags\":[1,true,null,\"é\"]}");
        cr_assert_str_eq(accepted("{\"attributes\": { } }")->attributes, "{}");
        cr_assert_str_eq(accepted("{\"attributes\":{\"~\":{\"/\":[[]]}, \"n\": 12.99}}")->attributes,
                "{\"~\":{\"/\":[[]]},\"n\":12.99}");
}

static void assert_absent(const struct everything *filled) {
        cr_assert_eq(filled->at, TIMESTAMP_NONE);
        cr_assert_null(filled->attributes);
        cr_assert_null(filled->channels);
        cr_assert_eq(filled->n_channels, 0);
        cr_assert_null(filled->code);
        cr_assert_not(filled->has_count);
        cr_assert_not(filled->has_id);
        cr_assert_eq(filled->kind, -1);
        cr_assert_null(filled->lines);
        cr_assert_eq(filled->n_lines, 0);
        cr_assert_null(filled->person);
        cr_assert_not(filled->has_total);
        cr_assert_not(filled->has_urgent);
        cr_assert_not(filled->urgent);
        cr_assert_not(filled->has_wait);
}

Test(shape, marks_absent_members) {
        assert_absent(accepted("{}"));
        cr_assert_eq(accepted("{\"person\":{\"name\":\"x\"}}")->person->born, TIMESTAMP_NONE);
}

Test(shape, counts_null_as_absent) {
        struct arena another;
        struct buffer body;

        arena_init(&another, 4096);
        buffer_init(&body, &another, 1024);
        for (size_t i = 0; i < array_size(everything_members); i++)
                buffer_append_format(&body, "%s\"%s\":null", i ? "," : "{", everything_members[i].name);
        buffer_append_text(&body, "}");
        assert_absent(accepted(buffer_text(&body)));
        arena_clear(&another);
}

Test(shape, tells_an_empty_list_from_none) {
        const struct everything *filled = accepted("{\"kinds\":[]}");

        cr_assert_not_null(filled->kinds);
        cr_assert_eq(filled->n_kinds, 0);
}

Test(shape, zeroes_the_struct_before_filling_it) {
        json_t *tree = json_object();
        struct everything filled;

        memset(&filled, 0xFF, sizeof(filled));
        cr_assert_eq(shape_fill(&everything_shape, tree, &arena, &refusal, &filled), PROBLEM_NONE);
        assert_absent(&filled);
        json_decref(tree);
}

Test(shape, fills_text_that_outlives_the_tree) {
        json_t *tree = json_loads(full, 0, NULL);
        struct everything filled;

        cr_assert_eq(shape_fill(&everything_shape, tree, &arena, &refusal, &filled), PROBLEM_NONE);
        json_decref(tree);
        cr_assert_str_eq(filled.note, "abc");
        cr_assert_str_eq(filled.channels[1], "app");
        cr_assert_str_eq(filled.lines[1].sku, "B-2");
}

/* A table that says nothing about presence has 0 there, which is the place of the struct's first member. */
Test(shape, leaves_the_first_member_alone_when_a_table_names_no_flag) {
        struct pair {
                int64_t first, second;
        };
        static const struct shape_member members[] = {
                { .name = "first", .kind = SHAPE_INTEGER, .offset = offsetof(struct pair, first), .maximum = 9 },
                { .name = "second", .kind = SHAPE_INTEGER, .offset = offsetof(struct pair, second), .maximum = 9 },
        };
        static const struct shape shape = SHAPE(struct pair, members);
        const struct pair *pair = NULL;
        void *filled = NULL;

        cr_assert_eq(read_sized(&shape, "{\"first\":4,\"second\":5}", 22, &filled), PROBLEM_NONE);
        pair = filled;
        cr_assert_eq(pair->first, 4);
        cr_assert_eq(pair->second, 5);
}

/* ---- integers and numbers ---- */

Test(shape, takes_whole_numbers_however_they_are_written) {
        cr_assert_eq(accepted("{\"count\":2.0}")->count, 2);
        cr_assert_eq(accepted("{\"count\":-0.0}")->count, 0);
        cr_assert_eq(accepted("{\"count\":1e3}")->count, 1000);
        cr_assert_eq(accepted("{\"count\":9223372036854775807}")->count, INT64_MAX);
        cr_assert_eq(accepted("{\"count\":-9223372036854775808}")->count, INT64_MIN);
        cr_assert_eq(accepted("{\"count\":-9223372036854775808.0}")->count, INT64_MIN);
}

Test(shape, refuses_fractions_and_integers_beyond_64_bits) {
        assert_violations("{\"count\":2.5}", "#/count", "wrong-type");
        assert_violations("{\"count\":1e-300}", "#/count", "wrong-type");
        assert_violations("{\"count\":1e308}", "#/count", "out-of-range");
        assert_violations("{\"count\":-1e308}", "#/count", "out-of-range");
        assert_violations("{\"count\":9223372036854775808}", "#/count", "out-of-range");
        assert_violations("{\"count\":9223372036854775808.0}", "#/count", "out-of-range");
        assert_violations("{\"count\":-9223372036854775809e1}", "#/count", "out-of-range");
        assert_violations("{\"count\":99999999999999999999999999}", "#/count", "out-of-range");
        assert_violations("{\"lines\":[{\"sku\":\"a\",\"quantity\":18446744073709551617}]}", "#/lines/0/quantity",
                "out-of-range");
}

Test(shape, a_huge_integer_does_no_harm_to_its_neighbours) {
        assert_violations("{\"attributes\":{\"big\":18446744073709551616,\"small\":7},\"count\":12,\"latitude\":1}",
                "#/attributes/big", "out-of-range");
}

Test(shape, bounds_of_numbers_are_inclusive) {
        cr_assert_eq(accepted("{\"latitude\":90}")->latitude, 90);
        cr_assert_eq(accepted("{\"latitude\":-90.0}")->latitude, -90);
        assert_violations("{\"latitude\":90.0000001}", "#/latitude", "out-of-range");
        assert_violations("{\"latitude\":-91}", "#/latitude", "out-of-range");
        assert_violations("{\"latitude\":\"52\"}", "#/latitude", "wrong-type");
        cr_assert_eq(accepted("{\"lines\":[{\"sku\":\"a\",\"quantity\":1000}]}")->lines->quantity, 1000);
        assert_violations("{\"lines\":[{\"sku\":\"a\",\"quantity\":0},{\"sku\":\"a\",\"quantity\":1001}]}",
                "#/lines/0/quantity", "out-of-range", "#/lines/1/quantity", "out-of-range");
}

/* ---- refusals of every kind ---- */

Test(shape, every_kind_refuses_other_types) {
        static const struct {
                const char *body, *pointer;
        } cases[] = {
                { "{\"at\":1795256130}", "#/at" },
                { "{\"attributes\":[]}", "#/attributes" },
                { "{\"attributes\":\"{}\"}", "#/attributes" },
                { "{\"channels\":{}}", "#/channels" },
                { "{\"channels\":\"web\"}", "#/channels" },
                { "{\"channels\":[1]}", "#/channels/0" },
                { "{\"channels\":[\"web\",null]}", "#/channels/1" },
                { "{\"code\":42}", "#/code" },
                { "{\"count\":\"7\"}", "#/count" },
                { "{\"count\":true}", "#/count" },
                { "{\"count\":[7]}", "#/count" },
                { "{\"id\":1}", "#/id" },
                { "{\"kind\":1}", "#/kind" },
                { "{\"kinds\":[false]}", "#/kinds/0" },
                { "{\"lines\":{}}", "#/lines" },
                { "{\"lines\":[[]]}", "#/lines/0" },
                { "{\"lines\":[null]}", "#/lines/0" },
                { "{\"note\":{}}", "#/note" },
                { "{\"note\":123}", "#/note" },
                { "{\"person\":[]}", "#/person" },
                { "{\"person\":\"Ada\"}", "#/person" },
                { "{\"total\":12.99}", "#/total" },
                { "{\"total\":\"12.99\"}", "#/total" },
                { "{\"urgent\":1}", "#/urgent" },
                { "{\"urgent\":\"true\"}", "#/urgent" },
                { "{\"wait\":1800}", "#/wait" },
                { "[]", "#" },
                { "\"text\"", "#" },
                { "7", "#" },
                { "null", "#" },
        };

        for (size_t i = 0; i < array_size(cases); i++)
                assert_violations(cases[i].body, cases[i].pointer, "wrong-type");
}

Test(shape, malformed_text_differs_from_a_wrong_type) {
        assert_violations("{\"at\":\"2026-11-21\"}", "#/at", "malformed");
        assert_violations(
                "{\"channels\":[\"web\",\"a b\",\"\"]}", "#/channels/1", "malformed", "#/channels/2", "malformed");
        assert_violations("{\"code\":\"\"}", "#/code", "malformed");
        assert_violations("{\"code\":\"a/b\"}", "#/code", "malformed");
        assert_violations("{\"id\":\"0190A6E2-7B7C-7DEF-8123-456789ABCDEF\"}", "#/id", "malformed");
        assert_violations("{\"wait\":\"30 minutes\"}", "#/wait", "malformed");
        assert_violations("{\"total\":{\"amount\":1,\"currency\":\"EURO\"}}", "#/total/currency", "malformed");
        assert_violations("{\"total\":{\"amount\":1,\"currency\":\"eur\"}}", "#/total/currency", "malformed");
        assert_violations("{\"total\":{\"amount\":1,\"currency\":\"XXX\"}}", "#/total/currency", "malformed");
        assert_violations("{\"total\":{\"amount\":1,\"currency\":\"\"}}", "#/total/currency", "malformed");
}

Test(shape, codes_have_64_characters_at_most) {
        char body[128];

        (void) snprintf(body, sizeof(body), "{\"code\":\"%064d\"}", 1);
        cr_assert_eq(strlen(accepted(body)->code), 64);
        (void) snprintf(body, sizeof(body), "{\"code\":\"%065d\"}", 1);
        assert_violations(body, "#/code", "malformed");
}

Test(shape, enums_have_the_listed_values_only) {
        cr_assert_eq(accepted("{\"kind\":\"pickup\"}")->kind, 0);
        assert_violations("{\"kind\":\"Pickup\"}", "#/kind", "not-allowed");
        cr_assert_not_null(strstr(refusal.violations->detail, "pickup, ship"));
        assert_violations("{\"kind\":\"\"}", "#/kind", "not-allowed");
        assert_violations("{\"kinds\":[\"ship\",\"fly\"]}", "#/kinds/1", "not-allowed");
}

Test(shape, durations_have_bounds) {
        cr_assert_eq(accepted("{\"wait\":\"PT60S\"}")->wait, MINUTE);
        cr_assert_eq(accepted("{\"wait\":\"P1D\"}")->wait, DAY);
        assert_violations("{\"wait\":\"PT59S\"}", "#/wait", "out-of-range");
        assert_violations("{\"wait\":\"P1DT1S\"}", "#/wait", "out-of-range");
        cr_assert_not_null(strstr(refusal.violations->detail, "PT1M to P1D"));
}

Test(shape, lists_have_bounds) {
        assert_violations("{\"lines\":[]}", "#/lines", "too-few");
        assert_violations("{\"channels\":[]}", "#/channels", "too-few");
        assert_violations("{\"channels\":[\"a\",\"b\",\"c\",\"d\"]}", "#/channels", "too-many");
        assert_violations("{\"kinds\":[\"ship\",\"ship\",\"ship\"]}", "#/kinds", "too-many");
        assert_violations("{\"lines\":[1,2,3,4]}", "#/lines", "too-many");
        cr_assert_eq(accepted("{\"channels\":[\"a\",\"b\",\"c\"]}")->n_channels, 3);
}

Test(shape, text_length_counts_code_points) {
        cr_assert_str_eq(accepted("{\"note\":\"🧺🧺🧺🧺\"}")->note, "🧺🧺🧺🧺");
        cr_assert_str_eq(accepted("{\"note\":\"\\ud83e\\uddfa\\u00e9xx\"}")->note, "🧺éxx");
        assert_violations("{\"note\":\"🧺🧺🧺🧺🧺\"}", "#/note", "too-long");
        assert_violations("{\"note\":\"🧺\"}", "#/note", "too-short");
        assert_violations("{\"note\":\"\"}", "#/note", "too-short");
        assert_violations("{\"note\":\"abcde\"}", "#/note", "too-long");
        cr_assert_str_eq(accepted("{\"note\":\"ab\"}")->note, "ab");
}

Test(shape, raw_objects_have_a_size) {
        /* {"a":"xxx"} with 60 bytes in all, then 61 */
        char body[128];

        (void) snprintf(body, sizeof(body), "{\"attributes\":{\"a\":\"%052d\"}}", 0);
        cr_assert_eq(strlen(accepted(body)->attributes), 60);
        (void) snprintf(body, sizeof(body), "{\"attributes\":{\"a\":\"%053d\"}}", 0);
        assert_violations(body, "#/attributes", "too-long");
}

/* They used to come back altered: stored as the nearest double, 2^63 was read back as ...6000. */
Test(shape, an_integer_beyond_64_bits_in_a_raw_object_is_named) {
        assert_violations("{\"attributes\":{\"a\":9223372036854775808}}", "#/attributes/a", "out-of-range");
        assert_violations(
                "{\"attributes\":{\"a\":[1,{\"b\":-9223372036854775809}]}}", "#/attributes/a/1/b", "out-of-range");
        assert_violations("{\"count\":-9223372036854775809}", "#/count", "out-of-range");
        cr_assert_str_eq(accepted("{\"attributes\":{\"a\":[9223372036854775807,-9223372036854775808]}}")->attributes,
                "{\"a\":[9223372036854775807,-9223372036854775808]}");
        cr_assert_str_eq(accepted("{\"attributes\":{\"a\":[1e300,1e22,0.1,-2.5e-7]}}")->attributes,
                "{\"a\":[1e+300,1e+22,0.1,-2.5e-07]}");
}

Test(shape, nul_is_refused_in_every_name) {
        assert_violations("{\"attributes\":{\"a\\u0000b\":1}}", "#", "nul-not-allowed");
        assert_violations("{\"no\\u0000te\":\"abc\"}", "#", "nul-not-allowed");
}

Test(shape, nul_is_refused_in_every_text) {
        static const char *const members[] = { "at", "code", "id", "kind", "note", "wait" };

        for (size_t i = 0; i < array_size(members); i++) {
                char body[64], pointer[16];

                (void) snprintf(body, sizeof(body), "{\"%s\":\"ab\\u0000c\"}", members[i]);
                (void) snprintf(pointer, sizeof(pointer), "#/%s", members[i]);
                assert_violations(body, pointer, "nul-not-allowed");
        }
        assert_violations("{\"channels\":[\"a\\u0000\"]}", "#/channels/0", "nul-not-allowed");
        assert_violations("{\"kinds\":[\"ship\\u0000\"]}", "#/kinds/0", "nul-not-allowed");
        assert_violations(
                "{\"total\":{\"amount\":1,\"currency\":\"EUR\\u0000\"}}", "#/total/currency", "nul-not-allowed");
        assert_violations("{\"attributes\":{\"a\":[1,{\"b\":\"\\u0000\"}]}}", "#/attributes/a/1/b", "nul-not-allowed");
}

Test(shape, money_needs_amount_and_currency) {
        assert_violations("{\"total\":{}}", "#/total/amount", "required", "#/total/currency", "required");
        assert_violations("{\"total\":{\"amount\":1}}", "#/total/currency", "required");
        assert_violations("{\"total\":{\"currency\":\"EUR\"}}", "#/total/amount", "required");
        assert_violations("{\"total\":{\"amount\":null,\"currency\":\"XXX\"}}", "#/total/amount", "required",
                "#/total/currency", "malformed");
        assert_violations("{\"total\":{\"amount\":\"1\",\"currency\":978}}", "#/total/amount", "wrong-type",
                "#/total/currency", "wrong-type");
        assert_violations("{\"total\":{\"amount\":1.5,\"currency\":\"EUR\"}}", "#/total/amount", "wrong-type");
        assert_violations(
                "{\"total\":{\"amount\":1,\"currency\":\"EUR\",\"unit\":1}}", "#/total/unit", "unknown-member");
}

Test(shape, the_exponent_of_money_must_match_when_sent) {
        cr_assert_eq(accepted("{\"total\":{\"amount\":1,\"currency\":\"KWD\",\"exponent\":3}}")->total.amount, 1);
        cr_assert_eq(accepted("{\"total\":{\"amount\":1,\"currency\":\"JPY\",\"exponent\":0.0}}")->total.amount, 1);
        assert_violations(
                "{\"total\":{\"amount\":1,\"currency\":\"JPY\",\"exponent\":2}}", "#/total/exponent", "not-allowed");
        assert_violations(
                "{\"total\":{\"amount\":1,\"currency\":\"EUR\",\"exponent\":-1}}", "#/total/exponent", "not-allowed");
}

Test(shape, money_stays_in_its_range_and_its_bounds) {
        cr_assert_eq(accepted("{\"total\":{\"amount\":9007199254740991,\"currency\":\"EUR\"}}")->total.amount,
                MONEY_MAXIMUM);
        cr_assert_eq(accepted("{\"total\":{\"amount\":-9007199254740991,\"currency\":\"EUR\"}}")->total.amount,
                -MONEY_MAXIMUM);
        assert_violations(
                "{\"total\":{\"amount\":9007199254740992,\"currency\":\"EUR\"}}", "#/total/amount", "out-of-range");
        assert_violations(
                "{\"total\":{\"amount\":-9007199254740992,\"currency\":\"EUR\"}}", "#/total/amount", "out-of-range");
        assert_violations("{\"lines\":[{\"sku\":\"a\",\"quantity\":1,\"price\":{\"amount\":-1,\"currency\":\"EUR\"}},"
                          "{\"sku\":\"a\",\"quantity\":1,\"price\":{\"amount\":100001,\"currency\":\"EUR\"}}]}",
                "#/lines/0/price/amount", "out-of-range", "#/lines/1/price/amount", "out-of-range");
}

/* ---- all violations, with their pointers ---- */

Test(shape, reports_all_violations_not_just_the_first) {
        assert_violations("{\"code\":\"\",\"lines\":[{\"quantity\":0},{\"sku\":\"a\",\"quantity\":1},{\"sku\":null,"
                          "\"quantity\":1,\"colour\":1}],\"person\":{\"name\":\"\"},\"extra\":1,\"note\":\"x\"}",
                "#/code", "malformed", "#/lines/0/sku", "required", "#/lines/0/quantity", "out-of-range",
                "#/lines/2/sku", "required", "#/lines/2/colour", "unknown-member", "#/note", "too-short",
                "#/person/name", "too-short", "#/extra", "unknown-member");
}

Test(shape, requires_members_of_the_root_as_well) {
        assert_refused(&line_shape, "{}", (const char *const[]){ "#/sku", "required", "#/quantity", "required", NULL });
        assert_refused(&line_shape, "{\"sku\":null,\"quantity\":null,\"price\":null}",
                (const char *const[]){ "#/sku", "required", "#/quantity", "required", NULL });
}

Test(shape, suggests_the_member_that_was_meant) {
        assert_violations("{\"lattitude\":1}", "#/lattitude", "unknown-member");
        cr_assert_not_null(strstr(refusal.violations->detail, "did you mean \"latitude\""));
        assert_violations("{\"xyzzy\":1}", "#/xyzzy", "unknown-member");
        cr_assert_null(strstr(refusal.violations->detail, "did you mean"));
}

/* The examples of RFC 6901, section 6, and the bytes it leaves alone. */
Test(shape, pointers_are_escaped_as_uri_fragments) {
        assert_violations("{\"\":0}", "#/", "unknown-member");
        assert_violations("{\"a/b\":1}", "#/a~1b", "unknown-member");
        assert_violations("{\"c%d\":2}", "#/c%25d", "unknown-member");
        assert_violations("{\"e^f\":3}", "#/e%5Ef", "unknown-member");
        assert_violations("{\"g|h\":4}", "#/g%7Ch", "unknown-member");
        assert_violations("{\"i\\\\j\":5}", "#/i%5Cj", "unknown-member");
        assert_violations("{\"k\\\"l\":6}", "#/k%22l", "unknown-member");
        assert_violations("{\" \":7}", "#/%20", "unknown-member");
        assert_violations("{\"m~n\":8}", "#/m~0n", "unknown-member");
        assert_violations("{\"~1/\":9}", "#/~01~1", "unknown-member");
        assert_violations("{\"é🧺\\n\":1}", "#/%C3%A9%F0%9F%A7%BA%0A", "unknown-member");
        assert_violations("{\"-._!$&'()*+,;=:@?aZ9\":1}", "#/-._!$&'()*+,;=:@?aZ9", "unknown-member");
        assert_violations("{\"#[]<>`{}\\u007f\":1}", "#/%23%5B%5D%3C%3E%60%7B%7D%7F", "unknown-member");
}

Test(shape, a_pointer_too_long_names_the_enclosing_value) {
        static char body[5000];

        (void) snprintf(body, sizeof(body), "{\"person\":{\"name\":\"x\",\"%02000d\":1}}", 7);
        assert_violations(body, "#/person", "unknown-member");
        (void) snprintf(body, sizeof(body), "{\"%02000d\":1}", 7);
        assert_violations(body, "#", "unknown-member");
        (void) snprintf(body, sizeof(body), "{\"attributes\":{\"%02000d\":{\"x\":\"\\u0000\"}}}", 7);
        assert_violations(body, "#/attributes", "nul-not-allowed", "#/attributes", "too-long");
}

Test(shape, counts_violations_past_the_limit_without_taking_memory_for_them) {
        static char body[200000];
        size_t size = 1, n = 0;
        void *filled = NULL;

        body[0] = '{';
        for (; n < 10000; n++)
                size += (size_t) snprintf(body + size, sizeof(body) - size, "%s\"x%zu\":1", n ? "," : "", n);
        body[size++] = '}';
        cr_assert_eq(read_sized(&everything_shape, body, size, &filled), PROBLEM_VALIDATION_FAILED);
        cr_assert_eq(refusal.n_violations, n);
        n = 0;
        for (const struct violation *violation = refusal.violations; violation; violation = violation->next)
                n++;
        cr_assert_eq(n, VIOLATIONS_MAX);
        cr_assert_lt(arena.size, 200000);
}

/* ---- parsing ---- */

Test(shape, an_empty_body_reads_as_an_empty_object_when_nothing_is_required) {
        void *filled = NULL;

        cr_assert_eq(read_sized(&everything_shape, NULL, 0, &filled), PROBLEM_NONE);
        assert_absent(filled);
        cr_assert_eq(read_sized(&line_shape, "", 0, &filled), PROBLEM_MALFORMED_JSON);
        cr_assert_str_eq(refusal.detail, "The body is empty.");
}

Test(shape, a_body_that_is_not_one_json_value_is_malformed) {
        static const char *const bodies[] = { " ", "{", "}", "{]", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{a:1}",
                "{'a':1}", "{} {}", "{}x", "[1 2]", "nul", "True", "NaN", "Infinity", "-", "+1", "01", "1.", ".5", "1e",
                "0x10", "\"", "\"\\x41\"", "\"\\u12\"", "\"a\nb\"", "\"\t\"", "// c\n{}", "{}//", "\xEF\xBB\xBF{}",
                "{\"count\":1e999}", "{\"count\":-1e999}", "{\"count\":}", "\x01", "\\", "]", "\"\\" };

        for (size_t i = 0; i < array_size(bodies); i++)
                assert_malformed(bodies[i]);
        assert_malformed_sized("{}\0", 3);
        assert_malformed_sized("{\"note\":\"a\0b\"}", 14);
        assert_malformed_sized("\0{}", 3);
}

Test(shape, invalid_utf8_and_lone_surrogates_are_malformed) {
        static const char *const texts[] = { "\x80", "\xC0\x80", "\xED\xA0\x80", "\xE2\x82", "\xF4\x90\x80\x80", "\xFF",
                "\\ud800", "\\udc00", "\\ud800\\ud800", "\\ud800x", "\\ud83e\\u0041", "\\udfff\\ud800" };

        for (size_t i = 0; i < array_size(texts); i++) {
                char body[64];

                (void) snprintf(body, sizeof(body), "{\"note\":\"ab%s\"}", texts[i]);
                assert_malformed(body);
                (void) snprintf(body, sizeof(body), "{\"ab%s\":1}", texts[i]);
                assert_malformed(body);
        }
}

Test(shape, a_member_may_not_occur_twice) {
        assert_malformed("{\"count\":1,\"count\":1}");
        assert_malformed("{\"lines\":[{\"sku\":\"a\",\"s\\u006bu\":\"b\"}]}");
        assert_malformed("{\"attributes\":{\"a\":1,\"a\":2}}");
        cr_assert_not_null(strstr(refusal.detail, "occurs twice"));
}

Test(shape, the_detail_names_line_and_column) {
        assert_malformed("{\n  \"count\": x\n}");
        cr_assert_not_null(strstr(refusal.detail, "Line 2, column "), "%s", refusal.detail);
}

static void assert_parsed(size_t depth, const char *open, const char *close, enum problem expected) {
        static char body[64000];
        json_t *tree = NULL;
        size_t size = 0;

        for (size_t i = 0; i < depth; i++)
                size += (size_t) snprintf(body + size, sizeof(body) - size, "%s", open);
        for (size_t i = 0; i < depth; i++)
                size += (size_t) snprintf(body + size, sizeof(body) - size, "%s", close);
        refusal = (struct refusal){ 0 };
        cr_assert_eq(shape_parse(body, size, &arena, &refusal, &tree), expected, "%zu of %s", depth, open);
        cr_assert_eq(tree != NULL, expected == PROBLEM_NONE);
        json_decref(tree);
}

Test(shape, nesting_stops_at_32_levels) {
        static const size_t too_deep[] = { 33, 34, 2047, 2048, 2049, 3000 };

        assert_parsed(1, "[", "]", PROBLEM_NONE);
        assert_parsed(32, "[", "]", PROBLEM_NONE);
        assert_parsed(32, "{\"a\":[", "]}", PROBLEM_MALFORMED_JSON);
        assert_parsed(16, "[{\"a\":", "1}]", PROBLEM_MALFORMED_JSON);
        assert_parsed(16, "[[", "]]", PROBLEM_NONE);
        for (size_t i = 0; i < array_size(too_deep); i++) {
                assert_parsed(too_deep[i], "[", "]", PROBLEM_MALFORMED_JSON);
                assert_parsed(too_deep[i], "[", "", PROBLEM_MALFORMED_JSON);
                assert_parsed(too_deep[i], "{\"a\":", "}", PROBLEM_MALFORMED_JSON);
        }
}

Test(shape, nesting_is_reported_with_its_place) {
        static char body[64] = "\n  ";
        json_t *tree = NULL;

        memset(body + 3, '[', 40);
        cr_assert_eq(shape_parse(body, strlen(body), &arena, &refusal, &tree), PROBLEM_MALFORMED_JSON);
        cr_assert_str_eq(refusal.detail, "Line 2, column 35: more than 32 levels of nesting.");
}

static void assert_well_formed(const struct buffer *body) {
        json_t *tree = NULL;

        cr_assert_eq(shape_parse(body->bytes, body->size, &arena, &refusal, &tree), PROBLEM_NONE, "%s", refusal.detail);
        json_decref(tree);
}

Test(shape, brackets_in_text_and_side_by_side_are_no_nesting) {
        struct buffer body;

        buffer_init(&body, &arena, 1000);
        buffer_append_text(&body, "[\"\\\"");
        for (int i = 0; i < 100; i++)
                buffer_append_text(&body, "[{");
        buffer_append_text(&body, "\\\\\"");
        for (int i = 0; i < 100; i++)
                buffer_append_text(&body, ",[]");
        buffer_append_text(&body, "]");
        assert_well_formed(&body);
}

/* Bytes changed, dropped and doubled at random: whatever comes in, the answer is one of three, and always clean. */
Test(shape, any_garbled_body_gets_a_clean_answer) {
        uint64_t dice = 14;
        size_t n_answers[PROBLEM_COUNT] = { 0 };

        for (int i = 0; i < 30000; i++) {
                char body[sizeof(full)];
                void *filled = NULL;
                enum problem problem;

                memcpy(body, full, sizeof(full));
                for (size_t n = 1 + dice_below(&dice, 3); n > 0; n--)
                        body[dice_below(&dice, sizeof(full) - 1)] = dice_below(&dice, 3)
                                                                            ? full[dice_below(&dice, sizeof(full) - 1)]
                                                                            : (char) dice_roll(&dice);
                problem = read_sized(&everything_shape, body, sizeof(full) - 1, &filled);
                cr_assert_eq(refusal.problem, problem);
                cr_assert_eq(filled != NULL, problem == PROBLEM_NONE);
                cr_assert_eq(refusal.n_violations > 0, problem == PROBLEM_VALIDATION_FAILED);
                n_answers[problem]++;
        }
        cr_assert_gt(n_answers[PROBLEM_NONE], 0);
        cr_assert_gt(n_answers[PROBLEM_MALFORMED_JSON], 0);
        cr_assert_gt(n_answers[PROBLEM_VALIDATION_FAILED], 0);
        cr_assert_eq(n_answers[PROBLEM_NONE] + n_answers[PROBLEM_MALFORMED_JSON] + n_answers[PROBLEM_VALIDATION_FAILED],
                30000);
}

/* ---- memory ---- */

/* Every ceiling from 0 up, so that each allocation in turn is the one that fails. Returns how many of them did. */
static size_t read_under_every_ceiling(const char *body, enum problem with_room) {
        enum problem problem = PROBLEM_CONTENT_TOO_LARGE;
        size_t ceiling = 0;

        for (; problem == PROBLEM_CONTENT_TOO_LARGE; ceiling++) {
                struct refusal told = { 0 };
                struct arena small;
                void *filled = NULL;

                arena_init(&small, ceiling);
                problem = shape_read(&everything_shape, body, strlen(body), &small, &told, &filled);
                cr_assert_eq(told.problem, problem);
                cr_assert_eq(filled != NULL, problem == PROBLEM_NONE);
                cr_assert_eq(told.n_violations > 0, problem == PROBLEM_VALIDATION_FAILED);
                cr_assert_eq(told.violations != NULL, problem == PROBLEM_VALIDATION_FAILED);
                for (const struct violation *violation = told.violations; violation; violation = violation->next) {
                        cr_assert_not_null(violation->pointer);
                        cr_assert_not_null(violation->detail);
                }
                cr_assert(problem != PROBLEM_NONE || !small.exhausted);
                arena_clear(&small);
        }
        cr_assert_eq(problem, with_room);
        return ceiling;
}

Test(shape, a_request_that_does_not_fit_its_arena_is_too_large) {
        cr_assert_gt(read_under_every_ceiling(full, PROBLEM_NONE), sizeof(struct everything));
}

Test(shape, violations_that_do_not_fit_the_arena_make_the_request_too_large) {
        cr_assert_gt(
                read_under_every_ceiling("{\"code\":\"\",\"lines\":[{\"quantity\":0},{}],\"extra\":1,\"note\":\"x\","
                                         "\"attributes\":{\"a\":\"\\u0000\"},\"kinds\":[\"fly\"],\"total\":{}}",
                        PROBLEM_VALIDATION_FAILED),
                sizeof(struct everything));
}

Test(shape, fill_under_every_ceiling_is_all_or_nothing) {
        json_t *tree = json_loads(full, 0, NULL);
        enum problem problem = PROBLEM_CONTENT_TOO_LARGE;

        for (size_t ceiling = 0; problem; ceiling++) {
                struct refusal told = { 0 };
                struct everything filled;
                struct arena small;

                arena_init(&small, ceiling);
                problem = shape_fill(&everything_shape, tree, &small, &told, &filled);
                cr_assert(problem == PROBLEM_NONE || problem == PROBLEM_CONTENT_TOO_LARGE);
                if (problem == PROBLEM_NONE) {
                        cr_assert_str_eq(filled.attributes, "{\"size\":0.1,\"tags\":[1,true,null,\"é\"]}");
                        cr_assert_str_eq(filled.channels[1], "app");
                        cr_assert_str_eq(filled.lines[1].sku, "B-2");
                        cr_assert_str_eq(filled.note, "abc");
                        cr_assert_str_eq(filled.person->name, "Ada");
                }
                arena_clear(&small);
        }
        json_decref(tree);
}

/* jansson's own memory: the n-th allocation fails, for every n. */
static size_t allocations_left, n_living;

static void *failing_malloc(size_t size) {
        void *bytes = NULL;

        if (allocations_left == 0) {
                errno = ENOMEM;
                return NULL;
        }
        allocations_left--;
        bytes = malloc(size);
        n_living += bytes != NULL;
        return bytes;
}

static void counting_free(void *bytes) {
        n_living -= bytes != NULL;
        free(bytes);
}

Test(shape, a_parser_without_memory_is_an_overload_and_leaks_nothing) {
        enum problem problem = PROBLEM_OVERLOADED;

        json_set_alloc_funcs(failing_malloc, counting_free);
        for (size_t n = 0; problem; n++) {
                void *filled = NULL;

                allocations_left = n;
                problem = read_sized(&everything_shape, full, sizeof(full) - 1, &filled);
                cr_assert(problem == PROBLEM_NONE || problem == PROBLEM_OVERLOADED, "%zu: %s", n, refusal.detail);
                cr_assert_eq(n_living, 0, "allocation %zu", n);
        }
}

Test(shape, reading_leaves_no_tree_behind) {
        void *filled = NULL;

        json_set_alloc_funcs(failing_malloc, counting_free);
        allocations_left = SIZE_MAX;
        cr_assert_eq(read_sized(&everything_shape, full, sizeof(full) - 1, &filled), PROBLEM_NONE);
        cr_assert_eq(read_sized(&everything_shape, "{\"x\":1}", 7, &filled), PROBLEM_VALIDATION_FAILED);
        cr_assert_eq(read_sized(&everything_shape, "{\"x\":[1,{\"y\":2}", 15, &filled), PROBLEM_MALFORMED_JSON);
        cr_assert_eq(n_living, 0);
}

Test(shape, an_earlier_refusal_is_not_replaced) {
        void *filled = NULL;

        (void) refuse(&refusal, &arena, PROBLEM_NOT_FOUND, "Earlier.");
        cr_assert_eq(shape_read(&everything_shape, "{\"x\":1}", 7, &arena, &refusal, &filled), PROBLEM_NOT_FOUND);
        cr_assert_null(filled);
}

struct with_patterns {
        const char **patterns;
        size_t n_patterns;
};

static const struct shape_member pattern_members[] = {
        COUNTED(TEXT_LIST, true, struct with_patterns, patterns, BETWEEN(1, 2)),
};
static const struct shape patterns_shape = SHAPE(struct with_patterns, pattern_members);

Test(shape, a_list_of_texts_takes_any_text_of_its_length) {
        const char *body = "{\"patterns\":[\"order.*\",\"\\u00e4 b\"]}";
        char too_long[TEXT_LIST_SIZE_MAX + 32];
        void *filled = NULL;
        const struct with_patterns *with;

        cr_assert_eq(read_sized(&patterns_shape, body, strlen(body), &filled), PROBLEM_NONE);
        with = filled;
        cr_expect_eq(with->n_patterns, 2);
        cr_expect_str_eq(with->patterns[0], "order.*");
        cr_expect_str_eq(with->patterns[1], "\xc3\xa4 b");
        (void) snprintf(too_long, sizeof(too_long), "{\"patterns\":[\"%0*d\"]}", TEXT_LIST_SIZE_MAX + 1, 0);
        assert_refused(&patterns_shape, too_long, (const char *const[]){ "#/patterns/0", "too-long", NULL });
        assert_refused(&patterns_shape, "{\"patterns\":[\"\",7]}",
                (const char *const[]){ "#/patterns/0", "too-short", "#/patterns/1", "wrong-type", NULL });
        assert_refused(&patterns_shape, "{\"patterns\":[]}", (const char *const[]){ "#/patterns", "too-few", NULL });
        assert_refused(&patterns_shape, "{\"patterns\":[\"a\",\"b\",\"c\"]}",
                (const char *const[]){ "#/patterns", "too-many", NULL });
}
