/*
 * webhooks/store_delivery: what the deliverer reads and writes: leases, progress, failed events.
 */
#pragma once

#include "events/log.h"
#include "webhooks/webhooks.h"

#define LEASE_TIME (28 * SECOND)
#define LEASE_LEFT (20 * SECOND) /* of each lease after its renewal; both as in sql/queries/webhooks.sql */

struct leases {
        size_t taken;  /* by this statement */
        size_t share;  /* endpoints for each instance */
        timestamp now; /* of the database */
};

/* A row of an event that failed, or waits for a failed one. */
struct webhook_failure {
        struct uuid webhook_id, event_id;
        int64_t position, attempts;
        timestamp due_at, died_at; /* may be TIMESTAMP_NONE */
};

struct webhook_failures {
        struct arena *arena;
        struct webhook_failure *rows; /* by position */
        size_t n;
        struct log_page page; /* their events, by position; those that the log no longer has are missing */
};

struct webhook_progress {
        struct uuid webhook_id;
        int64_t cursor;
        timestamp failing_since, last_success_at;
        int64_t gone_version; /* of the document that answered 410; 0: none */
};

/* How far a replay has come. */
struct webhook_replay {
        struct uuid id, webhook_id;
        int64_t position;
};

/* Ids that a statement returns, in any order. */
struct webhook_ids {
        struct arena *arena;
        struct uuid *ids;
        size_t n;
};

/* Queue: renew leases, and lease free endpoints up to the instance's share. */
void webhooks_lease(struct database *database, struct arena *arena, const struct uuid *instance, struct leases *leases);

/* Queue: the endpoints that the instance has leased, by id. */
void webhooks_leased_ask(struct database *database, struct webhook_set *set, const struct uuid *instance);

/* Queue: give leases of the instance back; `ids` NULL: all, because it stops. */
void webhooks_release(
        struct database *database, struct arena *arena, const struct uuid *instance, const struct uuid *ids, size_t n);

/* Queue: which of the endpoints have failed events. */
void webhooks_with_failures_ask(
        struct database *database, struct webhook_ids *ret_ids, const struct uuid *ids, size_t n);

/* Queue: the failed events of an endpoint, `limit` at most. */
void webhook_failures_ask(
        struct database *database, struct webhook_failures *failures, const struct uuid *id, int64_t limit);

/* Queue: store the progress of endpoints that the instance still has, and name those. */
void webhook_progress_store(struct database *database, struct arena *arena, const struct uuid *instance,
        const struct webhook_progress *list, size_t n, struct webhook_ids *kept);

/* Queue: store rows; delete the rows of events that were delivered. */
void webhook_failures_store(
        struct database *database, struct arena *arena, const struct webhook_failure *list, size_t n);
void webhook_failures_drop(
        struct database *database, struct arena *arena, const struct webhook_failure *list, size_t n);

/* Queue: take test events, `limit` at most: the endpoints of `set`, each with a test_id. */
void webhook_tests_take(struct database *database, struct webhook_set *set, int64_t limit);

/* Queue: events of the endpoint that were given up, after a position, up to another one. */
void webhook_dead_ask(struct database *database, struct log_page *page, const struct uuid *id, int64_t after,
        int64_t until, int64_t limit);

/* Queue: store the progress of replays, and end those that are done. */
void webhook_replays_store(struct database *database, struct arena *arena, const struct webhook_replay *list, size_t n);
