/* POST /v1/orders/{id}/change */
#include "engine/call.h"
#include "orders/changing.h"
#include "orders/commands.h"

#include "base/snapshot.h"
#include "base/text.h"

/* ---- body ---- */

static const struct shape_member line_members[] = {
        OPTIONAL(OBJECT, struct line_change, fulfillment, .shape = &order_choice_shape),
        OPTIONAL_FLAGGED(UUID, struct line_change, order_line_id),
        OPTIONAL_FLAGGED(INTEGER, struct line_change, quantity, BETWEEN(0, QUANTITY_MAX)),
        OPTIONAL_FLAGGED(BOOLEAN, struct line_change, remove),
        OPTIONAL(CODE, struct line_change, sku),
        OPTIONAL_FLAGGED(MONEY, struct line_change, unit_price, BETWEEN(0, MONEY_MAXIMUM)),
};
static const struct shape line_shape = SHAPE(struct line_change, line_members);

static const struct shape_member collector_members[] = {
        REQUIRED(TEXT, struct collector_body, name, BETWEEN(1, 200)),
        OPTIONAL(ENUM, struct collector_body, relation, .names = relation_texts),
};
static const struct shape collector_shape = SHAPE(struct collector_body, collector_members);

static const struct shape_member change_members[] = {
        OPTIONAL(OBJECT, struct change_body, customer, .shape = &order_customer_shape),
        OPTIONAL_LIST(struct change_body, discounts, &order_discount_shape, 0, ORDER_DISCOUNTS_MAX),
        OPTIONAL_LIST(struct change_body, lines, &line_shape, 1, CHANGE_LINES_MAX),
        REQUIRED(TEXT, struct change_body, reason, BETWEEN(1, ORDER_REASON_MAX)),
        OPTIONAL(OBJECT, struct change_body, recipient, .shape = &collector_shape),
        OPTIONAL(OBJECT, struct change_body, ship_to, .shape = &order_address_shape),
        OPTIONAL_FLAGGED(MONEY, struct change_body, shipping, BETWEEN(0, MONEY_MAXIMUM)),
        OPTIONAL(OBJECT, struct change_body, tax, .shape = &order_tax_shape),
};
const struct shape order_change_shape = SHAPE(struct change_body, change_members);

void order_change_check(struct call *call) {
        const struct change_body *body = call->body;

        if (changing_check(body, &call->arena, &call->refusal))
                return;
        for (size_t i = 0; i < body->n_lines; i++)
                if (body->lines[i].fulfillment && !call_may_act_at(call, body->lines[i].fulfillment->location))
                        return;
}

/* ---- load ---- */

struct change_work {
        struct order_commands commands; /* first: order_commands_save knows it only */
        struct order_set before;        /* read without a lock, for constant members such as channel and SKUs */
        struct catalog_set catalog;
        struct slot_set slots;
};

static enum problem change_work_begin(struct batch *batch, struct change_work **ret_work) {
        struct change_work *work = arena_new(batch->arena, struct change_work);

        if (!work)
                return FAULT_BUSY;
        stock_init(&work->commands.stock, batch->arena);
        orders_init(&work->commands.set, batch->arena, &work->commands.stock);
        orders_init(&work->before, batch->arena, NULL);
        catalog_init(&work->catalog, batch->arena);
        slots_init(&work->slots, batch->arena);
        for (size_t i = 0; i < batch->n_calls; i++) {
                orders_want(&work->before, call_id(batch->calls[i], 0));
                orders_want(&work->commands.set, call_id(batch->calls[i], 0));
        }
        batch->work = work;
        *ret_work = work;
        return PROBLEM_NONE;
}

/* Want the rows named by the request, and the locations of the order: the request may want more units there. */
static void want_call(const struct call *call, struct change_work *work) {
        const struct change_body *body = call->body;
        const struct order *order = order_find(&work->before, call_id(call, 0));

        if (!order)
                return;
        for (size_t i = 0; i < order->n_fulfillments; i++)
                catalog_want_location(&work->catalog, order->fulfillments[i]->location);
        for (size_t i = 0; i < body->n_lines; i++) {
                const struct order_line *line = order_line_find(order, &body->lines[i].order_line_id);
                const struct requested_line requested = changing_line(body, i, line ? line->sku : NULL);

                if (requested.sku && requested.choice)
                        requested_line_want(&requested, order->channel, &work->catalog, &work->commands.stock);
        }
}

static void want_slots(const struct call *call, struct change_work *work) {
        const struct change_body *body = call->body;

        for (size_t i = 0; i < body->n_lines; i++) {
                const struct requested_line requested = changing_line(body, i, NULL);

                if (requested.choice)
                        requested_line_want_slot(&requested, &work->catalog, &work->slots);
        }
}

/* The order's present slots may be released: lock them together with the wanted ones, in the order of locks. */
static void want_own_slots(struct change_work *work) {
        for (size_t i = 0; i < work->before.n_fulfillments; i++) {
                const struct fulfillment *fulfillment = work->before.fulfillments[i];

                if (fulfillment->has_slot)
                        slots_want(&work->slots, fulfillment->location, fulfillment->slot_at);
        }
}

/* Two round trips before the locks: read the orders, then the catalogue rows that the request wants. */
static enum problem look_up(struct batch *batch, struct change_work *work) {
        enum problem p = orders_read(batch->database, &work->before);

        if (!p)
                p = batch_trip(batch);
        for (size_t i = 0; i < batch->n_calls && !p; i++)
                want_call(batch->calls[i], work);
        if (!p)
                p = catalog_load(batch->database, &work->catalog);
        if (!p)
                p = catalog_load_zones(batch->database, &work->catalog);
        if (!p)
                p = batch_trip(batch);
        if (p)
                return p;
        if (!catalog_zones_fit(&work->catalog))
                return FAULT_STALE;
        for (size_t i = 0; i < batch->n_calls; i++)
                want_slots(batch->calls[i], work);
        if (work->slots.n_rows > 0)
                want_own_slots(work);
        return PROBLEM_NONE;
}

static enum problem change_load(struct batch *batch) {
        struct change_work *work = NULL;
        enum problem p = change_work_begin(batch, &work);

        if (!p)
                p = look_up(batch, work);
        if (!p)
                p = orders_lock(batch->database, &work->commands.set);
        if (!p)
                p = reservations_free_lapsed(batch->database, &work->commands.stock);
        return p ? p : slots_lock(batch->database, &work->slots);
}

/* ---- decide ---- */

/* A change of the whole order acts at every location that holds units of it. */
static bool may_change(struct call *call, const struct order *order) {
        const struct change_body *body = call->body;
        const bool whole = body->customer || body->ship_to || body->recipient || body->discounts ||
                           body->has_shipping || body->tax;

        for (size_t i = 0; i < body->n_lines; i++) {
                const struct order_line *line = order_line_find(order, &body->lines[i].order_line_id);

                if (line && !order_may_act_on_line(call, line))
                        return false;
        }
        for (size_t i = 0; whole && i < order->n_lines; i++)
                if (order_line_open(&order->lines[i]) && !order_may_act_on_line(call, &order->lines[i]))
                        return false;
        return true;
}

static void change_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        struct change_work *work = batch->work;

        snapshot_one(snapshot, work);
        stock_rows_snapshot(snapshot, &work->commands.stock);
        slots_snapshot(snapshot, &work->slots);
        order_snapshot(snapshot, order_find(&work->commands.set, call_id(call, 0)));
}

static enum problem change_one(struct batch *batch, struct call *call) {
        struct change_work *work = batch->work;
        const struct command command = call_command(batch, call);
        const struct changing changing = { batch->arena, &work->catalog, &work->slots, &work->commands.stock };
        struct order *order = order_visible(call, &work->commands.set);
        enum problem p;

        if (!order || !may_change(call, order) || !call_version_matches(call, order->version))
                return PROBLEM_NONE;
        p = order_change(order, call->body, &changing, &command);
        if (!p)
                order_reply(call, order, 200, /* pickup_secret= */ NULL);
        return p;
}

/* New slots are booked before orders_update releases old ones, which lowers the stored count. */
static enum problem change_save(struct batch *batch) {
        struct change_work *work = batch->work;
        enum problem p = stock_save(batch->database, &work->commands.stock, batch->events, batch->now);

        if (!p)
                slots_save(batch->database, &work->slots);
        return p ? p : orders_update(batch->database, &work->commands.set);
}

const struct operation order_change_operation = {
        .load = change_load, .documents = change_documents, .change = change_one, .save = change_save
};
