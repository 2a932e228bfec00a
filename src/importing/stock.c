/* Import of stock: one call of adjustments has many rows, and each row gets its outcome. */
#include "importing/amounts.h"
#include "importing/import.h"
#include "importing/keys.h"

#include "base/text.h"
#include "base/writer.h"

#include <inttypes.h>

#define CHUNK_ROWS     500 /* items of one call */
#define CHUNK_SIZE_MAX ((size_t) 16 * 1024 * 1024)
#define PATH           "/v1/inventory/adjustments/batch"
#define OVERRIDDEN     "/import/stock/overridden"

enum { STOCK_LOCATION, STOCK_SKU, STOCK_ON_HAND, STOCK_COUNTED_AT };

static const struct import_column columns[] = {
        [STOCK_LOCATION] = { "location", true },
        [STOCK_SKU] = { "sku", true },
        [STOCK_ON_HAND] = { "on_hand", true },
        [STOCK_COUNTED_AT] = { "counted_at", false },
};
const struct import_columns stock_columns = { columns, array_size(columns) };

struct figure {
        size_t line;
        const char *location, *sku;
        int64_t on_hand;
        timestamp counted_at; /* TIMESTAMP_NONE: a figure of now */
        const char *movement; /* that set it; NULL: none did */
};

struct chunk {
        struct import *import;
        struct import_seen seen;
        struct arena arena;
        struct figure figures[CHUNK_ROWS];
        size_t n;
};

/* ---- calls ---- */

static const char *body_of(struct chunk *chunk) {
        struct buffer buffer;
        struct writer json;

        buffer_init(&buffer, &chunk->arena, BODY_SIZE_MAX);
        writer_init(&json, &buffer);
        write_object_begin(&json);
        write_name(&json, "items");
        write_list_begin(&json);
        for (size_t i = 0; i < chunk->n; i++) {
                write_object_begin(&json);
                write_text_member(&json, "location", chunk->figures[i].location);
                write_text_member(&json, "sku", chunk->figures[i].sku);
                write_integer_member(&json, "on_hand", chunk->figures[i].on_hand);
                write_text_member(&json, "reason", "count");
                write_text_member(&json, "reference", "import");
                if (chunk->figures[i].counted_at != TIMESTAMP_NONE)
                        write_time_member(&json, "counted_at", chunk->figures[i].counted_at);
                write_object_end(&json);
        }
        write_list_end(&json);
        write_object_end(&json);
        return buffer.failed ? NULL : buffer_text(&buffer);
}

static void refuse_figure(struct chunk *chunk, const struct figure *figure, const json_t *problem, size_t index) {
        char text[IMPORT_PROBLEM_SIZE];

        import_problem_text(problem, "items", index, NULL, text, sizeof(text));
        import_unsee(&chunk->seen, figure->location, figure->sku);
        import_refuse(&chunk->import->report, figure->line, "%s (%s at %s: %" PRId64 ")", text, figure->sku,
                figure->location, figure->on_hand);
}

/* A count that leaves less than was promised is taken, and people have to hear of it. */
static void note_lost(struct chunk *chunk, const struct figure *figure, const json_t *result) {
        const json_int_t lost = json_integer_value(json_object_get(result, "stock_lost"));

        if (!lost)
                return;
        chunk->import->report.promises_lost += (size_t) lost;
        import_note(&chunk->import->report, figure->line,
                "the count takes %" JSON_INTEGER_FORMAT
                " promised units away from reservations and orders (%s at %s: %" PRId64 ")",
                lost, figure->sku, figure->location, figure->on_hand);
}

static const char *overridden_body(struct chunk *chunk, size_t *ret_n) {
        struct buffer buffer;
        struct writer json;

        buffer_init(&buffer, &chunk->arena, BODY_SIZE_MAX);
        writer_init(&json, &buffer);
        write_object_begin(&json);
        write_name(&json, "items");
        write_list_begin(&json);
        for (size_t i = 0; i < chunk->n; i++) {
                if (!chunk->figures[i].movement || chunk->figures[i].counted_at != TIMESTAMP_NONE)
                        continue;
                write_object_begin(&json);
                write_text_member(&json, "location", chunk->figures[i].location);
                write_text_member(&json, "sku", chunk->figures[i].sku);
                write_text_member(&json, "movement", chunk->figures[i].movement);
                write_object_end(&json);
                ++*ret_n;
        }
        write_list_end(&json);
        write_object_end(&json);
        return buffer.failed ? NULL : buffer_text(&buffer);
}

/* How many movements the figures have overridden that were not said to be of another time. */
static int count_overridden(struct chunk *chunk) {
        struct import_request request = { .method = "POST", .path = OVERRIDDEN };
        struct call call;
        size_t n = 0;
        int code;

        request.body = overridden_body(chunk, &n);
        if (!request.body)
                return EXIT_OUR_FAULT;
        if (!n)
                return EXIT_OK;
        importer_call(&chunk->import->importer, &call, &request);
        code = importer_run(&chunk->import->importer, &call, 1);
        if (!code) {
                _cleanup_(import_json_cleanup) json_t *reply = importer_reply(&call);

                chunk->import->report.overridden += (size_t) json_integer_value(json_object_get(reply, "overridden"));
        }
        call_clear(&call);
        return code;
}

static int report_results(struct chunk *chunk, const json_t *reply) {
        const json_t *results = json_object_get(reply, "results");
        int code;

        for (size_t i = 0; i < chunk->n; i++) {
                const json_t *result = json_array_get(results, i);
                const json_int_t status = json_integer_value(json_object_get(result, "status"));
                const char *id = json_string_value(json_object_get(result, "id"));

                if (status == 201)
                        chunk->import->report.taken++;
                else if (status == 200)
                        chunk->import->report.unchanged++;
                else
                        refuse_figure(chunk, &chunk->figures[i], json_object_get(result, "problem"), i);
                note_lost(chunk, &chunk->figures[i], result);
                chunk->figures[i].movement = id ? arena_text(&chunk->arena, id) : NULL;
        }
        code = count_overridden(chunk);
        chunk->n = 0;
        return code;
}

/* The whole call was refused: those to blame leave the chunk, or all of them when none is named. */
static void drop_blamed(struct chunk *chunk, const json_t *problem) {
        const json_t *errors = json_object_get(problem, "errors");
        bool blamed[CHUNK_ROWS] = { false };
        bool any = false;
        size_t kept = 0, index;

        for (size_t i = 0; i < json_array_size(errors); i++)
                if (import_blames(json_array_get(errors, i), "items", &index) && index < chunk->n)
                        any = blamed[index] = true;
        for (size_t i = 0; i < chunk->n; i++) {
                if (blamed[i] || !any)
                        refuse_figure(chunk, &chunk->figures[i], problem, i);
                else
                        chunk->figures[kept++] = chunk->figures[i];
        }
        chunk->n = kept;
}

static int chunk_try(struct chunk *chunk) {
        const struct import_request request = { .method = "POST", .path = PATH, .body = body_of(chunk) };
        struct call call;
        int code;

        if (!request.body)
                return EXIT_OUR_FAULT;
        importer_call(&chunk->import->importer, &call, &request);
        code = importer_run(&chunk->import->importer, &call, 1);
        if (!code) {
                _cleanup_(import_json_cleanup) json_t *reply = importer_reply(&call);

                if (call.reply.status == 207)
                        code = report_results(chunk, reply);
                else
                        drop_blamed(chunk, reply);
        }
        call_clear(&call);
        return code;
}

static int stock_chunk_run(struct chunk *chunk) {
        int code = EXIT_OK;

        while (chunk->n && !code)
                code = chunk_try(chunk);
        chunk->n = 0;
        arena_reset(&chunk->arena);
        return code;
}

/* ---- rows ---- */

/* The code of the row's location, by its code or its name. A code that no location has goes on to the call, which
 * refuses it. EXIT_OK, or an exit code after complaining. */
static int stock_location_find(
        struct chunk *chunk, const char *cell, const char **ret_code, char *reason, size_t size) {
        const char *fault;
        const int code = import_place_find(&chunk->import->places, &chunk->import->importer, cell, ret_code, &fault);

        if (code || *ret_code)
                return code;
        if (text_is_code(cell))
                *ret_code = cell;
        else
                (void) snprintf(reason, size, "location: \"%.64s\" %s", cell, fault);
        return EXIT_OK;
}

/* False with a reason that quotes the cell. */
static bool figure_read(
        const struct import *import, const struct import_row *row, int64_t *ret_on_hand, char *reason, size_t size) {
        const char *sku = row->cells[STOCK_SKU], *figure = row->cells[STOCK_ON_HAND];
        const char *fault = quantity_plain(figure, import->decimal, import->file.separator == ',', ret_on_hand);

        if (!text_is_code(sku))
                (void) snprintf(reason, size, "sku: \"%.64s\" is no code (" CODE_RULE "); " MAKE_CODE, sku, "sku");
        else if (fault)
                (void) snprintf(
                        reason, size, "on_hand: \"%.32s\" %s; wanted is a whole number from 0 on", figure, fault);
        else if (*ret_on_hand < 0 && !import->options->negative_as_zero)
                (void) snprintf(reason, size,
                        "on_hand: %.32s is below 0; the old figure stays (--negative zero takes it as 0)", figure);
        return !*reason;
}

/* The row's own time, else that of the whole file. */
static bool count_time_read(const struct import *import, const struct import_row *row, timestamp *ret_counted_at,
        char *reason, size_t size) {
        const char *cell = row->cells[STOCK_COUNTED_AT];

        *ret_counted_at = import->options->counted_at;
        if (!cell || !*cell || import_instant(cell, ret_counted_at))
                return true;
        (void) snprintf(
                reason, size, "counted_at: \"%.40s\" is no time with an offset, such as 2026-11-30T18:00:00Z", cell);
        return false;
}

/* As for documents: one row for each figure. */
static int stock_row_take(struct chunk *chunk, const struct import_row *row) {
        const char *location = NULL, *sku = row->cells[STOCK_SKU];
        struct figure *figure = &chunk->figures[chunk->n];
        struct import_report *report = &chunk->import->report;
        char reason[IMPORT_REASON_SIZE] = "";
        int64_t on_hand = 0;
        timestamp counted_at;
        size_t before = 0;
        const int found = stock_location_find(chunk, row->cells[STOCK_LOCATION], &location, reason, sizeof(reason));

        if (found)
                return found;
        if (*reason || !figure_read(chunk->import, row, &on_hand, reason, sizeof(reason)) ||
                !count_time_read(chunk->import, row, &counted_at, reason, sizeof(reason))) {
                import_refuse(report, row->line, "%s (%.64s at %.64s: %.32s)", reason, sku, row->cells[STOCK_LOCATION],
                        row->cells[STOCK_ON_HAND]);
                return EXIT_OK;
        }
        if (!import_seen(&chunk->seen, location, sku, row->line, &before))
                return import_too_long();
        if (before && chunk->n && before >= chunk->figures[0].line) {
                const int code = stock_chunk_run(chunk);

                return code ? code : stock_row_take(chunk, row);
        }
        if (before) {
                import_refuse(report, row->line, "line %zu counts %s at %s already (here: %.32s)", before, sku,
                        location, row->cells[STOCK_ON_HAND]);
                return EXIT_OK;
        }
        report->zeroed += on_hand < 0;
        *figure = (struct figure){ .line = row->line,
                .location = arena_text(&chunk->arena, location),
                .sku = arena_text(&chunk->arena, sku),
                .on_hand = on_hand < 0 ? 0 : on_hand,
                .counted_at = counted_at };
        chunk->n++;
        return figure->location && figure->sku ? EXIT_OK : EXIT_OUR_FAULT;
}

int import_stock(struct import *import) {
        _cleanup_free_ struct chunk *chunk = calloc(1, sizeof(*chunk));
        struct import_row row;
        bool more = true;
        int code = EXIT_OK;

        if (!chunk)
                return EXIT_OUR_FAULT;
        chunk->import = import;
        arena_init(&chunk->arena, CHUNK_SIZE_MAX);
        while (more && !code) {
                code = import_next(import, &row, &more);
                if (!code && more)
                        code = stock_row_take(chunk, &row);
                if (!code && (!more || chunk->n == CHUNK_ROWS))
                        code = stock_chunk_run(chunk);
        }
        arena_clear(&chunk->arena);
        import_seen_clear(&chunk->seen);
        import_places_clear(&import->places);
        return code;
}
