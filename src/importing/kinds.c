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

/* The first line of the output. */
static void import_begin_announce(const struct import *import) {
        const char *trial = import->options->dry_run ? "dry run, nothing is stored" : "";
        const char *format = import->file.map ? import->file.map->format : NULL;

        if (format)
                import_announce("%s%sformat: %s%s", trial, *trial ? "; " : "", format,
                        import->options->mapping.format ? "" : ", recognised by the header");
        else if (*trial)
                import_announce("%s", trial);
}

/* EXIT_OK, or an exit code after complaining. */
static int begin_rejects(struct import *import) {
        char reason[IMPORT_REASON_SIZE];

        if (!import->options->rejects)
                return EXIT_OK;
        if (!import_file_is_regular(&import->file)) {
                import_complain("%s: --rejects reads the file twice, so it must be a regular one", import->file.path);
                return EXIT_WRONG_USAGE;
        }
        if (import_rejects_open(&import->rejects, import->options->rejects, reason))
                return EXIT_OK;
        import_complain("%s", reason);
        return EXIT_WRONG_USAGE;
}

static bool end_rejects(struct import *import) {
        char reason[IMPORT_REASON_SIZE];

        if (import_rejects_write(&import->rejects, &import->file, reason))
                return true;
        import_complain("--rejects %s: %s", import->options->rejects, reason);
        return false;
}

int import_run(
        struct import *import, const struct import_kind *kind, const struct route_list *routes, size_t n_routes) {
        const struct import_options *options = import->options;
        struct import_reading reading = options->reading;
        char fault[IMPORT_REASON_SIZE];
        int code;

        if (!mapping_make(&import->mapping, &options->mapping, kind->name, kind->columns, fault)) {
                import_complain("%s", fault);
                return EXIT_WRONG_USAGE;
        }
        reading.mapping = &import->mapping;
        if (!import_file_open(&import->file, options->path, kind->columns, &reading)) {
                if (stop_asked())
                        return stop_code();
                import_complain("%s: %s", options->path, import->file.reason);
                return EXIT_WRONG_USAGE;
        }
        if (import_lacks_currency(import, kind)) {
                import_complain("%s: the prices have no currency; " CURRENCY_WAYS, options->path);
                return EXIT_WRONG_USAGE;
        }
        import->decimal = options->decimal ? options->decimal : import->file.map ? import->file.map->decimal : '\0';
        import_begin_announce(import);
        note_unknown(&import->file);
        code = begin_rejects(import);
        if (code)
                return code;
        import->importer.trial = options->dry_run;
        code = importer_open(&import->importer, routes, n_routes);
        if (code)
                return code;
        import_report_init(&import->report, kind->name, options->path);
        import->report.rejects = options->rejects ? &import->rejects : NULL;
        code = kind->run(import);
        if (!code || import->report.read || stop_asked())
                import_summary(&import->report);
        if (options->rejects && !end_rejects(import) && !code)
                code = EXIT_FAILED;
        if (stop_asked())
                import_complain("the import was stopped; run it again: rows already imported stay as they are");
        if (code)
                return code;
        return import->report.refused ? EXIT_FAILED : EXIT_OK;
}
