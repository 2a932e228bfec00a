#include "orders/jobs.h"

#include "db/connection.h"
#include "orders/routes.h"
#include "sql/orders.h"

#define UNPAID_BATCH 32

static enum problem unpaid_find(struct database *database, int64_t limit, struct due_documents *due) {
        struct parameters p;

        parameters_init(&p, due->arena);
        parameter_integer(&p, limit);
        database_ask(database, &sql_orders_unpaid, &p, due_documents_read, due);
        return PROBLEM_NONE;
}

/* Found without a lock, so what was paid meanwhile is left alone. */
static enum problem cancel_if_overdue(struct batch *batch, struct call *call) {
        const struct order_commands *work = batch->work;
        struct order *order = order_find(&work->set, &call->path.id);

        call->reply.status = 200;
        if (!order || order->payment_status != PAYMENT_PENDING || order->payment_due_at == TIMESTAMP_NONE ||
                order->payment_due_at > batch->now)
                return PROBLEM_NONE;
        return order_cancel(order, NULL, 0, "unpaid", call->claims->subject, batch->events, batch->now, &call->arena,
                &call->refusal);
}

static const struct operation cancel_unpaid = { .load = order_commands_load,
        .documents = order_commands_documents,
        .change = cancel_if_overdue,
        .save = order_commands_save };

static const struct route unpaid_route = { METHOD_POST, "(orders unpaid)", SCOPE_ADMIN, LANE_WRITE, UNPAID_BATCH,
        KEY_UNUSED, .operation = &cancel_unpaid };

const struct job order_jobs[] = {
        { "cancel_unpaid", JOBS_TIDYING, .batch = UNPAID_BATCH, .find = unpaid_find, .each = &unpaid_route },
};
const size_t order_job_count = array_size(order_jobs);
