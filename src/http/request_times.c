#include "http/request_times.h"

#include "base/exposition.h"
#include "engine/counters.h"

#include <stdio.h>

#define SERIES_MAX  4096 /* routes times statuses, with room to spare; more are counted together */
#define LABELS_SIZE 256  /* a route's path is constant, so it is known to fit */

/* One route, method and status; status 0 is a free place. */
struct series {
        const struct route *route; /* NULL: none was found */
        unsigned status;
        struct histogram times;
};

static struct series all_series[SERIES_MAX]; /* a hash table; the last place counts all requests without a place */

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

void request_times_observe(const struct call *call, duration took) {
        histogram_observe(&series_for(call->route, call->reply.status)->times, &histogram_times, took);
        if (call->reply.replayed)
                counter_add(COUNTER_IDEMPOTENCY_REPLAYS, 1);
}

void request_times_write(struct buffer *out) {
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
