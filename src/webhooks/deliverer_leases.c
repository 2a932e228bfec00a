/* Which endpoints this instance serves. */
#include "base/log.h"
#include "db/connection.h"
#include "engine/delivery.h"
#include "webhooks/deliverer_internal.h"

#define RELOAD_TICKS 10 /* the endpoints are read again so often, even without news of a change */

/* The leases last from before the statement that renews them. If the last ones may have ended before that, another
 * instance may have delivered meanwhile. */
static enum problem leases_renew(struct deliverer *deliverer, struct leases *ret_leases) {
        const timestamp before = clock_monotonic();
        enum problem p;

        database_begin(deliverer->database);
        webhooks_lease(deliverer->database, &deliverer->arena, &deliverer->instance, ret_leases);
        database_commit(deliverer->database);
        p = deliverer_trip(deliverer);
        if (p)
                return p;
        deliverer_time_set(deliverer, ret_leases->now, before, clock_monotonic());
        if (deliverer->endpoints.n && clock_monotonic() - deliverer->leased_at >= LEASE_LEFT)
                return FAULT_BUSY;
        deliverer->leased_at = before;
        return PROBLEM_NONE;
}

bool leases_cover_a_request(const struct deliverer *deliverer) {
        return clock_monotonic() - deliverer->leased_at < LEASE_LEFT - SEND_TIME_MAX;
}

void leases_release(struct deliverer *deliverer) {
        enum problem p;

        database_begin(deliverer->database);
        webhooks_release(deliverer->database, &deliverer->arena, &deliverer->instance, NULL, 0);
        database_commit(deliverer->database);
        p = deliverer_trip(deliverer);
        if (p)
                log_event(LOG_LEVEL_WARNING, "webhook leases not released", LOG_INTEGER, "fault", (int64_t) p, LOG_END);
}

/* The failed events of an endpoint that this instance has just taken. */
static enum problem failures_load(struct deliverer *deliverer, struct endpoint *endpoint) {
        struct webhook_failures failures = { .arena = &deliverer->arena };
        enum problem p;

        database_begin_snapshot(deliverer->database);
        webhook_failures_ask(deliverer->database, &failures, &endpoint->id, OUTBOX_MAX);
        database_commit(deliverer->database);
        p = deliverer_trip(deliverer);
        endpoint->is_loaded = !p;
        for (size_t i = 0, j = 0; !p && i < failures.page.n; i++) {
                while (j < failures.n && failures.rows[j].position < failures.page.events[i].position)
                        j++;
                if (j < failures.n)
                        endpoint_restore(endpoint, &failures.page.events[i], (unsigned) failures.rows[j].attempts,
                                failures.rows[j].due_at, &deliverer->arena);
        }
        return p;
}

static enum problem endpoint_take(struct deliverer *deliverer, const struct webhook *row) {
        struct endpoint *endpoint = endpoints_find(&deliverer->endpoints, &row->id);

        if (!endpoint)
                endpoint = endpoints_add(&deliverer->endpoints, row);
        if (!endpoint)
                return FAULT_BUSY;
        endpoint->seen = deliverer->ticks;
        return endpoint_describe(endpoint, row, &deliverer->keys) && endpoint_replay_take(endpoint, row) ? PROBLEM_NONE
                                                                                                         : FAULT_BUSY;
}

/* Most endpoints have no failed events, so one question for all tells those that have. */
static enum problem new_endpoints_load(struct deliverer *deliverer) {
        struct uuid *ids = arena_new_array(&deliverer->arena, struct uuid, deliverer->endpoints.n);
        struct webhook_ids failing = { .arena = &deliverer->arena };
        size_t n = 0;
        enum problem p;

        for (size_t i = 0; ids && i < deliverer->endpoints.n; i++)
                if (!deliverer->endpoints.at[i]->is_loaded)
                        ids[n++] = deliverer->endpoints.at[i]->id;
        if (!n)
                return ids ? PROBLEM_NONE : FAULT_BUSY;
        database_begin_snapshot(deliverer->database);
        webhooks_with_failures_ask(deliverer->database, &failing, ids, n);
        database_commit(deliverer->database);
        p = deliverer_trip(deliverer);
        for (size_t i = 0; !p && i < deliverer->endpoints.n; i++) {
                struct endpoint *endpoint = deliverer->endpoints.at[i];

                if (!endpoint->is_loaded && webhook_ids_have(failing.ids, failing.n, &endpoint->id))
                        p = failures_load(deliverer, endpoint);
                endpoint->is_loaded = endpoint->is_loaded || !p;
        }
        return p;
}

/* The text of the rows lives until the next transaction begins, so all are taken before failures are read. */
static enum problem endpoints_take(struct deliverer *deliverer, const struct webhook_set *set) {
        enum problem p = PROBLEM_NONE;

        for (size_t i = 0; !p && i < set->n; i++)
                p = endpoint_take(deliverer, &set->rows[i]);
        return p ? p : new_endpoints_load(deliverer);
}

/* Endpoints that are no longer there, active or ours get no more events. */
static enum problem endpoints_load(struct deliverer *deliverer) {
        struct webhook_set set = { .arena = &deliverer->arena };
        enum problem p;

        database_begin_snapshot(deliverer->database);
        webhooks_leased_ask(deliverer->database, &set, &deliverer->instance);
        database_commit(deliverer->database);
        p = deliverer_trip(deliverer);
        if (!p)
                p = endpoints_take(deliverer, &set);
        for (size_t i = 0; !p && i < deliverer->endpoints.n; i++) {
                struct endpoint *endpoint = deliverer->endpoints.at[i];

                endpoint->is_closing = endpoint->is_leaving || endpoint->seen != deliverer->ticks;
        }
        return p;
}

/* More than the share: the last ones leave, for an instance that has less. */
static void share_keep(struct deliverer *deliverer, size_t share) {
        size_t n = 0;

        for (size_t i = 0; i < deliverer->endpoints.n; i++)
                n += !deliverer->endpoints.at[i]->is_closing;
        for (size_t i = deliverer->endpoints.n; i-- > 0 && n > share;) {
                struct endpoint *endpoint = deliverer->endpoints.at[i];

                n -= !endpoint->is_closing;
                endpoint->is_leaving = endpoint->is_leaving || !endpoint->is_closing;
                endpoint->is_closing = true;
        }
}

enum problem leases_leave(struct deliverer *deliverer) {
        struct uuid *ids = arena_new_array(&deliverer->arena, struct uuid, deliverer->endpoints.n);
        size_t n = 0;

        if (!ids)
                return FAULT_BUSY;
        for (size_t i = 0; i < deliverer->endpoints.n; i++) {
                struct endpoint *endpoint = deliverer->endpoints.at[i];

                if (!endpoint->is_leaving || endpoint->outbox.n_sending)
                        continue;
                ids[n++] = endpoint->id;
                endpoint->is_lost = true;
        }
        if (!n)
                return PROBLEM_NONE;
        database_begin(deliverer->database);
        webhooks_release(deliverer->database, &deliverer->arena, &deliverer->instance, ids, n);
        database_commit(deliverer->database);
        return deliverer_trip(deliverer);
}

enum problem leases_tick(struct deliverer *deliverer) {
        const bool told = atomic_exchange(&deliverer->webhooks_told, false);
        struct leases leases = { 0 };
        enum problem p = leases_renew(deliverer, &leases);

        deliverer->ticks++;
        if (!p && (leases.taken || told || deliverer->ticks % RELOAD_TICKS == 0))
                p = endpoints_load(deliverer);
        if (!p)
                share_keep(deliverer, leases.share);
        if (p && told)
                atomic_store(&deliverer->webhooks_told, true);
        atomic_store(&deliverer->events_told, true);
        return p;
}
