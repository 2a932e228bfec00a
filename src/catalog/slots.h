/*
 * catalog/slots: when orders may be collected, where a location lets only so many come at a time.
 *
 * A location has slots of the week with a capacity each. A slot of a date is named by its location and the instant at
 * which it begins; wall times mean what catalog/promise says. On the date of a closure only those slots are offered
 * that lie within its hours. Of two that begin at the same instant, because clocks skip the time between, the first
 * counts.
 *
 * How many places are taken stands in a row for each slot, which is locked after all stock rows and before the queue
 * revisions, in the order of (location, beginning). Whoever gives a place back needs no lock beforehand: the update
 * that counts it takes the locks in the same order, and nothing but the revisions after them.
 */
#pragma once

#include "catalog/promise.h"

#define SLOTS_MAX         200 /* of a week */
#define SLOT_CAPACITY_MAX 10000
#define SLOT_HORIZON      (PROMISE_HORIZON_DAYS * DAY) /* from the order to the beginning of its slot, at most */

/* ---- pure rules ---- */

struct slot_time {
        timestamp begins, ends;
        int64_t capacity;
};

/* The slots that begin from `from` on and before `to`, in order; as many as there is room for. */
size_t slots_between(const struct location *location, const struct zone *zone, timestamp from, timestamp to,
        struct slot_time *slots, size_t room);

/* The slot that begins at the instant; false when there is none. */
must_check bool slot_find(
        const struct location *location, const struct zone *zone, timestamp begins, struct slot_time *ret_slot);

/* ---- places ---- */

struct snapshot;

struct slot_row {
        const char *location;
        timestamp begins;
        int64_t booked;
        bool changed;
};

struct slot_set {
        struct arena *arena;
        struct slot_row *rows; /* sorted by location and beginning, once they are locked */
        size_t n_rows, capacity;
        bool exhausted;
};

void slots_init(struct slot_set *set, struct arena *arena);
void slots_want(struct slot_set *set, const char *location, timestamp begins);

/* Queue: make the rows that are not there yet, lock them all, read what is booked. Nothing, when nothing was wanted.
 * FAULT_STALE on the trip, when somebody has removed one in between. */
enum problem slots_lock(struct database *database, struct slot_set *set);

/* The row, or NULL when it was not wanted. */
struct slot_row *slot_row_find(const struct slot_set *set, const char *location, timestamp begins);

/* Keep the rows as they are. */
void slots_snapshot(struct snapshot *snapshot, struct slot_set *set);

/* Queue: write what has changed, and remove the rows of slots that nobody holds a place in: who was refused leaves
 * nothing. */
void slots_save(struct database *database, struct slot_set *set);

/* Queue: give back the places named: one for each time. Nothing when n is 0. */
void slots_give_back(struct database *database, struct arena *arena, const struct slot_row *places, size_t n);

/* Queue: the rows of a location, from `from` (TIMESTAMP_NONE: now) to `to` (TIMESTAMP_NONE: `span` later), into the
 * empty set. */
void slots_booked(struct database *database, struct slot_set *set, const char *location, timestamp from, timestamp to,
        duration span);
