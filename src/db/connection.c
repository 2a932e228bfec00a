#include "db/connection.h"

#include "db/connection_libpq.h"
#include "db/fault.h"
#include "db/rows_libpq.h"
#include "sql/transaction.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define QUEUE_MAX      (2 * TRIP_STATEMENTS_MAX) /* answers of a trip, and those of their preparation */
#define SQLSTATE_SIZE  6
#define MESSAGE_SIZE   512
#define BINARY_RESULTS 1

struct answer {
        rows_reader reader;
        void *into;
        bool is_commit;
        const struct statement *statement; /* NULL: text without a name */
        const struct statement *prepares;  /* it answers the preparation of this statement */
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

static enum problem connection_fail(
        struct database *database, enum problem fault, const char *sqlstate, const char *message) {
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
        const enum problem fault = connection_fail(database, FAULT_LOST, "", message);

        connection_end(database);
        return fault;
}

static bool queue_add(struct database *database, struct answer answer) {
        if (!database->connection && !database->send_fault)
                database->send_fault = connection_fail(database, FAULT_LOST, "", "not connected");
        if (database->send_fault)
                return false;
        if (database->n_asked == TRIP_STATEMENTS_MAX || database->n_queued == QUEUE_MAX) {
                database->send_fault = connection_fail(database, FAULT_BROKEN, "", "too many statements in one trip");
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
        database->send_fault = connection_fail(database, FAULT_LOST, "", PQerrorMessage(database->connection));
}

static enum problem fail_parameters(struct database *database, const struct parameters *parameters) {
        char message[MESSAGE_SIZE] = "parameters are larger than allowed";

        if (parameters->unbound)
                (void) snprintf(message, sizeof(message), "no column is bound to %s", parameters->unbound);
        return connection_fail(database, FAULT_BROKEN, "", message);
}

/* Prepare the statement in the same trip, just before its first use in this session. */
static bool statement_prepare(struct database *database, const struct statement *statement) {
        if (database->sent.bits[statement->index / 64] >> statement->index % 64 & 1)
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
        const struct answer answer = {
                .reader = reader, .into = into, .is_commit = statement == &sql_commit, .statement = statement
        };

        if (parameters && !parameters_finish(parameters) && !database->send_fault)
                database->send_fault = fail_parameters(database, parameters);
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

static enum problem clock_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(timestamp *) into = row_time(&row);
        return PROBLEM_NONE;
}

void database_ask_clock(struct database *database, timestamp *ret_now) {
        database_ask(database, &sql_clock, NULL, clock_read, ret_now);
}

void database_commit(struct database *database) {
        database_ask(database, database->settings.trial ? &sql_rollback : &sql_commit, NULL, NULL, NULL);
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

/* Send buffered statements while reading answers, so that two full buffers cannot wait for each other. */
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

/* Names the row's fault for the log; the word of an enum is no personal data. */
static enum problem fail_unknown(struct database *database, const struct rows *rows) {
        char message[MESSAGE_SIZE];

        (void) snprintf(message, sizeof(message), "unknown value in %s.%s: %s", rows->unknown_in->table,
                rows->unknown_in->column, rows->unknown ? rows->unknown : "null");
        return connection_fail(database, FAULT_BROKEN, "", message);
}

static enum problem fail_broken(struct database *database, const struct rows *rows) {
        char message[MESSAGE_SIZE];

        (void) snprintf(message, sizeof(message), "column %s of %s does not have the type it is read as",
                rows->broken_column ? rows->broken_column : "(unnamed)",
                rows->statement ? rows->statement->name : "a text");
        return connection_fail(database, FAULT_BROKEN, "", message);
}

enum problem database_refuse(struct database *database, const PGresult *result) {
        const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

        return connection_fail(database, fault_of_sqlstate(sqlstate), sqlstate, PQresultErrorMessage(result));
}

static enum problem answer_read(struct database *database, const struct answer *answer, PGresult *result) {
        struct rows rows = { .result = result, .statement = answer->statement };
        const ExecStatusType status = PQresultStatus(result);
        enum problem p = PROBLEM_NONE;

        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
                return database_refuse(database, result);
        if (answer->is_commit && strcmp(PQcmdStatus(result), "COMMIT") != 0)
                return connection_fail(database, FAULT_BROKEN, "", "commit rolled back");
        if (answer->reader)
                p = answer->reader(&rows, answer->into);
        if (rows.broken)
                return fail_broken(database, &rows);
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

static enum problem connection_trip(struct database *database, timestamp deadline) {
        static const struct answer unread = { 0 };
        const size_t n = database->n_queued;
        enum problem p = database->send_fault;
        bool synced = false;

        database->n_queued = database->n_asked = 0;
        database->send_fault = PROBLEM_NONE;
        database->trips++;
        if (p && database->connection && n) {
                connection_end(database); /* half a trip is queued in libpq: reconnect */
                return p;
        }
        if (p || !database->connection)
                return p ? p : FAULT_LOST;
        if (!PQpipelineSync(database->connection))
                return connection_drop(database, PQerrorMessage(database->connection));
        p = send_all(database, deadline);
        for (size_t i = 0; database->connection && !synced; i++)
                p = statement_finish(database, i < n ? &database->queue[i] : &unread, p, deadline, &synced);
        database->sent =
                database->prepared; /* statements not prepared because of a failure are prepared at their next use */
        if (p == FAULT_LOST)
                connection_end(database); /* also a connection that answers, but is no longer usable */
        return p;
}

enum problem database_trip(struct database *database, timestamp deadline) {
        const timestamp begin = clock_monotonic();
        const enum problem p = connection_trip(database, deadline);

        if (database->settings.trip_times)
                histogram_observe(database->settings.trip_times, &histogram_times, clock_monotonic() - begin);
        return p;
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

void database_abandon(struct database *database) {
        for (size_t i = 0; i < database->n_queued; i++)
                database->queue[i] = (struct answer){ .prepares = database->queue[i].prepares };
        if (database->n_queued)
                (void) database_trip(database, clock_monotonic() + DATABASE_SHORT_WAIT);
        database->send_fault = PROBLEM_NONE;
        results_forget(database);
}

void database_adopt(struct database *database, PGconn *connection) {
        connection_end(database);
        database->connection = connection;
        database->send_fault = PROBLEM_NONE;
}

void database_end(struct database *database) {
        connection_end(database);
}

enum problem database_fail(struct database *database, enum problem fault, const char *message) {
        return connection_fail(database, fault, "", message);
}

const struct database_settings *database_settings_of(const struct database *database) {
        return &database->settings;
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
