#include "inventory/inventory.h"

#include "base/problem.h"
#include "base/snapshot.h"

#include <inttypes.h>

int64_t stock_available(const struct stock_row *row) {
        const int64_t available = row->on_hand - row->unsellable - row->reserved - row->safety_stock;

        return available > 0 ? available : 0;
}

void stock_reserve(struct stock_row *row, int64_t quantity) {
        row->reserved += quantity;
        row->changed = true;
}

void stock_release(struct stock_row *row, int64_t quantity) {
        row->reserved -= quantity;
        row->changed = true;
}

void stock_move(struct stock *stock, struct stock_row *row, int64_t on_hand_change, int64_t unsellable_change,
        const struct stock_cause *cause) {
        struct stock_movement *movement = arena_new(stock->arena, struct stock_movement);

        if (!movement) {
                stock->exhausted = true;
                return;
        }
        row->on_hand += on_hand_change;
        row->unsellable += unsellable_change;
        row->movements++;
        row->changed = true;
        *movement = (struct stock_movement){
                .row = row,
                .number = row->movements,
                .on_hand_change = on_hand_change,
                .unsellable_change = unsellable_change,
                .on_hand_after = row->on_hand,
                .unsellable_after = row->unsellable,
                .reason = cause->reason,
                .document = cause->document,
                .reference = cause->reference,
                .actor = cause->actor,
        };
        *stock->last_movement = movement;
        stock->last_movement = &movement->next;
}

void stock_shortage_violate(struct refusal *refusal, struct arena *arena, const char *list, size_t place,
        const struct stock_shortage *shortage) {
        violation_beyond(refusal, arena, list, place, "quantity", problem_slug(PROBLEM_INSUFFICIENT_STOCK),
                shortage->available, "%s at %s: %" PRId64 " available, %" PRId64 " requested.", shortage->sku,
                shortage->location, shortage->available, shortage->wanted);
}

void stock_snapshot(struct snapshot *snapshot, struct stock *stock) {
        snapshot_one(snapshot, stock);
        snapshot_one(snapshot, stock->last_movement);
}

void stock_row_snapshot(struct snapshot *snapshot, struct stock_row *row) {
        snapshot_one(snapshot, row);
}

void stock_rows_snapshot(struct snapshot *snapshot, struct stock *stock) {
        stock_snapshot(snapshot, stock);
        snapshot_list(snapshot, stock->rows, stock->n_rows);
}
