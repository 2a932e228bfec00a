/*
 * sweeper: what has to happen although nobody asks for it.
 *
 * One thread of `serve` with a connection of its own. Once a second it runs its jobs, each in small batches through the
 * same engine as every request (engine/batch.h), so that there is one code path. Documents that somebody else works on
 * are skipped, so any number of instances may sweep at once.
 */
#pragma once

#include "base/cleanup.h"

#define SWEEP_INTERVAL_S 1 /* figures that nobody touches lag an expiry by this, and the time of a sweep */

struct sweeper_settings {
        const char *database_url;
        const char *schema;
};

struct sweeper;

/* NULL when the thread cannot start. The database may still be away. */
must_check struct sweeper *sweeper_start(const struct sweeper_settings *settings);

/* Finish the batch at work and stop. NULL is fine. Returns NULL. */
struct sweeper *sweeper_stop(struct sweeper *sweeper);
