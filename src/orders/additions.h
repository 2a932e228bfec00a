/*
 * orders/additions: units that an order gets after it was placed: for a change, and for an exchange.
 *
 * Pure but for the new ids. In two steps, so that a request that wants several things is decided whole:
 * `additions_check` refuses and changes nothing but the additions themselves; `additions_make` cannot refuse any more.
 * Between the two the order and its stock may give units back, never take any.
 *
 * Before: the catalogue of the wishes with its zones is loaded (`wish_want`, then catalog_load and catalog_load_zones;
 * the channel of an order never changes), the documents are locked together with the stock rows of the wishes
 * (`orders_lock` locks what the stock wants), lapsed reservations are freed as wherever rows are locked
 * (`reservations_free_lapsed`), and the slots named are locked after all stock rows (`wish_want_slot`, `slots_lock`).
 * After: `order_settle` or `order_after_units`; then stock_save, slots_save, orders_update, events_save.
 *
 * Lines and fulfillment lines of the order are moved in memory by `additions_make`: pointers to them are void after it,
 * but for `addition.line`.
 */
#pragma once

#include "orders/wishes.h"

struct addition {
        struct wish wish;
        struct order_line *line; /* that gets more units; NULL: a new one, set when it is made */
        bool moved;              /* the order has the units already: its amounts stay */
        int64_t discount;        /* of a new line, off its price */
        int64_t tax;             /* in it, or on top of it, as the order has its tax */

        /* What the check found. */
        const char *title;
        int64_t unit_price;
        struct wish_promise promise; /* of a new fulfillment */
        struct stock_row *row;
        bool joins; /* a fulfillment that is there */
        bool fits;  /* its amount can be stated */
};

/* Check all that is to be added to one order: VALIDATION_FAILED (unknown codes, prices, too many lines, no address to
 * ship to), INSUFFICIENT_STOCK with each short line, SLOT_FULL. `has_address`: the order has one, or will. */
enum problem additions_check(const struct order *order, struct addition *additions, size_t n, bool has_address,
        const struct stock *stock, const struct market *market);

/* Units that the same request gives back before anything is added; they are there for the additions. */
struct release {
        const struct stock_row *row;
        int64_t units;
};

/* The same in two steps, for who has more to check: what is invalid is objected to; then whether the units and the
 * places are there: INSUFFICIENT_STOCK, SLOT_FULL. */
void additions_judge(const struct order *order, struct addition *additions, size_t n, bool has_address,
        const struct stock *stock, const struct market *market);
enum problem additions_cover(const struct addition *additions, size_t n, const struct release *releases,
        size_t n_releases, const struct market *market);

/* Who adds, and where it is told. */
struct adding {
        struct slot_set *slots; /* NULL: none were named */
        struct events *events;
        const char *actor;
        timestamp now;
        struct arena *arena; /* of the batch */
};

/* Add what was checked: units join an open fulfillment of the same method, location and slot of which not all is
 * picked, else a new one is made; they are reserved; the value of the line, the subtotal and the total rise by their
 * price. FAULT_BUSY without memory. */
enum problem additions_make(struct order *order, struct addition *additions, size_t n, const struct adding *adding);
