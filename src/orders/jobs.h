/*
 * orders/jobs: scheduled work on orders: cancel those whose payment is overdue, write the trigrams of the search.
 */
#pragma once

#include "engine/jobs.h"

extern const struct job order_jobs[];
extern const size_t order_job_count;
