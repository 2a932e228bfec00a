/*
 * orders/additions: units added to an order after it was placed, by a change or an exchange.
 *
 * Pure but for the new ids. In two steps, so that a request with several parts is decided whole: `additions_check`
 * refuses, and changes only the additions themselves; `additions_make` cannot refuse any more. Between the two, the
 * order and its stock may give units back, never take any.
 *
 * Before: the catalogue of the requested lines with its zones is loaded (`requested_line_want`, then catalog_load and
 * catalog_load_zones; the channel of an order never changes). The documents are locked together with the stock rows of
 * the lines (`orders_lock` locks the rows that the stock wants). Lapsed reservations are freed as in every command that
 * locks rows (`reservations_free_lapsed`). The slots named are locked after all stock rows (`requested_line_want_slot`,
 * `slots_lock`).
 * After: `order_settle` or `order_after_units`; then stock_save, slots_save, orders_update, events_save.
 *
 * `additions_make` moves lines and fulfillment lines of the order in memory: pointers to them are void after it, but
 * for `addition.line`.
 */
#pragma once

#include "orders/requests.h"

struct addition {
        struct requested_line requested;
        struct order_line *line; /* the line that gets more units; NULL: a new line, set by additions_make */
        bool moved;              /* the order has the units already; its amounts stay */
        int64_t discount;        /* of a new line, off its price */
        int64_t tax;             /* in the price or on top of it, as in the whole order */

        /* Results of the check. */
        const char *title;
        int64_t unit_price;
        struct line_promise promise; /* of a new fulfillment */
        struct stock_row *row;
        bool joins; /* an existing fulfillment */
        bool fits;  /* its amount can be stated */
};

/* The amount by which it raises the total of the order. */
int64_t addition_value(const struct order *order, const struct addition *addition);

/* Check all additions to one order: VALIDATION_FAILED (unknown codes, prices, too many lines, no address to ship to),
 * INSUFFICIENT_STOCK with each short line, SLOT_FULL. `has_address`: the order has an address, or will have one. */
enum problem additions_check(const struct order *order, struct addition *additions, size_t n, bool has_address,
        const struct stock *stock, const struct offer_context *context);

/* Units that the same request gives back before any addition; the additions may use them. */
struct release {
        const struct stock_row *row;
        int64_t units;
};

/* The same in two steps, for callers with further checks. The first adds the violations. The second checks that units
 * and places are available: INSUFFICIENT_STOCK, SLOT_FULL. */
void additions_validate(const struct order *order, struct addition *additions, size_t n, bool has_address,
        const struct stock *stock, const struct offer_context *context);
enum problem additions_cover(const struct addition *additions, size_t n, const struct release *releases,
        size_t n_releases, const struct offer_context *context);

/* The command that makes the additions, and where they live. */
struct adding {
        const struct command *command;
        struct slot_set *slots; /* NULL: none were named */
        struct arena *arena;    /* of the batch */
};

/* Make the checked additions. Units join an open fulfillment of the same method, location and slot that is not wholly
 * picked, else a new one is made. They are reserved; the value of the line, the subtotal and the total rise by their
 * price. FAULT_BUSY without memory. */
enum problem additions_make(struct order *order, struct addition *additions, size_t n, const struct adding *adding);
