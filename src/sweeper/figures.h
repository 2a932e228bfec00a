/*
 * sweeper/figures: what /metrics shows that must be asked of the database. Sweeper's thread.
 *
 * Each instance that sweeps asks, so a figure of the database comes from several: take the largest, never the sum.
 */
#pragma once

#include "sweeper/jobs.h"

#define FIGURES_EVERY         (15 * SECOND)
#define FIGURES_LOCATIONS_MAX 500 /* in a house with more, the queues are one figure */
#define FIGURES_STANDBYS_MAX  16

/* A job: ask when it is time again, and tell /metrics. It takes nothing. */
bool figures_collect(struct sweep *sweep, size_t *ret_taken);
