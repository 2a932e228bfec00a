#include "webhooks/deliverer.h"

#include "base/log.h"
#include "base/text.h"
#include "db/session.h"
#include "engine/delivery.h"
#include "engine/notices.h"
#include "events/topics.h"
#include "webhooks/deliverer_internal.h"

#include <pthread.h>
#include <string.h>

#define MEMORY_MAX           ((size_t) 64 * 1024 * 1024) /* of one turn */
#define STATEMENT_TIMEOUT_MS 5000
#define LOCK_TIMEOUT_MS      1000
#define TICK                 (1 * SECOND)
#define STOP_PATIENCE        (2 * SECOND)

static struct deliverer deliverer;
static struct database_settings deliverer_database;
static pthread_t deliverer_thread;
static bool deliverer_is_started;
static atomic_bool deliverer_is_running;

void deliverer_wake(const char *topic) {
        const bool is_log = text_equal(topic, TOPIC_EVENTS), is_ours = text_equal(topic, TOPIC_WEBHOOKS);

        if ((!is_log && !is_ours) || !atomic_load(&deliverer_is_running))
                return;
        atomic_store(is_log ? &deliverer.events_told : &deliverer.webhooks_told, true);
        sender_wake(deliverer.sender);
}

/* ---- the thread ---- */

static enum problem deliverer_work(void) {
        enum problem p = PROBLEM_NONE;

        if (clock_monotonic() >= deliverer.tick_at || atomic_load(&deliverer.webhooks_told)) {
                deliverer.tick_at = clock_monotonic() + TICK;
                p = leases_tick(&deliverer);
                if (!p)
                        p = tests_send(&deliverer);
        }
        if (!p && progress_is_due(&deliverer))
                p = progress_save(&deliverer);
        if (!p)
                p = replays_read(&deliverer);
        return p ? p : log_read(&deliverer);
}

/* After a fault the outcome of a save is unknown: forget all endpoints, and read them again. Requests under way are
 * dropped, so that no late one overtakes. Their events may be sent twice. */
static void deliverer_forget(enum problem fault) {
        if (!deliverer.is_late)
                log_event(LOG_LEVEL_WARNING, "webhook deliveries delayed", LOG_TEXT, "sqlstate",
                        database_sqlstate(deliverer.database), LOG_TEXT, "reason", database_message(deliverer.database),
                        LOG_INTEGER, "fault", (int64_t) fault, LOG_END);
        deliverer.is_late = true;
        sender_drop(deliverer.sender, posted_dropped);
        endpoints_clear(&deliverer.endpoints);
        atomic_store(&deliverer.webhooks_told, true);
        deliverer.tick_at = clock_monotonic();
}

static duration deliverer_wait(void) {
        const timestamp now = clock_monotonic();
        timestamp until = deliverer.tick_at;

        if (atomic_load(&deliverer.events_told) || atomic_load(&deliverer.webhooks_told) || progress_is_due(&deliverer))
                return 0;
        for (size_t i = 0; i < deliverer.endpoints.n; i++) {
                const timestamp look_at = deliverer.endpoints.at[i]->look_at;

                if (look_at != INT64_MAX && look_at - deliverer.clock_offset < until &&
                        leases_cover_a_request(&deliverer))
                        until = look_at - deliverer.clock_offset;
        }
        return until > now ? until - now : 0;
}

static void deliverer_end(void) {
        const timestamp until = clock_monotonic() + STOP_PATIENCE;

        while (sender_busy(deliverer.sender) && clock_monotonic() < until)
                sender_turn(deliverer.sender, DELIVERER_PAUSE, request_answered, &deliverer);
        arena_reset(&deliverer.arena);
        if (!progress_save(&deliverer))
                leases_release(&deliverer);
}

static void deliverer_turn(void) {
        if (!atomic_load(&deliverer.webhooks_told))
                requests_begin(&deliverer);
        sender_turn(deliverer.sender, deliverer_wait(), request_answered, &deliverer);
}

static void *deliverer_main(void *context) {
        enum problem p = database_connect(deliverer.database);

        (void) context;
        while (!atomic_load(&deliverer.is_stopping)) {
                arena_reset(&deliverer.arena);
                if (!p)
                        p = deliverer_work();
                if (p) {
                        deliverer_forget(p);
                        sender_turn(deliverer.sender, DELIVERER_PAUSE, request_answered, &deliverer);
                        p = database_connect(deliverer.database);
                        continue;
                }
                deliverer.is_late = false;
                deliverer_turn();
        }
        if (!p)
                deliverer_end();
        return NULL;
}

/* ---- start and stop ---- */

static bool deliverer_open(const struct deliverer_settings *settings) {
        deliverer_database = (struct database_settings){ .url = settings->database_url,
                .schema = settings->schema,
                .name = "holdfast webhooks",
                .plans = PLANS_FREE,
                .statement_timeout_ms = STATEMENT_TIMEOUT_MS,
                .lock_timeout_ms = LOCK_TIMEOUT_MS };
        if (!networks_parse(settings->allowed_networks, &deliverer.allowed))
                return false;
        arena_init(&deliverer.arena, MEMORY_MAX);
        attempts_init(&deliverer.attempts);
        deliverer.keys = (struct sealing_keys){ settings->sealing_key, settings->sealing_key_previous };
        deliverer.instance = uuid_random();
        memcpy(&deliverer.random, deliverer.instance.bytes, sizeof(deliverer.random));
        deliverer.leased_at = INT64_MIN / 2;
        deliverer.database = database_new(&deliverer_database);
        deliverer.sender = deliverer.database ? sender_new(&deliverer.allowed) : NULL;
        return deliverer.sender != NULL;
}

bool deliverer_start(const struct deliverer_settings *settings) {
        if (!deliverer_open(settings))
                return false;
        atomic_store(&deliverer_is_running, true);
        notices_watch(TOPIC_EVENTS);
        notices_watch(TOPIC_WEBHOOKS);
        deliverer_is_started = pthread_create(&deliverer_thread, NULL, deliverer_main, NULL) == 0;
        return deliverer_is_started;
}

void deliverer_stop(void) {
        if (!atomic_exchange(&deliverer_is_running, false))
                return;
        atomic_store(&deliverer.is_stopping, true);
        sender_wake(deliverer.sender);
        if (deliverer_is_started)
                (void) pthread_join(deliverer_thread, NULL);
        notices_unwatch(TOPIC_EVENTS);
        notices_unwatch(TOPIC_WEBHOOKS);
        sender_drop(deliverer.sender, posted_dropped);
        endpoints_clear(&deliverer.endpoints);
        deliverer.sender = sender_free(deliverer.sender);
        deliverer.database = database_close(deliverer.database);
        attempts_clear(&deliverer.attempts);
        arena_clear(&deliverer.arena);
}
