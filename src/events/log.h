/*
 * events/log: reading the log of events (events/store_publish.h).
 *
 * A page costs the events that it looks at, however long the log is: an index leads to the events of a subject or of
 * one location, and any other filter looks at LOG_LOOKED positions at most. Such a page may be empty although there are
 * more; `next` is the position up to which it has looked.
 */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "base/problem.h"
#include "base/uuid.h"
#include "events/types.h"

#include <stdint.h>

#define LOG_LOOKED    10000 /* positions: as many in sql/queries/events.sql */
#define LOG_LIMIT     100   /* events of a page, unless the client says otherwise */
#define LOG_LIMIT_MAX 1000

struct database;

struct log_bounds {
        int64_t position; /* of the newest event; 0: none yet */
        int64_t first;    /* the oldest position that is kept */
};

struct log_filter {
        int64_t after; /* a position */
        int64_t limit;
        const enum event_type *types; /* NULL: all */
        size_t n_types;
        const char *subject; /* "orders/ID"; NULL: any */
        const char *location, *channel;
        bool some_locations; /* those of the bearer alone: */
        const char *const *locations;
        size_t n_locations;
};

struct log_event {
        int64_t position;
        struct uuid id, order_id;
        const char *type, *subject_kind, *subject_id, *location, *channel, *data;
        timestamp occurred_at;
};

struct log_page {
        struct arena *arena;
        struct log_bounds bounds; /* of the same moment */
        struct log_event *events;
        size_t n;
};

/* Queue: the bounds of the log. */
void event_log_bounds_ask(struct database *database, struct log_bounds *bounds);

/* Queue: the events after a position that pass the filter. */
void event_log_page_ask(struct database *database, const struct log_filter *filter, struct log_page *page);

/* ---- pure ---- */

/* Whether a reader that has seen all events up to `last` can continue from there. */
bool event_log_can_resume(const struct log_bounds *bounds, int64_t last);

/* The position up to which a page has looked, and whether there is more behind it. */
int64_t event_log_next(const struct log_filter *filter, const struct log_page *page, bool *ret_has_more);

/* The types that a pattern names: a type, "order.*" or "*", with the prefix of types or without. Adds them to `types`,
 * which has room for all, without repeats; false: there are none. */
must_check bool event_types_match(const char *pattern, size_t size, enum event_type *types, size_t *n);

/* Set the types of the filter to those that the patterns name, which commas separate. False: one names none, or there
 * is no memory. */
must_check bool event_types_parse(const char *patterns, struct arena *arena, struct log_filter *filter);
