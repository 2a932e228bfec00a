#include "importing/dates.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define YEAR_DIGITS  4
#define FRACTION_MAX 9

static const struct {
        const char *name, *example;
} orders[] = {
        [DATES_UNKNOWN] = { "", "01/12/2010 08:26 or 2010-12-01 08:26" },
        [DATES_DAY_FIRST] = { "dmy", "31/12/2010 08:26 (day first)" },
        [DATES_MONTH_FIRST] = { "mdy", "12/31/2010 08:26 (month first)" },
        [DATES_ISO] = { "iso", "2010-12-31 08:26" },
};

bool date_order_named(const char *name, enum date_order *ret_order) {
        for (size_t i = DATES_DAY_FIRST; i < array_size(orders); i++)
                if (text_equal(orders[i].name, name)) {
                        *ret_order = (enum date_order) i;
                        return true;
                }
        return false;
}

const char *date_example(enum date_order order) {
        return orders[order].example;
}

/* ---- parts of a time ---- */

static bool take_number(const char **at, int digits_min, int digits_max, int *ret_number) {
        int n = 0, number = 0;

        for (; n < digits_max && (*at)[n] >= '0' && (*at)[n] <= '9'; n++)
                number = 10 * number + ((*at)[n] - '0');
        if (n < digits_min)
                return false;
        *at += n;
        *ret_number = number;
        return true;
}

static bool take_byte(const char **at, const char *allowed, char *ret_byte) {
        if (!**at || !strchr(allowed, **at))
                return false;
        *ret_byte = **at;
        ++*at;
        return true;
}

/* Three numbers with the same byte between them; the third or the first has four digits. */
struct written_date {
        int parts[3];
        bool year_first;
};

static bool take_date(const char **at, struct written_date *ret_date) {
        const bool year_first = strspn(*at, "0123456789") == YEAR_DIGITS;
        char separator, again;

        ret_date->year_first = year_first;
        return take_number(at, year_first ? YEAR_DIGITS : 1, year_first ? YEAR_DIGITS : 2, &ret_date->parts[0]) &&
               take_byte(at, year_first ? "-" : "/.-", &separator) &&
               take_number(at, year_first ? 2 : 1, 2, &ret_date->parts[1]) &&
               take_byte(at, (char[]){ separator, '\0' }, &again) &&
               take_number(at, year_first ? 2 : YEAR_DIGITS, year_first ? 2 : YEAR_DIGITS, &ret_date->parts[2]);
}

static bool day_in_order(const struct written_date *date, enum date_order order, struct day *ret_day) {
        const int *parts = date->parts;
        char text[3 * 12];

        if (!date->year_first && order != DATES_DAY_FIRST && order != DATES_MONTH_FIRST)
                return false;
        if (date->year_first)
                *ret_day = (struct day){ parts[0], parts[1], parts[2] };
        else if (order == DATES_DAY_FIRST)
                *ret_day = (struct day){ parts[2], parts[1], parts[0] };
        else
                *ret_day = (struct day){ parts[2], parts[0], parts[1] };
        (void) snprintf(text, sizeof(text), "%04d-%02d-%02d", ret_day->year, ret_day->month, ret_day->day);
        return ret_day->year >= 1000 && day_parse(text, ret_day);
}

/* "8:26", "08:26:00", "08:26:00.123". */
struct written_time {
        int hour, minute, second;
        bool has_seconds;
};

static bool take_time(const char **at, struct written_time *ret_time) {
        char byte;
        int fraction;

        *ret_time = (struct written_time){ 0 };
        if (!take_number(at, 1, 2, &ret_time->hour) || !take_byte(at, ":", &byte) ||
                !take_number(at, 1, 2, &ret_time->minute))
                return false;
        ret_time->has_seconds = **at == ':';
        if (ret_time->has_seconds && (!take_byte(at, ":", &byte) || !take_number(at, 2, 2, &ret_time->second)))
                return false;
        if (ret_time->has_seconds && **at == '.' &&
                (!take_byte(at, ".", &byte) || !take_number(at, 1, FRACTION_MAX, &fraction)))
                return false;
        return ret_time->hour < 24 && ret_time->minute < 60 && ret_time->second < 60;
}

/* "Z", "+01:00", "+0100", "+01" as minutes east of UTC; none is left out. */
static bool take_offset(const char **at, int *ret_minutes) {
        char sign = '+', byte;
        int hours = 0, minutes = 0;

        if (take_byte(at, "Zz", &byte)) {
                *ret_minutes = 0;
                return true;
        }
        if (!take_byte(at, "+-", &sign) || !take_number(at, 2, 2, &hours))
                return false;
        (void) take_byte(at, ":", &byte);
        if (**at && !take_number(at, 2, 2, &minutes))
                return false;
        *ret_minutes = (sign == '-' ? -1 : 1) * (60 * hours + minutes);
        return hours < 24 && minutes < 60;
}

struct written {
        struct written_date date;
        struct written_time time;
        int offset; /* minutes */
        bool has_offset;
};

static bool date_take_all(const char *text, struct written *ret_written) {
        char byte;

        *ret_written = (struct written){ 0 };
        if (!take_date(&text, &ret_written->date) ||
                !take_byte(&text, ret_written->date.year_first ? " T" : " ", &byte) ||
                !take_time(&text, &ret_written->time))
                return false;
        if (*text == ' ' && ret_written->date.year_first)
                text++;
        ret_written->has_offset = *text != '\0';
        if (ret_written->has_offset && (!ret_written->date.year_first || !take_offset(&text, &ret_written->offset)))
                return false;
        return !*text;
}

bool import_date(const char *text, enum date_order order, char ret_date[IMPORT_DATE_SIZE]) {
        char made[IMPORT_DATE_SIZE + 64]; /* room for numbers that snprintf cannot know to be short */
        struct written written;
        struct day day;
        int64_t minutes;

        if (!date_take_all(text, &written) || !day_in_order(&written.date, order, &day))
                return false;
        minutes = day_number(day) * 24 * 60 + 60 * written.time.hour + written.time.minute - written.offset;
        day = day_of_number((minutes - (minutes % (24 * 60) + 24 * 60) % (24 * 60)) / (24 * 60));
        minutes = (minutes % (24 * 60) + 24 * 60) % (24 * 60);
        (void) snprintf(made, sizeof(made), "%04d-%02d-%02d %02d:%02d", day.year, day.month, day.day,
                (int) (minutes / 60), (int) (minutes % 60));
        if (written.time.has_seconds || written.has_offset)
                (void) snprintf(made + strlen(made), sizeof(made) - strlen(made), ":%02d%s", written.time.second,
                        written.has_offset ? "Z" : "");
        if (strlen(made) >= IMPORT_DATE_SIZE)
                return false;
        memcpy(ret_date, made, strlen(made) + 1);
        return true;
}

bool import_instant(const char *text, timestamp *ret_instant) {
        char date[IMPORT_DATE_SIZE];

        if (!import_date(text, DATES_ISO, date) || date[strlen(date) - 1] != 'Z')
                return false;
        date[strcspn(date, " ")] = 'T';
        return timestamp_parse(date, ret_instant);
}

/* ---- evidence of a file ---- */

static void witness(struct date_witness *witness, const char *text, size_t line) {
        if (witness->line && witness->line < line)
                return;
        witness->line = line;
        (void) snprintf(witness->text, sizeof(witness->text), "%s", text);
}

void date_evidence_add(struct date_evidence *evidence, const char *text, size_t line) {
        struct written written;
        struct day day;
        bool day_first, month_first;

        if (!date_take_all(text, &written))
                return;
        day_first = day_in_order(&written.date, DATES_DAY_FIRST, &day);
        month_first = day_in_order(&written.date, DATES_MONTH_FIRST, &day);
        if (!day_first && !month_first)
                return;
        witness(written.has_offset ? &evidence->offset : &evidence->local, text, line);
        witness(written.date.year_first ? &evidence->year_first : &evidence->year_last, text, line);
        if (written.date.year_first)
                return;
        if (day_first && !month_first)
                witness(&evidence->day_first, text, line);
        else if (month_first && !day_first)
                witness(&evidence->month_first, text, line);
        else if (day_first && written.date.parts[0] != written.date.parts[1])
                witness(&evidence->either, text, line);
}

static bool refuse_two(
        char *reason, size_t size, const char *what, const struct date_witness *one, const struct date_witness *other) {
        (void) snprintf(reason, size, "%s: line %zu has \"%s\", line %zu has \"%s\"", what, one->line, one->text,
                other->line, other->text);
        return false;
}

static bool refuse_told(char *reason, size_t size, enum date_order told, const struct date_witness *other) {
        (void) snprintf(
                reason, size, "--dates %s, but line %zu has \"%s\"", orders[told].name, other->line, other->text);
        return false;
}

/* A date of the file that the told order cannot read; NULL: none. */
static const struct date_witness *witness_against(const struct date_evidence *evidence, enum date_order told) {
        const struct date_witness *other = NULL;

        if (told == DATES_DAY_FIRST)
                other = &evidence->month_first;
        else if (told == DATES_MONTH_FIRST)
                other = &evidence->day_first;
        else if (told == DATES_ISO)
                other = &evidence->year_last;
        return other && other->line ? other : NULL;
}

bool date_order_decide(const struct date_evidence *evidence, enum date_order told, enum date_order *ret_order,
        char *reason, size_t size) {
        const struct date_witness *day_first = &evidence->day_first, *month_first = &evidence->month_first;

        *ret_order = told;
        if (evidence->local.line && evidence->offset.line)
                return refuse_two(
                        reason, size, "some dates have an offset, some are local", &evidence->offset, &evidence->local);
        if (day_first->line && month_first->line)
                return refuse_two(
                        reason, size, "some dates have the day first, some the month", day_first, month_first);
        if (witness_against(evidence, told))
                return refuse_told(reason, size, told, witness_against(evidence, told));
        if (told != DATES_UNKNOWN)
                return true;
        *ret_order = month_first->line           ? DATES_MONTH_FIRST
                     : evidence->year_last.line  ? DATES_DAY_FIRST
                     : evidence->year_first.line ? DATES_ISO
                                                 : DATES_UNKNOWN;
        if (day_first->line || month_first->line || !evidence->either.line)
                return true;
        (void) snprintf(reason, size,
                "no line tells whether the day or the month comes first (line %zu has \"%s\"); say --dates dmy or "
                "--dates mdy",
                evidence->either.line, evidence->either.text);
        return false;
}
