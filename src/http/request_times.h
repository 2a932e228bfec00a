/*
 * http/request_times: numbers and durations of requests by route and status.
 *
 * Loop thread only. Labels are bounded: routes are templates, never addresses.
 */
#pragma once

#include "base/buffer.h"
#include "engine/call.h"

/* Count an answered request and the time from its head to its reply. */
void request_times_observe(const struct call *call, duration took);

/* Append the histogram in the text exposition format. */
void request_times_write(struct buffer *out);
