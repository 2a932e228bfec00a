#include "dice.h"

#include "base/arena.h"
#include "base/sorted.h"

#include <criterion/criterion.h>
#include <stdint.h>

struct pair {
        int key, place;
};

static int pairs_compare(const void *left, const void *right) {
        const struct pair *a = left, *b = right;

        return a->key - b->key;
}

/* What sort_unique promises, by the plain way: the keys that occur, each once, in order. */
static size_t keys_that_occur(const struct pair *pairs, size_t n, int *ret_keys) {
        size_t n_keys = 0;

        for (int key = 0; key < 8; key++)
                for (size_t i = 0; i < n; i++)
                        if (pairs[i].key == key) {
                                ret_keys[n_keys++] = key;
                                break;
                        }
        return n_keys;
}

Test(sorted, every_value_is_kept_once_and_in_order) {
        uint64_t dice = 1;

        for (int round = 0; round < 2000; round++) {
                struct pair pairs[12];
                int keys[8];
                const size_t n = dice_below(&dice, 12);
                size_t n_keys;

                for (size_t i = 0; i < n; i++)
                        pairs[i] = (struct pair){ (int) dice_below(&dice, 8), (int) i };
                n_keys = keys_that_occur(pairs, n, keys);
                cr_assert_eq(sort_unique(pairs, n, sizeof(*pairs), pairs_compare), n_keys);
                for (size_t i = 0; i < n_keys; i++)
                        cr_assert_eq(pairs[i].key, keys[i]);
        }
}

Test(sorted, an_element_is_found_by_its_key) {
        struct pair pairs[] = { { 5, 0 }, { 1, 1 }, { 3, 2 } };
        const struct pair there = { 3, 0 }, missing = { 2, 0 };
        const struct pair *found;

        sort(pairs, array_size(pairs), sizeof(*pairs), pairs_compare);
        found = sorted_find(&there, pairs, array_size(pairs), sizeof(*pairs), pairs_compare);
        cr_assert_eq(found->place, 2);
        cr_assert_null(sorted_find(&missing, pairs, array_size(pairs), sizeof(*pairs), pairs_compare));
}

/* qsort and bsearch must not get NULL: the sanitizer stops the program. */
Test(sorted, an_empty_array_may_be_null) {
        const struct pair key = { 1, 0 };

        sort(NULL, 0, sizeof(struct pair), pairs_compare);
        cr_assert_eq(sort_unique(NULL, 0, sizeof(struct pair), pairs_compare), 0);
        cr_assert_null(sorted_find(&key, NULL, 0, sizeof(key), pairs_compare));
}

Test(sorted, texts_are_ordered_byte_by_byte) {
        const char *texts[] = { "b", "\xc3\xa9", "a", "B", "a", "" };

        cr_assert_eq(sort_unique(texts, array_size(texts), sizeof(*texts), texts_compare), 5);
        cr_assert_str_eq(texts[0], "");
        cr_assert_str_eq(texts[1], "B");
        cr_assert_str_eq(texts[2], "a");
        cr_assert_str_eq(texts[3], "b");
        cr_assert_str_eq(texts[4], "\xc3\xa9");
}
