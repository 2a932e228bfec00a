/* Operations on payments and refunds: provider events, further payments, refunds. */
#include "orders/commands.h"
#include "orders/lists.h"
#include "payments/provider.h"

#include "base/snapshot.h"
#include "engine/reply.h"

#define REFERENCE_MAX     200
#define PROVIDER_MAX      100
#define EVENT_ID_MAX      200
#define REFUND_REASON_MAX 200

/* ---- bodies ---- */

static const struct shape_member event_members[] = {
        OPTIONAL_FLAGGED(INTEGER, struct provider_event, amount, BETWEEN(1, MONEY_MAXIMUM)),
        REQUIRED(TEXT, struct provider_event, event_id, BETWEEN(1, EVENT_ID_MAX)),
        OPTIONAL(TIME, struct provider_event, occurred_at),
        OPTIONAL(TEXT, struct provider_event, reference, BETWEEN(1, REFERENCE_MAX)),
        OPTIONAL_FLAGGED(UUID, struct provider_event, refund_id),
        REQUIRED(ENUM, struct provider_event, type, .names = provider_event_texts),
};
const struct shape payment_event_shape = SHAPE(struct provider_event, event_members);

static const struct shape_member payment_members[] = {
        OPTIONAL_FLAGGED(INTEGER, struct payment_request, amount, BETWEEN(1, MONEY_MAXIMUM)),
        OPTIONAL(TEXT, struct payment_request, provider, BETWEEN(1, PROVIDER_MAX)),
        OPTIONAL(TEXT, struct payment_request, reference, BETWEEN(1, REFERENCE_MAX)),
        REQUIRED(ENUM, struct payment_request, status, .names = payment_opening_texts),
};
const struct shape order_payment_shape = SHAPE(struct payment_request, payment_members);

struct refund_body {
        int64_t amount; /* 0: the refund due */
        const char *reason;
        struct uuid return_id;
        bool has_return_id;
        int to;
};

static const struct shape_member refund_members[] = {
        OPTIONAL(INTEGER, struct refund_body, amount, BETWEEN(1, MONEY_MAXIMUM)),
        REQUIRED(TEXT, struct refund_body, reason, BETWEEN(1, REFUND_REASON_MAX)),
        OPTIONAL_FLAGGED(UUID, struct refund_body, return_id),
        REQUIRED(ENUM, struct refund_body, to, .names = refund_to_texts),
};
const struct shape order_refund_shape = SHAPE(struct refund_body, refund_members);

/* ---- finding the order ---- */

/* The data of one batch; the first member is that of all commands on orders. */
struct payments_work {
        struct order_commands commands;
        struct owners owners;
        struct told_events told;
        struct uuid *payments;
};

static enum problem payments_work_begin(struct batch *batch, bool locked, struct payments_work **ret_work) {
        struct payments_work *work = arena_new(batch->arena, struct payments_work);
        const size_t n = batch->n_calls;

        if (!work)
                return FAULT_BUSY;
        stock_init(&work->commands.stock, batch->arena);
        orders_init(&work->commands.set, batch->arena, locked ? &work->commands.stock : NULL);
        work->told.arena = batch->arena;
        work->owners.arena = batch->arena;
        work->payments = arena_new_array(batch->arena, struct uuid, n);
        if (!work->payments)
                return FAULT_BUSY;
        for (size_t i = 0; i < n; i++)
                work->payments[i] = *call_id(batch->calls[i], 0);
        batch->work = work;
        *ret_work = work;
        return PROBLEM_NONE;
}

/* A separate round trip, before any lock, finds the orders of the payments or refunds in the paths. */
static enum problem payment_orders_find(struct batch *batch, struct payments_work *work, bool refunds) {
        const size_t n = batch->n_calls;
        enum problem p;

        owners_ask(batch->database, work->payments, refunds ? 0 : n, work->payments, refunds ? n : 0, &work->owners);
        p = batch_trip(batch);
        for (size_t i = 0; !p && i < work->owners.n; i++)
                orders_want(&work->commands.set, &work->owners.at[i].order_id);
        return p;
}

static struct order *order_of(struct call *call, const struct payments_work *work, const char *what) {
        const struct uuid *id = owners_find(&work->owners, call_id(call, 0));
        struct order *order = id ? order_find(&work->commands.set, id) : NULL;

        return order_check_visible(call, order, what) ? order : NULL;
}

/* ---- showing ---- */

static enum problem payments_show_load(struct batch *batch, bool refunds) {
        struct payments_work *work = NULL;
        enum problem p = payments_work_begin(batch, /* locked= */ false, &work);

        if (!p)
                p = payment_orders_find(batch, work, refunds);
        if (!p)
                p = orders_read(batch->database, &work->commands.set);
        if (!p)
                return_places_load(batch->database, &work->commands.set);
        return p;
}

static enum problem payment_load(struct batch *batch) {
        return payments_show_load(batch, /* refunds= */ false);
}

static enum problem refund_load(struct batch *batch) {
        return payments_show_load(batch, /* refunds= */ true);
}

static void reply_payment(struct call *call, const struct payment *payment, unsigned status) {
        struct reply_writer w;

        reply_begin(&w, call, status);
        payment_write(&w.json, payment);
        reply_end(&w);
        reply_etag(call, payment->version);
}

static enum problem payment_decide(struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                const struct order *order = order_of(call, batch->work, "payment");

                if (order)
                        reply_payment(call, payment_find(&order->balance, call_id(call, 0)), 200);
        }
        return PROBLEM_NONE;
}

static void reply_refund(struct call *call, const struct refund *refund) {
        struct reply_writer w;

        reply_begin(&w, call, 200);
        refund_write(&w.json, refund);
        reply_end(&w);
        reply_etag(call, refund->version);
}

static enum problem refund_decide(struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                const struct order *order = order_of(call, batch->work, "refund");

                if (order)
                        reply_refund(call, refund_find(&order->balance, call_id(call, 0)));
        }
        return PROBLEM_NONE;
}

const struct operation payment_show_operation = { .load = payment_load, .decide = payment_decide };
const struct operation refund_show_operation = { .load = refund_load, .decide = refund_decide };

/* New payments and refunds live in the arena of the batch, which saves them. */
static struct command payment_command(const struct batch *batch, struct call *call) {
        struct command command = call_command(batch, call);

        command.arena = batch->arena;
        return command;
}

/* ---- provider events ---- */

void payment_event_check(struct call *call) {
        (void) provider_check(call->body, &call->arena, &call->refusal);
}

static enum problem event_load(struct batch *batch) {
        struct payments_work *work = NULL;
        enum problem p = payments_work_begin(batch, /* locked= */ true, &work);

        if (!p)
                p = payment_orders_find(batch, work, /* refunds= */ false);
        if (!p)
                p = orders_lock(batch->database, &work->commands.set);
        if (!p)
                told_events_ask(batch->database, work->payments, batch->n_calls, &work->told);
        return p;
}

static void event_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        struct payments_work *work = batch->work;
        const struct uuid *order_id = owners_find(&work->owners, call_id(call, 0));

        snapshot_one(snapshot, work);
        stock_snapshot(snapshot, &work->commands.stock);
        if (order_id)
                order_snapshot(snapshot, order_find(&work->commands.set, order_id));
}

static enum problem event_one(struct batch *batch, struct call *call) {
        struct payments_work *work = batch->work;
        const struct command command = call_command(batch, call);
        const struct provider_event *told = call->body;
        struct order *order = order_of(call, work, "payment");
        struct payment *payment = order ? payment_find(&order->balance, call_id(call, 0)) : NULL;
        enum problem p = PROBLEM_NONE;
        bool known = false;

        if (!payment)
                return PROBLEM_NONE;
        p = told_events_find(&work->told, &payment->id, told, &call->arena, &call->refusal, &known);
        if (!p && !known)
                p = order_provider_event(order, payment, told, &work->told, &command);
        if (!p)
                reply_payment(call, payment, 200);
        return p;
}

static enum problem event_save(struct batch *batch) {
        const struct payments_work *work = batch->work;

        told_events_save(batch->database, &work->told);
        return order_commands_save(batch);
}

const struct operation payment_event_operation = {
        .load = event_load, .documents = event_documents, .change = event_one, .save = event_save
};

/* ---- a further payment ---- */

static void set_location(struct call *call, const char *collection, const struct uuid *document) {
        char id[UUID_TEXT_SIZE];

        uuid_format(document, id);
        call->reply.location = arena_format(&call->arena, "/v1/%s/%s", collection, id);
}

static enum problem pay_one(struct batch *batch, struct call *call) {
        const struct command command = payment_command(batch, call);
        const struct order_commands *work = batch->work;
        struct order *order = order_visible(call, &work->set);
        struct payment *payment = NULL;
        enum problem p;

        if (!order || !call_version_matches(call, order->version))
                return PROBLEM_NONE;
        p = order_pay(order, call->body, &command, &payment);
        if (p)
                return p;
        reply_payment(call, payment, 201);
        set_location(call, "payments", &payment->id);
        return PROBLEM_NONE;
}

const struct operation order_pay_operation = { .load = order_commands_load,
        .documents = order_commands_documents,
        .change = pay_one,
        .save = order_commands_save };

/* ---- refunds ---- */

static void reply_refunds(struct call *call, const struct order *order, size_t first) {
        struct reply_writer w;
        int64_t amount = 0;

        reply_begin(&w, call, 201);
        write_uuid_member(&w.json, "order_id", &order->id);
        write_name(&w.json, "refunds");
        write_list_begin(&w.json);
        for (size_t i = first; i < order->balance.n_refunds; i++) {
                amount += order->balance.refunds[i]->amount;
                write_object_begin(&w.json);
                refund_write(&w.json, order->balance.refunds[i]);
                write_object_end(&w.json);
        }
        write_list_end(&w.json);
        write_amount_member(&w.json, "amount", amount, order->balance.currency);
        write_amount_member(&w.json, "refund_due", order->balance.refund_due, order->balance.currency);
        reply_end(&w);
        reply_etag(call, order->version);
}

static enum problem give_back_load(struct batch *batch) {
        struct order_commands *work;
        const enum problem p = order_commands_load(batch);

        if (p)
                return p;
        work = batch->work;
        return_claims_load(batch->database, &work->set);
        return PROBLEM_NONE;
}

static enum problem give_back_one(struct batch *batch, struct call *call) {
        const struct command command = payment_command(batch, call);
        const struct order_commands *work = batch->work;
        const struct refund_body *body = call->body;
        const struct refund_request request = { .amount = body->amount,
                .to = (enum refund_to) body->to,
                .reason = body->reason,
                .return_id = body->return_id };
        struct order *order = order_visible(call, &work->set);
        const size_t first = order ? order->balance.n_refunds : 0;
        enum problem p;

        if (!order || !call_version_matches(call, order->version))
                return PROBLEM_NONE;
        p = order_give_back(order, &request, &command);
        if (p)
                return p;
        reply_refunds(call, order, first);
        set_location(call, "refunds", &order->balance.refunds[first]->id);
        return PROBLEM_NONE;
}

const struct operation order_refund_operation = { .load = give_back_load,
        .documents = order_commands_documents,
        .change = give_back_one,
        .save = order_commands_save };
