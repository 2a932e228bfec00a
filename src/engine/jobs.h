/*
 * engine/jobs: scheduled work, such as expiry, reminders and pruning.
 *
 * A job is a row: rooms export theirs, and `serve` starts the threads that run them. Each thread has one connection and
 * runs its jobs in small batches through the same engine as every request (engine/batch.h), so that there is one code
 * path. A turn runs one batch of each due job in their order, then one more of each job whose batch was full: a long
 * backlog of one job delays another by a batch at most. Jobs skip documents that another session has locked, so any
 * number of instances may run them at once.
 */
#pragma once

#include "base/config.h"
#include "engine/batch.h"
#include "engine/counters.h"

#define JOB_INTERVAL_S 1  /* between two turns: figures that no request touches lag an expiry by this and the turn */
#define JOB_FOUND_MAX  32 /* documents that one batch of a finding job takes */
#define JOBS_MAX       64 /* of one thread; twice as many as the planned rooms need */

/* Documents that a job has found, by id. */
struct due_documents {
        struct arena *arena;
        struct uuid *ids;
        size_t n;
};

struct rows; /* db/rows.h */

/* Read rows of ids into a struct due_documents. */
enum problem due_documents_read(struct rows *rows, void *into);

enum job_thread {
        JOBS_TIDYING,  /* transactions only: expiry, reminders, pruning, figures */
        JOBS_DELIVERY, /* network work: leased in one transaction, sent with none open, recorded in another */
        JOB_THREADS,
};

/* A job is one of three kinds:
 *   route         one call takes a batch and answers with its outcome (job_answer)
 *   find, each    `find` queues a statement that names due documents, without a lock; a call of `each` runs for every
 * one and decides again under the locks prune         a statement of sql/retention.sql deletes a batch of rows that are
 * older than they are kept */
struct job {
        const char *name; /* as in /metrics, which counts the documents it took; NULL: not counted */
        enum job_thread thread;
        duration every; /* 0: each turn */
        size_t batch;   /* a full batch: another follows in the same turn; at most JOB_FOUND_MAX with `find` */
        const struct route *route;
        enum problem (*find)(struct database *database, int64_t limit, struct due_documents *due);
        const struct route *each;
        const struct statement *prune;
        enum setting kept_setting; /* how long pruned rows are kept: a setting, or without one kept_for */
        duration kept_for;
        bool has_kept_setting;
        void (*done)(const void *result); /* after the batch of a `route` job; may be NULL */
        bool has_counter;
        enum counter counter; /* raised by the documents it took */
};

struct job_list {
        const struct job *jobs;
        size_t n;
};

struct jobs_settings {
        const char *database_url;
        const char *schema;
        const struct job_list *lists; /* run in this order; must stay */
        size_t n_lists;
};

struct jobs;

/* Start a thread for each kind that has jobs. NULL when a thread cannot start or would have more than JOBS_MAX. The
 * database need not be reachable yet.
 */
must_check struct jobs *jobs_start(const struct jobs_settings *settings);

/* Finish the batches at work and stop. NULL is fine. Returns NULL. */
struct jobs *jobs_stop(struct jobs *jobs);

/* The outcome of a batch of a `route` job, in call->work. */
struct job_outcome {
        size_t taken;
        const void *result; /* for `done`; may be NULL */
};

/* Answer the call with its outcome; NULL without memory. */
must_check struct job_outcome *job_answer(struct call *call, size_t taken, const void *result);
