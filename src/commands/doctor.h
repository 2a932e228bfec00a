/*
 * commands/doctor: the checks of `holdfast doctor` and their report.
 *
 * One line for each check: `ok`, `warn` or `fail`, the finding, and for the latter two the cure.
 */
#pragma once

#include "db/connection.h"

#define DOCTOR_TIMEOUT_MS 5000
#define DOCTOR_TIME_MAX   (10 * SECOND) /* of one question */

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

void doctor_say(enum verdict verdict, const char *check, const char *remedy, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* How many checks have failed so far. */
unsigned doctor_failures(void);

/* Connect and report the result; NULL without a connection. `ret_settings` must outlive the connection. */
must_check struct database *doctor_connect(const char *check, const char *url, struct database_settings *ret_settings);

/* The primary and its settings; the replica for reads, if there is one. */
void doctor_check_primary(void);
void doctor_check_replica(void);

/* Whether the schema has the indexes that lists and searches need, all of them valid. */
void doctor_check_indexes(struct database *database);
void doctor_check_webhooks(struct database *database);

/* Whether events get their positions in the log, and how far consumers of the log are behind. */
void doctor_check_events(struct database *database);

/* Check for a pooler between this connection and the server, and for its mode. */
void doctor_check_pooler(struct database *database, const char *url);

/* The length of the first line, which has the fault in libpq's messages. For "%.*s". */
int doctor_first_line(const char *text);
