/* Stock: many rows, one call of adjustments, each with an outcome of its own. */
#include "commands/import.h"
#include "commands/import_seen.h"

#include "base/text.h"
#include "base/writer.h"

#define CHUNK_ROWS     500 /* items of one call */
#define CHUNK_SIZE_MAX ((size_t) 16 * 1024 * 1024)
#define PATH           "/v1/inventory/adjustments/batch"

enum { STOCK_LOCATION, STOCK_SKU, STOCK_ON_HAND };

static const struct import_column columns[] = {
        [STOCK_LOCATION] = { "location", true },
        [STOCK_SKU] = { "sku", true },
        [STOCK_ON_HAND] = { "on_hand", true },
};
const struct import_columns stock_columns = { columns, array_size(columns) };

struct figure {
        size_t line;
        const char *location, *sku;
        int64_t on_hand;
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
                write_object_end(&json);
        }
        write_list_end(&json);
        write_object_end(&json);
        return buffer.failed ? NULL : buffer_text(&buffer);
}

static void refuse_figure(struct chunk *chunk, const struct figure *figure, const json_t *problem, size_t index) {
        char text[IMPORT_PROBLEM_SIZE];

        import_problem_text(problem, "items", index, text, sizeof(text));
        import_unsee(&chunk->seen, figure->location, figure->sku);
        import_refuse(&chunk->import->report, figure->line, "%s", text);
}

static void report_results(struct chunk *chunk, const json_t *reply) {
        const json_t *results = json_object_get(reply, "results");

        for (size_t i = 0; i < chunk->n; i++) {
                const json_t *result = json_array_get(results, i);
                const json_int_t status = json_integer_value(json_object_get(result, "status"));

                if (status == 201)
                        chunk->import->report.taken++;
                else if (status == 200)
                        chunk->import->report.unchanged++;
                else
                        refuse_figure(chunk, &chunk->figures[i], json_object_get(result, "problem"), i);
        }
        chunk->n = 0;
}

/* The whole call was refused: those to blame leave the chunk, or all of them when nobody is named. */
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
                        report_results(chunk, reply);
                else
                        drop_blamed(chunk, reply);
        }
        call_clear(&call);
        return code;
}

static int chunk_run(struct chunk *chunk) {
        int code = EXIT_OK;

        while (chunk->n && !code)
                code = chunk_try(chunk);
        chunk->n = 0;
        arena_reset(&chunk->arena);
        return code;
}

/* ---- rows ---- */

static const char *find_fault(const struct import_row *row, int64_t *ret_on_hand) {
        if (!text_is_code(row->cells[STOCK_LOCATION]))
                return "location: that is no code";
        if (!text_is_code(row->cells[STOCK_SKU]))
                return "sku: that is no code";
        if (!text_to_integer(row->cells[STOCK_ON_HAND], 0, INT64_MAX, ret_on_hand))
                return "on_hand: that is no whole number from 0 on";
        return NULL;
}

/* As for documents: one row for each figure. */
static int take_row(struct chunk *chunk, const struct import_row *row) {
        const char *location = row->cells[STOCK_LOCATION], *sku = row->cells[STOCK_SKU];
        struct figure *figure = &chunk->figures[chunk->n];
        int64_t on_hand = 0;
        const char *fault = find_fault(row, &on_hand);
        size_t before = 0;

        if (fault) {
                import_refuse(&chunk->import->report, row->line, "%s", fault);
                return EXIT_OK;
        }
        if (!import_seen(&chunk->seen, location, sku, row->line, &before))
                return import_too_long();
        if (before && chunk->n && before >= chunk->figures[0].line) {
                const int code = chunk_run(chunk);

                return code ? code : take_row(chunk, row);
        }
        if (before) {
                import_refuse(
                        &chunk->import->report, row->line, "line %zu counts %s at %s already", before, sku, location);
                return EXIT_OK;
        }
        *figure = (struct figure){ .line = row->line,
                .location = arena_text(&chunk->arena, location),
                .sku = arena_text(&chunk->arena, sku),
                .on_hand = on_hand };
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
                        code = take_row(chunk, &row);
                if (!code && (!more || chunk->n == CHUNK_ROWS))
                        code = chunk_run(chunk);
        }
        arena_clear(&chunk->arena);
        import_seen_clear(&chunk->seen);
        return code;
}
