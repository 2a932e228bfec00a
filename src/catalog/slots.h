/*
 * catalog/slots: pickup slots: times with a limited number of orders.
 *
 * A location has slots of the week with a capacity each. A slot of a date is named by its location and the instant at
 * which it begins; wall times are read as in catalog/promise. On the date of a closure only those slots are offered
 * that lie within its hours. Of two that begin at the same instant, because clocks skip the time between, the first
 * counts.
 *
 * Each slot has a row with its booked places. It is locked after all stock rows and before the queue revisions, in the
 * order of (location, beginning). Giving a place back needs no lock beforehand: its update takes the locks in the same
 * order, and only the revisions after them.
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

/* The slots that begin from `from` on and before `to`, in order; at most as many as fit. */
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

/* Queue: insert missing rows, lock them all, read the booked places. Queues no statement when no slot was wanted.
 * FAULT_STALE on the trip, when another session has removed a row in between. */
enum problem slots_lock(struct database *database, struct slot_set *set);

/* The row, or NULL when it was not wanted. */
struct slot_row *slot_row_find(const struct slot_set *set, const char *location, timestamp begins);

/* Keep the rows in the snapshot. */
void slots_snapshot(struct snapshot *snapshot, struct slot_set *set);

/* Queue: write changed rows, and delete rows of slots without a booked place, so that a refused order leaves no row. */
void slots_save(struct database *database, struct slot_set *set);

/* Queue: give back one place for each time named. Queues no statement when n is 0. */
void slots_give_back(struct database *database, struct arena *arena, const struct slot_row *places, size_t n);

/* Queue: the rows of a location, from `from` (TIMESTAMP_NONE: now) to `to` (TIMESTAMP_NONE: `span` later), into the
 * empty set. */
void slots_booked(struct database *database, struct slot_set *set, const char *location, timestamp from, timestamp to,
        duration span);
