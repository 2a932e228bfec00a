#include "commands/commands.h"

/* In the order in which a new operator needs them. */
const struct subcommand commands[] = {
        { "config", "config [print | --markdown]", "show every setting, its value and its meaning",
                "Secret values are not shown. --markdown prints docs/configuration.md.\n\n    HOLDFAST_LISTEN=0.0.0.0:8080 holdfast config",
                command_show_config },
        { "doctor", "doctor", "check settings, database, keys and machine",
                "Prints one line for each check: ok, warn or fail, and the cure. Exits 1 if a check failed.\n\n    HOLDFAST_DATABASE_URL=postgresql:///shop holdfast doctor",
                command_doctor },
        { "migrate", "migrate", "migrate the schema to the version of this program",
                "Migrates forward only. Only one migration runs at a time; repeating it is safe.\n\n    HOLDFAST_DATABASE_URL=postgresql:///shop holdfast migrate",
                command_migrate },
        { "serve", "serve", "run the API",
                "Finishes running requests and stops on SIGTERM. Reads the key set again on SIGHUP.\n\n    HOLDFAST_DATABASE_URL=postgresql:///shop HOLDFAST_JWT_JWKS_URL=https://id.shop.example/jwks holdfast serve",
                command_serve },
        { "import", "import products|locations|stock|orders [OPTIONS] FILE", "import a CSV file",
                "Lists refused lines on standard error and prints the totals on standard output, also after SIGINT. A second\n"
                "import changes nothing, except stock without the time of its count. Exits 0 if every line was accepted, 1 if\n"
                "some were refused. See docs/import.md for the columns.\n\n"
                "  --delimiter auto|,|;|tab  separator of the columns (auto: by the header line)\n"
                "  --encoding E              auto, utf-8, latin1, windows-1252 or utf-16; a byte order mark overrides it\n"
                "  --strict                  refuse a file with unknown columns\n"
                "  --decimal .|,             decimal separator, if the figures do not prove it\n"
                "  --from FORMAT             the file of a shop or till; without it the header line tells the format\n"
                "  --map TARGET=COLUMN,...   take a column of the import from another one of the file\n"
                "  --map-file F              a file of such rules; --print-map FORMAT prints one to start with\n"
                "  --set TARGET=VALUE        the same value in every row\n"
                "  --rejects F               write the refused rows to F, to be mended and imported\n"
                "  --dry-run                 make all checks and sums, and store nothing\n"
                "  --currency C              products, orders: currency of prices without one (HOLDFAST_CURRENCY)\n\nstock only:\n"
                "  --counted-at TIME         time of the count; movements since then are kept\n"
                "  --negative refuse|zero    treatment of a figure below 0 (refuse)\n\norders only:\n"
                "  --channel C --location L  selling channel and shipping location\n"
                "  --open                    import live orders that hold stock at L, not closed ones\n"
                "  --create-products         create missing products\n"
                "  --dates dmy|mdy|iso       order of day, month and year, if the file does not prove it\n\n"
                "    holdfast import orders --channel web --location london --currency GBP --dates dmy invoices.csv",
                command_import },
        { "export", "export KIND [--format csv|jsonl] [OPTIONS]", "write rows to standard output, as CSV or JSON lines",
                "KIND is events, journal, ledger, listings, locations, order-lines, orders, payments, products, refunds, returns or stock.\n"
                "All rows come from one moment, which standard error names at the end. See docs/export.md for the columns.\n\n"
                "  --format csv|jsonl  CSV with a header line, or one JSON object a line (csv)\n"
                "  --since T           only rows from this time on, such as 2026-11-30T18:00:00Z\n"
                "  --until T           only rows before this time\n"
                "  --location L        only rows of this location\n"
                "  --channel C         only rows of this channel\n"
                "  --for-spreadsheets  put an apostrophe before cells that a spreadsheet would run as a formula\n\n"
                "Exits 0 if the output is complete, 1 if it is not, 69 without a database.\n\n"
                "    holdfast export stock --location berlin-mitte > stock.csv",
                command_export },
        { "audit", "audit [--json] [--textfile FILE]", "prove that stock, ledger and documents agree",
                "Runs beside the service, range by range. Exits 0 if everything agrees, 1 after listing the discrepancies.\n\n"
                "  --json           print the list as JSON\n"
                "  --textfile FILE  also write the result for the textfile collector of Prometheus' node exporter\n\n"
                "    HOLDFAST_DATABASE_URL=postgresql:///shop holdfast audit",
                command_audit },
        { "prune", "prune [--dry-run]", "delete records past their retention period",
                "The settings HOLDFAST_RETENTION_... set the periods; docs/retention.md lists the records deleted and kept. Runs\n"
                "beside the service in small batches. The next run continues after an interrupted one.\n\n"
                "  --dry-run     report what would be deleted, delete nothing\n\n    HOLDFAST_RETENTION_PERSONAL_DATA=P1095D holdfast prune",
                command_prune },
        { "customer", "customer export|erase --customer-id C | --email E | --phone P | --order N",
                "export or erase all records of one customer",
                "export  writes all orders with their timelines as one JSON document\n"
                "erase   removes the customer from all closed orders. Open orders stay unchanged; it lists them and exits 1.\n"
                "        Repeating it is safe.\n\n"
                "  --customer-id C  the customer's number in the shop\n"
                "  --email E        upper and lower case are the same\n"
                "  --phone P        only digits are compared; a leading 00 equals +\n"
                "  --order N        one order by its number; case and hyphens are ignored\n\n"
                "Exits 1 also if it finds no order or could not write everything.\n\n"
                "    holdfast customer export --email ada@example.com > ada.json",
                command_customer },
        { "relay", "relay --to stdout | --to http URL --consumer NAME [OPTIONS]",
                "copy the log of events to a pipe or an HTTP address",
                "Writes one event a line, as GET /v1/events answers it. Moves the consumer after the target has taken the events,\n"
                "so a crash repeats events and loses none. Runs until SIGTERM. See docs/relay.md.\n\n"
                "  --to stdout       standard output: a pipe or a file\n"
                "  --to http URL     POST of up to 1000 lines; any answer but 2xx is tried again\n"
                "  --consumer NAME   keeps the place; created if there is none\n"
                "  --types P,...     types of events, such as order.*,return.received; kept with the consumer\n"
                "  --after A         a new consumer begins with the oldest event, or now (oldest)\n"
                "  --once            stop at the end of the log\n"
                "  --batch N         events of a batch, 1 to 1000 (1000); a batch also ends after 512 KiB\n"
                "  --attempts N      http: attempts for a batch, with growing pauses; 0: no limit (10)\n"
                "  --ca FILE         http: certificates to trust instead of those of the system\n\n"
                "Exits 0 after SIGTERM, SIGINT or --once, 1 if another process has moved the consumer, its events are no\n"
                "longer kept or the pipe is closed, 69 without the database, and 75 if the target does not take a batch.\n\n"
                "    holdfast relay --to stdout --consumer warehouse --types 'order.*' | kcat -P -b kafka:9092 -t orders",
                command_relay },
        { "healthcheck", "healthcheck", "check that the service on this machine is ready",
                "Reads /readyz at HOLDFAST_ADMIN_LISTEN within two seconds. Exits 0 if ready, else 1.\n\n    holdfast healthcheck && echo ready",
                command_healthcheck },
        { "openapi",
                "openapi [--asyncapi | --events | --lifecycles | --notifications | --problems | --routes | --shapes]",
                "print the description of the API as JSON",
                "  --asyncapi       api/asyncapi.yaml: the events, with their JSON Schemas\n  --events         docs/events.md\n  --lifecycles     docs/lifecycles.md\n  --notifications  docs/notifications.md\n  --problems       docs/problems.md\n  --routes         one line for each route: method, path, scope, Idempotency-Key\n  --shapes         the members that the routes accept, as JSON\n\n    holdfast openapi > openapi.json",
                command_openapi },
        { "token", "token --subject S --scope \"a b\" [--location L]... [--channel C] [--ttl SECONDS]",
                "make a development token (HS256)",
                "Signs with HOLDFAST_JWT_SECRET. Without --location the token covers all locations.\n\n    holdfast token --subject ana --scope \"fulfillment:read fulfillment:write\" --location berlin-mitte",
                command_token },
        { "version", "version", "print the version of this program", "    holdfast version", command_version },
};
const size_t command_count = array_size(commands);
