/*
 * importing/dates: the dates of a file, whose order a line alone may not tell. Pure.
 *
 * 12/1/2010 is in January or in December, and only the whole file, or an option, can say. So a file is read to its end
 * before its first line is taken: a day above 12 somewhere proves the order of all. ISO 8601 needs no proof.
 */
#pragma once

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>

enum date_order {
        DATES_UNKNOWN,
        DATES_DAY_FIRST,
        DATES_MONTH_FIRST,
        DATES_ISO, /* nothing else */
};

/* "dmy", "mdy" or "iso"; false for anything else. */
bool date_order_named(const char *name, enum date_order *ret_order);

/* A time of such dates, for messages. */
const char *date_example(enum date_order order);

#define IMPORT_DATE_SIZE 21 /* "2010-12-01 08:26:00Z" and its NUL */

/* A time of a file to "2010-12-01 08:26", with its seconds if it has any, and with "Z" when it has an
 * offset: then it is in UTC, else it is local time. Day, month and year are separated by "/", "." or "-"; the year has
 * four digits. ISO 8601 is read in every order. Fractions of a second are cut. False for any other text. */
bool import_date(const char *text, enum date_order order, char ret_date[IMPORT_DATE_SIZE]);

/* An instant of ISO 8601, with an offset. */
bool import_instant(const char *text, timestamp *ret_instant);

/* The first line of a file that shows something, and its text. */
struct date_witness {
        size_t line; /* 0: none */
        char text[32];
};

struct date_evidence {
        struct date_witness day_first, month_first; /* can be read in this order alone */
        struct date_witness either;                 /* can be read in both, and means two days */
        struct date_witness year_first, year_last;
        struct date_witness local, offset; /* ISO 8601 and others without, and with an offset */
};

void date_evidence_add(struct date_evidence *evidence, const char *text, size_t line);

/* The order in which the file is read, `told` (DATES_UNKNOWN: nothing) or proven; DATES_UNKNOWN without any date. False
 * when the file does not tell, proves two orders, or another than the told one, with a reason of `size` bytes. */
bool date_order_decide(const struct date_evidence *evidence, enum date_order told, enum date_order *ret_order,
        char *reason, size_t size);
