/*
 * http/request_times: how many requests each route answered with each status, and how long they took.
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
