/*
 * orders/provider: what the payment provider tells, once for each of its event ids.
 *
 * The provider's word is a fact: it is refused only when it cannot be true. Late and repeated words are taken in, and
 * change nothing. All under the lock of the payment's order.
 */
#pragma once

#include "orders/orders.h"

#include "base/digest.h"

/* Sorted as provider_event_texts. */
enum provider_event_type {
        PROVIDER_AUTHORIZED, /* so much is held, in all */
        PROVIDER_CAPTURED,   /* so much more is taken */
        PROVIDER_FAILED,     /* what is not captured is not to be had */
        PROVIDER_REFUND_FAILED,
        PROVIDER_REFUND_ISSUED,
        PROVIDER_REFUND_SETTLED,
        PROVIDER_VOIDED, /* so much is let go, in all */
};

/* As on the wire; NULL-terminated. */
extern const char *const provider_event_texts[];

struct provider_event {
        const char *event_id;
        int type; /* enum provider_event_type */
        int64_t amount;
        bool has_amount;       /* else: of all that it can be */
        struct uuid refund_id; /* of refund_... */
        bool has_refund_id;
        const char *reference;
        timestamp occurred_at; /* TIMESTAMP_NONE: not told */
};

/* What can be told from the event alone: VALIDATION_FAILED with every violation. */
enum problem provider_check(const struct provider_event *told, struct arena *arena, struct refusal *refusal);

/* Take in one event, and settle the order. OVER_CAPTURE: more than the payment holds. INVALID_TRANSITION: the state
 * does not lead there. VALIDATION_FAILED: a refund that is not the payment's, or of another amount. Refuses before it
 * changes anything. */
enum problem provider_tells(struct payment *payment, const struct provider_event *told, const char *actor,
        struct events *events, timestamp now, struct arena *arena, struct refusal *refusal);

/* ---- what was told before ---- */

struct told_event {
        struct uuid payment_id;
        const char *event_id;
        const char *type;
        uint8_t content[DIGEST_SIZE];
        bool is_new;
};

struct told_events {
        struct arena *arena;
        struct told_event *at; /* room for those that were told before and for those of the batch */
        size_t n;
};

/* What an event says, apart from its id. */
void provider_event_digest(const struct provider_event *told, uint8_t *ret_digest);

/* EVENT_ID_REUSED when the payment was told another thing under this id; *ret_known says whether it was told at all. */
enum problem told_events_find(const struct told_events *events, const struct uuid *payment_id,
        const struct provider_event *told, struct arena *arena, struct refusal *refusal, bool *ret_known);

/* Note one that was taken in; there is room. */
void told_events_add(struct told_events *events, const struct uuid *payment_id, const struct provider_event *told);

/* Queue: which of n ids of payments, and of refunds, belong to which orders; the orders become wanted in the set. */
struct owner {
        struct uuid id, order_id; /* of a payment or refund; nil: there is none */
};

struct owners {
        struct owner *at;
        size_t n, capacity;
};

void owners_ask(struct database *database, struct arena *arena, const struct uuid *payments, size_t n_payments,
        const struct uuid *refunds, size_t n_refunds, struct owners *owners);

/* The order of a payment or refund; NULL: nobody's. */
const struct uuid *owners_find(const struct owners *owners, const struct uuid *id);

/* Queue: read those of n events that were told before, of the payments named beside them. */
void told_events_ask(struct database *database, const struct uuid *payments, const struct provider_event *const *events,
        size_t n, struct told_events *told);

/* Queue: write those that are new. */
void told_events_save(struct database *database, const struct told_events *told);
