/*
 * db/connection_libpq: what stands behind `struct database`; for db/ alone.
 */
#pragma once

#include "db/connection.h"

#include <libpq-fe.h>

/* NULL while there is none. */
PGconn *database_handle(const struct database *database);

/* Give the connection up; database_connect makes a new one. */
enum problem database_drop(struct database *database, const char *message);
