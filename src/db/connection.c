#include "db/connection.h"

#include "db/connection_libpq.h"
#include "db/fault.h"
#include "db/rows_libpq.h"
#include "db/schema.h"
#include "sql/transaction.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define TRIP_MAX       64             /* statements of one trip */
#define QUEUE_MAX      (2 * TRIP_MAX) /* their answers, and those of their preparation */
#define SQLSTATE_SIZE  6
#define MESSAGE_SIZE   512
#define BINARY_RESULTS 1

struct answer {
        rows_reader reader;
        void *into;
        bool is_commit;
        const struct statement *prepares; /* it answers the preparation of this statement */
};

/* A set of statements, by their index. */
struct statement_set {
        uint64_t bits[STATEMENTS_MAX / 64];
};

struct database {
        PGconn *connection; /* NULL while there is none */
        struct database_settings settings;
        struct answer queue[QUEUE_MAX];
        size_t n_queued, n_asked;
        struct statement_set prepared; /* in this session */
        struct statement_set sent;     /* prepared, or to be prepared by the trip that is being queued */
        PGresult **results;            /* kept for the text that rows point into */
        size_t n_results, results_capacity;
        enum problem send_fault; /* the first failure while queueing */
        struct notes notes;      /* of the transaction under way, or the one just committed */
        char sqlstate[SQLSTATE_SIZE];
        char message[MESSAGE_SIZE];
        uint64_t trips;
};

static bool set_has(const struct statement_set *set, const struct statement *statement) {
        return set->bits[statement->index / 64] >> statement->index % 64 & 1;
}

static void set_add(struct statement_set *set, const struct statement *statement) {
        set->bits[statement->index / 64] |= UINT64_C(1) << statement->index % 64;
}

static void results_forget(struct database *database) {
        for (size_t i = 0; i < database->n_results; i++)
                PQclear(database->results[i]);
        database->n_results = 0;
}

static bool results_keep(struct database *database, PGresult *result) {
        if (database->n_results == database->results_capacity) {
                const size_t capacity = database->results_capacity ? 2 * database->results_capacity : QUEUE_MAX;
                PGresult **results = realloc(database->results, capacity * sizeof(PGresult *));

                if (!results)
                        return false;
                database->results = results;
                database->results_capacity = capacity;
        }
        database->results[database->n_results++] = result;
        return true;
}

static enum problem fail(struct database *database, enum problem fault, const char *sqlstate, const char *message) {
        (void) snprintf(database->sqlstate, sizeof(database->sqlstate), "%s", sqlstate ? sqlstate : "");
        (void) snprintf(database->message, sizeof(database->message), "%s", message ? message : "");
        return fault;
}

/* Close the connection; the failure noted before stands. */
static void connection_end(struct database *database) {
        PQfinish(take(database->connection));
        database->n_queued = database->n_asked = 0;
        database->prepared = database->sent = (struct statement_set){ 0 };
}

static enum problem connection_drop(struct database *database, const char *message) {
        const enum problem fault = fail(database, FAULT_LOST, "", message);

        connection_end(database);
        return fault;
}

static bool queue_add(struct database *database, struct answer answer) {
        if (!database->connection && !database->send_fault)
                database->send_fault = fail(database, FAULT_LOST, "", "not connected");
        if (database->send_fault)
                return false;
        if (database->n_asked == TRIP_MAX || database->n_queued == QUEUE_MAX) {
                database->send_fault = fail(database, FAULT_BROKEN, "", "too many statements in one trip");
                return false;
        }
        database->n_asked += !answer.prepares;
        database->queue[database->n_queued++] = answer;
        return true;
}

static void note_sent(struct database *database, int sent) {
        if (sent == 1)
                return;
        database->n_queued--;
        database->send_fault = fail(database, FAULT_LOST, "", PQerrorMessage(database->connection));
}

/* Prepare the statement in the same trip, just before its first use in this session. */
static bool statement_prepare(struct database *database, const struct statement *statement) {
        if (set_has(&database->sent, statement))
                return true;
        if (!queue_add(database, (struct answer){ .prepares = statement }))
                return false;
        note_sent(database, PQsendPrepare(database->connection, statement->name, statement->sql, 0, NULL));
        if (database->send_fault)
                return false;
        set_add(&database->sent, statement);
        return true;
}

void database_prepare(struct database *database, const struct statement *statement) {
        (void) statement_prepare(database, statement);
}

void database_ask(struct database *database, const struct statement *statement, struct parameters *parameters,
        rows_reader reader, void *into) {
        static const int binary[PARAMETERS_MAX] = { [0 ... PARAMETERS_MAX - 1] = 1 };
        const struct answer answer = { .reader = reader, .into = into, .is_commit = statement == &sql_commit };

        if (parameters && !parameters_finish(parameters) && !database->send_fault)
                database->send_fault = fail(database, FAULT_BROKEN, "", "parameters are larger than allowed");
        if (!statement_prepare(database, statement) || !queue_add(database, answer))
                return;
        note_sent(database, PQsendQueryPrepared(database->connection, statement->name, parameters ? parameters->n : 0,
                                    parameters ? parameters->values : NULL, parameters ? parameters->sizes : NULL,
                                    binary, BINARY_RESULTS));
}

void database_ask_values(
        struct database *database, const char *sql, int n, const char *const *values, rows_reader reader, void *into) {
        if (!queue_add(database, (struct answer){ .reader = reader, .into = into }))
                return;
        note_sent(database, PQsendQueryParams(database->connection, sql, n, NULL, values, NULL, NULL, BINARY_RESULTS));
}

void database_ask_text(struct database *database, const char *sql, rows_reader reader, void *into) {
        database_ask_values(database, sql, 0, NULL, reader, into);
}

void database_begin(struct database *database) {
        results_forget(database);
        notes_forget(&database->notes);
        database_ask(database, &sql_begin, NULL, NULL, NULL);
}

void database_begin_snapshot(struct database *database) {
        results_forget(database);
        database_ask(database, &sql_begin_snapshot, NULL, NULL, NULL);
}

void database_begin_nothing(struct database *database) {
        results_forget(database);
        notes_forget(&database->notes);
}

void database_commit(struct database *database) {
        database_ask(database, &sql_commit, NULL, NULL, NULL);
}

/* Wait until the socket can be read, or written while there is something left to send. */
static enum problem socket_wait(struct database *database, bool unsent, timestamp deadline) {
        struct pollfd socket = { .fd = PQsocket(database->connection), .events = POLLIN };
        const timestamp now = clock_monotonic();
        int ready;

        if (now >= deadline)
                return connection_drop(database, "the database did not answer in time");
        if (unsent)
                socket.events |= POLLOUT;
        ready = poll(&socket, 1, (int) ((deadline - now) / MILLISECOND) + 1);
        if (ready > 0 && !PQconsumeInput(database->connection))
                return connection_drop(database, PQerrorMessage(database->connection));
        return PROBLEM_NONE;
}

/* Send what is buffered while reading what comes, so that two full buffers cannot wait for each other. */
static enum problem send_all(struct database *database, timestamp deadline) {
        for (;;) {
                const int unsent = PQflush(database->connection);
                enum problem p;

                if (unsent == 0)
                        return PROBLEM_NONE;
                if (unsent < 0)
                        return connection_drop(database, PQerrorMessage(database->connection));
                p = socket_wait(database, /* unsent= */ true, deadline);
                if (p)
                        return p;
        }
}

/* The next result; NULL ends the results of one statement. */
static enum problem next_result(struct database *database, timestamp deadline, PGresult **ret_result) {
        while (PQisBusy(database->connection)) {
                enum problem p = socket_wait(database, /* unsent= */ false, deadline);

                if (p)
                        return p;
        }
        *ret_result = PQgetResult(database->connection);
        return PROBLEM_NONE;
}

static bool commit_rolled_back(const struct answer *answer, PGresult *result) {
        return answer->is_commit && strcmp(PQcmdStatus(result), "COMMIT") != 0;
}

/* Names the row's fault for the log; the word of an enum tells nothing about a customer. */
static enum problem fail_unknown(struct database *database, const struct rows *rows) {
        char message[MESSAGE_SIZE];

        (void) snprintf(message, sizeof(message), "unknown value in %s.%s: %s", rows->unknown_in->table,
                rows->unknown_in->column, rows->unknown ? rows->unknown : "null");
        return fail(database, FAULT_BROKEN, "", message);
}

static enum problem answer_read(struct database *database, const struct answer *answer, PGresult *result) {
        struct rows rows = { .result = result };
        const ExecStatusType status = PQresultStatus(result);
        enum problem p = PROBLEM_NONE;

        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
                const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

                return fail(database, fault_of_sqlstate(sqlstate), sqlstate, PQresultErrorMessage(result));
        }
        if (commit_rolled_back(answer, result))
                return fail(database, FAULT_BROKEN, "", "commit rolled back");
        if (answer->reader)
                p = answer->reader(&rows, answer->into);
        if (rows.broken)
                return fail(database, FAULT_BROKEN, "", "a column does not have the type it is read as");
        return rows.unknown_in ? fail_unknown(database, &rows) : p;
}

/* Read one statement's results; after a failure the rest is drained unread up to the sync. */
static enum problem statement_finish(struct database *database, const struct answer *answer, enum problem failed,
        timestamp deadline, bool *ret_synced) {
        for (;;) {
                PGresult *result = NULL;
                enum problem p = next_result(database, deadline, &result);

                if (p)
                        return p;
                if (!result) {
                        if (PQstatus(database->connection) != CONNECTION_OK)
                                return connection_drop(database, PQerrorMessage(database->connection));
                        return failed;
                }
                if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
                        *ret_synced = true;
                        PQclear(result);
                        return failed;
                }
                if (answer->prepares && PQresultStatus(result) == PGRES_COMMAND_OK)
                        set_add(&database->prepared, answer->prepares); /* even when a reader has failed before */
                if (!failed)
                        failed = answer_read(database, answer, result);
                if (!results_keep(database, result)) {
                        PQclear(result);
                        return connection_drop(database, "out of memory");
                }
        }
}

static enum problem trip(struct database *database, timestamp deadline) {
        static const struct answer unread = { 0 };
        const size_t n = database->n_queued;
        enum problem p = database->send_fault;
        bool synced = false;

        database->n_queued = database->n_asked = 0;
        database->send_fault = PROBLEM_NONE;
        database->trips++;
        if (p && database->connection && n) {
                connection_end(database); /* half a trip is queued in libpq: start anew */
                return p;
        }
        if (p || !database->connection)
                return p ? p : FAULT_LOST;
        if (!PQpipelineSync(database->connection))
                return connection_drop(database, PQerrorMessage(database->connection));
        p = send_all(database, deadline);
        for (size_t i = 0; database->connection && !synced; i++)
                p = statement_finish(database, i < n ? &database->queue[i] : &unread, p, deadline, &synced);
        database->sent = database->prepared; /* what a failure has left out is prepared at its next use */
        if (p == FAULT_LOST)
                connection_end(database); /* also one that answers, but is of no use to us any more */
        return p;
}

enum problem database_trip(struct database *database, timestamp deadline) {
        const timestamp begin = clock_monotonic();
        const enum problem p = trip(database, deadline);

        if (database->settings.trip_times)
                histogram_observe(database->settings.trip_times, &histogram_times, clock_monotonic() - begin);
        return p;
}

/* A transaction takes milliseconds. PostgreSQL ends one that waits for its client for this long, so that a frozen
 * instance holds its locks no longer. The thawed instance has lost its connection and runs its batch again by the keys.
 */
#define IDLE_IN_TRANSACTION_MS "2000"

/* A client whose host is gone answers no probe; PostgreSQL's own default waits for two hours before the first one. */
#define SETTINGS_OF_ALL                                                                                                \
        "select set_config('search_path', $1, false), set_config('statement_timeout', $2, false),"                     \
        " set_config('lock_timeout', $3, false),"                                                                      \
        " set_config('idle_in_transaction_session_timeout', '" IDLE_IN_TRANSACTION_MS "', false),"                     \
        " set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false),"           \
        " set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '5000', false),"              \
        " set_config('jit', 'off', false),"

/* Generic plans made while a table was empty are kept for ever, so pinned connections may use nothing but indexes. */
static const char *const settings_pinned = SETTINGS_OF_ALL
        " set_config('plan_cache_mode', 'force_generic_plan', false), set_config('enable_seqscan', 'off', false),"
        " set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false)";
static const char *const settings_free = SETTINGS_OF_ALL " set_config('plan_cache_mode', 'force_custom_plan', false)";

/* What a connection that is going to work must know first, in this order: that no step which would exclude it runs or
 * can begin, and that none has. */
struct claim {
        bool granted;
        struct schema_state state;
};

static void claim_ask(struct database *database, struct claim *claim) {
        schema_share(database, database->settings.schema, &claim->granted);
        schema_ask(database, &claim->state);
}

static enum problem claim_check(struct database *database, const struct claim *claim) {
        char explanation[SCHEMA_EXPLANATION_SIZE];

        if (!claim->granted)
                return fail(database, FAULT_LOST, "", "the schema is being migrated");
        if (schema_fits(&claim->state))
                return PROBLEM_NONE;
        schema_explain(database->settings.schema, &claim->state, explanation);
        return fail(database, FAULT_LOST, "", explanation);
}

static enum problem session_prepare(struct database *database) {
        const struct database_settings *settings = &database->settings;
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
        results_forget(database);
        return p;
}

static PGconn *connect_to(const struct database_settings *settings) {
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

static enum problem connection_make(struct database *database) {
        enum problem p;

        database->connection = connect_to(&database->settings);
        if (!database->connection)
                return fail(database, FAULT_LOST, "", "out of memory");
        if (PQstatus(database->connection) != CONNECTION_OK || PQsetnonblocking(database->connection, 1) != 0 ||
                !PQenterPipelineMode(database->connection))
                return connection_drop(database, PQerrorMessage(database->connection));
        (void) PQsetNoticeReceiver(database->connection, notice_ignore, NULL);
        if (!database->settings.unprepared) /* details quote rows, and a row may tell who a customer is */
                (void) PQsetErrorVerbosity(database->connection, PQERRORS_TERSE);
        database->send_fault = PROBLEM_NONE;
        p = session_prepare(database);
        if (p && database->connection)
                connection_end(database);
        return p;
}

/* libpq's sentences quote what they stumble over, which may be a piece of a password; those about names do not. */
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

struct database *database_new(const struct database_settings *settings) {
        struct database *database = calloc(1, sizeof(*database));

        if (database)
                database->settings = *settings;
        return database;
}

struct database *database_close(struct database *database) {
        if (!database)
                return NULL;
        results_forget(database);
        notes_free(&database->notes);
        free(database->results);
        PQfinish(database->connection);
        free(database);
        return NULL;
}

/* Statements that were queued for a trip which never came: let the server run them unread, then roll back. */
static void queue_abandon(struct database *database) {
        for (size_t i = 0; i < database->n_queued; i++)
                database->queue[i] = (struct answer){ .prepares = database->queue[i].prepares };
        if (database->n_queued)
                (void) database_trip(database, clock_monotonic() + DATABASE_SHORT_WAIT);
        database->send_fault = PROBLEM_NONE;
}

enum problem database_connect(struct database *database) {
        queue_abandon(database);
        if (database->connection && PQtransactionStatus(database->connection) != PQTRANS_IDLE) {
                database_ask_text(database, "rollback", NULL, NULL); /* nothing may be prepared here */
                if (database_trip(database, clock_monotonic() + DATABASE_SHORT_WAIT) && database->connection)
                        connection_end(database);
        }
        results_forget(database);
        return database->connection ? PROBLEM_NONE : connection_make(database);
}

PGconn *database_handle(const struct database *database) {
        return database->connection;
}

enum problem database_drop(struct database *database, const char *message) {
        return connection_drop(database, message);
}

struct notes *database_notes(struct database *database) {
        return &database->notes;
}

const char *database_sqlstate(const struct database *database) {
        return database->sqlstate;
}

const char *database_message(const struct database *database) {
        return database->message;
}

uint64_t database_trips(const struct database *database) {
        return database->trips;
}

const char *database_host(const struct database *database) {
        return database->connection ? PQhost(database->connection) : "";
}

int database_session(const struct database *database) {
        return database->connection ? PQbackendPID(database->connection) : 0;
}
