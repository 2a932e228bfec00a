/*
 * privacy/erasure: taking the person out of orders that are closed.
 *
 * What was bought, when and where stays, for stock, money and reports; who it was does not. A batch is one transaction
 * of its own: lock the orders, judge each, write what is left of them, and tell it in their timelines. An order is
 * open, and left as it is, while units of it are in the house or money is due. docs/retention.md lists what goes and
 * what stays. One thread.
 */
#pragma once

#include "base/arena.h"
#include "base/problem.h"
#include "base/uuid.h"
#include "db/connection.h"

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

enum problem found_orders_read(struct rows *rows, void *into);

/* Run a transaction, again for what passes: conflicts and rows that somebody holds. */
must_check enum problem run_patiently(
        struct database *database, enum problem (*run)(struct database *database, void *context), void *context);
