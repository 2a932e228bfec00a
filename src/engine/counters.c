#include "engine/counters.h"

#include "base/exposition.h"
#include "base/text.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static _Atomic uint64_t counters[COUNTER_COUNT];

/* The latest text of each group. */
static struct {
        pthread_mutex_t mutex;
        char *texts[GAUGE_GROUPS];
        size_t sizes[GAUGE_GROUPS];
} gauges = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static const struct {
        const char *metric, *labels, *help;
} counter_texts[COUNTER_COUNT] = {
#define X(name, metric, labels, help) { metric, labels, help },
        COUNTERS(X)
#undef X
};

void counter_add(enum counter counter, uint64_t n) {
        atomic_fetch_add_explicit(&counters[counter], n, memory_order_relaxed);
}

static _Thread_local uint64_t pending[COUNTER_COUNT];

void counter_count(enum counter counter, uint64_t n) {
        pending[counter] += n;
}

void counters_batch_end(bool committed) {
        for (int i = 0; i < COUNTER_COUNT; i++) {
                if (committed && pending[i])
                        counter_add((enum counter) i, pending[i]);
                pending[i] = 0;
        }
}

void counters_write(struct buffer *out) {
        const char *before = "";

        for (size_t i = 0; i < COUNTER_COUNT; i++) {
                if (!text_equal(counter_texts[i].metric, before))
                        exposition_head(out, counter_texts[i].metric, "counter", counter_texts[i].help);
                before = counter_texts[i].metric;
                buffer_append_format(out, "%s%s %" PRIu64 "\n", counter_texts[i].metric, counter_texts[i].labels,
                        atomic_load_explicit(&counters[i], memory_order_relaxed));
        }
}

/* The lock is held to swap or to copy, never to write a text. */
void gauges_publish(enum gauge_group group, const char *text, size_t size) {
        char *copy = malloc(size ? size : 1), *before;

        if (!copy)
                return; /* the previous text is better than none */
        memcpy(copy, text, size);
        (void) pthread_mutex_lock(&gauges.mutex);
        before = gauges.texts[group];
        gauges.texts[group] = copy;
        gauges.sizes[group] = size;
        (void) pthread_mutex_unlock(&gauges.mutex);
        free(before);
}

void gauges_write(struct buffer *out) {
        (void) pthread_mutex_lock(&gauges.mutex);
        for (size_t i = 0; i < GAUGE_GROUPS; i++)
                buffer_append(out, gauges.texts[i] ? gauges.texts[i] : "", gauges.sizes[i]);
        (void) pthread_mutex_unlock(&gauges.mutex);
}
