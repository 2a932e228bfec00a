#include "sweeper/jobs.h"

#include "base/config.h"
#include "db/connection.h"
#include "fulfillment/upkeep.h"
#include "orders/upkeep.h"
#include "reservations/upkeep.h"
#include "sql/idempotency.h"
#include "sql/streams.h"
#include "sweeper/figures.h"

#define PRUNED_AT_ONCE 2000
#define DUE_AT_ONCE    32

static const struct token_claims claims = { .subject = "sweeper", .all_locations = true };

/* ---- calls ---- */

static void call_begin(struct call *call, const struct route *route) {
        call_init(call, route);
        call->claims = &claims;
        call->arrived = clock_monotonic();
        call->deadline = call->arrived + CALL_TIME_MAX;
}

/* Run one call of a route that leaves in call->work how many it has taken. */
static bool run_one(struct sweep *sweep, const struct route *route, size_t *ret_taken) {
        struct call call, *calls[] = { &call };
        bool ok;

        call_begin(&call, route);
        batch_run(&sweep->runner, calls, array_size(calls));
        ok = call.reply.status == 200 && call.work;
        if (ok)
                *ret_taken = *(const size_t *) call.work;
        call_clear(&call);
        return ok;
}

/* ---- reservations whose time is up ---- */

static bool expire_reservations(struct sweep *sweep, size_t *ret_taken) {
        return run_one(sweep, &reservations_expire_route, ret_taken);
}

/* ---- documents whose time has come: found without a lock, then run like any other command ---- */

static enum problem find_load(
        struct batch *batch, enum problem (*find)(struct database *, int64_t, struct due_documents *)) {
        struct due_documents *due = arena_new(&batch->calls[0]->arena, struct due_documents);

        if (!due)
                return FAULT_BUSY;
        due->arena = &batch->calls[0]->arena;
        batch->work = due;
        return find(batch->database, DUE_AT_ONCE, due);
}

static enum problem find_decide(struct batch *batch) {
        batch->calls[0]->work = batch->work;
        batch->calls[0]->reply.status = 200;
        return PROBLEM_NONE;
}

static bool run_due(struct sweep *sweep, const struct due_documents *due, const struct route *route) {
        struct call calls[DUE_AT_ONCE], *list[DUE_AT_ONCE];
        bool ok = true;

        for (size_t i = 0; i < due->n; i++) {
                call_begin(&calls[i], route);
                calls[i].path.id = due->ids[i];
                list[i] = &calls[i];
        }
        if (due->n)
                batch_run(&sweep->runner, list, due->n);
        for (size_t i = 0; i < due->n; i++) {
                ok = ok && calls[i].reply.status == 200;
                call_clear(&calls[i]);
        }
        return ok;
}

static bool find_and_run(
        struct sweep *sweep, const struct route *find_route, const struct route *route, size_t *ret_taken) {
        struct call call, *calls[] = { &call };
        const struct due_documents *due;
        bool ok;

        call_begin(&call, find_route);
        batch_run(&sweep->runner, calls, array_size(calls));
        due = call.reply.status == 200 ? call.work : NULL;
        ok = due && run_due(sweep, due, route);
        if (ok)
                *ret_taken = due->n;
        call_clear(&call);
        return ok;
}

/* Each kind by the name of its job, how it is found, and the route that is run for each. */
#define DUE_KINDS(X)                                                                                                   \
        X(cancel_unpaid, orders_find_unpaid, order_unpaid_route)                                                       \
        X(expire_fulfillments, fulfillments_find_overdue, fulfillment_expire_route)                                    \
        X(remind_customers, fulfillments_find_reminders, fulfillment_remind_route)

#define X(job, find, done)                                                                                             \
        static enum problem job##_load(struct batch *batch) {                                                          \
                return find_load(batch, find);                                                                         \
        }                                                                                                              \
        static const struct operation job##_find = { .load = job##_load, .decide = find_decide };                      \
        static const struct route job##_find_route = { .path = "(" #find ")", .batch = 1, .operation = &job##_find };  \
        static bool job(struct sweep *sweep, size_t *ret_taken) {                                                      \
                return find_and_run(sweep, &job##_find_route, &done, ret_taken);                                       \
        }
DUE_KINDS(X)
#undef X

/* ---- what nobody may ask for any more: records of replies, and events of streams ---- */

static enum problem prune_load(struct batch *batch) {
        batch->work = arena_new(&batch->calls[0]->arena, size_t);
        return batch->work ? PROBLEM_NONE : FAULT_BUSY;
}

static enum problem prune_decide(struct batch *batch) {
        batch->calls[0]->work = batch->work;
        batch->calls[0]->reply.status = 200;
        return PROBLEM_NONE;
}

static enum problem pruned_read(struct rows *rows, void *into) {
        *(size_t *) into = rows_affected(rows);
        return PROBLEM_NONE;
}

static enum problem prune_save(struct batch *batch, const struct statement *statement, duration kept_for) {
        struct parameters p;

        parameters_init(&p, batch->arena);
        parameter_time(&p, batch->now - kept_for);
        parameter_integer(&p, PRUNED_AT_ONCE);
        database_ask(batch->database, statement, &p, pruned_read, batch->work);
        return PROBLEM_NONE;
}

static enum problem idempotency_prune(struct batch *batch) {
        return prune_save(batch, &sql_idempotency_prune, config_integer(CONFIG_RETENTION_IDEMPOTENCY));
}

static enum problem streams_prune(struct batch *batch) {
        return prune_save(batch, &sql_stream_prune, STREAM_KEPT_FOR);
}

static const struct operation prune_idempotency_operation = {
        .load = prune_load, .decide = prune_decide, .save = idempotency_prune
};
static const struct operation prune_streams_operation = {
        .load = prune_load, .decide = prune_decide, .save = streams_prune
};
static const struct route prune_idempotency_route = {
        .path = "(prune idempotency)", .batch = 1, .operation = &prune_idempotency_operation
};
static const struct route prune_streams_route = {
        .path = "(prune streams)", .batch = 1, .operation = &prune_streams_operation
};

static bool prune_idempotency(struct sweep *sweep, size_t *ret_taken) {
        return run_one(sweep, &prune_idempotency_route, ret_taken);
}

static bool prune_streams(struct sweep *sweep, size_t *ret_taken) {
        return run_one(sweep, &prune_streams_route, ret_taken);
}

const struct job jobs[JOBS] = {
        { "expire_reservations", expire_reservations, RESERVATIONS_EXPIRED_AT_ONCE, COUNTER_RESERVATIONS_EXPIRED },
        { "cancel_unpaid", cancel_unpaid, DUE_AT_ONCE, COUNTER_COUNT },
        { "expire_fulfillments", expire_fulfillments, DUE_AT_ONCE, COUNTER_COUNT },
        { "remind_customers", remind_customers, DUE_AT_ONCE, COUNTER_COUNT },
        { "prune_idempotency", prune_idempotency, PRUNED_AT_ONCE, COUNTER_COUNT },
        { "prune_streams", prune_streams, PRUNED_AT_ONCE, COUNTER_COUNT },
        { NULL, figures_collect, 1, COUNTER_COUNT },
};
