/*
 * db/listen: notices from other sessions by PostgreSQL's NOTIFY.
 *
 * A connection that listens (LISTEN as a statement) gets notices whenever its socket can be read and it is between two
 * trips. A notice is a hint: it may be lost with its connection, so a reader must also look from time to time.
 */
#pragma once

#include "db/connection.h"

typedef void (*listen_reader)(void *context, const char *payload);

/* The socket to poll for notices; -1 while there is no connection. It changes with each connection. */
int listen_socket(const struct database *database);

/* Take the notices that have arrived, without waiting, and hand each payload of another session to the reader.
 * FAULT_LOST when the connection is gone. */
must_check enum problem listen_take(struct database *database, listen_reader reader, void *context);
