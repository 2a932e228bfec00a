/*
 * engine/sessions: the end of transactions whose instance is frozen.
 *
 * An instance that freezes between two trips leaves a session `idle in transaction`, which PostgreSQL ends by its own
 * limit (db/session.c). One that freezes in the middle of a trip leaves an `active` session: no limit of PostgreSQL 15
 * counts while the server waits for the client. So every instance looks for such sessions of the others. The thawed
 * instance has lost its connection and runs the batch again by its keys.
 */
#pragma once

#include "engine/jobs.h"

#define SILENT_MAX (2 * SECOND) /* a client sends a trip in milliseconds; as long as idle in a transaction */

extern const struct job session_jobs[];
extern const size_t session_job_count;
