/*
 * db/connection_libpq: the inside of `struct database`; for db/ alone.
 */
#pragma once

#include "db/connection.h"

#include <libpq-fe.h>

/* NULL while there is none. */
PGconn *database_handle(const struct database *database);

/* Give the connection up; database_connect makes a new one. */
enum problem database_drop(struct database *database, const char *message);

/* The same without a failure to note, and with one to note but a connection that goes on. */
void database_end(struct database *database);
enum problem database_fail(struct database *database, enum problem fault, const char *message);

/* The same for a result by which the server refuses a statement: its SQLSTATE tells the fault. */
enum problem database_refuse(struct database *database, const PGresult *result);

/* Take over a connection just made, or NULL: nothing is queued on it and nothing prepared. */
void database_adopt(struct database *database, PGconn *connection);

/* Let the server run the statements of an abandoned trip, unread, and forget all results. */
void database_abandon(struct database *database);

const struct database_settings *database_settings_of(const struct database *database);
