#include "http/metrics.h"

#include "base/text.h"
#include "engine/notices.h"
#include "engine/reply.h"
#include "http/health.h"
#include "http/metrics_parts.h"
#include "http/server.h"
#include "version.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define SERIES_MAX     4096 /* routes times statuses, with room to spare; more are counted together */
#define EXPOSITION_MAX ((size_t) 4 * 1024 * 1024)
#define LABELS_SIZE    256 /* a route's path is ours, so it is known to fit */

/* One route, method and status; status 0 is a free place. */
struct series {
        const struct route *route; /* NULL: none was found */
        unsigned status;
        struct histogram times;
};

static struct series all_series[SERIES_MAX]; /* a hash table, and in the last place all that found none */
static struct lanes *shown_lanes;
static const struct server *shown_server;
static _Atomic uint64_t counters[COUNTER_COUNT];

/* What somebody else has written down. */
static struct {
        pthread_mutex_t mutex;
        char *texts[METRICS_TOLD];
        size_t sizes[METRICS_TOLD];
} told = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static const struct {
        const char *metric, *labels, *help;
} counter_texts[COUNTER_COUNT] = {
#define X(name, metric, labels, help) { metric, labels, help },
        COUNTERS(X)
#undef X
};

void metrics_add(enum counter counter, uint64_t n) {
        atomic_fetch_add_explicit(&counters[counter], n, memory_order_relaxed);
}

static _Thread_local uint64_t pending[COUNTER_COUNT];

void metrics_count(enum counter counter, uint64_t n) {
        pending[counter] += n;
}

void metrics_batch_end(bool committed) {
        for (int i = 0; i < COUNTER_COUNT; i++) {
                if (committed && pending[i])
                        metrics_add((enum counter) i, pending[i]);
                pending[i] = 0;
        }
}

void metrics_set_lanes(struct lanes *lanes) {
        shown_lanes = lanes;
}

void metrics_set_server(const struct server *server) {
        shown_server = server;
}

/* The lock is held to swap or to copy, never to write a text. */
void metrics_tell(enum metrics_told kind, const char *text, size_t size) {
        char *copy = malloc(size ? size : 1), *before;

        if (!copy)
                return; /* the ones told before are better than none */
        memcpy(copy, text, size);
        (void) pthread_mutex_lock(&told.mutex);
        before = told.texts[kind];
        told.texts[kind] = copy;
        told.sizes[kind] = size;
        (void) pthread_mutex_unlock(&told.mutex);
        free(before);
}

static void write_told(struct buffer *out) {
        (void) pthread_mutex_lock(&told.mutex);
        for (size_t i = 0; i < METRICS_TOLD; i++)
                buffer_append(out, told.texts[i] ? told.texts[i] : "", told.sizes[i]);
        (void) pthread_mutex_unlock(&told.mutex);
}

static struct series *series_for(const struct route *route, unsigned status) {
        const size_t n = SERIES_MAX - 1;
        size_t place = ((uintptr_t) route / sizeof(struct route) + (size_t) status * 31) % n;

        for (size_t i = 0; i < n; i++, place = (place + 1) % n) {
                struct series *series = &all_series[place];

                if (!series->status)
                        *series = (struct series){ .route = route, .status = status };
                if (series->route == route && series->status == status)
                        return series;
        }
        return &all_series[n];
}

void metrics_request(const struct call *call, duration took) {
        histogram_observe(&series_for(call->route, call->reply.status)->times, &histogram_times, took);
        if (call->reply.replayed)
                metrics_add(COUNTER_IDEMPOTENCY_REPLAYS, 1);
}

static void write_requests(struct buffer *out) {
        static const char name[] = "holdfast_http_request_duration_seconds";
        char labels[LABELS_SIZE];

        exposition_head(out, name, "histogram", "Time from the request's head to its reply");
        for (size_t i = 0; i < SERIES_MAX; i++) {
                const struct series *s = &all_series[i];

                if (!s->status && !histogram_count(&s->times, &histogram_times))
                        continue;
                (void) snprintf(labels, sizeof(labels), "method=\"%s\",route=\"%s\",code=\"%u\"",
                        s->route ? method_text(s->route->method) : "-", s->route ? s->route->path : "-", s->status);
                exposition_histogram(out, name, labels, &s->times, &histogram_times);
        }
}

static void write_counters(struct buffer *out) {
        const char *before = "";

        for (size_t i = 0; i < COUNTER_COUNT; i++) {
                if (!text_equal(counter_texts[i].metric, before))
                        exposition_head(out, counter_texts[i].metric, "counter", counter_texts[i].help);
                before = counter_texts[i].metric;
                buffer_append_format(out, "%s%s %" PRIu64 "\n", counter_texts[i].metric, counter_texts[i].labels,
                        atomic_load_explicit(&counters[i], memory_order_relaxed));
        }
}

static void write_server(struct buffer *out) {
        exposition_gauge(out, "holdfast_http_connections", "Connections of clients, idle ones among them",
                (double) server_connections(shown_server));
        exposition_gauge(out, "holdfast_sse_clients", "Clients that read a stream of events",
                (double) server_streams(shown_server));
        exposition_gauge(out, "holdfast_waiting_requests", "Long polls and streams that wait for something to change",
                (double) server_waiting(shown_server));
}

static void write_notices(struct buffer *out) {
        static const char name[] = "holdfast_notices_total", published[] = "holdfast_stream_events_published_total";
        const struct notices_figures notices = notices_figures();

        exposition_head(out, name, "counter", "Changes told between instances, and those found without being told");
        exposition_integer(out, name, "result=\"missed\"", (int64_t) notices.missed);
        exposition_integer(out, name, "result=\"received\"", (int64_t) notices.received);
        exposition_integer(out, name, "result=\"sent\"", (int64_t) notices.sent);
        exposition_head(out, published, "counter", "Events given a place in a stream by this instance");
        exposition_integer(out, published, "", (int64_t) notices.published);
}

static void write_state(struct buffer *out) {
        exposition_head(out, "holdfast_build_info", "gauge", "What is running");
        exposition_integer(
                out, "holdfast_build_info", "version=\"" HOLDFAST_VERSION "\",commit=\"" HOLDFAST_COMMIT "\"", 1);
        exposition_gauge(out, "holdfast_ready", "1 while /readyz says so", health_is_ready());
}

void metrics_answer(struct call *call) {
        struct buffer out;

        buffer_init(&out, &call->arena, EXPOSITION_MAX);
        write_state(&out);
        metrics_write_process(&out);
        write_requests(&out);
        write_counters(&out);
        if (shown_lanes)
                metrics_write_lanes(&out, shown_lanes);
        if (shown_server)
                write_server(&out);
        write_notices(&out);
        write_told(&out);
        call->reply = (struct reply){
                .status = 200,
                .body = buffer_text(&out),
                .body_size = out.size,
                .content_type = "text/plain; version=0.0.4; charset=utf-8",
        };
}
