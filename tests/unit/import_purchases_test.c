#include "importing/purchases.h"

#include <criterion/criterion.h>

static struct purchases purchases;
static struct purchase_part parts[PURCHASE_PARTS_MAX];
static int64_t left;

static void tear_down(void) {
        purchases_clear(&purchases);
}

TestSuite(import_purchases, .fini = tear_down);

static void bought(const char *customer, const char *sku, int64_t second, int64_t price, int64_t units) {
        const struct purchase purchase = { .second = second,
                .currency = "GBP",
                .offset = 100 * purchases.n,
                .price = price,
                .bought = (uint32_t) units,
                .left = (uint32_t) units };

        cr_assert(purchases_add(&purchases, customer, sku, &purchase));
}

static size_t comes_back(const char *customer, const char *sku, int64_t second, int64_t price, int64_t units) {
        const struct purchase_return wanted = { customer, sku, "GBP", second, price, units };

        return purchases_take(&purchases, &wanted, parts, &left);
}

static void assert_part(size_t place, int64_t second, int64_t units) {
        cr_assert_eq(parts[place].purchase->second, second);
        cr_assert_eq(parts[place].units, units);
}

Test(import_purchases, seconds_grow_with_time) {
        cr_assert_lt(purchase_second("2010-12-01 08:26"), purchase_second("2010-12-01 08:26:01"));
        cr_assert_lt(purchase_second("2010-12-01 08:26:59Z"), purchase_second("2010-12-01 08:27:00Z"));
        cr_assert_lt(purchase_second("2010-12-01 08:26"), purchase_second("2010-12-01 08:27"));
        cr_assert_lt(purchase_second("2010-12-31 23:59"), purchase_second("2011-01-01 00:00"));
}

Test(import_purchases, goods_come_back_to_the_newest_purchase_before) {
        bought("ada", "A", 10, 100, 5);
        bought("ada", "A", 20, 100, 5);
        bought("ada", "A", 30, 100, 5);
        cr_assert_eq(comes_back("ada", "A", 25, 100, 2), 1);
        assert_part(0, 20, 2);
        cr_assert_eq(left, 0);
}

Test(import_purchases, the_price_says_which_purchase_is_meant) {
        bought("ada", "A", 10, 100, 5);
        bought("ada", "A", 20, 90, 5);
        cr_assert_eq(comes_back("ada", "A", 25, 100, 7), 2);
        assert_part(0, 10, 5);
        assert_part(1, 20, 2);
}

Test(import_purchases, never_more_comes_back_than_was_bought) {
        bought("ada", "A", 10, 100, 5);
        cr_assert_eq(comes_back("ada", "A", 25, 100, 4), 1);
        cr_assert_eq(comes_back("ada", "A", 26, 100, 4), 1);
        assert_part(0, 10, 1);
        cr_assert_eq(left, 3);
        cr_assert_eq(comes_back("ada", "A", 27, 100, 1), 0);
}

Test(import_purchases, what_others_bought_or_what_comes_later_does_not_count) {
        bought("ada", "A", 10, 100, 5);
        bought("bob", "A", 5, 100, 5);
        bought("ada", "B", 5, 100, 5);
        cr_assert_eq(comes_back("ada", "A", 10, 100, 1), 0);
        cr_assert_eq(left, 1);
        cr_assert_eq(comes_back("ada", "A", 11, 100, 1), 1);
}

Test(import_purchases, one_line_is_set_against_so_many_purchases_at_most) {
        for (int64_t i = 0; i < PURCHASE_PARTS_MAX + 1; i++)
                bought("ada", "A", i, 100, 1);
        cr_assert_eq(comes_back("ada", "A", 1000, 100, PURCHASE_PARTS_MAX + 1), PURCHASE_PARTS_MAX);
        cr_assert_eq(left, 1);
}

Test(import_purchases, a_purchase_in_another_currency_is_never_meant) {
        const struct purchase_return wanted = { "ada", "A", "EUR", 20, 100, 2 };

        bought("ada", "A", 10, 100, 5);
        cr_assert_eq(purchases_take(&purchases, &wanted, parts, &left), 0);
        cr_assert_eq(left, 2);
}
