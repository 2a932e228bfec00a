#include "importing/file.h"

#include "base/csv.h"
#include "base/stop.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE (4 * IMPORT_RECORD_SIZE_MAX)
#define READ_SIZE   IMPORT_RECORD_SIZE_MAX /* bytes of one read */

static void file_blame(struct import_file *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void file_blame(struct import_file *file, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(file->reason, sizeof(file->reason), format, arguments);
        va_end(arguments);
}

/* ---- bytes ---- */

static bool is_utf16(const struct import_file *file) {
        return file->encoding == ENCODING_UTF16_LE || file->encoding == ENCODING_UTF16_BE;
}

/* Append the UTF-16 that was read to the UTF-8. */
static void raw_decode(struct import_file *file) {
        size_t used;

        file->end += utf16_decode(file->raw, file->raw_size, file->encoding == ENCODING_UTF16_BE, file->at_end,
                file->bytes + file->end, &used);
        file->raw_size -= used;
        memmove(file->raw, file->raw + used, file->raw_size);
}

/* Move the unread bytes to the front and read behind them. */
static bool fill(struct import_file *file) {
        char *to;
        ssize_t n;

        memmove(file->bytes, file->bytes + file->begin, file->end - file->begin);
        file->end -= file->begin;
        file->begin = 0;
        to = is_utf16(file) ? file->raw + file->raw_size : file->bytes + file->end;
        do
                n = read(file->descriptor, to, READ_SIZE);
        while (n < 0 && errno == EINTR && !stop_asked());
        if (n < 0) {
                file_blame(file, "it cannot be read: %s", strerror(errno));
                return false;
        }
        file->at_end = n == 0;
        if (is_utf16(file)) {
                file->raw_size += (size_t) n;
                raw_decode(file);
        } else {
                file->end += (size_t) n;
        }
        return true;
}

static void advance(struct import_file *file, size_t size, size_t lines) {
        file->offset += is_utf16(file) ? utf16_size(file->bytes + file->begin, size) : size;
        file->begin += size;
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

/* ---- rows ---- */

/* Blanks and others that nobody sees: tab, no-break space, zero width space, byte order mark. */
static const char *const unseen[] = { " ", "\t", "\xc2\xa0", "\xe2\x80\x8b", "\xef\xbb\xbf" };

static size_t unseen_at(const char *at, size_t size, bool at_end) {
        for (size_t i = 0; i < array_size(unseen); i++) {
                const size_t n = strlen(unseen[i]);

                if (n <= size && memcmp(at_end ? at + size - n : at, unseen[i], n) == 0)
                        return n;
        }
        return 0;
}

static bool is_seen(char byte) {
        return byte > ' ';
}

static char *trim(char *cell) {
        size_t size = strlen(cell), n;

        if (size && is_seen(cell[0]) && is_seen(cell[size - 1]))
                return cell;
        n = unseen_at(cell, size, /* at_end= */ false);
        for (; n; n = unseen_at(cell, size, false)) {
                cell += n;
                size -= n;
        }
        for (n = unseen_at(cell, size, /* at_end= */ true); n; n = unseen_at(cell, size, true))
                size -= n;
        cell[size] = '\0';
        return cell;
}

/* The fields of the record at the front, which is taken. */
static bool fields_take(struct import_file *file, const struct csv_span *span, char **fields, size_t *ret_n) {
        const char *text = file->bytes + file->begin;
        size_t size = span->text_size;

        advance(file, span->size, span->lines);
        if (file->encoding == ENCODING_WINDOWS_1252) {
                size = windows_1252_decode(text, size, file->converted);
        } else if (!text_is_utf8(text, size)) {
                file_blame(file, "it is not valid UTF-8 (a file in Latin-1 or Windows-1252 is read with --encoding "
                                 "windows-1252)");
                return false;
        } else {
                memcpy(file->converted, text, size);
        }
        *ret_n = csv_split(file->converted, size, file->separator, fields);
        for (size_t i = 0; i < *ret_n; i++)
                fields[i] = trim(fields[i]);
        return true;
}

/* Nothing but separators, as spreadsheets write behind the last row. */
static bool is_blank_record(const struct import_file *file, const struct csv_span *span) {
        const char *at = file->bytes + file->begin;

        for (size_t i = 0; i < span->text_size; i++)
                if (at[i] != file->separator && at[i] != ' ')
                        return false;
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
                outcome = csv_find(file->bytes + file->begin, size, file->at_end, file->separator, &span);
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
                if (!is_blank_record(file, &span))
                        return fields_take(file, &span, fields, ret_n) ? IMPORT_ROW : IMPORT_NO_ROW;
                advance(file, span.size, span.lines);
        }
}

/* Empty fields behind the last column are none. */
static bool has_width(const struct import_file *file, char **fields, size_t n) {
        while (n > file->header.width && !*fields[n - 1])
                n--;
        return n == file->header.width;
}

/* A row that the plan makes of the record. False: there is no more of it. */
static bool planned_next(struct import_file *file, struct import_row *ret_row, enum import_read *ret_read) {
        bool fault = false;

        *ret_row = file->planned;
        file->has_planned = import_plan_next(file->plan, ret_row->cells, &fault);
        *ret_read = IMPORT_ROW;
        if (fault) {
                file_blame(file, "the map makes a row of it that is too long");
                *ret_read = IMPORT_NO_ROW;
        }
        return file->has_planned;
}

static enum import_read planned_begin(struct import_file *file, struct import_row *ret_row, char **fields) {
        enum import_read read;

        file->planned = (struct import_row){ .line = ret_row->line, .offset = ret_row->offset };
        import_plan_begin(file->plan, fields);
        return planned_next(file, ret_row, &read) ? read : IMPORT_PASSED;
}

enum import_read import_file_next(struct import_file *file, struct import_row *ret_row) {
        char *fields[CSV_FIELDS_MAX];
        size_t n = 0;
        enum import_read read;

        if (file->has_planned && planned_next(file, ret_row, &read))
                return read;
        read = record_next(file, ret_row, fields, &n);

        if (read != IMPORT_ROW)
                return read;
        if (!has_width(file, fields, n)) {
                file_blame(file, "it has %zu columns, the header has %zu", n, file->header.width);
                return IMPORT_NO_ROW;
        }
        if (import_header_is_repeated(&file->header, fields)) {
                file_blame(file, "it repeats the header line; import each file by itself");
                return IMPORT_NO_ROW;
        }
        if (file->plan)
                return planned_begin(file, ret_row, fields);
        for (size_t i = 0; i < file->columns.n; i++)
                ret_row->cells[i] = file->header.given[i] ? fields[file->header.place[i]] : NULL;
        return IMPORT_ROW;
}

/* ---- a second pass ---- */

/* The number of such bytes in the line outside of quotes. */
static size_t count_outside_quotes(const char *line, size_t size, char byte) {
        bool quoted = false;
        size_t n = 0;

        for (size_t i = 0; i < size; i++) {
                quoted = quoted != (line[i] == '"');
                n += !quoted && line[i] == byte;
        }
        return n;
}

/* A quote that does not end, or a row that is too long: its first line alone, as much of it as there is room for. */
static size_t raw_line_size(const struct import_file *file) {
        const char *at = file->bytes + file->begin;
        const size_t size = file->end - file->begin;
        const char *end = memchr(at, '\n', size);
        size_t n = end ? (size_t) (end - at) : size;

        n = n < IMPORT_RECORD_SIZE_MAX ? n : IMPORT_RECORD_SIZE_MAX;
        return n && at[n - 1] == '\r' ? n - 1 : n;
}

static void raw_keep(struct import_file *file, size_t size, struct import_raw *ret_raw) {
        const char *at = file->bytes + file->begin;

        ret_raw->line = file->line;
        ret_raw->text = file->converted;
        ret_raw->size = size;
        if (file->encoding == ENCODING_WINDOWS_1252)
                ret_raw->size = windows_1252_decode(at, size, file->converted);
        else
                memcpy(file->converted, at, size);
}

/* Fields of a record in the buffer, by its separators outside of quotes. */
static size_t raw_width(const struct import_file *file, const struct import_raw *raw) {
        return 1 + count_outside_quotes(raw->text, raw->size, file->separator);
}

static void raw_trim(const struct import_file *file, struct import_raw *raw) {
        for (size_t n = raw_width(file, raw);
                n > file->header.width && raw->size && raw->text[raw->size - 1] == file->separator; n--)
                raw->size--;
}

bool import_file_raw_next(struct import_file *file, struct import_raw *ret_raw) {
        for (;;) {
                const size_t size = file->end - file->begin;
                struct csv_span span;
                enum csv_outcome outcome;

                if (file->at_end && !size)
                        return false;
                outcome = csv_find(file->bytes + file->begin, size, file->at_end, file->separator, &span);
                if (outcome == CSV_INCOMPLETE && size < IMPORT_RECORD_SIZE_MAX) {
                        if (!fill(file))
                                return false;
                        continue;
                }
                if (outcome == CSV_INCOMPLETE || span.size > IMPORT_RECORD_SIZE_MAX) {
                        raw_keep(file, raw_line_size(file), ret_raw);
                        return skip_line(file);
                }
                if (outcome == CSV_RECORD && is_blank_record(file, &span)) {
                        advance(file, span.size, span.lines);
                        continue;
                }
                raw_keep(file, span.text_size, ret_raw);
                raw_trim(file, ret_raw);
                advance(file, span.size, span.lines);
                return true;
        }
}

bool import_file_is_regular(const struct import_file *file) {
        return lseek(file->descriptor, 0, SEEK_CUR) >= 0;
}

/* ---- the header ---- */

bool separator_named(const char *name, char *ret_separator) {
        if (text_equal(name, "auto"))
                *ret_separator = SEPARATOR_AUTO;
        else if (text_equal(name, "tab"))
                *ret_separator = '\t';
        else
                *ret_separator = *name;
        return text_equal(name, "auto") || text_equal(name, "tab") || (*name && strchr(",;|\t", *name) && !name[1]);
}

/* The byte that stands most often in the line; a comma when none does. */
static char separator_of(const char *line, size_t size) {
        static const char separators[] = ",;\t|";
        size_t most = 0;
        char separator = ',';

        for (const char *at = separators; *at; at++) {
                const size_t n = count_outside_quotes(line, size, *at);

                if (n > most) {
                        most = n;
                        separator = *at;
                }
        }
        return separator;
}

/* The first line that is not empty, as much of it as a row may have. False: the file cannot be read. */
static bool first_line(struct import_file *file, const char **ret_line, size_t *ret_size) {
        for (;;) {
                const char *at = file->bytes + file->begin;
                const size_t size = file->end - file->begin;
                const char *end = memchr(at, '\n', size);

                if (end && (size_t) (end - at) <= strspn(at, "\r")) {
                        advance(file, (size_t) (end - at) + 1, 1);
                        continue;
                }
                *ret_line = at;
                *ret_size = end ? (size_t) (end - at) : size;
                if (end || file->at_end || size >= IMPORT_RECORD_SIZE_MAX)
                        return true;
                if (!fill(file))
                        return false;
        }
}

/* `sep=;` as spreadsheets write it: the line is no header. */
static bool sep_line_take(struct import_file *file, const char *line, size_t size) {
        static const char sep[] = "sep=";
        const size_t n = sizeof(sep) - 1;
        const bool named = size > n && memcmp(line, sep, n) == 0 &&
                           (size == n + 1 || (size == n + 2 && line[n + 1] == '\r')) && strchr(",;\t|", line[n]);

        if (!named)
                return false;
        file->separator = line[n];
        advance(file, size + (file->begin + size < file->end), 1);
        return true;
}

static bool separator_take(struct import_file *file) {
        const char *line;
        size_t size;

        file->separator = file->reading.separator;
        if (!first_line(file, &line, &size))
                return false;
        if (!sep_line_take(file, line, size) && file->separator == SEPARATOR_AUTO)
                file->separator = separator_of(line, size);
        return true;
}

/* A byte order mark decides over the encoding that the option names. False: the file cannot be read. */
static bool mark_take(struct import_file *file) {
        const bool wide = file->reading.encoding == ENCODING_UTF16_LE;
        enum import_encoding encoding = file->reading.encoding;
        size_t size = 0;

        file->encoding = ENCODING_UTF8;
        do
                if (!fill(file))
                        return false;
        while (file->end < 3 && !file->at_end);
        (void) encoding_of_mark(file->bytes, file->end, &encoding, &size);
        if (wide && !size && file->end && !*file->bytes)
                encoding = ENCODING_UTF16_BE;
        advance(file, size, 0);
        file->encoding = encoding == ENCODING_AUTO ? ENCODING_UTF8 : encoding;
        if (!is_utf16(file))
                return true;
        file->raw_size = file->end - file->begin;
        memcpy(file->raw, file->bytes + file->begin, file->raw_size);
        file->begin = file->end = 0;
        raw_decode(file);
        return true;
}

static bool map_apply(struct import_file *file) {
        const bool is_complete = import_header_is_complete(&file->header, &file->columns);

        if (file->reading.mapping &&
                !mapping_choose(file->reading.mapping, &file->header, is_complete, &file->map, file->reason))
                return false;
        if (!file->map)
                return true;
        file->plan = import_plan_bind(file->map, &file->header, file->reason);
        return file->plan;
}

static bool header_read(struct import_file *file) {
        char *fields[CSV_FIELDS_MAX];
        struct import_row row;
        size_t n = 0;
        enum import_read read;

        if (!mark_take(file) || !separator_take(file))
                return false;
        read = record_next(file, &row, fields, &n);
        if (read == IMPORT_END)
                file_blame(file, "the header line is missing; it begins with \"%s\"", file->columns.at[0].name);
        if (read == IMPORT_END || read == IMPORT_NO_ROW)
                import_columns_list(&file->columns, file->reason, sizeof(file->reason));
        return read == IMPORT_ROW && import_header_take(&file->header, &file->columns, fields, n, file->reason) &&
               map_apply(file) &&
               import_header_check(&file->header, &file->columns, file->reading.strict, file->reason);
}

bool import_file_open(struct import_file *file, const char *path, const struct import_columns *columns,
        const struct import_reading *reading) {
        struct stat status;

        *file = (struct import_file){ .path = path, .columns = *columns, .reading = *reading, .line = 1 };
        file->descriptor = open(path, O_RDONLY | O_CLOEXEC);
        if (file->descriptor < 0) {
                file_blame(file, "it cannot be opened: %s", strerror(errno));
                return false;
        }
        if (fstat(file->descriptor, &status) == 0 && S_ISREG(status.st_mode))
                file->size = (uint64_t) status.st_size;
        file->bytes = malloc(BUFFER_SIZE);
        file->converted = malloc(UTF8_OF_BYTE_MAX * IMPORT_RECORD_SIZE_MAX + 1);
        file->raw = malloc(3 + 2 * READ_SIZE);
        if (!file->bytes || !file->converted || !file->raw) {
                file_blame(file, "there is no memory left");
                return false;
        }
        return header_read(file);
}

bool import_file_has(const struct import_file *file, size_t column) {
        return file->header.given[column];
}

bool import_file_seek(struct import_file *file, uint64_t offset, size_t line) {
        if (offset != file->offset) {
                if (lseek(file->descriptor, (off_t) offset, SEEK_SET) < 0)
                        return false;
                file->begin = file->end = file->raw_size = 0;
                file->offset = offset;
                file->at_end = false;
        }
        file->line = line;
        file->has_planned = false;
        return true;
}

void import_file_close(struct import_file *file) {
        if (file->descriptor >= 0)
                (void) close(file->descriptor);
        free(file->bytes);
        free(file->converted);
        free(file->raw);
        import_plan_free(file->plan);
        import_header_clear(&file->header);
        *file = (struct import_file){ .descriptor = -1 };
}
