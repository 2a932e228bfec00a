#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Up to PIPE_BUF bytes a write into a pipe is never torn. */
#define LINE_SIZE_MAX ((size_t) 4096)
#define LINE_END      "}\n"

/* Lines of this thread that wait to be written together. */
static _Thread_local struct {
        char bytes[LINE_SIZE_MAX];
        size_t size;
        bool on;
} gathered;

static _Atomic(enum log_level) lowest_level = LOG_LEVEL_INFO;

/* A line in the making. It does not allocate, so it can report a lack of memory as well. */
struct line {
        char bytes[LINE_SIZE_MAX];
        size_t size;
};

static const char *const level_names[] = { "debug", "info", "warning", "error" };

bool log_level_named(const char *name, enum log_level *ret_level) {
        for (size_t i = 0; name && i < array_size(level_names); i++)
                if (text_equal(name, level_names[i])) {
                        *ret_level = (enum log_level) i;
                        return true;
                }
        return false;
}

void log_set_level(enum log_level level) {
        atomic_store(&lowest_level, level);
}

static size_t line_room(const struct line *line) {
        return sizeof(line->bytes) - strlen(LINE_END) - line->size;
}

/* Leaves `reserve` bytes free behind the added bytes, for the end of the line. */
static bool log_line_add(struct line *line, const char *bytes, size_t size, size_t reserve) {
        if (size + reserve > line_room(line))
                return false;
        memcpy(line->bytes + line->size, bytes, size);
        line->size += size;
        return true;
}

static bool line_add_quote(struct line *line, size_t reserve) {
        return log_line_add(line, "\"", 1, reserve);
}

/* Add one character of the text, escaped, and advance the text. A byte that is not UTF-8 becomes U+FFFD. */
static bool line_add_character(struct line *line, const char **text, size_t text_size) {
        const size_t size = text_utf8_size(*text, text_size);
        char escape[JSON_ESCAPE_SIZE] = "\\ufffd";
        bool fits;

        if (size && !text_json_escape(**text, escape))
                fits = log_line_add(line, *text, size, 1);
        else
                fits = log_line_add(line, escape, strlen(escape), 1);
        *text += size ? size : 1;
        return fits;
}

/* Add the characters that need no escape, as far as they fit beside the closing quote, and advance the text. */
static void line_add_plain(struct line *line, const char **text, size_t text_size) {
        size_t size = text_json_plain(*text);

        if (size > text_size)
                size = text_size;
        if (size > line_room(line) - 1)
                size = line_room(line) - 1;
        (void) log_line_add(line, *text, size, 1);
        *text += size;
}

/* As much of the text as fits, always with both quotes; false when not even they do. */
static bool line_add_quoted(struct line *line, const char *text) {
        const char *end = text + strnlen(text, sizeof(line->bytes));

        if (!line_add_quote(line, 1))
                return false;
        do {
                line_add_plain(line, &text, (size_t) (end - text));
        } while (text < end && line_add_character(line, &text, (size_t) (end - text)));
        return line_add_quote(line, 0);
}

static bool line_add_name(struct line *line, const char *name) {
        const bool first = line->size == 0;

        return log_line_add(line, first ? "{" : ",", 1, 0) && line_add_quoted(line, name) &&
               log_line_add(line, ":", 1, 0);
}

/* A member that does not fit at all is left out whole: the line goes back to where it was. */
static void line_add_text(struct line *line, const char *name, const char *value) {
        const size_t before = line->size;

        if (value && !(line_add_name(line, name) && line_add_quoted(line, value)))
                line->size = before;
}

static void line_add_digits(struct line *line, const char *name, const char *digits) {
        const size_t before = line->size;

        if (!line_add_name(line, name) || !log_line_add(line, digits, strlen(digits), 0))
                line->size = before;
}

static void line_add_integer(struct line *line, const char *name, int64_t value) {
        char digits[24];

        (void) snprintf(digits, sizeof(digits), "%" PRId64, value);
        line_add_digits(line, name, digits);
}

static void line_add_milliseconds(struct line *line, const char *name, duration value) {
        const uint64_t size = value < 0 ? -(uint64_t) value : (uint64_t) value;
        char digits[32];

        (void) snprintf(digits, sizeof(digits), "%s%" PRIu64 ".%03" PRIu64, value < 0 ? "-" : "", size / MILLISECOND,
                size % MILLISECOND);
        line_add_digits(line, name, digits);
}

static void line_add_members(struct line *line, va_list members) {
        for (;;) {
                const enum log_kind kind = (enum log_kind) va_arg(members, int);
                const char *name = NULL;

                if (kind == LOG_END)
                        return;
                name = va_arg(members, const char *);
                if (kind == LOG_TEXT)
                        line_add_text(line, name, va_arg(members, const char *));
                else if (kind == LOG_MILLISECONDS)
                        line_add_milliseconds(line, name, va_arg(members, duration));
                else
                        line_add_integer(line, name, va_arg(members, int64_t));
        }
}

/* There is no place to report a log that cannot be written, so only an interruption is handled. */
static void write_out(const char *bytes, size_t size) {
        ssize_t n;

        do {
                n = write(STDOUT_FILENO, bytes, size);
        } while (n < 0 && errno == EINTR);
}

void log_flush(void) {
        if (gathered.size)
                write_out(gathered.bytes, gathered.size);
        gathered.size = 0;
}

void log_gather(bool on) {
        log_flush();
        gathered.on = on;
}

static void line_write(struct line *line) {
        memcpy(line->bytes + line->size, LINE_END, strlen(LINE_END));
        line->size += strlen(LINE_END);
        if (!gathered.on) {
                write_out(line->bytes, line->size);
                return;
        }
        if (gathered.size + line->size > sizeof(gathered.bytes))
                log_flush();
        memcpy(gathered.bytes + gathered.size, line->bytes, line->size);
        gathered.size += line->size;
}

void log_event(enum log_level level, const char *message, ...) {
        char time[TIMESTAMP_TEXT_SIZE];
        struct line line;
        va_list members;

        if (level < atomic_load(&lowest_level))
                return;
        line.size = 0;
        timestamp_format(clock_wall(), time);
        line_add_text(&line, "time", time);
        line_add_text(&line, "level", level_names[level]);
        line_add_text(&line, "message", message);
        va_start(members, message);
        line_add_members(&line, members);
        va_end(members);
        line_write(&line);
        if (level >= LOG_LEVEL_WARNING)
                log_flush();
}
