/*
 * db/migrate: bring the schema to head, forward only.
 *
 * Each migration runs in its own transaction, under one advisory lock per schema, and is recorded in the table
 * `schema_migration` with the digest of its text. A schema newer than this program is never touched.
 */
#pragma once

#include "db/connection.h"

/* How long `holdfast migrate` waits for another one that holds the lock. */
#define MIGRATE_LOCK_WAIT_S 60

struct migrate_report {
        int from, to; /* versions; 0 is an empty schema */
};

/* Create the schema when it is missing and run what is not yet there. FAULT_STUCK: another migrate held the lock too
 * long. FAULT_STALE: the schema is newer than the program, or a recorded migration has another text. `announce` is
 * called before each step and may be NULL. */
enum problem migrate_to_head(struct database *database, const char *schema,
        void (*announce)(const struct migration *migration), struct migrate_report *ret_report);

/* The version the schema is at; 0 when there is none. Gives up at `deadline` (clock_monotonic). */
enum problem migrate_version(struct database *database, const char *schema, timestamp deadline, int *ret_version);

/* The version this program needs. */
int migrate_head(void);
