/*
 * base/csv: comma separated values (RFC 4180), one record at a time. The separator is a comma or another byte.
 *
 * A record ends at a line end outside quotes, LF or CRLF. A field is quoted as a whole or not at all: a quote inside an
 * unquoted field stands for itself, as many programs write it. Pure; the caller owns the bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define CSV_FIELDS_MAX 512

enum csv_outcome {
        CSV_RECORD,
        CSV_INCOMPLETE, /* the bytes end within the record, and more may come */
        CSV_HAS_NUL,    /* from here on: faults */
        CSV_OPEN_QUOTE, /* the bytes end within quotes, and no more will come */
        CSV_TEXT_AFTER_QUOTE,
        CSV_TOO_MANY_FIELDS,
};

struct csv_span {
        size_t size;      /* bytes up to and with the line end */
        size_t text_size; /* without it */
        size_t lines;     /* physical lines */
};

/* Find the record at the start of the bytes, changing nothing; `last`: no bytes will follow. A faulty record ends with
 * its first physical line, so that a stray quote never swallows the lines after it. */
enum csv_outcome csv_find(const char *bytes, size_t size, bool last, char separator, struct csv_span *ret_span);

/* Split a record that csv_find has found into NUL-terminated fields, in place; bytes[text_size] must be writable.
 * Returns how many, at most CSV_FIELDS_MAX. */
size_t csv_split(char *bytes, size_t text_size, char separator, char **fields);

/* The fault as half a sentence. */
const char *csv_outcome_text(enum csv_outcome outcome);
