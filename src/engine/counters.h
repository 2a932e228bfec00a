/*
 * engine/counters: named counters, and gauges that scheduled jobs publish.
 *
 * Any thread may raise a counter or publish gauges; the metrics page (http/metrics_page.h) shows both. Labels are
 * bounded: no order, customer or SKU is ever a label. docs/operations.md describes every metric; a test compares.
 */
#pragma once

#include "base/buffer.h"
#include "base/cleanup.h"

#include <stdint.h>

#define DB_FAULTS_HELP "Batches that the database refused, by fault"

/* Name, metric, labels and help of each counter. Sorted; lines of one metric are adjacent. */
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
        X(MAILS_DELAYED, "holdfast_mails_total", "{result=\"delayed\"}", "Attempts to send e-mails by result")         \
        X(MAILS_FAILED, "holdfast_mails_total", "{result=\"failed\"}", "Attempts to send e-mails by result")           \
        X(MAILS_SENT, "holdfast_mails_total", "{result=\"sent\"}", "Attempts to send e-mails by result")               \
        X(ORDERS_PLACED, "holdfast_orders_total", "{result=\"placed\"}", "Orders by result")                           \
        X(ORDERS_REFUSED, "holdfast_orders_total", "{result=\"refused\"}", "Orders by result")                         \
        X(RESERVATIONS_EXPIRED, "holdfast_reservations_total", "{result=\"expired\"}", "Reservations by result")       \
        X(RESERVATIONS_GRANTED, "holdfast_reservations_total", "{result=\"granted\"}", "Reservations by result")       \
        X(RESERVATIONS_REFUSED, "holdfast_reservations_total", "{result=\"refused\"}", "Reservations by result")       \
        X(RESERVATIONS_RELEASED, "holdfast_reservations_total", "{result=\"released\"}", "Reservations by result")     \
        X(SWEEPS_FAILED, "holdfast_sweeps_total", "{result=\"failed\"}", "Runs of the sweeper by result")              \
        X(SWEEPS_OK, "holdfast_sweeps_total", "{result=\"ok\"}", "Runs of the sweeper by result")                      \
        X(WEBHOOKS_FAILED, "holdfast_webhook_attempts_total", "{result=\"failed\"}",                                   \
                "Deliveries to webhooks by result")                                                                    \
        X(WEBHOOKS_OK, "holdfast_webhook_attempts_total", "{result=\"ok\"}", "Deliveries to webhooks by result")

enum counter {
#define X(name, metric, labels, help) COUNTER_##name,
        COUNTERS(X)
#undef X
                COUNTER_COUNT,
};

void counter_add(enum counter counter, uint64_t n);

/* The same from within a batch: the sum is added when the batch of this thread commits, and dropped when the batch is
 * retried. */
void counter_count(enum counter counter, uint64_t n);
void counters_batch_end(bool committed);

/* Append all counters in the text exposition format. */
void counters_write(struct buffer *out);

/* Gauges are published in groups: a text of whole metrics, heads and samples, replaces the group's previous text. */
enum gauge_group { GAUGES_DATABASE, GAUGES_JOBS, GAUGE_GROUPS };
void gauges_publish(enum gauge_group group, const char *text, size_t size);
void gauges_write(struct buffer *out);
