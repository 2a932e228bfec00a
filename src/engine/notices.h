/*
 * engine/notices: one thread that tells waiting calls, here and on other instances, of changes.
 *
 * Calls wait for a topic (events/topics.h), which changes with its revision. After a commit `notices_tell` wakes the
 * waiting calls of this instance at once. The thread then sends the topics to other instances by NOTIFY, gathered in a
 * separate transaction that does not wait for the disk: a NOTIFY within a business transaction would hold a lock of the
 * whole cluster through its commit. The thread is also the instance's publisher of events (events/store_publish.h), and
 * notifies of them.
 *
 * NOTIFY is a hint. Once a second the thread compares the revisions of all watched topics with those it saw last, so a
 * lost notice delays a call by a second.
 *
 * One for the process; the functions do nothing while it is not started.
 */
#pragma once

#include "base/clock.h"
#include "db/notes.h"

#include <stdint.h>

#define NOTICES_LOOK_EVERY_S 1
#define PUBLISH_PAUSE        (10 * MILLISECOND) /* between two turns of the publisher, so that one takes many commits */
#define PUBLISH_TURNS        4 /* without an event before it waits for a hint: a rival may hold the log */

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

/* A transaction that changes these topics has committed, and with `events` it has written events. Any thread. */
void notices_tell(const struct notes *topics, bool events);

/* Start or stop to watch a topic: a call on this instance waits for it, or none does any more. Any thread. */
void notices_watch(const char *topic);
void notices_unwatch(const char *topic);

struct notices_figures notices_figures(void);
