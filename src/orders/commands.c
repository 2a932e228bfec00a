#include "orders/commands.h"
#include "engine/call.h"
#include "engine/counters.h"
#include "engine/reply.h"
#include "orders/lists.h"
#include "orders/placing.h"

#include "base/config.h"
#include "base/snapshot.h"
#include "base/text.h"

#define PLACE_BATCH  128
#define CANCEL_BATCH 64
#define CHANGE_BATCH 16
#define READ_BATCH   16
#define LIST_BATCH   1

/* ---- bodies ---- */

static const char *const payment_choices[] = { "pending", "authorized", "captured", NULL };

static const struct shape_member choice_members[] = {
        OPTIONAL(CODE, struct fulfillment_choice, location),
        REQUIRED(ENUM, struct fulfillment_choice, method, .names = fulfillment_method_texts),
        OPTIONAL(TIME, struct fulfillment_choice, slot),
};
const struct shape order_choice_shape = SHAPE(struct fulfillment_choice, choice_members);

static const struct shape_member line_members[] = {
        OPTIONAL(OBJECT, struct order_line_body, fulfillment, .shape = &order_choice_shape),
        REQUIRED(INTEGER, struct order_line_body, quantity, BETWEEN(1, QUANTITY_MAX)),
        REQUIRED(CODE, struct order_line_body, sku),
        TOLD(MONEY, struct order_line_body, unit_price, BETWEEN(0, MONEY_MAXIMUM)),
};
static const struct shape line_shape = SHAPE(struct order_line_body, line_members);

static const struct shape_member customer_members[] = {
        OPTIONAL(TEXT, struct customer_body, customer_id, BETWEEN(1, 100)),
        OPTIONAL(TEXT, struct customer_body, email, BETWEEN(3, 254)),
        REQUIRED(TEXT, struct customer_body, name, BETWEEN(1, 200)),
        OPTIONAL(TEXT, struct customer_body, phone, BETWEEN(1, 40)),
};
const struct shape order_customer_shape = SHAPE(struct customer_body, customer_members);

static const struct shape_member address_members[] = {
        REQUIRED(TEXT, struct address_body, city, BETWEEN(1, 100)),
        REQUIRED(TEXT, struct address_body, country, BETWEEN(2, 2)),
        TOLD(NUMBER, struct address_body, latitude, BETWEEN(-90, 90)),
        REQUIRED(TEXT, struct address_body, line1, BETWEEN(1, 200)),
        OPTIONAL(TEXT, struct address_body, line2, BETWEEN(1, 200)),
        TOLD(NUMBER, struct address_body, longitude, BETWEEN(-180, 180)),
        REQUIRED(TEXT, struct address_body, name, BETWEEN(1, 200)),
        REQUIRED(TEXT, struct address_body, postal_code, BETWEEN(1, 20)),
};
const struct shape order_address_shape = SHAPE(struct address_body, address_members);

static const struct shape_member discount_members[] = {
        REQUIRED(INTEGER, struct discount_body, amount, BETWEEN(0, MONEY_MAXIMUM)),
        TOLD(INTEGER, struct discount_body, line, BETWEEN(0, ORDER_LINES_MAX - 1)),
        OPTIONAL(TEXT, struct discount_body, reason, BETWEEN(1, ORDER_REASON_MAX)),
};
const struct shape order_discount_shape = SHAPE(struct discount_body, discount_members);

static const struct shape_member tax_members[] = {
        REQUIRED(INTEGER, struct tax_body, amount, BETWEEN(0, MONEY_MAXIMUM)),
        TOLD(BOOLEAN, struct tax_body, included),
};
const struct shape order_tax_shape = SHAPE(struct tax_body, tax_members);

static const struct shape_member payment_members[] = {
        OPTIONAL(TIME, struct payment_body, due_at),
        OPTIONAL(TEXT, struct payment_body, reference, BETWEEN(1, 200)),
        REQUIRED(ENUM, struct payment_body, status, .names = payment_choices),
};
static const struct shape payment_shape = SHAPE(struct payment_body, payment_members);

static const struct shape_member part_members[] = {
        REQUIRED(INTEGER, struct payment_request, amount, BETWEEN(1, MONEY_MAXIMUM)),
        OPTIONAL(TEXT, struct payment_request, provider, BETWEEN(1, 100)),
        OPTIONAL(TEXT, struct payment_request, reference, BETWEEN(1, 200)),
        REQUIRED(ENUM, struct payment_request, status, .names = payment_choices),
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
        TOLD(UUID, struct order_body, reservation_id),
        OPTIONAL(OBJECT, struct order_body, ship_to, .shape = &order_address_shape),
        TOLD(MONEY, struct order_body, shipping, BETWEEN(0, MONEY_MAXIMUM)),
        OPTIONAL(OBJECT, struct order_body, tax, .shape = &order_tax_shape),
};
static const struct shape order_shape = SHAPE(struct order_body, order_members);

struct cancel_body {
        const char *reason;
        const struct cancel_line *lines; /* NULL: all that can still be cancelled */
        size_t n_lines;
};

static const struct shape_member cancel_line_members[] = {
        REQUIRED(UUID, struct cancel_line, order_line_id),
        REQUIRED(INTEGER, struct cancel_line, quantity, BETWEEN(1, QUANTITY_MAX)),
};
static const struct shape cancel_line_shape = SHAPE(struct cancel_line, cancel_line_members);

static const struct shape_member cancel_members[] = {
        OPTIONAL_LIST(struct cancel_body, lines, &cancel_line_shape, 1, ORDER_LINES_MAX),
        REQUIRED(TEXT, struct cancel_body, reason, BETWEEN(1, ORDER_REASON_MAX)),
};
static const struct shape cancel_shape = SHAPE(struct cancel_body, cancel_members);

/* ---- replies ---- */

/* `pickup_secret` NULL: replies of commands are kept in idempotency records, and codes are never stored. */
void order_reply(struct call *call, const struct order *order, unsigned status, const char *pickup_secret) {
        const struct token_claims *claims = call->claims;
        const struct code_viewer viewer = { pickup_secret, claims->all_locations, claims->locations,
                claims->n_locations };
        struct reply_writer w;

        reply_begin(&w, call, status);
        order_write(&w.json, order, &viewer);
        reply_end(&w);
        reply_etag(call, order->version);
}

/* ---- placing ---- */

static void place_check(struct call *call) {
        const struct order_body *body = call->body;

        if (placing_check(body, &call->arena, &call->refusal) || !call_may_act_for(call, body->channel))
                return;
        for (size_t i = 0; i < body->n_lines; i++)
                if (!call_may_act_at(call, placing_choice(body, &body->lines[i])->location))
                        return;
}

/* An order may take from several locations; it meets the others of its first one. */
/* An order that was refused for it may lack the choice. */
static const char *place_location(const struct call *call) {
        const struct order_body *body = call->body;
        const struct fulfillment_choice *choice = placing_choice(body, &body->lines[0]);

        return choice ? choice->location : NULL;
}

static size_t place_weigh(const struct call *call) {
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
        placing->events = batch->events;
        placing->orders = arena_new_array(batch->arena, struct order *, 2 * batch->n_calls);
        placing->claimed = arena_new_array(batch->arena, struct reservation *, batch->n_calls);
        placing->refs = arena_new_array(batch->arena, struct order_ref, batch->n_calls);
        if (!placing->orders || !placing->claimed || !placing->refs)
                return FAULT_BUSY;
        batch->work = placing;
        *ret_placing = placing;
        return PROBLEM_NONE;
}

static void want_order(struct placing *placing, const struct order_body *body) {
        placing->refs[placing->n_refs++] = (struct order_ref){ body->channel, body->external_ref };
        catalog_want_channel(&placing->catalog, body->channel);
        if (body->has_reservation_id)
                reservations_want(&placing->reservations, &body->reservation_id);
        for (size_t i = 0; i < body->n_lines; i++) {
                const struct wish wish = placing_wish(body, i);

                wish_want(&wish, body->channel, &placing->catalog, &placing->stock);
        }
}

static bool names_slots(const struct batch *batch) {
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

/* One trip more, when an order names a slot: only slots that there are get a row to be locked. */
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
                want_order(placing, batch->calls[i]->body);
        if (names_slots(batch))
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

/* Claiming lets go of what the order does not need, so it acts where the units are. */
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
        struct placing *placing = batch->work;
        struct order *order = NULL;
        enum problem p = PROBLEM_STORE_NOT_ALLOWED;
        char id[UUID_TEXT_SIZE];

        if (may_claim(call, placing))
                p = placing_decide(placing, call->body, call->claims->subject, &call->arena, &call->refusal, &order);

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

        placing->now = batch->now;
        return catalog_zones_fit(&placing->catalog) ? PROBLEM_NONE : FAULT_STALE;
}

static enum problem place_save(struct batch *batch) {
        struct placing *placing = batch->work;
        enum problem p = stock_save(batch->database, &placing->stock, batch->now);

        if (!p)
                p = reservations_save(batch->database, batch->arena, placing->claimed, placing->n_claimed);
        if (!p)
                p = orders_insert(batch->database, batch->arena,
                        placing->orders + placing->n_orders - placing->n_placed, placing->n_placed);
        if (!p)
                slots_save(batch->database, &placing->slots);
        return p;
}

static const struct operation place = { .load = place_load,
        .prepare = place_prepare,
        .documents = place_documents,
        .change = place_one,
        .save = place_save };

/* ---- one that exists ---- */

static enum problem work_begin(struct batch *batch, bool locked, struct order_commands **ret_work) {
        struct order_commands *work = arena_new(batch->arena, struct order_commands);

        if (!work)
                return FAULT_BUSY;
        stock_init(&work->stock, batch->arena);
        orders_init(&work->set, batch->arena, locked ? &work->stock : NULL);
        for (size_t i = 0; i < batch->n_calls; i++)
                orders_want(&work->set, &batch->calls[i]->path.id);
        batch->work = work;
        *ret_work = work;
        return PROBLEM_NONE;
}

static bool touches_bearer(const struct call *call, const struct order *order) {
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
        if (touches_bearer(call, order))
                return true;
        call_refuse(call, PROBLEM_STORE_NOT_ALLOWED, "The order does not touch a location of the token.");
        return false;
}

struct order *order_visible(struct call *call, const struct order_set *set) {
        struct order *order = order_find(set, &call->path.id);

        return order_check_visible(call, order, "order") ? order : NULL;
}

static enum problem show_load(struct batch *batch) {
        struct order_commands *work = NULL;
        enum problem p = work_begin(batch, /* locked= */ false, &work);

        if (!p)
                p = orders_read(batch->database, &work->set);
        if (!p)
                return_places_load(batch->database, &work->set);
        return p;
}

static void show_one(struct call *call, const struct order *order) {
        const struct token_claims *claims = call->claims;
        const bool sees_codes = call_has_scope(call, SCOPE_ORDERS_WRITE);
        const struct code_viewer viewer = { sees_codes ? "" : NULL, claims->all_locations, claims->locations,
                claims->n_locations };

        order_reply(call, order, 200, sees_codes ? config_text(CONFIG_PICKUP_SECRET) : NULL);
        if (call->reply.status == 200)
                reply_etag_of_view(call, order->version, order_codes_hidden(order, &viewer));
}

static enum problem show_decide(struct batch *batch) {
        struct order_commands *work = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct order *order = order_visible(batch->calls[i], &work->set);

                if (order)
                        show_one(batch->calls[i], order);
        }
        return PROBLEM_NONE;
}

static const struct operation show = { .load = show_load, .decide = show_decide };

enum problem order_commands_load(struct batch *batch) {
        struct order_commands *work = NULL;
        enum problem p = work_begin(batch, /* locked= */ true, &work);

        return p ? p : orders_lock(batch->database, &work->set);
}

/* It acts where units of the line are held; of one that nobody holds any more, where they were. */
bool order_may_act_on_line(struct call *call, const struct order_line *line) {
        const bool held = order_line_open(line) > 0;

        for (const struct fulfillment_line *at = line->allocations; at; at = at->older)
                if ((!held || fulfillment_line_open(at)) && !call_may_act_at(call, at->fulfillment->location))
                        return false;
        return true;
}

/* Cancelling acts at the locations of the lines that are named, else at every one that still holds units. */
static bool may_cancel(struct call *call, const struct order *order) {
        const struct cancel_body *body = call->body;

        for (size_t i = 0; body->lines && i < body->n_lines; i++) {
                const struct order_line *line = order_line_find(order, &body->lines[i].order_line_id);

                if (line && !order_may_act_on_line(call, line))
                        return false;
        }
        for (size_t i = 0; !body->lines && i < order->n_lines; i++)
                if (order_line_open(&order->lines[i]) && !order_may_act_on_line(call, &order->lines[i]))
                        return false;
        return true;
}

static enum problem cancel_one(struct batch *batch, struct call *call) {
        const struct order_commands *work = batch->work;
        const struct cancel_body *body = call->body;
        struct order *order = order_visible(call, &work->set);
        enum problem p;

        if (!order || !may_cancel(call, order) || !call_version_matches(call, order->version))
                return PROBLEM_NONE;
        p = order_cancel(order, body->lines, body->n_lines, body->reason, call->claims->subject, batch->events,
                batch->now, &call->arena, &call->refusal);
        if (!p)
                order_reply(call, order, 200, /* pickup_secret= */ NULL);
        return p;
}

void order_commands_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        struct order_commands *work = batch->work;

        snapshot_one(snapshot, work);
        stock_snapshot(snapshot, &work->stock);
        order_snapshot(snapshot, order_find(&work->set, &call->path.id));
}

enum problem order_commands_save(struct batch *batch) {
        struct order_commands *work = batch->work;
        enum problem p = stock_save(batch->database, &work->stock, batch->now);

        return p ? p : orders_update(batch->database, &work->set);
}

static const struct operation cancel = { .load = order_commands_load,
        .documents = order_commands_documents,
        .change = cancel_one,
        .save = order_commands_save };

/* ---- quoting a cancellation ---- */

static enum problem cancel_quote_load(struct batch *batch) {
        struct order_commands *work = NULL;
        const enum problem p = work_begin(batch, /* locked= */ false, &work);

        return p ? p : orders_read(batch->database, &work->set);
}

static void write_cancelled_line(struct writer *json, const struct cancelled_line *cancelled, const char *currency) {
        write_object_begin(json);
        write_uuid_member(json, "order_line_id", &cancelled->line->id);
        write_text_member(json, "sku", cancelled->line->sku);
        write_text_member(json, "title", cancelled->line->title);
        write_integer_member(json, "quantity", cancelled->quantity);
        write_amount_member(json, "value", cancelled->value, currency);
        write_amount_member(json, "tax", cancelled->tax, currency);
        write_object_end(json);
}

static void reply_quote(struct call *call, const struct order *order, const struct cancel_quote *quote) {
        const char *currency = order->currency;
        struct reply_writer w;

        reply_begin(&w, call, 200);
        write_uuid_member(&w.json, "order_id", &order->id);
        write_text_member(&w.json, "order_number", order->number);
        write_text_member(&w.json, "status", order_status_texts[order->status]);
        write_text_member(&w.json, "payment_status", payment_status_text(order->payment_status));
        write_name(&w.json, "lines");
        write_list_begin(&w.json);
        for (size_t i = 0; i < quote->n_lines; i++)
                write_cancelled_line(&w.json, &quote->lines[i], currency);
        write_list_end(&w.json);
        write_amount_member(&w.json, "shipping", quote->shipping, currency);
        write_amount_member(&w.json, "shipping_tax", quote->shipping_tax, currency);
        write_amount_member(&w.json, "amount", quote->value + quote->shipping, currency);
        write_amount_member(&w.json, "tax", quote->tax + quote->shipping_tax, currency);
        write_amount_member(&w.json, "refund_due", order->refund_due, currency);
        write_amount_member(&w.json, "void_due", quote->void_due, currency);
        reply_end(&w);
}

static enum problem cancel_quote_one(struct call *call, struct order_commands *work, timestamp now) {
        const struct cancel_body *body = call->body;
        struct order *order = order_visible(call, &work->set);
        struct cancel_quote quote;
        enum problem p;

        if (!order || !may_cancel(call, order) || !call_version_matches(call, order->version))
                return PROBLEM_NONE;
        p = order_cancel_quote(order, body->lines, body->n_lines, body->reason, call->claims->subject, now,
                work->set.arena, &call->refusal, &quote);
        if (!p)
                reply_quote(call, order, &quote);
        return p == FAULT_BUSY ? p : PROBLEM_NONE;
}

static enum problem cancel_quote_decide(struct batch *batch) {
        enum problem p = PROBLEM_NONE;

        for (size_t i = 0; i < batch->n_calls && !p; i++)
                p = cancel_quote_one(batch->calls[i], batch->work, batch->now);
        return p;
}

static const struct operation cancel_quote = { .load = cancel_quote_load, .decide = cancel_quote_decide };

const struct route order_routes[] = {
        { METHOD_GET, "/v1/orders", SCOPE_ORDERS_READ, LANE_LIST, LIST_BATCH, KEY_UNUSED, .query = &order_list_shape,
                .operation = &order_list_operation },
        { METHOD_POST, "/v1/orders", SCOPE_ORDERS_WRITE, LANE_WRITE, PLACE_BATCH, KEY_REQUIRED, .body = &order_shape,
                .check = place_check, .location = place_location, .operation = &place, .weigh = place_weigh },
        { METHOD_GET, "/v1/orders/{id}", SCOPE_ORDERS_READ, LANE_READ, READ_BATCH, KEY_UNUSED, .operation = &show },
        { METHOD_POST, "/v1/orders/{id}/cancel", SCOPE_ORDERS_WRITE, LANE_WRITE, CANCEL_BATCH, KEY_OPTIONAL,
                .body = &cancel_shape, .operation = &cancel },
        /* One a batch: a quote changes the order that it has read. */
        { METHOD_POST, "/v1/orders/{id}/cancel/quote", SCOPE_ORDERS_WRITE, LANE_READ, 1, KEY_UNUSED,
                .body = &cancel_shape, .operation = &cancel_quote },
        { METHOD_POST, "/v1/orders/{id}/change", SCOPE_ORDERS_WRITE, LANE_WRITE, CHANGE_BATCH, KEY_OPTIONAL,
                .body = &order_change_shape, .check = order_change_check, .operation = &order_change_operation },
        { METHOD_GET, "/v1/orders/{id}/timeline", SCOPE_ORDERS_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .operation = &order_timeline_operation },
};
const size_t order_route_count = array_size(order_routes);
