#include "base/mark.h"

#include <criterion/criterion.h>

#include <string.h>

static uint64_t mark_of(const char *text) {
        return mark_bytes(MARK_BEGIN, text, strlen(text));
}

/* The test vectors of draft-eastlake-fnv. */
Test(mark, bytes_have_the_published_digests_of_fnv_1a) {
        cr_assert_eq(mark_of(""), UINT64_C(0xcbf29ce484222325));
        cr_assert_eq(mark_of("a"), UINT64_C(0xaf63dc4c8601ec8c));
        cr_assert_eq(mark_of("foobar"), UINT64_C(0x85944171f73967e8));
}

Test(mark, a_mark_continues_where_another_one_ends) {
        cr_assert_eq(mark_bytes(mark_of("foo"), "bar", 3), mark_of("foobar"));
        cr_assert_eq(mark_number(mark_of("fooba"), 'r'), mark_of("foobar"));
        cr_assert_neq(mark_number(MARK_BEGIN, 1), mark_number(MARK_BEGIN, 2));
}
