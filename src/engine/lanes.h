/*
 * engine/lanes: workers that each own a bounded queue and a database connection.
 *
 * The loop pushes calls; a worker takes the waiting calls of one route, up to the route's batch limit and in arrival
 * order, runs them as one batch, and hands the answered batch back. There is no timer: while one batch commits, the
 * next one gathers, and a lone call starts at once. Lanes keep slow work from starving a sale.
 *
 * Few large batches cost less than many small ones, so a lane's first worker does all the work as long as it keeps up.
 * When its batch is slow, or more calls wait than the next batches can take, the lane is spread: waiting and new calls
 * go to the other workers by their shard (call_shard), until the backlog is gone. So the calls of one location always
 * share a queue and their transactions: the first call is served first, and a hot row gets big batches. A stuck row
 * soon delays only the locations that share its worker.
 */
#pragma once

#include "engine/batch.h"

#define LANE_WORKERS_MAX 16
#define LANE_SPREAD_AT   256 /* calls waiting: two full batches */
#define LANE_CALM_AT     128
#define LANE_SLOW_FOR    (3 * SECOND) /* a lane stays spread for so long after a slow batch */

/* Hands back answered calls, linked by `next`; called on a worker's thread. */
typedef void (*lanes_done)(void *context, struct call *answered);

struct lanes_settings {
        const char *database_url;
        const char *read_url; /* for routes that may lag; NULL: the primary */
        const char *schema;
        size_t queue_max;             /* calls waiting in one lane; while it is spread, each worker has its share */
        unsigned workers[LANE_COUNT]; /* 1 to LANE_WORKERS_MAX */
        lanes_done done;
        void *context;
};

struct lane_figures {
        struct runner_counts counts;
        uint64_t refused, waiting;
        uint64_t capacity;                   /* calls that may wait */
        uint64_t spread;                     /* 1 while it is */
        uint64_t connections[RUNNER_STATES]; /* how many are in each state */
        const struct histogram *batches;     /* by their calls: lanes_batch_bounds */
        const struct histogram *waits;       /* from being queued to being run: histogram_times */
        const struct histogram *trips;       /* to the database and back: histogram_times */
};

extern const struct histogram_bounds lanes_batch_bounds;

struct lanes;

/* Start all workers. They connect by themselves, so the database need not be reachable yet. NULL when a thread cannot
 * start. */
must_check struct lanes *lanes_start(const struct lanes_settings *settings);

/* Queue a call; false when its worker's queue is full or stopping: then the caller keeps it. Loop thread. */
must_check bool lanes_push(struct lanes *lanes, struct call *call);

/* Check the lanes at each tick: a batch that already ran at the last tick is slow. Loop thread. */
void lanes_tick(struct lanes *lanes);

/* Finish the queued calls, stop the workers, close their connections. NULL is fine. Returns NULL. */
struct lanes *lanes_stop(struct lanes *lanes);

/* Any thread: the figures of a lane, how many workers it has, and the calls that wait for one of them. */
void lanes_figures(struct lanes *lanes, enum lane_name name, struct lane_figures *ret_figures);
unsigned lanes_workers(const struct lanes *lanes, enum lane_name name);
uint64_t lanes_waiting(struct lanes *lanes, enum lane_name name, unsigned worker);
const char *lane_text(enum lane_name name);
