/* POST /v1/returns and /v1/returns/quote: goods that a customer brings, or will send. */
#include "engine/reply.h"
#include "orders/commands.h"
#include "orders/number.h"
#include "reservations/reservations.h"
#include "returns/commands.h"

#include "base/text.h"

#include <string.h>

#define ORDER_NUMBER_MAX 40

struct exchange_line {
        const char *sku;
        int64_t quantity;
        struct money unit_price;
        bool has_unit_price;
        const struct fulfillment_choice *fulfillment;
};

struct exchange_body {
        const struct exchange_line *lines;
        size_t n_lines;
        const struct tax_body *tax; /* may be NULL */
};

struct return_body {
        struct uuid order_id;
        bool has_order_id, by_post, override;
        const char *order_number; /* may be NULL */
        const char *location;
        const struct return_item *lines;
        size_t n_lines;
        const struct exchange_body *exchange; /* may be NULL */
};

static const struct shape_member item_members[] = {
        OPTIONAL(ENUM, struct return_item, condition, .names = goods_condition_texts),
        OPTIONAL(ENUM, struct return_item, disposition, .names = disposition_texts),
        REQUIRED(UUID, struct return_item, order_line_id),
        REQUIRED(INTEGER, struct return_item, quantity, BETWEEN(1, QUANTITY_MAX)),
        REQUIRED(TEXT, struct return_item, reason, BETWEEN(1, RETURN_REASON_MAX)),
};
static const struct shape item_shape = SHAPE(struct return_item, item_members);

static const struct shape_member exchange_line_members[] = {
        REQUIRED(OBJECT, struct exchange_line, fulfillment, .shape = &order_choice_shape),
        REQUIRED(INTEGER, struct exchange_line, quantity, BETWEEN(1, QUANTITY_MAX)),
        REQUIRED(CODE, struct exchange_line, sku),
        OPTIONAL_FLAGGED(MONEY, struct exchange_line, unit_price, BETWEEN(0, MONEY_MAXIMUM)),
};
static const struct shape exchange_line_shape = SHAPE(struct exchange_line, exchange_line_members);

static const struct shape_member exchange_members[] = {
        LIST(struct exchange_body, lines, &exchange_line_shape, 1, EXCHANGE_LINES_MAX),
        OPTIONAL(OBJECT, struct exchange_body, tax, .shape = &order_tax_shape),
};
static const struct shape exchange_shape = SHAPE(struct exchange_body, exchange_members);

static const struct shape_member return_members[] = {
        OPTIONAL(BOOLEAN, struct return_body, by_post),
        OPTIONAL(OBJECT, struct return_body, exchange, .shape = &exchange_shape),
        LIST(struct return_body, lines, &item_shape, 1, RETURN_ITEMS_MAX),
        REQUIRED(CODE, struct return_body, location),
        OPTIONAL_FLAGGED(UUID, struct return_body, order_id),
        OPTIONAL(TEXT, struct return_body, order_number, BETWEEN(1, ORDER_NUMBER_MAX)),
        OPTIONAL(BOOLEAN, struct return_body, override),
};
const struct shape return_shape = SHAPE(struct return_body, return_members);

static size_t n_exchange_lines(const struct return_body *body) {
        return body->exchange ? body->exchange->n_lines : 0;
}

static struct requested_line exchange_line_of(const struct return_body *body, size_t i) {
        const struct exchange_line *line = &body->exchange->lines[i];

        return (struct requested_line){
                .sku = line->sku,
                .quantity = line->quantity,
                .unit_price = line->has_unit_price ? &line->unit_price : NULL,
                .choice = line->fulfillment,
                .list = "#/exchange/lines",
                .place = i,
        };
}

/* An exchange is reserved at the location that hands it over, so the request gives the whole choice. */
static void check_exchange(struct call *call, const struct return_body *body) {
        for (size_t i = 0; i < n_exchange_lines(body); i++) {
                const struct fulfillment_choice *choice = body->exchange->lines[i].fulfillment;

                if (choice->method < 0 || !choice->location)
                        violation_at(&call->refusal, &call->arena, "#/exchange/lines", i, "fulfillment", "required",
                                "A method and a location are needed.");
                else if (choice->slot != TIMESTAMP_NONE)
                        violation_at(&call->refusal, &call->arena, "#/exchange/lines", i, "fulfillment", "not-allowed",
                                "An exchange takes no slot.");
        }
        if (call->refusal.n_violations)
                call_refuse(call, PROBLEM_VALIDATION_FAILED,
                        "Some lines of the exchange have a wrong fulfillment; see `errors`.");
        for (size_t i = 0; i < n_exchange_lines(body) && !call->refusal.problem; i++)
                (void) call_may_act_at(call, body->exchange->lines[i].fulfillment->location);
}

/* A price in the request is a discount. The scope for taking goods back does not cover discounts, so it needs another.
 */
static void check_prices(struct call *call, const struct return_body *body) {
        for (size_t i = 0; i < n_exchange_lines(body); i++) {
                if (!body->exchange->lines[i].has_unit_price || call_has_scope(call, SCOPE_ORDERS_WRITE))
                        continue;
                call->refusal.scope = scope_text(SCOPE_ORDERS_WRITE);
                call_refuse(call, PROBLEM_INSUFFICIENT_SCOPE, "A unit price in an exchange needs the scope %s.",
                        scope_text(SCOPE_ORDERS_WRITE));
                return;
        }
}

void return_create_check(struct call *call) {
        const struct return_body *body = call->body;

        if (body->has_order_id == (body->order_number != NULL)) {
                (void) refuse_because(&call->refusal, &call->arena, "#", "one-of", "Either order_id or order_number.");
                call_refuse(
                        call, PROBLEM_VALIDATION_FAILED, "Name the order by its id or its number, and not by both.");
        } else if (call_may_act_at(call, body->location)) {
                return_check_override(call, body->override);
                if (!call->refusal.problem)
                        check_prices(call, body);
                if (!call->refusal.problem)
                        check_exchange(call, body);
        }
}

const char *return_create_location(const struct call *call) {
        return ((const struct return_body *) call->body)->location;
}

/* ---- loading ---- */

static void aim_at(struct return_commands *work, struct return_aim *aim, const struct return_body *body) {
        const char *number = order_number_named(body->order_number, work->targets.arena);

        *aim = (struct return_aim){ .location = body->location };
        if (body->has_order_id)
                aim->order_id = body->order_id;
        for (size_t i = 0; !body->has_order_id && i < work->targets.n_rows; i++)
                if (text_equal(work->targets.rows[i].number, number))
                        aim->order_id = work->targets.rows[i].order_id;
}

static enum problem find_numbers(struct batch *batch, struct return_commands *work) {
        const char **numbers = arena_new_array(batch->arena, const char *, batch->n_calls);
        size_t n = 0;

        if (!numbers)
                return FAULT_BUSY;
        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct return_body *body = batch->calls[i]->body;

                if (!body->has_order_id)
                        numbers[n++] = order_number_named(body->order_number, batch->arena);
        }
        if (!n)
                return PROBLEM_NONE;
        return_targets_by_number(batch->database, &work->targets, numbers, n);
        return batch_trip(batch);
}

static void want_created(struct return_commands *work, const struct call *call, const struct return_aim *aim) {
        const struct return_body *body = call->body;
        const struct order *order = order_find(&work->orders, &aim->order_id);

        catalog_want_channel(&work->catalog, order->channel);
        catalog_want_location(&work->catalog, body->location);
        for (size_t i = 0; i < body->n_lines; i++) {
                const struct order_line *line = order_line_find(order, &body->lines[i].order_line_id);

                if (!line)
                        continue;
                catalog_want_product(&work->catalog, line->sku);
                if (body->lines[i].condition >= 0)
                        stock_want(&work->stock, body->location, line->sku);
        }
        for (size_t i = 0; i < n_exchange_lines(body); i++) {
                const struct requested_line requested = exchange_line_of(body, i);

                work->wants_zones = true;
                requested_line_want(&requested, order->channel, &work->catalog, &work->stock);
        }
}

static enum problem load(struct batch *batch, bool locked) {
        struct return_commands *work = NULL;
        enum problem p = return_work_begin(batch, locked, &work);

        if (!p)
                p = find_numbers(batch, work);
        if (p)
                return p;
        for (size_t i = 0; i < batch->n_calls; i++)
                aim_at(work, &work->aims[i], batch->calls[i]->body);
        return return_work_load(batch, locked, want_created);
}

static enum problem create_load(struct batch *batch) {
        return load(batch, /* locked= */ true);
}

static enum problem quote_load(struct batch *batch) {
        return load(batch, /* locked= */ false);
}

/* ---- deciding ---- */

static struct addition *additions_of(const struct return_body *body, struct arena *arena) {
        struct addition *additions = arena_new_array(arena, struct addition, n_exchange_lines(body));

        for (size_t i = 0; additions && i < n_exchange_lines(body); i++)
                additions[i].requested = exchange_line_of(body, i);
        return additions;
}

static struct return_request request_of(const struct call *call, struct return_commands *work, struct order *order) {
        const struct return_body *body = call->body;

        return (struct return_request){
                .order = order,
                .location = body->location,
                .items = body->lines,
                .n_items = body->n_lines,
                .by_post = body->by_post,
                .override = body->override,
                .additions = additions_of(body, work->stock.arena),
                .n_additions = n_exchange_lines(body),
                .exchange_tax = body->exchange ? body->exchange->tax : NULL,
                .set = &work->returns,
                .catalog = &work->catalog,
                .days = &work->days,
        };
}

static enum problem create_one(struct batch *batch, struct call *call) {
        struct return_commands *work = batch->work;
        const struct command command = return_command(batch, call);
        struct order *order = return_order(call, work, call->work);
        struct return_request request;
        struct rma *rma = NULL;
        char id[UUID_TEXT_SIZE];
        enum problem p;

        if (!order)
                return PROBLEM_NONE;
        request = request_of(call, work, order);
        p = request.additions ? return_authorize(&request, &command, &rma) : FAULT_BUSY;
        if (p)
                return p;
        return_reply(batch, call, rma, 201);
        uuid_format(&rma->id, id);
        call->reply.location = arena_format(&call->arena, "/v1/returns/%s", id);
        return PROBLEM_NONE;
}

static enum problem create_prepare(struct batch *batch) {
        const struct return_commands *work = batch->work;

        return work->wants_zones && !catalog_zones_fit(&work->catalog) ? FAULT_STALE : PROBLEM_NONE;
}

const struct operation return_create = { .load = create_load,
        .prepare = create_prepare,
        .documents = return_work_documents,
        .change = create_one,
        .save = return_work_save };

/* ---- quotes ---- */

static void write_amount(struct writer *json, const char *name, int64_t amount, const struct order *order) {
        struct money money = { .amount = amount };

        memcpy(money.currency, order->balance.currency, sizeof(money.currency) - 1);
        write_money_member(json, name, money);
}

static void write_verdict(
        struct writer *json, const struct return_item *item, const struct verdict *verdict, const struct order *order) {
        const struct worth nothing = { 0 };
        const struct worth *worth = verdict->refused ? &nothing : &verdict->worth;

        write_object_begin(json);
        write_uuid_member(json, "order_line_id", &verdict->line->id);
        write_text_member(json, "sku", verdict->line->sku);
        write_text_member(json, "title", verdict->line->title);
        write_integer_member(json, "quantity", item->quantity);
        write_integer_member(json, "returnable", verdict->returnable < 0 ? 0 : verdict->returnable);
        write_boolean_member(json, "allowed", !verdict->refused);
        write_name(json, "refused_by");
        write_list_begin(json);
        for (unsigned rule = 0; rule < RULE_COUNT; rule++)
                if (verdict->refused & 1u << rule)
                        write_text(json, return_rule_texts[rule]);
        write_list_end(json);
        write_amount(json, "value", worth->value, order);
        write_amount(json, "fee", worth->fee, order);
        write_amount(json, "refund", worth->refund.amount, order);
        write_amount(json, "tax", worth->refund.tax, order);
        write_object_end(json);
}

static int64_t write_sums(struct writer *json, const struct return_request *request, const struct verdict *verdicts,
        struct taxed shipping) {
        struct taxed refund = shipping;
        int64_t fee = 0;

        for (size_t i = 0; i < request->n_items; i++) {
                if (verdicts[i].refused)
                        continue;
                fee += verdicts[i].worth.fee;
                refund.amount += verdicts[i].worth.refund.amount;
                refund.tax += verdicts[i].worth.refund.tax;
        }
        write_amount(json, "shipping", shipping.amount, request->order);
        write_amount(json, "fee", fee, request->order);
        write_amount(json, "shipping_tax", shipping.tax, request->order);
        write_amount(json, "refund", refund.amount, request->order);
        write_amount(json, "tax", refund.tax, request->order);
        return refund.amount;
}

/* The exchange, and the amount that the customer then owes (above 0) or gets back. */
static void write_exchange(
        struct writer *json, const struct return_request *request, const struct order_line *lines, int64_t refund) {
        int64_t total = 0;

        write_name(json, "exchange");
        if (!request->n_additions) {
                write_null(json);
                return;
        }
        write_object_begin(json);
        write_name(json, "lines");
        write_list_begin(json);
        for (size_t i = 0; i < request->n_additions; i++) {
                const struct addition *addition = &request->additions[i];
                const int64_t amount = lines[i].unit_price * addition->requested.quantity;
                const int64_t value = addition_value(request->order, addition);

                total += value;
                write_object_begin(json);
                write_text_member(json, "sku", request->additions[i].requested.sku);
                write_text_member(json, "title", lines[i].title);
                write_integer_member(json, "quantity", request->additions[i].requested.quantity);
                write_amount(json, "unit_price", lines[i].unit_price, request->order);
                write_amount(json, "total", amount, request->order);
                write_amount(json, "discount", addition->discount, request->order);
                write_amount(json, "tax", addition->tax, request->order);
                write_amount(json, "value", value, request->order);
                write_object_end(json);
        }
        write_list_end(json);
        write_amount(json, "total", total, request->order);
        write_amount(json, "difference", total - refund, request->order);
        write_object_end(json);
}

static void write_quote(struct call *call, const struct return_request *request, struct verdict *verdicts,
        const struct order_line *exchanged) {
        const struct taxed shipping = return_quote_credits(request, verdicts);
        struct reply_writer w;
        bool allowed = true;

        for (size_t i = 0; i < request->n_items; i++)
                allowed = allowed && !verdicts[i].refused;
        reply_begin(&w, call, 200);
        write_uuid_member(&w.json, "order_id", &request->order->id);
        write_text_member(&w.json, "order_number", request->order->number);
        write_text_member(&w.json, "location", request->location);
        write_boolean_member(&w.json, "allowed", allowed);
        write_name(&w.json, "lines");
        write_list_begin(&w.json);
        for (size_t i = 0; i < request->n_items; i++)
                write_verdict(&w.json, &request->items[i], &verdicts[i], request->order);
        write_list_end(&w.json);
        write_exchange(&w.json, request, exchanged, write_sums(&w.json, request, verdicts, shipping));
        reply_end(&w);
}

/* As the return would be checked: a supervisor overrides the policy, but never the number of units. */
static void pass_over_policy(const struct return_request *request, struct verdict *verdicts) {
        for (size_t i = 0; request->override && i < request->n_items; i++)
                verdicts[i].refused &= 1u << RULE_OVER_RETURN;
}

static enum problem quote_one(const struct batch *batch, struct call *call) {
        struct return_commands *work = batch->work;
        const struct command command = return_command(batch, call);
        struct order *order = return_order(call, work, call->work);
        struct return_request request;
        struct order_line *exchanged;
        struct verdict *verdicts;

        if (!order)
                return PROBLEM_NONE;
        request = request_of(call, work, order);
        verdicts = arena_new_array(&call->arena, struct verdict, request.n_items);
        exchanged = arena_new_array(&call->arena, struct order_line, request.n_additions);
        if (!verdicts || !exchanged || !request.additions)
                return FAULT_BUSY;
        if (return_judge(&request, verdicts, &command) ||
                return_quote_exchange(&request, verdicts, exchanged, &command))
                return PROBLEM_NONE;
        pass_over_policy(&request, verdicts);
        write_quote(call, &request, verdicts, exchanged);
        return PROBLEM_NONE;
}

static enum problem quote_decide(struct batch *batch) {
        enum problem p = PROBLEM_NONE;

        for (size_t i = 0; i < batch->n_calls && !p; i++)
                p = quote_one(batch, batch->calls[i]);
        return p;
}

const struct operation return_quote = { .load = quote_load, .decide = quote_decide };
