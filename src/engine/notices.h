/*
 * engine/notices: one thread that tells who waits, here and on other instances, that something has changed.
 *
 * A topic is what somebody waits for: "queue/berlin" changes with the revision of that queue, "events/berlin" with the
 * position of its stream. After a commit `notices_tell` wakes those who wait on this instance at once; the thread then
 * sends the topics to the others by NOTIFY, gathered, in a transaction of its own that does not wait for the disk: a
 * NOTIFY within a business transaction would take a lock of the whole cluster through its commit. It publishes what
 * waits to be published (sql/queries/streams.sql), and tells that too.
 *
 * NOTIFY is a hint. Once a second the thread compares revisions and positions of all topics that somebody waits for
 * with what it saw last, so a lost notice costs a second.
 *
 * One for the process; the functions do nothing while it is not started.
 */
#pragma once

#include "db/notes.h"

#include <stdint.h>

#define NOTICES_LOOK_EVERY_S 1
#define PUBLISHED_AT_ONCE    1000 /* events */

struct notices_settings {
        const char *database_url;
        const char *schema;
        void (*wake)(void *context, const char *topic); /* any thread; must not wait */
        void *context;
};

struct notices_figures {
        uint64_t sent, received, published, missed; /* missed: found by looking, not by a notice */
};

/* False when there is no memory or no thread. */
must_check bool notices_start(const struct notices_settings *settings);
void notices_stop(void);

/* A transaction that changes these queues has committed. Any thread. */
void notices_tell(const struct notes *locations);

/* Somebody on this instance waits for the topic, or nobody does any more. Any thread. */
void notices_watch(const char *topic);
void notices_unwatch(const char *topic);

struct notices_figures notices_figures(void);
