#include "importing/header.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void say_more(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void say_more(char *text, size_t size, const char *format, ...) {
        const size_t used = strlen(text);
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(text + used, size - used, format, arguments);
        va_end(arguments);
}

/* ---- names ---- */

static const char *name_byte(const char *at) {
        return at + strspn(at, " _-");
}

static char small(char byte) {
        return byte >= 'A' && byte <= 'Z' ? (char) (byte - 'A' + 'a') : byte;
}

bool import_names_match(const char *one, const char *other) {
        for (;; one++, other++) {
                one = name_byte(one);
                other = name_byte(other);
                if (small(*one) != small(*other))
                        return false;
                if (!*one)
                        return true;
        }
}

size_t import_column_named(const struct import_columns *columns, const char *name) {
        size_t i = 0;

        while (i < columns->n && !import_names_match(columns->at[i].name, name))
                i++;
        return i;
}

size_t import_field_named(const struct import_header *header, const char *name) {
        size_t i = 0;

        while (i < header->width && !import_names_match(header->names[i], name))
                i++;
        return i;
}

/* ---- the line ---- */

static bool names_keep(struct import_header *header, char **fields, size_t n) {
        size_t size = 0, used = 0;

        for (size_t i = 0; i < n; i++)
                size += strlen(fields[i]) + 1;
        header->text = malloc(size + 1);
        if (!header->text)
                return false;
        for (size_t i = 0; i < n; i++) {
                const size_t length = strlen(fields[i]) + 1;

                memcpy(header->text + used, fields[i], length);
                header->names[i] = header->text + used;
                used += length;
        }
        return true;
}

static bool is_silent(const char *name) {
        return !*name || import_names_match(name, REJECTED_LINE) || import_names_match(name, REJECTED_REASON);
}

bool import_header_take(
        struct import_header *header, const struct import_columns *columns, char **fields, size_t n, char *reason) {
        while (n > 1 && !*fields[n - 1])
                n--;
        *header = (struct import_header){ .width = n };
        for (size_t i = 0; i < columns->n; i++)
                header->place[i] = n;
        if (!names_keep(header, fields, n)) {
                (void) snprintf(reason, IMPORT_FAULT_SIZE, "there is no memory left");
                return false;
        }
        for (size_t i = 0; i < n; i++) {
                const size_t column = import_column_named(columns, fields[i]);

                header->used[i] = column < columns->n || is_silent(fields[i]);
                if (column == columns->n)
                        continue;
                if (header->place[column] < n) {
                        (void) snprintf(
                                reason, IMPORT_FAULT_SIZE, "the header line has twice the column \"%.64s\"", fields[i]);
                        import_columns_list(columns, reason, IMPORT_FAULT_SIZE);
                        return false;
                }
                header->place[column] = i;
                header->given[column] = true;
        }
        return true;
}

void import_columns_list(const struct import_columns *columns, char *text, size_t size) {
        say_more(text, size, "; the columns, in any order, are: ");
        for (size_t i = 0; i < columns->n; i++)
                say_more(text, size, "%s%s%s", i ? "," : "", columns->at[i].name,
                        columns->at[i].required ? "" : " (optional)");
}

static const char *plural(size_t n) {
        return n == 1 ? "" : "s";
}

size_t import_header_unknown(const struct import_header *header, char *text, size_t size) {
        size_t n = 0;

        for (size_t i = 0; i < header->width; i++)
                if (!header->used[i])
                        say_more(text, size, "%s \"%.64s\"", n++ ? "," : "", header->names[i]);
        return n;
}

static size_t missing_list(
        const struct import_header *header, const struct import_columns *columns, char *text, size_t size) {
        size_t n = 0;

        for (size_t i = 0; i < columns->n; i++)
                if (columns->at[i].required && !header->given[i])
                        say_more(text, size, "%s \"%s\"", n++ ? "," : "", columns->at[i].name);
        return n;
}

bool import_header_is_complete(const struct import_header *header, const struct import_columns *columns) {
        char missing[IMPORT_REASON_SIZE] = "";

        return missing_list(header, columns, missing, sizeof(missing)) == 0;
}

bool import_header_check(
        const struct import_header *header, const struct import_columns *columns, bool strict, char *reason) {
        char missing[IMPORT_REASON_SIZE] = "", unknown[IMPORT_FAULT_SIZE - IMPORT_REASON_SIZE] = "";
        const size_t n_missing = missing_list(header, columns, missing, sizeof(missing));
        const size_t n_unknown = import_header_unknown(header, unknown, sizeof(unknown));

        if (!n_missing && (!strict || !n_unknown))
                return true;
        *reason = '\0';
        say_more(reason, IMPORT_FAULT_SIZE, "the header line has %zu column%s", header->width, plural(header->width));
        if (n_missing)
                say_more(reason, IMPORT_FAULT_SIZE, ", and lacks the column%s%s", plural(n_missing), missing);
        if (n_unknown)
                say_more(reason, IMPORT_FAULT_SIZE, "; %zu unknown column%s:%s", n_unknown, plural(n_unknown), unknown);
        if (n_missing)
                say_more(
                        reason, IMPORT_FAULT_SIZE, "; give a missing one by --map TARGET=COLUMN or --set TARGET=VALUE");
        else
                say_more(reason, IMPORT_FAULT_SIZE, "; without --strict the import passes over unknown columns");
        import_columns_list(columns, reason, IMPORT_FAULT_SIZE);
        return false;
}

bool import_header_is_repeated(const struct import_header *header, char **fields) {
        for (size_t i = 0; i < header->width; i++)
                if (!import_names_match(header->names[i], fields[i]))
                        return false;
        return true;
}

void import_header_clear(struct import_header *header) {
        free(header->text);
        header->text = NULL;
        header->width = 0;
}
