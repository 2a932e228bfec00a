/*
 * sweeper/jobs: what the sweeper does, by calls of routes that no request can reach.
 */
#pragma once

#include "engine/batch.h"
#include "engine/counters.h"

#define STREAM_KEPT_FOR DAY /* an event in the stream of its location: how long a client may have been away */

/* What the sweeper works with; not shared. */
struct sweep {
        struct runner runner;
        timestamp figures_due; /* clock_monotonic */
};

struct job {
        const char *name; /* as in /metrics, which counts what it takes; NULL: it takes nothing */
        /* Run one batch and say how many documents or records it took. False when it failed: the next sweep tries
         * again. */
        bool (*run)(struct sweep *sweep, size_t *ret_taken);
        size_t full;          /* what a batch takes at most; after a full one, another follows at once */
        enum counter counter; /* raised by what was taken; COUNTER_COUNT: none */
};

/* In the order in which they run. */
#define JOBS 7
extern const struct job jobs[JOBS];
