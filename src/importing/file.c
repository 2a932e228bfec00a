#include "importing/file.h"

#include "base/csv.h"
#include "base/stop.h"
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

static void file_blame(struct import_file *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void file_blame(struct import_file *file, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(file->reason, sizeof(file->reason), format, arguments);
        va_end(arguments);
}

/* ---- bytes ---- */

/* Move the unread bytes to the front and read behind them. */
static bool fill(struct import_file *file) {
        ssize_t n;

        memmove(file->bytes, file->bytes + file->begin, file->end - file->begin);
        file->end -= file->begin;
        file->begin = 0;
        do
                n = read(file->descriptor, file->bytes + file->end, BUFFER_SIZE - file->end);
        while (n < 0 && errno == EINTR && !stop_asked());
        if (n < 0) {
                file_blame(file, "it cannot be read: %s", strerror(errno));
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
                file_blame(file, "it is not valid UTF-8 (a file in Latin-1 is read with --encoding latin1)");
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
                        file_blame(file, "the row is longer than %zu bytes, or a quote is never closed",
                                IMPORT_RECORD_SIZE_MAX);
                        return skip_line(file) ? IMPORT_NO_ROW : IMPORT_BROKEN;
                }
                file->open_end = span.size == size && file->bytes[file->end - 1] != '\n';
                if (outcome != CSV_RECORD) {
                        file_blame(file, "%s", csv_outcome_text(outcome));
                        advance(file, span.size, span.lines);
                        return IMPORT_NO_ROW;
                }
                if (span.text_size)
                        return fields_take(file, &span, fields, ret_n) ? IMPORT_ROW : IMPORT_NO_ROW;
                advance(file, span.size, span.lines);
        }
}

/* A line of nothing but the names of its columns. */
static bool repeats_header(const struct import_file *file, char **fields) {
        for (size_t i = 0; i < file->columns.n; i++)
                if (file->place[i] < file->width && strcasecmp(fields[file->place[i]], file->columns.at[i].name) != 0)
                        return false;
        return true;
}

enum import_read import_file_next(struct import_file *file, struct import_row *ret_row) {
        char *fields[CSV_FIELDS_MAX];
        size_t n = 0;
        const enum import_read read = record_next(file, ret_row, fields, &n);

        if (read != IMPORT_ROW)
                return read;
        if (n != file->width) {
                file_blame(file, "it has %zu columns, the header has %zu", n, file->width);
                return IMPORT_NO_ROW;
        }
        if (repeats_header(file, fields)) {
                file_blame(file, "it repeats the header line; import each file by itself");
                return IMPORT_NO_ROW;
        }
        for (size_t i = 0; i < file->columns.n; i++)
                ret_row->cells[i] = file->place[i] < n ? fields[file->place[i]] : NULL;
        return IMPORT_ROW;
}

/* ---- the header ---- */

#define NAMED_MAX 5 /* unknown columns that a message names */

static void blame_more(struct import_file *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void blame_more(struct import_file *file, const char *format, ...) {
        const size_t size = strlen(file->reason);
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(file->reason + size, sizeof(file->reason) - size, format, arguments);
        va_end(arguments);
}

/* List the wanted columns behind the fault. */
static void blame_wanted(struct import_file *file) {
        blame_more(file, "; the columns, in any order, are: ");
        for (size_t i = 0; i < file->columns.n; i++)
                blame_more(file, "%s%s%s", i ? "," : "", file->columns.at[i].name,
                        file->columns.at[i].required ? "" : " (optional)");
}

static void blame_header(struct import_file *file, const char *what, const char *name) {
        file_blame(file, "the header line %s \"%.64s\"", what, name);
        blame_wanted(file);
}

static size_t column_named(const struct import_columns *columns, const char *name) {
        size_t i = 0;

        while (i < columns->n && strcasecmp(columns->at[i].name, name) != 0)
                i++;
        return i;
}

/* All unknown columns at once, so that one run of the import names them all. */
static void blame_unknown(struct import_file *file, char **fields, size_t n, size_t n_unknown) {
        size_t named = 0;

        if (n_unknown == 1)
                file_blame(file, "the header line has the unknown column");
        else
                file_blame(file, "the header line has %zu columns, %zu of them unknown:", n, n_unknown);
        for (size_t i = 0; i < n && named < NAMED_MAX; i++)
                if (column_named(&file->columns, fields[i]) == file->columns.n)
                        blame_more(file, "%s \"%.64s\"", named++ ? "," : "", fields[i]);
        if (named < n_unknown)
                blame_more(file, " and %zu more", n_unknown - named);
        blame_wanted(file);
}

static const struct {
        char separator;
        const char *name;
} other_separators[] = { { ';', "semicolons" }, { '\t', "tabs" }, { '|', "bars (|)" } };

/* Other programs' files: `between` has the separator of their headers. */
static bool is_separated_otherwise(struct import_file *file, const char *between, size_t size) {
        for (size_t i = 0; i < array_size(other_separators); i++) {
                if (!memchr(between, other_separators[i].separator, size))
                        continue;
                file_blame(file, "the file is separated by %s; save it with commas between its columns",
                        other_separators[i].name);
                blame_wanted(file);
                return true;
        }
        return false;
}

/* The same with names in quotes, which no comma ends: the header is no record. The separator is behind the first name.
 */
static bool is_quoted_otherwise(struct import_file *file, const struct import_row *header) {
        const size_t size = (size_t) (file->offset - header->offset);
        const char *end = file->bytes + file->begin, *at = end - size;

        if (size > file->begin || !size || *at != '"')
                return false;
        for (at++; at < end && (*at != '"' || (at + 1 < end && at[1] == '"')); at++)
                at += *at == '"';
        if (at < end)
                at++;
        while (at < end && *at == ' ')
                at++;
        return at < end && is_separated_otherwise(file, at, 1);
}

static bool columns_place(struct import_file *file, char **fields, size_t n) {
        size_t n_unknown = 0;

        for (size_t i = 0; i < n; i++)
                n_unknown += column_named(&file->columns, fields[i]) == file->columns.n;
        if (n_unknown == n && is_separated_otherwise(file, fields[0], strlen(fields[0])))
                return false;
        if (n_unknown) {
                blame_unknown(file, fields, n, n_unknown);
                return false;
        }
        for (size_t i = 0; i < n; i++) {
                const size_t column = column_named(&file->columns, fields[i]);

                if (file->place[column] < n) {
                        blame_header(file, "has twice the column", fields[i]);
                        return false;
                }
                file->place[column] = i;
        }
        return true;
}

static bool header_take(struct import_file *file, char **fields, size_t n) {
        file->width = n;
        for (size_t i = 0; i < file->columns.n; i++)
                file->place[i] = n;
        if (!columns_place(file, fields, n))
                return false;
        for (size_t i = 0; i < file->columns.n; i++)
                if (file->columns.at[i].required && file->place[i] == n) {
                        blame_header(file, "lacks the column", file->columns.at[i].name);
                        return false;
                }
        return true;
}

/* A byte order mark decides over the encoding that the option names. False: the file cannot be read. */
static bool mark_take(struct import_file *file) {
        static const char utf8[] = "\xef\xbb\xbf", utf16[][3] = { "\xff\xfe", "\xfe\xff" };

        while (file->end < sizeof(utf8) - 1 && !file->at_end)
                if (!fill(file))
                        return false;
        if (file->end >= sizeof(utf8) - 1 && memcmp(file->bytes, utf8, sizeof(utf8) - 1) == 0) {
                advance(file, sizeof(utf8) - 1, 0);
                file->latin1 = false;
        }
        for (size_t i = 0; i < array_size(utf16); i++)
                if (file->end >= 2 && memcmp(file->bytes, utf16[i], 2) == 0) {
                        file_blame(file, "the file is in UTF-16; save it as UTF-8");
                        return false;
                }
        return true;
}

static bool header_read(struct import_file *file) {
        char *fields[CSV_FIELDS_MAX];
        struct import_row row;
        size_t n = 0;
        enum import_read read;

        if (!fill(file) || !mark_take(file))
                return false;
        read = record_next(file, &row, fields, &n);
        if (read == IMPORT_END)
                blame_header(file, "is missing; it begins with", file->columns.at[0].name);
        if (read == IMPORT_NO_ROW && !is_quoted_otherwise(file, &row))
                blame_wanted(file);
        return read == IMPORT_ROW && header_take(file, fields, n);
}

bool import_file_open(struct import_file *file, const char *path, const struct import_columns *columns, bool latin1) {
        struct stat status;

        *file = (struct import_file){ .path = path, .columns = *columns, .latin1 = latin1, .line = 1 };
        file->descriptor = open(path, O_RDONLY | O_CLOEXEC);
        if (file->descriptor < 0) {
                file_blame(file, "it cannot be opened: %s", strerror(errno));
                return false;
        }
        if (fstat(file->descriptor, &status) == 0 && S_ISREG(status.st_mode))
                file->size = (uint64_t) status.st_size;
        file->bytes = malloc(BUFFER_SIZE);
        file->converted = malloc(UTF8_OF_BYTE_MAX * IMPORT_RECORD_SIZE_MAX + 1);
        if (!file->bytes || !file->converted) {
                file_blame(file, "there is no memory left");
                return false;
        }
        return header_read(file);
}

bool import_file_has(const struct import_file *file, size_t column) {
        return file->place[column] < file->width;
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
