#include "importing/keys.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct import_seen seen;

static size_t line_before(const char *first, const char *second, size_t line) {
        size_t before = 99;

        cr_assert(import_seen(&seen, first, second, line, &before));
        return before;
}

static void clear(void) {
        import_seen_clear(&seen);
}

TestSuite(import_seen, .fini = clear);

Test(import_seen, tells_the_line_that_was_first) {
        cr_expect_eq(line_before("a", "", 2), 0);
        cr_expect_eq(line_before("b", "", 3), 0);
        cr_expect_eq(line_before("a", "", 4), 2);
        cr_expect_eq(line_before("a", "", 5), 2);
        cr_expect(import_has_seen(&seen, "b", ""));
        cr_expect_not(import_has_seen(&seen, "c", ""));
}

Test(import_seen, keeps_the_two_parts_of_a_key_apart) {
        cr_expect_eq(line_before("ab", "c", 2), 0);
        cr_expect_eq(line_before("a", "bc", 3), 0);
        cr_expect_eq(line_before("ab", "c", 4), 2);
}

Test(import_seen, a_forgotten_key_is_free_again) {
        cr_expect_eq(line_before("a", "", 2), 0);
        import_unsee(&seen, "a", "");
        cr_expect_not(import_has_seen(&seen, "a", ""));
        cr_expect_eq(line_before("a", "", 3), 0);
        cr_expect_eq(line_before("a", "", 4), 3);
}

Test(import_seen, grows) {
        char key[32];

        for (size_t i = 1; i <= 100000; i++) {
                (void) snprintf(key, sizeof(key), "key-%zu", i);
                cr_assert_eq(line_before(key, "", i), 0, "%s", key);
        }
        for (size_t i = 1; i <= 100000; i++) {
                (void) snprintf(key, sizeof(key), "key-%zu", i);
                cr_assert_eq(line_before(key, "", 1), i, "%s", key);
        }
}
