#include "orders/upkeep.h"

#include "db/connection.h"
#include "orders/routes.h"
#include "sql/orders.h"

#define UNPAID_BATCH 32

enum problem due_read(struct rows *rows, void *into) {
        struct due_documents *due = into;

        due->ids = arena_new_array(due->arena, struct uuid, rows_count(rows));
        if (!due->ids)
                return FAULT_BUSY;
        due->n = rows_count(rows);
        for (size_t i = 0; i < due->n; i++) {
                struct row row = row_at(rows, i);

                due->ids[i] = row_uuid(&row);
        }
        return PROBLEM_NONE;
}

enum problem orders_find_unpaid(struct database *database, int64_t limit, struct due_documents *due) {
        struct parameters p;

        parameters_init(&p, due->arena);
        parameter_integer(&p, limit);
        database_ask(database, &sql_orders_unpaid, &p, due_read, due);
        return PROBLEM_NONE;
}

/* Found without a lock, so what was paid meanwhile is left alone. */
static void cancel_if_overdue(struct call *call, struct order_commands *work, timestamp now) {
        struct order *order = order_find(&work->set, &call->path.id);

        call->reply.status = 200;
        if (!order || order->payment_status != PAYMENT_PENDING || order->payment_due_at == TIMESTAMP_NONE ||
                order->payment_due_at > now)
                return;
        (void) order_cancel(
                order, NULL, 0, "unpaid", call->claims->subject, &work->events, now, &call->arena, &call->refusal);
}

static enum problem unpaid_decide(struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++)
                cancel_if_overdue(batch->calls[i], batch->work, batch->now);
        return PROBLEM_NONE;
}

static const struct operation cancel_unpaid = {
        .load = order_commands_load, .decide = unpaid_decide, .save = order_commands_save
};

const struct route order_unpaid_route = { METHOD_POST, "(orders unpaid)", SCOPE_ADMIN, LANE_WRITE, UNPAID_BATCH,
        KEY_UNUSED, .operation = &cancel_unpaid };
