#include "importing/import.h"

#include "base/stop.h"
#include "importing/keys.h"

/* A file that was cut may have lost a digit with its end. */
static void note_open_end(struct import *import, size_t line) {
        if (import->file.open_end)
                import_note(&import->report, line,
                        "the last line has no line end: if the file was cut, this line may be cut too");
}

int import_next(struct import *import, struct import_row *ret_row, bool *ret_more) {
        while (!stop_asked()) {
                const enum import_read read = import_file_next(&import->file, ret_row);

                import_progress(&import->report, import->file.offset, import->file.size);
                if (read == IMPORT_BROKEN) {
                        if (stop_asked())
                                return stop_code();
                        import_complain("%s: %s", import->file.path, import->file.reason);
                        return EXIT_FAILED;
                }
                if (read == IMPORT_PASSED) {
                        import->report.passed++;
                        continue;
                }
                *ret_more = read != IMPORT_END;
                if (!*ret_more)
                        return EXIT_OK;
                import->report.read++;
                note_open_end(import, ret_row->line);
                if (read == IMPORT_ROW)
                        return EXIT_OK;
                import_refuse(&import->report, ret_row->line, "%s", import->file.reason);
        }
        return stop_code();
}

int import_read_again(struct import *import, uint64_t offset, size_t line, struct import_row *ret_row) {
        if (stop_asked())
                return stop_code();
        if (import_file_seek(&import->file, offset, line) && import_file_next(&import->file, ret_row) == IMPORT_ROW)
                return EXIT_OK;
        import_complain(
                "%s: line %zu cannot be read again; the file must be a regular one that does not change meanwhile",
                import->file.path, line);
        return EXIT_FAILED;
}

int import_too_long(void) {
        import_complain("the file has more rows than one import takes (%zu); split it", IMPORT_KEYS_MAX);
        return EXIT_FAILED;
}

void import_refuse_currency(
        struct import *import, const struct import_row *row, const char *column, const char *subject) {
        if (!import->report.no_currency++)
                import_refuse(&import->report, row->line,
                        "%s: the price has no currency; " CURRENCY_WAYS
                        " (%s); further lines like this are only counted",
                        column, subject ? subject : "");
        else
                import_refuse_silently(&import->report, row->line, "the price has no currency; " CURRENCY_WAYS);
}
