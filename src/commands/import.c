#include "commands/import.h"

#include "base/config.h"
#include "base/log.h"
#include "base/money.h"
#include "base/text.h"
#include "commands/import_invoice.h"
#include "commands/import_seen.h"

#include <getopt.h>

struct import_kind {
        const char *name;
        const struct import_columns *columns;
        int (*run)(struct import *import);
};

static const struct import_kind kinds[] = {
        { "locations", &location_columns, import_locations },
        { "orders", &order_columns, import_orders },
        { "products", &product_columns, import_products },
        { "stock", &stock_columns, import_stock },
};

static int usage(const char *what) {
        (void) fprintf(stderr,
                "holdfast: %s\nusage: holdfast import products|locations|stock [--encoding utf-8|latin1] FILE\n"
                "       holdfast import orders --channel C --location L [--open] [--create-products] [--currency GBP]\n"
                "                              [--encoding utf-8|latin1] FILE\n",
                what);
        return EXIT_WRONG_USAGE;
}

static const struct import_kind *kind_named(const char *name) {
        for (size_t i = 0; i < array_size(kinds); i++)
                if (text_equal(kinds[i].name, name))
                        return &kinds[i];
        return NULL;
}

/* ---- options ---- */

static bool take_option(int option, const char *value, struct import_options *options) {
        switch (option) {
        case 'c':
                options->channel = value;
                return true;
        case 'e':
                options->latin1 = text_equal(value, "latin1");
                return options->latin1 || text_equal(value, "utf-8");
        case 'l':
                options->location = value;
                return true;
        case 'm':
                options->currency = value;
                return currency_exponent(value) >= 0;
        case 'o':
                options->open = true;
                return true;
        case 'p':
                options->create_products = true;
                return true;
        default:
                return false;
        }
}

static bool read_options(int argc, char **argv, struct import_options *options) {
        static const struct option table[] = {
                { "channel", required_argument, NULL, 'c' },
                { "create-products", no_argument, NULL, 'p' },
                { "currency", required_argument, NULL, 'm' },
                { "encoding", required_argument, NULL, 'e' },
                { "location", required_argument, NULL, 'l' },
                { "open", no_argument, NULL, 'o' },
                { 0 },
        };

        optind = 1;
        for (int option = getopt_long(argc, argv, "", table, NULL); option != -1;
                option = getopt_long(argc, argv, "", table, NULL))
                if (!take_option(option, optarg, options))
                        return false;
        if (argc - optind != 2)
                return false;
        options->kind = argv[optind];
        options->path = argv[optind + 1];
        return true;
}

static const char *find_fault(const struct import_options *options) {
        const bool orders = text_equal(options->kind, "orders");

        if (!kind_named(options->kind))
                return "there are products, locations, stock and orders to import";
        if (!orders && (options->channel || options->location || options->currency || options->open ||
                               options->create_products))
                return "only orders take these options";
        if (orders && (!options->channel || !options->location))
                return "orders need --channel and --location";
        if (orders && !(text_is_code(options->channel) && text_is_code(options->location)))
                return "--channel and --location are codes";
        return NULL;
}

/* ---- running ---- */

int import_next(struct import *import, struct import_row *ret_row, bool *ret_more) {
        for (;;) {
                const enum import_read read = import_file_next(&import->file, ret_row);

                import_progress(&import->report, import->file.offset, import->file.size);
                if (read == IMPORT_BROKEN) {
                        (void) fprintf(stderr, "holdfast: %s: %s\n", import->file.path, import->file.reason);
                        return EXIT_FAILED;
                }
                *ret_more = read != IMPORT_END;
                if (!*ret_more)
                        return EXIT_OK;
                import->report.read++;
                if (read == IMPORT_ROW)
                        return EXIT_OK;
                import_refuse(&import->report, ret_row->line, "%s", import->file.reason);
        }
}

int import_read_again(struct import *import, uint64_t offset, size_t line, struct import_row *ret_row) {
        if (import_file_seek(&import->file, offset, line) && import_file_next(&import->file, ret_row) == IMPORT_ROW)
                return EXIT_OK;
        (void) fprintf(stderr,
                "holdfast: %s: line %zu cannot be read again; the file must be a regular one that nobody changes\n",
                import->file.path, line);
        return EXIT_FAILED;
}

int import_too_long(void) {
        (void) fprintf(
                stderr, "holdfast: the file has more rows than one import takes (%zu); split it\n", IMPORT_KEYS_MAX);
        return EXIT_FAILED;
}

static int run(struct import *import, const struct import_kind *kind) {
        const struct import_options *options = import->options;
        int code;

        if (!import_file_open(&import->file, options->path, kind->columns, options->latin1)) {
                (void) fprintf(stderr, "holdfast: %s: %s\n", options->path, import->file.reason);
                return EXIT_WRONG_USAGE;
        }
        code = command_check_schema();
        if (!code)
                code = importer_open(&import->importer);
        if (code)
                return code;
        import_report_init(&import->report, kind->name, options->path);
        code = kind->run(import);
        if (!code || import->report.read)
                import_summary(&import->report);
        if (code)
                return code;
        return import->report.refused ? EXIT_FAILED : EXIT_OK;
}

int command_import(int argc, char **argv) {
        struct import_options options = { 0 };
        struct import import = { .options = &options, .file = { .descriptor = -1 } };
        const char *fault;
        int code;

        if (!read_options(argc, argv, &options))
                return usage("import takes a kind and a file");
        fault = find_fault(&options);
        if (fault)
                return usage(fault);
        if (command_database_config())
                return EXIT_BAD_CONFIG;
        log_set_level(LOG_LEVEL_ERROR);
        if (!options.currency)
                options.currency = "GBP";
        code = run(&import, kind_named(options.kind));
        importer_close(&import.importer);
        import_file_close(&import.file);
        return code;
}
