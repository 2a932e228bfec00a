#include "base/problem.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena arena;

static void open_arena(void) {
        arena_init(&arena, (size_t) 1 << 20);
}

static void close_arena(void) {
        arena_clear(&arena);
}

TestSuite(problem, .init = open_arena, .fini = close_arena);

Test(problem, every_one_has_a_status_a_slug_and_a_title) {
        for (int i = PROBLEM_NONE + 1; i < PROBLEM_COUNT; i++) {
                const enum problem problem = (enum problem) i;

                cr_assert(problem_status(problem) >= 400 && problem_status(problem) < 600);
                cr_assert_gt(strlen(problem_title(problem)), 0);
                cr_assert_eq(
                        strspn(problem_slug(problem), "abcdefghijklmnopqrstuvwxyz-"), strlen(problem_slug(problem)));
        }
}

Test(problem, the_list_is_sorted_by_status_then_slug_so_none_is_there_twice) {
        for (int i = PROBLEM_NONE + 2; i < PROBLEM_COUNT; i++) {
                const enum problem before = (enum problem)(i - 1), problem = (enum problem) i;

                cr_assert_leq(problem_status(before), problem_status(problem));
                if (problem_status(before) == problem_status(problem))
                        cr_assert_lt(strcmp(problem_slug(before), problem_slug(problem)), 0);
        }
}

Test(problem, faults_are_published_as_problems_for_clients) {
        for (int i = PROBLEM_COUNT + 1; i <= FAULT_STALE; i++) {
                const enum problem published = problem_published((enum problem) i);

                cr_assert(published == PROBLEM_DATABASE_UNAVAILABLE || published == PROBLEM_INTERNAL ||
                          published == PROBLEM_OVERLOADED);
                cr_assert_geq(problem_status((enum problem) i), 500);
        }
        cr_assert_eq(problem_published(FAULT_LOST), PROBLEM_DATABASE_UNAVAILABLE);
        cr_assert_eq(problem_published(FAULT_BROKEN), PROBLEM_INTERNAL);
        cr_assert_eq(problem_published(FAULT_BUSY), PROBLEM_OVERLOADED);
        cr_assert_eq(problem_published(PROBLEM_COUNT), PROBLEM_INTERNAL);
        cr_assert_eq(problem_published(PROBLEM_NOT_FOUND), PROBLEM_NOT_FOUND);
}

Test(problem, an_earlier_refusal_stays) {
        struct refusal refusal = { 0 };

        cr_assert_eq(refuse(&refusal, &arena, PROBLEM_NOT_FOUND, "No order %s.", "A-1"), PROBLEM_NOT_FOUND);
        cr_assert_eq(refuse(&refusal, &arena, PROBLEM_INTERNAL, "Later."), PROBLEM_NOT_FOUND);
        cr_assert_str_eq(refusal.detail, "No order A-1.");
}

Test(problem, violations_are_listed_in_order) {
        struct refusal refusal = { 0 };
        char pointer[] = "#/sku";

        cr_assert_not_null(refuse_because(&refusal, &arena, pointer, "required", "Missing %d.", 1));
        pointer[2] = 'X';
        cr_assert_not_null(refuse_because(&refusal, &arena, "#/quantity", "out-of-range", "Too many."));
        cr_assert_str_eq(refusal.violations->pointer, "#/sku", "the pointer is copied");
        cr_assert_str_eq(refusal.violations->detail, "Missing 1.");
        cr_assert_str_eq(refusal.violations->next->code, "out-of-range");
        cr_assert_null(refusal.violations->next->next);
        cr_assert_eq(refusal.n_violations, 2);
}

Test(problem, violations_past_the_limit_are_counted_but_not_listed) {
        struct refusal refusal = { 0 };
        size_t n = 0;

        for (int i = 0; i < VIOLATIONS_MAX + 5; i++)
                (void) refuse_because(&refusal, &arena, "#", "required", "Missing.");
        for (struct violation *violation = refusal.violations; violation; violation = violation->next)
                n++;
        cr_assert_eq(n, VIOLATIONS_MAX);
        cr_assert_eq(refusal.n_violations, VIOLATIONS_MAX + 5);
        cr_assert_null(refuse_because(&refusal, &arena, "#", "required", "Missing."));
}

Test(problem, a_violation_of_a_list_names_its_element_or_a_member_of_it) {
        struct refusal refusal = { 0 };

        violation_at(&refusal, &arena, "#/lines", 3, "quantity", "out-of-range", "%d is too many.", 9);
        violation_at(&refusal, &arena, "#/exchange/lines", 0, NULL, "repeated", "This is repeated.");
        violation_beyond(&refusal, &arena, "#/lines", 12, "quantity", "insufficient-stock", 4, "4 are left.");
        cr_assert_str_eq(refusal.violations->pointer, "#/lines/3/quantity");
        cr_assert_str_eq(refusal.violations->detail, "9 is too many.");
        cr_assert_not(refusal.violations->has_available);
        cr_assert_str_eq(refusal.violations->next->pointer, "#/exchange/lines/0");
        cr_assert_str_eq(refusal.last_violation->pointer, "#/lines/12/quantity");
        cr_assert(refusal.last_violation->has_available);
        cr_assert_eq(refusal.last_violation->available, 4);
}

Test(problem, a_limit_past_the_listed_violations_is_counted_alone) {
        struct refusal refusal = { 0 };

        for (size_t i = 0; i <= VIOLATIONS_MAX; i++)
                violation_beyond(&refusal, &arena, "#/lines", i, NULL, "insufficient-stock", 0, "None is left.");
        cr_assert_eq(refusal.n_violations, VIOLATIONS_MAX + 1);
        cr_assert_str_eq(refusal.last_violation->pointer, "#/lines/99");
}
