/*
 * commands: the subcommands of the program, one file each.
 *
 * Each takes its own arguments (argv[0] is its name) and returns an exit code (base/exit_code.h).
 */
#pragma once

#include "base/exit_code.h"
#include "http/router.h"

struct command {
        const char *name;
        const char *usage;   /* after "holdfast " */
        const char *summary; /* one line */
        const char *help;    /* what --help adds: options, one example */
        int (*run)(int argc, char **argv);
};

extern const struct command commands[];
extern const size_t command_count;

int command_audit(int argc, char **argv);
int command_customer(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_healthcheck(int argc, char **argv);
int command_import(int argc, char **argv);
int command_migrate(int argc, char **argv);
int command_openapi(int argc, char **argv);
int command_prune(int argc, char **argv);
int command_serve(int argc, char **argv);
int command_show_config(int argc, char **argv);
int command_token(int argc, char **argv);
int command_version(int argc, char **argv);

/* What every command that reads the configuration does first: read it, complain on stderr. 0 or EXIT_BAD_CONFIG. */
int command_config(void);

/* The same for those that need the database: its connection string is there, and libpq can read it. */
int command_database_config(void);

/* What forbids serving with the settings that were read; NULL: nothing. */
const char *command_config_complaint(void);

/* Say on stderr how the command is used. Returns EXIT_WRONG_USAGE. */
int command_misused(const char *name);

/* A connection for a tool, connected; NULL after complaining. `plans` as in db/connection.h; `unprepared` before there
 * is a schema. */
struct database *command_database(bool unprepared, int statement_timeout_ms);

/* Whether this program may work on the schema, complaining when not: 0, EXIT_FAILED, or EXIT_NO_DATABASE. */
must_check int command_check_schema(void);

/* For a command without arguments: false, after complaining, when it was given any. */
bool command_takes_nothing(int argc, char **argv);

/* The route tables of all rooms; `ret_lists` has room for ROOMS_MAX. Returns how many. */
#define ROOMS_MAX 16
size_t room_routes(struct route_list *ret_lists);

/* What needs no room and no token: health and metrics, of the admin listener. */
struct route_list health_routes(void);

/* Every route there is; `ret_lists` has room for ROUTE_LISTS_MAX. Returns how many lists. */
#define ROUTE_LISTS_MAX (ROOMS_MAX + 2)
size_t all_routes(struct route_list *ret_lists);
