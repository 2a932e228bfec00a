#include "base/money.h"

#include "dice.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

static void assert_exponent(const char *codes, int expected) {
        char code[4] = "";

        for (; *codes; codes += codes[3] ? 4 : 3) {
                memcpy(code, codes, 3);
                cr_assert_eq(currency_exponent(code), expected, "%s", code);
        }
}

Test(money, every_yen_like_currency_has_no_fraction) {
        assert_exponent("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF", 0);
}

Test(money, every_dinar_like_currency_has_three_digits) {
        assert_exponent("BHD IQD JOD KWD LYD OMR TND", 3);
}

Test(money, other_currencies_have_two_digits) {
        assert_exponent(
                "AED AUD BRL CAD CHF CNY CZK DKK EUR GBP HUF IDR INR MGA MRU MXN NOK PLN SEK SLE TRY TWD UAH USD "
                "VED VES XCD XCG ZAR ZWG",
                2);
}

Test(money, funds_metals_and_former_currencies_are_none) {
        assert_exponent(
                "ANG BGN BOV CHE CHW CLF COU CUC DEM HRK MXV SLL USN UYI UYW XAG XAU XBA XBB XBC XBD XDR XPD XPT "
                "XSU XTS XUA XXX ZWL",
                -1);
}

Test(money, currency_codes_are_three_upper_case_letters) {
        const char *const texts[] = { "", "E", "EU", "eur", "Eur", "EURO", "EUR ", " EUR", "€", "978" };

        for (size_t i = 0; i < array_size(texts); i++)
                cr_assert_eq(currency_exponent(texts[i]), -1, "%s", texts[i]);
}

Test(money, there_are_as_many_currencies_as_iso_4217_lists) {
        int n[5] = { 0 };

        for (int i = 0; i < 26 * 26 * 26; i++) {
                const char code[] = { (char) ('A' + i / 676), (char) ('A' + i / 26 % 26), (char) ('A' + i % 26), '\0' };

                n[currency_exponent(code) + 1]++;
        }
        cr_assert_eq(n[1], 16);
        cr_assert_eq(n[2], 0);
        cr_assert_eq(n[3], 132);
        cr_assert_eq(n[4], 7);
}

Test(money, range_is_what_every_json_reader_keeps_exact) {
        cr_assert_eq(MONEY_MAXIMUM, INT64_C(9007199254740991));
        cr_assert(money_in_range(0));
        cr_assert(money_in_range(MONEY_MAXIMUM));
        cr_assert(money_in_range(-MONEY_MAXIMUM));
        cr_assert_not(money_in_range(MONEY_MAXIMUM + 1));
        cr_assert_not(money_in_range(-MONEY_MAXIMUM - 1));
        cr_assert_not(money_in_range(INT64_MAX));
        cr_assert_not(money_in_range(INT64_MIN));
}

Test(money, sums_are_checked) {
        int64_t sum = 7;

        cr_assert_not(money_add(MONEY_MAXIMUM, 1, &sum));
        cr_assert_not(money_add(-MONEY_MAXIMUM, -1, &sum));
        cr_assert_not(money_add(INT64_MAX, 1, &sum));
        cr_assert_not(money_add(INT64_MIN, -1, &sum));
        cr_assert_eq(sum, 7);
        cr_assert(money_add(MONEY_MAXIMUM - 1, 1, &sum));
        cr_assert_eq(sum, MONEY_MAXIMUM);
        cr_assert(money_add(1999, -2000, &sum));
        cr_assert_eq(sum, -1);
}

Test(money, products_are_checked) {
        int64_t product = 7;

        cr_assert_not(money_multiply(MONEY_MAXIMUM, 2, &product));
        cr_assert_not(money_multiply(INT64_MAX, INT64_MAX, &product));
        cr_assert_not(money_multiply(INT64_MIN, -1, &product));
        cr_assert_eq(product, 7);
        cr_assert(money_multiply(1999, 3, &product));
        cr_assert_eq(product, 5997);
        cr_assert(money_multiply(MONEY_MAXIMUM, -1, &product));
        cr_assert_eq(product, -MONEY_MAXIMUM);
}

static void assert_money(const char *text, const char *currency, int64_t expected) {
        struct money money;

        cr_assert(money_parse(text, currency, &money), "%s %s", text, currency);
        cr_assert_eq(money.amount, expected, "%s %s", text, currency);
        cr_assert_str_eq(money.currency, currency);
}

Test(money, text_in_major_units_becomes_minor_units) {
        assert_money("12.99", "EUR", 1299);
        assert_money("12.9", "EUR", 1290);
        assert_money("12", "EUR", 1200);
        assert_money("0", "EUR", 0);
        assert_money("007.50", "EUR", 750);
        assert_money("-0.05", "EUR", -5);
        assert_money("-12.99", "EUR", -1299);
        assert_money("500", "JPY", 500);
        assert_money("1.5", "KWD", 1500);
        assert_money("1.234", "KWD", 1234);
        assert_money("90071992547409.91", "EUR", MONEY_MAXIMUM);
        assert_money("-9007199254740991", "JPY", -MONEY_MAXIMUM);
}

Test(money, text_that_is_not_an_amount_of_the_currency_is_refused) {
        const struct {
                const char *text, *currency;
        } cases[] = {
                { "", "EUR" },
                { "-", "EUR" },
                { "+1", "EUR" },
                { "--1", "EUR" },
                { "1.", "EUR" },
                { ".5", "EUR" },
                { "-.5", "EUR" },
                { "1.999", "EUR" },
                { "1.990", "EUR" },
                { "1.0", "JPY" },
                { "1.", "JPY" },
                { "1.2345", "KWD" },
                { "1,99", "EUR" },
                { "1 000", "EUR" },
                { " 1", "EUR" },
                { "1 ", "EUR" },
                { "1e3", "EUR" },
                { "1.9.9", "EUR" },
                { "0x10", "EUR" },
                { "90071992547409.92", "EUR" },
                { "90071992547410", "EUR" },
                { "9007199254740992", "JPY" },
                { "99999999999999999999999999999999", "JPY" },
                { "1", "XXX" },
                { "1", "eur" },
                { "1", "" },
        };

        for (size_t i = 0; i < array_size(cases); i++) {
                struct money money = { .amount = 7 };

                cr_assert_not(money_parse(cases[i].text, cases[i].currency, &money), "%s %s", cases[i].text,
                        cases[i].currency);
                cr_assert_eq(money.amount, 7);
        }
}

Test(money, a_currency_in_small_letters_is_told_how_it_is_written) {
        char text[CURRENCY_FAULT_SIZE];

        cr_expect_null(currency_fault("EUR", text));
        cr_expect_str_eq(currency_fault("eur", text), "Write the code in capitals: EUR.");
        cr_expect_str_eq(currency_fault("Jpy", text), "Write the code in capitals: JPY.");
        cr_expect(strstr(currency_fault("xxx", text), "ISO 4217"));
        cr_expect(strstr(currency_fault("eu", text), "ISO 4217"));
        cr_expect(strstr(currency_fault("euro", text), "ISO 4217"));
        cr_expect(strstr(currency_fault("", text), "ISO 4217"));
}

static void assert_shares(int64_t total, const int64_t *weights, size_t n, const int64_t *expected) {
        int64_t shares[8];

        money_share(total, weights, n, shares);
        for (size_t i = 0; i < n; i++)
                cr_assert_eq(shares[i], expected[i], "%" PRId64 ": share %zu is %" PRId64, total, i, shares[i]);
}

#define assert_shares_of(total, weights, ...)                                                                          \
        assert_shares((total), (weights), array_size(weights), (const int64_t[]){ __VA_ARGS__ })

Test(money, a_portion_is_rounded_towards_zero_and_does_not_overflow) {
        cr_assert_eq(money_portion(1000, 1, 3), 333);
        cr_assert_eq(money_portion(-1000, 2, 3), -666);
        cr_assert_eq(money_portion(1000, 3, 3), 1000);
        cr_assert_eq(money_portion(1000, 0, 3), 0);
        cr_assert_eq(money_portion(1000, 1, 0), 0);
        cr_assert_eq(money_portion(MONEY_MAXIMUM, MONEY_MAXIMUM - 1, MONEY_MAXIMUM), MONEY_MAXIMUM - 1);
        cr_assert(money_smaller(-1, 2) == -1 && money_larger(-1, 2) == 2);
}

Test(money, shares_follow_the_weights) {
        const int64_t weights[] = { 1, 2, 7 };

        assert_shares_of(1000, weights, 100, 200, 700);
        assert_shares_of(0, weights, 0, 0, 0);
        assert_shares_of(-1000, weights, -100, -200, -700);
}

Test(money, the_largest_remainder_gets_the_odd_cent) {
        const int64_t weights[] = { 10, 33, 57 };

        /* 0.1, 0.33 and 0.57 of a cent: the last is nearest to one. */
        assert_shares_of(1, weights, 0, 0, 1);
        /* 0.2, 0.66 and 1.14: the second has the largest remainder. */
        assert_shares_of(2, weights, 0, 1, 1);
        assert_shares_of(-2, weights, 0, -1, -1);
}

Test(money, ties_go_to_the_lower_index) {
        const int64_t weights[] = { 5, 5, 5 };

        assert_shares_of(100, weights, 34, 33, 33);
        assert_shares_of(101, weights, 34, 34, 33);
        assert_shares_of(-101, weights, -34, -34, -33);
}

Test(money, weights_of_zero_get_nothing_unless_all_are_zero) {
        const int64_t some[] = { 0, 3, 0, 3 }, none[] = { 0, 0, 0 };

        assert_shares_of(101, some, 0, 51, 0, 50);
        assert_shares_of(101, none, 34, 34, 33);
}

Test(money, one_share_is_the_total) {
        const int64_t weights[] = { 3 }, zero[] = { 0 };

        assert_shares_of(MONEY_MAXIMUM, weights, MONEY_MAXIMUM);
        assert_shares_of(INT64_MAX, zero, INT64_MAX);
        assert_shares_of(INT64_MIN, weights, INT64_MIN);
}

Test(money, shares_of_the_largest_numbers_do_not_overflow) {
        const int64_t weights[] = { INT64_MAX, INT64_MAX, INT64_MAX };

        assert_shares_of(MONEY_MAXIMUM, weights, MONEY_MAXIMUM / 3 + 1, MONEY_MAXIMUM / 3, MONEY_MAXIMUM / 3);
}

/* Small, middling and huge numbers, zeros included. */
static int64_t roll_amount(uint64_t *dice, int64_t maximum) {
        const uint64_t wide = dice_roll(dice) >> dice_below(dice, 64);

        return (int64_t) (wide % ((uint64_t) maximum + 1));
}

static void assert_fair(int64_t total, const int64_t *weights, size_t n, const int64_t *shares) {
        __int128 sum_of_weights = 0, sum = 0;

        for (size_t i = 0; i < n; i++) {
                sum_of_weights += weights[i];
                sum += shares[i];
        }
        cr_assert(sum == total, "the shares do not add up to %" PRId64, total);
        for (size_t i = 0; i < n; i++) {
                /* |share - total * weight / sum| < 1, without dividing */
                const __int128 off = sum_of_weights ? shares[i] * sum_of_weights - (__int128) total * weights[i]
                                                    : shares[i] * (__int128) n - total;
                const __int128 unit = sum_of_weights ? sum_of_weights : (__int128) n;

                cr_assert(off < unit && off > -unit, "share %zu is off by a unit or more", i);
        }
}

Test(money, shares_add_up_to_the_total) {
        uint64_t dice = 6;

        for (int round = 0; round < 10000; round++) {
                const int64_t total = roll_amount(&dice, MONEY_MAXIMUM) * (dice_below(&dice, 2) ? 1 : -1);
                const int64_t heaviest = roll_amount(&dice, MONEY_MAXIMUM);
                const size_t n = 1 + dice_below(&dice, 40);
                int64_t weights[40], shares[40];

                for (size_t i = 0; i < n; i++)
                        weights[i] = roll_amount(&dice, heaviest);
                money_share(total, weights, n, shares);
                assert_fair(total, weights, n, shares);
        }
}

Test(money, the_currencies_of_an_exponent_are_those_that_have_it) {
        size_t n, all = 0;

        for (int exponent = -1; exponent <= 4; exponent++) {
                const char(*codes)[4] = currencies_with_exponent(exponent, &n);

                for (size_t i = 0; i < n; i++)
                        cr_expect_eq(currency_exponent(codes[i]), exponent, "%s", codes[i]);
                cr_expect_eq(codes != NULL, n > 0, "%d", exponent);
                all += n;
        }
        cr_assert_gt(all, 150);
}
