/*
 * db/connection: one connection to PostgreSQL, owned by one thread, in pipeline mode.
 *
 * Statements are queued with `database_ask`, then one `database_trip` sends them all, waits for all their results
 * and hands each to its reader: one round trip, however many statements. The first failure ends the trip; later
 * readers are not called. Readers run on the calling thread.
 *
 *     database_begin(database);
 *     database_ask(database, &sql_stock_lock, &parameters, stock_read, &stock);
 *     p = database_trip(database, deadline);
 *
 * All problems returned are faults (base/problem.h). After one, `database_connect` (db/session.h) makes the connection
 * usable again.
 */
#pragma once

#include "base/histogram.h"
#include "base/problem.h"
#include "db/notes.h"
#include "db/parameters.h"
#include "db/rows.h"

struct database;
struct statement; /* sql/<room>.h */

enum database_plans {
        PLANS_PINNED, /* generic plans, index access only: lanes */
        PLANS_FREE,   /* the planner's defaults: lists, reports, tools */
};

struct database_settings {
        const char *url;    /* libpq connection string or URI; several hosts allowed */
        const char *schema; /* the market's schema: [a-z_][a-z0-9_]*, at most 63 */
        const char *name;   /* application_name, shown in pg_stat_activity */
        enum database_plans plans;
        int statement_timeout_ms;
        int lock_timeout_ms;
        struct histogram *trip_times; /* counts the time of each trip, by histogram_times; may be NULL */
        bool trial;                   /* roll back every transaction instead of committing it: a dry run */
        bool unprepared; /* do not look at the schema or keep it from being migrated: for tools that ask about it */
};

/* Statements of one trip. The longest so far have 64 (a batch of lists asks one for each call) and some 40 (a write of
 * every part of an order). Planned rooms add as many again to an order, and two statements for each call to a batch. */
#define TRIP_STATEMENTS_MAX 256

#define DATABASE_SHORT_WAIT (5 * SECOND) /* for trips outside a call: rollback, session settings */

/* A connection object, not yet connected; `settings` and its text must outlive it. NULL when there is no memory. */
must_check struct database *database_new(const struct database_settings *settings);

/* Close; NULL is fine. Returns NULL. */
struct database *database_close(struct database *database);
DEFINE_CLEANUP(struct database, database_close_cleanup, database_close)

/* The reader of the rows of one statement. A problem returned here ends the trip. */
typedef enum problem (*rows_reader)(struct rows *rows, void *into);

/* Queue a statement; `parameters` and `reader` may be NULL. Errors show at the trip. The first use in a session
 * prepares the statement in the same trip, so a reconnect prepares only statements in use. */
void database_ask(struct database *database, const struct statement *statement, struct parameters *parameters,
        rows_reader reader, void *into);

/* Queue the preparation alone, which the first use does anyway: for tests that look at plans. */
void database_prepare(struct database *database, const struct statement *statement);

/* Queue unprepared text without parameters; one statement. For migrations and tools. */
void database_ask_text(struct database *database, const char *sql, rows_reader reader, void *into);

/* The same with text parameters ($1...), NULL for SQL null. */
void database_ask_values(
        struct database *database, const char *sql, int n, const char *const *values, rows_reader reader, void *into);

/* Send the queued statements and read all answers, until `deadline` (clock_monotonic). Past it the connection is closed
 * (FAULT_LOST): its outcome is unknown. */
enum problem database_trip(struct database *database, timestamp deadline);

/* Forget the results of the previous transaction and queue BEGIN (read committed), or a read-only snapshot. */
void database_begin(struct database *database);
void database_begin_snapshot(struct database *database);

/* The same for statements outside a transaction: each trip is one. */
void database_begin_nothing(struct database *database);

/* Queue the time now of the database, which is the clock of all instances. */
void database_ask_clock(struct database *database, timestamp *ret_now);

/* Queue COMMIT, or ROLLBACK in a trial; a trip that ends with a rolled back transaction fails. */
void database_commit(struct database *database);

/* The topics that the current transaction changes, for its store to add to; forgotten when the next one begins. */
struct notes *database_notes(struct database *database);

/* The last failure, for the log: SQLSTATE ("" when it never reached the server) and message. Never for a client. */
const char *database_sqlstate(const struct database *database);
const char *database_message(const struct database *database);

/* Trips and connection attempts so far, for metrics and tests. */
uint64_t database_trips(const struct database *database);

/* The process id of the session as announced by the server; a pooler announces another one. 0 without a connection. */
int database_session(const struct database *database);

/* The host and port it is connected to, for the log. */
const char *database_host(const struct database *database);
