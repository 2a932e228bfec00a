/*
 * http/metrics_page: GET /metrics, the figures for Prometheus (text exposition format 0.0.4).
 *
 * The page combines the counters (engine/counters.h), the request times (http/request_times.h) and figures read from
 * lanes and server at the request. Loop thread. docs/operations.md describes every metric; a test compares.
 */
#pragma once

#include "engine/call.h"
#include "engine/lanes.h"

struct server;

/* The lanes and the server whose figures are shown; NULL for none. */
void metrics_page_set_lanes(struct lanes *lanes);
void metrics_page_set_server(const struct server *server);

/* GET /metrics; http/health.h has the other routes of the admin listener. */
void metrics_page_answer(struct call *call);
