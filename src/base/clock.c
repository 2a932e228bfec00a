#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECONDS_PER_DAY  INT64_C(86400)
#define DURATION_MAXIMUM (10 * 365 * DAY)

/* The years that RFC 3339 can write, except the year 0, which is always a mistake. */
#define INSTANT_FIRST (-719162 * DAY)
#define INSTANT_LAST  (2932897 * DAY - 1)

static timestamp clock_read_now(clockid_t clock) {
        struct timespec now = { 0 };

        (void) clock_gettime(clock, &now);
        return now.tv_sec * SECOND + now.tv_nsec / 1000;
}

timestamp clock_wall(void) {
        return clock_read_now(CLOCK_REALTIME);
}

timestamp clock_monotonic(void) {
        return clock_read_now(CLOCK_MONOTONIC);
}

static bool clock_is_digit(char c) {
        return c >= '0' && c <= '9';
}

static bool is_leap(int year) {
        return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month) {
        static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

        return days[month - 1] + (month == 2 && is_leap(year));
}

/* Civil arithmetic counts years from March, so that the leap day is the last of its year: then the days before a month
 * are (153 m + 2) / 5, and 400 years are always 146097 days. 719468 days lie between 0000-03-01 and the epoch. */
int64_t day_number(struct day day) {
        const int64_t year = day.month > 2 ? day.year : day.year - 1;
        const int64_t month = day.month > 2 ? day.month - 3 : day.month + 9;

        return 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day.day - 1 - 719468;
}

struct day day_of_number(int64_t number) {
        const int64_t since_march_0 = number + 719468;
        const int64_t era = since_march_0 / 146097, of_era = since_march_0 % 146097;
        const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
        const int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        const int64_t month = (5 * of_year + 2) / 153;
        const bool after_december = month >= 10;

        return (struct day){
                .year = (int) (400 * era + year_of_era + after_december),
                .month = (int) (after_december ? month - 9 : month + 3),
                .day = (int) (of_year - (153 * month + 2) / 5 + 1),
        };
}

/* Exactly n digits. */
static bool clock_read_digits(const char **cursor, int n, int *ret_number) {
        int number = 0;

        for (int i = 0; i < n; i++) {
                if (!clock_is_digit((*cursor)[i]))
                        return false;
                number = 10 * number + ((*cursor)[i] - '0');
        }
        *cursor += n;
        *ret_number = number;
        return true;
}

static bool read_letter(const char **cursor, char letter) {
        if (**cursor != letter)
                return false;
        (*cursor)++;
        return true;
}

static bool read_day(const char **cursor, struct day *ret_day) {
        struct day day;

        if (!clock_read_digits(cursor, 4, &day.year) || !read_letter(cursor, '-') ||
                !clock_read_digits(cursor, 2, &day.month) || !read_letter(cursor, '-') ||
                !clock_read_digits(cursor, 2, &day.day))
                return false;
        if (day.year < 1 || day.month < 1 || day.month > 12)
                return false;
        if (day.day < 1 || day.day > days_in_month(day.year, day.month))
                return false;
        *ret_day = day;
        return true;
}

static bool read_hour_and_minute(const char **cursor, int *ret_hour, int *ret_minute) {
        return clock_read_digits(cursor, 2, ret_hour) && read_letter(cursor, ':') &&
               clock_read_digits(cursor, 2, ret_minute) && *ret_minute < 60;
}

/* ".1" to ".123456789" as microseconds; nothing is 0. */
static bool read_fraction(const char **cursor, int64_t *ret_microseconds) {
        int64_t nanoseconds = 0;
        int n = 0;

        *ret_microseconds = 0;
        if (!read_letter(cursor, '.'))
                return true;
        for (; clock_is_digit(**cursor) && n < 9; n++, (*cursor)++)
                nanoseconds = 10 * nanoseconds + (**cursor - '0');
        if (n == 0)
                return false;
        for (; n < 9; n++)
                nanoseconds *= 10;
        *ret_microseconds = nanoseconds / 1000;
        return true;
}

static bool read_offset(const char **cursor, int64_t *ret_seconds) {
        int hour, minute, sign;

        *ret_seconds = 0;
        if (read_letter(cursor, 'Z') || read_letter(cursor, 'z'))
                return true;
        if (**cursor != '+' && **cursor != '-')
                return false;
        sign = **cursor == '-' ? -1 : 1;
        (*cursor)++;
        if (!read_hour_and_minute(cursor, &hour, &minute) || hour > 23)
                return false;
        *ret_seconds = sign * (3600 * hour + 60 * minute);
        return true;
}

bool timestamp_parse(const char *text, timestamp *ret_timestamp) {
        int64_t microseconds, offset, seconds;
        timestamp instant;
        int hour, minute, second;
        struct day day;

        if (!read_day(&text, &day) || (!read_letter(&text, 'T') && !read_letter(&text, 't')))
                return false;
        if (!read_hour_and_minute(&text, &hour, &minute) || hour > 23)
                return false;
        if (!read_letter(&text, ':') || !clock_read_digits(&text, 2, &second) || second > 60)
                return false;
        if (!read_fraction(&text, &microseconds) || !read_offset(&text, &offset) || *text)
                return false;
        seconds = day_number(day) * SECONDS_PER_DAY + 3600 * hour + 60 * minute + second - offset;
        if (second == 60 && seconds % SECONDS_PER_DAY != 0)
                return false;
        instant = seconds * SECOND + microseconds;
        if (instant < INSTANT_FIRST || instant > INSTANT_LAST)
                return false;
        *ret_timestamp = instant;
        return true;
}

static char *put_digits(char *text, int n, int64_t number) {
        for (int i = n - 1; i >= 0; i--, number /= 10)
                text[i] = (char) ('0' + number % 10);
        return text + n;
}

static char *put_letter(char *text, char letter) {
        *text = letter;
        return text + 1;
}

static char *put_day(char *text, struct day day) {
        text = put_letter(put_digits(text, 4, day.year), '-');
        text = put_letter(put_digits(text, 2, day.month), '-');
        return put_digits(text, 2, day.day);
}

void timestamp_format(timestamp instant, char *text) {
        int64_t days, rest;

        if (instant < INSTANT_FIRST)
                instant = INSTANT_FIRST;
        if (instant > INSTANT_LAST)
                instant = INSTANT_LAST;
        days = instant / DAY - (instant % DAY < 0);
        rest = instant - days * DAY;
        text = put_letter(put_day(text, day_of_number(days)), 'T');
        text = put_letter(put_digits(text, 2, rest / HOUR), ':');
        text = put_letter(put_digits(text, 2, rest / MINUTE % 60), ':');
        text = put_letter(put_digits(text, 2, rest / SECOND % 60), '.');
        text = put_letter(put_digits(text, 3, rest / MILLISECOND % 1000), 'Z');
        *text = '\0';
}

/* Parts in the order ISO 8601 demands. */
static const struct duration_part {
        char letter;
        duration unit;
} week_parts[] = { { 'W', 7 * DAY } }, day_parts[] = { { 'D', DAY } },
  time_parts[] = { { 'H', HOUR }, { 'M', MINUTE }, { 'S', SECOND } };

/* "12H": a number and the letter of one of the parts, from `*next` on; adds it to the span. */
static bool read_part(const char **cursor, const struct duration_part *parts, size_t n, size_t *next, duration *span) {
        int64_t number = 0;

        for (; clock_is_digit(**cursor); (*cursor)++) {
                number = 10 * number + (**cursor - '0');
                if (number > DURATION_MAXIMUM / SECOND)
                        return false;
        }
        while (*next < n && parts[*next].letter != **cursor)
                (*next)++;
        if (*next == n || number > (DURATION_MAXIMUM - *span) / parts[*next].unit)
                return false;
        *span += number * parts[*next].unit;
        (*cursor)++;
        (*next)++;
        return true;
}

/* At least one part, up to the first character that is no digit. */
static bool read_parts(const char **cursor, const struct duration_part *parts, size_t n, duration *span) {
        size_t next = 0;

        if (!clock_is_digit(**cursor))
                return false;
        while (clock_is_digit(**cursor))
                if (!read_part(cursor, parts, n, &next, span))
                        return false;
        return true;
}

static bool read_weeks(const char *cursor, duration *ret_span) {
        *ret_span = 0;
        return read_parts(&cursor, week_parts, array_size(week_parts), ret_span) && !*cursor;
}

static bool read_days_and_time(const char *cursor, duration *ret_span) {
        *ret_span = 0;
        if (*cursor != 'T' && !read_parts(&cursor, day_parts, array_size(day_parts), ret_span))
                return false;
        if (*cursor == 'T') {
                cursor++;
                if (!read_parts(&cursor, time_parts, array_size(time_parts), ret_span))
                        return false;
        }
        return !*cursor;
}

bool duration_parse(const char *text, duration *ret_duration) {
        duration span;

        if (*text != 'P' || (!read_weeks(text + 1, &span) && !read_days_and_time(text + 1, &span)))
                return false;
        *ret_duration = span;
        return true;
}

static size_t format_parts(
        char *text, size_t room, const struct duration_part *parts, size_t n, const char *before, duration *rest) {
        size_t size = 0;

        for (size_t i = 0; i < n; i++) {
                const int64_t number = *rest / parts[i].unit;

                *rest %= parts[i].unit;
                if (number == 0)
                        continue;
                size += (size_t) snprintf(text + size, room - size, "%s%lld%c", size == 0 ? before : "",
                        (long long) number, parts[i].letter);
        }
        return size;
}

void duration_format(duration span, char *text) {
        size_t size;

        if (span < SECOND) {
                memcpy(text, "PT0S", sizeof("PT0S"));
                return;
        }
        text[0] = 'P';
        size = 1 + format_parts(text + 1, DURATION_TEXT_SIZE - 1, day_parts, array_size(day_parts), "", &span);
        (void) format_parts(text + size, DURATION_TEXT_SIZE - size, time_parts, array_size(time_parts), "T", &span);
}

bool day_parse(const char *text, struct day *ret_day) {
        struct day day;

        if (!read_day(&text, &day) || *text)
                return false;
        *ret_day = day;
        return true;
}

bool time_of_day_parse(const char *text, int *ret_minutes) {
        int hour, minute;

        if (!read_hour_and_minute(&text, &hour, &minute) || *text)
                return false;
        if (60 * hour + minute > 24 * 60)
                return false;
        *ret_minutes = 60 * hour + minute;
        return true;
}
