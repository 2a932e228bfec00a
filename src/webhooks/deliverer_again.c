/* Events that clients ask for: test events, and events of the log once more. */
#include "base/log.h"
#include "db/connection.h"
#include "webhooks/deliverer_internal.h"

#define TESTS_A_TURN   32
#define REPLAY_EVENTS  128
#define REPLAYS_A_TURN 4 /* endpoints that read a page */

/* ---- test events ---- */

static void test_send(struct deliverer *deliverer, const struct webhook *row) {
        const timestamp now = deliverer_time(deliverer);
        const struct webhook_attempt failed = { .webhook_id = row->id,
                .event_id = row->test_id,
                .at = now,
                .attempt = 1,
                .error = "the request could not be made",
                .next_at = TIMESTAMP_NONE };

        if (!endpoint_test(
                    row, &deliverer->keys, deliverer->sender, now, deliverer_random(deliverer), &deliverer->arena))
                attempts_add(&deliverer->attempts, &failed);
}

enum problem tests_send(struct deliverer *deliverer) {
        struct webhook_set set = { .arena = &deliverer->arena };
        enum problem p;

        database_begin(deliverer->database);
        webhook_tests_take(deliverer->database, &set, TESTS_A_TURN);
        database_commit(deliverer->database);
        p = deliverer_trip(deliverer);
        for (size_t i = 0; !p && i < set.n; i++)
                test_send(deliverer, &set.rows[i]);
        return p;
}

/* ---- events of the log once more ---- */

static enum problem replay_read(struct deliverer *deliverer, struct endpoint *endpoint) {
        const struct log_filter filter = { .after = endpoint->replay.after, .limit = REPLAY_EVENTS };
        struct log_page page = { .arena = &deliverer->arena };
        bool has_more;
        enum problem p;

        database_begin_snapshot(deliverer->database);
        event_log_bounds_ask(deliverer->database, &page.bounds);
        if (endpoint->replay.only_failed)
                webhook_dead_ask(deliverer->database, &page, &endpoint->id, endpoint->replay.after,
                        endpoint->replay.until, REPLAY_EVENTS);
        else
                event_log_page_ask(deliverer->database, &filter, &page);
        database_commit(deliverer->database);
        p = deliverer_trip(deliverer);
        if (p)
                return p;
        endpoint_replay(endpoint, &page,
                !endpoint->replay.only_failed ? event_log_next(&filter, &page, &has_more)
                : page.n == REPLAY_EVENTS     ? page.events[page.n - 1].position
                                              : endpoint->replay.until,
                &deliverer->arena);
        return PROBLEM_NONE;
}

/* The endpoints take turns. */
enum problem replays_read(struct deliverer *deliverer) {
        const size_t n = deliverer->endpoints.n;
        size_t done = 0;
        enum problem p = PROBLEM_NONE;

        for (size_t i = 0; i < n && done < REPLAYS_A_TURN && !p; i++) {
                struct endpoint *endpoint = deliverer->endpoints.at[(i + deliverer->turn) % n];

                if (!endpoint_may_replay(endpoint))
                        continue;
                p = replay_read(deliverer, endpoint);
                done++;
        }
        return p;
}
