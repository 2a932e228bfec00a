#include "importing/dates.h"

#include "base/cleanup.h"

#include <criterion/criterion.h>
#include <string.h>

static void assert_date(const char *text, enum date_order order, const char *expected) {
        char date[IMPORT_DATE_SIZE] = "";

        cr_assert(import_date(text, order, date), "%s", text);
        cr_expect_str_eq(date, expected);
}

Test(import_dates, the_order_says_what_is_the_day) {
        assert_date("1/2/2010 8:05", DATES_DAY_FIRST, "2010-02-01 08:05");
        assert_date("1/2/2010 8:05", DATES_MONTH_FIRST, "2010-01-02 08:05");
        assert_date("29/02/2012 23:59", DATES_DAY_FIRST, "2012-02-29 23:59");
        assert_date("12/31/2010 08:26:09", DATES_MONTH_FIRST, "2010-12-31 08:26:09");
        assert_date("1.12.2010 08:26", DATES_DAY_FIRST, "2010-12-01 08:26");
        assert_date("1-12-2010 08:26", DATES_DAY_FIRST, "2010-12-01 08:26");
}

Test(import_dates, iso_8601_is_read_in_every_order) {
        for (enum date_order order = DATES_UNKNOWN; order <= DATES_ISO; order++) {
                assert_date("2010-12-01 08:26", order, "2010-12-01 08:26");
                assert_date("2010-12-01T08:26:07", order, "2010-12-01 08:26:07");
                assert_date("2010-12-01T08:26:07.125", order, "2010-12-01 08:26:07");
                assert_date("2010-12-01T08:26:07Z", order, "2010-12-01 08:26:07Z");
                assert_date("2010-12-01T00:26+01:00", order, "2010-11-30 23:26:00Z");
                assert_date("2010-12-31 23:30:00 -0530", order, "2011-01-01 05:00:00Z");
                assert_date("1969-12-31T23:00:00-02", order, "1970-01-01 01:00:00Z");
        }
}

Test(import_dates, what_is_no_time_of_the_order_is_refused) {
        static const char *const texts[] = { "", "12/31/2010 08:26", "29/02/2011 08:26", "01/12/2010",
                "01/12/2010 24:00", "01/12/2010 08:60", "01/12/10 08:26", "01/12-2010 08:26", "001/12/2010 08:26",
                "01/12/20100 08:26", " 01/12/2010 08:26", "01/12/2010 08:26 ", "01/12/2010 08:26Z", "2010/12/01 08:26",
                "2010-13-01 08:26", "2010-12-01 08:26:60", "2010-12-01 08:26+25:00", "0001-01-01 00:00",
                "9999-12-31T23:59:00-01:00", "99999999999999999999" };
        char date[IMPORT_DATE_SIZE];

        for (size_t i = 0; i < array_size(texts); i++)
                cr_expect_not(import_date(texts[i], DATES_DAY_FIRST, date), "%s", texts[i]);
        cr_expect_not(import_date("01/12/2010 08:26", DATES_ISO, date));
        cr_expect_not(import_date("01/12/2010 08:26", DATES_UNKNOWN, date));
}

/* ---- a whole file ---- */

static char reason[512];

static bool decide(const char *const *texts, size_t n, enum date_order told, enum date_order *ret_order) {
        struct date_evidence evidence = { 0 };

        for (size_t i = 0; i < n; i++)
                date_evidence_add(&evidence, texts[i], i + 2);
        return date_order_decide(&evidence, told, ret_order, reason, sizeof(reason));
}

#define FILE_OF(...) ((const char *const[]){ __VA_ARGS__ }), array_size(((const char *const[]){ __VA_ARGS__ }))
#define assert_order(expected, told, ...)                                                                              \
        do {                                                                                                           \
                enum date_order order = DATES_UNKNOWN;                                                                 \
                                                                                                                       \
                cr_assert(decide(FILE_OF(__VA_ARGS__), told, &order), "%s", reason);                                   \
                cr_expect_eq(order, expected);                                                                         \
        } while (0)
#define assert_refused(word, told, ...)                                                                                \
        do {                                                                                                           \
                enum date_order order;                                                                                 \
                                                                                                                       \
                cr_assert_not(decide(FILE_OF(__VA_ARGS__), told, &order));                                             \
                cr_expect(strstr(reason, word), "\"%s\" does not say %s", reason, word);                               \
        } while (0)

Test(import_dates, a_day_above_twelve_proves_the_order_of_all) {
        assert_order(DATES_MONTH_FIRST, DATES_UNKNOWN, "12/1/2010 8:26", "12/13/2010 9:32");
        assert_order(DATES_DAY_FIRST, DATES_UNKNOWN, "12/1/2010 8:26", "13/12/2010 9:32", "nonsense");
}

Test(import_dates, a_file_that_can_be_read_both_ways_is_asked_about) {
        assert_refused(
                "line 3 has \"12/1/2010 8:26\"", DATES_UNKNOWN, "5/5/2010 8:26", "12/1/2010 8:26", "12/2/2010 8:26");
        assert_order(DATES_DAY_FIRST, DATES_DAY_FIRST, "12/1/2010 8:26");
        assert_order(DATES_MONTH_FIRST, DATES_MONTH_FIRST, "12/1/2010 8:26");
}

Test(import_dates, dates_that_mean_one_day_in_both_orders_need_no_word) {
        enum date_order of_nothing;

        assert_order(DATES_DAY_FIRST, DATES_UNKNOWN, "5/5/2010 8:26", "2010-12-01 08:26");
        assert_order(DATES_ISO, DATES_UNKNOWN, "2010-12-01 08:26", "soon");
        assert_order(DATES_UNKNOWN, DATES_UNKNOWN, "soon");
        cr_expect(decide(NULL, 0, DATES_UNKNOWN, &of_nothing));
}

Test(import_dates, a_file_that_says_two_things_is_refused) {
        assert_refused("line 2 has \"13/12/2010 8:26\", line 4 has \"12/13/2010 8:26\"", DATES_UNKNOWN,
                "13/12/2010 8:26", "1/1/2010 8:26", "12/13/2010 8:26");
        assert_refused("offset", DATES_UNKNOWN, "2010-12-01 08:26", "2010-12-01 08:26Z");
        assert_refused("offset", DATES_DAY_FIRST, "1/12/2010 08:26", "2010-12-01 08:26Z");
}

Test(import_dates, what_is_told_gives_way_to_what_the_file_proves) {
        assert_refused("--dates dmy, but line 3", DATES_DAY_FIRST, "12/1/2010 8:26", "12/13/2010 8:26");
        assert_refused("--dates mdy, but line 2", DATES_MONTH_FIRST, "13/12/2010 8:26");
        assert_refused("--dates iso, but line 3", DATES_ISO, "2010-12-01 08:26", "12/13/2010 8:26");
        assert_refused("--dates iso, but line 2", DATES_ISO, "1/2/2010 8:26");
}

Test(import_dates, no_order_is_advised_when_none_fits) {
        static const enum date_order told[] = { DATES_UNKNOWN, DATES_DAY_FIRST, DATES_MONTH_FIRST };

        for (size_t i = 0; i < array_size(told); i++) {
                assert_refused("line 2 has \"12/13/2010 8:26\"", told[i], "12/13/2010 8:26", "13/12/2010 8:26");
                cr_expect(strstr(reason, "line 3 has \"13/12/2010 8:26\""), "%s", reason);
                cr_expect_not(strstr(reason, "--dates"), "%s", reason);
        }
}

Test(import_dates, the_first_line_of_the_file_is_the_witness_in_whatever_order_lines_are_read) {
        struct date_evidence evidence = { 0 };
        enum date_order order;

        date_evidence_add(&evidence, "12/1/2010 8:26", 7);
        date_evidence_add(&evidence, "11/1/2010 8:26", 3);
        cr_assert_not(date_order_decide(&evidence, DATES_UNKNOWN, &order, reason, sizeof(reason)));
        cr_expect(strstr(reason, "line 3 has \"11/1/2010 8:26\""), "%s", reason);
}

Test(import_dates, orders_have_names) {
        enum date_order order = DATES_UNKNOWN;

        cr_assert(date_order_named("mdy", &order));
        cr_expect_eq(order, DATES_MONTH_FIRST);
        cr_expect_not(date_order_named("", &order));
        cr_expect_not(date_order_named("ymd", &order));
}
