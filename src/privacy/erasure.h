/*
 * privacy/erasure: the customer is removed from closed orders.
 *
 * Products, times and amounts stay, for stock, money and reports; personal data does not. A batch is one transaction:
 * it locks the orders, decides for each, writes them without the person, and adds an event to their timelines. An order
 * is open, and is left unchanged, while a location holds units of it or money is due. docs/retention.md lists the
 * personal members. One thread.
 */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "base/problem.h"
#include "base/uuid.h"

struct database;

#define ERASED_AT_ONCE     100
#define ERASURE_MEMORY_MAX ((size_t) 256 * 1024 * 1024)

struct erasure {
        struct database *database;
        struct arena *arena; /* of one batch; the caller resets it in between */
        const char *cause;   /* "age" or "request", for the timeline */
        bool records;        /* also out of the replies that are kept for repeats */
        bool dry_run;        /* judge, and change nothing */
        size_t erased, open; /* orders, so far */
        size_t before;       /* that were erased before */
        size_t records_erased;
        /* Told of each order that is open, and why; may be NULL. */
        void (*is_open)(const char *order_number, const char *why);
};

/* The orders of a batch, at most ERASED_AT_ONCE. A fault when nothing of it was done. */
must_check enum problem erase_orders(struct erasure *erasure, const struct uuid *ids, size_t n);

/* Found by one of the erasure_find statements: in their order, with what they are sorted by. */
struct found_order {
        struct uuid id;
        timestamp updated_at;
};

struct found_orders {
        struct arena *arena;
        struct found_order *rows;
        size_t n;
};

/* The terms by which a person is known; exactly one is not NULL. */
struct person_selector {
        const char *customer_id, *email;
        const char *phone; /* digits, without a 00 in front */
        const char *order_number;
        const char *order_number_read; /* the same as it is written; NULL when it is no order number */
};

/* Find the orders of a person, oldest first. Runs in a separate transaction. */
must_check enum problem orders_find_person(
        struct database *database, const struct person_selector *selector, struct found_orders *found);

/* Find at most `limit` orders that may be closed and have not changed since `before`, after the order `last`. */
must_check enum problem orders_find_aged(struct database *database, timestamp before, int64_t limit,
        const struct found_order *last, struct found_orders *found);

/* Run a transaction; retry it after conflicts and lock timeouts. */
must_check enum problem run_patiently(
        struct database *database, enum problem (*run)(struct database *database, void *context), void *context);
