/*
 * adjustments: changes of stock outside of orders, as when goods come in, a till sells or a count finds less.
 *
 * An item names a row and either a signed `delta` or the `on_hand` that was found, and for a count perhaps when: then
 * the movements after it, other than counts, are added to that figure. Deltas have the sign of what they do to the
 * units that can be sold: receipt, found and return add, sale and theft take away, correction and count do either.
 * Damage says how many units are damaged, with either sign, and leaves on_hand as it is. Units that are unsellable
 * leave only with an `on_hand`.
 *
 * A shrink is an item that leaves less than was promised. It is never refused for that alone: promises are broken,
 * newest first, with the reason "stock_lost". Reservations are released whole, then units of orders that nobody has
 * picked yet are marked short. A promise of picked units is never broken. The batch chooses the documents to lock
 * before the locks, and decides which promises to break after them. It starts over (FAULT_STALE) when it would then
 * have to break promises that are not locked, or take units from an order although a newer reservation exists.
 */
#pragma once

#include "inventory/inventory.h"
#include "orders/orders.h"
#include "reservations/reservations.h"

#define ADJUSTMENT_ITEMS_MAX 500
#define STOCK_UNITS_MAX      INT64_C(1000000000) /* of one row */

enum adjustment_reason {
        ADJUSTMENT_CORRECTION,
        ADJUSTMENT_COUNT,
        ADJUSTMENT_DAMAGE,
        ADJUSTMENT_FOUND,
        ADJUSTMENT_RECEIPT,
        ADJUSTMENT_RETURN,
        ADJUSTMENT_SALE,
        ADJUSTMENT_THEFT,
};

/* As on the wire and in the ledger; NULL-terminated; the index is the enum. */
extern const char *const adjustment_reasons[];

/* One item, as the client sent it. */
struct adjustment {
        const char *location, *sku;
        const char *reference; /* may be NULL */
        int reason;            /* enum adjustment_reason */
        int64_t delta, on_hand, unsellable;
        timestamp counted_at; /* when on_hand was found; later movements are kept */
        bool has_delta, has_on_hand, has_unsellable, has_counted_at;
        int64_t moved; /* units that have come (and gone, below 0) since counted_at, as far as they are known */
};

/* The figures of a row after an item. */
struct adjustment_change {
        int64_t on_hand, unsellable;
};

/* ---- pure rules ---- */

/* Check an item without its row: it has one figure, of the sign that the reason asks for. VALIDATION_FAILED names the
 * member below "#/items/<index>". */
enum problem adjustment_check(
        const struct adjustment *item, size_t index, struct arena *arena, struct refusal *refusal);

/* A count is not yet to come: VALIDATION_FAILED. */
enum problem adjustment_check_time(
        const struct adjustment *item, size_t index, timestamp now, struct arena *arena, struct refusal *refusal);

/* Compute the figures of the row, as it stands, after the item. INSUFFICIENT_STOCK when more is taken than is there to
 * be sold, VALIDATION_FAILED when more would lie there than a row may hold, when more has left since a count than was
 * counted, or when location or SKU is unknown. */
enum problem adjustment_apply(const struct adjustment *item, size_t index, const struct stock_row *row,
        struct arena *arena, struct refusal *refusal, struct adjustment_change *ret_change);

/* Promised units that the row would not have after the change; 0 when it has them all. */
int64_t adjustment_deficit(const struct stock_row *row, const struct adjustment_change *change);

/* The most that all items of a batch may take from one row, whichever items are refused and however much is promised
 * meanwhile. */
struct adjustment_loss {
        const char *location, *sku;
        int64_t taken;      /* by deltas */
        int64_t counted;    /* the lowest on_hand that is set */
        int64_t unsellable; /* the highest that is set */

        const struct stock_row *row; /* once it is locked */

        /* Promised units that may be lost then; once the promises are sorted, only those whose documents are not
         * locked. */
        int64_t held;      /* by reservations */
        int64_t allocated; /* to orders, and not picked */
};

bool adjustment_may_shrink(const struct adjustment *item);
void adjustment_loss_begin(struct adjustment_loss *loss, const char *location, const char *sku);
void adjustment_loss_add(struct adjustment_loss *loss, const struct adjustment *item);

/* How many promised units may be lost, counting those that other requests may still get promised until the row is
 * locked; 0 when all promises can be kept. */
int64_t adjustment_loss_of_promises(const struct adjustment_loss *loss, const struct stock_row *row);

/* ---- movements since a count ---- */

/* The items of a batch that say when they were counted. */
struct counts {
        struct arena *arena;
        struct adjustment **items;
        size_t n, capacity;
};

/* Keep the item, if it is one. False without memory. */
bool counts_want(struct counts *counts, struct adjustment *item);

/* Queue: read `moved` of each; under the lock of its row it is final. Costs the movements since then, not those before.
 */
void counts_ask(struct counts *counts, struct database *database);

/* The same at once, before the locks: the movements decide which promises may break. */
enum problem counts_peek(struct counts *counts, struct database *database, timestamp deadline);

/* A figure that an import has set, by the movement that did it. */
struct imported_figure {
        const char *location, *sku;
        struct uuid movement;
};

/* Queue: how many movements stand between these figures and the imported ones before them. FAULT_BUSY without memory.
 * Costs as many movements as it counts. */
enum problem overridden_ask(struct database *database, struct arena *arena, const struct imported_figure *figures,
        size_t n, int64_t *ret_overridden);

/* ---- promises that break ---- */

/* The promises that a batch may break: those whose documents are locked. */
struct promises {
        struct arena *arena;
        struct stock *stock;
        struct adjustment_loss *losses; /* of rows whose promises may break */
        size_t n_losses;
        struct reservation_set reservations;
        struct order_set orders;
        struct reservation **reservations_by_age; /* newest first */
        struct fulfillment **fulfillments_by_age; /* likewise */
};

/* Choose, in up to two trips, the promises that the items may break, name their rows in `stock`, and queue the locks of
 * their documents. The caller then locks `stock` and calls promises_read. */
enum problem promises_lock(struct promises *promises, struct database *database, struct stock *stock,
        const struct adjustment *const *items, size_t n_items, timestamp deadline);

/* Queue, after the lock of the stock: read the locked documents. */
enum problem promises_read(struct promises *promises, struct database *database);

/* Sort the promises by age; call it first in `decide`. FAULT_BUSY without memory. */
enum problem promises_sort(struct promises *promises);

/* Units on the row that could be lost at most. */
int64_t promises_that_may_break(const struct promises *promises, const struct stock_row *row);

/* Take `deficit` units on the row from the promises that hold them, newest first, and write the events.
 * INSUFFICIENT_STOCK when fewer units can be taken; FAULT_STALE when promises that are not locked would have to break.
 */
enum problem promises_break(
        struct promises *promises, const struct stock_row *row, int64_t deficit, const struct command *command);

/* Queue: write the promises that were broken. */
enum problem promises_save(struct promises *promises, struct database *database);

/* Keep as they are the promises that a change of the row may break, and the row; NULL: all promises. */
void promises_snapshot(struct snapshot *snapshot, struct promises *promises, struct stock_row *row);
