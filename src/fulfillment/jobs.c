#include "fulfillment/jobs.h"

#include "db/connection.h"
#include "fulfillment/commands.h"
#include "sql/orders.h"

#define DUE_BATCH 32

static enum problem overdue_find(struct database *database, int64_t limit, struct due_documents *due) {
        struct parameters p;

        parameters_init(&p, due->arena);
        parameter_integer(&p, limit);
        parameter_integer(&p, ARRIVAL_GRACE / SECOND);
        parameter_integer(&p, WAY_GRACE / SECOND);
        database_ask(database, &sql_fulfillments_to_expire, &p, due_documents_read, due);
        return PROBLEM_NONE;
}

static enum problem reminders_find(struct database *database, int64_t limit, struct due_documents *due) {
        struct parameters p;

        parameters_init(&p, due->arena);
        parameter_integer(&p, limit);
        database_ask(database, &sql_fulfillments_to_remind, &p, due_documents_read, due);
        return PROBLEM_NONE;
}

/* Found without a lock, so the rules check again: other transactions may have changed the fulfillment meanwhile. */
static enum problem change(
        struct batch *batch, struct call *call, bool (*rule)(struct fulfillment *, const struct command *)) {
        struct fulfillment_commands *work = batch->work;
        struct fulfillment *fulfillment = fulfillment_find(&work->set, call_id(call, 0));
        const struct command command = fulfillment_command(batch, call);

        call->reply.status = 200;
        if (fulfillment)
                (void) rule(fulfillment, &command);
        return PROBLEM_NONE;
}

static enum problem expire_one(struct batch *batch, struct call *call) {
        return change(batch, call, fulfillment_expire);
}

static enum problem remind_one(struct batch *batch, struct call *call) {
        return change(batch, call, fulfillment_remind);
}

static const struct operation expire = { .load = fulfillment_commands_load,
        .documents = fulfillment_commands_documents,
        .change = expire_one,
        .save = fulfillment_commands_save };
static const struct operation remind = { .load = fulfillment_commands_load,
        .documents = fulfillment_commands_documents,
        .change = remind_one,
        .save = fulfillment_commands_save };

static const struct route expire_route = { METHOD_POST, "(fulfillments overdue)", SCOPE_ADMIN, LANE_WRITE, DUE_BATCH,
        KEY_UNUSED, .operation = &expire };
static const struct route remind_route = { METHOD_POST, "(fulfillments to remind of)", SCOPE_ADMIN, LANE_WRITE,
        DUE_BATCH, KEY_UNUSED, .operation = &remind };

const struct job fulfillment_jobs[] = {
        { "expire_fulfillments", JOBS_TIDYING, .batch = DUE_BATCH, .find = overdue_find, .each = &expire_route },
        { "remind_customers", JOBS_TIDYING, .batch = DUE_BATCH, .find = reminders_find, .each = &remind_route },
};
const size_t fulfillment_job_count = array_size(fulfillment_jobs);
