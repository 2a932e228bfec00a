#include "notifications/mailer.h"

#include "base/log.h"
#include "db/session.h"
#include "engine/counters.h"
#include "engine/notices.h"
#include "engine/smtp.h"
#include "notifications/store_messages.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAILER_MEMORY_MAX    ((size_t) 256 * 1024 * 1024) /* of one turn */
#define STATEMENT_TIMEOUT_MS 5000
#define LOCK_TIMEOUT_MS      1000
#define MAILER_TRIP_MAX      (6 * SECOND)
#define MAILER_TICK          (1 * SECOND)
#define PAUSE_AFTER_FAULT    (250 * MILLISECOND)
#define STOP_PATIENCE        (2 * SECOND)
#define PAUSE_MIN            (1 * SECOND) /* between looks for a server that cannot be reached */
#define PAUSE_MAX            (60 * SECOND)
#define MAILER_ACTOR         "notifications"

/* A leased mail, until its outcome is recorded. Its texts are its own. */
struct leased {
        struct message message;
        char *channel, *locale;
        bool is_used, is_done;
        struct message_outcome outcome;
        char answer[SMTP_ANSWER_SIZE];
};

static struct mailer {
        struct mailer_settings settings;
        struct database_settings database_settings;
        struct database *database;
        struct smtp_sender *sender;
        struct uuid instance; /* the holder of the leases */
        struct arena arena;   /* of one turn */
        struct leased leased[SMTP_MAILS_MAX];
        uint64_t random;
        pthread_t thread;
        bool started, late, unreachable;
        duration clock_offset; /* of the database's clock, against clock_monotonic */
        duration pause;        /* while the server cannot be reached */
        timestamp lease_at;    /* clock_monotonic */
        atomic_bool stopping, told;
} mailer;

static atomic_bool mailer_running;

static timestamp mailer_time(void) {
        return clock_monotonic() + mailer.clock_offset;
}

static uint64_t mailer_dice(void) {
        mailer.random = mailer.random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return mailer.random >> 16;
}

static enum problem mailer_trip(void) {
        return database_trip(mailer.database, clock_monotonic() + MAILER_TRIP_MAX);
}

void mailer_wake(void) {
        if (!atomic_load(&mailer_running))
                return;
        atomic_store(&mailer.told, true);
        smtp_wake(mailer.sender);
}

/* ---- leased mails ---- */

static size_t leased_free(void) {
        size_t n = 0;

        for (size_t i = 0; i < SMTP_MAILS_MAX; i++)
                n += !mailer.leased[i].is_used;
        return n;
}

static void leased_drop(struct leased *leased) {
        free(leased->channel);
        free(leased->locale);
        *leased = (struct leased){ 0 };
}

/* A free place with a copy of the message; NULL without memory. */
static struct leased *mail_take(const struct message *message) {
        struct leased *leased = mailer.leased;

        while (leased->is_used)
                leased++;
        *leased = (struct leased){ .message = *message,
                .channel = strdup(message->channel),
                .locale = strdup(message->locale),
                .is_used = true };
        if (!leased->channel || !leased->locale) {
                leased_drop(leased);
                return NULL;
        }
        leased->message.channel = leased->channel;
        leased->message.locale = leased->locale;
        leased->message.recipient = leased->message.message_id = leased->message.answer = NULL;
        leased->message.actor = MAILER_ACTOR;
        return leased;
}

/* The answer is kept with the mail. */
static void leased_end(struct leased *leased, const struct message_outcome *outcome) {
        leased->outcome = *outcome;
        leased->is_done = true;
        if (!outcome->answer)
                return;
        (void) snprintf(leased->answer, sizeof(leased->answer), "%s", outcome->answer);
        leased->outcome.answer = leased->answer;
}

/* ---- answers ---- */

static void reached_note(enum smtp_result result, const char *answer) {
        const bool unreachable = result == SMTP_UNREACHABLE;

        if (unreachable != mailer.unreachable)
                log_event(unreachable ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
                        unreachable ? "mail server not reachable" : "mail server reachable again", LOG_TEXT, "reason",
                        unreachable ? answer : NULL, LOG_END);
        mailer.unreachable = unreachable;
        if (!unreachable) {
                mailer.pause = 0;
                return;
        }
        mailer.pause = mailer.pause ? 2 * mailer.pause : PAUSE_MIN;
        if (mailer.pause > PAUSE_MAX)
                mailer.pause = PAUSE_MAX;
        mailer.lease_at = clock_monotonic() + mailer.pause;
}

/* A server that could not be reached has not judged the mail: the attempt is not counted. */
static struct message_outcome sent_outcome(const struct message *message, const struct smtp_sent *sent) {
        const timestamp now = mailer_time();
        struct message_outcome outcome = message_retry(message, sent->answer, now, mailer_dice());

        if (sent->result == SMTP_TAKEN || sent->result == SMTP_REFUSED) {
                outcome.state = sent->result == SMTP_TAKEN ? MESSAGE_SENT : MESSAGE_FAILED;
                outcome.sent_at = sent->result == SMTP_TAKEN ? now : TIMESTAMP_NONE;
                outcome.due_at = TIMESTAMP_NONE;
        } else if (sent->result == SMTP_UNREACHABLE && outcome.state == MESSAGE_QUEUED) {
                outcome.counted = message->attempts - 1;
                outcome.due_at = now + message_delay(/* attempts= */ 1, mailer_dice());
        }
        return outcome;
}

static void mailer_sent(const struct smtp_sent *sent) {
        struct leased *leased = sent->context;
        const struct message_outcome outcome = sent_outcome(&leased->message, sent);

        reached_note(sent->result, sent->answer);
        leased_end(leased, &outcome);
}

/* ---- recording ---- */

static void outcome_tell(struct events *events, const struct leased *leased) {
        if (leased->outcome.state == MESSAGE_SENT)
                (void) message_tell(events, &leased->message, EVENT_NOTIFICATION_SENT);
        else if (leased->outcome.state == MESSAGE_FAILED)
                (void) message_tell(events, &leased->message, EVENT_NOTIFICATION_FAILED);
}

static void outcome_count(const struct leased *leased) {
        const enum message_state state = leased->outcome.state;

        if (state != MESSAGE_SKIPPED)
                counter_add(state == MESSAGE_SENT     ? COUNTER_MAILS_SENT
                            : state == MESSAGE_FAILED ? COUNTER_MAILS_FAILED
                                                      : COUNTER_MAILS_DELAYED,
                        1);
}

static bool id_is_in(const struct message_ids *ids, const struct uuid *id) {
        for (size_t i = 0; i < ids->n; i++)
                if (uuid_equal(&ids->at[i], id))
                        return true;
        return false;
}

static enum problem record_run(const struct message_outcome *list, size_t n, struct message_ids *saved) {
        struct events events;
        enum problem p;

        database_begin(mailer.database);
        outcomes_save(mailer.database, &mailer.instance, list, n, mailer_time(), saved);
        p = mailer_trip();
        if (p)
                return p;
        events_init(&events, &mailer.arena);
        for (size_t i = 0; i < SMTP_MAILS_MAX; i++)
                if (mailer.leased[i].is_done && id_is_in(saved, &mailer.leased[i].message.id))
                        outcome_tell(&events, &mailer.leased[i]);
        p = events_save(mailer.database, &events, mailer_time());
        if (p)
                return p;
        database_commit(mailer.database);
        p = mailer_trip();
        if (!p)
                notices_tell(database_notes(mailer.database), /* events= */ events.first != NULL);
        return p;
}

/* A fault keeps the outcomes; they are recorded later, or the leases end and the mails are sent again. */
static enum problem outcomes_record(void) {
        struct message_ids saved = { .arena = &mailer.arena };
        struct message_outcome list[SMTP_MAILS_MAX];
        size_t n = 0;
        enum problem p;

        for (size_t i = 0; i < SMTP_MAILS_MAX; i++)
                if (mailer.leased[i].is_done)
                        list[n++] = mailer.leased[i].outcome;
        if (!n)
                return PROBLEM_NONE;
        p = record_run(list, n, &saved);
        for (size_t i = 0; i < SMTP_MAILS_MAX && !p; i++)
                if (mailer.leased[i].is_done) {
                        outcome_count(&mailer.leased[i]);
                        leased_drop(&mailer.leased[i]);
                }
        return p;
}

/* ---- leasing and sending ---- */

struct turn {
        struct message_list messages;
        struct order_set orders;
        struct catalog_set catalog;
        struct template_set templates;
        timestamp now;
};

static enum problem turn_read_orders(struct turn *turn) {
        enum problem p;

        for (size_t i = 0; i < turn->messages.n; i++) {
                orders_want(&turn->orders, &turn->messages.at[i].order_id);
                message_templates_want(&turn->templates, &turn->messages.at[i]);
        }
        p = orders_read(mailer.database, &turn->orders);
        if (!p)
                p = templates_read(mailer.database, &turn->templates);
        return p ? p : mailer_trip();
}

static enum problem turn_read_catalog(struct turn *turn) {
        enum problem p;

        for (size_t i = 0; i < turn->orders.n_rows; i++)
                catalog_want_channel(&turn->catalog, turn->orders.rows[i].channel);
        for (size_t i = 0; i < turn->orders.n_fulfillments; i++)
                catalog_want_location(&turn->catalog, turn->orders.fulfillments[i]->location);
        p = catalog_load(mailer.database, &turn->catalog);
        return p ? p : catalog_load_zones(mailer.database, &turn->catalog);
}

/* One transaction, so that its texts live until the mails are composed. */
static enum problem turn_lease(struct turn *turn, size_t limit) {
        enum problem p;

        turn->messages.arena = &mailer.arena;
        orders_init(&turn->orders, &mailer.arena, NULL);
        catalog_init(&turn->catalog, &mailer.arena);
        templates_init(&turn->templates, &mailer.arena);
        database_begin(mailer.database);
        messages_lease(mailer.database, &mailer.instance, (int64_t) limit, &turn->messages);
        database_ask_clock(mailer.database, &turn->now);
        p = mailer_trip();
        if (!p)
                mailer.clock_offset = turn->now - clock_monotonic();
        if (!p && turn->messages.n)
                p = turn_read_orders(turn);
        if (!p && turn->messages.n)
                p = turn_read_catalog(turn);
        if (p)
                return p;
        database_commit(mailer.database);
        p = mailer_trip();
        return !p && !catalog_zones_fit(&turn->catalog) ? FAULT_STALE : p;
}

/* Without memory the mail is due again when its lease ends. */
static void mail_send(const struct message *message, const struct composing *composing) {
        struct leased *leased = mail_take(message);
        struct composed composed;

        if (!leased)
                return;
        if (message_compose(message, composing, &mailer.arena, &composed))
                leased_drop(leased);
        else if (!composed.is_ready)
                leased_end(leased, &composed.outcome);
        else if (!smtp_send(mailer.sender, composed.from, message->recipient, composed.bytes, composed.size, leased))
                leased_drop(leased);
}

static enum problem mails_send(void) {
        const size_t room = leased_free(), limit = mailer.unreachable && room ? 1 : room;
        struct turn turn = { 0 };
        enum problem p;

        mailer.lease_at = clock_monotonic() + MAILER_TICK;
        if (!limit)
                return PROBLEM_NONE;
        p = turn_lease(&turn, limit);
        if (p)
                return p;
        for (size_t i = 0; i < turn.messages.n; i++) {
                const struct composing composing = { .orders = &turn.orders,
                        .catalog = &turn.catalog,
                        .templates = &turn.templates,
                        .pickup_secret = mailer.settings.pickup_secret,
                        .now = turn.now };

                mail_send(&turn.messages.at[i], &composing);
        }
        if (turn.messages.n == limit && !mailer.unreachable)
                mailer.lease_at = clock_monotonic();
        return PROBLEM_NONE;
}

/* ---- the thread ---- */

static bool has_outcomes(void) {
        for (size_t i = 0; i < SMTP_MAILS_MAX; i++)
                if (mailer.leased[i].is_done)
                        return true;
        return false;
}

static bool lease_is_due(void) {
        const bool told = !mailer.unreachable && atomic_exchange(&mailer.told, false);

        return leased_free() && (told || clock_monotonic() >= mailer.lease_at);
}

static enum problem mailer_work(void) {
        enum problem p = outcomes_record();

        return !p && lease_is_due() ? mails_send() : p;
}

static void mailer_delay(enum problem fault) {
        if (!mailer.late)
                log_event(LOG_LEVEL_WARNING, "mails delayed", LOG_TEXT, "sqlstate", database_sqlstate(mailer.database),
                        LOG_TEXT, "reason", database_message(mailer.database), LOG_INTEGER, "fault", (int64_t) fault,
                        LOG_END);
        mailer.late = true;
}

static duration mailer_wait(void) {
        const timestamp now = clock_monotonic();

        if (has_outcomes() || (atomic_load(&mailer.told) && leased_free() && !mailer.unreachable))
                return 0;
        if (!leased_free())
                return MAILER_TICK;
        return mailer.lease_at > now ? mailer.lease_at - now : 0;
}

static void mailer_end(void) {
        const timestamp until = clock_monotonic() + STOP_PATIENCE;

        while (smtp_busy(mailer.sender) && clock_monotonic() < until)
                smtp_turn(mailer.sender, PAUSE_AFTER_FAULT, mailer_sent);
        arena_reset(&mailer.arena);
        (void) outcomes_record();
}

static void *mailer_main(void *context) {
        enum problem p = database_connect(mailer.database);

        (void) context;
        while (!atomic_load(&mailer.stopping)) {
                arena_reset(&mailer.arena);
                if (!p)
                        p = mailer_work();
                if (p) {
                        mailer_delay(p);
                        smtp_turn(mailer.sender, PAUSE_AFTER_FAULT, mailer_sent);
                        p = database_connect(mailer.database);
                        continue;
                }
                mailer.late = false;
                smtp_turn(mailer.sender, mailer_wait(), mailer_sent);
        }
        if (!p)
                mailer_end();
        return NULL;
}

bool mailer_start(const struct mailer_settings *settings) {
        mailer.settings = *settings;
        mailer.database_settings = (struct database_settings){ .url = settings->database_url,
                .schema = settings->schema,
                .name = "holdfast mailer",
                .plans = PLANS_FREE,
                .statement_timeout_ms = STATEMENT_TIMEOUT_MS,
                .lock_timeout_ms = LOCK_TIMEOUT_MS };
        arena_init(&mailer.arena, MAILER_MEMORY_MAX);
        mailer.instance = uuid_random();
        memcpy(&mailer.random, mailer.instance.bytes, sizeof(mailer.random));
        mailer.database = database_new(&mailer.database_settings);
        mailer.sender = mailer.database ? smtp_sender_new(settings->server) : NULL;
        if (!mailer.sender)
                return false;
        atomic_store(&mailer_running, true);
        mailer.started = pthread_create(&mailer.thread, NULL, mailer_main, NULL) == 0;
        return mailer.started;
}

void mailer_stop(void) {
        if (!atomic_exchange(&mailer_running, false))
                return;
        atomic_store(&mailer.stopping, true);
        smtp_wake(mailer.sender);
        if (mailer.started)
                (void) pthread_join(mailer.thread, NULL);
        mailer.sender = smtp_sender_free(mailer.sender);
        for (size_t i = 0; i < SMTP_MAILS_MAX; i++)
                leased_drop(&mailer.leased[i]);
        mailer.database = database_close(mailer.database);
        arena_clear(&mailer.arena);
}
