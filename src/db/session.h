/*
 * db/session: set-up of a usable session.
 *
 * A session has the settings of its kind (search path, time limits, plans), and holds the shared lock of programs that
 * work on the schema (db/schema.h), from before it reads the schema's state until it ends. Belongs to the thread of its
 * connection.
 */
#pragma once

#include "db/connection.h"

/* How long a connection attempt to one host may take, and how long sent bytes may stay unanswered by the peer's kernel.
 */
#define CONNECT_TIMEOUT_S   3
#define TCP_USER_TIMEOUT_MS 5000

/* Make the connection usable: connect when there is none, roll back the transaction of a failed trip. Call it first,
 * and after any fault. FAULT_LOST while the database cannot be reached. */
enum problem database_connect(struct database *database);

/* Whether libpq accepts a connection string; nothing is connected. False leaves libpq's reason, without values of the
 * string, in `fault` of DATABASE_URL_FAULT_SIZE bytes. */
#define DATABASE_URL_FAULT_SIZE 128
must_check bool database_url_is_valid(const char *url, char *fault);
