#include "commands/commands.h"

#include "base/config.h"
#include "db/migrate.h"

#include <stdio.h>

static void announce(const struct migration *migration) {
        (void) printf("migrate: %s\n", migration->name);
        (void) fflush(stdout);
}

/* `at`: the version reached; the next migration is the one that failed. */
static int migrate_explain(enum problem p, int at, const struct database *database) {
        switch (p) {
        case FAULT_LOST:
                (void) fprintf(stderr, "holdfast: the connection was lost: %s\n", database_message(database));
                return EXIT_NO_DATABASE;
        case FAULT_STALE:
                (void) fputs(
                        "holdfast: this schema was migrated by another version of the program; use that version or a newer one\n",
                        stderr);
                return EXIT_FAILED;
        case FAULT_RIVAL:
                (void) fprintf(stderr,
                        "holdfast: %s cannot run beside programs that work on the schema: stop holdfast everywhere,"
                        " migrate, start it again\n",
                        migrations[at].name);
                return EXIT_TRY_LATER;
        case FAULT_STUCK:
                (void) fputs(
                        "holdfast: another migration is running, or a long transaction holds a table; try again when it has"
                        " finished\n",
                        stderr);
                return EXIT_TRY_LATER;
        default:
                (void) fprintf(stderr, "holdfast: transaction failed: %s\n", database_message(database));
                return EXIT_FAILED;
        }
}

int command_migrate(int argc, char **argv) {
        _cleanup_(database_close_cleanup) struct database *database = NULL;
        struct migrate_report report;
        enum problem p;

        if (!command_takes_nothing(argc, argv))
                return EXIT_WRONG_USAGE;
        if (command_database_config())
                return EXIT_BAD_CONFIG;
        database = command_database(/* unprepared= */ true, /* statement_timeout_ms= */ 0);
        if (!database)
                return EXIT_NO_DATABASE;
        p = migrate_to_head(database, config_text(CONFIG_SCHEMA), announce, &report);
        if (p)
                return migrate_explain(p, report.to, database);
        (void) printf("migrate: schema %s is at version %d%s\n", config_text(CONFIG_SCHEMA), report.to,
                report.to > schema_head()  ? ", which is newer and on which this program may work"
                : report.from == report.to ? " already"
                                           : "");
        return EXIT_OK;
}
