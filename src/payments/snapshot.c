/* Snapshot of a balance's payments and refunds. Each list is named here once. */
#include "payments/payments.h"

#include "base/snapshot.h"

void balance_snapshot(struct snapshot *snapshot, struct balance *balance) {
        snapshot_list(snapshot, balance->payments, balance->n_payments);
        snapshot_list(snapshot, balance->refunds, balance->n_refunds);
        for (size_t i = 0; i < balance->n_payments; i++)
                snapshot_one(snapshot, balance->payments[i]);
        for (size_t i = 0; i < balance->n_refunds; i++)
                snapshot_one(snapshot, balance->refunds[i]);
}
