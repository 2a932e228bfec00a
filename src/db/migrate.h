/*
 * db/migrate: migration of the schema to head, forward only.
 *
 * Each migration runs in its own transaction, under one advisory lock per schema, and is recorded in the table
 * `schema_migration` with the digest of its text and whether older programs may go on beside it (db/schema.h). It waits
 * for a table's lock only briefly, because all later sessions wait behind it, and tries again.
 */
#pragma once

#include "db/schema.h"
#include "db/sql.h"

#define MIGRATE_LOCK_WAIT_S   60                  /* for another migrate, and for all tables of one step */
#define MIGRATE_TABLE_LOCK_MS 500                 /* for a table at a time: less than lanes wait for a row */
#define MIGRATE_TABLE_PAUSE   (500 * MILLISECOND) /* in which the sessions that waited behind it proceed */

struct migrate_report {
        int from, to; /* versions; 0 is an empty schema */
};

/* Create a missing schema and run the missing migrations; change nothing on a newer schema on which this program may
 * work. FAULT_STUCK: another migrate, or a user of a table, held a lock too long. FAULT_RIVAL: the next step cannot run
 * beside programs that work on the schema. FAULT_STALE: the schema is newer than the program may work on, or a recorded
 * migration has another text. `announce` is called after each step and may be NULL. The report is true even then. */
enum problem migrate_to_head(struct database *database, const char *schema,
        void (*announce)(const struct migration *migration), struct migrate_report *ret_report);

/* PROBLEM_NONE: the migrations recorded in the schema are those of this program, as far as it knows them. FAULT_STALE:
 * one of them had another text when it ran. The schema must exist. */
enum problem migrate_check_history(struct database *database);
