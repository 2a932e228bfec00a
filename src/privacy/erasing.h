/*
 * privacy/erasing: one batch of orders whose customer is erased: its rows, the decision, the writes.
 *
 * The rules (privacy/rules.c) are pure; the store (privacy/store.c) reads and writes in a transaction that the caller
 * has begun. One thread.
 */
#pragma once

#include "privacy/erasure.h"

struct erasable_order {
        struct uuid id;
        int64_t version; /* once it is erased */
        const char *number, *cancel_reason;
        const char *open_for; /* of open_reason_texts, or a word of a newer program; NULL: it is closed */
        bool is_erased;
};

struct open_order {
        const char *number, *why;
};

struct personal_document {
        struct uuid id, order_id;
        const char *reason;              /* of a fulfillment, a refund or a return */
        const char *handover, *packages; /* of a fulfillment */
        const char *text;                /* of an event, a record or a return */
};

struct personal_documents {
        struct arena *arena;
        struct personal_document *rows;
        size_t n;
};

/* What is read of one batch. */
struct erasure_batch {
        struct erasure *erasure;
        const struct uuid *ids;
        size_t n_ids;
        struct erasable_order *orders; /* sorted by id; first all, then those that are to be erased */
        size_t n_orders;
        struct open_order *open;
        struct personal_documents fulfillments, refunds, returns, events, records;
        timestamp now;
        size_t n_open, n_before;
};

/* An order of the batch; NULL when it is not, or not any more, among those to be erased. */
struct erasable_order *erasure_order_find(const struct erasure_batch *work, const struct uuid *id);

/* Keep the closed orders that were not erased before, and list the open ones with their reasons (orders/orders.h). */
void erasure_judge(struct erasure_batch *work);

/* Lock the orders and read their documents and the clock, in one trip. */
must_check enum problem erasure_lock(struct database *database, struct erasure_batch *work);

/* Read the events of the orders to be erased and, when wished, the kept replies that name them. */
must_check enum problem erasure_read(struct database *database, struct erasure_batch *work);

/* Write everything without the person, tell it in the timelines, and commit. */
must_check enum problem erasure_save(struct database *database, struct erasure_batch *work);
