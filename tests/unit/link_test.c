#include "auth/link.h"

#include <criterion/criterion.h>
#include <string.h>

Test(link, a_token_reads_as_its_digest) {
        char token[LINK_TOKEN_SIZE];
        uint8_t digest[DIGEST_SIZE], again[DIGEST_SIZE];

        link_token_new(token, digest);
        cr_assert_eq(strlen(token), LINK_TOKEN_SIZE - 1);
        cr_assert(link_token_read(token, again));
        cr_assert_arr_eq(digest, again, DIGEST_SIZE);
}

Test(link, no_token_is_given_twice) {
        char one[LINK_TOKEN_SIZE], other[LINK_TOKEN_SIZE];
        uint8_t digest[DIGEST_SIZE];

        link_token_new(one, digest);
        link_token_new(other, digest);
        cr_assert_str_neq(one, other);
}

/* The 43rd character has two bits left over, which must be 0. */
Test(link, what_is_none_is_not_read) {
        static const char *const texts[] = { "", "abc", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAA",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB" };
        uint8_t digest[DIGEST_SIZE];

        for (size_t i = 0; i < array_size(texts); i++)
                cr_assert_not(link_token_read(texts[i], digest), "%s", texts[i]);
        cr_assert(link_token_read("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", digest));
}
