#include "adjustments/adjustments.h"

#include <inttypes.h>
#include <stdlib.h>

const char *const adjustment_reasons[] = { "correction", "count", "damage", "found", "receipt", "return", "sale",
        "theft", NULL };

/* The figures that each reason allows: a delta above or below zero, a counted figure. */
static const struct {
        bool adds, takes, counts;
} rules[] = {
        [ADJUSTMENT_CORRECTION] = { .adds = true, .takes = true, .counts = true },
        [ADJUSTMENT_COUNT] = { .adds = true, .takes = true, .counts = true },
        [ADJUSTMENT_DAMAGE] = { .adds = true, .takes = true }, /* either sign: so many units are damaged */
        [ADJUSTMENT_FOUND] = { .adds = true, .counts = true },
        [ADJUSTMENT_RECEIPT] = { .adds = true, .counts = true },
        [ADJUSTMENT_RETURN] = { .adds = true, .counts = true },
        [ADJUSTMENT_SALE] = { .takes = true, .counts = true },
        [ADJUSTMENT_THEFT] = { .takes = true, .counts = true },
};

static enum problem refuse_item(struct refusal *refusal, struct arena *arena, size_t index, const char *member,
        const char *code, const char *detail) {
        violation_at(refusal, arena, "#/items", index, member, code, "%s", detail);
        return refuse(refusal, arena, PROBLEM_VALIDATION_FAILED, "%s", detail);
}

/* ---- checks without the row ---- */

static enum problem check_delta(
        const struct adjustment *item, size_t index, struct arena *arena, struct refusal *refusal) {
        const char *reason = adjustment_reasons[item->reason];
        const char *detail = NULL;

        if (item->delta == 0)
                return refuse_item(refusal, arena, index, "delta", "out-of-range", "A delta of 0 changes nothing.");
        if (item->delta > 0 ? rules[item->reason].adds : rules[item->reason].takes)
                return PROBLEM_NONE;
        detail = arena_format(arena,
                item->delta > 0 ? "Reason %s takes units away: its delta is below 0."
                                : "Reason %s adds units: its delta is above 0.",
                reason);
        return refuse_item(refusal, arena, index, "delta", "out-of-range", detail ? detail : "");
}

static enum problem check_count(
        const struct adjustment *item, size_t index, struct arena *arena, struct refusal *refusal) {
        if (!rules[item->reason].counts)
                return refuse_item(refusal, arena, index, "on_hand", "not-allowed",
                        "Damage does not set on_hand: send how many units are damaged as delta.");
        if (item->has_unsellable && item->unsellable > item->on_hand)
                return refuse_item(refusal, arena, index, "unsellable", "out-of-range",
                        "Of the units on hand, at most all are unsellable.");
        return PROBLEM_NONE;
}

enum problem adjustment_check(
        const struct adjustment *item, size_t index, struct arena *arena, struct refusal *refusal) {
        if (item->has_delta == item->has_on_hand)
                return refuse_item(refusal, arena, index, item->has_delta ? "on_hand" : NULL, "either-or",
                        "Send either delta or on_hand.");
        if (item->has_unsellable && !item->has_on_hand)
                return refuse_item(refusal, arena, index, "unsellable", "not-allowed",
                        "unsellable says how many of on_hand cannot be sold; it goes with on_hand only.");
        if (item->has_counted_at && !(item->has_on_hand && item->reason == ADJUSTMENT_COUNT))
                return refuse_item(refusal, arena, index, "counted_at", "not-allowed",
                        "counted_at says when on_hand was counted; it goes with on_hand and reason count only.");
        return item->has_delta ? check_delta(item, index, arena, refusal) : check_count(item, index, arena, refusal);
}

enum problem adjustment_check_time(
        const struct adjustment *item, size_t index, timestamp now, struct arena *arena, struct refusal *refusal) {
        if (!item->has_counted_at || item->counted_at <= now)
                return PROBLEM_NONE;
        return refuse_item(refusal, arena, index, "counted_at", "out-of-range", "counted_at is yet to come.");
}

/* ---- effects on the row ---- */

/* Units on hand after an item that sets them. */
static int64_t figure_of(const struct adjustment *item) {
        return item->on_hand + item->moved;
}

static enum problem check_figure(
        const struct adjustment *item, size_t index, struct arena *arena, struct refusal *refusal) {
        const char *detail;

        if (figure_of(item) >= 0 && figure_of(item) <= STOCK_UNITS_MAX)
                return PROBLEM_NONE;
        detail = figure_of(item) < 0 ? arena_format(arena, "%" PRId64 " were counted, and %" PRId64 " have left since.",
                                               item->on_hand, -item->moved)
                                     : "A row holds 1000000000 units at most.";
        return refuse_item(refusal, arena, index, "on_hand", "out-of-range", detail ? detail : "");
}

static enum problem check_known(const struct adjustment *item, size_t index, const struct stock_row *row,
        struct arena *arena, struct refusal *refusal) {
        if (row->exists)
                return PROBLEM_NONE;
        if (!row->location_known)
                return refuse_item(refusal, arena, index, "location", "unknown-location", "There is no such location.");
        if (!row->sku_known)
                return refuse_item(refusal, arena, index, "sku", "unknown-sku", "There is no such product.");
        (void) item;
        return PROBLEM_NONE;
}

/* Units that an item takes from those that can be sold. */
static int64_t taken_by(const struct adjustment *item) {
        if (item->has_delta && item->reason == ADJUSTMENT_DAMAGE)
                return llabs(item->delta);
        return item->has_delta && item->delta < 0 ? -item->delta : 0;
}

static enum problem refuse_taking(const struct adjustment *item, size_t index, const struct stock_row *row,
        struct arena *arena, struct refusal *refusal) {
        const int64_t sellable = row->on_hand - row->unsellable;

        violation_beyond(refusal, arena, "#/items", index, "delta", "insufficient-stock", sellable,
                "Fewer sellable units are on hand.");
        return refuse(refusal, arena, PROBLEM_INSUFFICIENT_STOCK,
                "%s at %s: %" PRId64 " sellable on hand, %" PRId64 " to be taken.", item->sku, item->location, sellable,
                taken_by(item));
}

static enum problem change_by_delta(const struct adjustment *item, size_t index, const struct stock_row *row,
        struct arena *arena, struct refusal *refusal, struct adjustment_change *ret_change) {
        const bool damage = item->reason == ADJUSTMENT_DAMAGE;

        if (taken_by(item) > row->on_hand - row->unsellable)
                return refuse_taking(item, index, row, arena, refusal);
        if (!damage && item->delta > STOCK_UNITS_MAX - row->on_hand)
                return refuse_item(
                        refusal, arena, index, "delta", "out-of-range", "A row holds 1000000000 units at most.");
        *ret_change = (struct adjustment_change){
                .on_hand = damage ? 0 : item->delta,
                .unsellable = damage ? taken_by(item) : 0,
        };
        return PROBLEM_NONE;
}

/* A count below the unsellable figure makes all units on hand unsellable, unless the count has an unsellable figure
 * itself. */
static struct adjustment_change change_by_count(const struct adjustment *item, const struct stock_row *row) {
        const int64_t on_hand = figure_of(item);
        int64_t unsellable = item->has_unsellable ? item->unsellable : row->unsellable;

        if (unsellable > on_hand)
                unsellable = on_hand;
        return (struct adjustment_change){
                .on_hand = on_hand - row->on_hand,
                .unsellable = unsellable - row->unsellable,
        };
}

enum problem adjustment_apply(const struct adjustment *item, size_t index, const struct stock_row *row,
        struct arena *arena, struct refusal *refusal, struct adjustment_change *ret_change) {
        enum problem p = check_known(item, index, row, arena, refusal);

        if (!p && item->has_on_hand)
                p = check_figure(item, index, arena, refusal);
        if (p)
                return p;
        if (item->has_delta)
                return change_by_delta(item, index, row, arena, refusal, ret_change);
        *ret_change = change_by_count(item, row);
        return PROBLEM_NONE;
}

int64_t adjustment_deficit(const struct stock_row *row, const struct adjustment_change *change) {
        const int64_t sellable = row->on_hand + change->on_hand - row->unsellable - change->unsellable;

        return row->reserved > sellable ? row->reserved - sellable : 0;
}

/* ---- the worst that may come ---- */

bool adjustment_may_shrink(const struct adjustment *item) {
        return item->has_on_hand || taken_by(item) > 0;
}

void adjustment_loss_begin(struct adjustment_loss *loss, const char *location, const char *sku) {
        *loss = (struct adjustment_loss){ .location = location, .sku = sku, .counted = INT64_MAX };
}

void adjustment_loss_add(struct adjustment_loss *loss, const struct adjustment *item) {
        loss->taken += taken_by(item);
        if (item->has_on_hand && figure_of(item) < loss->counted)
                loss->counted = figure_of(item);
        if (item->has_unsellable && item->unsellable > loss->unsellable)
                loss->unsellable = item->unsellable;
}

int64_t adjustment_loss_of_promises(const struct adjustment_loss *loss, const struct stock_row *row) {
        int64_t sellable = row->on_hand - row->unsellable;

        if (loss->counted < INT64_MAX && loss->counted - row->unsellable - loss->unsellable < sellable)
                sellable = loss->counted - row->unsellable - loss->unsellable;
        sellable -= loss->taken;
        if (sellable < 0)
                sellable = 0;
        return row->reserved > sellable ? row->reserved - sellable + stock_available(row) : 0;
}
