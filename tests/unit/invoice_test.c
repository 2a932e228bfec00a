#include "importing/invoice.h"

#include "base/cleanup.h"

#include <criterion/criterion.h>
#include <string.h>

/* A row of ordinary goods, of which each test changes a cell. */
static struct import_row row;
static struct invoice_line line;
static struct invoice_terms terms;
static char reason[IMPORT_REASON_SIZE];

static void given_goods(void) {
        terms = (struct invoice_terms){ .currency = "GBP", .dates = DATES_DAY_FIRST };
        row = (struct import_row){ .line = 2,
                .cells = { [INVOICE_NUMBER] = "536365",
                        [INVOICE_SKU] = "85123A",
                        [INVOICE_TITLE] = "WHITE HANGING HEART",
                        [INVOICE_QUANTITY] = "6",
                        [INVOICE_DATE] = "01/12/2010 08:26",
                        [INVOICE_PRICE] = "2.55" } };
        reason[0] = '\0';
}

static enum invoice_kind read_row(void) {
        return invoice_line_read(&row, &terms, &line, reason);
}

static void assert_kind(enum invoice_kind expected, const char *word) {
        const enum invoice_kind kind = read_row();

        cr_assert_eq(kind, expected, "%d: %s", kind, reason);
        cr_expect(strstr(reason, word), "\"%s\" does not say %s", reason, word);
}

TestSuite(invoice, .init = given_goods);

Test(invoice, a_line_of_goods_is_read) {
        cr_assert_eq(read_row(), INVOICE_GOODS, "%s", reason);
        cr_expect_eq(line.quantity, 6);
        cr_expect_eq(line.price, 255);
        cr_expect_not(line.rounded);
        cr_expect_str_eq(line.placed_at, "2010-12-01 08:26");
}

Test(invoice, a_leading_c_before_a_digit_is_a_return) {
        row.cells[INVOICE_NUMBER] = "C536379";
        row.cells[INVOICE_QUANTITY] = "-6";
        cr_assert_eq(read_row(), INVOICE_RETURN, "%s", reason);
        cr_expect_eq(line.quantity, 6);
        cr_expect_eq(line.price, 255);
        cr_expect_str_eq(line.placed_at, "2010-12-01 08:26");
        row.cells[INVOICE_NUMBER] = "CLICK-1";
        row.cells[INVOICE_QUANTITY] = "6";
        cr_assert_eq(read_row(), INVOICE_GOODS, "%s", reason);
}

Test(invoice, a_return_of_what_is_no_goods_is_none) {
        row.cells[INVOICE_NUMBER] = "C536379";
        row.cells[INVOICE_SKU] = "D";
        row.cells[INVOICE_QUANTITY] = "-1";
        assert_kind(INVOICE_NOT_GOODS, "a discount");
}

Test(invoice, a_return_has_units_that_come_back) {
        row.cells[INVOICE_NUMBER] = "C536379";
        terms.has_returns = true;
        assert_kind(INVOICE_INVALID, "6 units do not come back");
        row.cells[INVOICE_QUANTITY] = "0";
        assert_kind(INVOICE_INVALID, "0 units");
        row.cells[INVOICE_QUANTITY] = "-9223372036854775808";
        assert_kind(INVOICE_INVALID, "0 units");
}

Test(invoice, a_number_may_begin_with_c_when_all_units_are_above_zero) {
        row.cells[INVOICE_NUMBER] = "C1001";
        row.cells[INVOICE_QUANTITY] = "1";
        cr_assert_eq(read_row(), INVOICE_GOODS, "%s", reason);
        cr_expect_eq(line.quantity, 1);
}

Test(invoice, what_is_in_the_catalogue_is_goods) {
        static const char *const codes[] = { "M", "POST", "S", "B", "D", "C2", "DOT", "PADS", "gift_0001_20" };

        terms.is_product = true;
        for (size_t i = 0; i < array_size(codes); i++) {
                row.cells[INVOICE_SKU] = codes[i];
                cr_expect_eq(read_row(), INVOICE_GOODS, "%s: %s", codes[i], reason);
        }
}

Test(invoice, no_currency_is_assumed) {
        terms.currency = NULL;
        cr_expect_eq(read_row(), INVOICE_NO_CURRENCY);
        row.cells[INVOICE_CURRENCY] = "";
        cr_expect_eq(read_row(), INVOICE_NO_CURRENCY);
        row.cells[INVOICE_CURRENCY] = "EUR";
        cr_assert_eq(read_row(), INVOICE_GOODS, "%s", reason);
        cr_expect_str_eq(line.currency, "EUR");
        row.cells[INVOICE_CURRENCY] = "eur";
        assert_kind(INVOICE_INVALID, "Write the code in capitals: EUR.");
        terms.currency = "GBP";
        row.cells[INVOICE_CURRENCY] = "EUR";
        cr_assert_eq(read_row(), INVOICE_GOODS, "%s", reason);
        cr_expect_str_eq(line.currency, "EUR");
}

Test(invoice, units_below_zero_are_written_off) {
        row.cells[INVOICE_QUANTITY] = "-10";
        assert_kind(INVOICE_WRITE_OFF, "-10 units");
}

Test(invoice, codes_that_are_no_goods_are_told_by_what_they_are) {
        static const struct {
                const char *code, *meaning;
        } cases[] = { { "POST", "postage" }, { "DOT", "postage" }, { "C2", "carriage" }, { "D", "discount" },
                { "M", "manual" }, { "m", "manual" }, { "S", "samples" }, { "BANK CHARGES", "bank" },
                { "AMAZONFEE", "fee" }, { "B", "debt" }, { "gift_0001_20", "voucher" } };

        for (size_t i = 0; i < array_size(cases); i++) {
                row.cells[INVOICE_SKU] = cases[i].code;
                assert_kind(INVOICE_NOT_GOODS, cases[i].meaning);
        }
        row.cells[INVOICE_SKU] = "DCGS0076";
        cr_assert_eq(read_row(), INVOICE_GOODS, "%s", reason);
}

Test(invoice, what_cannot_be_read_is_told_with_its_column) {
        static const struct {
                enum invoice_column column;
                const char *cell, *word;
        } cases[] = {
                { INVOICE_NUMBER, "", "InvoiceNo" },
                { INVOICE_SKU, "", "StockCode" },
                { INVOICE_SKU, "85 123", "StockCode" },
                { INVOICE_QUANTITY, "", "Quantity" },
                { INVOICE_QUANTITY, "1.5", "Quantity" },
                { INVOICE_QUANTITY, "0", "Quantity" },
                { INVOICE_QUANTITY, "99999999999999999999", "Quantity" },
                { INVOICE_DATE, "12/31/2010 08:26", "InvoiceDate" },
                { INVOICE_PRICE, "", "UnitPrice" },
                { INVOICE_PRICE, "-1", "UnitPrice" },
        };

        for (size_t i = 0; i < array_size(cases); i++) {
                given_goods();
                row.cells[cases[i].column] = cases[i].cell;
                assert_kind(INVOICE_INVALID, cases[i].word);
        }
}

static void assert_price(const char *text, const char *currency, int64_t expected, bool rounded) {
        int64_t amount = -1;
        bool was_rounded = !rounded;

        cr_assert(invoice_price(text, currency, &amount, &was_rounded), "%s", text);
        cr_expect_eq(amount, expected, "%s is %lld", text, (long long) amount);
        cr_expect_eq(was_rounded, rounded, "%s", text);
}

Test(invoice, a_price_is_in_major_units) {
        assert_price("2.55", "GBP", 255, false);
        assert_price("2.1", "GBP", 210, false);
        assert_price("0", "GBP", 0, false);
        assert_price("0.0", "GBP", 0, false);
        assert_price("2.550", "GBP", 255, false);
        assert_price("1200", "JPY", 1200, false);
        assert_price("1.234", "KWD", 1234, false);
        assert_price("90071992547409.91", "GBP", 9007199254740991, false);
        assert_price("34.00000000000", "GBP", 3400, false);
        assert_price("8000.00", "JPY", 8000, false);
}

Test(invoice, more_decimals_than_the_currency_has_are_rounded_half_to_even) {
        assert_price("2.554", "GBP", 255, true);
        assert_price("2.556", "GBP", 256, true);
        assert_price("2.555", "GBP", 256, true);
        assert_price("2.545", "GBP", 254, true);
        assert_price("2.5450", "GBP", 254, true);
        assert_price("2.54501", "GBP", 255, true);
        assert_price("0.001", "GBP", 0, true);
        assert_price("0.995", "GBP", 100, true);
        assert_price("12.5", "JPY", 12, true);
        assert_price("13.5", "JPY", 14, true);
}

Test(invoice, what_is_no_price_is_refused) {
        static const char *const texts[] = { "", ".", "1,50", "-0.001", "-1", "1e3", "2.55x", "2.555x", "2.555555501",
                "x", "90071992547409.915", "99999999999999999999.999" };
        int64_t amount;
        bool rounded;

        for (size_t i = 0; i < array_size(texts); i++)
                cr_expect_not(invoice_price(texts[i], "GBP", &amount, &rounded), "%s", texts[i]);
        cr_expect_not(invoice_price("1", "XXX", &amount, &rounded));
}
