/* Orders: the lines of an invoice, wherever they stand in the file, become one order. */
#include "importing/import.h"
#include "importing/index.h"
#include "importing/invoice_chunk.h"
#include "importing/returns.h"

#include "base/text.h"

#include <string.h>
#include <unistd.h>

#define PATH_SIZE 128

/* ---- before the first line ---- */

static bool has_text(const json_t *list, const char *text) {
        for (size_t i = 0; i < json_array_size(list); i++)
                if (text_equal(json_string_value(json_array_get(list, i)), text))
                        return true;
        return false;
}

static int check_order_parents(struct import *import) {
        const struct import_options *options = import->options;
        _cleanup_(import_json_cleanup) json_t *channel = NULL, *location = NULL;
        char path[PATH_SIZE];
        int code;

        (void) snprintf(path, sizeof(path), "/v1/channels/%s", options->channel);
        code = importer_ask(&import->importer, path, "--channel", &channel);
        if (code)
                return code;
        (void) snprintf(path, sizeof(path), "/v1/locations/%s", options->location);
        code = importer_ask(&import->importer, path, "--location", &location);
        if (code)
                return code;
        if (!options->open || has_text(json_object_get(location, "capabilities"), "pickup"))
                return EXIT_OK;
        import_complain("--location: open orders are picked up, which %s does not offer", options->location);
        return EXIT_FAILED;
}

/* ---- lines ---- */

/* The second pass: invoices become orders as they come; goods that come back wait until all orders are made. */
struct passing {
        struct sales *sales;
        struct comebacks comebacks;
};

static void refuse_kind(
        struct import_report *report, enum invoice_kind kind, const struct import_row *row, const char *reason) {
        report->returns += kind == INVOICE_RETURN;
        report->write_offs += kind == INVOICE_WRITE_OFF;
        report->not_goods += kind == INVOICE_NOT_GOODS;
        import_refuse(report, row->line, "%s (%.64s: %.32s of %.64s)", reason, row->cells[INVOICE_NUMBER],
                row->cells[INVOICE_QUANTITY], row->cells[INVOICE_SKU]);
}

static const char *keep_sale_cell(struct sales *sales, const char *cell, bool *complete) {
        const char *copy = arena_text(&sales->arena, cell ? cell : "");

        *complete = *complete && copy;
        return copy;
}

/* A sale takes its members from its first line of goods. */
static bool sale_begin(struct sales *sales, const struct import_row *row, const struct invoice_line *invoice) {
        struct sale *sale = &sales->sales[sales->n_sales++];
        bool complete = true;

        *sale = (struct sale){ .external_ref = keep_sale_cell(sales, row->cells[INVOICE_NUMBER], &complete),
                .placed_at = keep_sale_cell(sales, invoice->placed_at, &complete),
                .customer = keep_sale_cell(sales, row->cells[INVOICE_CUSTOMER], &complete),
                .country = keep_sale_cell(sales, row->cells[INVOICE_COUNTRY], &complete),
                .lines = &sales->lines[sales->n_lines],
                .pending = true };
        memcpy(sale->currency, invoice->currency, sizeof(sale->currency));
        return complete;
}

static bool sale_line_add(struct sales *sales, const struct import_row *row, const struct invoice_line *invoice) {
        struct sale *sale = &sales->sales[sales->n_sales - 1];
        bool complete = true;
        struct sale_line *line = &sale->lines[sale->n_lines++];

        *line = (struct sale_line){ .line = row->line,
                .offset = row->offset,
                .sku = keep_sale_cell(sales, row->cells[INVOICE_SKU], &complete),
                .title = keep_sale_cell(sales, row->cells[INVOICE_TITLE], &complete),
                .quantity = invoice->quantity,
                .price = invoice->price };
        memcpy(line->currency, invoice->currency, sizeof(line->currency));
        sales->n_lines++;
        return complete;
}

/* Open orders have not left their location, so none of their units comes back. */
static int take_return(struct import *import, struct comebacks *comebacks, const struct import_row *row,
        const struct import_index_entry *entry, const struct invoice_line *invoice) {
        if (!import->options->open)
                return comebacks_add(comebacks, entry, invoice) ? EXIT_OK : EXIT_OUR_FAULT;
        refuse_kind(
                &import->report, INVOICE_RETURN, row, "Quantity: it is a return, and open orders have not left yet");
        return EXIT_OK;
}

/* Read a line; a code that means postage or a fee in other shops is goods when the catalogue has it. */
static int row_read(struct sales *sales, const struct import_row *row, const struct import_index_entry *entry,
        struct invoice_line *ret_line, char *reason, enum invoice_kind *ret_kind) {
        struct import *import = sales->import;
        struct invoice_terms terms = { .currency = import->options->currency,
                .dates = sales->dates,
                .decimal = import->decimal,
                .loose_thousands = import->file.separator == ',',
                .has_returns = entry->has_returns };
        int code = EXIT_OK;

        *ret_kind = invoice_line_read(row, &terms, ret_line, reason);
        if (*ret_kind == INVOICE_NOT_GOODS)
                code = import_catalog_has(
                        &sales->catalog, &import->importer, row->cells[INVOICE_SKU], &terms.is_product);
        if (!code && terms.is_product)
                *ret_kind = invoice_line_read(row, &terms, ret_line, reason);
        return code;
}

/* `begun` tells whether the invoice has a sale already. */
static int invoice_row_take(
        struct passing *passing, const struct import_row *row, const struct import_index_entry *entry, bool *begun) {
        struct sales *sales = passing->sales;
        struct import *import = sales->import;
        struct invoice_line invoice;
        char reason[IMPORT_REASON_SIZE];
        enum invoice_kind kind;
        const int code = row_read(sales, row, entry, &invoice, reason, &kind);

        if (code)
                return code;
        if (kind == INVOICE_NO_CURRENCY) {
                import_refuse_currency(import, row, "UnitPrice",
                        arena_format(&sales->arena, "%.64s: %.32s of %.64s", row->cells[INVOICE_NUMBER],
                                row->cells[INVOICE_QUANTITY], row->cells[INVOICE_SKU]));
                return EXIT_OK;
        }
        if (kind == INVOICE_RETURN)
                return take_return(import, &passing->comebacks, row, entry, &invoice);
        if (kind != INVOICE_GOODS) {
                refuse_kind(&import->report, kind, row, reason);
                return EXIT_OK;
        }
        if (*begun && sales->sales[sales->n_sales - 1].n_lines == ORDER_LINES_MAX) {
                import_refuse(&import->report, row->line, "an order has %d lines at most (%.64s: %.32s of %.64s)",
                        ORDER_LINES_MAX, row->cells[INVOICE_NUMBER], row->cells[INVOICE_QUANTITY],
                        row->cells[INVOICE_SKU]);
                return EXIT_OK;
        }
        import->report.prices_rounded += invoice.rounded;
        if (!*begun && !sale_begin(sales, row, &invoice))
                return EXIT_OUR_FAULT;
        *begun = true;
        return sale_line_add(sales, row, &invoice) ? EXIT_OK : EXIT_OUR_FAULT;
}

static int take_entry(struct passing *passing, const struct import_index_entry *entry, bool *begun) {
        struct import_row row;
        const int code = import_read_again(passing->sales->import, entry->offset, (size_t) entry->line, &row);

        return code ? code : invoice_row_take(passing, &row, entry, begun);
}

static int second_pass(struct passing *passing, const struct import_index *index) {
        struct sales *sales = passing->sales;
        bool begun = false;

        for (size_t i = 0; i < index->n; i++) {
                int code = EXIT_OK;

                if (i && index->at[i].invoice != index->at[i - 1].invoice) {
                        begun = false;
                        if (sales->n_sales == SALES_MAX || sales->n_lines >= SALE_LINES_MAX)
                                code = sales_run(sales);
                }
                if (!code)
                        code = take_entry(passing, &index->at[i], &begun);
                if (code)
                        return code;
                import_progress(&sales->import->report, i, index->n);
        }
        return sales_run(sales);
}

/* In which order the file's dates are, before one of them is believed. */
static int check_dates(struct import *import, const struct date_evidence *evidence, enum date_order *ret_order) {
        char reason[IMPORT_REASON_SIZE];

        if (date_order_decide(evidence, import->options->dates, ret_order, reason, sizeof(reason)))
                return EXIT_OK;
        import_complain("%s: %s", import->file.path, reason);
        return EXIT_WRONG_USAGE;
}

/* A pipe is refused before the first byte is read from it. */
static int check_file(struct import *import) {
        if (lseek(import->file.descriptor, 0, SEEK_CUR) >= 0)
                return EXIT_OK;
        import_complain("%s: orders are read twice, so the file must be a regular one", import->file.path);
        return EXIT_FAILED;
}

/* Returns need orders that are stored. */
static void note_untried(const struct comebacks *comebacks) {
        if (comebacks->n)
                import_complain(
                        "dry run: %zu lines of returned goods are not tried, because no order is stored; they are "
                        "counted as not reached",
                        comebacks->n);
}

int import_orders(struct import *import) {
        _cleanup_free_ struct sales *sales = malloc(sizeof(*sales));
        struct passing passing = { .sales = sales };
        struct import_index index = { 0 };
        int code;

        if (!sales)
                return EXIT_OUR_FAULT;
        sales_init(sales, import);
        code = check_order_parents(import);
        if (!code)
                code = check_file(import);
        if (!code)
                code = import_index_make(import, &index);
        if (!code)
                code = check_dates(import, &index.dates, &sales->dates);
        sales->keeps_purchases = index.has_returns;
        if (!code)
                code = second_pass(&passing, &index);
        import_index_clear(&index);
        if (!code && import->options->dry_run)
                note_untried(&passing.comebacks);
        else if (!code)
                code = comebacks_run(&passing.comebacks, sales);
        comebacks_clear(&passing.comebacks);
        sales_clear(sales);
        return code;
}
