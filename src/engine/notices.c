#include "engine/notices.h"

#include "base/arena.h"
#include "base/log.h"
#include "db/listen.h"
#include "db/session.h"
#include "events/store_publish.h"
#include "sql/topics.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MEMORY_MAX           ((size_t) 16 * 1024 * 1024)
#define STATEMENT_TIMEOUT_MS 5000
#define LOCK_TIMEOUT_MS      1000
#define TRIP_TIME_MAX        (6 * SECOND)
#define PUBLISH_AGAIN_MAX    50 /* full batches in a row, before notices are looked at again */
#define NEVER_SEEN           INT64_C(-1)

/* A topic that calls on this instance wait for. */
struct watched {
        note topic;
        int64_t seen; /* its revision when it was last looked at */
        size_t n;     /* waiting calls */
};

static struct notices {
        struct notices_settings settings;
        struct database_settings database_settings;
        struct database *database;
        struct arena arena;         /* of one turn */
        char prefix[NOTE_SIZE_MAX]; /* of payloads: markets that share a database tell each other apart */
        int wake;                   /* eventfd */
        pthread_t thread;
        bool started, listening;
        bool late;         /* and the log has it */
        timestamp look_at; /* clock_monotonic */
        struct publisher publisher;
        timestamp publish_not_before; /* clock_monotonic */
        unsigned turns;               /* of the publisher that are due even if they find no event */

        pthread_mutex_t mutex; /* of the members below */
        struct notes told;     /* topics whose change is yet to be sent */
        bool events_told;      /* a transaction has written events */
        struct watched *watched;
        size_t n_watched, watched_capacity;
        bool stopping;
        struct notices_figures figures;
} notices = { .wake = -1, .mutex = PTHREAD_MUTEX_INITIALIZER };

static atomic_bool running;

static void notices_lock(void) {
        (void) pthread_mutex_lock(&notices.mutex);
}

static void notices_unlock(void) {
        (void) pthread_mutex_unlock(&notices.mutex);
}

static void thread_wake(void) {
        const uint64_t one = 1;

        (void) !write(notices.wake, &one, sizeof(one));
}

static void topic_wake(const char *topic) {
        notices.settings.wake(notices.settings.context, topic);
}

/* ---- requests of other threads ---- */

void notices_tell(const struct notes *topics, bool events) {
        if (!atomic_load(&running) || (!topics->n && !events))
                return;
        for (size_t i = 0; i < topics->n; i++)
                topic_wake(topics->at[i]);
        notices_lock();
        for (size_t i = 0; i < topics->n; i++)
                notes_add(&notices.told, topics->at[i]);
        notices.events_told = notices.events_told || events;
        notices_unlock();
        thread_wake();
}

static struct watched *watched_find(const char *topic) {
        for (size_t i = 0; i < notices.n_watched; i++)
                if (text_equal(notices.watched[i].topic, topic))
                        return &notices.watched[i];
        return NULL;
}

static struct watched *watched_add(const char *topic) {
        struct watched *watched;

        if (notices.n_watched == notices.watched_capacity) {
                const size_t capacity = notices.watched_capacity ? 2 * notices.watched_capacity : 64;

                watched = reallocarray(notices.watched, capacity, sizeof(*watched));
                if (!watched)
                        return NULL;
                notices.watched = watched;
                notices.watched_capacity = capacity;
        }
        watched = &notices.watched[notices.n_watched++];
        *watched = (struct watched){ .seen = NEVER_SEEN };
        (void) snprintf(watched->topic, sizeof(note), "%s", topic);
        return watched;
}

/* For a topic that is not watched for lack of memory, notices still arrive. */
void notices_watch(const char *topic) {
        struct watched *watched;

        notices_lock();
        watched = watched_find(topic);
        if (!watched)
                watched = watched_add(topic);
        if (watched)
                watched->n++;
        notices_unlock();
}

void notices_unwatch(const char *topic) {
        struct watched *watched;

        notices_lock();
        watched = watched_find(topic);
        if (watched && --watched->n == 0)
                *watched = notices.watched[--notices.n_watched];
        notices_unlock();
}

struct notices_figures notices_figures(void) {
        struct notices_figures figures;

        notices_lock();
        figures = notices.figures;
        notices_unlock();
        return figures;
}

static void notices_count(uint64_t *figure, uint64_t n) {
        notices_lock();
        *figure += n;
        notices_unlock();
}

/* ---- notifying other instances ---- */

static enum problem notices_trip(void) {
        return database_trip(notices.database, clock_monotonic() + TRIP_TIME_MAX);
}

static enum problem send_topics(const struct notes *topics) {
        struct parameters p;
        struct array *names;

        if (!topics->n)
                return PROBLEM_NONE;
        parameters_init(&p, &notices.arena);
        parameter_text(&p, notices.prefix);
        names = parameter_texts(&p);
        for (size_t i = 0; i < topics->n; i++)
                array_text(names, topics->at[i]);
        database_begin(notices.database);
        database_ask(notices.database, &sql_topics_send_lightly, NULL, NULL, NULL);
        database_ask(notices.database, &sql_topics_send, &p, NULL, NULL);
        database_commit(notices.database);
        notices_count(&notices.figures.sent, topics->n);
        return notices_trip();
}

/* Take the topics changed since the last turn into a set of the caller. */
static void told_take(struct notes *ret_told) {
        notices_lock();
        *ret_told = notices.told;
        notices.told = (struct notes){ 0 };
        if (notices.events_told)
                notices.turns = PUBLISH_TURNS;
        notices.events_told = false;
        notices_unlock();
}

/* ---- publishing ---- */

/* Another turn follows at once when this one was full, and after a pause when it found no event: the events may have
 * been there while a rival held the log. */
static unsigned publish_turns_left(enum problem p, const struct publisher *publisher) {
        if (p || publisher->is_full)
                return PUBLISH_TURNS;
        return publisher->n || !notices.turns ? 0 : notices.turns - 1;
}

/* One turn of the publisher. */
static enum problem publish(void) {
        struct publisher *publisher = &notices.publisher;
        enum problem p = events_publish(publisher, notices.database, &notices.arena, clock_monotonic() + TRIP_TIME_MAX);

        notices.turns = publish_turns_left(p, publisher);
        notices.publish_not_before = clock_monotonic() + (publisher->is_full ? 0 : PUBLISH_PAUSE);
        for (size_t i = 0; !p && i < publisher->topics.n; i++)
                topic_wake(publisher->topics.at[i]);
        if (!p) {
                notices_count(&notices.figures.published, publisher->n);
                p = send_topics(&publisher->topics);
        }
        notes_free(&publisher->topics);
        return p;
}

/* ---- looking ---- */

static enum problem look_read(struct rows *rows, void *into) {
        (void) into;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                const char *topic = row_text(&row);
                const int64_t revision = row_integer(&row);
                struct watched *watched;

                notices_lock();
                watched = watched_find(topic);
                if (watched && watched->seen != revision) {
                        notices.figures.missed += watched->seen != NEVER_SEEN;
                        watched->seen = revision;
                        topic_wake(topic);
                }
                notices_unlock();
        }
        return PROBLEM_NONE;
}

static enum problem topics_look(void) {
        struct parameters p;
        struct array *names;

        parameters_init(&p, &notices.arena);
        names = parameter_texts(&p);
        notices_lock();
        for (size_t i = 0; i < notices.n_watched; i++) {
                const char *topic = arena_text(&notices.arena, notices.watched[i].topic);

                if (topic)
                        array_text(names, topic);
        }
        notices_unlock();
        database_begin_snapshot(notices.database);
        database_ask(notices.database, &sql_topics_look, &p, look_read, NULL);
        database_commit(notices.database);
        return notices_trip();
}

/* ---- the thread ---- */

static void received(void *context, const char *payload) {
        (void) context;
        if (!text_starts_with(payload, notices.prefix))
                return;
        notices_count(&notices.figures.received, 1);
        notices.settings.wake(notices.settings.context, payload + strlen(notices.prefix));
}

static enum problem listen_begin(void) {
        enum problem p = database_connect(notices.database);

        if (p)
                return p;
        database_ask_text(notices.database, "listen holdfast", NULL, NULL);
        return notices_trip();
}

/* Wait for work: a commit here, a notice from elsewhere, the next turn of the publisher, or the time to look. */
static void wait_for_work(void) {
        struct pollfd fds[] = { { .fd = notices.wake, .events = POLLIN },
                { .fd = notices.listening ? listen_socket(notices.database) : -1, .events = POLLIN } };
        const timestamp next = notices.turns && notices.publish_not_before < notices.look_at
                                       ? notices.publish_not_before
                                       : notices.look_at;
        const duration left = next - clock_monotonic();
        uint64_t ignored;

        (void) poll(fds, array_size(fds), left > 0 ? (int) (left / MILLISECOND) + 1 : 0);
        if (fds[0].revents)
                (void) !read(notices.wake, &ignored, sizeof(ignored));
}

static bool notices_are_stopping(void) {
        bool stopping;

        notices_lock();
        stopping = notices.stopping;
        notices_unlock();
        return stopping;
}

static enum problem work(void) {
        const bool is_time = clock_monotonic() >= notices.look_at;
        struct notes told = { 0 };
        enum problem p = notices.listening ? PROBLEM_NONE : listen_begin();

        notices.listening = p == PROBLEM_NONE;
        if (!p)
                p = listen_take(notices.database, received, NULL);
        told_take(&told);
        if (!p)
                p = send_topics(&told);
        if (!p && (is_time || (notices.turns && clock_monotonic() >= notices.publish_not_before)))
                p = publish();
        notes_free(&told);
        if (!p && is_time)
                p = topics_look();
        /* A notice that came during a trip is read already: poll would not see it on the socket. */
        return p ? p : listen_take(notices.database, received, NULL);
}

/* A notice that could not be sent is not sent again: other instances look once a second. An outage logs two lines,
 * however long it is.
 */
static void notices_delayed_log(enum problem fault) {
        if (fault == FAULT_LOST)
                notices.listening = false;
        if (!notices.late)
                log_event(LOG_LEVEL_WARNING, "change notifications delayed", LOG_TEXT, "sqlstate",
                        database_sqlstate(notices.database), LOG_TEXT, "reason", database_message(notices.database),
                        LOG_END);
        notices.late = true;
}

static void *notices_main(void *context) {
        (void) context;
        while (!notices_are_stopping()) {
                const timestamp now = clock_monotonic();
                enum problem p;

                arena_reset(&notices.arena);
                p = work();
                if (now >= notices.look_at)
                        notices.look_at = now + NOTICES_LOOK_EVERY_S * SECOND;
                if (!p) {
                        if (notices.late)
                                log_event(LOG_LEVEL_INFO, "change notifications resumed", LOG_END);
                        notices.late = false;
                        wait_for_work();
                        continue;
                }
                notices_delayed_log(p);
                if (database_connect(notices.database))
                        notices.listening = false;
                (void) poll(NULL, 0, NOTICES_LOOK_EVERY_S * 1000 / 4);
        }
        return NULL;
}

bool notices_start(const struct notices_settings *settings) {
        notices.settings = *settings;
        notices.database_settings = (struct database_settings){ .url = settings->database_url,
                .schema = settings->schema,
                .name = "holdfast notices",
                .plans = PLANS_PINNED,
                .statement_timeout_ms = STATEMENT_TIMEOUT_MS,
                .lock_timeout_ms = LOCK_TIMEOUT_MS };
        (void) snprintf(notices.prefix, sizeof(notices.prefix), "%s/", settings->schema);
        arena_init(&notices.arena, MEMORY_MAX);
        notices.wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        notices.database = database_new(&notices.database_settings);
        if (notices.wake < 0 || !notices.database)
                return false;
        atomic_store(&running, true);
        notices.started = pthread_create(&notices.thread, NULL, notices_main, NULL) == 0;
        return notices.started;
}

void notices_stop(void) {
        atomic_store(&running, false);
        notices_lock();
        notices.stopping = true;
        notices_unlock();
        if (notices.wake >= 0)
                thread_wake();
        if (notices.started)
                (void) pthread_join(notices.thread, NULL);
        notices.database = database_close(notices.database);
        arena_clear(&notices.arena);
        notes_free(&notices.told);
        free(notices.watched);
        notices.watched = NULL;
        notices.n_watched = notices.watched_capacity = 0;
        if (notices.wake >= 0)
                (void) close(notices.wake);
        notices.wake = -1;
}
