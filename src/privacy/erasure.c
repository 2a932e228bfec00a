#include "privacy/erasure.h"

#include "db/session.h"
#include "privacy/erasing.h"
#include "sql/transaction.h"

#define TRIP_WAIT    (10 * MINUTE)
#define ATTEMPTS_MAX 8

enum problem run_patiently(
        struct database *database, enum problem (*run)(struct database *database, void *context), void *context) {
        enum problem p = run(database, context);

        for (size_t i = 1; i < ATTEMPTS_MAX && (p == FAULT_CONFLICT || p == FAULT_STUCK || p == FAULT_RIVAL); i++) {
                p = database_connect(database);
                if (!p)
                        p = run(database, context);
        }
        return p;
}

static enum problem orders_unlock(struct database *database) {
        database_ask(database, &sql_rollback, NULL, NULL, NULL);
        return database_trip(database, clock_monotonic() + TRIP_WAIT);
}

static void erasure_count(const struct erasure_batch *work) {
        struct erasure *erasure = work->erasure;

        for (size_t i = 0; i < work->n_open && erasure->is_open; i++)
                erasure->is_open(work->open[i].number, work->open[i].why);
        erasure->erased += work->n_orders;
        erasure->open += work->n_open;
        erasure->before += work->n_before;
        erasure->records_erased += work->records.n;
}

static enum problem batch_erase(struct database *database, void *context) {
        struct erasure_batch *given = context;
        struct arena *arena = given->erasure->arena;
        struct erasure_batch work = { .erasure = given->erasure,
                .ids = given->ids,
                .n_ids = given->n_ids,
                .fulfillments.arena = arena,
                .refunds.arena = arena,
                .returns.arena = arena,
                .events.arena = arena,
                .records.arena = arena };
        enum problem p;

        database_begin(database);
        p = erasure_lock(database, &work);
        if (p)
                return p;
        erasure_judge(&work);
        if (work.n_orders && !work.erasure->dry_run) {
                p = erasure_read(database, &work);
                if (!p)
                        p = erasure_save(database, &work);
        } else {
                p = orders_unlock(database);
        }
        if (!p)
                erasure_count(&work);
        return p;
}

enum problem erase_orders(struct erasure *erasure, const struct uuid *ids, size_t n) {
        struct erasure_batch work = { .erasure = erasure, .ids = ids, .n_ids = n };

        return n ? run_patiently(erasure->database, batch_erase, &work) : PROBLEM_NONE;
}
