/*
 * inventory: stock by location and product, and its available units.
 *
 * Other rooms reach stock through a `stock` set: they name the rows they need (`stock_want`), lock them all in one
 * statement in the one order (`stock_lock`), decide with the pure functions here, and save once (`stock_save`). A
 * set lives in the arena of its batch. Quantities are whole units.
 */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "base/problem.h"
#include "events/events.h"

struct database;
struct parameters;
struct rows;
struct snapshot;

/* A row locked by the transaction, or the empty place of a missing one; the figures include all decisions so far. */
struct stock_row {
        const char *location, *sku;
        int64_t on_hand, unsellable, reserved, safety_stock;
        int64_t movements;
        bool exists;                    /* in the database; the first movement makes it */
        bool location_known, sku_known; /* set only when it does not exist */
        bool changed;
};

/* A change of on_hand or unsellable, with actor and reason: a row of the ledger. */
struct stock_movement {
        struct stock_row *row;
        int64_t number, on_hand_change, unsellable_change, on_hand_after, unsellable_after;
        const char *reason;
        const char *document;  /* may be NULL */
        const char *reference; /* may be NULL */
        const char *actor;
        struct stock_movement *next;
};

struct stock_key {
        const char *location, *sku;
};

/* By location, then product: the order in which rows are locked. For base/sorted.h. */
int stock_key_compare(const void *left, const void *right);

/* Two parameters of a statement: the locations and the products. */
void parameter_stock_keys(struct parameters *parameters, const struct stock_key *keys, size_t n);

struct stock {
        struct arena *arena;
        struct stock_key *wanted;
        size_t n_wanted, wanted_capacity;
        struct stock_row *rows; /* sorted by (location, sku) */
        size_t n_rows;
        struct stock_movement *movements, **last_movement;
        bool exhausted; /* the arena is exhausted; shows at stock_lock and stock_save */
};

/* ---- a set of rows ---- */

void stock_init(struct stock *stock, struct arena *arena);

/* Name a row to be locked; the text must outlive the set; naming it twice is fine. */
void stock_want(struct stock *stock, const char *location, const char *sku);

/* Queue: lock every named row that exists, and read whether location and product of the others exist. */
enum problem stock_lock(struct database *database, struct stock *stock);

/* The reader of stock_lock, for statements of other rooms that lock stock rows by way of their documents: columns and
 * order as in stock_lock. `into` is the set. */
enum problem stock_rows_read(struct rows *rows, void *into);

/* The row that was named, or NULL when it was not. A row that does not exist holds nothing and cannot be locked. */
struct stock_row *stock_find(const struct stock *stock, const char *location, const char *sku);

/* Units that a line of a request lacks at a location. */
struct stock_shortage {
        const char *sku, *location;
        int64_t available, wanted;
};

/* Add the violation of that line, which stands at `place` in the list of the request. */
void stock_shortage_violate(struct refusal *refusal, struct arena *arena, const char *list, size_t place,
        const struct stock_shortage *shortage);

/* Keep the set with the end of its ledger, and either the named row (NULL: none) or every row. */
void stock_snapshot(struct snapshot *snapshot, struct stock *stock);
void stock_row_snapshot(struct snapshot *snapshot, struct stock_row *row);
void stock_rows_snapshot(struct snapshot *snapshot, struct stock *stock);

/* Queue: write changed rows, and the ledger. */
enum problem stock_save(struct database *database, struct stock *stock, struct events *events, timestamp now);

/* ---- pure rules ---- */

/* Units that may be promised: never below 0. */
int64_t stock_available(const struct stock_row *row);

/* Promise and give back. The caller has checked stock_available; a release never takes `reserved` below 0. */
void stock_reserve(struct stock_row *row, int64_t quantity);
void stock_release(struct stock_row *row, int64_t quantity);

/* Actor and reason of a movement. */
struct stock_cause {
        const char *reason, *document, *reference, *actor;
};

/* Change on_hand and unsellable and note it in the ledger. The caller has checked that no figure becomes impossible. */
void stock_move(struct stock *stock, struct stock_row *row, int64_t on_hand_change, int64_t unsellable_change,
        const struct stock_cause *cause);
