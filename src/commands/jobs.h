/*
 * commands/jobs: every scheduled job of the program, as commands/routes.c has every route.
 */
#pragma once

#include "engine/jobs.h"

#define JOB_LISTS_MAX 64 /* a list a room, and two more */

extern const struct job pruning_jobs[];
extern const size_t pruning_job_count;

/* Fill the lists in the order in which their jobs run; returns how many. */
size_t all_jobs(struct job_list ret_lists[JOB_LISTS_MAX]);
