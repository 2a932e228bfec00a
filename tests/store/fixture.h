/*
 * store/fixture: a connection, an arena and an open transaction for each test that says
 *
 *     TestSuite(room, .init = store_open, .fini = store_close);
 *
 * Nothing of a test stays: the transaction is rolled back. Connections plan as the lanes do (PLANS_PINNED), so a
 * statement that needs more than an index shows here.
 */
#pragma once

#include "db/connection.h"
#include "db/sql.h"
#include "events/events.h"

#define STORE_NOW ((timestamp) 1800000000 * SECOND) /* 2027-01-15T08:00:00Z */

extern struct database *store_database;
extern struct arena store_arena;
extern struct events store_events; /* for code that writes events; they are not saved */

void store_open(void);
void store_close(void);

/* Send what is queued; the test fails with the database's message unless `expected` comes of it. */
void store_trip_expecting(enum problem expected);
void store_trip(void);

/* Run one statement of plain SQL; `store_run` with values in it. */
void store_execute(const char *sql);
void store_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The one value that a query of plain SQL returns, as text or as bigint. */
const char *store_text(const char *sql);
int64_t store_integer(const char *sql);

void assert_text(const char *sql, const char *expected);

/* A statement of a test, under a name that no other has; in the arena. */
const struct statement *store_statement(const char *sql);
