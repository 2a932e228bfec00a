/*
 * orders: the orders of a batch, loaded and saved whole, and what clients see of them.
 *
 * An `order_set` lives in the arena of its batch. All calls of the batch share it, so that each sees the decisions of
 * the calls before it.
 */
#pragma once

#include "orders/order.h"

struct order_set {
        struct arena *arena;
        struct stock *stock; /* NULL: lines have no stock row */
        struct uuid *orders_wanted, *fulfillments_wanted;
        size_t n_orders_wanted, n_fulfillments_wanted, orders_capacity, fulfillments_capacity;
        struct order *rows; /* sorted by id */
        size_t n_rows;
        struct balance_set balances;       /* those of the rows */
        struct fulfillment **fulfillments; /* as read: those of all orders, by order and id */
        size_t n_fulfillments;
        bool returns_loaded; /* their returns are loaded, too, and raise their versions themselves (returns/returns.h)
                              */
        bool exhausted;
};

void orders_init(struct order_set *set, struct arena *arena, struct stock *stock);
void orders_want(struct order_set *set, const struct uuid *order_id);
void orders_want_fulfillment(struct order_set *set, const struct uuid *fulfillment_id);

/* Queue: lock the orders, their fulfillments, and the stock rows of their lines together with those that the caller has
 * named in the stock; then read their parts. */
enum problem orders_lock(struct database *database, struct order_set *set);

/* Queue the same in two steps, for callers that lock stock rows in between: lines of any other row then have none. */
enum problem orders_lock_headers(struct database *database, struct order_set *set);
enum problem orders_read_parts(struct database *database, struct order_set *set);

/* Queue: the same documents without any lock; lines have no stock row. */
enum problem orders_read(struct database *database, struct order_set *set);

struct order *order_find(const struct order_set *set, const struct uuid *id);
struct fulfillment *fulfillment_find(const struct order_set *set, const struct uuid *id);

/* Queue: insert new orders with all their parts. */
enum problem orders_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n);

/* Queue: update the changed parts of the orders of a set, and insert the new fulfillments. */
enum problem orders_update(struct database *database, struct order_set *set);

/* Queue: read the claims of the returns of the orders of a set, the oldest first (balance.claims). The orders are named
 * by their id, and locked. */
void return_claims_load(struct database *database, struct order_set *set);

/* ---- replies ---- */

struct writer;

/* The locations whose pickup codes a reader sees. A client that reads an order for another part of it, or because goods
 * of it came back, hands over nothing and needs no code. */
struct code_viewer {
        const char *secret; /* NULL: no codes */
        bool all_locations;
        const char *const *locations;
        size_t n_locations;
};

/* An order, or one fulfillment of it, as clients see it: the members of an open object. `viewer` or `pickup_secret`
 * NULL: codes are not shown. */
void order_write(struct writer *json, const struct order *order, const struct code_viewer *viewer);
void fulfillment_write(struct writer *json, const struct fulfillment *fulfillment, const char *pickup_secret);

/* Digests for the ETag, of members that may differ within a version: the deadline that the policy of the channel gives;
 * with a viewer, also the fulfillments whose pickup codes the viewer does not see. 0: none differs. */
uint64_t order_view(const struct order *order);
uint64_t order_view_of(const struct order *order, const struct code_viewer *viewer);

/* "replaces": the fulfillment that fell short of its units; null when there is none. */
void replaces_write(struct writer *json, const struct fulfillment *fulfillment);

/* "check_in": the messages of the customer on the way; null when there are none. */
void check_in_write(struct writer *json, const struct check_in *check_in);
