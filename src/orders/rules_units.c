/* Units of an order: their state on the lines of the order and of its fulfillments. */
#include "orders/order.h"

/* ---- units that a location holds ---- */

int64_t fulfillment_line_open(const struct fulfillment_line *line) {
        return line->quantity - line->shorted - line->cancelled - line->fulfilled;
}

int64_t fulfillment_line_remaining(const struct fulfillment_line *line) {
        return line->quantity - line->shorted - line->cancelled - line->picked;
}

int64_t fulfillment_remaining(const struct fulfillment *fulfillment) {
        int64_t units = 0;

        for (size_t i = 0; i < fulfillment->n_lines; i++)
                units += fulfillment_line_remaining(&fulfillment->lines[i]);
        return units;
}

void order_line_allocate(struct order_line *line, struct fulfillment_line *allocation) {
        struct fulfillment_line **place = &line->allocations;

        while (*place && (*place)->fulfillment->number > allocation->fulfillment->number)
                place = &(*place)->older;
        allocation->order_line = line;
        allocation->older = *place;
        *place = allocation;
}

int64_t order_line_open(const struct order_line *line) {
        int64_t units = 0;

        for (const struct fulfillment_line *at = line->allocations; at; at = at->older)
                units += fulfillment_line_open(at);
        return units;
}

struct order_line *order_line_find(const struct order *order, const struct uuid *line_id) {
        for (size_t i = 0; i < order->n_lines; i++)
                if (uuid_equal(&order->lines[i].id, line_id))
                        return &order->lines[i];
        return NULL;
}

/* ---- units that leave the order ---- */

/* Units that leave the order are taken from the unpicked ones first. */
static void picked_cap(struct fulfillment_line *line) {
        const int64_t most = line->quantity - line->shorted - line->cancelled;

        if (line->picked > most)
                line->picked = most;
}

/* Release units at the location; the caller has counted them on `line`. */
static void fulfillment_line_release(struct fulfillment_line *line, int64_t quantity) {
        line->changed = true;
        line->fulfillment->touched = true;
        stock_release(line->stock, quantity);
        picked_cap(line);
}

static void drop_units(struct fulfillment_line *line, int64_t quantity) {
        struct order_line *order_line = line->order_line;
        const struct taxed credited = order_credit_units(order_line, quantity);

        order_line->cancelled_value += credited.amount;
        order_line->cancelled_tax += credited.tax;
        order_line->dropped += quantity;
        order_line->dropped_value += credited.amount;
        order_line->dropped_tax += credited.tax;
        order_line->cancelled += quantity;
        order_line->changed = true;
        fulfillment_line_release(line, quantity);
}

void fulfillment_line_cancel(struct fulfillment_line *line, int64_t quantity) {
        line->cancelled += quantity;
        drop_units(line, quantity);
}

void fulfillment_line_expire(struct fulfillment_line *line) {
        const int64_t units = fulfillment_line_open(line);

        line->expired += units;
        fulfillment_line_cancel(line, units);
}

void fulfillment_line_reinstate(struct fulfillment_line *line) {
        struct order_line *order_line = line->order_line;
        const int64_t units = line->expired;

        order_charge_units(order_line, units);
        order_line->cancelled -= units;
        order_line->changed = true;
        line->cancelled -= units;
        line->expired = 0;
        line->picked += units;
        line->changed = true;
        line->fulfillment->touched = true;
        stock_reserve(line->stock, units);
}

/* Cancel up to `quantity` units among those that `held` counts on each allocation. Returns the number not cancelled. */
static int64_t allocations_cancel(
        struct order_line *line, int64_t quantity, int64_t (*held)(const struct fulfillment_line *line)) {
        for (struct fulfillment_line *at = line->allocations; at && quantity; at = at->older) {
                const int64_t units = held(at) < quantity ? held(at) : quantity;

                if (!units)
                        continue;
                fulfillment_line_cancel(at, units);
                quantity -= units;
        }
        return quantity;
}

void order_line_cancel(struct order_line *line, int64_t quantity) {
        quantity = allocations_cancel(line, quantity, fulfillment_line_remaining);
        (void) allocations_cancel(line, quantity, fulfillment_line_open);
}

void fulfillment_line_short(struct fulfillment_line *line, int64_t quantity) {
        line->shorted += quantity;
        drop_units(line, quantity);
}

/* ---- units that move or are handed over ---- */

void fulfillment_line_move(struct fulfillment_line *line, int64_t quantity) {
        line->cancelled += quantity;
        line->moved += quantity;
        fulfillment_line_release(line, quantity);
}

void fulfillment_line_resource(struct fulfillment_line *line, int64_t quantity) {
        line->shorted += quantity;
        line->resourced += quantity;
        fulfillment_line_release(line, quantity);
}

void fulfillment_line_fulfill(
        struct fulfillment_line *line, int64_t quantity, struct stock *stock, const struct stock_cause *cause) {
        line->fulfilled += quantity;
        line->order_line->fulfilled += quantity;
        line->changed = line->order_line->changed = true;
        line->fulfillment->touched = true;
        stock_release(line->stock, quantity);
        stock_move(stock, line->stock, -quantity, 0, cause);
}
