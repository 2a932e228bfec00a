/*
 * engine/parking: calls that wait until something happens, without a worker, a connection to the database or a thread.
 *
 * A call that may wait has a `spot` here, and waits for a topic: "queue/berlin" is the queue of a location,
 * "events/berlin" its stream. It asks its lane; when that finds nothing new, it parks. It asks again when its topic is
 * told to have changed, and when its time has come. Nothing is missed in between: what is told while a call is asking
 * makes it ask once more, so it is as if it had been parked before it looked.
 *
 * Of all that wake at a topic, those with equal keys ask by one of them, their leader; the others follow it and get the
 * same answer. So a thousand devices that wake read the database once.
 *
 * Knows neither sockets nor lanes; a test drives it without them. Belongs to the loop thread, spots included.
 */
#pragma once

#include "engine/call.h"

#define PARKED_PER_SUBJECT_MAX 200 /* of one bearer, on one instance; streams count as well */
#define LEADERS_COMPARED_MAX                                                                                           \
        64 /* of those that woke together: more different keys than that are not brought together */

struct lot;
struct parking;

struct spot {
        struct call *call;
        struct lot *lot; /* of its topic; NULL: it has no place here */
        uint64_t seen;   /* what had been told of its topic when it last asked */
        timestamp until; /* while parked: clock_monotonic */
        bool parked;
        bool woken;                  /* it asks because its topic has changed, not because its time has come */
        struct spot *before, *after; /* while parked, in its lot */
        struct spot *followers;      /* of a leader that asks, linked by `after` */
};

struct parking_settings {
        void (*ask)(void *context, struct spot *spot); /* let the call ask its lane, now */
        void (*watch)(const char *topic);              /* somebody waits for the topic, nobody does any more */
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

/* The call of the spot has found nothing new: park it until its topic changes or `until`. When something was told since
 * it asked, it asks again at once. */
void parking_wait(struct parking *parking, struct spot *spot, timestamp until);

/* Give the spot up, parked or not; one without a place is fine. */
void parking_leave(struct parking *parking, struct spot *spot);

/* Something has changed at the topic: all that wait for it ask again. */
void parking_wake(struct parking *parking, const char *topic);

/* Those whose time has come ask again. */
void parking_expire(struct parking *parking, timestamp now);

/* Nobody is to wait any more: all ask for the last time (call->may_wait is off). For the end of the process. */
void parking_wake_all(struct parking *parking);

/* How many are parked. */
size_t parking_count(const struct parking *parking);
