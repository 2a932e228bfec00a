/*
 * engine/batch: many calls in one transaction; the core of the service.
 *
 * Every write, hot or rare, runs through `batch_run`: lock the keys, look for records, load, decide, save, store the
 * replies, commit; two round trips when nothing special happens. A single call is the batch of one. Every call gets its
 * own answer. The fault of a failed transaction (base/problem.h) decides its remedy: run again, run in halves, or
 * reconnect and read from the idempotency records which calls were committed.
 */
#pragma once

#include "db/connection.h"
#include "engine/call.h"

#include <stdatomic.h>

#define BATCH_MAX          512 /* calls */
#define BATCH_MEMORY_MAX   ((size_t) 256 * 1024 * 1024)
#define BATCH_ATTEMPTS_MAX 8                   /* runs of one batch for conflicts, before it answers 503 */
#define RECONNECT_PATIENCE (3 * SECOND)        /* how long a lost batch waits for the database to come back */
#define RECONNECT_PAUSE    (250 * MILLISECOND) /* between two attempts to connect */
#define STUCK_SHARDS_MAX   8
#define STUCK_TIME         (5 * SECOND) /* a row that was stuck is treated as stuck for so long */

struct runner_counts {
        uint64_t batches, calls, retries, splits, reconnects;
};

/* State of a connection, for metrics. */
enum runner_state {
        RUNNER_AWAY, /* there is none */
        RUNNER_BUSY, /* running a batch */
        RUNNER_IDLE,
        RUNNER_STATES,
};

/* A shard where a batch recently hit the lock timeout: the next call there waits only briefly. */
struct stuck_shard {
        unsigned shard;
        timestamp until; /* clock_monotonic */
};

/* How long a transaction waits for locks. */
enum haste {
        HASTE_NONE,
        HASTE_SOME,  /* a row here was stuck recently */
        HASTE_GREAT, /* some of these calls need a stuck row */
};

/* The connection and memory of one worker. Not shared. */
struct runner {
        struct database *database;
        struct arena arena;
        uint64_t random;              /* state of the jitter */
        timestamp connect_not_before; /* clock_monotonic: no earlier attempt while the database is not reachable */
        bool connected;
        bool away; /* the log has "database connection lost" */
        enum haste haste;
        struct stuck_shard stuck[STUCK_SHARDS_MAX]; /* by shard; the newest of those that share a place is kept */
        struct runner_counts counts;
        _Atomic(enum runner_state) state; /* any thread may look */
};

/* Prepare a runner; it connects with its first batch. False without memory. `settings` must outlive it. */
must_check bool runner_init(struct runner *runner, const struct database_settings *settings);
void runner_clear(struct runner *runner);

/* Connect before the first batch; if the database cannot be reached yet, that batch tries again. */
void runner_connect(struct runner *runner);

/* Run n calls of one route, BATCH_MAX at most, and answer each (call->reply.status is set). `calls` may be reordered.
 */
void batch_run(struct runner *runner, struct call **calls, size_t n);

enum batch_remedy { REMEDY_RUN_AGAIN, REMEDY_HALVES, REMEDY_GIVE_UP };

/* The remedy for a fault of n calls, after `attempts` earlier ones. Pure; for batch_run and its test. */
enum batch_remedy batch_remedy_for(enum problem fault, unsigned attempts, bool rival_seen, size_t n);
