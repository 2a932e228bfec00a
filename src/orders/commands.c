#include "orders/commands.h"

#include "engine/reply.h"

#include "base/snapshot.h"
#include "base/text.h"

/* `pickup_secret` NULL: replies of commands are kept in idempotency records, and codes are never stored. */
void order_reply(struct call *call, const struct order *order, unsigned status, const char *pickup_secret) {
        const struct token_claims *claims = call->claims;
        const struct code_viewer viewer = { pickup_secret, claims->all_locations, claims->locations,
                claims->n_locations };
        struct reply_writer w;

        reply_begin(&w, call, status);
        order_write(&w.json, order, &viewer);
        reply_end(&w);
        reply_etag_of_view(call, order->version, order_view(order));
}

enum problem order_work_begin(struct batch *batch, bool locked, struct order_commands **ret_work) {
        struct order_commands *work = arena_new(batch->arena, struct order_commands);

        if (!work)
                return FAULT_BUSY;
        stock_init(&work->stock, batch->arena);
        orders_init(&work->set, batch->arena, locked ? &work->stock : NULL);
        for (size_t i = 0; i < batch->n_calls; i++)
                orders_want(&work->set, call_id(batch->calls[i], 0));
        batch->work = work;
        *ret_work = work;
        return PROBLEM_NONE;
}

static bool order_touches_bearer(const struct call *call, const struct order *order) {
        for (size_t i = 0; i < order->n_fulfillments; i++)
                if (token_allows_location(call->claims, order->fulfillments[i]->location))
                        return true;
        for (size_t i = 0; i < order->n_return_places; i++)
                if (token_allows_location(call->claims, order->return_places[i]))
                        return true;
        return call->claims->all_locations;
}

bool order_check_visible(struct call *call, const struct order *order, const char *what) {
        const char *channel = call->claims->channel;

        if (!order || (channel && !text_equal(channel, order->channel))) {
                call_refuse(call, PROBLEM_NOT_FOUND, "There is no such %s.", what);
                return false;
        }
        if (order_touches_bearer(call, order))
                return true;
        call_refuse(call, PROBLEM_STORE_NOT_ALLOWED,
                "No location of the token holds, held or took back units of the order.");
        return false;
}

struct order *order_visible(struct call *call, const struct order_set *set) {
        struct order *order = order_find(set, call_id(call, 0));

        return order_check_visible(call, order, "order") ? order : NULL;
}

enum problem order_commands_load(struct batch *batch) {
        struct order_commands *work = NULL;
        enum problem p = order_work_begin(batch, /* locked= */ true, &work);

        return p ? p : orders_lock(batch->database, &work->set);
}

/* A command on a line acts at the locations that hold its units; if none holds any, at those that held them. */
bool order_may_act_on_line(struct call *call, const struct order_line *line) {
        const bool held = order_line_open(line) > 0;

        for (const struct fulfillment_line *at = line->allocations; at; at = at->older)
                if ((!held || fulfillment_line_open(at)) && !call_may_act_at(call, at->fulfillment->location))
                        return false;
        return true;
}

void order_commands_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        struct order_commands *work = batch->work;

        snapshot_one(snapshot, work);
        stock_snapshot(snapshot, &work->stock);
        order_snapshot(snapshot, order_find(&work->set, call_id(call, 0)));
}

enum problem order_commands_save(struct batch *batch) {
        struct order_commands *work = batch->work;
        enum problem p = stock_save(batch->database, &work->stock, batch->events, batch->now);

        return p ? p : orders_update(batch->database, &work->set);
}
