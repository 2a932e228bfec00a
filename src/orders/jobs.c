#include "orders/jobs.h"

#include "db/connection.h"
#include "orders/commands.h"
#include "sql/order_search.h"
#include "sql/orders.h"

#define UNPAID_BATCH 32

/* Number of orders whose trigrams one batch writes: a share of the backlog. Placing an order does not pay for its
 * search index, and a search scans the orders of only so many seconds one by one. */
#define SEARCHABLE_MIN   250
#define SEARCHABLE_MAX   10000
#define SEARCHABLE_SHARE 16

static enum problem unpaid_find(struct database *database, int64_t limit, struct due_documents *due) {
        struct parameters p;

        parameters_init(&p, due->arena);
        parameter_integer(&p, limit);
        parameter_integer(&p, config_integer(CONFIG_UNPAID_TTL) / SECOND);
        database_ask(database, &sql_orders_unpaid, &p, due_documents_read, due);
        return PROBLEM_NONE;
}

/* The job found the orders without a lock, so it skips those paid meanwhile. */
static enum problem cancel_if_overdue(struct batch *batch, struct call *call) {
        const struct command command = call_command(batch, call);
        const struct order_commands *work = batch->work;
        struct order *order = order_find(&work->set, call_id(call, 0));

        call->reply.status = 200;
        if (!order || order->balance.payment_status != PAYMENT_PENDING ||
                balance_due_at(&order->balance) == TIMESTAMP_NONE || balance_due_at(&order->balance) > batch->now)
                return PROBLEM_NONE;
        return order_cancel(order, NULL, 0, "unpaid", &command);
}

static const struct operation cancel_unpaid = { .load = order_commands_load,
        .documents = order_commands_documents,
        .change = cancel_if_overdue,
        .save = order_commands_save };

static const struct route unpaid_route = { METHOD_POST, "(orders unpaid)", SCOPE_ADMIN, LANE_WRITE, UNPAID_BATCH,
        KEY_UNUSED, .operation = &cancel_unpaid };

static enum problem searchable_load(struct batch *batch) {
        batch->work = job_answer(batch->calls[0], 0, NULL);
        return batch->work ? PROBLEM_NONE : FAULT_BUSY;
}

/* Trigrams are written by a statement; no document is in memory. */
static void searchable_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        (void) batch;
        (void) call;
        (void) snapshot;
}

static enum problem searchable_one(struct batch *batch, struct call *call) {
        (void) batch;
        (void) call;
        return PROBLEM_NONE;
}

static enum problem searchable_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        ((struct job_outcome *) into)->taken = (size_t) row_integer(&row);
        return PROBLEM_NONE;
}

static enum problem searchable_save(struct batch *batch) {
        struct parameters p;

        parameters_init(&p, batch->arena);
        parameter_integer(&p, SEARCHABLE_MIN);
        parameter_integer(&p, SEARCHABLE_MAX);
        parameter_integer(&p, SEARCHABLE_SHARE);
        database_ask(batch->database, &sql_order_search_catch_up, &p, searchable_read, batch->work);
        return PROBLEM_NONE;
}

static const struct operation make_searchable = {
        .load = searchable_load, .documents = searchable_documents, .change = searchable_one, .save = searchable_save
};
static const struct route searchable_route = {
        .path = "(make orders searchable)", .batch = 1, .operation = &make_searchable
};

const struct job order_jobs[] = {
        { "cancel_unpaid", JOBS_TIDYING, .batch = UNPAID_BATCH, .find = unpaid_find, .each = &unpaid_route },
        { "make_searchable", JOBS_TIDYING, .batch = SEARCHABLE_MAX, .route = &searchable_route },
};
const size_t order_job_count = array_size(order_jobs);
