/*
 * commands: the subcommands of the program, one file each.
 *
 * Each takes its own arguments (argv[0] is its name) and returns an exit code (base/exit_code.h).
 */
#pragma once

#include "base/exit_code.h"
#include "engine/smtp.h"
#include "http/router.h"

struct subcommand {
        const char *name;
        const char *usage;   /* after "holdfast " */
        const char *summary; /* one line */
        const char *help;    /* added by --help: options, one example */
        int (*run)(int argc, char **argv);
};

extern const struct subcommand commands[];
extern const size_t command_count;

int command_audit(int argc, char **argv);
int command_customer(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_export(int argc, char **argv);
int command_healthcheck(int argc, char **argv);
int command_import(int argc, char **argv);
int command_migrate(int argc, char **argv);
int command_openapi(int argc, char **argv);
int command_prune(int argc, char **argv);
int command_relay(int argc, char **argv);
int command_serve(int argc, char **argv);
int command_show_config(int argc, char **argv);
int command_token(int argc, char **argv);
int command_version(int argc, char **argv);

/* Read the configuration, as most commands do first, and report faults on stderr. 0 or EXIT_BAD_CONFIG. */
int command_config(void);

/* The same for commands that need the database: its connection string is set, and libpq can read it. */
int command_database_config(void);

/* The fault that forbids serving with these settings; NULL: none. */
const char *command_config_complaint(void);

/* The mail server of the settings; its url is NULL without one. */
struct smtp_server command_smtp_server(void);

/* Report the unknown argument or the usage on stderr. Returns EXIT_WRONG_USAGE. */
int command_misused(const char *name);

/* An open connection for a tool; NULL after a report on stderr. `plans` as in db/connection.h; `unprepared` before
 * there is a schema. */
struct database *command_database(bool unprepared, int statement_timeout_ms);

/* Whether this program may work on the schema, with a report if not: 0, EXIT_FAILED, or EXIT_NO_DATABASE. */
must_check int command_check_schema(void);

/* Both: an open connection to a schema on which this program may work. 0, or an exit code after a report. */
must_check int command_open(int statement_timeout_ms, struct database **ret_database);

/* For a command without arguments: false, after a report, when it was given any. */
bool command_takes_nothing(int argc, char **argv);

/* The route tables of all rooms; `ret_lists` has room for ROOMS_MAX. Returns how many. */
#define ROOMS_MAX (ROUTE_LISTS_MAX - ROUTE_LISTS_OTHER)
size_t room_routes(struct route_list *ret_lists);

/* Routes without room and token: health and metrics, for the admin listener. */
struct route_list health_routes(void);

/* Every route there is; `ret_lists` has room for ROUTE_LISTS_MAX. Returns how many lists. */
size_t all_routes(struct route_list *ret_lists);
