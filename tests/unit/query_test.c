#include "http/query.h"

#include "base/arena.h"

#include <criterion/criterion.h>
#include <string.h>

#define MEMORY ((size_t) 256 * 1024)

struct filter {
        bool open, has_open;
        const char *code;
        int64_t limit;
        bool has_limit;
        const char *q;
        double radius;
        bool has_radius;
        timestamp since;
        const char *const *status;
        size_t n_status;
};

static const char *const statuses[] = { "ready", "arrived", NULL };
static const struct shape_member members[] = {
        OPTIONAL_FLAGGED(BOOLEAN, struct filter, open),
        OPTIONAL(CODE, struct filter, code),
        OPTIONAL_FLAGGED(INTEGER, struct filter, limit, BETWEEN(1, 200)),
        OPTIONAL(TEXT, struct filter, q, BETWEEN(1, 20)),
        OPTIONAL_FLAGGED(NUMBER, struct filter, radius, BETWEEN(0, 100)),
        OPTIONAL(TIME, struct filter, since),
        COUNTED(TEXTS, false, struct filter, status, .names = statuses, BETWEEN(1, 2)),
};
static const struct shape shape = SHAPE(struct filter, members);

static struct arena arena;
static struct refusal refusal;
static const struct filter *filter;

static void open_arena(void) {
        arena_init(&arena, MEMORY);
}

static void close_arena(void) {
        arena_clear(&arena);
}

TestSuite(query, .init = open_arena, .fini = close_arena);

static enum problem query_text(const struct shape *wanted, const char *text) {
        void *filled = NULL;
        enum problem p;

        refusal = (struct refusal){ 0 };
        p = query_read(wanted, text ? arena_text(&arena, text) : NULL, &arena, &refusal, &filled);
        filter = filled;
        return p;
}

static void assert_taken(const char *text) {
        cr_assert_eq(query_text(&shape, text), PROBLEM_NONE, "%s: %s", text, refusal.detail);
        cr_assert_not_null(filter);
}

static void assert_refused(const char *text, enum problem problem) {
        const enum problem p = query_text(&shape, text);

        cr_assert_eq(p, problem, "%s: %s", text, problem_slug(p));
        cr_assert_eq(refusal.problem, problem);
}

Test(query, every_parameter_is_read_as_its_kind) {
        assert_taken(
                "limit=20&code=berlin&open=true&radius=2.5&q=red+shirt%21&since=2026-11-21T10:00:00Z&status=ready,arrived");
        cr_assert(filter->has_limit && filter->limit == 20);
        cr_assert_str_eq(filter->code, "berlin");
        cr_assert(filter->has_open && filter->open);
        cr_assert(filter->has_radius && filter->radius > 2.4 && filter->radius < 2.6);
        cr_assert_str_eq(filter->q, "red shirt!");
        cr_assert_neq(filter->since, TIMESTAMP_NONE);
        cr_assert_eq(filter->n_status, 2);
        cr_assert_str_eq(filter->status[0], "ready");
}

Test(query, an_empty_query_has_no_parameters) {
        assert_taken(NULL);
        cr_assert_not(filter->has_limit);
        assert_taken("");
        assert_taken("&&");
        cr_assert_eq(filter->n_status, 0);
        cr_assert_eq(filter->since, TIMESTAMP_NONE);
}

Test(query, an_escaped_name_is_the_same_name) {
        assert_taken("l%69mit=3");
        cr_assert_eq(filter->limit, 3);
}

Test(query, an_escaped_separator_is_a_character) {
        assert_taken("q=a%26b%3Dc%2Cd%2Be");
        cr_assert_str_eq(filter->q, "a&b=c,d+e");
}

Test(query, an_unknown_parameter_is_named) {
        assert_refused("limits=1", PROBLEM_UNKNOWN_PARAMETER);
        cr_assert_not_null(strstr(refusal.detail, "\"limits\""));
        assert_refused("limit=1&x", PROBLEM_UNKNOWN_PARAMETER);
        assert_refused("=1", PROBLEM_UNKNOWN_PARAMETER);
}

Test(query, where_none_is_taken_any_is_unknown) {
        cr_assert_eq(query_text(NULL, "a=1"), PROBLEM_UNKNOWN_PARAMETER);
        cr_assert_eq(query_text(NULL, ""), PROBLEM_NONE);
        cr_assert_eq(query_text(NULL, NULL), PROBLEM_NONE);
}

Test(query, a_parameter_given_twice_is_refused_however_it_is_spelled) {
        assert_refused("limit=1&limit=1", PROBLEM_INVALID_PARAMETER);
        assert_refused("limit=1&%6cimit=2", PROBLEM_INVALID_PARAMETER);
}

Test(query, an_unreadable_value_is_refused_by_its_name) {
        const char *const texts[] = { "limit=0", "limit=201", "limit=x", "limit=", "limit=1.5",
                "limit=9223372036854775808", "open=yes", "open", "radius=far", "radius=101", "radius=nan", "code=a%20b",
                "q=", "status=lost", "status=ready,arrived,ready", "since=yesterday" };

        for (size_t i = 0; i < array_size(texts); i++) {
                assert_refused(texts[i], PROBLEM_INVALID_PARAMETER);
                cr_assert_not_null(refusal.violations, "%s", texts[i]);
                cr_assert_eq(strncmp(refusal.violations->pointer, "#/", 2), 0);
                cr_assert_eq(strncmp(refusal.violations->pointer + 2, texts[i], strcspn(texts[i], "=")), 0, "%s: %s",
                        texts[i], refusal.violations->pointer);
        }
}

Test(query, bad_escapes_and_hidden_nuls_are_refused) {
        assert_refused("q=%", PROBLEM_INVALID_PARAMETER);
        assert_refused("q=%zz", PROBLEM_INVALID_PARAMETER);
        assert_refused("q=%00", PROBLEM_INVALID_PARAMETER);
        assert_refused("q=%ff", PROBLEM_INVALID_PARAMETER);
        assert_refused("%ff=1", PROBLEM_INVALID_PARAMETER);
}

Test(query, a_query_has_a_limit_of_parameters) {
        char text[4 * QUERY_PARAMETERS_MAX + 16] = "";
        size_t size = 0;

        for (int i = 0; i <= QUERY_PARAMETERS_MAX; i++) {
                memcpy(text + size, "x=1&", 4);
                size += 4;
        }
        assert_refused(text, PROBLEM_UNKNOWN_PARAMETER);
        memset(text, '&', sizeof(text) - 1);
        assert_taken(text);
}

Test(query, without_memory_the_service_is_overloaded) {
        char text[] = "q=abc";
        void *filled = NULL;

        arena_clear(&arena);
        arena_init(&arena, sizeof(struct filter) / 2);
        cr_assert_eq(query_read(&shape, text, &arena, &refusal, &filled), PROBLEM_OVERLOADED);
        cr_assert_null(filled);
}
