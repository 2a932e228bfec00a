/* The log of events and its consumer, read from the database (events/log.h). */
#include "commands/relay.h"

#include "base/config.h"
#include "base/text.h"
#include "db/listen.h"
#include "db/session.h"
#include "events/consumers.h"
#include "events/topics.h"

#include <poll.h>
#include <string.h>

#define STATEMENT_TIMEOUT_MS 10000
#define LOCK_TIMEOUT_MS      5000
#define TRIP_TIME            (15 * SECOND)
#define READ_EVERY           SECOND       /* in case a notice is lost */
#define COMMIT_EVERY         SECOND       /* while all events are of other types */
#define PATIENCE             (5 * MINUTE) /* with a database that does not answer */
#define PAUSE_FIRST          (250 * MILLISECOND)
#define PAUSE_MAX            (5 * SECOND)

/* ---- trips ---- */

static enum problem log_trip(struct relay_log *log) {
        return database_trip(log->database, clock_monotonic() + TRIP_TIME);
}

static enum problem log_connect(struct relay_log *log) {
        enum problem p = log->connected ? PROBLEM_NONE : database_connect(log->database);

        if (!p && !log->connected) {
                database_begin_nothing(log->database);
                database_ask_text(log->database, "listen holdfast", NULL, NULL);
                p = log_trip(log);
        }
        log->connected = !p;
        return p;
}

static bool fault_is_final(enum problem fault) {
        return fault == FAULT_BROKEN || fault == FAULT_POISON;
}

static void outage_report(struct relay_log *log) {
        if (!log->late)
                relay_say("the database cannot be used, and is tried again: %s", database_message(log->database));
        log->late = true;
}

/* Run the step again until the database has answered, a signal arrives or patience ends. A step begins its transactions
 * itself. */
static enum problem log_run(
        struct relay_log *log, enum problem (*step)(struct relay_log *log, void *context), void *context) {
        const timestamp until = clock_monotonic() + PATIENCE;
        duration pause = PAUSE_FIRST;

        log->was_lost = false;
        for (;;) {
                enum problem p = log_connect(log);

                arena_reset(&log->arena);
                if (!p)
                        p = step(log, context);
                if (!p && log->late)
                        relay_say("the database is back");
                log->late = log->late && p;
                if (!p || fault_is_final(p))
                        return p;
                log->connected = false;
                log->was_lost = log->was_lost || p == FAULT_LOST;
                outage_report(log);
                if (clock_monotonic() > until)
                        return p;
                (void) relay_wait(-1, 0, pause);
                if (relay_stop_asked())
                        return p;
                pause = pause * 2 < PAUSE_MAX ? pause * 2 : PAUSE_MAX;
        }
}

/* ---- the consumer ---- */

static bool relay_consumer_make(struct relay_log *log, struct consumer_set *set, const struct log_bounds *bounds) {
        set->rows = arena_new(&log->arena, struct consumer);
        if (!set->rows)
                return false;
        *set->rows = (struct consumer){
                .name = log->consumer,
                .position = log->after_now ? bounds->position : bounds->first - 1,
                .is_new = true,
        };
        return true;
}

static enum problem open_step(struct relay_log *log, void *context) {
        struct consumer_set set = { .arena = &log->arena };
        struct log_bounds bounds = { 0 };
        struct consumer *consumer;
        timestamp now = TIMESTAMP_NONE;
        enum problem p;

        database_begin(log->database);
        consumers_lock(log->database, &set, &log->consumer, 1);
        event_log_bounds_ask(log->database, &bounds);
        database_ask_clock(log->database, &now);
        p = log_trip(log);
        if (p)
                return p;
        if (!set.n && !relay_consumer_make(log, &set, &bounds))
                return FAULT_BUSY;
        consumer = set.rows;
        consumer->changed = consumer->is_new || (log->types && !text_equal(log->types, consumer->types));
        if (consumer->changed) {
                consumer->types = log->types ? log->types : consumer->types;
                consumer->version++;
                consumer->updated_at = now;
        }
        consumers_save(log->database, &log->arena, &consumer, 1);
        database_commit(log->database);
        p = log_trip(log);
        if (!p)
                *(struct consumer *) context = *consumer;
        return p;
}

enum problem relay_log_open(struct relay_log *log) {
        struct consumer consumer = { 0 };
        enum problem p;

        arena_init(&log->arena, RELAY_MEMORY_MAX);
        arena_init(&log->lasting, RELAY_MEMORY_MAX);
        log->settings = (struct database_settings){ .url = config_text(CONFIG_DATABASE_URL),
                .schema = config_text(CONFIG_SCHEMA),
                .name = "holdfast relay",
                .plans = PLANS_PINNED,
                .statement_timeout_ms = STATEMENT_TIMEOUT_MS,
                .lock_timeout_ms = LOCK_TIMEOUT_MS };
        log->database = database_new(&log->settings);
        if (!log->database)
                return FAULT_BUSY;
        p = log_run(log, open_step, &consumer);
        if (p)
                return p;
        log->filter.after = log->committed = consumer.position;
        if (consumer.types && !event_types_parse(consumer.types, &log->lasting, &log->filter))
                return PROBLEM_INVALID_PARAMETER;
        return PROBLEM_NONE;
}

void relay_log_close(struct relay_log *log) {
        log->database = database_close(log->database);
        arena_clear(&log->arena);
        arena_clear(&log->lasting);
}

/* ---- pages ---- */

static enum problem read_step(struct relay_log *log, void *context) {
        (void) context;
        log->page = (struct log_page){ .arena = &log->arena };
        database_begin_snapshot(log->database);
        event_log_bounds_ask(log->database, &log->page.bounds);
        event_log_page_ask(log->database, &log->filter, &log->page);
        database_commit(log->database);
        return log_trip(log);
}

enum problem relay_log_read(struct relay_log *log) {
        return log_run(log, read_step, NULL);
}

/* ---- committing ---- */

/* Whether the consumer is where this relay may have moved it in a trip without a known outcome. */
static enum problem commit_check(struct relay_log *log, bool *ret_moved) {
        struct consumer_set set = { .arena = &log->arena };
        enum problem p;

        database_begin_snapshot(log->database);
        consumers_read(log->database, &set, &log->consumer, 1);
        database_commit(log->database);
        p = log_trip(log);
        *ret_moved = !p && set.n && set.rows[0].position == log->filter.after;
        return p;
}

static enum problem commit_step(struct relay_log *log, void *context) {
        bool *moved = context;
        enum problem p;

        *moved = false;
        database_begin(log->database);
        consumer_move(log->database, &log->arena, log->consumer, log->committed, log->filter.after, moved);
        database_commit(log->database);
        p = log_trip(log);
        return p || *moved || !log->was_lost ? p : commit_check(log, moved);
}

enum problem relay_log_commit(struct relay_log *log, bool *ret_moved) {
        enum problem p = PROBLEM_NONE;

        *ret_moved = true;
        if (log->filter.after != log->committed)
                p = log_run(log, commit_step, ret_moved);
        log->commit_at = clock_monotonic() + COMMIT_EVERY;
        if (!p && *ret_moved)
                log->committed = log->filter.after;
        return p;
}

/* ---- waiting ---- */

/* The payload is the schema and the topic (engine/notices.c). */
static void notice_take(void *context, const char *payload) {
        struct relay_log *log = context;
        const size_t size = strlen(log->settings.schema);

        if (text_starts_with(payload, log->settings.schema) && payload[size] == '/' &&
                text_equal(payload + size + 1, TOPIC_EVENTS))
                log->told = true;
}

void relay_log_wait(struct relay_log *log) {
        const timestamp until = clock_monotonic() + READ_EVERY;

        log->told = false;
        for (;;) {
                log->connected = !listen_take(log->database, notice_take, log); /* also notices that came with a trip */
                if (!log->connected || log->told || relay_stop_asked() || clock_monotonic() >= until)
                        return;
                (void) relay_wait(listen_socket(log->database), POLLIN, until - clock_monotonic());
        }
}
