/* All or nothing: what a call has changed in memory is put back as it was. */
#include "adjustments/adjustments.h"

#include <string.h>

/* A piece of memory and its bytes at the time. */
struct piece {
        void *at;
        const void *bytes;
        size_t size;
        struct piece *next;
};

struct checkpoint {
        struct promises *promises;
        struct events *events;
        struct stock_movement **last_movement;
        struct event **last_event;
        struct piece *pieces;
        bool exhausted;
};

static void keep(struct checkpoint *checkpoint, void *at, size_t n, size_t element_size) {
        struct arena *arena = checkpoint->promises->arena;
        struct piece *piece;

        if (!n)
                return;
        piece = arena_new(arena, struct piece);
        if (!piece) {
                checkpoint->exhausted = true;
                return;
        }
        *piece = (struct piece){ at, arena_copy(arena, at, n * element_size), n * element_size, checkpoint->pieces };
        checkpoint->pieces = piece;
        checkpoint->exhausted = checkpoint->exhausted || !piece->bytes;
}

static void keep_reservations(struct checkpoint *checkpoint, const struct reservation_set *set) {
        keep(checkpoint, set->rows, set->n_rows, sizeof(*set->rows));
        for (size_t i = 0; i < set->n_rows; i++)
                keep(checkpoint, set->rows[i].lines, set->rows[i].n_lines, sizeof(*set->rows[i].lines));
}

static void keep_orders(struct checkpoint *checkpoint, const struct order_set *set) {
        keep(checkpoint, set->rows, set->n_rows, sizeof(*set->rows));
        for (size_t i = 0; i < set->n_rows; i++)
                keep(checkpoint, set->rows[i].lines, set->rows[i].n_lines, sizeof(*set->rows[i].lines));
        for (size_t i = 0; i < set->n_fulfillments; i++) {
                struct fulfillment *fulfillment = set->fulfillments[i];

                keep(checkpoint, fulfillment, 1, sizeof(*fulfillment));
                keep(checkpoint, fulfillment->lines, fulfillment->n_lines, sizeof(*fulfillment->lines));
        }
}

struct checkpoint *checkpoint_take(struct promises *promises, struct events *events) {
        struct stock *stock = promises->stock;
        struct checkpoint *checkpoint = arena_new(promises->arena, struct checkpoint);

        if (!checkpoint)
                return NULL;
        *checkpoint = (struct checkpoint){ .promises = promises,
                .events = events,
                .last_movement = stock->last_movement,
                .last_event = events->last };
        keep(checkpoint, stock->rows, stock->n_rows, sizeof(*stock->rows));
        keep_reservations(checkpoint, &promises->reservations);
        keep_orders(checkpoint, &promises->orders);
        return checkpoint->exhausted ? NULL : checkpoint;
}

void checkpoint_restore(const struct checkpoint *checkpoint) {
        for (const struct piece *piece = checkpoint->pieces; piece; piece = piece->next)
                memcpy(piece->at, piece->bytes, piece->size);
        checkpoint->promises->stock->last_movement = checkpoint->last_movement;
        *checkpoint->last_movement = NULL;
        checkpoint->events->last = checkpoint->last_event;
        *checkpoint->last_event = NULL;
}
