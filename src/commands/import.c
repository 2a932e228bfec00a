#include "commands/commands.h"

#include "base/config.h"
#include "base/log.h"
#include "base/money.h"
#include "base/stop.h"
#include "base/text.h"
#include "importing/formats.h"
#include "importing/kinds.h"

#include <getopt.h>

#define NO_CODE "this is no code (" CODE_RULE ")"

static int usage(const char *option, const char *value, const char *fault) {
        if (option)
                import_complain("%s \"%s\": %s", option, value, fault);
        else
                import_complain("%s", fault);
        (void) fputs(
                "usage: holdfast import products|locations|stock|orders [OPTIONS] FILE\n"
                "       orders: --channel C --location L [--open] [--create-products] [--dates dmy|mdy|iso]\n"
                "       orders, products: [--currency C]\n"
                "       stock: [--counted-at TIME] [--negative refuse|zero]\n"
                "       all: [--from FORMAT] [--map TARGET=COLUMN,...] [--map-file F] [--set TARGET=VALUE] [--decimal .|,]\n"
                "            [--delimiter auto|,|;|tab] [--encoding auto|utf-8|latin1|windows-1252|utf-16] [--strict] [--dry-run] [--rejects F]\n",
                stderr);
        return EXIT_WRONG_USAGE;
}

/* One of two words into a bool: whether it is the second. */
static bool take_word(const char *value, const char *first, const char *second, bool *ret_is_second) {
        *ret_is_second = text_equal(value, second);
        return *ret_is_second || text_equal(value, first);
}

static const char *take_mapping_text(const char **list, size_t *n, const char *value) {
        if (*n == MAPPING_OPTIONS_MAX)
                return "--map and --set may be given 32 times";
        list[(*n)++] = value;
        return NULL;
}

/* The options of how the file is read. NULL, or the fault; *ret_taken: it is one of them. */
static const char *take_reading_option(int option, const char *value, struct import_options *options, bool *ret_taken) {
        *ret_taken = true;
        switch (option) {
        case 'a':
                return take_mapping_text(options->mapping.maps, &options->mapping.n_maps, value);
        case 'b':
                options->mapping.file = value;
                return NULL;
        case 'e':
                return encoding_named(value, &options->reading.encoding) ? NULL : "--encoding is " ENCODING_NAMES;
        case 'f':
                return separator_named(value, &options->reading.separator) ? NULL
                                                                           : "--delimiter is auto, a comma, ; or tab";
        case 'g':
                return take_mapping_text(options->mapping.sets, &options->mapping.n_sets, value);
        case 'h':
                options->mapping.format = value;
                return NULL;
        case 'i':
                options->decimal = *value;
                return text_equal(value, ".") || text_equal(value, ",") ? NULL : "--decimal is . or a comma";
        case 'q':
                options->print_map = value;
                return NULL;
        case 'r':
                options->rejects = value;
                return NULL;
        case 's':
                options->reading.strict = true;
                return NULL;
        case 'y':
                options->dry_run = true;
                return NULL;
        default:
                *ret_taken = false;
                return NULL;
        }
}

/* NULL, or the fault. */
static const char *take_option(int option, const char *value, struct import_options *options) {
        bool taken;
        const char *fault = take_reading_option(option, value, options, &taken);

        if (taken)
                return fault;
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
                { "decimal", required_argument, NULL, 'i' },
                { "delimiter", required_argument, NULL, 'f' },
                { "dry-run", no_argument, NULL, 'y' },
                { "encoding", required_argument, NULL, 'e' },
                { "from", required_argument, NULL, 'h' },
                { "location", required_argument, NULL, 'l' },
                { "map", required_argument, NULL, 'a' },
                { "map-file", required_argument, NULL, 'b' },
                { "negative", required_argument, NULL, 'n' },
                { "open", no_argument, NULL, 'o' },
                { "print-map", required_argument, NULL, 'q' },
                { "rejects", required_argument, NULL, 'r' },
                { "set", required_argument, NULL, 'g' },
                { "strict", no_argument, NULL, 's' },
                { 0 },
        };

        optind = 1;
        for (int option = getopt_long(argc, argv, "", table, NULL); option != -1;
                option = getopt_long(argc, argv, "", table, NULL)) {
                const char *fault = take_option(option, optarg, options);

                if (fault)
                        return fault;
        }
        if (options->print_map)
                return argc == optind ? NULL : "--print-map takes a format and no file";
        if (argc - optind != 2)
                return "import takes a kind and a file";
        options->kind = argv[optind];
        options->path = argv[optind + 1];
        return NULL;
}

static const char *find_fault(const struct import_options *options) {
        const struct import_kind *kind = import_kind_named(options->kind);
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
        if (options->dry_run && options->create_products)
                return "--dry-run creates no products; import them first, then try the orders";
        if (orders && (!options->channel || !options->location))
                return "orders need --channel and --location";
        return NULL;
}

static int print_map(const char *name) {
        for (size_t i = 0; i < import_format_count; i++)
                if (text_equal(import_formats[i].name, name)) {
                        (void) fputs(import_formats[i].text, stdout);
                        return EXIT_OK;
                }
        return usage("--print-map", name, "there is no such format; the formats are " IMPORT_FORMAT_NAMES);
}

int command_import(int argc, char **argv) {
        struct import_options options = { .counted_at = TIMESTAMP_NONE };
        static struct route_list routes[ROOMS_MAX];
        struct import import = { .options = &options, .file = { .descriptor = -1 } };
        char text[CURRENCY_FAULT_SIZE];
        const char *fault;
        int code;

        fault = read_options(argc, argv, &options);
        if (!fault && options.print_map)
                return print_map(options.print_map);
        if (!fault)
                fault = find_fault(&options);
        if (fault)
                return usage(NULL, NULL, fault);
        if (options.channel && !text_is_code(options.channel))
                return usage("--channel", options.channel, NO_CODE);
        if (options.location && !text_is_code(options.location))
                return usage("--location", options.location, NO_CODE);
        if (options.currency && currency_fault(options.currency, text))
                return usage("--currency", options.currency, currency_fault(options.currency, text));
        if (command_database_config())
                return EXIT_BAD_CONFIG;
        log_set_level(LOG_LEVEL_ERROR);
        stop_listen();
        if (!options.currency)
                options.currency = config_text(CONFIG_CURRENCY);
        code = command_check_schema();
        if (!code)
                code = import_run(&import, import_kind_named(options.kind), routes, room_routes(routes));
        importer_close(&import.importer);
        import_file_close(&import.file);
        mapping_clear(&import.mapping);
        import_rejects_close(&import.rejects);
        return code;
}
