#include "db/notes.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void add_numbered(struct notes *notes, int number) {
        char location[16];

        (void) snprintf(location, sizeof(location), "store-%03d", number);
        notes_add(notes, location);
}

Test(notes, are_sorted_and_unique_in_any_order_of_arrival) {
        struct notes notes = { 0 };
        const int order[] = { 7, 3, 9, 3, 1, 7, 9, 1 };
        const char *const expected[] = { "store-001", "store-003", "store-007", "store-009" };

        for (size_t i = 0; i < array_size(order); i++)
                add_numbered(&notes, order[i]);
        cr_assert_eq(notes.n, array_size(expected));
        for (size_t i = 0; i < notes.n; i++)
                cr_expect_str_eq(notes.at[i], expected[i]);
        notes_free(&notes);
}

Test(notes, keep_as_many_as_a_transaction_touches) {
        struct notes notes = { 0 };

        for (int i = 999; i >= 0; i--)
                add_numbered(&notes, i);
        cr_assert_eq(notes.n, 1000);
        cr_expect_str_eq(notes.at[0], "store-000");
        cr_expect_str_eq(notes.at[999], "store-999");
        notes_free(&notes);
}

Test(notes, are_forgotten_between_transactions) {
        struct notes notes = { 0 };

        notes_add(&notes, "berlin");
        notes_forget(&notes);
        cr_assert_eq(notes.n, 0);
        notes_add(&notes, "paris");
        cr_assert_eq(notes.n, 1);
        cr_expect_str_eq(notes.at[0], "paris");
        notes_free(&notes);
}
