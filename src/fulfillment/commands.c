#include "fulfillment/commands.h"
#include "catalog/slots.h"
#include "engine/reply.h"
#include "events/commands_arguments.h"
#include "fulfillment/commands_bodies.h"
#include "reservations/reservations.h"

#include "base/config.h"
#include "base/snapshot.h"
#include "base/text.h"

enum problem fulfillment_work_begin(struct batch *batch, bool locked, struct fulfillment_commands **ret_work) {
        const struct resourcing_policy otherwise = { .enabled = config_integer(CONFIG_RESOURCING),
                .radius_km = config_integer(CONFIG_RESOURCING_RADIUS_KM) };
        struct fulfillment_commands *work = arena_new(batch->arena, struct fulfillment_commands);

        if (!work)
                return FAULT_BUSY;
        stock_init(&work->stock, batch->arena);
        orders_init(&work->set, batch->arena, locked ? &work->stock : NULL);
        catalog_init(&work->catalog, batch->arena);
        resourcing_init(&work->resourcing, batch->arena, &otherwise);
        for (size_t i = 0; i < batch->n_calls; i++)
                orders_want_fulfillment(&work->set, call_id(batch->calls[i], 0));
        batch->work = work;
        *ret_work = work;
        return PROBLEM_NONE;
}

enum problem fulfillment_commands_load(struct batch *batch) {
        struct fulfillment_commands *work = NULL;
        enum problem p = fulfillment_work_begin(batch, /* locked= */ true, &work);

        return p ? p : orders_lock(batch->database, &work->set);
}

enum problem fulfillment_commands_save(struct batch *batch) {
        struct fulfillment_commands *work = batch->work;
        enum problem p = stock_save(batch->database, &work->stock, batch->events, batch->now);

        return p ? p : orders_update(batch->database, &work->set);
}

void fulfillment_commands_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        struct fulfillment_commands *work = batch->work;
        struct fulfillment *fulfillment = fulfillment_find(&work->set, call_id(call, 0));

        snapshot_one(snapshot, work);
        stock_snapshot(snapshot, &work->stock);
        if (fulfillment)
                order_snapshot(snapshot, fulfillment->order);
}

/* One answer for every fulfillment that a link does not open, so that a client cannot probe for fulfillments. */
static struct fulfillment *opened_by_link(struct call *call, struct fulfillment *fulfillment, timestamp now) {
        if (fulfillment && fulfillment_link_opens(fulfillment, call->link, now))
                return fulfillment;
        call_refuse(call, PROBLEM_UNAUTHENTICATED, "The link is unknown, or has expired.");
        return NULL;
}

struct fulfillment *fulfillment_visible(struct call *call, const struct order_set *set, timestamp now) {
        struct fulfillment *fulfillment = fulfillment_find(set, call_id(call, 0));
        const char *channel = call->claims->channel;

        if (call->by_link)
                return opened_by_link(call, fulfillment, now);
        if (!fulfillment || (channel && !text_equal(channel, fulfillment->order->channel))) {
                call_refuse(call, PROBLEM_NOT_FOUND, "There is no such fulfillment.");
                return NULL;
        }
        return call_may_act_at(call, fulfillment->location) ? fulfillment : NULL;
}

unsigned fulfillment_powers(const struct call *call) {
        return (call_has_scope(call, SCOPE_FULFILLMENT_WRITE) ? MAY_FULFILL : 0u) |
               (call_has_scope(call, SCOPE_ORDERS_WRITE) ? MAY_ORDER : 0u) |
               (call_has_scope(call, SCOPE_ADMIN) ? MAY_OVERRIDE : 0u);
}

void write_allowed_actions(struct writer *json, const struct fulfillment *fulfillment, unsigned powers) {
        const struct action_facts facts = fulfillment_facts(fulfillment);
        const action_set allowed = fulfillment_allowed_actions(&facts, powers);

        write_name(json, "allowed_actions");
        write_list_begin(json);
        for (unsigned action = 0; action < ACTION_COUNT; action++)
                if (allowed & 1u << action)
                        write_text(json, fulfillment_action_texts[action]);
        write_list_end(json);
}

/* `pickup_secret` NULL: replies of commands are kept in idempotency records, and codes are never stored. */
void fulfillment_reply(struct call *call, const struct fulfillment *fulfillment, const char *pickup_secret) {
        struct reply_writer w;

        reply_begin(&w, call, 200);
        fulfillment_write(&w.json, fulfillment, pickup_secret);
        write_allowed_actions(&w.json, fulfillment, fulfillment_powers(call));
        reply_end(&w);
        reply_etag(call, fulfillment->version);
}

struct command fulfillment_command(const struct batch *batch, struct call *call) {
        struct fulfillment_commands *work = batch->work;
        struct command command = call_command(batch, call);

        command.stock = &work->stock;
        return command;
}

enum problem fulfillment_read_load(struct batch *batch) {
        struct fulfillment_commands *work = NULL;
        enum problem p = fulfillment_work_begin(batch, /* locked= */ false, &work);

        return p ? p : orders_read(batch->database, &work->set);
}
