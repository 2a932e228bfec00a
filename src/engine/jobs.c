#include "engine/jobs.h"

#include "base/exposition.h"
#include "db/connection.h"
#include "db/parameters.h"
#include "db/rows.h"

#include <pthread.h>
#include <stdio.h>

#define STATEMENT_TIMEOUT_MS 5000
#define LOCK_TIMEOUT_MS      1000
#define PATIENT_BATCHES_MAX  100 /* of one job in a turn */
#define FIGURES_SIZE_MAX     ((size_t) 64 * 1024)
#define LABELS_SIZE          96

/* One thread and its jobs. */
struct worker {
        struct jobs *jobs;
        const char *name; /* in /metrics */
        struct database_settings settings;
        struct runner runner;
        const struct job *rows[JOBS_MAX];
        timestamp due[JOBS_MAX]; /* clock_monotonic */
        size_t n;
        pthread_t thread;
        bool is_started;
        /* Figures, under the mutex of `jobs`. */
        uint64_t taken[JOBS_MAX];
        struct histogram turns;
        timestamp succeeded_at; /* clock_wall; 0: never */
};

struct jobs {
        struct worker workers[JOB_THREADS];
        pthread_mutex_t mutex;
        pthread_cond_t wake;
        bool stopping;
};

static const struct {
        const char *name, *session;
} threads[JOB_THREADS] = {
        [JOBS_DELIVERY] = { "delivery", "holdfast delivery" },
        [JOBS_TIDYING] = { "tidying", "holdfast sweeper" },
};

static const struct token_claims claims = { .subject = "sweeper", .all_locations = true };

/* ---- calls ---- */

static void call_begin(struct call *call, const struct route *route) {
        call_init(call, route);
        call->claims = &claims;
        call->arrived = clock_monotonic();
        call->deadline = call->arrived + CALL_TIME_MAX;
}

struct job_outcome *job_answer(struct call *call, size_t taken, const void *result) {
        struct job_outcome *outcome = arena_new(&call->arena, struct job_outcome);

        if (!outcome)
                return NULL;
        *outcome = (struct job_outcome){ taken, result };
        call->work = outcome;
        call->reply = (struct reply){ .status = 200 };
        return outcome;
}

/* The operation finds its job in call->body. */
static bool route_run(struct worker *worker, const struct job *job, const struct route *route, size_t *ret_taken) {
        struct call call, *calls[] = { &call };
        const struct job_outcome *outcome;
        bool ok;

        call_begin(&call, route);
        call.body = job;
        batch_run(&worker->runner, calls, array_size(calls));
        outcome = call.reply.status == 200 ? call.work : NULL;
        ok = outcome != NULL;
        if (ok)
                *ret_taken = outcome->taken;
        if (ok && job->done)
                job->done(outcome->result);
        call_clear(&call);
        return ok;
}

/* ---- jobs that find documents and run a command for each ---- */

enum problem due_documents_read(struct rows *rows, void *into) {
        struct due_documents *due = into;

        due->ids = arena_new_array(due->arena, struct uuid, rows_count(rows));
        if (!due->ids)
                return FAULT_BUSY;
        due->n = rows_count(rows);
        for (size_t i = 0; i < due->n; i++) {
                struct row row = row_at(rows, i);

                due->ids[i] = row_uuid(&row);
        }
        return PROBLEM_NONE;
}

static enum problem find_load(struct batch *batch) {
        struct call *call = batch->calls[0];
        const struct job *job = call->body;
        struct due_documents *due = arena_new(&call->arena, struct due_documents);

        if (!due)
                return FAULT_BUSY;
        due->arena = &call->arena;
        batch->work = due;
        return job->find(batch->database, (int64_t) job->batch, due);
}

static enum problem find_decide(struct batch *batch) {
        batch->calls[0]->work = batch->work;
        batch->calls[0]->reply.status = 200;
        return PROBLEM_NONE;
}

static const struct operation find = { .load = find_load, .decide = find_decide };
static const struct route find_route = { .path = "(find due documents)", .batch = 1, .operation = &find };

static bool due_run(struct worker *worker, const struct due_documents *due, const struct route *route) {
        struct call calls[JOB_FOUND_MAX], *list[JOB_FOUND_MAX];
        bool ok = true;

        for (size_t i = 0; i < due->n; i++) {
                call_begin(&calls[i], route);
                call_set_id(&calls[i], &due->ids[i]);
                list[i] = &calls[i];
        }
        if (due->n)
                batch_run(&worker->runner, list, due->n);
        for (size_t i = 0; i < due->n; i++) {
                ok = ok && calls[i].reply.status == 200;
                call_clear(&calls[i]);
        }
        return ok;
}

static bool find_run(struct worker *worker, const struct job *job, size_t *ret_taken) {
        struct call call, *calls[] = { &call };
        const struct due_documents *due;
        bool ok;

        call_begin(&call, &find_route);
        call.body = job;
        batch_run(&worker->runner, calls, array_size(calls));
        due = call.reply.status == 200 ? call.work : NULL;
        ok = due && due_run(worker, due, job->each);
        if (ok)
                *ret_taken = due->n;
        call_clear(&call);
        return ok;
}

/* ---- jobs that prune ---- */

static enum problem prune_load(struct batch *batch) {
        batch->work = job_answer(batch->calls[0], 0, NULL);
        return batch->work ? PROBLEM_NONE : FAULT_BUSY;
}

/* Rows are pruned by a statement; no document is in memory. */
static void prune_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        (void) batch;
        (void) call;
        (void) snapshot;
}

static enum problem prune_one(struct batch *batch, struct call *call) {
        (void) batch;
        (void) call;
        return PROBLEM_NONE;
}

static enum problem job_pruned_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        ((struct job_outcome *) into)->taken = (size_t) row_integer(&row);
        return PROBLEM_NONE;
}

static enum problem prune_save(struct batch *batch) {
        const struct job *job = batch->calls[0]->body;
        struct parameters p;

        parameters_init(&p, batch->arena);
        parameter_time(&p, batch->now - (job->has_kept_setting ? config_integer(job->kept_setting) : job->kept_for));
        parameter_integer(&p, (int64_t) job->batch);
        parameter_boolean(&p, true);
        database_ask(batch->database, job->prune, &p, job_pruned_read, batch->work);
        return PROBLEM_NONE;
}

static const struct operation prune = {
        .load = prune_load, .documents = prune_documents, .change = prune_one, .save = prune_save
};
static const struct route prune_route = { .path = "(prune)", .batch = 1, .operation = &prune };

/* ---- figures ---- */

static void write_turns(struct buffer *out, const struct jobs *jobs) {
        static const char name[] = "holdfast_sweep_duration_seconds";
        char labels[LABELS_SIZE];

        exposition_head(out, name, "histogram", "Time of a turn of scheduled jobs");
        for (size_t i = 0; i < JOB_THREADS; i++)
                if (jobs->workers[i].is_started) {
                        (void) snprintf(labels, sizeof(labels), "thread=\"%s\"", jobs->workers[i].name);
                        exposition_histogram(out, name, labels, &jobs->workers[i].turns, &histogram_times);
                }
}

static void write_successes(struct buffer *out, const struct jobs *jobs) {
        static const char name[] = "holdfast_sweep_last_success_timestamp_seconds";
        char labels[LABELS_SIZE];

        exposition_head(out, name, "gauge",
                "When a turn of scheduled jobs last succeeded as a whole, as Unix time; 0 for never");
        for (size_t i = 0; i < JOB_THREADS; i++)
                if (jobs->workers[i].is_started) {
                        (void) snprintf(labels, sizeof(labels), "thread=\"%s\"", jobs->workers[i].name);
                        exposition_number(out, name, labels, (double) jobs->workers[i].succeeded_at / SECOND);
                }
}

static void write_taken(struct buffer *out, const struct worker *worker) {
        char labels[LABELS_SIZE];

        for (size_t i = 0; i < worker->n; i++)
                if (worker->rows[i]->name) {
                        (void) snprintf(labels, sizeof(labels), "job=\"%s\"", worker->rows[i]->name);
                        exposition_integer(out, "holdfast_sweep_taken_total", labels, (int64_t) worker->taken[i]);
                }
}

/* Called at the end of each turn, under the mutex: the figures of a thread that hangs stay unchanged. */
static void figures_publish(const struct jobs *jobs) {
        struct arena arena;
        struct buffer out;

        arena_init(&arena, 2 * FIGURES_SIZE_MAX);
        buffer_init(&out, &arena, FIGURES_SIZE_MAX);
        write_turns(&out, jobs);
        write_successes(&out, jobs);
        exposition_head(&out, "holdfast_sweep_taken_total", "counter", "Documents and records that jobs took");
        for (size_t i = 0; i < JOB_THREADS; i++)
                write_taken(&out, &jobs->workers[i]);
        if (!out.failed)
                gauges_publish(GAUGES_JOBS, buffer_text(&out), out.size);
        arena_clear(&arena);
}

static void turn_end(struct worker *worker, duration took, bool ok) {
        struct jobs *jobs = worker->jobs;

        counter_add(ok ? COUNTER_SWEEPS_OK : COUNTER_SWEEPS_FAILED, 1);
        (void) pthread_mutex_lock(&jobs->mutex);
        histogram_observe(&worker->turns, &histogram_times, took);
        if (ok)
                worker->succeeded_at = clock_wall();
        figures_publish(jobs);
        (void) pthread_mutex_unlock(&jobs->mutex);
}

/* ---- turns ---- */

static bool jobs_are_stopping(struct jobs *jobs) {
        bool stopping;

        (void) pthread_mutex_lock(&jobs->mutex);
        stopping = jobs->stopping;
        (void) pthread_mutex_unlock(&jobs->mutex);
        return stopping;
}

/* Run one batch; false when it failed: the next turn tries again. */
static bool job_run(struct worker *worker, const struct job *job, size_t *ret_taken) {
        if (job->find)
                return find_run(worker, job, ret_taken);
        return route_run(worker, job, job->prune ? &prune_route : job->route, ret_taken);
}

/* Whether job i runs in this turn. */
static bool job_is_due(struct worker *worker, size_t i, timestamp now) {
        if (now < worker->due[i])
                return false;
        worker->due[i] = now + worker->rows[i]->every;
        return true;
}

static void job_worker_turn(struct worker *worker) {
        const timestamp begin = clock_monotonic();
        bool waiting[JOBS_MAX] = { false }, ok = true, again = true;

        for (size_t i = 0; i < worker->n; i++)
                waiting[i] = job_is_due(worker, i, begin);
        for (size_t round = 0; again && round < PATIENT_BATCHES_MAX; round++) {
                again = false;
                for (size_t i = 0; i < worker->n && !jobs_are_stopping(worker->jobs); i++) {
                        size_t taken = 0;

                        if (!waiting[i])
                                continue;
                        ok = job_run(worker, worker->rows[i], &taken) && ok;
                        (void) pthread_mutex_lock(&worker->jobs->mutex);
                        worker->taken[i] += taken;
                        (void) pthread_mutex_unlock(&worker->jobs->mutex);
                        if (worker->rows[i]->has_counter)
                                counter_add(worker->rows[i]->counter, taken);
                        waiting[i] = taken >= worker->rows[i]->batch;
                        again = again || waiting[i];
                }
        }
        turn_end(worker, clock_monotonic() - begin, ok);
}

static bool jobs_wait_for_next(struct jobs *jobs) {
        struct timespec until;
        bool stopping;

        (void) clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += JOB_INTERVAL_S;
        (void) pthread_mutex_lock(&jobs->mutex);
        while (!jobs->stopping && pthread_cond_timedwait(&jobs->wake, &jobs->mutex, &until) == 0)
                ;
        stopping = jobs->stopping;
        (void) pthread_mutex_unlock(&jobs->mutex);
        return !stopping;
}

static void *job_worker_main(void *context) {
        struct worker *worker = context;

        do {
                job_worker_turn(worker);
        } while (jobs_wait_for_next(worker->jobs));
        return NULL;
}

/* ---- start and stop ---- */

static bool jobs_assign(struct jobs *jobs, const struct jobs_settings *settings) {
        for (size_t i = 0; i < settings->n_lists; i++)
                for (size_t j = 0; j < settings->lists[i].n; j++) {
                        const struct job *job = &settings->lists[i].jobs[j];
                        struct worker *worker = &jobs->workers[job->thread];

                        if (worker->n == JOBS_MAX)
                                return false;
                        worker->rows[worker->n++] = job;
                }
        return true;
}

static bool job_worker_start(struct worker *worker, enum job_thread thread, const struct jobs_settings *settings) {
        worker->name = threads[thread].name;
        worker->settings = (struct database_settings){ .url = settings->database_url,
                .schema = settings->schema,
                .name = threads[thread].session,
                .plans = PLANS_PINNED,
                .statement_timeout_ms = STATEMENT_TIMEOUT_MS,
                .lock_timeout_ms = LOCK_TIMEOUT_MS };
        (void) pthread_mutex_lock(&worker->jobs->mutex); /* a thread at work publishes the figures of all threads */
        worker->is_started = runner_init(&worker->runner, &worker->settings) &&
                             pthread_create(&worker->thread, NULL, job_worker_main, worker) == 0;
        (void) pthread_mutex_unlock(&worker->jobs->mutex);
        if (!worker->is_started)
                runner_clear(&worker->runner);
        return worker->is_started;
}

static void wake_init(struct jobs *jobs) {
        pthread_condattr_t attributes;

        (void) pthread_mutex_init(&jobs->mutex, NULL);
        (void) pthread_condattr_init(&attributes);
        (void) pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        (void) pthread_cond_init(&jobs->wake, &attributes);
        (void) pthread_condattr_destroy(&attributes);
}

struct jobs *jobs_start(const struct jobs_settings *settings) {
        struct jobs *jobs = calloc(1, sizeof(*jobs));

        if (!jobs)
                return NULL;
        wake_init(jobs);
        if (!jobs_assign(jobs, settings))
                return jobs_stop(jobs);
        for (enum job_thread thread = 0; thread < JOB_THREADS; thread++) {
                jobs->workers[thread].jobs = jobs;
                if (jobs->workers[thread].n && !job_worker_start(&jobs->workers[thread], thread, settings))
                        return jobs_stop(jobs);
        }
        return jobs;
}

struct jobs *jobs_stop(struct jobs *jobs) {
        if (!jobs)
                return NULL;
        (void) pthread_mutex_lock(&jobs->mutex);
        jobs->stopping = true;
        (void) pthread_mutex_unlock(&jobs->mutex);
        (void) pthread_cond_broadcast(&jobs->wake);
        for (size_t i = 0; i < JOB_THREADS; i++)
                if (jobs->workers[i].is_started) {
                        (void) pthread_join(jobs->workers[i].thread, NULL);
                        runner_clear(&jobs->workers[i].runner);
                }
        (void) pthread_cond_destroy(&jobs->wake);
        (void) pthread_mutex_destroy(&jobs->mutex);
        free(jobs);
        return NULL;
}
