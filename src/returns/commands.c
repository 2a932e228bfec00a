#include "returns/commands.h"
#include "engine/reply.h"
#include "events/commands_arguments.h"
#include "reservations/reservations.h"

#include "base/snapshot.h"
#include "base/text.h"

/* ---- one batch ---- */

enum problem return_work_begin(struct batch *batch, bool locked, struct return_commands **ret_work) {
        struct return_commands *work = arena_new(batch->arena, struct return_commands);

        if (!work)
                return FAULT_BUSY;
        work->aims = arena_new_array(batch->arena, struct return_aim, batch->n_calls);
        if (!work->aims)
                return FAULT_BUSY;
        stock_init(&work->stock, batch->arena);
        orders_init(&work->orders, batch->arena, locked ? &work->stock : NULL);
        returns_init(&work->returns, batch->arena);
        catalog_init(&work->catalog, batch->arena);
        work->days.arena = batch->arena;
        work->targets.arena = batch->arena;
        for (size_t i = 0; i < batch->n_calls; i++)
                batch->calls[i]->work = &work->aims[i];
        batch->work = work;
        *ret_work = work;
        return PROBLEM_NONE;
}

enum problem return_work_find(struct batch *batch, struct return_commands *work) {
        const struct uuid **ids = arena_new_array(batch->arena, const struct uuid *, batch->n_calls);
        enum problem p;

        if (!ids)
                return FAULT_BUSY;
        for (size_t i = 0; i < batch->n_calls; i++)
                ids[i] = call_id(batch->calls[i], 0);
        return_targets_by_id(batch->database, &work->targets, ids, batch->n_calls);
        p = batch_trip(batch);
        if (p)
                return p;
        for (size_t i = 0; i < batch->n_calls; i++)
                for (size_t j = 0; j < work->targets.n_rows; j++) {
                        const struct return_target *target = &work->targets.rows[j];

                        if (!uuid_equal(&target->id, call_id(batch->calls[i], 0)))
                                continue;
                        work->aims[i] = (struct return_aim){ target->order_id, target->location };
                }
        return PROBLEM_NONE;
}

static enum problem ask_for_days(struct batch *batch, struct return_commands *work) {
        const struct uuid **orders = arena_new_array(batch->arena, const struct uuid *, batch->n_calls);
        const char **locations = arena_new_array(batch->arena, const char *, batch->n_calls);
        size_t n = 0;

        if (!orders || !locations)
                return FAULT_BUSY;
        for (size_t i = 0; i < batch->n_calls; i++) {
                if (uuid_is_nil(&work->aims[i].order_id))
                        continue;
                orders[n] = &work->aims[i].order_id;
                locations[n++] = work->aims[i].location;
        }
        if (n)
                left_days_read(batch->database, &work->days, orders, locations, n);
        return PROBLEM_NONE;
}

/* Load the documents, locked if the calls change them; a later statement than the locks reads their parts. */
static enum problem load_documents(struct batch *batch, struct return_commands *work, bool locked) {
        enum problem p;

        for (size_t i = 0; i < batch->n_calls; i++)
                if (!uuid_is_nil(&work->aims[i].order_id))
                        orders_want(&work->orders, &work->aims[i].order_id);
        if (locked) {
                p = orders_lock_headers(batch->database, &work->orders);
                if (!p)
                        p = orders_read_parts(batch->database, &work->orders);
        } else {
                p = orders_read(batch->database, &work->orders);
        }
        if (!p)
                p = returns_read(batch->database, &work->returns, &work->orders);
        if (!p)
                p = ask_for_days(batch, work);
        return p ? p : batch_trip(batch);
}

void return_want_nothing(struct return_commands *work, const struct call *call, const struct return_aim *aim) {
        (void) work;
        (void) call;
        (void) aim;
}

enum problem return_work_load(struct batch *batch, bool locked,
        void (*want)(struct return_commands *work, const struct call *call, const struct return_aim *aim)) {
        struct return_commands *work = batch->work;
        enum problem p = load_documents(batch, work, locked);

        if (p)
                return p;
        for (size_t i = 0; i < batch->n_calls; i++)
                if (order_find(&work->orders, &work->aims[i].order_id))
                        want(work, batch->calls[i], &work->aims[i]);
        if (locked && (work->stock.n_wanted || work->stock.exhausted))
                p = stock_lock(batch->database, &work->stock);
        if (!p && locked && work->wants_zones)
                p = reservations_free_lapsed(batch->database, &work->stock);
        if (!p)
                p = catalog_load(batch->database, &work->catalog);
        return p || !work->wants_zones ? p : catalog_load_zones(batch->database, &work->catalog);
}

/* The order, all its returns, and the rows where goods come back or are held instead. */
void return_work_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        struct return_commands *work = batch->work;
        const struct return_aim *aim = call->work;
        struct order *order = order_find(&work->orders, &aim->order_id);

        snapshot_one(snapshot, work);
        stock_rows_snapshot(snapshot, &work->stock);
        order_snapshot(snapshot, order);
        returns_snapshot(snapshot, &work->returns, order);
}

enum problem return_work_save(struct batch *batch) {
        struct return_commands *work = batch->work;
        enum problem p = stock_save(batch->database, &work->stock, batch->events, batch->now);

        if (!p)
                p = returns_save(batch->database, &work->returns, batch->events);
        return p ? p : orders_update(batch->database, &work->orders);
}

/* ---- one call ---- */

struct order *return_order(struct call *call, const struct return_commands *work, const struct return_aim *aim) {
        struct order *order = order_find(&work->orders, &aim->order_id);
        const char *channel = call->claims->channel;

        if (order && (!channel || text_equal(channel, order->channel)))
                return order;
        call_refuse(call, PROBLEM_NOT_FOUND, "There is no such order.");
        return NULL;
}

struct rma *return_visible(const struct batch *batch, struct call *call) {
        const struct return_commands *work = batch->work;
        struct rma *rma = rma_find(&work->returns, call_id(call, 0));
        const char *channel = call->claims->channel;

        if (rma && (!channel || text_equal(channel, rma->order->channel))) {
                rma_follow(rma, batch->events);
                return rma;
        }
        call_refuse(call, PROBLEM_NOT_FOUND, "There is no such return.");
        return NULL;
}

struct command return_command(const struct batch *batch, struct call *call) {
        struct return_commands *work = batch->work;
        struct command command = call_command(batch, call);

        command.stock = &work->stock;
        return command;
}

void return_check_override(struct call *call, bool override) {
        if (!override || call_has_scope(call, SCOPE_ADMIN))
                return;
        call->refusal.scope = scope_text(SCOPE_ADMIN);
        call_refuse(call, PROBLEM_INSUFFICIENT_SCOPE, "Overriding the return policy needs the scope %s.",
                scope_text(SCOPE_ADMIN));
}

void return_reply(const struct batch *batch, struct call *call, struct rma *rma, unsigned status) {
        struct reply_writer w;

        rma_follow(rma, batch->events);
        reply_begin(&w, call, status);
        rma_write(&w.json, rma);
        reply_end(&w);
        reply_etag(call, rma->version);
}

/* ---- rows ---- */
