/*
 * webhooks/endpoint: the endpoints that an instance has leased, in its memory.
 *
 * The bodies of events are shared by the endpoints that get them, and counted. Belongs to the thread of the deliverer.
 */
#pragma once

#include "base/arena.h"
#include "events/log.h"
#include "webhooks/outbox.h"
#include "webhooks/webhooks.h"

struct log_event;
struct sender;

/* The JSON of an event, as every endpoint gets it. */
struct body {
        size_t references, size;
        char bytes[];
};

/* Events that a client wants once more. */
struct replay {
        struct uuid id; /* nil: none */
        int64_t after, until;
        const char *types; /* NULL: all that the endpoint gets */
        bool only_failed;
};

struct endpoint {
        struct uuid id;
        uint64_t serial; /* no other endpoint in the life of the process has it, not even a later one of the same id */
        int64_t version;
        unsigned seen; /* the tick that read it last */
        struct arena arena;
        const char *url, *types, *locations, *channels;
        uint8_t secret[WEBHOOK_SECRET_SIZE], previous[WEBHOOK_SECRET_SIZE];
        timestamp previous_until; /* the secret before signs besides until then; TIMESTAMP_NONE: there is none */
        size_t max_in_flight;
        bool is_loaded;  /* its failed events are there */
        bool is_closing; /* it gets no more events, and goes when its answers are in */
        bool is_muted;   /* its secret cannot be read */
        bool is_refused; /* it has answered 410 */
        bool is_leaving; /* the instance has more than its share: the lease goes back when all answers are in */
        bool is_lost;    /* another instance has its lease, or may take it */
        int64_t saved_cursor;
        timestamp saved_at; /* clock_monotonic */
        timestamp look_at;  /* nothing can be sent before; by the clock of the database; INT64_MAX: before an answer */
        struct outbox outbox;
        struct replay replay;
        struct arena replay_arena; /* of its types */
};

struct endpoints {
        struct endpoint **at; /* by id */
        size_t n, capacity;
        uint64_t serial; /* of the newest */
};

/* A request under way. */
struct posted {
        struct uuid webhook_id;
        uint64_t serial;
        struct uuid event_id;
        int64_t position;  /* 0: a test event */
        timestamp at;      /* by the clock of the database */
        struct body *body; /* a reference of the outbox; of a test event its only one */
};

struct endpoint *endpoints_find(const struct endpoints *endpoints, const struct uuid *id);
must_check struct endpoint *endpoints_add(struct endpoints *endpoints, const struct webhook *row);

/* Forget those that are lost, or closing without a request under way. */
void endpoints_remove_ended(struct endpoints *endpoints);
void endpoints_clear(struct endpoints *endpoints);

/* Take over what the document says, if it has changed; then failed events are due at once. False without memory. */
must_check bool endpoint_describe(
        struct endpoint *endpoint, const struct webhook *row, const struct sealing_keys *keys);

/* Add a failed event from its row. */
void endpoint_restore(struct endpoint *endpoint, const struct log_event *event, unsigned attempts, timestamp due_at,
        struct arena *arena);

/* Whether it reads on: it is in use, has room, and does not wait for a probe. */
bool endpoint_may_read(const struct endpoint *endpoint);

/* Offer the events of a page up to position `next`; `bodies` has a place for each, which is filled when it is taken.
 * The caller drops the bodies. Stops where there is no room. Never goes back behind an event that it has taken. */
void endpoint_offer(struct endpoint *endpoint, const struct log_page *page, int64_t next, struct body **bodies,
        struct arena *arena);

/* Take over the replay of the document, unless it is at work already. False without memory. */
must_check bool endpoint_replay_take(struct endpoint *endpoint, const struct webhook *row);

/* Whether its replay reads on: there is room for others, and all ends are saved. */
bool endpoint_may_replay(const struct endpoint *endpoint);

/* Offer the events of a page that has looked up to `next` to the replay. */
void endpoint_replay(struct endpoint *endpoint, const struct log_page *page, int64_t next, struct arena *arena);

/* Begin to send a test event, which no outbox holds. False: the secret cannot be read, the sender is full, or there is
 * no memory. */
must_check bool endpoint_test(const struct webhook *row, const struct sealing_keys *keys, struct sender *sender,
        timestamp now, uint64_t random, struct arena *arena);

/* Sign the event and begin to send it. False: the sender is full, or there is no memory. */
must_check bool endpoint_post(const struct endpoint *endpoint, const struct outbox_event *event, struct sender *sender,
        timestamp now, uint64_t random);

/* Whether there is something to store. */
bool endpoint_has_news(const struct endpoint *endpoint, timestamp monotonic);

void body_drop(struct body *body); /* NULL is fine */
void posted_dropped(void *posted);

bool webhook_ids_have(const struct uuid *ids, size_t n, const struct uuid *id);
