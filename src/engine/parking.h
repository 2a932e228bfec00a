/*
 * engine/parking: calls that wait for a change, without a worker, a database connection or a thread.
 *
 * A call that may wait has a `spot` here, and waits for a topic (events/topics.h): "queue/berlin" is the queue of a
 * location. It asks its lane; when that finds nothing new, it parks. It asks again when its topic
 * changes, and when its time has come. No change is missed in between: a change while a call is asking makes it ask
 * once more, as if it had been parked before it looked.
 *
 * Among the calls that wake at a topic, one of those with equal keys and positions asks, the leader; the others follow
 * it and get the same answer. So a thousand waking devices read the database once.
 *
 * Knows neither sockets nor lanes; a test drives it without them. Belongs to the loop thread, spots included.
 */
#pragma once

#include "engine/call.h"

#define PARKED_PER_SUBJECT_MAX 200 /* of one bearer, on one instance; streams count as well */
#define LEADERS_COMPARED_MAX                                                                                           \
        64 /* different keys compared among calls that wake together; calls with further keys ask alone */

struct lot;
struct parking;

struct spot {
        struct call *call;
        struct lot *lot; /* of its topic; NULL: not entered */
        uint64_t seen;   /* changes of its topic when it last asked */
        timestamp until; /* while parked: clock_monotonic */
        bool parked;
        bool woken;                  /* it asks because its topic has changed, not because its time has come */
        struct spot *before, *after; /* while parked, in its lot */
        struct spot *followers;      /* of a leader that asks, linked by `after` */
};

struct parking_settings {
        void (*ask)(void *context, struct spot *spot); /* let the call ask its lane, now */
        void (*watch)(const char *topic);              /* the first call waits for the topic, no call waits any more */
        void (*unwatch)(const char *topic);
        void *context;
};

/* NULL without memory. */
must_check struct parking *parking_new(const struct parking_settings *settings);
struct parking *parking_free(struct parking *parking);

enum parking_answer {
        PARKING_ENTERED,
        PARKING_FULL, /* the bearer has too many already, or there is no memory */
};

/* Take a spot for a call that is about to ask its lane for the first time. The topic is copied. */
must_check enum parking_answer parking_enter(
        struct parking *parking, struct spot *spot, struct call *call, const char *topic);

/* Park the spot of a call without news until its topic changes or `until`. If the topic changed since the call asked,
 * it asks again at once. */
void parking_wait(struct parking *parking, struct spot *spot, timestamp until);

/* Give the spot up, parked or not; a spot that was never entered is fine. */
void parking_leave(struct parking *parking, struct spot *spot);

/* The topic has changed: all calls that wait for it ask again. */
void parking_wake(struct parking *parking, const char *topic);

/* Calls that are due by `now` ask again. */
void parking_expire(struct parking *parking, timestamp now);

/* End all waits: every call asks for the last time (call->may_wait is off). For the end of the process. */
void parking_wake_all(struct parking *parking);

/* How many are parked. */
size_t parking_count(const struct parking *parking);
