#include "importing/rejects.h"

#include <errno.h>
#include <string.h>

#define CAPACITY_FIRST 256

bool import_rejects_open(struct import_rejects *rejects, const char *path, char *reason) {
        *rejects = (struct import_rejects){ .reasons = tmpfile(), .out = fopen(path, "we") };
        if (rejects->reasons && rejects->out)
                return true;
        (void) snprintf(
                reason, IMPORT_REASON_SIZE, "--rejects %.200s: it cannot be written: %s", path, strerror(errno));
        return false;
}

void import_rejects_close(struct import_rejects *rejects) {
        if (rejects->reasons)
                (void) fclose(rejects->reasons);
        if (rejects->out)
                (void) fclose(rejects->out);
        free(rejects->at);
        *rejects = (struct import_rejects){ 0 };
}

void import_rejects_add(struct import_rejects *rejects, size_t line, const char *reason) {
        const long offset = ftell(rejects->reasons);

        if (rejects->n == rejects->capacity) {
                const size_t capacity = rejects->capacity ? 2 * rejects->capacity : CAPACITY_FIRST;
                struct import_reject *at = realloc(rejects->at, capacity * sizeof(*at));

                rejects->failed = rejects->failed || !at;
                if (!at)
                        return;
                rejects->at = at;
                rejects->capacity = capacity;
        }
        rejects->failed = rejects->failed || offset < 0 || fputs(reason, rejects->reasons) < 0 ||
                          fputc('\0', rejects->reasons) == EOF;
        rejects->at[rejects->n++] = (struct import_reject){ line, (uint64_t) offset };
}

/* ---- writing ---- */

static int compare_rejects(const void *left, const void *right) {
        const struct import_reject *a = left, *b = right;

        if (a->line != b->line)
                return a->line < b->line ? -1 : 1;
        return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void write_quoted(FILE *out, const char *text, size_t size) {
        (void) fputc('"', out);
        for (size_t i = 0; i < size && text[i]; i++) {
                if (text[i] == '"')
                        (void) fputc('"', out);
                (void) fputc(text[i], out);
        }
        (void) fputc('"', out);
}

static void write_rejects_header(FILE *out, const struct import_file *file) {
        for (size_t i = 0; i < file->header.width; i++) {
                const char *name = file->header.names[i];

                if (i)
                        (void) fputc(file->separator, out);
                if (strpbrk(name, "\"\r\n") || strchr(name, file->separator))
                        write_quoted(out, name, SIZE_MAX);
                else
                        (void) fputs(name, out);
        }
        (void) fprintf(out, "%c%s%c%s\n", file->separator, REJECTED_LINE, file->separator, REJECTED_REASON);
}

/* All reasons of one line. */
static bool write_reasons(struct import_rejects *rejects, size_t first, size_t n) {
        char text[IMPORT_FAULT_SIZE];
        size_t used = 0;

        for (size_t i = first; i < first + n; i++) {
                if (fseek(rejects->reasons, (long) rejects->at[i].offset, SEEK_SET) < 0)
                        return false;
                if (used && used + 2 < sizeof(text)) {
                        text[used++] = ';';
                        text[used++] = ' ';
                }
                for (int c = fgetc(rejects->reasons); c > 0 && used + 1 < sizeof(text); c = fgetc(rejects->reasons))
                        text[used++] = (char) c;
        }
        write_quoted(rejects->out, text, used);
        return !ferror(rejects->reasons);
}

static size_t same_line(const struct import_rejects *rejects, size_t first) {
        size_t n = 1;

        while (first + n < rejects->n && rejects->at[first + n].line == rejects->at[first].line)
                n++;
        return n;
}

/* The second pass: the row of each refused line, in the order of the file. */
static bool write_rows(struct import_rejects *rejects, struct import_file *file) {
        struct import_raw raw;
        size_t next = 0;

        while (next < rejects->n && import_file_raw_next(file, &raw)) {
                size_t n;

                if (raw.line != rejects->at[next].line)
                        continue;
                n = same_line(rejects, next);
                (void) fwrite(raw.text, 1, raw.size, rejects->out);
                (void) fprintf(rejects->out, "%c%zu%c", file->separator, raw.line, file->separator);
                if (!write_reasons(rejects, next, n))
                        return false;
                (void) fputc('\n', rejects->out);
                next += n;
        }
        return next == rejects->n;
}

bool import_rejects_write(struct import_rejects *rejects, const struct import_file *imported, char *reason) {
        struct import_reading reading = imported->reading;
        struct import_file file = { .descriptor = -1 };
        bool written;

        (void) snprintf(reason, IMPORT_REASON_SIZE, "the file of rejects could not be written in full");
        if (rejects->n)
                qsort(rejects->at, rejects->n, sizeof(*rejects->at), compare_rejects);
        written = import_file_open(&file, imported->path, &imported->columns, &reading);
        if (written && file.encoding != ENCODING_UTF8)
                (void) fputs("\xef\xbb\xbf", rejects->out);
        if (written) {
                write_rejects_header(rejects->out, &file);
                written = write_rows(rejects, &file);
        }
        import_file_close(&file);
        return written && !rejects->failed && fflush(rejects->out) == 0 && !ferror(rejects->out);
}
