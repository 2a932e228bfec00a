/*
 * events: what happened, told in the transaction in which it happened.
 *
 * A batch collects its events in a list (`event_add`) and saves them with everything else (`events_save`). The
 * timeline of an order reads them; later they are published to streams and webhooks. Never codes or personal data in
 * `data`.
 */
#pragma once

#include "base/buffer.h"
#include "base/clock.h"
#include "base/problem.h"
#include "base/uuid.h"

struct database;

#define EVENT_DATA_MAX ((size_t) 128 * 1024) /* one that names every line of the longest order fits */

struct event {
        struct uuid id;
        const char *type;                                              /* "order.created": dotted, lower case */
        const struct uuid *order_id, *fulfillment_id, *reservation_id; /* each may be NULL */
        const char *location;                                          /* may be NULL */
        const int64_t *version; /* of the document, as it is when the event is saved; may be NULL */
        const char *actor;
        timestamp occurred_at; /* TIMESTAMP_NONE: when it is saved */
        struct buffer data;    /* members of its JSON object, without the braces */
        struct event *next;
};

struct events {
        struct arena *arena;
        struct event *first, **last;
        bool exhausted;
};

void events_init(struct events *events, struct arena *arena);

/* A new event in the list, with a fresh id, for the caller to fill; what it points to must live until events_save.
 * Never NULL: without memory it is a scratch event, and events_save fails. */
struct event *event_add(struct events *events, const char *type, const char *actor);

/* Add a member to the data of an event; NULL text is left out. */
void event_text(struct event *event, const char *name, const char *value);
void event_integer(struct event *event, const char *name, int64_t value);

/* Queue: write them all; those of a fulfillment wait to be published in the stream of their location. */
enum problem events_save(struct database *database, struct events *events, timestamp now);
