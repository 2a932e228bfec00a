/* Which promises are broken when the stock is lost. Pure. */
#include "adjustments/adjustments.h"

#include <stdlib.h>
#include <string.h>

#define REASON_STOCK_LOST "stock_lost"

static int age_compare(const void *left, const void *right) {
        const struct reservation *a = *(const struct reservation *const *) left;
        const struct reservation *b = *(const struct reservation *const *) right;

        if (a->created_at != b->created_at)
                return a->created_at < b->created_at ? 1 : -1;
        return uuid_compare(&b->id, &a->id);
}

/* Units of the row that the reservation can give back. */
static int64_t units_held(const struct reservation *reservation, const struct stock_row *row) {
        int64_t units = 0;

        for (size_t i = 0; reservation->status == RESERVATION_ACTIVE && i < reservation->n_lines; i++)
                if (reservation->lines[i].held && reservation->lines[i].stock == row)
                        units += reservation->lines[i].quantity;
        return units;
}

static int64_t units_locked(const struct promises *promises, const struct stock_row *row) {
        int64_t units = 0;

        for (size_t i = 0; i < promises->reservations.n_rows; i++)
                units += units_held(&promises->reservations.rows[i], row);
        return units;
}

enum problem promises_sort(struct promises *promises) {
        struct reservation_set *set = &promises->reservations;

        promises->by_age = arena_new_array(promises->arena, struct reservation *, set->n_rows);
        if (!promises->by_age)
                return FAULT_BUSY;
        for (size_t i = 0; i < set->n_rows; i++)
                promises->by_age[i] = &set->rows[i];
        if (set->n_rows)
                qsort(promises->by_age, set->n_rows, sizeof(struct reservation *), age_compare);
        for (size_t i = 0; i < promises->n_losses; i++)
                promises->losses[i].held -= units_locked(promises, promises->losses[i].row);
        return PROBLEM_NONE;
}

static void reservation_break(
        struct reservation *reservation, const char *actor, timestamp now, struct events *events) {
        struct refusal never = { 0 };

        reservation->reason = REASON_STOCK_LOST;
        (void) reservation_advance(reservation, RESERVATION_RELEASE, now, events->arena, &never);
        reservation_tell(events, reservation, "reservation.released", actor);
}

/* Why the locked promises do not suffice. Reservations that others hold may: then they have to be locked. */
static enum problem cannot_break(const struct promises *promises, const struct stock_row *row, int64_t missing) {
        for (size_t i = 0; i < promises->n_losses; i++)
                if (promises->losses[i].row == row)
                        return missing <= promises->losses[i].held ? FAULT_STALE : PROBLEM_INSUFFICIENT_STOCK;
        return FAULT_STALE;
}

enum problem promises_break(struct promises *promises, const struct stock_row *row, int64_t deficit, const char *actor,
        timestamp now, struct events *events) {
        const int64_t locked = units_locked(promises, row);

        if (locked < deficit)
                return cannot_break(promises, row, deficit - locked);
        for (size_t i = 0; deficit > 0 && i < promises->reservations.n_rows; i++) {
                const int64_t units = units_held(promises->by_age[i], row);

                if (!units)
                        continue;
                reservation_break(promises->by_age[i], actor, now, events);
                deficit -= units;
        }
        return PROBLEM_NONE;
}

/* ---- all or nothing ---- */

struct kept_reservation {
        struct reservation reservation;
        bool *held;
};

struct checkpoint {
        struct promises *promises;
        struct events *events;
        struct stock_row *rows;
        struct stock_movement **last_movement;
        struct event **last_event;
        struct kept_reservation *reservations;
};

static bool reservation_keep(
        struct arena *arena, const struct reservation *reservation, struct kept_reservation *kept) {
        kept->reservation = *reservation;
        kept->held = arena_new_array(arena, bool, reservation->n_lines);
        if (!kept->held)
                return false;
        for (size_t i = 0; i < reservation->n_lines; i++)
                kept->held[i] = reservation->lines[i].held;
        return true;
}

struct checkpoint *checkpoint_take(struct promises *promises, struct events *events) {
        const struct stock *stock = promises->stock;
        const size_t n = promises->reservations.n_rows;
        struct checkpoint *checkpoint = arena_new(promises->arena, struct checkpoint);

        if (!checkpoint)
                return NULL;
        *checkpoint = (struct checkpoint){
                .promises = promises,
                .events = events,
                .rows = arena_copy(promises->arena, stock->rows, stock->n_rows * sizeof(*stock->rows)),
                .last_movement = stock->last_movement,
                .last_event = events->last,
                .reservations = arena_new_array(promises->arena, struct kept_reservation, n),
        };
        if (!checkpoint->rows || !checkpoint->reservations)
                return NULL;
        for (size_t i = 0; i < n; i++)
                if (!reservation_keep(promises->arena, &promises->reservations.rows[i], &checkpoint->reservations[i]))
                        return NULL;
        return checkpoint;
}

void checkpoint_restore(const struct checkpoint *checkpoint) {
        struct stock *stock = checkpoint->promises->stock;
        struct reservation_set *set = &checkpoint->promises->reservations;

        memcpy(stock->rows, checkpoint->rows, stock->n_rows * sizeof(*stock->rows));
        stock->last_movement = checkpoint->last_movement;
        *stock->last_movement = NULL;
        checkpoint->events->last = checkpoint->last_event;
        *checkpoint->events->last = NULL;
        for (size_t i = 0; i < set->n_rows; i++) {
                set->rows[i] = checkpoint->reservations[i].reservation;
                for (size_t j = 0; j < set->rows[i].n_lines; j++)
                        set->rows[i].lines[j].held = checkpoint->reservations[i].held[j];
        }
}
