#include "base/clock.h"

#include "dice.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NOVEMBER_21 INT64_C(1795256130) /* 2026-11-21T10:15:30Z */

static void assert_instant(const char *text, timestamp expected) {
        timestamp instant;

        cr_assert(timestamp_parse(text, &instant), "%s", text);
        cr_assert_eq(instant, expected, "%s: %" PRId64, text, instant);
}

static void assert_no_instants(const char *const *texts, size_t n) {
        for (size_t i = 0; i < n; i++) {
                timestamp instant = 42;

                cr_assert_not(timestamp_parse(texts[i], &instant), "%s", texts[i]);
                cr_assert_eq(instant, 42);
        }
}

static void assert_formatted(timestamp instant, const char *expected) {
        char text[TIMESTAMP_TEXT_SIZE];

        timestamp_format(instant, text);
        cr_assert_str_eq(text, expected);
}

Test(clock, the_wall_clock_is_later_than_this_test) {
        cr_assert_gt(clock_wall(), INT64_C(1700000000) * SECOND);
        cr_assert_lt(clock_wall(), INT64_C(253402300800) * SECOND);
}

Test(clock, monotonic_never_goes_back) {
        timestamp earlier = clock_monotonic();

        for (int i = 0; i < 10000; i++) {
                const timestamp now = clock_monotonic();

                cr_assert_geq(now, earlier);
                earlier = now;
        }
}

Test(clock, rfc_3339_is_read_in_utc) {
        assert_instant("1970-01-01T00:00:00Z", 0);
        assert_instant("2026-11-21T10:15:30Z", NOVEMBER_21 * SECOND);
        assert_instant("2026-11-21t10:15:30z", NOVEMBER_21 * SECOND);
        assert_instant("1969-12-31T23:59:59Z", -SECOND);
        assert_instant("1990-12-31T23:59:59Z", INT64_C(662687999) * SECOND);
}

Test(clock, offsets_are_taken_off) {
        assert_instant("2026-11-21T11:15:30+01:00", NOVEMBER_21 * SECOND);
        assert_instant("2026-11-21T02:15:30-08:00", NOVEMBER_21 * SECOND);
        assert_instant("2026-11-21T15:45:30+05:30", NOVEMBER_21 * SECOND);
        assert_instant("2026-11-22T10:14:30+23:59", NOVEMBER_21 * SECOND);
        assert_instant("2026-11-21T10:15:30-00:00", NOVEMBER_21 * SECOND);
        assert_instant("1937-01-01T12:00:27.87+00:20", INT64_C(-1041337173) * SECOND + 870 * MILLISECOND);
}

Test(clock, fractions_are_cut_to_microseconds) {
        assert_instant("2026-11-21T10:15:30.1Z", NOVEMBER_21 * SECOND + 100000);
        assert_instant("2026-11-21T10:15:30.000001Z", NOVEMBER_21 * SECOND + 1);
        assert_instant("2026-11-21T10:15:30.123456789Z", NOVEMBER_21 * SECOND + 123456);
        assert_instant("1969-12-31T23:59:59.999999999Z", -1);
}

Test(clock, leap_seconds_read_as_the_following_second) {
        assert_instant("2016-12-31T23:59:60Z", INT64_C(1483228800) * SECOND);
        assert_instant("2016-12-31T15:59:60.5-08:00", INT64_C(1483228800) * SECOND + SECOND / 2);
        assert_no_instants((const char *const[]){ "2016-12-31T23:58:60Z", "2016-12-31T22:59:60Z",
                                   "2016-12-31T23:59:60-08:00", "2016-12-31T23:59:61Z" },
                4);
}

Test(clock, years_run_from_1_to_9999_in_utc_too) {
        assert_instant("0001-01-01T00:00:00Z", INT64_C(-62135596800) * SECOND);
        assert_instant("9999-12-31T23:59:59.999999Z", INT64_C(253402300800) * SECOND - 1);
        assert_no_instants((const char *const[]){ "0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01",
                                   "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z", "10000-01-01T00:00:00Z" },
                5);
}

Test(clock, february_29_exists_in_leap_years_only) {
        assert_instant("2024-02-29T00:00:00Z", INT64_C(1709164800) * SECOND);
        assert_instant("2000-02-29T00:00:00Z", INT64_C(951782400) * SECOND);
        assert_no_instants((const char *const[]){ "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
                                   "2200-02-29T00:00:00Z", "2024-02-30T00:00:00Z" },
                4);
}

Test(clock, a_text_that_is_not_rfc_3339_is_refused) {
        const char *const texts[] = {
                "",
                "2026",
                "2026-11-21",
                "2026-11-21T10:15:30",
                "2026-11-21T10:15Z",
                "2026-11-21 10:15:30Z",
                "2026-11-21T10:15:30.Z",
                "2026-11-21T10:15:30,5Z",
                "2026-11-21T10:15:30.1234567890Z",
                "2026-11-21T10:15:30Z ",
                " 2026-11-21T10:15:30Z",
                "2026-11-21T10:15:30ZZ",
                "2026-11-21T10:15:30+01",
                "2026-11-21T10:15:30+0100",
                "2026-11-21T10:15:30+24:00",
                "2026-11-21T10:15:30+01:60",
                "2026-11-21T10:15:30+1:00",
                "2026-11-21T10:15:30Z+01:00",
                "2026-11-21T24:00:00Z",
                "2026-11-21T10:60:00Z",
                "2026-11-21T1:15:30Z",
                "2026-13-21T10:15:30Z",
                "2026-00-21T10:15:30Z",
                "2026-11-00T10:15:30Z",
                "2026-11-31T10:15:30Z",
                "2026-1-21T10:15:30Z",
                "26-11-21T10:15:30Z",
                "+2026-11-21T10:15:30Z",
                "-026-11-21T10:15:30Z",
                "20261121T101530Z",
                "2026-11-21T10-15-30Z",
                "2026/11/21T10:15:30Z",
                "2026-W47-6T10:15:30Z",
                "infinity",
        };

        assert_no_instants(texts, array_size(texts));
}

Test(clock, instants_are_written_with_milliseconds_cut_not_rounded) {
        assert_formatted(NOVEMBER_21 * SECOND + 123999, "2026-11-21T10:15:30.123Z");
        assert_formatted(NOVEMBER_21 * SECOND, "2026-11-21T10:15:30.000Z");
        assert_formatted(0, "1970-01-01T00:00:00.000Z");
        assert_formatted(-1, "1969-12-31T23:59:59.999Z");
        assert_formatted(-SECOND, "1969-12-31T23:59:59.000Z");
        assert_formatted(-DAY, "1969-12-31T00:00:00.000Z");
}

Test(clock, instants_beyond_the_calendar_show_as_its_ends) {
        assert_formatted(INT64_MAX, "9999-12-31T23:59:59.999Z");
        assert_formatted(TIMESTAMP_NONE, "0001-01-01T00:00:00.000Z");
}

static bool is_leap(int year) {
        return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
}

static void next_day(struct day *day) {
        const int sizes[] = { 31, is_leap(day->year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

        if (++day->day <= sizes[day->month - 1])
                return;
        day->day = 1;
        if (++day->month <= 12)
                return;
        day->month = 1;
        day->year++;
}

/* Two calendars walk side by side: one that only ever adds a day, and ours. */
Test(clock, every_day_of_the_calendar_is_written_and_read_right) {
        struct day day = { 1, 1, 1 };

        for (timestamp instant = INT64_C(-62135596800) * SECOND; day.year < 10000; instant += DAY, next_day(&day)) {
                char text[TIMESTAMP_TEXT_SIZE], expected[40];
                timestamp again;

                timestamp_format(instant, text);
                if (day.day == 1 || day.day >= 28) {
                        (void) snprintf(expected, sizeof(expected), "%04d-%02d-%02dT00:00:00.000Z", day.year, day.month,
                                day.day);
                        cr_assert_str_eq(text, expected);
                }
                if (!timestamp_parse(text, &again) || again != instant)
                        cr_assert_fail("%s does not read back", text);
        }
}

Test(clock, any_instant_reads_back_to_the_millisecond) {
        uint64_t dice = 7;

        for (int i = 0; i < 20000; i++) {
                const timestamp instant =
                        (timestamp) (dice_roll(&dice) % (UINT64_C(315537897600) * 1000)) * MILLISECOND -
                        INT64_C(62135596800) * SECOND;
                char text[TIMESTAMP_TEXT_SIZE];

                timestamp_format(instant, text);
                assert_instant(text, instant);
        }
}

static void assert_span(const char *text, duration expected) {
        duration span;

        cr_assert(duration_parse(text, &span), "%s", text);
        cr_assert_eq(span, expected, "%s: %" PRId64, text, span);
}

Test(clock, durations_are_weeks_or_days_hours_minutes_and_seconds) {
        assert_span("P2W", 14 * DAY);
        assert_span("P7D", 7 * DAY);
        assert_span("PT30M", 30 * MINUTE);
        assert_span("PT90S", 90 * SECOND);
        assert_span("PT36H", 36 * HOUR);
        assert_span("P1DT2H30M", DAY + 2 * HOUR + 30 * MINUTE);
        assert_span("P1DT1S", DAY + SECOND);
        assert_span("PT1H1S", HOUR + SECOND);
        assert_span("PT0S", 0);
        assert_span("P0D", 0);
        assert_span("PT007M", 7 * MINUTE);
}

Test(clock, durations_last_ten_years_at_most) {
        assert_span("P3650D", 3650 * DAY);
        assert_span("P521W", 521 * 7 * DAY);
        assert_span("PT315360000S", 3650 * DAY);
        assert_span("P3649DT24H", 3650 * DAY);
}

Test(clock, any_other_duration_is_refused) {
        const char *const texts[] = { "", "P", "PT", "P1", "1D", "p1d", "P1d", "P-1D", "-P1D", "+P1D", "P+1D", "P1.5D",
                "PT1.5S", "PT1,5S", "P1Y", "P1M", "P1DT", "PT1D", "P1H", "P1S", "P1W2D", "P1WT1H", "P1D1W", "PT1S1M",
                "PT1M1H", "PT1M1M", "P1D1D", "PT1HT1M", "P 1D", "P1D ", " P1D", "PT1H 1M", "P3651D", "P3650DT1S",
                "P522W", "PT315360001S", "P99999999999999999999D", "PT18446744073709551617S", "PW", "PTS", "10:00" };

        for (size_t i = 0; i < array_size(texts); i++) {
                duration span = 42;

                cr_assert_not(duration_parse(texts[i], &span), "%s", texts[i]);
                cr_assert_eq(span, 42);
        }
}

static void assert_span_text(duration span, const char *expected) {
        char text[DURATION_TEXT_SIZE];

        duration_format(span, text);
        cr_assert_str_eq(text, expected);
}

Test(clock, durations_are_written_in_canonical_form) {
        assert_span_text(10 * MINUTE, "PT10M");
        assert_span_text(7 * DAY, "P7D");
        assert_span_text(0, "PT0S");
        assert_span_text(SECOND - 1, "PT0S");
        assert_span_text(-HOUR, "PT0S");
        assert_span_text(90 * SECOND, "PT1M30S");
        assert_span_text(36 * HOUR, "P1DT12H");
        assert_span_text(DAY + SECOND + 999, "P1DT1S");
        assert_span_text(INT64_MAX, "P106751991DT4H54S");
}

Test(clock, any_duration_reads_back) {
        uint64_t dice = 8;

        for (int i = 0; i < 5000; i++) {
                const duration span = (duration) dice_below(&dice, 3650 * 86400) * SECOND;
                char text[DURATION_TEXT_SIZE];

                duration_format(span, text);
                assert_span(text, span);
        }
}

Test(clock, days_are_checked_for_existence) {
        const char *const texts[] = { "", "2026-11", "2026-11-31", "2026-02-29", "0000-01-01", "2026-00-10",
                "2026-13-01", "2026-11-00", "2026-11-2", "2026-11-211", "2026-11-21T", "20261121", "2026/11/21",
                " 2026-11-21" };
        struct day day;

        cr_assert(day_parse("2026-11-21", &day));
        cr_assert(day.year == 2026 && day.month == 11 && day.day == 21);
        cr_assert(day_parse("2024-02-29", &day));
        cr_assert(day_parse("0001-01-01", &day));
        cr_assert(day_parse("9999-12-31", &day));
        day.year = 42;
        for (size_t i = 0; i < array_size(texts); i++)
                cr_assert_not(day_parse(texts[i], &day), "%s", texts[i]);
        cr_assert_eq(day.year, 42);
}

Test(clock, times_of_day_run_to_24_00) {
        const char *const texts[] = { "", "9:00", "24:01", "25:00", "09:60", "09", "09:0", "09:00:00", "0900", " 09:00",
                "09:00 ", "-1:00", "99:99" };
        int minutes;

        cr_assert(time_of_day_parse("09:30", &minutes));
        cr_assert_eq(minutes, 570);
        cr_assert(time_of_day_parse("00:00", &minutes));
        cr_assert_eq(minutes, 0);
        cr_assert(time_of_day_parse("23:59", &minutes));
        cr_assert_eq(minutes, 1439);
        cr_assert(time_of_day_parse("24:00", &minutes));
        cr_assert_eq(minutes, 1440);
        for (size_t i = 0; i < array_size(texts); i++)
                cr_assert_not(time_of_day_parse(texts[i], &minutes), "%s", texts[i]);
        cr_assert_eq(minutes, 1440);
}
