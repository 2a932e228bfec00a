#include "sweeper/sweeper.h"

#include "base/exposition.h"
#include "db/connection.h"
#include "sweeper/jobs.h"

#include <pthread.h>
#include <stdio.h>

#define STATEMENT_TIMEOUT_MS 5000
#define LOCK_TIMEOUT_MS      1000
#define BATCHES_MAX          100 /* of one job, before the others have their turn */
#define TEXT_SIZE_MAX        ((size_t) 64 * 1024)

struct sweeper {
        struct database_settings settings;
        struct sweep sweep;
        struct histogram times; /* of whole sweeps */
        timestamp succeeded_at; /* clock_wall; 0: never */
        uint64_t taken[JOBS];
        pthread_t thread;
        pthread_mutex_t mutex;
        pthread_cond_t wake;
        bool stopping;
};

static bool is_stopping(struct sweeper *sweeper) {
        bool stopping;

        (void) pthread_mutex_lock(&sweeper->mutex);
        stopping = sweeper->stopping;
        (void) pthread_mutex_unlock(&sweeper->mutex);
        return stopping;
}

static bool job_run(struct sweeper *sweeper, const struct job *job, uint64_t *taken_ever) {
        for (size_t i = 0; i < BATCHES_MAX && !is_stopping(sweeper); i++) {
                size_t taken = 0;

                if (!job->run(&sweeper->sweep, &taken))
                        return false;
                *taken_ever += taken;
                if (job->counter < COUNTER_COUNT)
                        counter_add(job->counter, taken);
                if (taken < job->full)
                        return true;
        }
        return true;
}

static bool wait_for_next(struct sweeper *sweeper) {
        struct timespec until;
        bool stopping;

        (void) clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += SWEEP_INTERVAL_S;
        (void) pthread_mutex_lock(&sweeper->mutex);
        while (!sweeper->stopping && pthread_cond_timedwait(&sweeper->wake, &sweeper->mutex, &until) == 0)
                ;
        stopping = sweeper->stopping;
        (void) pthread_mutex_unlock(&sweeper->mutex);
        return !stopping;
}

static void write_taken(const struct sweeper *sweeper, struct buffer *out) {
        static const char name[] = "holdfast_sweep_taken_total";
        char labels[64];

        exposition_head(out, name, "counter", "Documents and records taken by the sweeper");
        for (size_t i = 0; i < JOBS; i++)
                if (jobs[i].name) {
                        (void) snprintf(labels, sizeof(labels), "job=\"%s\"", jobs[i].name);
                        exposition_integer(out, name, labels, (int64_t) sweeper->taken[i]);
                }
}

/* Told by this thread alone: when it hangs, the figures stand still, too. */
static void tell(const struct sweeper *sweeper) {
        static const char name[] = "holdfast_sweep_duration_seconds";
        struct arena arena;
        struct buffer out;

        arena_init(&arena, 2 * TEXT_SIZE_MAX);
        buffer_init(&out, &arena, TEXT_SIZE_MAX);
        exposition_head(&out, name, "histogram", "Time of a run of the sweeper");
        exposition_histogram(&out, name, "", &sweeper->times, &histogram_times);
        exposition_gauge(&out, "holdfast_sweep_last_success_timestamp_seconds",
                "When a run of the sweeper last did all it had to, as Unix time; 0 for never",
                (double) sweeper->succeeded_at / SECOND);
        write_taken(sweeper, &out);
        if (!out.failed)
                gauges_publish(GAUGES_SWEEPER, buffer_text(&out), out.size);
        arena_clear(&arena);
}

static void sweep_once(struct sweeper *sweeper) {
        const timestamp begin = clock_monotonic();
        bool ok = true;

        for (size_t i = 0; i < JOBS; i++)
                ok = job_run(sweeper, &jobs[i], &sweeper->taken[i]) && ok;
        counter_add(ok ? COUNTER_SWEEPS_OK : COUNTER_SWEEPS_FAILED, 1);
        histogram_observe(&sweeper->times, &histogram_times, clock_monotonic() - begin);
        if (ok)
                sweeper->succeeded_at = clock_wall();
        tell(sweeper);
}

static void *sweeper_main(void *context) {
        struct sweeper *sweeper = context;

        do {
                sweep_once(sweeper);
        } while (wait_for_next(sweeper));
        return NULL;
}

static struct sweeper *sweeper_free(struct sweeper *sweeper) {
        runner_clear(&sweeper->sweep.runner);
        (void) pthread_cond_destroy(&sweeper->wake);
        (void) pthread_mutex_destroy(&sweeper->mutex);
        free(sweeper);
        return NULL;
}

struct sweeper *sweeper_start(const struct sweeper_settings *settings) {
        struct sweeper *sweeper = calloc(1, sizeof(*sweeper));
        pthread_condattr_t attributes;

        if (!sweeper)
                return NULL;
        sweeper->settings = (struct database_settings){ .url = settings->database_url,
                .schema = settings->schema,
                .name = "holdfast sweeper",
                .plans = PLANS_PINNED,
                .statement_timeout_ms = STATEMENT_TIMEOUT_MS,
                .lock_timeout_ms = LOCK_TIMEOUT_MS };
        (void) pthread_mutex_init(&sweeper->mutex, NULL);
        (void) pthread_condattr_init(&attributes);
        (void) pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        (void) pthread_cond_init(&sweeper->wake, &attributes);
        (void) pthread_condattr_destroy(&attributes);
        if (runner_init(&sweeper->sweep.runner, &sweeper->settings) &&
                pthread_create(&sweeper->thread, NULL, sweeper_main, sweeper) == 0)
                return sweeper;
        return sweeper_free(sweeper);
}

struct sweeper *sweeper_stop(struct sweeper *sweeper) {
        if (!sweeper)
                return NULL;
        (void) pthread_mutex_lock(&sweeper->mutex);
        sweeper->stopping = true;
        (void) pthread_mutex_unlock(&sweeper->mutex);
        (void) pthread_cond_signal(&sweeper->wake);
        (void) pthread_join(sweeper->thread, NULL);
        return sweeper_free(sweeper);
}
