#include "importing/kinds.h"

#include "base/stop.h"
#include "base/text.h"
#include "importing/invoice.h"

static const struct import_kind kinds[] = {
        { "locations", &location_columns, import_locations, 0, 0 },
        { "orders", &order_columns, import_orders, INVOICE_PRICE, INVOICE_CURRENCY },
        { "products", &product_columns, import_products, PRODUCT_PRICE, PRODUCT_CURRENCY },
        { "stock", &stock_columns, import_stock, 0, 0 },
};

const struct import_kind *import_kind_named(const char *name) {
        for (size_t i = 0; i < array_size(kinds); i++)
                if (text_equal(kinds[i].name, name))
                        return &kinds[i];
        return NULL;
}

/* Nothing says in which currency the prices are, and none is assumed. */
static bool import_lacks_currency(const struct import *import, const struct import_kind *kind) {
        return kind->price && !import->options->currency && import_file_has(&import->file, kind->price) &&
               !import_file_has(&import->file, kind->currency);
}

/* Once for the file, on one line. */
static void note_unknown(const struct import_file *file) {
        char names[IMPORT_FAULT_SIZE] = "";
        const size_t n = import_header_unknown(&file->header, names, sizeof(names));

        if (n)
                import_complain("%s: passed over, %zu unknown column%s:%s", file->path, n, n == 1 ? "" : "s", names);
}

int import_run(
        struct import *import, const struct import_kind *kind, const struct route_list *routes, size_t n_routes) {
        const struct import_options *options = import->options;
        int code;

        if (!import_file_open(&import->file, options->path, kind->columns, &options->reading)) {
                if (stop_asked())
                        return stop_code();
                import_complain("%s: %s", options->path, import->file.reason);
                return EXIT_WRONG_USAGE;
        }
        if (import_lacks_currency(import, kind)) {
                import_complain("%s: the prices have no currency; " CURRENCY_WAYS, options->path);
                return EXIT_WRONG_USAGE;
        }
        note_unknown(&import->file);
        code = importer_open(&import->importer, routes, n_routes);
        if (code)
                return code;
        import_report_init(&import->report, kind->name, options->path);
        code = kind->run(import);
        if (!code || import->report.read || stop_asked())
                import_summary(&import->report);
        if (stop_asked())
                import_complain("the import was stopped; run it again: rows already imported stay as they are");
        if (code)
                return code;
        return import->report.refused ? EXIT_FAILED : EXIT_OK;
}
