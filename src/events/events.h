/*
 * events: records of changes, written in the transaction of the change.
 *
 * A batch has one list of events, which the engine makes and saves (`batch->events`); rules add to it (`event_add`).
 * The timeline of an order reads them, and the publisher gives them their positions in the log. Never codes or personal
 * data in `data` but in the members that events/types.h reserves for the timeline.
 *
 * An event without an order is loose: no timeline keeps it, so it is in no table but the log.
 *
 * An event has a subject, the document that changed: "orders/ID". Its type says which kind of document that is.
 *
 * An event carries the version of its document after its own command. A command may add an event before it raises the
 * version, so its events are settled at its end (`events_settle`). Later commands of the batch do not change them.
 * Several events of one command share its version.
 */
#pragma once

#include "base/buffer.h"
#include "base/clock.h"
#include "base/problem.h"
#include "base/uuid.h"
#include "events/types.h"

struct database;
struct snapshot;

#define EVENT_DATA_MAX ((size_t) 128 * 1024) /* one that names every line of the longest order fits */

struct event {
        struct uuid id;
        enum event_type type;
        enum subject_kind subject_kind;
        const struct uuid *subject_id;
        const char *subject_code;       /* in place of the id: a code, or two with a slash between */
        const struct uuid *order_id;    /* of the order whose timeline shows it; NULL: none */
        const char *location, *channel; /* each may be NULL */
        const int64_t *version_of;      /* the subject, until the event is settled; NULL: it is settled */
        int64_t version;                /* of the subject; 0: the event is not settled */
        const char *actor;
        timestamp occurred_at; /* TIMESTAMP_NONE: when it is saved */
        bool is_cover;         /* it goes if another event of the command has the same subject and version */
        struct buffer data;    /* members of its JSON object, without the braces */
        struct event *next;
};

struct events {
        struct arena *arena;
        struct event *first, **last;
        struct event **unsettled; /* place of the first event that is not settled */
        bool exhausted;
};

void events_init(struct events *events, struct arena *arena);

/* A new event in the list, with a fresh id, for the caller to fill: event_about is required. The text and ids it points
 * to must live until events_save. Never NULL: without memory it is a scratch event, and events_save fails. */
struct event *event_add(struct events *events, enum event_type type, const char *actor);

/* Set the subject, and where its version stands; a later call overrides. */
void event_about(struct event *event, enum subject_kind kind, const struct uuid *id, const int64_t *version);

/* The same for a document with a code: the text must live until events_save. */
void event_about_code(struct event *event, const char *code, const int64_t *version);

/* The document has got this version. Readers of the log see every version, so a loose event of the type tells it unless
 * another event of the command does. */
void event_cover(struct events *events, enum event_type type, const struct uuid *id, int64_t version,
        const char *location, const char *channel, const char *actor);

/* Add a member to the data of an event; NULL text is left out. */
void event_text(struct event *event, const char *name, const char *value);
void event_integer(struct event *event, const char *name, int64_t value);

/* Settle the events of a decided command: they get the current version of their documents. */
void events_settle(struct events *events);

/* Keep the list in the snapshot: if the call is refused, the events added later are dropped. */
void events_snapshot(struct snapshot *snapshot, struct events *events);

/* Queue: insert all events, settled; they then wait for the publisher (events/store_publish.h). An event without a
 * subject is FAULT_BROKEN. */
enum problem events_save(struct database *database, struct events *events, timestamp now);
