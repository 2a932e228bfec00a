#include "importing/returns.h"

#include "base/text.h"
#include "base/writer.h"
#include "orders/orders.h"

#include <inttypes.h>
#include <string.h>

#define CAPACITY_FIRST 256
#define ARENA_SIZE_MAX ((size_t) 64 * 1024 * 1024)
#define RETURNS_PATH   "/import/returns"
#define CHUNK_LINES    1000 /* from so many lines or returns on, a chunk is run before the next invoice */
#define CHUNK_RETURNS  128

bool comebacks_add(
        struct comebacks *comebacks, const struct import_index_entry *entry, const struct invoice_line *invoice) {
        struct comeback *last;

        if (comebacks->n == comebacks->capacity) {
                const size_t capacity = comebacks->capacity ? 2 * comebacks->capacity : CAPACITY_FIRST;
                struct comeback *at = realloc(comebacks->at, capacity * sizeof(*at));

                if (!at)
                        return false;
                comebacks->at = at;
                comebacks->capacity = capacity;
        }
        last = comebacks->n ? &comebacks->at[comebacks->n - 1] : NULL;
        comebacks->at[comebacks->n++] = (struct comeback){ entry->invoice, entry->offset, (size_t) entry->line,
                last && last->invoice == entry->invoice ? last->second : purchase_second(invoice->placed_at) };
        return true;
}

void comebacks_clear(struct comebacks *comebacks) {
        free(comebacks->at);
        *comebacks = (struct comebacks){ 0 };
}

/* In the order of time; lines of an invoice together, as they stand in the file. */
static int comeback_compare(const void *left, const void *right) {
        const struct comeback *a = left, *b = right;

        if (a->second != b->second)
                return a->second < b->second ? -1 : 1;
        if (a->invoice != b->invoice)
                return a->invoice < b->invoice ? -1 : 1;
        return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* ---- a chunk of invoices ---- */

struct returned_line {
        size_t line; /* of the file */
        const char *invoice, *sku, *customer, *placed_at;
        int64_t units, left; /* that come back; that match no purchase */
        bool taken;
        const char *reason; /* why some of it was refused */
};

/* Units of a line that come back from one line of an order. */
struct returned_part {
        struct returned_line *line;
        int64_t units, bought, price;
        char currency[4];
};

struct returned_order {
        const char *external_ref, *order, *placed_at;
        struct returned_part *parts;
        size_t n_parts, capacity;
};

struct chunk {
        struct import *import;
        struct sales *sales;
        struct arena arena;
        struct returned_line lines[CHUNK_LINES + ORDER_LINES_MAX];
        struct returned_order **returns;
        size_t n_lines, n_returns, capacity;
        size_t n_of_invoice; /* lines of the invoice that is being taken */
};

static const char *keep_return_cell(struct chunk *chunk, const char *cell) {
        return arena_text(&chunk->arena, cell ? cell : "");
}

/* The return of this invoice for this order. NULL without memory. */
static struct returned_order *return_of(struct chunk *chunk, const struct returned_line *line, const char *order) {
        struct returned_order **returns, *made;

        for (size_t i = chunk->n_returns; i > 0; i--)
                if (text_equal(chunk->returns[i - 1]->external_ref, line->invoice) &&
                        text_equal(chunk->returns[i - 1]->order, order))
                        return chunk->returns[i - 1];
        returns = arena_grow(&chunk->arena, chunk->returns, chunk->n_returns, &chunk->capacity, sizeof(*returns));
        made = arena_new(&chunk->arena, struct returned_order);
        if (!returns || !made)
                return NULL;
        *made = (struct returned_order){ line->invoice, keep_return_cell(chunk, order), line->placed_at, NULL, 0, 0 };
        chunk->returns = returns;
        returns[chunk->n_returns++] = made;
        return made->order ? made : NULL;
}

static int part_add(struct chunk *chunk, struct returned_line *line, const struct purchase_part *part) {
        struct returned_order *of;
        struct returned_part *parts;
        struct import_row row;
        int code = import_read_again(chunk->import, part->purchase->offset, /* line= */ 0, &row);

        if (code)
                return code;
        of = return_of(chunk, line, row.cells[INVOICE_NUMBER]);
        parts = of ? arena_grow(&chunk->arena, of->parts, of->n_parts, &of->capacity, sizeof(*parts)) : NULL;
        if (!parts)
                return EXIT_OUR_FAULT;
        of->parts = parts;
        parts[of->n_parts] =
                (struct returned_part){ line, part->units, part->purchase->bought, part->purchase->price, "" };
        memcpy(parts[of->n_parts++].currency, part->purchase->currency, sizeof(part->purchase->currency));
        return EXIT_OK;
}

static int line_match(struct chunk *chunk, struct returned_line *line, const struct invoice_line *invoice) {
        struct purchase_part parts[PURCHASE_PARTS_MAX];
        size_t n = 0;
        int code = EXIT_OK;

        const struct purchase_return wanted = { .customer = line->customer,
                .sku = line->sku,
                .currency = invoice->currency,
                .second = purchase_second(line->placed_at),
                .price = invoice->price,
                .units = line->units };

        line->left = line->units;
        if (*line->customer)
                n = purchases_take(&chunk->sales->purchases, &wanted, parts, &line->left);
        for (size_t i = 0; i < n && !code; i++)
                code = part_add(chunk, line, &parts[i]);
        return code;
}

/* All lines of an invoice have the time of the first one. */
static int take_comeback(struct chunk *chunk, const struct comeback *comeback, const struct comeback *before) {
        struct import *import = chunk->import;
        const bool first = !before || before->invoice != comeback->invoice;
        struct returned_line *line = &chunk->lines[chunk->n_lines];
        /* It was goods that come back when it was read before. */
        const struct invoice_terms terms = { .currency = import->options->currency,
                .dates = chunk->sales->dates,
                .is_product = true,
                .has_returns = true };
        struct invoice_line invoice;
        struct import_row row;
        char reason[IMPORT_REASON_SIZE];
        int code = import_read_again(import, comeback->offset, comeback->line, &row);

        if (code)
                return code;
        chunk->n_of_invoice = first ? 1 : chunk->n_of_invoice + 1;
        if (chunk->n_of_invoice > ORDER_LINES_MAX) {
                import->report.returns++;
                import_refuse(&import->report, comeback->line, "a return has %d lines at most (%.64s: %.64s)",
                        ORDER_LINES_MAX, row.cells[INVOICE_NUMBER], row.cells[INVOICE_SKU]);
                return EXIT_OK;
        }
        (void) invoice_line_read(&row, &terms, &invoice, reason);
        *line = (struct returned_line){ .line = comeback->line,
                .invoice = keep_return_cell(chunk, row.cells[INVOICE_NUMBER]),
                .sku = keep_return_cell(chunk, row.cells[INVOICE_SKU]),
                .customer = keep_return_cell(chunk, row.cells[INVOICE_CUSTOMER]),
                .placed_at = first ? keep_return_cell(chunk, invoice.placed_at) : line[-1].placed_at,
                .units = invoice.quantity };
        if (!line->invoice || !line->sku || !line->customer || !line->placed_at)
                return EXIT_OUR_FAULT;
        chunk->n_lines++;
        return line_match(chunk, line, &invoice);
}

/* ---- calls ---- */

static void write_part(struct writer *json, const struct returned_part *part) {
        struct money price = { .amount = part->price };

        memcpy(price.currency, part->currency, sizeof(price.currency));
        write_object_begin(json);
        write_text_member(json, "sku", part->line->sku);
        write_integer_member(json, "quantity", part->units);
        write_integer_member(json, "bought", part->bought);
        write_money_member(json, "unit_price", price);
        write_object_end(json);
}

static const char *return_body(struct chunk *chunk, const struct returned_order *made) {
        const struct import_options *options = chunk->import->options;
        struct buffer buffer;
        struct writer json;

        buffer_init(&buffer, &chunk->arena, BODY_SIZE_MAX);
        writer_init(&json, &buffer);
        write_object_begin(&json);
        write_text_member(&json, "channel", options->channel);
        write_text_member(&json, "external_ref", made->external_ref);
        write_text_member(&json, "order", made->order);
        write_text_member(&json, "location", options->location);
        write_text_member(&json, "received_at", made->placed_at);
        write_name(&json, "lines");
        write_list_begin(&json);
        for (size_t i = 0; i < made->n_parts; i++)
                write_part(&json, &made->parts[i]);
        write_list_end(&json);
        write_object_end(&json);
        return buffer.failed ? NULL : buffer_text(&buffer);
}

static void refuse_part(struct chunk *chunk, const struct returned_part *part, const char *reason) {
        const char *copy = arena_text(&chunk->arena, reason);

        part->line->reason = copy ? copy : "";
}

/* Parts that are to blame are refused, else all of them. */
static void refuse_return(struct chunk *chunk, const struct returned_order *made, const json_t *problem) {
        const json_t *errors = json_object_get(problem, "errors");
        char text[IMPORT_PROBLEM_SIZE];

        for (size_t i = 0; i < made->n_parts; i++) {
                bool blamed = !json_array_size(errors);
                size_t place;

                for (size_t j = 0; j < json_array_size(errors); j++)
                        blamed = blamed || !import_blames(json_array_get(errors, j), "lines", &place) || place == i;
                import_problem_text(problem, "lines", i, &order_sources, text, sizeof(text));
                refuse_part(chunk, &made->parts[i], blamed ? text : "its return was refused for another line");
        }
}

/* A return that was made before with another date or location. */
static void refuse_otherwise(struct chunk *chunk, const struct returned_order *made, const json_t *names) {
        char text[IMPORT_PROBLEM_SIZE] = "the return is there already, otherwise: ";
        size_t used = strlen(text);

        for (size_t i = 0; i < json_array_size(names); i++) {
                (void) snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "",
                        import_source_of(&order_sources, json_string_value(json_array_get(names, i))));
                used = strlen(text);
        }
        for (size_t i = 0; i < made->n_parts; i++)
                refuse_part(chunk, &made->parts[i], text);
}

static void take_answer(struct chunk *chunk, const struct returned_order *made, const struct call *call) {
        _cleanup_(import_json_cleanup) json_t *reply = importer_reply(call);
        const json_t *missing = json_object_get(reply, "missing");
        const json_t *different = json_object_get(reply, "otherwise");

        if (call->reply.status == 201) {
                chunk->import->report.returns_made++;
                for (size_t i = 0; i < made->n_parts; i++)
                        made->parts[i].line->taken = true;
        } else if (call->reply.status != 200) {
                refuse_return(chunk, made, reply);
        }
        if (json_array_size(different))
                refuse_otherwise(chunk, made, different);
        for (size_t i = 0; call->reply.status == 200 && i < json_array_size(missing); i++) {
                const size_t place = (size_t) json_integer_value(json_array_get(missing, i));

                if (place < made->n_parts)
                        refuse_part(chunk, &made->parts[place],
                                "the return is there already, otherwise: without this line");
        }
}

static int call_each(struct chunk *chunk, struct call *calls, size_t *n_calls) {
        int code;

        for (; *n_calls < chunk->n_returns; ++*n_calls) {
                const struct import_request request = {
                        .method = "POST", .path = RETURNS_PATH, .body = return_body(chunk, chunk->returns[*n_calls])
                };

                if (!request.body)
                        return EXIT_OUR_FAULT;
                importer_call(&chunk->import->importer, &calls[*n_calls], &request);
        }
        code = importer_run(&chunk->import->importer, calls, *n_calls);
        for (size_t i = 0; i < *n_calls && !code; i++)
                take_answer(chunk, chunk->returns[i], &calls[i]);
        return code;
}

static int call_all(struct chunk *chunk) {
        _cleanup_free_ struct call *calls = calloc(chunk->n_returns + 1, sizeof(*calls));
        size_t n_calls = 0;
        const int code = calls ? call_each(chunk, calls, &n_calls) : EXIT_OUR_FAULT;

        for (size_t i = 0; i < n_calls; i++)
                call_clear(&calls[i]);
        return code;
}

/* ---- outcomes ---- */

static void tell_unmatched(struct import_report *report, const struct returned_line *line) {
        report->unmatched++;
        if (*line->customer)
                import_note(report, line->line,
                        "%s: customer %s has bought no %s before, or has returned them all (%" PRId64 " units)",
                        line->invoice, line->customer, line->sku, line->units);
        else
                import_note(report, line->line, "%s: without a customer no purchase can be matched (%" PRId64 " of %s)",
                        line->invoice, line->units, line->sku);
}

static void report_returned_line(struct import_report *report, const struct returned_line *line) {
        if (line->left == line->units) {
                tell_unmatched(report, line);
                return;
        }
        if (line->reason) {
                report->returns++;
                import_refuse(report, line->line, "%s: %s (%" PRId64 " of %s)", line->invoice, line->reason,
                        line->units, line->sku);
                return;
        }
        report->taken += line->taken;
        report->unchanged += !line->taken;
        if (!line->left)
                return;
        report->partly_matched++;
        import_note(report, line->line, "%s: of %" PRId64 " units that come back %" PRId64 " match no purchase (%s)",
                line->invoice, line->units, line->left, line->sku);
}

static int return_chunk_run(struct chunk *chunk) {
        const int code = call_all(chunk);

        for (size_t i = 0; i < chunk->n_lines && !code; i++)
                report_returned_line(&chunk->import->report, &chunk->lines[i]);
        chunk->returns = NULL;
        chunk->n_lines = chunk->n_returns = chunk->capacity = 0;
        arena_reset(&chunk->arena);
        return code;
}

int comebacks_run(struct comebacks *comebacks, struct sales *sales) {
        _cleanup_free_ struct chunk *chunk = calloc(1, sizeof(*chunk));
        int code = EXIT_OK;

        if (!chunk)
                return EXIT_OUR_FAULT;
        chunk->import = sales->import;
        chunk->sales = sales;
        arena_init(&chunk->arena, ARENA_SIZE_MAX);
        if (comebacks->n)
                qsort(comebacks->at, comebacks->n, sizeof(*comebacks->at), comeback_compare);
        for (size_t i = 0; i < comebacks->n && !code; i++) {
                const struct comeback *before = i ? &comebacks->at[i - 1] : NULL;

                if (before && before->invoice != comebacks->at[i].invoice &&
                        (chunk->n_lines >= CHUNK_LINES || chunk->n_returns >= CHUNK_RETURNS))
                        code = return_chunk_run(chunk);
                if (!code)
                        code = take_comeback(chunk, &comebacks->at[i], before);
        }
        if (!code)
                code = return_chunk_run(chunk);
        arena_clear(&chunk->arena);
        return code;
}
