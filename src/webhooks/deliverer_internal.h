/*
 * webhooks/deliverer_internal: the state of the delivery thread, and its activities.
 *
 * Only the files deliverer*.c include it. All of it belongs to the thread, but for the atomic flags. An activity that
 * answers a fault leaves the database with an unknown outcome: the thread then forgets all endpoints and connects
 * again.
 */
#pragma once

#include "base/network.h"
#include "webhooks/attempts.h"
#include "webhooks/endpoint.h"
#include "webhooks/store_delivery.h"

#include <stdatomic.h>

struct database;
struct sender;
struct sent;

#define DELIVERER_PAUSE (250 * MILLISECOND) /* after a fault, and while there is no room for another request */

struct deliverer {
        struct database *database;
        struct networks allowed;
        struct sealing_keys keys;
        struct sender *sender;
        struct uuid instance; /* the holder of the leases */
        struct endpoints endpoints;
        struct arena arena; /* of one turn */
        uint64_t random;
        bool is_late, clock_is_known;
        duration clock_offset;                 /* of the database's clock, against clock_monotonic */
        timestamp tick_at, save_at, leased_at; /* clock_monotonic */
        unsigned ticks;
        size_t answers; /* since the last save */
        struct attempts attempts;
        size_t turn; /* rotates the endpoint that sends first */
        atomic_bool is_stopping, events_told, webhooks_told;
};

/* ---- deliverer_state.c ---- */

/* The time of the database, about. */
timestamp deliverer_time(const struct deliverer *deliverer);

/* Take over the time of the database, which it told between two readings of clock_monotonic. */
void deliverer_time_set(struct deliverer *deliverer, timestamp told, timestamp before, timestamp after);

uint64_t deliverer_random(struct deliverer *deliverer);

/* Send the queued statements and read all answers. */
must_check enum problem deliverer_trip(struct deliverer *deliverer);

/* ---- deliverer_leases.c ---- */

/* Give back the leases of endpoints that leave and have no request under way. Their progress is stored. */
must_check enum problem leases_leave(struct deliverer *deliverer);

/* Renew the leases, take free ones, and read the endpoints when there may be a change. */
must_check enum problem leases_tick(struct deliverer *deliverer);

/* Give all leases back. After a fault they end by themselves. */
void leases_release(struct deliverer *deliverer);

/* Whether a request that begins now ends before the leases do. */
bool leases_cover_a_request(const struct deliverer *deliverer);

/* ---- deliverer_log.c ---- */

/* Read the log if there is news, as far as the endpoints have room. */
must_check enum problem log_read(struct deliverer *deliverer);

/* ---- deliverer_again.c ---- */

/* Take test events, and begin to send them. */
must_check enum problem tests_send(struct deliverer *deliverer);

/* Read events that are sent once more, as far as the endpoints have room. */
must_check enum problem replays_read(struct deliverer *deliverer);

/* ---- deliverer_sending.c ---- */

/* Begin the requests that are due. */
void requests_begin(struct deliverer *deliverer);

/* The outcome of one request; `context` is the deliverer. */
void request_answered(void *context, const struct sent *sent);

/* ---- deliverer_progress.c ---- */

/* Store the progress of all endpoints that have changed. */
must_check enum problem progress_save(struct deliverer *deliverer);
bool progress_is_due(const struct deliverer *deliverer);
