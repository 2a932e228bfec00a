/*
 * base/histogram: counts of values by range.
 *
 * A histogram of zeros is empty. The caller owns the bounds and passes the same ones at each call. Any thread may
 * observe and read without waiting: a reader may miss a value that is just being observed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BOUNDS_MAX 14

struct histogram_bounds {
        size_t n;
        int64_t unit;                     /* the value exported as 1: SECOND for durations */
        int64_t at[HISTOGRAM_BOUNDS_MAX]; /* ascending; a value belongs to the first that is not below it */
};

struct histogram {
        _Atomic uint64_t counts[HISTOGRAM_BOUNDS_MAX + 1]; /* the last one: beyond all bounds */
        _Atomic int64_t sum;
};

void histogram_observe(struct histogram *histogram, const struct histogram_bounds *bounds, int64_t value);

/* The number of values observed. */
uint64_t histogram_count(const struct histogram *histogram, const struct histogram_bounds *bounds);

/* For durations of requests and of their waits. */
extern const struct histogram_bounds histogram_times;
