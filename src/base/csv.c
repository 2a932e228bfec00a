#include "base/csv.h"

#include <string.h>

enum place { FIELD_START, PLAIN, QUOTED, QUOTE_SEEN };

/* The state between two bytes. */
struct scan {
        char separator;
        enum place place;
        size_t fields, lines;
};

/* One byte further. CSV_INCOMPLETE: go on; CSV_RECORD: the byte was the LF that ends it. */
static enum csv_outcome scan_byte(struct scan *scan, char byte, char next) {
        if (byte == '\0')
                return CSV_HAS_NUL;
        scan->lines += byte == '\n';
        if (scan->place == QUOTED) {
                if (byte == '"')
                        scan->place = QUOTE_SEEN;
                return CSV_INCOMPLETE;
        }
        if (byte == '\n')
                return CSV_RECORD;
        if (byte == scan->separator) {
                scan->place = FIELD_START;
                return ++scan->fields > CSV_FIELDS_MAX ? CSV_TOO_MANY_FIELDS : CSV_INCOMPLETE;
        }
        if (scan->place == QUOTE_SEEN && byte != '"')
                return byte == '\r' && next == '\n' ? CSV_INCOMPLETE : CSV_TEXT_AFTER_QUOTE;
        if (byte == '"' && scan->place != PLAIN)
                scan->place = QUOTED;
        else
                scan->place = PLAIN;
        return CSV_INCOMPLETE;
}

static void span_to(const char *bytes, size_t size, size_t lines, struct csv_span *ret_span) {
        size_t text_size = size;

        if (text_size && bytes[text_size - 1] == '\n')
                text_size--;
        if (text_size && bytes[text_size - 1] == '\r')
                text_size--;
        *ret_span = (struct csv_span){ .size = size, .text_size = text_size, .lines = lines };
}

static enum csv_outcome span_give_up(
        enum csv_outcome outcome, const char *bytes, size_t size, bool last, struct csv_span *ret_span) {
        const char *end = memchr(bytes, '\n', size);

        if (!end && !last)
                return CSV_INCOMPLETE;
        span_to(bytes, end ? (size_t) (end - bytes) + 1 : size, 1, ret_span);
        return outcome;
}

enum csv_outcome csv_find(const char *bytes, size_t size, bool last, char separator, struct csv_span *ret_span) {
        struct scan scan = { .separator = separator, .place = FIELD_START, .fields = 1 };

        for (size_t i = 0; i < size; i++) {
                const enum csv_outcome outcome = scan_byte(&scan, bytes[i], i + 1 < size ? bytes[i + 1] : '\n');

                if (outcome == CSV_INCOMPLETE)
                        continue;
                if (outcome != CSV_RECORD)
                        return span_give_up(outcome, bytes, size, last, ret_span);
                span_to(bytes, i + 1, scan.lines, ret_span);
                return CSV_RECORD;
        }
        if (!last)
                return CSV_INCOMPLETE;
        if (scan.place == QUOTED)
                return span_give_up(CSV_OPEN_QUOTE, bytes, size, last, ret_span);
        span_to(bytes, size, scan.lines + 1, ret_span);
        return CSV_RECORD;
}

/* Unquote one field in place; returns the separator or the end behind it. */
static char *field_take(char *at, const char *end, char separator) {
        char *out = at;

        if (at == end || *at != '"') {
                char *next = memchr(at, separator, (size_t) (end - at));

                return next ? next : at + (end - at);
        }
        for (at++; at < end; at++) {
                if (*at == '"') {
                        if (at + 1 == end || at[1] != '"')
                                break;
                        at++;
                }
                *out++ = *at;
        }
        *out = '\0';
        return at + 1;
}

size_t csv_split(char *bytes, size_t text_size, char separator, char **fields) {
        const char *end = bytes + text_size;
        char *at = bytes;
        size_t n = 0;

        for (;;) {
                char *stop;

                fields[n++] = at;
                stop = field_take(at, end, separator);
                if (stop >= end) {
                        bytes[text_size] = '\0';
                        return n;
                }
                *stop = '\0';
                at = stop + 1;
        }
}

const char *csv_outcome_text(enum csv_outcome outcome) {
        switch (outcome) {
        case CSV_HAS_NUL:
                return "it holds a NUL byte";
        case CSV_OPEN_QUOTE:
                return "a quote is opened and never closed";
        case CSV_TEXT_AFTER_QUOTE:
                return "text follows a closing quote";
        case CSV_TOO_MANY_FIELDS:
                return "it has more than 512 columns";
        default:
                return "it is not complete";
        }
}
