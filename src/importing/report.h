/*
 * importing/report: the outcome of each line.
 *
 * Lines that were not taken are named on standard error as they are met, the sums are printed on standard output at the
 * end, and progress is shown on standard error when that is a terminal.
 */
#pragma once

#include "base/clock.h"
#include "importing/rejects.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define IMPORT_PROBLEM_SIZE 1024 /* room for the text of a problem; more is cut */

struct import_report {
        const char *path;
        const char *kind;
        size_t read, taken, unchanged, refused; /* lines: the last three and the unmatched add up to the first */
        size_t unmatched;                       /* return lines that match no purchase in the file */
        size_t returns, write_offs, not_goods;  /* of the refused ones: orders only */
        size_t partly_matched;                  /* of those taken or unchanged: some units match nothing */
        size_t without_hours;                   /* locations that offer pickup and have no opening hours */
        size_t orders_made, returns_made, products_made, prices_rounded;
        size_t no_currency;             /* of the refused ones: a price without one */
        size_t overridden;              /* stock: movements since the imports before that figures of now set aside */
        size_t promises_lost;           /* stock: promised units that counts took away */
        size_t passed;                  /* rows that a map skips; not among those read */
        size_t zeroed;                  /* stock: figures below 0 that were read as 0 */
        struct import_rejects *rejects; /* that keep what is refused; NULL: none */
        bool on_terminal, shown;
        timestamp shown_at;
};

/* Complain on standard error of a fault that no line has: "holdfast: ...". As in everything that is printed here, text
 * of the file cannot end the line or control the terminal. No other file of the importer prints. */
void import_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Print a line on standard output, before the sums. */
void import_announce(const char *format, ...) __attribute__((format(printf, 1, 2)));

void import_report_init(struct import_report *report, const char *kind, const char *path);

/* Name a line that is not taken, and count it. */
void import_refuse(struct import_report *report, size_t line, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Count a line that is not taken, without naming it again. */
void import_refuse_silently(struct import_report *report, size_t line, const char *reason);

/* Print a remark on a line, without counting the line. */
void import_note(struct import_report *report, size_t line, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Show how far it is, now and then; `size` 0 when that is not known. */
void import_progress(struct import_report *report, uint64_t offset, uint64_t size);

void import_summary(struct import_report *report);

/* The column or option that gives a member of a request. */
struct import_source {
        const char *member;
        const char *name; /* NULL: an object whose members are called as their columns */
};

struct import_sources {
        const struct import_source *at;
        size_t n;
};

/* The name of the column or option of a member; the member itself when it has none. */
const char *import_source_of(const struct import_sources *sources, const char *member);

/* Format a problem document on one line: status, code, and each violation with the column or option that is at fault,
 * else the detail. With a list, only the violations of that element of it ("items" and 7 of "#/items/7/sku"). `sources`
 * NULL: members are called as their columns. */
void import_problem_text(const json_t *problem, const char *list, size_t index, const struct import_sources *sources,
        char *text, size_t size);

/* Whether the pointer of an entry of errors[] is about an element of the list, and which. */
bool import_blames(const json_t *error, const char *list, size_t *ret_index);
