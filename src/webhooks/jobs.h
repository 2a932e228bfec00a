/*
 * webhooks/jobs: scheduled work on endpoints: those that failed for too long, events that were given up, and secrets
 * under an old key.
 */
#pragma once

#include "engine/jobs.h"

extern const struct job webhook_jobs[];
extern const size_t webhook_job_count;
