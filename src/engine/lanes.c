#include "engine/lanes.h"

#include "base/log.h"
#include "db/connection.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define STATEMENT_TIMEOUT_MS 5000
#define LIST_TIMEOUT_MS      8000
#define LOCK_TIMEOUT_MS      2000
#define BATCH_WEIGHT_MAX     4000 /* lines: less than a second's work */

struct worker {
        struct lanes *lanes;
        pthread_mutex_t mutex;
        pthread_cond_t wake;
        struct call *first, **last; /* waiting, in arrival order */
        size_t waiting, waiting_max;
        uint64_t batch;           /* the number of the batch at work; 0: none */
        uint64_t batch_last_tick; /* the same at the last tick; loop thread */
        bool stopping;
        uint64_t refused;
        struct runner_counts counts; /* as of its last batch */

        struct database_settings settings, replica_settings;
        struct runner runner;
        struct runner replica; /* for routes that may lag; without a database when there is no replica */
        pthread_t thread;
        bool started;
};

struct lane {
        struct worker workers[LANE_WORKERS_MAX]; /* the first one for all calls, the others while it is spread */
        unsigned n_workers;
        _Atomic bool spread;                    /* set by the loop thread */
        timestamp spread_until;                 /* clock_monotonic; loop thread */
        struct histogram batches, waits, trips; /* as in lane_figures */
};

struct lanes {
        struct lanes_settings settings;
        struct lane lane[LANE_COUNT];
};

const struct histogram_bounds lanes_batch_bounds = {
        .n = 10, .unit = 1, .at = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512 }
};

/* Every lane, and how its connections work. */
static const struct {
        const char *name;    /* in /metrics */
        const char *session; /* the name of its connections and threads, for pg_stat_activity and top */
        enum database_plans plans;
        int statement_timeout_ms;
} kinds[LANE_COUNT] = {
        [LANE_CATALOG] = { "catalog", "holdfast catalog", PLANS_PINNED, STATEMENT_TIMEOUT_MS },
        [LANE_LIST] = { "list", "holdfast list", PLANS_FREE, LIST_TIMEOUT_MS },
        [LANE_READ] = { "read", "holdfast read", PLANS_PINNED, STATEMENT_TIMEOUT_MS },
        [LANE_WRITE] = { "write", "holdfast write", PLANS_PINNED, STATEMENT_TIMEOUT_MS },
};

const char *lane_text(enum lane_name name) {
        return kinds[name].name;
}

/* Take the waiting calls of the first one's route, in order, leaving the others in theirs. Large calls fill a batch
 * sooner, so that the whole batch ends before the deadline of each call. */
static size_t take_batch(struct worker *worker, struct call **calls) {
        const struct route *route = worker->first->route;
        const size_t limit = route->batch < BATCH_MAX ? route->batch : BATCH_MAX;
        struct call **link = &worker->first;
        size_t n = 0, weight = 0;

        while (*link && n < limit) {
                struct call *call = *link;

                if (call->route != route) {
                        link = &call->next;
                        continue;
                }
                weight += call->route->weigh ? call->route->weigh(call) : 1;
                if (n && weight > BATCH_WEIGHT_MAX)
                        break;
                *link = call->next;
                call->next = NULL;
                calls[n++] = call;
        }
        if (!*link)
                worker->last = link;
        worker->waiting -= n;
        return n;
}

/* The next batch, or 0 calls when the worker stops and nothing waits. */
static size_t wait_for_batch(struct worker *worker, struct call **calls) {
        size_t n = 0;

        (void) pthread_mutex_lock(&worker->mutex);
        worker->batch = 0;
        while (!worker->first && !worker->stopping)
                (void) pthread_cond_wait(&worker->wake, &worker->mutex);
        if (worker->first) {
                n = take_batch(worker, calls);
                worker->batch = worker->runner.counts.batches + worker->replica.counts.batches + 1;
        }
        (void) pthread_mutex_unlock(&worker->mutex);
        return n;
}

static void observe(struct lane *lane, struct call **calls, size_t n) {
        const timestamp now = clock_monotonic();

        histogram_observe(&lane->batches, &lanes_batch_bounds, (int64_t) n);
        for (size_t i = 0; i < n; i++)
                histogram_observe(&lane->waits, &histogram_times, now - calls[i]->queued);
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

static void *lane_worker_main(void *context) {
        struct worker *worker = context;
        struct call *calls[BATCH_MAX], *run[BATCH_MAX];

        runner_connect(&worker->runner);
        if (worker->replica.database)
                runner_connect(&worker->replica);
        for (;;) {
                const size_t n = wait_for_batch(worker, calls);

                if (!n)
                        return NULL;
                observe(&worker->lanes->lane[calls[0]->route->lane], calls, n);
                memcpy(run, calls, n * sizeof(calls[0]));
                batch_run(calls[0]->route->may_lag && worker->replica.database ? &worker->replica : &worker->runner,
                        run, n);
                (void) pthread_mutex_lock(&worker->mutex);
                worker->counts = counts_add(worker->runner.counts, &worker->replica.counts);
                (void) pthread_mutex_unlock(&worker->mutex);
                hand_back(worker->lanes, calls, n);
        }
}

static void settings_make(struct worker *worker, const struct lanes_settings *settings, enum lane_name name) {
        worker->settings = (struct database_settings){
                .url = settings->database_url,
                .schema = settings->schema,
                .name = kinds[name].session,
                .plans = kinds[name].plans,
                .statement_timeout_ms = kinds[name].statement_timeout_ms,
                .lock_timeout_ms = LOCK_TIMEOUT_MS,
                .trip_times = &worker->lanes->lane[name].trips,
        };
        worker->replica_settings = worker->settings;
        worker->replica_settings.url = settings->read_url;
}

static bool lane_worker_start(struct worker *worker) {
        worker->last = &worker->first;
        (void) pthread_mutex_init(&worker->mutex, NULL);
        (void) pthread_cond_init(&worker->wake, NULL);
        if (!runner_init(&worker->runner, &worker->settings))
                return false;
        if (worker->replica_settings.url && !runner_init(&worker->replica, &worker->replica_settings))
                return false;
        worker->started = pthread_create(&worker->thread, NULL, lane_worker_main, worker) == 0;
        if (worker->started)
                (void) pthread_setname_np(worker->thread, worker->settings.name); /* for top and perf */
        return worker->started;
}

static bool lane_start(struct lane *lane, struct lanes *lanes, enum lane_name name) {
        const struct lanes_settings *settings = &lanes->settings;

        while (lane->n_workers < settings->workers[name]) {
                struct worker *worker = &lane->workers[lane->n_workers++];

                worker->lanes = lanes;
                worker->waiting_max = settings->queue_max;
                if (lane->n_workers > 1)
                        worker->waiting_max /= settings->workers[name] - 1;
                settings_make(worker, settings, name);
                if (!lane_worker_start(worker))
                        return false;
        }
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

static struct worker *worker_for(struct lane *lane, const struct call *call) {
        return &lane->workers[lane->spread ? 1 + call_shard(call) % (lane->n_workers - 1) : 0];
}

static void worker_append(struct worker *worker, struct call *call) {
        call->next = NULL;
        *worker->last = call;
        worker->last = &call->next;
        worker->waiting++;
}

bool lanes_push(struct lanes *lanes, struct call *call) {
        struct worker *worker = worker_for(&lanes->lane[call->route->lane], call);
        bool accepted;

        call->queued = clock_monotonic();
        (void) pthread_mutex_lock(&worker->mutex);
        accepted = !worker->stopping && worker->waiting < worker->waiting_max;
        if (accepted)
                worker_append(worker, call);
        else
                worker->refused++;
        (void) pthread_mutex_unlock(&worker->mutex);
        if (accepted)
                (void) pthread_cond_signal(&worker->wake);
        return accepted;
}

/* ---- spreading ---- */

static struct call *take_waiting(struct worker *worker) {
        struct call *first;

        (void) pthread_mutex_lock(&worker->mutex);
        first = worker->first;
        worker->first = NULL;
        worker->last = &worker->first;
        worker->waiting = 0;
        (void) pthread_mutex_unlock(&worker->mutex);
        return first;
}

/* Waiting calls move with the lane, so that no later call of their location overtakes them. They were already accepted,
 * so no limit applies to them. */
static void lane_set_spread(struct lane *lane, bool spread) {
        struct call *waiting[LANE_WORKERS_MAX];

        for (unsigned i = 0; i < lane->n_workers; i++)
                waiting[i] = take_waiting(&lane->workers[i]);
        lane->spread = spread;
        for (unsigned i = 0; i < lane->n_workers; i++)
                for (struct call *call = waiting[i], *next; call; call = next) {
                        struct worker *worker = worker_for(lane, call);

                        next = call->next;
                        (void) pthread_mutex_lock(&worker->mutex);
                        worker_append(worker, call);
                        (void) pthread_mutex_unlock(&worker->mutex);
                        (void) pthread_cond_signal(&worker->wake);
                }
}

/* Whether the worker has been at the same batch since the last tick. */
static bool is_slow(struct worker *worker) {
        const uint64_t before = worker->batch_last_tick;

        (void) pthread_mutex_lock(&worker->mutex);
        worker->batch_last_tick = worker->batch;
        (void) pthread_mutex_unlock(&worker->mutex);
        return before && worker->batch_last_tick == before;
}

/* The number of slow workers of the lane; `ret_first`: whether the first one is slow. */
static unsigned slow_workers(struct lane *lane, bool *ret_first) {
        unsigned n = 0;

        *ret_first = is_slow(&lane->workers[0]);
        for (unsigned i = 1; i < lane->n_workers; i++)
                n += is_slow(&lane->workers[i]);
        return n + *ret_first;
}

/* Later calls will need the slow row again. While any worker is slow, and for a while after, each worker keeps to its
 * own locations. */
static void lane_tick(struct lanes *lanes, enum lane_name name) {
        struct lane *lane = &lanes->lane[name];
        const timestamp now = clock_monotonic();
        struct lane_figures figures;
        bool first;

        if (slow_workers(lane, &first))
                lane->spread_until = now + LANE_SLOW_FOR;
        lanes_figures(lanes, name, &figures);
        if (!lane->spread && (figures.waiting > LANE_SPREAD_AT || (first && figures.waiting)))
                lane_set_spread(lane, true);
        else if (lane->spread && now >= lane->spread_until && figures.waiting < LANE_CALM_AT)
                lane_set_spread(lane, false);
}

void lanes_tick(struct lanes *lanes) {
        for (enum lane_name name = 0; name < LANE_COUNT; name++)
                if (lanes->lane[name].n_workers > 1)
                        lane_tick(lanes, name);
}

/* ---- stopping and telling ---- */

static void worker_stop(struct worker *worker) {
        (void) pthread_mutex_lock(&worker->mutex);
        worker->stopping = true;
        (void) pthread_mutex_unlock(&worker->mutex);
        (void) pthread_cond_signal(&worker->wake);
        if (worker->started)
                (void) pthread_join(worker->thread, NULL);
        runner_clear(&worker->runner);
        runner_clear(&worker->replica);
        (void) pthread_cond_destroy(&worker->wake);
        (void) pthread_mutex_destroy(&worker->mutex);
}

struct lanes *lanes_stop(struct lanes *lanes) {
        if (!lanes)
                return NULL;
        for (int name = 0; name < LANE_COUNT; name++)
                for (unsigned i = 0; i < lanes->lane[name].n_workers; i++)
                        worker_stop(&lanes->lane[name].workers[i]);
        free(lanes);
        return NULL;
}

unsigned lanes_workers(const struct lanes *lanes, enum lane_name name) {
        return lanes->lane[name].n_workers;
}

static void figures_add(struct lane_figures *figures, struct worker *worker) {
        (void) pthread_mutex_lock(&worker->mutex);
        figures->counts = counts_add(figures->counts, &worker->counts);
        figures->refused += worker->refused;
        figures->waiting += worker->waiting;
        (void) pthread_mutex_unlock(&worker->mutex);
        figures->connections[atomic_load_explicit(&worker->runner.state, memory_order_relaxed)]++;
        if (worker->replica.database)
                figures->connections[atomic_load_explicit(&worker->replica.state, memory_order_relaxed)]++;
}

void lanes_figures(struct lanes *lanes, enum lane_name name, struct lane_figures *ret_figures) {
        struct lane *lane = &lanes->lane[name];

        *ret_figures = (struct lane_figures){ .capacity = lanes->settings.queue_max,
                .spread = lane->spread,
                .batches = &lane->batches,
                .waits = &lane->waits,
                .trips = &lane->trips };
        for (unsigned i = 0; i < lane->n_workers; i++)
                figures_add(ret_figures, &lane->workers[i]);
}

uint64_t lanes_waiting(struct lanes *lanes, enum lane_name name, unsigned i) {
        struct lane_figures figures = { 0 };

        figures_add(&figures, &lanes->lane[name].workers[i]);
        return figures.waiting;
}
