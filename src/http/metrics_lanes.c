#include "http/metrics_parts.h"

#include <stdio.h>

#define LABELS_SIZE 64

/* The figures of all lanes, read at one moment. */
struct look {
        struct lanes *lanes;
        struct lane_figures figures[LANE_COUNT];
};

static const struct {
        const char *name, *type, *help;
        size_t offset;
} numbers[] = {
        { "holdfast_lane_batches_total", "counter", "Transactions run", offsetof(struct lane_figures, counts.batches) },
        { "holdfast_lane_calls_total", "counter", "Calls run in them", offsetof(struct lane_figures, counts.calls) },
        { "holdfast_lane_capacity", "gauge", "Calls that may wait", offsetof(struct lane_figures, capacity) },
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

static const struct {
        const char *name, *help;
        size_t offset;
        const struct histogram_bounds *bounds;
} histograms[] = {
        { "holdfast_db_trip_duration_seconds", "Time of a trip to the database, which is one or more statements",
                offsetof(struct lane_figures, trips), &histogram_times },
        { "holdfast_lane_batch_calls", "Calls of a batch", offsetof(struct lane_figures, batches),
                &lanes_batch_bounds },
        { "holdfast_lane_wait_seconds", "Time a call waited for its worker", offsetof(struct lane_figures, waits),
                &histogram_times },
};

static const void *figure_at(const struct look *look, enum lane_name name, size_t offset) {
        return (const char *) &look->figures[name] + offset;
}

static void label(enum lane_name name, char *ret_labels) {
        (void) snprintf(ret_labels, LABELS_SIZE, "lane=\"%s\"", lane_text(name));
}

static void write_numbers(struct buffer *out, const struct look *look) {
        char labels[LABELS_SIZE];

        for (size_t i = 0; i < array_size(numbers); i++) {
                exposition_head(out, numbers[i].name, numbers[i].type, numbers[i].help);
                for (enum lane_name name = 0; name < LANE_COUNT; name++) {
                        label(name, labels);
                        exposition_integer(out, numbers[i].name, labels,
                                (int64_t) * (const uint64_t *) figure_at(look, name, numbers[i].offset));
                }
        }
}

static void write_histograms(struct buffer *out, const struct look *look) {
        char labels[LABELS_SIZE];

        for (size_t i = 0; i < array_size(histograms); i++) {
                exposition_head(out, histograms[i].name, "histogram", histograms[i].help);
                for (enum lane_name name = 0; name < LANE_COUNT; name++) {
                        label(name, labels);
                        exposition_histogram(out, histograms[i].name, labels,
                                *(const struct histogram *const *) figure_at(look, name, histograms[i].offset),
                                histograms[i].bounds);
                }
        }
}

static void write_connections(struct buffer *out, const struct look *look) {
        static const char name[] = "holdfast_db_pool_connections";
        static const char *const states[RUNNER_STATES] = {
                [RUNNER_AWAY] = "away", [RUNNER_BUSY] = "busy", [RUNNER_IDLE] = "idle"
        };
        char labels[LABELS_SIZE];

        exposition_head(out, name, "gauge", "Connections of the lanes' workers");
        for (enum lane_name lane = 0; lane < LANE_COUNT; lane++)
                for (size_t i = 0; i < RUNNER_STATES; i++) {
                        (void) snprintf(labels, sizeof(labels), "lane=\"%s\",state=\"%s\"", lane_text(lane), states[i]);
                        exposition_integer(out, name, labels, (int64_t) look->figures[lane].connections[i]);
                }
}

static void write_workers(struct buffer *out, const struct look *look) {
        static const char name[] = "holdfast_worker_waiting";
        char labels[LABELS_SIZE];

        exposition_head(out, name, "gauge", "Calls waiting now for one worker");
        for (enum lane_name lane = 0; lane < LANE_COUNT; lane++)
                for (unsigned i = 0; i < lanes_workers(look->lanes, lane); i++) {
                        (void) snprintf(labels, sizeof(labels), "lane=\"%s\",worker=\"%u\"", lane_text(lane), i);
                        exposition_integer(out, name, labels, (int64_t) lanes_waiting(look->lanes, lane, i));
                }
}

void metrics_write_lanes(struct buffer *out, struct lanes *lanes) {
        struct look look = { .lanes = lanes };

        for (enum lane_name name = 0; name < LANE_COUNT; name++)
                lanes_figures(lanes, name, &look.figures[name]);
        write_connections(out, &look);
        write_histograms(out, &look);
        write_numbers(out, &look);
        write_workers(out, &look);
}
