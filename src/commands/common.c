#include "commands/commands.h"

#include "base/config.h"
#include "base/log.h"
#include "base/text.h"
#include "db/migrate.h"

#include <stdio.h>

#define LOCK_TIMEOUT_MS 60000

bool command_takes_nothing(int argc, char **argv) {
        if (argc <= 1)
                return true;
        (void) fprintf(
                stderr, "holdfast: %s does not know \"%s\"; see holdfast %s --help\n", argv[0], argv[1], argv[0]);
        return false;
}

int command_config(void) {
        const char *reason = NULL;

        if (config_read(&reason))
                return EXIT_OK;
        (void) fprintf(stderr, "holdfast: bad configuration: %s\n", reason);
        return EXIT_BAD_CONFIG;
}

static bool is_loopback(const char *address) {
        return text_starts_with(address, "127.") || text_starts_with(address, "localhost:") ||
               text_starts_with(address, "[::1]:");
}

const char *command_config_complaint(void) {
        enum log_level level;
        const bool remote = config_text(CONFIG_LISTEN) && !is_loopback(config_text(CONFIG_LISTEN));

        if (!config_text(CONFIG_DATABASE_URL))
                return "HOLDFAST_DATABASE_URL is not set";
        if (!config_text(CONFIG_LISTEN))
                return "HOLDFAST_LISTEN is empty";
        if (!log_level_named(config_text(CONFIG_LOG_LEVEL), &level))
                return "HOLDFAST_LOG_LEVEL is none of debug, info, warning, error";
        if (config_text(CONFIG_JWT_SECRET) && remote && !config_integer(CONFIG_JWT_DEV_ALLOW_REMOTE))
                return "development tokens (HOLDFAST_JWT_SECRET) are refused on an address that is not loopback; "
                       "use HOLDFAST_JWT_JWKS_URL, or set HOLDFAST_JWT_DEV_ALLOW_REMOTE=1 when only trusted hosts can connect";
        return NULL;
}

int command_misused(const char *name) {
        for (size_t i = 0; i < command_count; i++)
                if (text_equal(commands[i].name, name))
                        (void) fprintf(stderr, "usage: holdfast %s\n", commands[i].usage);
        return EXIT_WRONG_USAGE;
}

bool command_schema_is_current(struct database *database) {
        const char *schema = config_text(CONFIG_SCHEMA);
        int version = 0;

        if (migrate_version(database, schema, clock_monotonic() + DATABASE_SHORT_WAIT, &version)) {
                (void) fprintf(stderr, "holdfast: the database refused: %s\n", database_message(database));
                return false;
        }
        if (version == migrate_head())
                return true;
        (void) fprintf(stderr, "holdfast: schema %s is at version %d, this program needs %d: %s\n", schema, version,
                migrate_head(), version < migrate_head() ? "run holdfast migrate" : "use the newer program");
        return false;
}

struct database *command_database(bool unprepared, int statement_timeout_ms) {
        static struct database_settings settings;
        struct database *database;

        if (!config_text(CONFIG_DATABASE_URL)) {
                (void) fputs("holdfast: HOLDFAST_DATABASE_URL is not set\n", stderr);
                return NULL;
        }
        settings = (struct database_settings){ .url = config_text(CONFIG_DATABASE_URL),
                .schema = config_text(CONFIG_SCHEMA),
                .name = "holdfast tool",
                .plans = PLANS_FREE,
                .statement_timeout_ms = statement_timeout_ms,
                .lock_timeout_ms = LOCK_TIMEOUT_MS,
                .unprepared = unprepared };
        database = database_new(&settings);
        if (database && database_connect(database)) {
                (void) fprintf(stderr, "holdfast: the database cannot be reached: %s\n", database_message(database));
                database = database_close(database);
        }
        return database;
}
