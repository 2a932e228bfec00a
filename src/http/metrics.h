/*
 * http/metrics: figures for Prometheus (text exposition format 0.0.4).
 *
 * Requests are counted by the loop thread alone; the named counters may be raised by any thread. What must be asked of
 * the database is written down now and then by somebody else (sweeper/figures.h) and shown as it was. Labels are
 * bounded: routes are templates, never addresses; no order, customer or SKU is ever a label. docs/operations.md
 * describes every metric; a test compares.
 */
#pragma once

#include "engine/call.h"
#include "engine/lanes.h"

#define DB_FAULTS_HELP "Batches that the database refused, by fault"

/* Name, labels and help of the counters that rooms raise. Sorted; lines of one metric stand together. */
#define COUNTERS(X)                                                                                                    \
        X(DB_FAULTS_BROKEN, "holdfast_db_faults_total", "{fault=\"broken\"}", DB_FAULTS_HELP)                          \
        X(DB_FAULTS_BUSY, "holdfast_db_faults_total", "{fault=\"busy\"}", DB_FAULTS_HELP)                              \
        X(DB_FAULTS_CONFLICT, "holdfast_db_faults_total", "{fault=\"conflict\"}", DB_FAULTS_HELP)                      \
        X(DB_FAULTS_LOST, "holdfast_db_faults_total", "{fault=\"lost\"}", DB_FAULTS_HELP)                              \
        X(DB_FAULTS_POISON, "holdfast_db_faults_total", "{fault=\"poison\"}", DB_FAULTS_HELP)                          \
        X(DB_FAULTS_RIVAL, "holdfast_db_faults_total", "{fault=\"rival\"}", DB_FAULTS_HELP)                            \
        X(DB_FAULTS_STUCK, "holdfast_db_faults_total", "{fault=\"stuck\"}", DB_FAULTS_HELP)                            \
        X(GUARD_VIOLATIONS, "holdfast_guard_violations_total", "", "Writes that a CHECK of the schema has stopped")    \
        X(IDEMPOTENCY_REPLAYS, "holdfast_idempotency_replays_total", "",                                               \
                "Replies given again for a known Idempotency-Key")                                                     \
        X(ORDERS_PLACED, "holdfast_orders_total", "{result=\"placed\"}", "Orders by result")                           \
        X(ORDERS_REFUSED, "holdfast_orders_total", "{result=\"refused\"}", "Orders by result")                         \
        X(RESERVATIONS_EXPIRED, "holdfast_reservations_total", "{result=\"expired\"}", "Reservations by result")       \
        X(RESERVATIONS_GRANTED, "holdfast_reservations_total", "{result=\"granted\"}", "Reservations by result")       \
        X(RESERVATIONS_REFUSED, "holdfast_reservations_total", "{result=\"refused\"}", "Reservations by result")       \
        X(RESERVATIONS_RELEASED, "holdfast_reservations_total", "{result=\"released\"}", "Reservations by result")     \
        X(SWEEPS_FAILED, "holdfast_sweeps_total", "{result=\"failed\"}", "Runs of the sweeper by result")              \
        X(SWEEPS_OK, "holdfast_sweeps_total", "{result=\"ok\"}", "Runs of the sweeper by result")

enum counter {
#define X(name, metric, labels, help) COUNTER_##name,
        COUNTERS(X)
#undef X
                COUNTER_COUNT,
};

void metrics_add(enum counter counter, uint64_t n);

/* The same from within a batch: it counts when the batch at work on this thread commits, and is forgotten when it is
 * run again. */
void metrics_count(enum counter counter, uint64_t n);
void metrics_batch_end(bool committed);

/* Count an answered request and its time. Loop thread. */
void metrics_request(const struct call *call, duration took);

struct server;

/* Show these metrics, whole heads and samples, in the place of those of the same kind told before. Any thread. */
enum metrics_told { METRICS_DATABASE, METRICS_SWEEPER, METRICS_TOLD };
void metrics_tell(enum metrics_told kind, const char *text, size_t size);

/* Whose figures /metrics shows; NULL for none. Loop thread. */
void metrics_set_lanes(struct lanes *lanes);
void metrics_set_server(const struct server *server);

/* GET /metrics; http/health.h has the other routes of the admin listener. */
void metrics_answer(struct call *call);
