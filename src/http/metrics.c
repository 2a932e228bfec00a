#include "http/metrics.h"

#include "http/notices.h"
#include "http/reply.h"
#include "http/server.h"
#include "version.h"

#include <inttypes.h>
#include <stdatomic.h>

#define SERIES_MAX     1024 /* routes times statuses; more are counted in the last one */
#define EXPOSITION_MAX ((size_t) 2 * 1024 * 1024)

static const duration bounds[] = { 500, 1 * MILLISECOND, 2500, 5 * MILLISECOND, 10 * MILLISECOND, 25 * MILLISECOND,
        50 * MILLISECOND, 100 * MILLISECOND, 250 * MILLISECOND, 500 * MILLISECOND, 1 * SECOND, 5 * SECOND };

/* One route, method and status. */
struct series {
        const struct route *route;
        unsigned status;
        uint64_t count;
        uint64_t in_bucket[array_size(bounds)];
        duration sum;
};

static struct series all_series[SERIES_MAX];
static size_t n_series;
static struct lanes *shown_lanes;
static const struct server *shown_server;
static _Atomic uint64_t counters[COUNTER_COUNT];

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

static struct series *series_for(const struct route *route, unsigned status) {
        for (size_t i = 0; i < n_series; i++)
                if (all_series[i].route == route && all_series[i].status == status)
                        return &all_series[i];
        if (n_series == SERIES_MAX)
                return &all_series[SERIES_MAX - 1];
        all_series[n_series] = (struct series){ .route = route, .status = status };
        return &all_series[n_series++];
}

void metrics_request(const struct call *call, duration took) {
        struct series *series = series_for(call->route, call->reply.status);

        series->count++;
        series->sum += took;
        for (size_t i = 0; i < array_size(bounds); i++)
                series->in_bucket[i] += took <= bounds[i];
        if (call->reply.replayed)
                metrics_add(COUNTER_IDEMPOTENCY_REPLAYS, 1);
}

static void write_requests(struct buffer *out) {
        const char *name = "holdfast_http_request_duration_seconds";

        buffer_append_format(
                out, "# HELP %s Time from the request's head to its reply\n# TYPE %s histogram\n", name, name);
        for (size_t i = 0; i < n_series; i++) {
                const struct series *s = &all_series[i];
                const char *method = s->route ? method_text(s->route->method) : "-";
                const char *route = s->route ? s->route->path : "-";

                for (size_t b = 0; b < array_size(bounds); b++)
                        buffer_append_format(out,
                                "%s_bucket{method=\"%s\",route=\"%s\",code=\"%u\",le=\"%g\"} %" PRIu64 "\n", name,
                                method, route, s->status, (double) bounds[b] / SECOND, s->in_bucket[b]);
                buffer_append_format(out, "%s_bucket{method=\"%s\",route=\"%s\",code=\"%u\",le=\"+Inf\"} %" PRIu64 "\n",
                        name, method, route, s->status, s->count);
                buffer_append_format(out, "%s_sum{method=\"%s\",route=\"%s\",code=\"%u\"} %.6f\n", name, method, route,
                        s->status, (double) s->sum / SECOND);
                buffer_append_format(out, "%s_count{method=\"%s\",route=\"%s\",code=\"%u\"} %" PRIu64 "\n", name,
                        method, route, s->status, s->count);
        }
}

static void write_counters(struct buffer *out) {
        const char *before = "";

        for (size_t i = 0; i < COUNTER_COUNT; i++) {
                if (counter_texts[i].metric != before)
                        buffer_append_format(out, "# HELP %s %s\n# TYPE %s counter\n", counter_texts[i].metric,
                                counter_texts[i].help, counter_texts[i].metric);
                before = counter_texts[i].metric;
                buffer_append_format(out, "%s%s %" PRIu64 "\n", counter_texts[i].metric, counter_texts[i].labels,
                        atomic_load_explicit(&counters[i], memory_order_relaxed));
        }
}

static const struct {
        const char *name, *type, *help;
        size_t offset;
} lane_texts[] = {
        { "holdfast_lane_batches_total", "counter", "Transactions run", offsetof(struct lane_figures, counts.batches) },
        { "holdfast_lane_calls_total", "counter", "Calls run in them", offsetof(struct lane_figures, counts.calls) },
        { "holdfast_lane_reconnects_total", "counter", "Connections lost",
                offsetof(struct lane_figures, counts.reconnects) },
        { "holdfast_lane_refused_total", "counter", "Calls refused because the lane was full",
                offsetof(struct lane_figures, refused) },
        { "holdfast_lane_retries_total", "counter", "Transactions run again",
                offsetof(struct lane_figures, counts.retries) },
        { "holdfast_lane_splits_total", "counter", "Batches run in halves",
                offsetof(struct lane_figures, counts.splits) },
        { "holdfast_lane_spread", "gauge", "1 while calls go to several workers, by their location",
                offsetof(struct lane_figures, spread) },
        { "holdfast_lane_waiting", "gauge", "Calls waiting now", offsetof(struct lane_figures, waiting) },
};

static uint64_t lane_value(enum lane_name name, size_t offset) {
        struct lane_figures figures;

        lanes_figures(shown_lanes, name, &figures);
        return *(const uint64_t *) (const void *) ((const char *) &figures + offset);
}

static void write_lanes(struct buffer *out) {
        for (size_t i = 0; i < array_size(lane_texts); i++) {
                buffer_append_format(out, "# HELP %s %s\n# TYPE %s %s\n", lane_texts[i].name, lane_texts[i].help,
                        lane_texts[i].name, lane_texts[i].type);
                for (enum lane_name name = 0; name < LANE_COUNT; name++)
                        buffer_append_format(out, "%s{lane=\"%s\"} %" PRIu64 "\n", lane_texts[i].name, lane_text(name),
                                lane_value(name, lane_texts[i].offset));
        }
}

static void write_waiting(struct buffer *out) {
        const struct notices_figures notices = notices_figures();

        buffer_append_format(out,
                "# HELP holdfast_waiting_requests Long polls and streams that wait for something to change\n"
                "# TYPE holdfast_waiting_requests gauge\nholdfast_waiting_requests %zu\n"
                "# HELP holdfast_notices_total Changes told between instances, and those found without being told\n"
                "# TYPE holdfast_notices_total counter\n"
                "holdfast_notices_total{result=\"missed\"} %" PRIu64 "\n"
                "holdfast_notices_total{result=\"received\"} %" PRIu64 "\n"
                "holdfast_notices_total{result=\"sent\"} %" PRIu64 "\n"
                "# HELP holdfast_stream_events_published_total Events given a place in a stream by this instance\n"
                "# TYPE holdfast_stream_events_published_total counter\n"
                "holdfast_stream_events_published_total %" PRIu64 "\n",
                server_waiting(shown_server), notices.missed, notices.received, notices.sent, notices.published);
}

static void write_workers(struct buffer *out) {
        buffer_append_format(out, "# HELP holdfast_worker_waiting Calls waiting now for one worker\n"
                                  "# TYPE holdfast_worker_waiting gauge\n");
        for (enum lane_name name = 0; name < LANE_COUNT; name++)
                for (unsigned i = 0; i < lanes_workers(shown_lanes, name); i++)
                        buffer_append_format(out, "holdfast_worker_waiting{lane=\"%s\",worker=\"%u\"} %" PRIu64 "\n",
                                lane_text(name), i, lanes_waiting(shown_lanes, name, i));
}

void metrics_answer(struct call *call) {
        struct buffer out;

        buffer_init(&out, &call->arena, EXPOSITION_MAX);
        buffer_append_format(&out,
                "# HELP holdfast_build_info What is running\n# TYPE holdfast_build_info gauge\n"
                "holdfast_build_info{version=\"%s\",commit=\"%s\"} 1\n",
                HOLDFAST_VERSION, HOLDFAST_COMMIT);
        write_requests(&out);
        write_counters(&out);
        if (shown_lanes) {
                write_lanes(&out);
                write_workers(&out);
        }
        if (shown_server)
                write_waiting(&out);
        call->reply = (struct reply){
                .status = 200,
                .body = buffer_text(&out),
                .body_size = out.size,
                .content_type = "text/plain; version=0.0.4; charset=utf-8",
        };
}
