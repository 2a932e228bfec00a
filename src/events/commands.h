/*
 * events/commands: shared parts of the room's command files.
 */
#pragma once

#include "engine/call.h"
#include "engine/cursor.h"
#include "engine/list.h"
#include "events/log.h"

#define TYPES_SIZE_MAX   2000 /* code points of a query */
#define SUBJECT_SIZE_MAX 200

/* The query of a reader of the log. */
struct events_query {
        const char *after; /* a cursor, "oldest" or "now"; NULL: the route's default */
        const char *types; /* patterns, separated by commas; NULL: all */
        const char *subject, *location, *channel;
        int64_t limit;
        bool has_limit;
};

/* One call that reads the log. */
struct events_reading {
        struct log_filter filter;
        struct log_page page;
        bool expired; /* events after its position are gone */
};

struct events_work {
        struct cursor_key key;
        struct log_bounds bounds;
        struct events_reading *readings; /* of each call, which finds its own in call->work */
};

/* On the loop: whether the bearer may read these events, and whether the types and the subject are known. */
void events_query_check(struct call *call);

/* On the loop: replace the patterns in `types` of the body by those without prefix. Refuses the call if one names no
 * type. */
void event_patterns_check(struct call *call, const char **types, size_t n);

/* The topic of the events that the call reads. */
const char *events_topic(struct call *call);

/* The position that a text names: a cursor, "oldest" or "now". False with a refusal: INVALID_CURSOR. */
must_check bool position_named(struct call *call, const struct cursor_key *key, const struct log_bounds *bounds,
        const char *after, int64_t *ret_position);

/* Queue the page of each call, of `limit` events unless the query says otherwise, after the cursor that `cursor_of`
 * returns; makes a trip. */
must_check enum problem events_readings_load(
        struct batch *batch, int64_t limit, const char *(*cursor_of)(const struct call *call));

/* The key of parked calls that read the same: address, and bearer when the bearer sees only some events. NULL without
 * memory. */
const char *events_park_key(struct call *call);

/* Write an event: the members of an open CloudEvents object (CloudEvents 1.0, JSON format). */
void event_write(struct writer *json, const struct log_event *event);

void consumer_body_check(struct call *call);

extern const struct shape consumer_commit_shape, consumer_shape, events_list_shape, events_stream_shape;
extern const struct list_kind consumers_list;
extern const struct operation consumer_commit, consumer_delete, consumer_put, consumer_show, events_list, events_stream;
