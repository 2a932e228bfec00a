/*
 * payments/provider: events of the payment provider, recorded once for each event id.
 *
 * An event is a fact: it is refused only when it cannot be true. Events count in the order in which they happened, not
 * in which they arrive: by occurred_at, or by the time of recording when they have none. So the payment reaches the
 * same state in every order of arrival in which all are accepted. No event takes the place of a known capture: of two
 * captures that exceed the payment together, the second to arrive is refused, whatever their times. Of two events of
 * the same moment a failure comes before an authorization, that before a capture, that before a void; then the event
 * ids decide; events without occurred_at follow in the order of recording. An event that cannot follow the events
 * before it is passed over, as if it had never arrived. The status that a payment was placed with comes before all
 * events that count. A failure from before a payment was placed as authorized or captured does not count. All functions
 * but provider_check and owners_ask need the lock of the payment's order.
 */
#pragma once

#include "payments/payments.h"

#include "base/digest.h"

#define PROVIDER_CLOCK_AHEAD                                                                                           \
        DAY /* by which an event may be ahead of the database: a wrong time zone, no wrong year                        \
             */

#define PAYMENT_EVENTS_MAX 1000 /* of one payment, with those of its refunds */

/* Sorted as provider_event_texts. */
enum provider_event_type {
        PROVIDER_AUTHORIZED, /* total amount held */
        PROVIDER_CAPTURED,   /* further amount captured */
        PROVIDER_FAILED,     /* the uncaptured rest cannot be captured */
        PROVIDER_REFUND_FAILED,
        PROVIDER_REFUND_ISSUED,
        PROVIDER_REFUND_SETTLED,
        PROVIDER_VOIDED, /* total amount voided */
};

/* As on the wire; NULL-terminated. */
extern const char *const provider_event_texts[];
extern const struct enum_column provider_event_type_column;

struct provider_event {
        const char *event_id;
        int type; /* enum provider_event_type */
        int64_t amount;
        bool has_amount;       /* else: the largest possible amount */
        struct uuid refund_id; /* of refund_... */
        bool has_refund_id;
        const char *reference;
        timestamp occurred_at; /* TIMESTAMP_NONE: not given */
};

/* Check the event without the database: VALIDATION_FAILED with every violation. */
enum problem provider_check(const struct provider_event *told, struct arena *arena, struct refusal *refusal);

struct told_events;

/* Apply one event, and add it to the known ones. OVER_CAPTURE: more than the payment holds. INVALID_TRANSITION: no
 * captured amount pays the refund. TOO_MANY: the payment has reached its limit of events. VALIDATION_FAILED: a refund
 * that is not the payment's, or of another amount. Refuses before it changes anything. An event that the others do not
 * lead to changes nothing and is not refused: a provider would repeat it for ever. The caller settles the balance. */
enum problem provider_event_apply(struct payment *payment, const struct provider_event *told,
        struct told_events *before, const struct command *command);

/* ---- known events ---- */

struct told_event {
        struct uuid payment_id;
        const char *event_id;
        int type;       /* enum provider_event_type */
        int64_t number; /* number among the payment's events, in the order of recording, from 1 */
        int64_t amount;
        bool has_amount;
        int64_t voids_asked;   /* void_asked at the time of recording, if the order wants the payment */
        struct uuid refund_id; /* of refund_... */
        bool has_refund_id;
        timestamp occurred_at; /* TIMESTAMP_NONE: not given, recorded_at counts */
        timestamp recorded_at;
        bool counts; /* false: recorded by a release that kept no amounts; known by its id only */
        uint8_t content[DIGEST_SIZE];
        bool is_new;
};

/* All events of some payments. Empty when zeroed but for the arena. */
struct told_events {
        struct arena *arena;
        struct told_event *at;
        size_t n, capacity;
};

/* A digest of the content of an event, without its id. */
void provider_event_digest(const struct provider_event *told, uint8_t *ret_digest);

/* EVENT_ID_REUSED when the payment has another event with this id; *ret_known: the id is known. */
enum problem told_events_find(const struct told_events *events, const struct uuid *payment_id,
        const struct provider_event *told, struct arena *arena, struct refusal *refusal, bool *ret_known);

/* The event as it will be recorded. */
struct told_event told_event_of(const struct told_events *events, const struct payment *payment,
        const struct provider_event *told, timestamp now);

/* Add an applied event. False without memory. */
must_check bool told_events_add(struct told_events *events, const struct told_event *event);

/* ---- their sum ---- */

/* Events of one payment, or of one of its refunds, in the order in which they happened. */
struct told_history {
        const struct told_event *const *list;
        size_t n;
};

/* The history of a payment (`refund_id` NULL) or refund, with `added` (may be NULL) in its place. False without memory.
 */
must_check bool told_history(const struct told_events *told, const struct payment *payment,
        const struct uuid *refund_id, const struct told_event *added, struct arena *arena,
        struct told_history *ret_history);

/* The money behind a payment as reported by the provider, without our requests. */
struct funds {
        enum funds_state state;
        int64_t amount; /* of the payment */
        int64_t authorized, captured, voided, failed;
        size_t captures;     /* events that captured a part of it */
        timestamp placed_at; /* failures before it do not count; TIMESTAMP_NONE: all count */
};

/* The effect of one event. */
struct told_amount {
        enum problem problem; /* NONE; else the reason why it was passed over */
        int64_t told, most;
};

/* The sum of a history; *ret_amount (may be NULL) is the effect of the event `asked`. */
struct funds funds_told(const struct payment *payment, const struct told_history *history,
        const struct told_event *asked, struct told_amount *ret_amount);
enum refund_state refund_told(const struct refund *refund, const struct told_history *history,
        const struct told_event *asked, enum problem *ret_problem);

/* Queue: find the orders of these payments and refunds. */
struct owner {
        struct uuid id, order_id; /* of a payment or refund; nil: there is none */
};

struct owners {
        struct arena *arena;
        struct owner *at;
        size_t n;
};

void owners_ask(struct database *database, const struct uuid *payments, size_t n_payments, const struct uuid *refunds,
        size_t n_refunds, struct owners *owners);

/* The order of a payment or refund; NULL: no such id. */
const struct uuid *owners_find(const struct owners *owners, const struct uuid *id);

/* Queue: read all events of n payments. */
void told_events_ask(struct database *database, const struct uuid *payments, size_t n, struct told_events *told);

/* Queue: write the new ones. */
void told_events_save(struct database *database, const struct told_events *told);
