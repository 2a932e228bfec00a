#include "db/session.h"

#include "base/text.h"
#include "db/connection_libpq.h"
#include "db/schema.h"

#include <stdio.h>
#include <string.h>

/* A transaction takes milliseconds. PostgreSQL ends one that waits for its client for this long, so that a frozen
 * instance holds its locks no longer. The resumed instance has lost its connection and retries its batch by its keys. A
 * limit in the options of the connection string takes precedence. */
#define IDLE_IN_TRANSACTION_MS "2000"

/* A client on a dead host answers no probe; PostgreSQL's default waits two hours before the first one. */
#define SETTINGS_OF_ALL                                                                                                \
        "select set_config('search_path', $1, false), set_config('statement_timeout', $2, false),"                     \
        " set_config('lock_timeout', $3, false),"                                                                      \
        " set_config('idle_in_transaction_session_timeout',"                                                           \
        "  (select case source when 'client' then setting else '" IDLE_IN_TRANSACTION_MS "' end from pg_settings"      \
        "    where name = 'idle_in_transaction_session_timeout'), false),"                                             \
        " set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false),"           \
        " set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '5000', false),"              \
        " set_config('jit', 'off', false),"

/* Generic plans made while a table was empty are kept for ever, so pinned connections may use indexes only. */
static const char *const settings_pinned = SETTINGS_OF_ALL
        " set_config('plan_cache_mode', 'force_generic_plan', false), set_config('enable_seqscan', 'off', false),"
        " set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false)";
static const char *const settings_free = SETTINGS_OF_ALL " set_config('plan_cache_mode', 'force_custom_plan', false)";

/* The checks before a connection may work, in this order: no incompatible migration runs or can begin, and none has
 * run.
 */
struct claim {
        bool granted;
        struct schema_state state;
};

static void claim_ask(struct database *database, struct claim *claim) {
        schema_share(database, database_settings_of(database)->schema, &claim->granted);
        schema_ask(database, &claim->state);
}

static enum problem claim_check(struct database *database, const struct claim *claim) {
        char explanation[SCHEMA_EXPLANATION_SIZE];

        if (!claim->granted)
                return database_fail(database, FAULT_LOST, "the schema is being migrated");
        if (schema_fits(&claim->state))
                return PROBLEM_NONE;
        schema_explain(database_settings_of(database)->schema, &claim->state, explanation);
        return database_fail(database, FAULT_LOST, explanation);
}

static enum problem session_prepare(struct database *database) {
        const struct database_settings *settings = database_settings_of(database);
        char statement_timeout[16], lock_timeout[16];
        const char *values[] = { settings->schema, statement_timeout, lock_timeout };
        struct claim claim = { 0 };
        enum problem p;

        (void) snprintf(statement_timeout, sizeof(statement_timeout), "%d", settings->statement_timeout_ms);
        (void) snprintf(lock_timeout, sizeof(lock_timeout), "%d", settings->lock_timeout_ms);
        database_ask_values(database, settings->plans == PLANS_PINNED ? settings_pinned : settings_free,
                array_size(values), values, NULL, NULL);
        if (!settings->unprepared)
                claim_ask(database, &claim);
        p = database_trip(database, clock_monotonic() + DATABASE_SHORT_WAIT);
        if (!p && !settings->unprepared)
                p = claim_check(database, &claim);
        return p;
}

static PGconn *session_connect(const struct database_settings *settings) {
        char connect_timeout[16], tcp_user_timeout[16];
        const char *const names[] = { "dbname", "application_name", "client_encoding", "connect_timeout",
                "fallback_application_name", "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval",
                "tcp_user_timeout", NULL };
        const char *const values[] = { settings->url, settings->name, "UTF8", connect_timeout, "holdfast", "1", "3",
                "5", "2", tcp_user_timeout, NULL };

        (void) snprintf(connect_timeout, sizeof(connect_timeout), "%d", CONNECT_TIMEOUT_S);
        (void) snprintf(tcp_user_timeout, sizeof(tcp_user_timeout), "%d", TCP_USER_TIMEOUT_MS);
        return PQconnectdbParams(names, values, /* expand_dbname= */ 1);
}

static void notice_ignore(void *context, const PGresult *result) {
        (void) context;
        (void) result;
}

static enum problem session_make(struct database *database) {
        const struct database_settings *settings = database_settings_of(database);
        PGconn *connection = session_connect(settings);
        enum problem p;

        database_adopt(database, connection);
        if (!connection)
                return database_fail(database, FAULT_LOST, "out of memory");
        if (PQstatus(connection) != CONNECTION_OK || PQsetnonblocking(connection, 1) != 0 ||
                !PQenterPipelineMode(connection))
                return database_drop(database, PQerrorMessage(connection));
        (void) PQsetNoticeReceiver(connection, notice_ignore, NULL);
        if (!settings->unprepared) /* details quote rows, and a row may name a customer */
                (void) PQsetErrorVerbosity(connection, PQERRORS_TERSE);
        p = session_prepare(database);
        if (p)
                database_end(database);
        return p;
}

enum problem database_connect(struct database *database) {
        enum problem p = PROBLEM_NONE;

        database_abandon(database);
        if (database_handle(database) && PQtransactionStatus(database_handle(database)) != PQTRANS_IDLE) {
                database_ask_text(database, "rollback", NULL, NULL); /* no statement may be prepared here */
                if (database_trip(database, clock_monotonic() + DATABASE_SHORT_WAIT))
                        database_end(database);
        }
        if (!database_handle(database))
                p = session_make(database);
        database_abandon(database);
        return p;
}

/* libpq's messages quote the text at fault, which may be a piece of a password; those about names do not. */
static bool is_about_a_name(const char *message) {
        return text_starts_with(message, "invalid connection option") ||
               text_starts_with(message, "invalid URI query parameter");
}

bool database_url_is_valid(const char *url, char *fault) {
        const bool is_name = !strchr(url, '=') && !strstr(url, "://"); /* of a database, and nothing else */
        PQconninfoOption *options = NULL;
        char *message = NULL;

        if (is_name)
                return true;
        options = PQconninfoParse(url, &message);
        if (!options)
                (void) snprintf(fault, DATABASE_URL_FAULT_SIZE, "%.*s", message ? (int) strcspn(message, "\n") : 0,
                        message ? message : "");
        if (!options && (!message || !is_about_a_name(message)))
                (void) snprintf(fault, DATABASE_URL_FAULT_SIZE, "not a connection string as libpq reads it");
        PQfreemem(message);
        PQconninfoFree(options);
        return options != NULL;
}
