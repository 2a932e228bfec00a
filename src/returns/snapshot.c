/* The memory of returns, for the case that a call on them is refused. */
#include "returns/returns.h"

#include "base/snapshot.h"

static void rma_snapshot(struct snapshot *snapshot, struct rma *rma) {
        snapshot_one(snapshot, rma);
        snapshot_list(snapshot, rma->lines, rma->n_lines);
        for (size_t i = 0; i < rma->n_lines; i++)
                snapshot_one(snapshot, rma->lines[i]);
}

void returns_snapshot(struct snapshot *snapshot, struct return_set *set, const struct order *order) {
        snapshot_one(snapshot, set);
        snapshot_list(snapshot, set->rows, set->n_rows);
        for (size_t i = 0; i < set->n_rows; i++)
                if (set->rows[i]->order == order)
                        rma_snapshot(snapshot, set->rows[i]);
}
