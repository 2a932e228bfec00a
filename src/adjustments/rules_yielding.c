/* Which promises are broken when the stock is lost. Pure. */
#include "adjustments/adjustments.h"
#include "fulfillment/fulfillment.h"

#include "base/snapshot.h"
#include "base/sorted.h"

#define REASON_STOCK_LOST "stock_lost"

/* ---- units that may be lost ---- */

static int64_t units_held(const struct reservation *reservation, const struct stock_row *row) {
        int64_t units = 0;

        for (size_t i = 0; reservation->status == RESERVATION_ACTIVE && i < reservation->n_lines; i++)
                if (reservation->lines[i].held && reservation->lines[i].stock == row)
                        units += reservation->lines[i].quantity;
        return units;
}

static int64_t units_not_picked(const struct fulfillment *fulfillment, const struct stock_row *row) {
        int64_t units = 0;

        for (size_t i = 0; i < fulfillment->n_lines; i++)
                if (fulfillment->lines[i].stock == row)
                        units += fulfillment_line_remaining(&fulfillment->lines[i]);
        return units;
}

static int64_t held_and_locked(const struct promises *promises, const struct stock_row *row) {
        int64_t units = 0;

        for (size_t i = 0; i < promises->reservations.n_rows; i++)
                units += units_held(&promises->reservations.rows[i], row);
        return units;
}

static int64_t allocated_and_locked(const struct promises *promises, const struct stock_row *row) {
        int64_t units = 0;

        for (size_t i = 0; i < promises->orders.n_fulfillments; i++)
                units += units_not_picked(promises->orders.fulfillments[i], row);
        return units;
}

static const struct adjustment_loss *loss_of(const struct promises *promises, const struct stock_row *row) {
        for (size_t i = 0; i < promises->n_losses; i++)
                if (promises->losses[i].row == row)
                        return &promises->losses[i];
        return NULL;
}

int64_t promises_that_may_break(const struct promises *promises, const struct stock_row *row) {
        const struct adjustment_loss *loss = loss_of(promises, row);

        return held_and_locked(promises, row) + allocated_and_locked(promises, row) +
               (loss ? loss->held + loss->allocated : 0);
}

/* ---- newest first ---- */

static int age_compare(timestamp a, timestamp b, const struct uuid *id_a, const struct uuid *id_b) {
        if (a != b)
                return a < b ? 1 : -1;
        return uuid_compare(id_b, id_a);
}

static int reservation_compare(const void *left, const void *right) {
        const struct reservation *a = *(const struct reservation *const *) left;
        const struct reservation *b = *(const struct reservation *const *) right;

        return age_compare(a->created_at, b->created_at, &a->id, &b->id);
}

static int fulfillment_compare(const void *left, const void *right) {
        const struct fulfillment *a = *(const struct fulfillment *const *) left;
        const struct fulfillment *b = *(const struct fulfillment *const *) right;

        return age_compare(a->created_at, b->created_at, &a->id, &b->id);
}

enum problem promises_sort(struct promises *promises) {
        struct reservation_set *reservations = &promises->reservations;
        struct order_set *orders = &promises->orders;

        promises->reservations_by_age = arena_new_array(promises->arena, struct reservation *, reservations->n_rows);
        promises->fulfillments_by_age = arena_new_array(promises->arena, struct fulfillment *, orders->n_fulfillments);
        if (!promises->reservations_by_age || !promises->fulfillments_by_age)
                return FAULT_BUSY;
        for (size_t i = 0; i < reservations->n_rows; i++)
                promises->reservations_by_age[i] = &reservations->rows[i];
        for (size_t i = 0; i < orders->n_fulfillments; i++)
                promises->fulfillments_by_age[i] = orders->fulfillments[i];
        sort(promises->reservations_by_age, reservations->n_rows, sizeof(struct reservation *), reservation_compare);
        sort(promises->fulfillments_by_age, orders->n_fulfillments, sizeof(struct fulfillment *), fulfillment_compare);
        for (size_t i = 0; i < promises->n_losses; i++) {
                struct adjustment_loss *loss = &promises->losses[i];

                loss->held -= held_and_locked(promises, loss->row);
                loss->allocated -= allocated_and_locked(promises, loss->row);
        }
        return PROBLEM_NONE;
}

/* ---- the documents of a row ---- */

void promises_snapshot(struct snapshot *snapshot, struct promises *promises, struct stock_row *row) {
        struct reservation_set *reservations = &promises->reservations;
        struct order_set *orders = &promises->orders;

        stock_row_snapshot(snapshot, row);
        for (size_t i = 0; i < reservations->n_rows; i++)
                if (!row || units_held(&reservations->rows[i], row))
                        reservation_snapshot(snapshot, &reservations->rows[i]);
        for (size_t i = 0; i < orders->n_fulfillments; i++)
                if (!row || units_not_picked(orders->fulfillments[i], row))
                        order_snapshot(snapshot, orders->fulfillments[i]->order);
}

/* ---- breaking ---- */

static int64_t reservations_break(
        struct promises *promises, const struct stock_row *row, int64_t deficit, const struct command *command) {
        for (size_t i = 0; deficit > 0 && i < promises->reservations.n_rows; i++) {
                struct reservation *reservation = promises->reservations_by_age[i];
                const int64_t units = units_held(reservation, row);

                if (!units || reservation_advance(
                                      reservation, RESERVATION_RELEASE, command->now, command->arena, command->refusal))
                        continue;
                reservation->reason = REASON_STOCK_LOST;
                reservation_tell(command->events, reservation, EVENT_RESERVATION_RELEASED, command->actor);
                deficit -= units;
        }
        return deficit;
}

static int64_t line_break(struct fulfillment_line *line, int64_t deficit, struct event *event) {
        const int64_t remaining = fulfillment_line_remaining(line);
        const struct line_units units = { line->order_line->id, remaining < deficit ? remaining : deficit };

        fulfillment_line_short(line, units.quantity);
        event_lines(event, &units, 1);
        return deficit - units.quantity;
}

/* The last line of the fulfillment first: it was the last to be asked for. */
static enum problem fulfillment_break(
        struct fulfillment *fulfillment, const struct stock_row *row, int64_t *deficit, const struct command *command) {
        for (size_t i = fulfillment->n_lines; *deficit > 0 && i-- > 0;) {
                struct fulfillment_line *line = &fulfillment->lines[i];
                struct event *event;

                if (line->stock != row || !fulfillment_line_remaining(line))
                        continue;
                event = fulfillment_tell(fulfillment, EVENT_FULFILLMENT_SHORT_PICKED, command);
                event_text(event, "reason", REASON_STOCK_LOST);
                *deficit = line_break(line, *deficit, event);
        }
        return order_after_units(fulfillment->order, REASON_STOCK_LOST, command);
}

/* Whether the locked promises are those that have to break. Reservations may have come since they were chosen: they
 * lose their units before an order does. */
static enum problem check_choice(const struct promises *promises, const struct stock_row *row, int64_t deficit) {
        const struct adjustment_loss *loss = loss_of(promises, row);
        const int64_t held = held_and_locked(promises, row);
        const int64_t missing = deficit - held - allocated_and_locked(promises, row);

        if (deficit <= held)
                return PROBLEM_NONE;
        if (!loss)
                return FAULT_STALE;
        if (missing > loss->held + loss->allocated)
                return PROBLEM_INSUFFICIENT_STOCK;
        return missing > 0 || loss->held > 0 ? FAULT_STALE : PROBLEM_NONE;
}

enum problem promises_break(
        struct promises *promises, const struct stock_row *row, int64_t deficit, const struct command *command) {
        const enum problem p = check_choice(promises, row, deficit);
        struct refusal never = { 0 };
        struct command unrefused = *command;

        if (p)
                return p;
        unrefused.refusal = &never;
        deficit = reservations_break(promises, row, deficit, &unrefused);
        for (size_t i = 0; deficit > 0 && i < promises->orders.n_fulfillments; i++) {
                struct fulfillment *fulfillment = promises->fulfillments_by_age[i];

                if (units_not_picked(fulfillment, row) && fulfillment_break(fulfillment, row, &deficit, &unrefused))
                        return FAULT_BROKEN;
        }
        return PROBLEM_NONE;
}
