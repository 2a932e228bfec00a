/*
 * queue: the work of a location's staff: fulfillments to pick, put aside and hand over.
 *
 * A card shows one fulfillment that is still at its location. The queue of a location has a revision
 * (sql/migrations/0005_queue.sql). Every transaction that changes a fulfillment there raises it, and a reader compares
 * it before it reads anything else. A client that needs the changes follows the stream of the location.
 *
 * Fulfillments of customers at the store come first. All others follow in the requested order.
 */
#pragma once

#include "events/log.h"
#include "fulfillment/fulfillment.h"

#define AT_RISK_BEFORE  (30 * MINUTE) /* the promised time */
#define SCANNED_MAX     512           /* code points of a scanned text */
#define PAST_CODES_MAX  2000          /* that were collected there, likewise; docs/returns.md */
#define OPEN_CODES_MAX  5000          /* fulfillments whose pickup codes a scan is compared with */
#define MATCHES_MAX     50            /* of one scan */
#define STREAM_READ_MAX 500           /* events of one part of a stream */

enum sla { SLA_ON_TIME, SLA_AT_RISK, SLA_OVERDUE };

/* As on the wire; NULL-terminated. */
extern const char *const sla_texts[];

/* The status of a card: that of the fulfillment, or the customer's check-in once it is ready. */
enum card_status {
        CARD_ALLOCATED,
        CARD_ARRIVED,
        CARD_ON_THE_WAY,
        CARD_PACKED,
        CARD_PICKING,
        CARD_READY,
        CARD_STATUS_COUNT,
};
extern const char *const card_status_texts[];

/* ---- pure rules ---- */

/* The state of a fulfillment against its promised time to be ready, or to leave by carrier. Once it is ready, the
 * promise is kept. */
enum sla queue_sla(enum fulfillment_status status, timestamp promised_at, timestamp now);

/* The next instant at which that state changes without a command; TIMESTAMP_NONE: never. */
timestamp queue_sla_changes_at(enum fulfillment_status status, timestamp promised_at, timestamp now);

/* The tag of a view of a queue: filters, page and allowed actions, of which `view` is a digest. It holds for one
 * revision, and until `changes_at`, when time alone changes the view (TIMESTAMP_NONE: never). NULL without memory. */
const char *queue_tag(
        struct arena *arena, const char *location, int64_t revision, const char *view, timestamp changes_at);

/* Whether If-None-Match (NULL: none was sent) names a tag of this view and revision that still holds, and until when.
 */
must_check bool queue_tag_holds(const char *if_none_match, const char *location, int64_t revision, const char *view,
        timestamp now, timestamp *ret_changes_at);

/* ---- reading ---- */

/* The head of a location's queue, read before the queue. */
struct queue_head {
        const char *location;
        bool exists;
        int64_t revision;
        timestamp now; /* the database's clock */
};

struct queue_heads {
        struct arena *arena;
        struct queue_head *at; /* sorted by location */
        size_t n;
};

/* Queue: read the heads of these locations, in any order, repeated or not. */
enum problem queue_heads_ask(
        struct database *database, struct queue_heads *heads, const char *const *locations, size_t n);
const struct queue_head *queue_head_find(const struct queue_heads *heads, const char *location);

enum queue_sort { BY_CREATED, BY_CREATED_LAST, BY_PROMISED, BY_PROMISED_LAST };
extern const char *const queue_sort_texts[];

struct queue_filter {
        const char *location;
        const char *const *statuses; /* as shown; n 0: all */
        const char *const *methods;
        size_t n_statuses, n_methods;
        const char *assignee; /* NULL: any, and none */
        const char *words;    /* of an order number, a customer's name, or the last digits of a phone; NULL: all */
        timestamp promised_before;
        enum queue_sort sort;
        bool has_after; /* only cards after this one: */
        int64_t after_rank, after_key;
        struct uuid after_id;
        int64_t limit;
};

/* The place of a card. */
struct queue_place {
        struct uuid id, order_id; /* the fulfillment's and its order's */
        int64_t rank, key;
        const char *customer_name;
};

struct queue_page {
        struct arena *arena;
        struct queue_place *places;
        size_t n;
};

/* Queue: the places of one page, in order. */
enum problem queue_page_ask(struct database *database, const struct queue_filter *filter, struct queue_page *page);

struct queue_count {
        const char *location;
        int64_t n[CARD_STATUS_COUNT];
        int64_t overdue;
        timestamp changes_at; /* when the next one becomes overdue; TIMESTAMP_NONE: none will */
};

struct queue_counts {
        struct arena *arena;
        struct queue_count *at; /* sorted by location; without locations whose queue is empty */
        size_t n;
};

/* Queue: count the queues of the heads. */
enum problem queue_counts_ask(struct database *database, const struct queue_heads *heads, struct queue_counts *counts);

/* ---- the stream of a location ---- */

struct stream_event {
        int64_t position;
        struct uuid id, order_id, fulfillment_id;
        const char *type, *data;
        timestamp occurred_at;
};

struct stream_part {
        struct arena *arena;
        struct log_bounds bounds;
        struct stream_event *events;
        size_t n_events;
};

void stream_read_ask(struct database *database, struct stream_part *part, const char *location, int64_t after);

/* ---- scanning ---- */

/* The pickup code of a fulfillment. */
struct scanned_code {
        struct uuid fulfillment_id;
        int64_t pickup_serial;
};

struct scanned {
        struct arena *arena;
        struct uuid *orders;            /* of that number, with a part at the location */
        struct scanned_code *waiting;   /* at the location: those that have a pickup code */
        struct scanned_code *collected; /* the same for collected ones; for staff that accepts returns */
        size_t n_orders, n_waiting, n_collected;
        bool returns; /* the bearer accepts returns: orders of other locations and ended ones count as well */
        const char *const *skus; /* of the product that has this code, or this GTIN */
        size_t n_skus;
};

/* Queue: the possible meanings of the text at the location; `scanned` has the permissions. `gtin`: 14 digits, or NULL
 * when it is none.
 */
enum problem scan_ask(
        struct database *database, struct scanned *scanned, const char *location, const char *text, const char *gtin);
