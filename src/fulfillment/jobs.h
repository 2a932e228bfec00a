/*
 * fulfillment/jobs: scheduled work on fulfillments: expire pickups that were not collected, remind customers.
 */
#pragma once

#include "engine/jobs.h"

extern const struct job fulfillment_jobs[];
extern const size_t fulfillment_job_count;
