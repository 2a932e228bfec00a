/* POST /v1/orders */
#include "engine/counters.h"
#include "engine/reply.h"
#include "orders/commands.h"
#include "orders/lists.h"
#include "orders/placing.h"

#include "base/config.h"
#include "base/snapshot.h"
#include "base/text.h"

/* ---- the body ---- */

static const struct shape_member line_members[] = {
        OPTIONAL(OBJECT, struct order_line_body, fulfillment, .shape = &order_choice_shape),
        REQUIRED(INTEGER, struct order_line_body, quantity, BETWEEN(1, QUANTITY_MAX)),
        REQUIRED(CODE, struct order_line_body, sku),
        OPTIONAL_FLAGGED(MONEY, struct order_line_body, unit_price, BETWEEN(0, MONEY_MAXIMUM)),
};
static const struct shape line_shape = SHAPE(struct order_line_body, line_members);

static const struct shape_member payment_members[] = {
        OPTIONAL(TIME, struct payment_body, due_at),
        OPTIONAL(TEXT, struct payment_body, reference, BETWEEN(1, 200)),
        REQUIRED(ENUM, struct payment_body, status, .names = payment_opening_texts),
};
static const struct shape payment_shape = SHAPE(struct payment_body, payment_members);

static const struct shape_member part_members[] = {
        REQUIRED(INTEGER, struct payment_request, amount, BETWEEN(1, MONEY_MAXIMUM)),
        OPTIONAL(TEXT, struct payment_request, provider, BETWEEN(1, 100)),
        OPTIONAL(TEXT, struct payment_request, reference, BETWEEN(1, 200)),
        REQUIRED(ENUM, struct payment_request, status, .names = payment_opening_texts),
};
static const struct shape part_shape = SHAPE(struct payment_request, part_members);

static const struct shape_member order_members[] = {
        REQUIRED(CODE, struct order_body, channel),
        REQUIRED(TEXT, struct order_body, currency, BETWEEN(3, 3)),
        REQUIRED(OBJECT, struct order_body, customer, .shape = &order_customer_shape),
        OPTIONAL_LIST(struct order_body, discounts, &order_discount_shape, 0, ORDER_DISCOUNTS_MAX),
        REQUIRED(TEXT, struct order_body, external_ref, BETWEEN(1, 100)),
        OPTIONAL(OBJECT, struct order_body, fulfillment, .shape = &order_choice_shape),
        LIST(struct order_body, lines, &line_shape, 1, ORDER_LINES_MAX),
        OPTIONAL(OBJECT, struct order_body, payment, .shape = &payment_shape),
        OPTIONAL_LIST(struct order_body, payments, &part_shape, 1, ORDER_PAYMENTS_MAX),
        OPTIONAL_FLAGGED(UUID, struct order_body, reservation_id),
        OPTIONAL(OBJECT, struct order_body, ship_to, .shape = &order_address_shape),
        OPTIONAL_FLAGGED(MONEY, struct order_body, shipping, BETWEEN(0, MONEY_MAXIMUM)),
        OPTIONAL(OBJECT, struct order_body, tax, .shape = &order_tax_shape),
};
const struct shape order_place_shape = SHAPE(struct order_body, order_members);

/* ---- the operation ---- */

void order_place_check(struct call *call) {
        const struct order_body *body = call->body;

        if (placing_check(body, &call->arena, &call->refusal) || !call_may_act_for(call, body->channel))
                return;
        for (size_t i = 0; i < body->n_lines; i++)
                if (!call_may_act_at(call, placing_choice(body, &body->lines[i])->location))
                        return;
}

/* An order may take stock from several locations; it is batched with the other orders of its first one. An order that
 * was refused for its missing choice has none. */
const char *order_place_location(const struct call *call) {
        const struct order_body *body = call->body;
        const struct fulfillment_choice *choice = placing_choice(body, &body->lines[0]);

        return choice ? choice->location : NULL;
}

size_t order_place_weigh(const struct call *call) {
        return ((const struct order_body *) call->body)->n_lines;
}

static enum problem place_begin(struct batch *batch, struct placing **ret_placing) {
        struct placing *placing = arena_new(batch->arena, struct placing);

        if (!placing)
                return FAULT_BUSY;
        placing->arena = batch->arena;
        placing->unpaid_ttl = config_integer(CONFIG_UNPAID_TTL);
        catalog_init(&placing->catalog, batch->arena);
        slots_init(&placing->slots, batch->arena);
        stock_init(&placing->stock, batch->arena);
        reservations_init(&placing->reservations, batch->arena, &placing->stock);
        placing->orders = arena_new_array(batch->arena, struct order *, 2 * batch->n_calls);
        placing->claimed = arena_new_array(batch->arena, struct reservation *, batch->n_calls);
        placing->refs = arena_new_array(batch->arena, struct order_ref, batch->n_calls);
        if (!placing->orders || !placing->claimed || !placing->refs)
                return FAULT_BUSY;
        batch->work = placing;
        *ret_placing = placing;
        return PROBLEM_NONE;
}

static void placed_order_want(struct placing *placing, const struct order_body *body) {
        placing->refs[placing->n_refs++] = (struct order_ref){ body->channel, body->external_ref };
        catalog_want_channel(&placing->catalog, body->channel);
        if (body->has_reservation_id)
                reservations_want(&placing->reservations, &body->reservation_id);
        for (size_t i = 0; i < body->n_lines; i++) {
                const struct requested_line requested = placing_line(body, i);

                requested_line_want(&requested, body->channel, &placing->catalog, &placing->stock);
        }
}

static bool orders_name_slots(const struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct order_body *body = batch->calls[i]->body;

                for (size_t j = 0; j < body->n_lines; j++)
                        if (placing_choice(body, &body->lines[j])->slot != TIMESTAMP_NONE)
                                return true;
        }
        return false;
}

static enum problem read_catalog(struct batch *batch, struct placing *placing) {
        const enum problem p = catalog_load(batch->database, &placing->catalog);

        return p ? p : catalog_load_zones(batch->database, &placing->catalog);
}

/* One more round trip if an order names a slot: only existing slots get a row to lock. */
static enum problem find_slots(struct batch *batch, struct placing *placing) {
        enum problem p = read_catalog(batch, placing);

        if (!p)
                p = batch_trip(batch);
        if (p)
                return p;
        if (!catalog_zones_fit(&placing->catalog))
                return FAULT_STALE;
        for (size_t i = 0; i < batch->n_calls; i++)
                placing_want_slots(placing, batch->calls[i]->body);
        return PROBLEM_NONE;
}

static enum problem place_load(struct batch *batch) {
        struct placing *placing = NULL;
        enum problem p = place_begin(batch, &placing);

        if (p)
                return p;
        for (size_t i = 0; i < batch->n_calls; i++)
                placed_order_want(placing, batch->calls[i]->body);
        if (orders_name_slots(batch))
                p = find_slots(batch, placing);
        if (!p)
                p = reservations_lock(batch->database, &placing->reservations);
        if (!p)
                p = placing_lock_stock(batch->database, placing);
        if (!p)
                p = reservations_free_lapsed(batch->database, &placing->stock);
        if (!p)
                p = slots_lock(batch->database, &placing->slots);
        if (!p)
                p = reservations_read_lines(batch->database, &placing->reservations);
        if (!p && !placing->catalog.locations)
                p = read_catalog(batch, placing);
        if (!p)
                p = placing_find_known(batch->database, placing);
        return p;
}

/* A claim releases the units that the order does not need, so it acts at the reservation's location. */
static bool may_claim(struct call *call, const struct placing *placing) {
        const struct order_body *body = call->body;
        const struct reservation *reservation = NULL;

        if (body->has_reservation_id)
                reservation = reservation_find(&placing->reservations, &body->reservation_id);
        return !reservation || call_may_act_at(call, reservation->location);
}

static void place_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        placing_snapshot(snapshot, batch->work, call->body);
}

static enum problem place_one(struct batch *batch, struct call *call) {
        const struct command command = call_command(batch, call);
        struct placing *placing = batch->work;
        struct order *order = NULL;
        enum problem p = PROBLEM_STORE_NOT_ALLOWED;
        char id[UUID_TEXT_SIZE];

        if (may_claim(call, placing))
                p = placing_decide(placing, call->body, &command, &order);
        if (p == FAULT_BUSY)
                return p;
        counter_count(p ? COUNTER_ORDERS_REFUSED : COUNTER_ORDERS_PLACED, 1);
        if (p)
                return p;
        order_reply(call, order, 201, /* pickup_secret= */ NULL);
        uuid_format(&order->id, id);
        call->reply.location = arena_format(&call->arena, "/v1/orders/%s", id);
        return PROBLEM_NONE;
}

static enum problem place_prepare(struct batch *batch) {
        struct placing *placing = batch->work;

        return catalog_zones_fit(&placing->catalog) ? PROBLEM_NONE : FAULT_STALE;
}

static enum problem place_save(struct batch *batch) {
        struct placing *placing = batch->work;
        enum problem p = stock_save(batch->database, &placing->stock, batch->events, batch->now);

        if (!p)
                p = reservations_save(batch->database, batch->arena, placing->claimed, placing->n_claimed);
        if (!p)
                p = orders_insert(batch->database, batch->arena,
                        placing->orders + placing->n_orders - placing->n_placed, placing->n_placed);
        if (!p)
                slots_save(batch->database, &placing->slots);
        return p;
}

const struct operation order_place_operation = { .load = place_load,
        .prepare = place_prepare,
        .documents = place_documents,
        .change = place_one,
        .save = place_save };
