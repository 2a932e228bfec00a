#include "exporting/export.h"

#include "base/money.h"
#include "base/writer.h"
#include "exporting/guard.h"
#include "sql/exporting.h"

#include <stdio.h>
#include <string.h>

#define SETTINGS_SIZE_MAX ((size_t) 64 * 1024)
#define SETTINGS_WAIT     (10 * SECOND)
#define FACTOR_SIZE       8

bool export_format_named(const char *name, enum copy_format *ret_format) {
        static const char *const names[] = { [COPY_CSV] = "csv", [COPY_JSONL] = "jsonl" };

        for (size_t i = 0; i < array_size(names); i++)
                if (text_equal(names[i], name)) {
                        *ret_format = (enum copy_format) i;
                        return true;
                }
        return false;
}

const char *export_options_fault(const struct export_options *options) {
        const unsigned takes = options->kind->takes;

        if (!(takes & EXPORT_TIME) && (options->since != TIMESTAMP_NONE || options->until != TIMESTAMP_NONE))
                return "this kind has no time, so it takes neither since nor until";
        if (options->since != TIMESTAMP_NONE && options->until != TIMESTAMP_NONE && options->until <= options->since)
                return "until must be later than since";
        if (!(takes & EXPORT_LOCATION) && options->n_locations)
                return "rows of this kind belong to no location, so it takes none";
        if (!(takes & EXPORT_CHANNEL) && options->channel)
                return "rows of this kind belong to no channel, so it takes none";
        if (options->for_spreadsheets && options->format != COPY_CSV)
                return "only CSV can be written for spreadsheets";
        return NULL;
}

/* ---- settings ---- */

/* {"JPY":1,"KWD":0.001}: the currencies that have no hundredths. */
static const char *factors_text(struct arena *arena) {
        static const char *const factors[] = { "1", "0.1", NULL, "0.001" };
        struct buffer buffer;
        struct writer json;

        buffer_init(&buffer, arena, SETTINGS_SIZE_MAX);
        writer_init(&json, &buffer);
        write_object_begin(&json);
        for (size_t i = 0; i < array_size(factors); i++) {
                size_t n = 0;
                const char(*codes)[4] = currencies_with_exponent((int) i, &n);

                for (size_t j = 0; factors[i] && j < n; j++) {
                        write_name(&json, codes[j]);
                        write_raw(&json, factors[i]);
                }
        }
        write_object_end(&json);
        return buffer.failed ? NULL : buffer_text(&buffer);
}

static enum problem begun_read(struct rows *rows, void *into) {
        struct export_outcome *outcome = into;
        struct row row = row_at(rows, 0);
        const char *location, *channel;

        outcome->as_of = row_time(&row);
        location = row_text(&row);
        channel = row_text(&row);
        (void) snprintf(outcome->unknown_location, sizeof(outcome->unknown_location), "%s", location ? location : "");
        (void) snprintf(outcome->unknown_channel, sizeof(outcome->unknown_channel), "%s", channel ? channel : "");
        return PROBLEM_NONE;
}

static enum problem export_begin(
        struct database *database, const struct export_options *options, struct export_outcome *outcome) {
        struct parameters parameters;
        struct arena arena;
        enum problem p;

        arena_init(&arena, SETTINGS_SIZE_MAX);
        parameters_init(&parameters, &arena);
        parameter_time(&parameters, options->since);
        parameter_time(&parameters, options->until);
        parameter_text_filter(&parameters, options->locations, options->n_locations, !options->all_locations);
        parameter_text(&parameters, options->channel);
        parameter_text(&parameters, factors_text(&arena));
        database_begin_snapshot(database);
        database_ask(database, &sql_export_begin, &parameters, begun_read, outcome);
        p = database_trip(database, clock_monotonic() + SETTINGS_WAIT);
        arena_clear(&arena);
        return p;
}

/* ---- rows ---- */

struct passing {
        const struct copy_reader *reader;
        bool guarded;
        char *row; /* room for a guarded one */
        size_t capacity;
        uint64_t n;
};

static bool passing_reserve(struct passing *passing, size_t size) {
        char *row;

        if (size <= passing->capacity)
                return true;
        row = realloc(passing->row, size);
        if (!row)
                return false;
        passing->row = row;
        passing->capacity = size;
        return true;
}

static bool passing_take(const char *row, size_t size, void *into) {
        struct passing *passing = into;

        passing->n++;
        if (!passing->guarded)
                return passing->reader->accept(row, size, passing->reader->into);
        return passing_reserve(passing, guard_size_max(size)) &&
               passing->reader->accept(passing->row, guard_row(row, size, passing->row), passing->reader->into);
}

static bool passing_ends(void *into) {
        const struct passing *passing = into;

        return passing->reader->ends(passing->reader->into);
}

enum problem export_run(struct database *database, const struct export_options *options,
        const struct copy_reader *reader, struct export_outcome *ret_outcome) {
        struct passing passing = { .reader = reader, .guarded = options->for_spreadsheets };
        const struct copy_reader counted = { passing_take, passing_ends, &passing };
        const uint64_t headers = options->format == COPY_CSV;
        enum problem p;

        *ret_outcome = (struct export_outcome){ .as_of = TIMESTAMP_NONE };
        p = export_begin(database, options, ret_outcome);
        if (p || *ret_outcome->unknown_location || *ret_outcome->unknown_channel)
                return p;
        p = database_copy(database, options->kind->statement, options->format, &counted, &ret_outcome->whole);
        ret_outcome->rows = passing.n > headers ? passing.n - headers : 0;
        free(passing.row);
        if (p || !ret_outcome->whole)
                return p;
        database_commit(database);
        return database_trip(database, clock_monotonic() + SETTINGS_WAIT);
}
