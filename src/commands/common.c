#include "commands/commands.h"

#include "base/config.h"
#include "base/log.h"
#include "base/text.h"
#include "db/schema.h"
#include "db/session.h"
#include "events/types.h"

#include <stdio.h>
#include <string.h>

#define LOCK_TIMEOUT_MS   60000
#define EVENT_PREFIX_SIZE 128 /* the setting is shorter */

bool command_takes_nothing(int argc, char **argv) {
        if (argc <= 1)
                return true;
        (void) fprintf(
                stderr, "holdfast: %s: unknown argument \"%s\"; see holdfast %s --help\n", argv[0], argv[1], argv[0]);
        return false;
}

static int config_complain(const char *what) {
        (void) fprintf(stderr, "holdfast: bad configuration: %s\n", what);
        return EXIT_BAD_CONFIG;
}

/* With a dot between the prefix and the type, also if the setting has none. */
static void event_prefix_set(void) {
        static char prefix[EVENT_PREFIX_SIZE];
        const char *text = config_text(CONFIG_EVENT_TYPE_PREFIX);
        const size_t size = text ? strlen(text) : 0;

        (void) snprintf(prefix, sizeof(prefix), "%s%s", text ? text : "", size && text[size - 1] != '.' ? "." : "");
        event_type_prefix = prefix;
}

int command_config(void) {
        const char *reason = NULL;

        if (config_read(&reason)) {
                event_prefix_set();
                return EXIT_OK;
        }
        return config_complain(reason);
}

/* The fault of a connection string; NULL: none. */
static const char *url_complaint(enum setting setting) {
        static char complaint[DATABASE_URL_FAULT_SIZE + 64];
        char fault[DATABASE_URL_FAULT_SIZE];

        if (!config_text(setting) || database_url_is_valid(config_text(setting), fault))
                return NULL;
        (void) snprintf(complaint, sizeof(complaint), "%s: %s", setting_variable(setting), fault);
        return complaint;
}

static const char *database_complaint(void) {
        const char *complaint = url_complaint(CONFIG_DATABASE_URL);

        if (!config_text(CONFIG_DATABASE_URL))
                return "HOLDFAST_DATABASE_URL is not set";
        return complaint ? complaint : url_complaint(CONFIG_DATABASE_READ_URL);
}

int command_database_config(void) {
        const char *complaint;

        if (command_config())
                return EXIT_BAD_CONFIG;
        complaint = database_complaint();
        return complaint ? config_complain(complaint) : EXIT_OK;
}

/* ---- settings that forbid serving ---- */

static bool is_loopback(const char *address) {
        return text_starts_with(address, "127.") || text_starts_with(address, "localhost:") ||
               text_starts_with(address, "[::1]:");
}

/* Origins are compared byte by byte, so a spelling that no browser uses would never match. */
static const char *origins_complaint(const char *list) {
        static char complaint[256];
        const char *origin;
        size_t size;

        while (text_next_part(&list, ',', &origin, &size)) {
                if (size && !text_is_origin(origin, size)) {
                        (void) snprintf(complaint, sizeof(complaint),
                                "HOLDFAST_CORS_ORIGINS: no browser sends \"%.*s\"; an origin is scheme://host or"
                                " scheme://host:port in small letters",
                                (int) (size < 64 ? size : 64), origin);
                        return complaint;
                }
                list += strspn(list, " ");
        }
        return NULL;
}

struct smtp_server command_smtp_server(void) {
        struct smtp_server server = { .url = config_text(CONFIG_SMTP_URL),
                .ca_file = config_text(CONFIG_SMTP_CA),
                .timeout = config_integer(CONFIG_SMTP_TIMEOUT) };

        if (!smtp_tls_named(config_text(CONFIG_SMTP_TLS), &server.tls))
                server.tls = SMTP_TLS_REQUIRED;
        return server;
}

static const char *smtp_complaint(void) {
        static char complaint[256];
        const struct smtp_server server = command_smtp_server();
        const char *fault = server.url ? smtp_server_fault(&server) : NULL;
        enum smtp_tls tls;

        if (!smtp_tls_named(config_text(CONFIG_SMTP_TLS), &tls))
                return "HOLDFAST_SMTP_TLS must be auto, required or off";
        (void) snprintf(complaint, sizeof(complaint), "HOLDFAST_SMTP_URL %s", fault ? fault : "");
        return fault ? complaint : NULL;
}

const char *command_config_complaint(void) {
        enum log_level level;
        const bool remote = config_text(CONFIG_LISTEN) && !is_loopback(config_text(CONFIG_LISTEN));

        if (database_complaint())
                return database_complaint();
        if (!config_text(CONFIG_LISTEN))
                return "HOLDFAST_LISTEN is empty";
        if (!log_level_named(config_text(CONFIG_LOG_LEVEL), &level))
                return "HOLDFAST_LOG_LEVEL must be debug, info, warning or error";
        if (origins_complaint(config_text(CONFIG_CORS_ORIGINS)))
                return origins_complaint(config_text(CONFIG_CORS_ORIGINS));
        if (smtp_complaint())
                return smtp_complaint();
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

static bool schema_is_current(struct database *database) {
        const char *schema = config_text(CONFIG_SCHEMA);
        char explanation[SCHEMA_EXPLANATION_SIZE];
        struct schema_state state;

        if (schema_look(database, schema, clock_monotonic() + DATABASE_SHORT_WAIT, &state)) {
                (void) fprintf(stderr, "holdfast: the database refused: %s\n", database_message(database));
                return false;
        }
        if (schema_fits(&state))
                return true;
        schema_explain(schema, &state, explanation);
        (void) fprintf(stderr, "holdfast: %s\n", explanation);
        return false;
}

struct database *command_database(bool unprepared, int statement_timeout_ms) {
        static struct database_settings settings;
        struct database *database;

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

int command_check_schema(void) {
        _cleanup_(database_close_cleanup) struct database *database = NULL;

        database = command_database(/* unprepared= */ true, /* statement_timeout_ms= */ 0);
        if (!database)
                return EXIT_NO_DATABASE;
        return schema_is_current(database) ? EXIT_OK : EXIT_FAILED;
}

int command_open(int statement_timeout_ms, struct database **ret_database) {
        const int code = command_check_schema();

        if (code)
                return code;
        *ret_database = command_database(/* unprepared= */ false, statement_timeout_ms);
        return *ret_database ? EXIT_OK : EXIT_NO_DATABASE;
}
