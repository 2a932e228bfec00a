/*
 * notifications/jobs: the planner, which follows the log of events and queues the messages that they cause.
 *
 * One instance plans at a time: it holds the row of the progress. Rows of messages and progress commit together.
 */
#pragma once

#include "engine/jobs.h"

extern const struct job notification_jobs[];
extern const size_t notification_job_count;
