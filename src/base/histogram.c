#include "base/histogram.h"

#include "base/clock.h"

#include <stdatomic.h>

const struct histogram_bounds histogram_times = {
        .n = 12,
        .unit = SECOND,
        .at = { 500, 1 * MILLISECOND, 2500, 5 * MILLISECOND, 10 * MILLISECOND, 25 * MILLISECOND, 50 * MILLISECOND,
                100 * MILLISECOND, 250 * MILLISECOND, 500 * MILLISECOND, 1 * SECOND, 5 * SECOND },
};

void histogram_observe(struct histogram *histogram, const struct histogram_bounds *bounds, int64_t value) {
        size_t i = 0;

        while (i < bounds->n && value > bounds->at[i])
                i++;
        atomic_fetch_add_explicit(&histogram->counts[i], 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&histogram->sum, value, memory_order_relaxed);
}

uint64_t histogram_count(const struct histogram *histogram, const struct histogram_bounds *bounds) {
        uint64_t count = 0;

        for (size_t i = 0; i <= bounds->n; i++)
                count += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
        return count;
}
