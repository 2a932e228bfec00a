#include "http/lanes.h"

#include "base/log.h"

#include <pthread.h>
#include <string.h>

#define STATEMENT_TIMEOUT_MS 5000
#define LIST_TIMEOUT_MS      8000
#define LOCK_TIMEOUT_MS      2000
#define BATCH_MAX            512

struct worker {
        struct lane *lane;
        struct runner_counts counts; /* as of its last batch; under the lane's mutex */
        struct database_settings settings, replica_settings;
        struct runner runner;
        struct runner replica; /* for routes that may lag; without a database when there is no replica */
        pthread_t thread;
        bool started;
};

struct lane {
        struct lanes *lanes;
        pthread_mutex_t mutex;
        pthread_cond_t wake;
        struct call *first, **last; /* waiting, in arrival order */
        size_t waiting;
        bool stopping;
        uint64_t refused;
        struct worker workers[LANE_WORKERS_MAX];
        unsigned n_workers;
};

struct lanes {
        struct lanes_settings settings;
        struct lane lane[LANE_COUNT];
};

const char *lane_text(enum lane_name name) {
        static const char *const texts[LANE_COUNT] = {
                [LANE_LIST] = "list",
                [LANE_READ] = "read",
                [LANE_UPKEEP] = "upkeep",
                [LANE_WRITE] = "write",
        };

        return texts[name];
}

/* Take the waiting calls of the first one's route, in order, leaving the others in theirs. */
static size_t take_batch(struct lane *lane, struct call **calls) {
        const struct route *route = lane->first->route;
        const size_t limit = route->batch < BATCH_MAX ? route->batch : BATCH_MAX;
        struct call **link = &lane->first;
        size_t n = 0;

        while (*link && n < limit) {
                struct call *call = *link;

                if (call->route != route) {
                        link = &call->next;
                        continue;
                }
                *link = call->next;
                call->next = NULL;
                calls[n++] = call;
        }
        if (!*link)
                lane->last = link;
        lane->waiting -= n;
        return n;
}

/* The next batch, or 0 calls when the lane stops and nothing waits. */
static size_t wait_for_batch(struct lane *lane, struct call **calls) {
        size_t n = 0;

        (void) pthread_mutex_lock(&lane->mutex);
        while (!lane->first && !lane->stopping)
                (void) pthread_cond_wait(&lane->wake, &lane->mutex);
        if (lane->first)
                n = take_batch(lane, calls);
        (void) pthread_mutex_unlock(&lane->mutex);
        return n;
}

static void hand_back(struct lanes *lanes, struct call **calls, size_t n) {
        for (size_t i = 0; i + 1 < n; i++)
                calls[i]->next = calls[i + 1];
        calls[n - 1]->next = NULL;
        lanes->settings.done(lanes->settings.context, calls[0]);
}

static struct runner_counts counts_add(struct runner_counts a, const struct runner_counts *b) {
        a.batches += b->batches;
        a.calls += b->calls;
        a.reconnects += b->reconnects;
        a.retries += b->retries;
        a.splits += b->splits;
        return a;
}

static void counts_publish(struct worker *worker) {
        (void) pthread_mutex_lock(&worker->lane->mutex);
        worker->counts = counts_add(worker->runner.counts, &worker->replica.counts);
        (void) pthread_mutex_unlock(&worker->lane->mutex);
}

static struct runner *runner_for(struct worker *worker, const struct route *route) {
        return route->may_lag && worker->replica.database ? &worker->replica : &worker->runner;
}

static void *worker_main(void *context) {
        struct worker *worker = context;
        struct call *calls[BATCH_MAX], *run[BATCH_MAX];

        runner_connect(&worker->runner);
        if (worker->replica.database)
                runner_connect(&worker->replica);
        for (;;) {
                const size_t n = wait_for_batch(worker->lane, calls);

                if (!n)
                        return NULL;
                memcpy(run, calls, n * sizeof(calls[0]));
                batch_run(runner_for(worker, calls[0]->route), run, n);
                counts_publish(worker);
                hand_back(worker->lane->lanes, calls, n);
        }
}

static bool worker_start(struct worker *worker, struct lane *lane, enum lane_name name) {
        const struct lanes_settings *settings = &lane->lanes->settings;
        static const char *const names[LANE_COUNT] = {
                [LANE_LIST] = "holdfast list",
                [LANE_READ] = "holdfast read",
                [LANE_UPKEEP] = "holdfast upkeep",
                [LANE_WRITE] = "holdfast write",
        };

        worker->lane = lane;
        worker->settings = (struct database_settings){
                .url = settings->database_url,
                .schema = settings->schema,
                .name = names[name],
                .plans = name == LANE_LIST ? PLANS_FREE : PLANS_PINNED,
                .statement_timeout_ms = name == LANE_LIST ? LIST_TIMEOUT_MS : STATEMENT_TIMEOUT_MS,
                .lock_timeout_ms = LOCK_TIMEOUT_MS,
        };
        worker->replica_settings = worker->settings;
        worker->replica_settings.url = settings->read_url;
        if (!runner_init(&worker->runner, &worker->settings))
                return false;
        if (settings->read_url && !runner_init(&worker->replica, &worker->replica_settings))
                return false;
        worker->started = pthread_create(&worker->thread, NULL, worker_main, worker) == 0;
        return worker->started;
}

static bool lane_start(struct lane *lane, struct lanes *lanes, enum lane_name name) {
        lane->lanes = lanes;
        lane->last = &lane->first;
        (void) pthread_mutex_init(&lane->mutex, NULL);
        (void) pthread_cond_init(&lane->wake, NULL);
        lane->n_workers = lanes->settings.workers[name];
        for (unsigned i = 0; i < lane->n_workers; i++)
                if (!worker_start(&lane->workers[i], lane, name))
                        return false;
        return true;
}

struct lanes *lanes_start(const struct lanes_settings *settings) {
        struct lanes *lanes = calloc(1, sizeof(*lanes));
        bool ok = lanes != NULL;

        if (!lanes)
                return NULL;
        lanes->settings = *settings;
        for (int name = 0; name < LANE_COUNT; name++)
                ok = lane_start(&lanes->lane[name], lanes, (enum lane_name) name) && ok;
        return ok ? lanes : lanes_stop(lanes);
}

bool lanes_push(struct lanes *lanes, struct call *call) {
        struct lane *lane = &lanes->lane[call->route->lane];
        bool accepted;

        (void) pthread_mutex_lock(&lane->mutex);
        accepted = !lane->stopping && lane->waiting < LANE_QUEUE_MAX;
        if (accepted) {
                call->next = NULL;
                *lane->last = call;
                lane->last = &call->next;
                lane->waiting++;
        } else
                lane->refused++;
        (void) pthread_mutex_unlock(&lane->mutex);
        if (accepted)
                (void) pthread_cond_signal(&lane->wake);
        return accepted;
}

static void lane_stop(struct lane *lane) {
        (void) pthread_mutex_lock(&lane->mutex);
        lane->stopping = true;
        (void) pthread_mutex_unlock(&lane->mutex);
        (void) pthread_cond_broadcast(&lane->wake);
        for (unsigned i = 0; i < lane->n_workers; i++) {
                if (lane->workers[i].started)
                        (void) pthread_join(lane->workers[i].thread, NULL);
                runner_clear(&lane->workers[i].runner);
                runner_clear(&lane->workers[i].replica);
        }
        (void) pthread_cond_destroy(&lane->wake);
        (void) pthread_mutex_destroy(&lane->mutex);
}

struct lanes *lanes_stop(struct lanes *lanes) {
        if (!lanes)
                return NULL;
        for (int name = 0; name < LANE_COUNT; name++)
                lane_stop(&lanes->lane[name]);
        free(lanes);
        return NULL;
}

void lanes_figures(struct lanes *lanes, enum lane_name name, struct lane_figures *ret_figures) {
        struct lane *lane = &lanes->lane[name];
        struct runner_counts counts = { 0 };

        (void) pthread_mutex_lock(&lane->mutex);
        for (unsigned i = 0; i < lane->n_workers; i++)
                counts = counts_add(counts, &lane->workers[i].counts);
        *ret_figures = (struct lane_figures){
                .batches = counts.batches,
                .calls = counts.calls,
                .refused = lane->refused,
                .retries = counts.retries,
                .splits = counts.splits,
                .reconnects = counts.reconnects,
                .waiting = lane->waiting,
        };
        (void) pthread_mutex_unlock(&lane->mutex);
}
