/*
 * db/listen: what other sessions tell over PostgreSQL's NOTIFY.
 *
 * A connection that has been told to listen (LISTEN as a statement) gets notices whenever its socket can be read and it
 * is between two trips. They are a hint: one may be lost with its connection, so whoever needs to know looks as well.
 */
#pragma once

#include "db/connection.h"

typedef void (*listen_reader)(void *context, const char *payload);

/* The socket to poll for notices; -1 while there is no connection. It changes with each connection. */
int listen_socket(const struct database *database);

/* Take what has arrived, without waiting, and hand each payload that another session sent to the reader. FAULT_LOST
 * when the connection is gone. */
must_check enum problem listen_take(struct database *database, listen_reader reader, void *context);
