/*
 * commands/database_figures: figures of /metrics read from the database. A job of the tidying thread.
 *
 * Every instance that runs jobs reads them, so several instances report the same figure: use the largest, never the
 * sum.
 */
#pragma once

#include "engine/jobs.h"

#define FIGURES_EVERY         (15 * SECOND)
#define FIGURES_LOCATIONS_MAX 500 /* in a deployment with more, the queues are one figure */
#define FIGURES_CONSUMERS_MAX 50  /* with more, the consumer that is furthest behind is the one figure */
#define FIGURES_STANDBYS_MAX  16

extern const struct job figures_jobs[];
extern const size_t figures_job_count;
