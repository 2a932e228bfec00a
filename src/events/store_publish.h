/*
 * events/store_publish: the log of all events, and their positions in it.
 *
 * A transaction writes its events without positions, because sequences do not commit in order. A publisher gives due
 * events the next positions in a separate transaction, which locks the revision of the log. So positions follow the
 * order of commits, have no gap and never change, and a reader that has read up to a position misses nothing. Each
 * instance has a publisher; there is no leader to lose. Belongs to one thread.
 */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "base/problem.h"
#include "db/notes.h"

#include <stdint.h>

#define PUBLISHED_AT_ONCE 1000  /* rows of events_due, and about as many events */
#define LOG_SPARE         10000 /* positions that partitions have ahead; more than one turn gives */

struct database;

struct publisher {
        int64_t position, end; /* of the log when last seen, and the last one of its partitions; 0: not known */
        /* Of the last turn: */
        struct notes topics; /* that it changed (events/topics.h) */
        uint64_t n;          /* events */
        bool is_full;        /* there may be more due events */
};

/* Publish due events in one transaction; none while another publisher is at it. The caller reads the outcome of the
 * turn from the publisher, and frees its topics. */
enum problem events_publish(
        struct publisher *publisher, struct database *database, struct arena *arena, timestamp deadline);
