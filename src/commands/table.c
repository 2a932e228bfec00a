#include "commands/commands.h"

/* In the order in which a newcomer needs them. */
const struct command commands[] = {
        { "config", "config [print | --markdown]", "show every setting, its value and what it means",
                "Secrets are not shown. --markdown prints docs/configuration.md.\n\n    HOLDFAST_LISTEN=0.0.0.0:8080 holdfast config",
                command_show_config },
        { "doctor", "doctor", "check settings, database, keys and machine",
                "One line a check: ok, warn or fail, and what to do. Exit 1 when one failed.\n\n    HOLDFAST_DATABASE_URL=postgresql:///shop holdfast doctor",
                command_doctor },
        { "migrate", "migrate", "bring the schema to the version of this program",
                "Runs once at a time, forward only; safe to repeat.\n\n    HOLDFAST_DATABASE_URL=postgresql:///shop holdfast migrate",
                command_migrate },
        { "serve", "serve", "run the API",
                "Stops gracefully on SIGTERM; reads the key set again on SIGHUP.\n\n    HOLDFAST_DATABASE_URL=postgresql:///shop HOLDFAST_JWT_JWKS_URL=https://id.shop.example/jwks holdfast serve",
                command_serve },
        { "import", "import products|locations|stock|orders [OPTIONS] FILE", "take over a CSV file",
                "Refused lines are named on standard error, the sums stand on standard output, also after SIGINT; running it\n"
                "again changes nothing, but for stock without the time of its count. Exit 0 when every line was taken, 1 when\n"
                "some were refused, 2 when nothing was. See docs/import.md for the columns.\n\n"
                "  --encoding utf-8|latin1   of the file (utf-8); a byte order mark decides over it\n"
                "  --currency C              products, orders: of prices that name none (HOLDFAST_CURRENCY)\n\nstock only:\n"
                "  --counted-at TIME         when it was counted; movements since then are kept\n"
                "  --negative refuse|zero    how to read a figure below 0 (refuse)\n\norders only:\n"
                "  --channel C --location L  who sold, and from where\n"
                "  --open                    live orders that hold stock at L, instead of history\n"
                "  --create-products         make the products that are missing\n"
                "  --dates dmy|mdy|iso       the order of day, month and year, when the file does not prove it\n\n"
                "    holdfast import orders --channel web --location london --currency GBP --dates dmy invoices.csv",
                command_import },
        { "audit", "audit [--json] [--textfile FILE]", "prove that stock, ledger and documents agree",
                "Runs beside the service, range by range. Ends with 0 when all is true, with 1 after a list of what is not.\n\n"
                "  --json           the list as JSON\n"
                "  --textfile FILE  also write the outcome for the textfile collector of Prometheus' node exporter\n\n"
                "    HOLDFAST_DATABASE_URL=postgresql:///shop holdfast audit",
                command_audit },
        { "prune", "prune [--dry-run]", "remove what is older than it has to be kept",
                "Ages are the settings HOLDFAST_RETENTION_...; docs/retention.md tells what goes and what stays. Runs beside the\n"
                "service in small batches; stopped in the middle, it goes on with its next run.\n\n"
                "  --dry-run     say how much would go, and leave it\n\n    HOLDFAST_RETENTION_PERSONAL_DATA=P1095D holdfast prune",
                command_prune },
        { "customer", "customer export|erase --customer-id C | --email E | --phone P | --order N",
                "hand out, or erase, all that is kept of one customer",
                "export  writes all orders with their timelines as one JSON document\n"
                "erase   takes the customer out of all orders that are closed, and names those that are open: they are left as\n"
                "        they are, and it ends with 1 then. Repeating it is fine.\n\n"
                "  --customer-id C  the shop's own number of the customer\n"
                "  --email E        in capital or small letters\n"
                "  --phone P        its digits count; 00 in front is +\n"
                "  --order N        one order, by its number, in small letters and without hyphens too\n\n"
                "It ends with 1 as well when no order is found, or not all could be written.\n\n"
                "    holdfast customer export --email ada@example.com > ada.json",
                command_customer },
        { "healthcheck", "healthcheck", "ask the service on this machine whether it is ready",
                "Reads /readyz at HOLDFAST_ADMIN_LISTEN within two seconds. Exit 0 when ready, 1 when not.\n\n    holdfast healthcheck && echo ready",
                command_healthcheck },
        { "openapi", "openapi [--lifecycles | --problems | --routes | --shapes]",
                "print the description of the API as JSON",
                "  --lifecycles  docs/lifecycles.md\n  --problems    docs/problems.md\n  --routes      a line a route: method, path, scope, Idempotency-Key\n  --shapes      what the routes accept, as JSON\n\n    holdfast openapi > openapi.json",
                command_openapi },
        { "token", "token --subject S --scope \"a b\" [--location L]... [--channel C] [--ttl SECONDS]",
                "make a development token (HS256)",
                "The secret is HOLDFAST_JWT_SECRET. Without --location the token covers all locations.\n\n    holdfast token --subject ana --scope \"fulfillment:read fulfillment:write\" --location berlin-mitte",
                command_token },
        { "version", "version", "say which version this is", "    holdfast version", command_version },
};
const size_t command_count = array_size(commands);
