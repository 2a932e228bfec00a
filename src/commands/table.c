#include "commands/commands.h"

/* In the order in which a newcomer needs them. */
const struct command commands[] = {
        { "migrate", "migrate", "bring the schema to the version of this program",
                "Runs once at a time, forward only; safe to repeat.\n\n    HOLDFAST_DATABASE_URL=postgresql:///shop holdfast migrate",
                command_migrate },
        { "serve", "serve", "run the API",
                "Stops gracefully on SIGTERM; reads the key set again on SIGHUP.\n\n    HOLDFAST_DATABASE_URL=postgresql:///shop HOLDFAST_JWT_JWKS_URL=https://id.shop.example/jwks holdfast serve",
                command_serve },
        { "audit", "audit [--json]", "prove that stock, ledger and documents agree",
                "Runs beside the service, range by range. Ends with 0 when all is true, with 1 after a list of what is not.\n\n    HOLDFAST_DATABASE_URL=postgresql:///shop holdfast audit",
                command_audit },
        { "token", "token --subject S --scope \"a b\" [--location L]... [--channel C] [--ttl SECONDS]",
                "make a development token (HS256)",
                "The secret is HOLDFAST_JWT_SECRET. Without --location the token covers all locations.\n\n    holdfast token --subject ana --scope \"fulfillment:read fulfillment:write\" --location berlin-mitte",
                command_token },
        { "version", "version", "say which version this is", NULL, command_version },
};
const size_t command_count = array_size(commands);
