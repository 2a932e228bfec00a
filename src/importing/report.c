#include "importing/report.h"

#include "base/text.h"
#include "importing/header.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_EVERY (200 * MILLISECOND)
#define CLEAR_LINE     "\r\033[K"
#define FAULT_SIZE     (IMPORT_FAULT_SIZE + PATH_MAX)
#define LINE_SIZE      (FAULT_SIZE + PATH_MAX)

void import_report_init(struct import_report *report, const char *kind, const char *path) {
        *report = (struct import_report){ .path = path, .kind = kind, .on_terminal = isatty(STDERR_FILENO) };
}

static void clear_progress(struct import_report *report) {
        if (report->shown)
                (void) fputs(CLEAR_LINE, stderr);
        report->shown = false;
}

/* Print one line whose text quotes a file: nothing of it may end the line or speak to the terminal. */
static void print(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void print(FILE *out, const char *format, ...) {
        char text[LINE_SIZE];
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        text_make_printable(text);
        (void) fprintf(out, "%s\n", text);
}

void import_complain(const char *format, ...) {
        char text[FAULT_SIZE];
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        print(stderr, "holdfast: %s", text);
}

void import_announce(const char *format, ...) {
        char text[IMPORT_PROBLEM_SIZE];
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        print(stdout, "%s", text);
}

static void name_line(struct import_report *report, size_t line, const char *format, va_list arguments)
        __attribute__((format(printf, 3, 0)));

static void name_line(struct import_report *report, size_t line, const char *format, va_list arguments) {
        char reason[IMPORT_PROBLEM_SIZE];

        clear_progress(report);
        (void) vsnprintf(reason, sizeof(reason), format, arguments);
        print(stderr, "%s:%zu: %s", report->path, line, reason);
}

void import_refuse(struct import_report *report, size_t line, const char *format, ...) {
        char reason[IMPORT_PROBLEM_SIZE];
        va_list arguments;

        va_start(arguments, format);
        name_line(report, line, format, arguments);
        va_end(arguments);
        va_start(arguments, format);
        (void) vsnprintf(reason, sizeof(reason), format, arguments);
        va_end(arguments);
        import_refuse_silently(report, line, reason);
}

void import_refuse_silently(struct import_report *report, size_t line, const char *reason) {
        report->refused++;
        if (report->rejects)
                import_rejects_add(report->rejects, line, reason);
}

void import_note(struct import_report *report, size_t line, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        name_line(report, line, format, arguments);
        va_end(arguments);
}

void import_progress(struct import_report *report, uint64_t offset, uint64_t size) {
        const timestamp now = clock_monotonic();

        if (!report->on_terminal || now - report->shown_at < PROGRESS_EVERY)
                return;
        report->shown_at = now;
        report->shown = true;
        (void) fprintf(stderr, CLEAR_LINE "%s: %zu lines", report->kind, report->read);
        if (size)
                (void) fprintf(stderr, ", %" PRIu64 " %%", offset * 100 / size);
        (void) fprintf(stderr, ", %zu refused", report->refused);
        (void) fflush(stderr);
}

static void say(const char *what, size_t n) {
        (void) printf("%-15s %10zu\n", what, n);
}

static void say_some(const char *what, size_t n) {
        if (n)
                say(what, n);
}

void import_summary(struct import_report *report) {
        clear_progress(report);
        print(stdout, "%s: %s", report->kind, report->path);
        say("lines read", report->read);
        say("taken", report->taken);
        say("unchanged", report->unchanged);
        say("refused", report->refused);
        say_some("  returns", report->returns);
        say_some("  write-offs", report->write_offs);
        say_some("  not goods", report->not_goods);
        say_some("  no currency", report->no_currency);
        say_some("unmatched", report->unmatched);
        say_some("not reached", report->read - report->taken - report->unchanged - report->refused - report->unmatched);
        say_some("passed over", report->passed);
        say_some("partly matched", report->partly_matched);
        say_some("without hours", report->without_hours);
        say_some("orders made", report->orders_made);
        say_some("returns made", report->returns_made);
        say_some("products made", report->products_made);
        say_some("prices rounded", report->prices_rounded);
        say_some("movements overridden since the last import", report->overridden);
        say_some("promised units taken away", report->promises_lost);
        say_some("taken as zero", report->zeroed);
}

/* ---- problems ---- */

/* Text that grows at the end of a buffer and is cut when it is full. */
static void append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...) {
        const size_t used = strlen(text);
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(text + used, size - used, format, arguments);
        va_end(arguments);
}

static const char *member(const json_t *object, const char *name) {
        const char *text = json_string_value(json_object_get(object, name));

        return text ? text : "";
}

bool import_blames(const json_t *error, const char *list, size_t *ret_index) {
        const char *pointer = member(error, "pointer");
        const size_t size = strlen(list);
        char digits[24];
        int64_t index;
        size_t n;

        if (strncmp(pointer, "#/", 2) != 0 || strncmp(pointer + 2, list, size) != 0 || pointer[2 + size] != '/')
                return false;
        pointer += 2 + size + 1;
        n = strcspn(pointer, "/");
        if (n >= sizeof(digits))
                return false;
        memcpy(digits, pointer, n);
        digits[n] = '\0';
        if (!text_to_integer(digits, 0, INT32_MAX, &index))
                return false;
        *ret_index = (size_t) index;
        return true;
}

/* "gtin" of "#/gtin"; with a list, "sku" of "#/items/7/sku". */
static const char *place_of(const json_t *error, const char *list) {
        const char *pointer = member(error, "pointer");

        pointer += strspn(pointer, "#/");
        if (!list)
                return pointer;
        pointer += strcspn(pointer, "/");
        pointer += strspn(pointer, "/");
        pointer += strcspn(pointer, "/");
        return pointer + strspn(pointer, "/");
}

const char *import_source_of(const struct import_sources *sources, const char *member) {
        for (size_t i = 0; sources && i < sources->n; i++) {
                const size_t size = strlen(sources->at[i].member);

                if (strncmp(member, sources->at[i].member, size) != 0)
                        continue;
                if (sources->at[i].name && (!member[size] || member[size] == '/'))
                        return sources->at[i].name;
                if (!sources->at[i].name && member[size] == '/')
                        return member + size + 1;
        }
        return member;
}

/* "sku" of "lines/7/sku": in the text of a whole document. */
static const char *behind_line(const char *place) {
        static const char list[] = "lines/";
        const char *member = place;

        if (strncmp(place, list, sizeof(list) - 1) != 0)
                return place;
        member += sizeof(list) - 1;
        member += strspn(member, "0123456789");
        return *member == '/' ? member + 1 : place;
}

void import_problem_text(const json_t *problem, const char *list, size_t index, const struct import_sources *sources,
        char *text, size_t size) {
        const json_t *errors = json_object_get(problem, "errors");
        const char *detail = member(problem, "detail");
        size_t n = 0;

        *text = '\0';
        append(text, size, "%" JSON_INTEGER_FORMAT " %s", json_integer_value(json_object_get(problem, "status")),
                member(problem, "code"));
        for (size_t i = 0; i < json_array_size(errors); i++) {
                const json_t *error = json_array_get(errors, i);
                const char *place = import_source_of(sources, behind_line(place_of(error, list)));
                size_t blamed;

                if (list && (!import_blames(error, list, &blamed) || blamed != index))
                        continue;
                append(text, size, "%s %s%s%s", n++ ? ";" : ":", place, *place ? ": " : "", member(error, "detail"));
        }
        if (!n)
                append(text, size, ": %s", *detail ? detail : member(problem, "title"));
}
