#include "importing/import.h"

#include "base/config.h"
#include "base/log.h"
#include "base/money.h"
#include "base/text.h"
#include "importing/invoice.h"
#include "importing/keys.h"
#include "importing/stop.h"

#include <getopt.h>

struct import_kind {
        const char *name;
        const struct import_columns *columns;
        int (*run)(struct import *import);
        size_t price, currency; /* its columns of these; both 0: it has no prices */
};

static const struct import_kind kinds[] = {
        { "locations", &location_columns, import_locations, 0, 0 },
        { "orders", &order_columns, import_orders, INVOICE_PRICE, INVOICE_CURRENCY },
        { "products", &product_columns, import_products, PRODUCT_PRICE, PRODUCT_CURRENCY },
        { "stock", &stock_columns, import_stock, 0, 0 },
};

static int usage(const char *fault) {
        import_complain("%s", fault);
        (void) fputs("usage: holdfast import products|locations|stock|orders [OPTIONS] FILE\n"
                     "       orders: --channel C --location L [--open] [--create-products] [--dates dmy|mdy|iso]\n"
                     "       orders, products: [--currency C]\n"
                     "       stock: [--counted-at TIME] [--negative refuse|zero]\n"
                     "       all: [--encoding utf-8|latin1]\n",
                stderr);
        return EXIT_WRONG_USAGE;
}

static const struct import_kind *kind_named(const char *name) {
        for (size_t i = 0; i < array_size(kinds); i++)
                if (text_equal(kinds[i].name, name))
                        return &kinds[i];
        return NULL;
}

/* ---- options ---- */

/* One of two words into a bool: whether it is the second. */
static bool take_word(const char *value, const char *first, const char *second, bool *ret_is_second) {
        *ret_is_second = text_equal(value, second);
        return *ret_is_second || text_equal(value, first);
}

/* NULL, or the fault. */
static const char *take_option(int option, const char *value, struct import_options *options) {
        switch (option) {
        case 'c':
                options->channel = value;
                options->for_orders = true;
                return NULL;
        case 't':
                options->for_stock = true;
                return import_instant(value, &options->counted_at)
                               ? NULL
                               : "--counted-at is a time with an offset, such as 2026-11-30T18:00:00Z";
        case 'd':
                options->for_orders = true;
                return date_order_named(value, &options->dates) ? NULL : "--dates is dmy, mdy or iso";
        case 'e':
                return take_word(value, "utf-8", "latin1", &options->latin1) ? NULL : "--encoding is utf-8 or latin1";
        case 'l':
                options->location = value;
                options->for_orders = true;
                return NULL;
        case 'm':
                options->currency = value;
                return NULL;
        case 'n':
                options->for_stock = true;
                return take_word(value, "refuse", "zero", &options->negative_as_zero) ? NULL
                                                                                      : "--negative is refuse or zero";
        case 'o':
                options->open = true;
                options->for_orders = true;
                return NULL;
        case 'p':
                options->create_products = true;
                options->for_orders = true;
                return NULL;
        default: /* getopt_long has said it */
                return "import does not take that";
        }
}

static const char *read_options(int argc, char **argv, struct import_options *options) {
        static const struct option table[] = {
                { "channel", required_argument, NULL, 'c' },
                { "counted-at", required_argument, NULL, 't' },
                { "create-products", no_argument, NULL, 'p' },
                { "currency", required_argument, NULL, 'm' },
                { "dates", required_argument, NULL, 'd' },
                { "encoding", required_argument, NULL, 'e' },
                { "location", required_argument, NULL, 'l' },
                { "negative", required_argument, NULL, 'n' },
                { "open", no_argument, NULL, 'o' },
                { 0 },
        };

        optind = 1;
        for (int option = getopt_long(argc, argv, "", table, NULL); option != -1;
                option = getopt_long(argc, argv, "", table, NULL)) {
                const char *fault = take_option(option, optarg, options);

                if (fault)
                        return fault;
        }
        if (argc - optind != 2)
                return "import takes a kind and a file";
        options->kind = argv[optind];
        options->path = argv[optind + 1];
        return NULL;
}

static const char *find_fault(const struct import_options *options) {
        const struct import_kind *kind = kind_named(options->kind);
        const bool orders = text_equal(options->kind, "orders");

        if (!kind)
                return "there are products, locations, stock and orders to import";
        if (!orders && options->for_orders)
                return "only orders take --channel, --location, --open, --create-products and --dates";
        if (options->currency && !kind->price)
                return "only products and orders take --currency";
        if (options->for_stock && !text_equal(options->kind, "stock"))
                return "only stock takes --counted-at and --negative";
        if (options->counted_at != TIMESTAMP_NONE && options->counted_at > clock_wall())
                return "--counted-at is yet to come";
        if (orders && (!options->channel || !options->location))
                return "orders need --channel and --location";
        if (orders && !(text_is_code(options->channel) && text_is_code(options->location)))
                return "--channel and --location are codes (" CODE_RULE ")";
        return NULL;
}

/* ---- running ---- */

static int broken(const struct import *import) {
        if (import_stop_asked())
                return import_stop_code();
        import_complain("%s: %s", import->file.path, import->file.reason);
        return EXIT_FAILED;
}

/* A file that was cut may have lost a digit with its end. */
static void note_open_end(struct import *import, size_t line) {
        if (import->file.open_end)
                import_note(&import->report, line,
                        "the last line has no line end: if the file was cut, this line may be cut too");
}

int import_next(struct import *import, struct import_row *ret_row, bool *ret_more) {
        while (!import_stop_asked()) {
                const enum import_read read = import_file_next(&import->file, ret_row);

                import_progress(&import->report, import->file.offset, import->file.size);
                if (read == IMPORT_BROKEN) {
                        return broken(import);
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
        return import_stop_code();
}

int import_read_again(struct import *import, uint64_t offset, size_t line, struct import_row *ret_row) {
        if (import_stop_asked())
                return import_stop_code();
        if (import_file_seek(&import->file, offset, line) && import_file_next(&import->file, ret_row) == IMPORT_ROW)
                return EXIT_OK;
        import_complain("%s: line %zu cannot be read again; the file must be a regular one that nobody changes",
                import->file.path, line);
        return EXIT_FAILED;
}

int import_too_long(void) {
        import_complain("the file has more rows than one import takes (%zu); split it", IMPORT_KEYS_MAX);
        return EXIT_FAILED;
}

#define CURRENCY_WAYS "name it with a column currency, with --currency C or with HOLDFAST_CURRENCY"

/* Nothing says in which currency the prices are, and none is assumed. */
static bool lacks_currency(const struct import *import, const struct import_kind *kind) {
        return kind->price && !import->options->currency && import_file_has(&import->file, kind->price) &&
               !import_file_has(&import->file, kind->currency);
}

void import_refuse_currency(struct import *import, const struct import_row *row) {
        if (!import->report.no_currency++)
                import_refuse(&import->report, row->line,
                        "the price has no currency; " CURRENCY_WAYS " (further lines like this are only counted)");
        else
                import->report.refused++;
}

static int run(struct import *import, const struct import_kind *kind) {
        const struct import_options *options = import->options;
        int code;

        if (!import_file_open(&import->file, options->path, kind->columns, options->latin1)) {
                if (import_stop_asked())
                        return import_stop_code();
                import_complain("%s: %s", options->path, import->file.reason);
                return EXIT_WRONG_USAGE;
        }
        if (lacks_currency(import, kind)) {
                import_complain("%s: the prices have no currency; " CURRENCY_WAYS, options->path);
                return EXIT_WRONG_USAGE;
        }
        code = command_check_schema();
        if (!code)
                code = importer_open(&import->importer);
        if (code)
                return code;
        import_report_init(&import->report, kind->name, options->path);
        code = kind->run(import);
        if (!code || import->report.read || import_stop_asked())
                import_summary(&import->report);
        if (import_stop_asked())
                import_complain("the import was stopped; run it again: what is in already stays as it is");
        if (code)
                return code;
        return import->report.refused ? EXIT_FAILED : EXIT_OK;
}

int command_import(int argc, char **argv) {
        struct import_options options = { .counted_at = TIMESTAMP_NONE };
        struct import import = { .options = &options, .file = { .descriptor = -1 } };
        char text[CURRENCY_FAULT_SIZE];
        const char *fault;
        int code;

        fault = read_options(argc, argv, &options);
        if (!fault)
                fault = find_fault(&options);
        if (fault)
                return usage(fault);
        if (options.currency && currency_fault(options.currency, text))
                return usage(currency_fault(options.currency, text));
        if (command_database_config())
                return EXIT_BAD_CONFIG;
        log_set_level(LOG_LEVEL_ERROR);
        import_stop_listen();
        if (!options.currency)
                options.currency = config_text(CONFIG_CURRENCY);
        code = run(&import, kind_named(options.kind));
        importer_close(&import.importer);
        import_file_close(&import.file);
        return code;
}
