#include "commands/commands.h"

#include "base/config.h"
#include "db/connection.h"

#include <stdio.h>

#define LOCK_TIMEOUT_MS 60000

int command_config(void) {
        const char *reason = NULL;

        if (config_read(&reason))
                return EXIT_OK;
        (void) fprintf(stderr, "holdfast: bad configuration: %s\n", reason);
        return EXIT_BAD_CONFIG;
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
