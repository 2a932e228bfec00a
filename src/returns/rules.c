/*
 * What every command of the room shares, and those that begin and end a return.
 */
#include "orders/placing.h"
#include "returns/returns.h"

#include "base/text.h"

#include <stdio.h>

/* ---- lines ---- */

static int64_t share_of(int64_t amount, int64_t quantity, int64_t of) {
        return (int64_t) ((__int128) amount * quantity / of);
}

/* The parts are rounded down for the units that part; the others keep the rest. What the condition took off goes with
 * the units as well, so that value is never less than fee and refund. */
static void split_money(struct return_line *rest, struct return_line *part) {
        const int64_t of = rest->quantity + part->quantity;
        const int64_t lost = share_of(rest->value - rest->fee - rest->refund, part->quantity, of);

        part->fee = share_of(rest->fee, part->quantity, of);
        part->refund = share_of(rest->refund, part->quantity, of);
        part->tax = share_of(rest->tax, part->quantity, of);
        part->value = part->fee + part->refund + lost;
        rest->fee -= part->fee;
        rest->refund -= part->refund;
        rest->tax -= part->tax;
        rest->value -= part->value;
}

static struct return_line *line_add(struct rma *rma, struct arena *arena) {
        struct return_line *line = arena_new(arena, struct return_line);
        struct return_line **lines = arena_grow(arena, rma->lines, rma->n_lines, &rma->lines_capacity, sizeof(*lines));

        if (!line || !lines)
                return NULL;
        rma->lines = lines;
        line->number = (int64_t) rma->n_lines;
        lines[rma->n_lines++] = line;
        return line;
}

struct return_line *return_line_split(struct return_line *line, int64_t quantity, struct arena *arena) {
        struct return_line *part = line_add(line->rma, arena);
        int64_t number;

        if (!part)
                return NULL;
        number = part->number;
        *part = *line;
        part->id = uuid_new_at(line->rma->location);
        part->number = number;
        part->quantity = quantity;
        part->is_new = true;
        line->quantity -= quantity;
        line->changed = true;
        split_money(line, part);
        return part;
}

struct return_line *return_line_new(struct rma *rma, struct order_line *order_line, int64_t quantity,
        const char *reason, const struct return_terms *terms, struct arena *arena) {
        struct return_line *line = line_add(rma, arena);
        int64_t number;

        if (!line)
                return NULL;
        number = line->number;
        *line = (struct return_line){
                .id = uuid_new_at(rma->location),
                .number = number,
                .rma = rma,
                .order_line = order_line,
                .quantity = quantity,
                .reason = reason,
                .announced = true,
                .condition = -1,
                .disposition = -1,
                .terms = *terms,
                .received_at = TIMESTAMP_NONE,
                .is_new = true,
        };
        return line;
}

/* ---- stock ---- */

static enum bucket_event bucket_event_of(enum disposition disposition) {
        if (disposition == DISPOSE_RESTOCK)
                return BUCKET_RESTOCK;
        return disposition == DISPOSE_DESTROY ? BUCKET_TAKE_OUT : BUCKET_SET_ASIDE;
}

struct stock_cause return_cause(const struct rma *rma, const char *reason, const struct act *act) {
        char id[UUID_TEXT_SIZE];

        uuid_format(&rma->id, id);
        return (struct stock_cause){
                .reason = reason,
                .document = arena_format(act->stock->arena, "return/%s", id),
                .reference = rma->number,
                .actor = act->actor,
        };
}

/* What is destroyed was here all the same: it comes, and it goes. */
static void shelve(const struct return_line *line, const struct act *act) {
        struct stock_row *row = stock_find(act->stock, line->location, line->order_line->sku);
        const struct stock_cause cause = return_cause(line->rma, "return", act);
        const struct stock_cause end = return_cause(line->rma, disposition_texts[DISPOSE_DESTROY], act);

        stock_move(act->stock, row, line->quantity, line->bucket == BUCKET_UNSELLABLE ? line->quantity : 0, &cause);
        if (line->bucket == BUCKET_GONE)
                stock_move(act->stock, row, -line->quantity, 0, &end);
}

bool return_can_shelve(const struct act *act, const char *location, const char *sku) {
        const struct stock_row *row = stock_find(act->stock, location, sku);

        return row && (row->exists || (row->location_known && row->sku_known));
}

void return_line_accept(struct return_line *line, const struct act *act) {
        struct order_line *order_line = line->order_line;
        const int64_t tax = order_line_tax(order_line, order_line->cancelled + order_line->returned, line->quantity);
        const struct worth worth = return_worth(&line->terms, (enum goods_condition) line->condition,
                order_credit_units(order_line, line->quantity), tax);

        (void) acceptance_advance(line, ACCEPTANCE_ACCEPT, act->arena, act->refusal);
        (void) bucket_advance(line, bucket_event_of((enum disposition) line->disposition), act->arena, act->refusal);
        line->value = worth.value;
        line->fee = worth.fee;
        line->refund = worth.refund;
        line->tax = worth.tax;
        order_credit(order_line->order, worth.refund - worth.value, worth.tax - tax);
        order_line->returned += line->quantity;
        order_line->changed = true;
        shelve(line, act);
}

/* ---- the whole ---- */

int64_t rma_refund(const struct rma *rma) {
        int64_t sum = rma->shipping;

        for (size_t i = 0; i < rma->n_lines; i++)
                if (rma->lines[i]->acceptance == ACCEPTANCE_ACCEPTED)
                        sum += rma->lines[i]->refund;
        return sum;
}

int64_t rma_tax(const struct rma *rma) {
        int64_t sum = rma->shipping_tax;

        for (size_t i = 0; i < rma->n_lines; i++)
                if (rma->lines[i]->acceptance == ACCEPTANCE_ACCEPTED)
                        sum += rma->lines[i]->tax;
        return sum;
}

static bool is_all_back(const struct order *order) {
        for (size_t i = 0; i < order->n_lines; i++)
                if (order->lines[i].quantity - order->lines[i].cancelled > order->lines[i].returned)
                        return false;
        return true;
}

void return_grant_shipping(struct rma *rma, const struct return_set *set) {
        for (size_t i = 0; i < set->n_rows; i++)
                if (set->rows[i]->order == rma->order && set->rows[i]->shipping)
                        return;
        for (size_t i = 0; i < rma->n_lines; i++)
                if (rma->lines[i]->acceptance == ACCEPTANCE_ACCEPTED && !rma->lines[i]->terms.refunds_shipping)
                        return;
        if (!is_all_back(rma->order))
                return;
        rma->shipping = rma->order->shipping;
        rma->shipping_tax = rma->shipping ? order_shipping_tax(rma->order) : 0;
        order_credit(rma->order, rma->shipping, rma->shipping_tax);
}

struct event *rma_tell(struct events *events, const struct rma *rma, const char *type, const char *actor) {
        struct event *event = order_tell(events, rma->order, type, actor);
        char id[UUID_TEXT_SIZE];

        uuid_format(&rma->id, id);
        event->location = rma->location;
        event_text(event, "return_id", id);
        event_text(event, "return_number", rma->number);
        return event;
}

void rma_tell_lines(struct event *event, struct return_line *const *lines, size_t n) {
        struct writer json = { .buffer = &event->data, .comma = event->data.size > 0 };

        write_name(&json, "lines");
        write_list_begin(&json);
        for (size_t i = 0; i < n; i++) {
                const struct return_line *line = lines[i];

                write_object_begin(&json);
                write_uuid_member(&json, "order_line_id", &line->order_line->id);
                write_integer_member(&json, "quantity", line->quantity);
                if (line->condition >= 0)
                        write_text_member(&json, "condition", goods_condition_texts[line->condition]);
                if (line->acceptance == ACCEPTANCE_ACCEPTED) {
                        write_text_member(&json, "disposition", disposition_texts[line->disposition]);
                        write_integer_member(&json, "refund", line->refund);
                        write_integer_member(&json, "tax", line->tax);
                }
                if (line->acceptance == ACCEPTANCE_REJECTED)
                        write_boolean_member(&json, "rejected", true);
                write_object_end(&json);
        }
        write_list_end(&json);
}

/* ---- authorising ---- */

static void name_rule(const struct act *act, size_t i, enum return_rule rule) {
        static const char *const details[] = {
                [RULE_CONDITION] = "Goods in this condition are not taken back.",
                [RULE_NOT_RETURNABLE] = "This product is not returnable.",
                [RULE_OVER_RETURN] = "", /* has one of its own */
                [RULE_WINDOW] = "The time for returning it is over.",
        };
        char pointer[64];

        (void) snprintf(pointer, sizeof(pointer), "#/lines/%zu", i);
        (void) refuse_because(act->refusal, act->arena, pointer, return_rule_texts[rule], "%s", details[rule]);
}

void return_name_over(const struct act *act, size_t i, int64_t returnable) {
        const int64_t available = returnable < 0 ? 0 : returnable;
        char pointer[64];

        (void) snprintf(pointer, sizeof(pointer), "#/lines/%zu/quantity", i);
        refuse_beyond(act->refusal, act->arena, pointer, return_rule_texts[RULE_OVER_RETURN], available,
                "Of this line %lld can still be returned.", (long long) available);
}

enum problem return_refuse_over(const struct act *act) {
        return refuse(act->refusal, act->arena, PROBLEM_OVER_RETURN,
                "More units than were handed over and have not come back yet.");
}

enum problem return_refuse_full(const struct act *act, const char *pointer, int64_t most, const char *what) {
        (void) refuse_because(
                act->refusal, act->arena, pointer, "too-many", "A return has %lld %s at most.", (long long) most, what);
        return refuse(act->refusal, act->arena, PROBLEM_TOO_MANY, "The return has no room for more %s.", what);
}

void return_name_rules(const struct act *act, size_t i, unsigned rules) {
        for (unsigned rule = 0; rule < RULE_COUNT; rule++)
                if (rule != RULE_OVER_RETURN && rules & 1u << rule)
                        name_rule(act, i, (enum return_rule) rule);
}

static enum problem check_verdicts(
        const struct return_request *request, const struct verdict *verdicts, const struct act *act) {
        for (size_t i = 0; i < request->n_items; i++)
                if (verdicts[i].refused & 1u << RULE_OVER_RETURN)
                        return_name_over(act, i, verdicts[i].returnable);
        if (act->refusal->n_violations)
                return return_refuse_over(act);
        for (size_t i = 0; !request->override && i < request->n_items; i++)
                return_name_rules(act, i, verdicts[i].refused);
        if (act->refusal->n_violations)
                return refuse(act->refusal, act->arena, PROBLEM_RETURN_REFUSED,
                        "The return policy does not allow all of it.");
        return PROBLEM_NONE;
}

enum problem return_refuse_unknown_product(const struct act *act, size_t i) {
        char pointer[64];

        (void) snprintf(pointer, sizeof(pointer), "#/lines/%zu", i);
        (void) refuse_because(
                act->refusal, act->arena, pointer, "unknown-product", "The product is not in the catalogue.");
        return refuse(act->refusal, act->arena, PROBLEM_VALIDATION_FAILED, "There is no place for the goods.");
}

static enum problem check_shelves(
        const struct return_request *request, const struct verdict *verdicts, const struct act *act) {
        for (size_t i = 0; i < request->n_items; i++)
                if (request->items[i].condition >= 0 &&
                        !return_can_shelve(act, request->location, verdicts[i].line->sku))
                        return return_refuse_unknown_product(act, i);
        return PROBLEM_NONE;
}

static struct rma *rma_new(const struct return_request *request, const struct act *act) {
        struct return_set *set = request->set;
        struct rma *rma = arena_new(set->arena, struct rma);
        struct rma **rows = arena_grow(set->arena, set->rows, set->n_rows, &set->capacity, sizeof(struct rma *));
        const char *number = order_number_new(set->arena);

        if (!rma || !rows || !number)
                return NULL;
        *rma = (struct rma){
                .id = uuid_new_at(request->location),
                .number = arena_format(set->arena, "R-%s", number),
                .order = request->order,
                .location = request->location,
                .by_post = request->by_post,
                .unexpected = "[]",
                .actor = act->actor,
                .version = 1,
                .created_at = act->now,
                .is_new = true,
        };
        set->rows = rows;
        set->rows[set->n_rows++] = rma;
        return rma->number ? rma : NULL;
}

static void receive_at_once(struct return_line *line, const struct return_item *item, const struct act *act) {
        line->condition = item->condition;
        line->disposition = item->disposition >= 0 ? item->disposition
                                                   : (int) disposition_of((enum goods_condition) item->condition);
        line->location = line->rma->location;
        line->received_at = act->now;
        (void) reception_advance(line, RECEPTION_RECEIVE, act->arena, act->refusal);
        return_line_accept(line, act);
}

static enum problem add_items(
        const struct return_request *request, const struct verdict *verdicts, struct rma *rma, const struct act *act) {
        for (size_t i = 0; i < request->n_items; i++) {
                const struct return_item *item = &request->items[i];
                struct return_line *line = return_line_new(
                        rma, verdicts[i].line, item->quantity, item->reason, &verdicts[i].terms, request->set->arena);

                if (!line)
                        return FAULT_BUSY;
                if (item->condition >= 0)
                        receive_at_once(line, item, act);
                rma->by_post = rma->by_post || item->condition < 0;
                rma->overridden = rma->overridden || verdicts[i].refused;
        }
        return PROBLEM_NONE;
}

static void tell_authorized(const struct rma *rma, const struct act *act) {
        struct event *event = rma_tell(act->events, rma, "return.authorized", act->actor);

        event_text(event, "at", rma->location);
        if (rma->overridden)
                event_text(event, "overridden_by", act->actor);
        rma_tell_lines(event, rma->lines, rma->n_lines);
}

static void tell_received(const struct rma *rma, const struct act *act) {
        struct event *event = rma_tell(act->events, rma, "return.received", act->actor);

        event_text(event, "at", rma->location);
        event_integer(event, "refund", rma_refund(rma));
        event_integer(event, "tax", rma_tax(rma));
        event_text(event, "currency", rma->order->currency);
}

enum problem return_authorize(const struct return_request *request, const struct act *act, struct rma **ret_rma) {
        struct verdict *verdicts = arena_new_array(act->arena, struct verdict, request->n_items);
        struct rma *rma;
        enum problem p = verdicts ? return_judge(request, verdicts, act) : FAULT_BUSY;

        if (!p)
                p = check_verdicts(request, verdicts, act);
        if (!p)
                p = check_shelves(request, verdicts, act);
        if (!p && request->n_additions)
                p = return_check_exchange(request, verdicts, act);
        if (p)
                return p;
        rma = rma_new(request, act);
        p = rma ? add_items(request, verdicts, rma, act) : FAULT_BUSY;
        if (p)
                return p;
        if (request->n_additions)
                p = return_make_exchange(request, rma, act);
        else
                return_grant_shipping(rma, request->set);
        if (p)
                return p;
        rma_settle(rma, act);
        tell_authorized(rma, act);
        if (rma->status == RETURN_RECEIVED || rma->status == RETURN_PARTIALLY_RECEIVED)
                tell_received(rma, act);
        order_settle(rma->order, act->events, act->actor, act->now);
        *ret_rma = rma;
        return PROBLEM_NONE;
}

/* ---- ending ---- */

static enum problem refuse_nothing_awaited(struct rma *rma, bool reached, const struct act *act) {
        if (reached && text_equal(rma->moved_by, act->actor))
                return PROBLEM_NONE;
        act->refusal->current_status = return_status_texts[rma->status];
        return refuse(
                act->refusal, act->arena, PROBLEM_INVALID_TRANSITION, "Nothing of the return is awaited any more.");
}

static bool is_awaited(const struct rma *rma) {
        for (size_t i = 0; i < rma->n_lines; i++)
                if (rma->lines[i]->reception == RECEPTION_AWAITING)
                        return true;
        return false;
}

static void end_all(struct rma *rma, enum reception_event event, const struct act *act) {
        for (size_t i = 0; i < rma->n_lines; i++)
                if (rma->lines[i]->reception == RECEPTION_AWAITING)
                        (void) reception_advance(rma->lines[i], event, act->arena, act->refusal);
}

enum problem return_cancel(struct rma *rma, const char *reason, const struct act *act) {
        struct event *event;

        if (!is_awaited(rma))
                return refuse_nothing_awaited(
                        rma, rma->status == RETURN_CANCELLED && text_equal(rma->cancel_reason, reason), act);
        end_all(rma, RECEPTION_CALL_OFF, act);
        rma->cancel_reason = reason;
        rma_settle(rma, act);
        event = rma_tell(act->events, rma, "return.cancelled", act->actor);
        event_text(event, "reason", reason);
        order_settle(rma->order, act->events, act->actor, act->now);
        return PROBLEM_NONE;
}

static bool is_meant(const struct awaited_units *units, const struct return_line *line) {
        if (units->has_id)
                return uuid_equal(&units->id, &line->id);
        if (units->has_order_line_id)
                return uuid_equal(&units->order_line_id, &line->order_line->id);
        return text_equal(units->sku, line->order_line->sku);
}

static int64_t awaited_of(const struct rma *rma, const struct awaited_units *units) {
        int64_t sum = 0;

        for (size_t i = 0; i < rma->n_lines; i++)
                if (rma->lines[i]->reception == RECEPTION_AWAITING && is_meant(units, rma->lines[i]))
                        sum += rma->lines[i]->quantity;
        return sum;
}

/* Each is looked at alone; what several name together is held against the lines when it is taken. */
static enum problem lose_units(struct rma *rma, const struct awaited_units *units, const struct act *act) {
        int64_t left = units->quantity;

        for (size_t i = 0; left && i < rma->n_lines; i++) {
                struct return_line *line = rma->lines[i];
                struct return_line *part = line;

                if (line->reception != RECEPTION_AWAITING || !is_meant(units, line))
                        continue;
                if (left < line->quantity)
                        part = return_line_split(line, left, act->stock->arena);
                if (!part)
                        return FAULT_BUSY;
                left -= part->quantity;
                (void) reception_advance(part, RECEPTION_LOSE, act->arena, act->refusal);
        }
        return PROBLEM_NONE;
}

static bool names_twice(const struct awaited_units *units, size_t i) {
        for (size_t j = 0; j < i; j++)
                if (units[i].has_id == units[j].has_id && uuid_equal(&units[i].id, &units[j].id) &&
                        uuid_equal(&units[i].order_line_id, &units[j].order_line_id) &&
                        text_equal(units[i].sku, units[j].sku))
                        return true;
        return false;
}

static enum problem check_lost(
        const struct rma *rma, const struct awaited_units *units, size_t n_units, const struct act *act) {
        for (size_t i = 0; i < n_units; i++) {
                const int64_t awaited = names_twice(units, i) ? 0 : awaited_of(rma, &units[i]);

                if (units[i].quantity > awaited)
                        return_name_over(act, i, awaited);
        }
        if (!act->refusal->n_violations)
                return PROBLEM_NONE;
        act->refusal->current_status = return_status_texts[rma->status];
        return refuse(act->refusal, act->arena, PROBLEM_INVALID_TRANSITION, "Fewer units than that are awaited.");
}

enum problem return_lose(struct rma *rma, const struct awaited_units *units, size_t n_units, const struct act *act) {
        enum problem p = PROBLEM_NONE;

        if (!is_awaited(rma))
                return refuse_nothing_awaited(rma, rma->status == RETURN_LOST, act);
        p = check_lost(rma, units, n_units, act);
        if (p)
                return p;
        if (!units)
                end_all(rma, RECEPTION_LOSE, act);
        for (size_t i = 0; units && i < n_units && !p; i++)
                p = lose_units(rma, &units[i], act);
        if (p)
                return p;
        rma_settle(rma, act);
        (void) rma_tell(act->events, rma, "return.lost", act->actor);
        order_settle(rma->order, act->events, act->actor, act->now);
        return PROBLEM_NONE;
}
