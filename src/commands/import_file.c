#include "commands/import_file.h"

#include "base/csv.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE      (4 * IMPORT_RECORD_SIZE_MAX)
#define UTF8_OF_BYTE_MAX 3 /* bytes that one byte of Windows-1252 becomes at most */

static void blame(struct import_file *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void blame(struct import_file *file, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(file->reason, sizeof(file->reason), format, arguments);
        va_end(arguments);
}

/* ---- bytes ---- */

/* Move what is left to the front and read behind it. */
static bool fill(struct import_file *file) {
        ssize_t n;

        memmove(file->bytes, file->bytes + file->begin, file->end - file->begin);
        file->end -= file->begin;
        file->begin = 0;
        do
                n = read(file->descriptor, file->bytes + file->end, BUFFER_SIZE - file->end);
        while (n < 0 && errno == EINTR);
        if (n < 0) {
                blame(file, "it cannot be read: %s", strerror(errno));
                return false;
        }
        file->end += (size_t) n;
        file->at_end = n == 0;
        return true;
}

static void advance(struct import_file *file, size_t size, size_t lines) {
        file->begin += size;
        file->offset += size;
        file->line += lines;
}

/* A record that does not end: only its first line is given up, however long that is. */
static bool skip_line(struct import_file *file) {
        for (;;) {
                const char *at = file->bytes + file->begin;
                const char *end = memchr(at, '\n', file->end - file->begin);

                if (end) {
                        advance(file, (size_t) (end - at) + 1, 1);
                        return true;
                }
                advance(file, file->end - file->begin, file->at_end);
                if (file->at_end)
                        return true;
                if (!fill(file))
                        return false;
        }
}

/* ---- encoding ---- */

static const uint16_t windows_1252[] = { 0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030,
        0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
        0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178 };

static size_t byte_to_utf8(unsigned char byte, char *out) {
        const unsigned point = byte >= 0x80 && byte < 0xa0 ? windows_1252[byte - 0x80] : byte;

        if (point < 0x80) {
                out[0] = (char) point;
                return 1;
        }
        if (point < 0x800) {
                out[0] = (char) (0xc0 | point >> 6);
                out[1] = (char) (0x80 | (point & 0x3f));
                return 2;
        }
        out[0] = (char) (0xe0 | point >> 12);
        out[1] = (char) (0x80 | (point >> 6 & 0x3f));
        out[2] = (char) (0x80 | (point & 0x3f));
        return 3;
}

static size_t convert(const char *bytes, size_t size, char *out) {
        size_t n = 0;

        for (size_t i = 0; i < size; i++)
                n += byte_to_utf8((unsigned char) bytes[i], out + n);
        return n;
}

/* ---- rows ---- */

static char *trim(char *cell) {
        size_t size;

        cell += strspn(cell, " \t");
        size = strlen(cell);
        while (size && strchr(" \t", cell[size - 1]))
                cell[--size] = '\0';
        return cell;
}

/* The fields of the record at the front, which is taken. */
static bool fields_take(struct import_file *file, const struct csv_span *span, char **fields, size_t *ret_n) {
        char *text = file->bytes + file->begin;
        size_t size = span->text_size;

        advance(file, span->size, span->lines);
        if (file->latin1) {
                size = convert(text, size, file->converted);
                text = file->converted;
        } else if (!text_is_utf8(text, size)) {
                blame(file, "it is not valid UTF-8 (a file in Latin-1 is read with --encoding latin1)");
                return false;
        } else {
                memcpy(file->converted, text, size);
                text = file->converted;
        }
        *ret_n = csv_split(text, size, fields);
        for (size_t i = 0; i < *ret_n; i++)
                fields[i] = trim(fields[i]);
        return true;
}

/* The next record, empty ones passed over. */
static enum import_read record_next(struct import_file *file, struct import_row *row, char **fields, size_t *ret_n) {
        for (;;) {
                const size_t size = file->end - file->begin;
                struct csv_span span;
                enum csv_outcome outcome;

                row->line = file->line;
                row->offset = file->offset;
                if (file->at_end && !size)
                        return IMPORT_END;
                outcome = csv_find(file->bytes + file->begin, size, file->at_end, &span);
                if (outcome == CSV_INCOMPLETE && size < IMPORT_RECORD_SIZE_MAX) {
                        if (!fill(file))
                                return IMPORT_BROKEN;
                        continue;
                }
                if (outcome == CSV_INCOMPLETE || span.size > IMPORT_RECORD_SIZE_MAX) {
                        blame(file, "the row is longer than %zu bytes, or a quote is never closed",
                                IMPORT_RECORD_SIZE_MAX);
                        return skip_line(file) ? IMPORT_NO_ROW : IMPORT_BROKEN;
                }
                if (outcome != CSV_RECORD) {
                        blame(file, "%s", csv_outcome_text(outcome));
                        advance(file, span.size, span.lines);
                        return IMPORT_NO_ROW;
                }
                if (span.text_size)
                        return fields_take(file, &span, fields, ret_n) ? IMPORT_ROW : IMPORT_NO_ROW;
                advance(file, span.size, span.lines);
        }
}

enum import_read import_file_next(struct import_file *file, struct import_row *ret_row) {
        char *fields[CSV_FIELDS_MAX];
        size_t n = 0;
        const enum import_read read = record_next(file, ret_row, fields, &n);

        if (read != IMPORT_ROW)
                return read;
        if (n != file->width) {
                blame(file, "it has %zu columns, the header has %zu", n, file->width);
                return IMPORT_NO_ROW;
        }
        for (size_t i = 0; i < file->columns.n; i++)
                ret_row->cells[i] = file->place[i] < n ? fields[file->place[i]] : NULL;
        return IMPORT_ROW;
}

/* ---- the header ---- */

static void blame_header(struct import_file *file, const char *what, const char *name) {
        size_t size;

        blame(file, "the header line %s \"%.64s\"; the columns, in any order, are: ", what, name);
        for (size_t i = 0; i < file->columns.n; i++) {
                size = strlen(file->reason);
                (void) snprintf(file->reason + size, sizeof(file->reason) - size, "%s%s%s", i ? "," : "",
                        file->columns.at[i].name, file->columns.at[i].required ? "" : " (optional)");
        }
}

static size_t column_named(const struct import_columns *columns, const char *name) {
        size_t i = 0;

        while (i < columns->n && strcasecmp(columns->at[i].name, name) != 0)
                i++;
        return i;
}

static bool header_take(struct import_file *file, char **fields, size_t n) {
        file->width = n;
        for (size_t i = 0; i < file->columns.n; i++)
                file->place[i] = n;
        for (size_t i = 0; i < n; i++) {
                const size_t column = column_named(&file->columns, fields[i]);

                if (column == file->columns.n || file->place[column] < n) {
                        blame_header(file,
                                column == file->columns.n ? "has the unknown column" : "has twice the column",
                                fields[i]);
                        return false;
                }
                file->place[column] = i;
        }
        for (size_t i = 0; i < file->columns.n; i++)
                if (file->columns.at[i].required && file->place[i] == n) {
                        blame_header(file, "lacks the column", file->columns.at[i].name);
                        return false;
                }
        return true;
}

static bool header_read(struct import_file *file) {
        static const char mark[] = "\xef\xbb\xbf";
        char *fields[CSV_FIELDS_MAX];
        struct import_row row;
        size_t n = 0;
        enum import_read read;

        if (!fill(file))
                return false;
        while (file->end < sizeof(mark) - 1 && !file->at_end)
                if (!fill(file))
                        return false;
        if (file->end >= sizeof(mark) - 1 && memcmp(file->bytes, mark, sizeof(mark) - 1) == 0)
                advance(file, sizeof(mark) - 1, 0);
        read = record_next(file, &row, fields, &n);
        if (read == IMPORT_END)
                blame_header(file, "is missing; it begins with", file->columns.at[0].name);
        return read == IMPORT_ROW && header_take(file, fields, n);
}

bool import_file_open(struct import_file *file, const char *path, const struct import_columns *columns, bool latin1) {
        struct stat status;

        *file = (struct import_file){ .path = path, .columns = *columns, .latin1 = latin1, .line = 1 };
        file->descriptor = open(path, O_RDONLY | O_CLOEXEC);
        if (file->descriptor < 0) {
                blame(file, "it cannot be opened: %s", strerror(errno));
                return false;
        }
        if (fstat(file->descriptor, &status) == 0 && S_ISREG(status.st_mode))
                file->size = (uint64_t) status.st_size;
        file->bytes = malloc(BUFFER_SIZE);
        file->converted = malloc(UTF8_OF_BYTE_MAX * IMPORT_RECORD_SIZE_MAX + 1);
        if (!file->bytes || !file->converted) {
                blame(file, "there is no memory left");
                return false;
        }
        return header_read(file);
}

bool import_file_seek(struct import_file *file, uint64_t offset, size_t line) {
        if (offset != file->offset) {
                if (lseek(file->descriptor, (off_t) offset, SEEK_SET) < 0)
                        return false;
                file->begin = file->end = 0;
                file->offset = offset;
                file->at_end = false;
        }
        file->line = line;
        return true;
}

void import_file_close(struct import_file *file) {
        if (file->descriptor >= 0)
                (void) close(file->descriptor);
        free(file->bytes);
        free(file->converted);
        *file = (struct import_file){ .descriptor = -1 };
}
