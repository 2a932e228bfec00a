/* Requests to endpoints, and their outcome. */
#include "base/log.h"
#include "engine/counters.h"
#include "engine/delivery.h"
#include "webhooks/deliverer_internal.h"

static void endpoint_send(struct deliverer *deliverer, struct endpoint *endpoint, size_t share, timestamp now) {
        const size_t most = endpoint->max_in_flight < share ? endpoint->max_in_flight : share;
        size_t place;

        if (endpoint->is_closing || endpoint->is_muted || endpoint->is_refused || endpoint->look_at > now)
                return;
        while (outbox_next(&endpoint->outbox, most, now, &place)) {
                const struct outbox_event event = endpoint->outbox.items[place].event;

                outbox_begin(&endpoint->outbox, place);
                if (!endpoint_post(endpoint, &event, deliverer->sender, now, deliverer_random(deliverer))) {
                        outbox_withdraw(&endpoint->outbox, event.position);
                        endpoint->look_at = now + DELIVERER_PAUSE;
                        return;
                }
        }
        endpoint->look_at = endpoint->outbox.n_sending >= endpoint->max_in_flight ? INT64_MAX
                            : endpoint->outbox.n_sending >= most                  ? now + DELIVERER_PAUSE
                                                                                  : outbox_due(&endpoint->outbox, now);
}

/* Slow endpoints must not use up all transfers, so each has a share. */
void requests_begin(struct deliverer *deliverer) {
        const size_t n = deliverer->endpoints.n;
        const timestamp now = deliverer_time(deliverer);
        size_t busy = 0, share;

        if (!n || !leases_cover_a_request(deliverer))
                return;
        for (size_t i = 0; i < n; i++)
                busy += deliverer->endpoints.at[i]->outbox.n > 0;
        share = busy ? SENDS_MAX / busy : SENDS_MAX;
        deliverer->turn++;
        for (size_t i = 0; i < n; i++)
                endpoint_send(deliverer, deliverer->endpoints.at[(i + deliverer->turn) % n], share ? share : 1, now);
}

static void breaker_log(const struct endpoint *endpoint, bool was_open, const struct sent *sent) {
        char id[UUID_TEXT_SIZE];

        if (endpoint->outbox.breaker.is_open == was_open)
                return;
        uuid_format(&endpoint->id, id);
        log_event(was_open ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, was_open ? "webhook works again" : "webhook fails",
                LOG_TEXT, "webhook", id, LOG_INTEGER, "status", (int64_t) sent->status, LOG_TEXT, "reason",
                sent->reason, LOG_END);
}

static void attempt_keep(struct deliverer *deliverer, const struct posted *posted, const struct sent *sent,
        unsigned number, timestamp next_at) {
        const struct webhook_attempt attempt = { .webhook_id = posted->webhook_id,
                .event_id = posted->event_id,
                .at = posted->at,
                .position = posted->position,
                .attempt = (int64_t) number,
                .is_ok = answer_of_status(sent->status) == ANSWER_OK,
                .status = (int64_t) sent->status,
                .ms = sent->took / MILLISECOND,
                .answer = attempt_answer(sent->answer, sent->answer_size, &deliverer->arena),
                .error = sent->reason,
                .next_at = next_at };

        attempts_add(&deliverer->attempts, &attempt);
}

static void endpoint_answered(
        struct deliverer *deliverer, struct endpoint *endpoint, const struct posted *posted, const struct sent *sent) {
        const enum outbox_answer answer = answer_of_status(sent->status);
        const bool was_open = endpoint->outbox.breaker.is_open;
        timestamp next_at;
        unsigned number;

        number = outbox_answered(&endpoint->outbox, posted->position, answer, sent->retry_after,
                deliverer_time(deliverer), deliverer_random(deliverer), &next_at);
        attempt_keep(deliverer, posted, sent, number, next_at);
        if (!outbox_holds(&endpoint->outbox, posted->position))
                body_drop(posted->body);
        endpoint->is_refused = endpoint->is_refused || answer == ANSWER_GONE;
        endpoint->look_at = 0;
        breaker_log(endpoint, was_open, sent);
        if (endpoint_may_read(endpoint))
                atomic_store(&deliverer->events_told, true);
        deliverer->answers++;
}

/* The endpoint may be gone by now. */
void request_answered(void *context, const struct sent *sent) {
        struct deliverer *deliverer = context;
        struct posted *posted = sent->context;
        struct endpoint *endpoint = endpoints_find(&deliverer->endpoints, &posted->webhook_id);
        const bool is_ok = answer_of_status(sent->status) == ANSWER_OK;

        counter_add(is_ok ? COUNTER_WEBHOOKS_OK : COUNTER_WEBHOOKS_FAILED, 1);
        if (!posted->position)
                attempt_keep(deliverer, posted, sent, 1, TIMESTAMP_NONE);
        else if (endpoint && endpoint->serial == posted->serial)
                endpoint_answered(deliverer, endpoint, posted, sent);
        posted_dropped(posted);
}
