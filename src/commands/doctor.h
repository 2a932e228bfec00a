/*
 * commands/doctor: how a check of `holdfast doctor` tells what it found.
 *
 * One line a check: `ok`, `warn` or `fail`, what was found, and for the latter two what to do about it.
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

/* Connect, and say how it went; NULL when it did not. `ret_settings` must outlive the connection. */
must_check struct database *doctor_connect(const char *check, const char *url, struct database_settings *ret_settings);

/* The primary and what holds for it; the replica for reads, when there is one. */
void doctor_check_primary(void);
void doctor_check_replica(void);

/* Whether the schema has the indexes that lists and searches need, all of them valid. */
void doctor_check_indexes(struct database *database);

/* Whether somebody stands between this connection and the server, and what that does. */
void doctor_check_pooler(struct database *database, const char *url);

/* libpq explains in several lines; the first says what is wrong. For "%.*s". */
int doctor_first_line(const char *text);
