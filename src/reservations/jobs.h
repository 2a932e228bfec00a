/*
 * reservations/jobs: scheduled work on reservations: close expired ones.
 */
#pragma once

#include "engine/jobs.h"
#include "reservations/reservations.h"

#define RESERVATIONS_EXPIRED_AT_ONCE 200

extern const struct job reservation_jobs[];
extern const size_t reservation_job_count;
