/* Decision and effect of a change of an order after it was placed. */
#include "orders/changing.h"

#include "base/text.h"

/* ---- the plan ---- */

/* Units that leave an allocation: off the order, or for another one of the same line. */
struct give {
        struct fulfillment_line *from;
        int64_t units;
        bool moves;
};

/* The effect of a request, planned without changing anything. */
struct plan {
        struct order *order;
        const struct change_body *body;
        const struct changing *changing;
        const struct command *command;
        struct offer_context context;
        struct give *gives;
        struct addition *additions;
        const char **recipients; /* alternate pickup person of each moved addition */
        struct release *releases;
        size_t n_gives, n_additions;
        size_t n_late; /* parts for which it is too late */
};

static bool plan_init(struct plan *plan) {
        const struct order *order = plan->order;
        struct arena *arena = plan->command->arena;
        size_t n_allocations = 0;

        for (size_t i = 0; i < order->n_fulfillments; i++)
                n_allocations += order->fulfillments[i]->n_lines;
        plan->gives = arena_new_array(arena, struct give, 3 * n_allocations);
        plan->releases = arena_new_array(arena, struct release, 3 * n_allocations);
        plan->additions = arena_new_array(arena, struct addition, 2 * plan->body->n_lines);
        plan->recipients = arena_new_array(arena, const char *, 2 * plan->body->n_lines);
        return plan->gives && plan->releases && plan->additions && plan->recipients;
}

static void invalid(const struct plan *plan, size_t change, const char *member, const char *code, const char *detail) {
        const struct requested_line requested = changing_line(plan->body, change, NULL);

        requested_line_refuse(&plan->context, &requested, member, code, detail);
}

static void late(struct plan *plan, size_t change, const char *member, const char *code, const char *detail) {
        plan->n_late++;
        invalid(plan, change, member, code, detail);
}

static void late_at(struct plan *plan, const char *pointer, const char *code, const char *detail) {
        plan->n_late++;
        (void) refuse_because(plan->context.refusal, plan->context.arena, pointer, code, "%s", detail);
}

/* ---- units that are given ---- */

static int64_t given(const struct plan *plan, const struct fulfillment_line *from) {
        int64_t units = 0;

        for (size_t i = 0; i < plan->n_gives; i++)
                if (plan->gives[i].from == from)
                        units += plan->gives[i].units;
        return units;
}

static void give(struct plan *plan, struct fulfillment_line *from, int64_t units, bool moves) {
        plan->releases[plan->n_gives] = (struct release){ from->stock, units };
        plan->gives[plan->n_gives++] = (struct give){ from, units, moves };
}

static int64_t take_off_held(struct plan *plan, const struct order_line *line, int64_t units,
        int64_t (*held)(const struct fulfillment_line *line)) {
        for (struct fulfillment_line *at = line->allocations; at && units; at = at->older) {
                int64_t most = held(at) - given(plan, at);

                most = most < units ? most : units;
                if (most <= 0)
                        continue;
                give(plan, at, most, /* moves= */ false);
                units -= most;
        }
        return units;
}

/* In the order of order_line_cancel: unpicked units first. */
static void take_off(struct plan *plan, const struct order_line *line, int64_t units) {
        units = take_off_held(plan, line, units, fulfillment_line_remaining);
        (void) take_off_held(plan, line, units, fulfillment_line_open);
}

static bool is_there(const struct fulfillment *fulfillment, const struct fulfillment_choice *choice) {
        return (int) fulfillment->method == choice->method && text_equal(fulfillment->location, choice->location) &&
               (choice->slot == TIMESTAMP_NONE || (fulfillment->has_slot && fulfillment->slot_at == choice->slot));
}

/* Give all units that other fulfillments than the chosen one hold. Returns their number. `ret_recipient`: that of the
 * newest. */
static int64_t move_away(struct plan *plan, size_t change, const struct order_line *line, const char **ret_recipient) {
        const struct fulfillment_choice *choice = plan->body->lines[change].fulfillment;
        int64_t units = 0;

        for (struct fulfillment_line *at = line->allocations; at; at = at->older) {
                const int64_t before = given(plan, at), open = fulfillment_line_open(at) - before;

                if (!open || is_there(at->fulfillment, choice))
                        continue;
                if (fulfillment_line_remaining(at) - before < open) {
                        late(plan, change, "fulfillment", "already-picked",
                                "Picked units cannot move; undo the pick first.");
                        return 0;
                }
                give(plan, at, open, /* moves= */ true);
                units += open;
                if (!*ret_recipient)
                        *ret_recipient = at->fulfillment->recipient;
        }
        return units;
}

/* ---- planning the lines ---- */

static void plan_addition(struct plan *plan, struct requested_line requested, struct order_line *line, bool moved,
        const char *recipient) {
        plan->recipients[plan->n_additions] = recipient;
        plan->additions[plan->n_additions++] =
                (struct addition){ .requested = requested, .line = line, .moved = moved };
}

/* The location that holds the newest units of a line; NULL: no location. */
static const struct fulfillment_choice *held_at(const struct order_line *line, struct arena *arena) {
        struct fulfillment_choice *choice;

        for (const struct fulfillment_line *at = line->allocations; at; at = at->older) {
                if (!fulfillment_line_open(at))
                        continue;
                choice = arena_new(arena, struct fulfillment_choice);
                if (choice)
                        *choice = (struct fulfillment_choice){ (int) at->fulfillment->method, at->fulfillment->location,
                                TIMESTAMP_NONE };
                return choice;
        }
        return NULL;
}

static void plan_fewer(struct plan *plan, size_t change, struct order_line *line, int64_t units) {
        if (units > order_line_open(line))
                late(plan, change, plan->body->lines[change].remove ? "remove" : "quantity", "not-changeable",
                        "Units that have left cannot be cancelled; return them.");
        else
                take_off(plan, line, units);
}

static void plan_more(struct plan *plan, size_t change, struct order_line *line, int64_t units) {
        struct requested_line requested = changing_line(plan->body, change, line->sku);

        if (!order_line_open(line)) {
                late(plan, change, "quantity", "not-changeable",
                        "No location holds units of the line; add a new line.");
                return;
        }
        requested.quantity = units;
        if (!requested.choice)
                requested.choice = held_at(line, plan->context.arena);
        if (requested.choice)
                plan_addition(plan, requested, line, /* moved= */ false, NULL);
}

static void plan_present_line(struct plan *plan, size_t i) {
        const struct line_change *change = &plan->body->lines[i];
        struct order_line *line = order_line_find(plan->order, &change->order_line_id);
        const char *recipient = NULL;
        int64_t is, wanted, moved;

        if (!line) {
                invalid(plan, i, "order_line_id", "unknown-line", "The order has no such line.");
                return;
        }
        is = line->quantity - line->cancelled;
        wanted = change->has_quantity ? change->quantity : is;
        if (change->remove)
                wanted = 0;
        if (wanted < is)
                plan_fewer(plan, i, line, is - wanted);
        if (wanted > is)
                plan_more(plan, i, line, wanted - is);
        moved = change->fulfillment ? move_away(plan, i, line, &recipient) : 0;
        if (moved) {
                struct requested_line requested = changing_line(plan->body, i, line->sku);

                requested.quantity = moved;
                plan_addition(plan, requested, line, /* moved= */ true, recipient);
        }
}

static void plan_lines(struct plan *plan) {
        for (size_t i = 0; i < plan->body->n_lines; i++) {
                const struct line_change *change = &plan->body->lines[i];

                if (change->sku)
                        plan_addition(plan, changing_line(plan->body, i, NULL), NULL, /* moved= */ false, NULL);
                else
                        plan_present_line(plan, i);
        }
}

/* ---- checking the rest ---- */

static bool collects(enum fulfillment_method method) {
        return method != BY_SHIPPING;
}

static bool is_pickup_awaited(const struct fulfillment *fulfillment) {
        return collects(fulfillment->method) &&
               (fulfillment->status == FULFILLMENT_ALLOCATED || fulfillment->status == FULFILLMENT_PICKING ||
                       fulfillment->status == FULFILLMENT_READY);
}

static void plan_check_address(struct plan *plan) {
        for (size_t i = 0; i < plan->order->n_fulfillments; i++)
                if (plan->order->fulfillments[i]->status == FULFILLMENT_PACKED) {
                        late_at(plan, "#/ship_to", "already-packed",
                                "A parcel is already packed for the present address.");
                        return;
                }
}

static void plan_check_recipient(struct plan *plan) {
        for (size_t i = 0; i < plan->order->n_fulfillments; i++)
                if (is_pickup_awaited(plan->order->fulfillments[i]))
                        return;
        for (size_t i = 0; i < plan->n_additions; i++)
                if (collects((enum fulfillment_method) plan->additions[i].requested.choice->method))
                        return;
        late_at(plan, "#/recipient", "nothing-to-collect", "The order has nothing left to collect.");
}

static int64_t taken_off(const struct plan *plan, const struct order_line *line) {
        int64_t units = 0;

        for (size_t i = 0; i < plan->n_gives; i++)
                if (plan->gives[i].from->order_line == line && !plan->gives[i].moves)
                        units += plan->gives[i].units;
        return units;
}

/* Check the amounts against the values that remain after all other changes. */
static void plan_check_amounts(struct plan *plan) {
        const struct order *order = plan->order;
        struct arena *arena = plan->context.arena;
        const size_t most = order->n_lines + plan->n_additions;
        int64_t *left = arena_new_array(arena, int64_t, most), *gross = arena_new_array(arena, int64_t, most);
        int64_t *units = arena_new_array(arena, int64_t, most);
        struct amounts amounts = { left, gross, units, order->n_lines, order->balance.total, order_credited(order) };
        struct credit_trial trial = credit_trial_of(order);

        if (!left || !gross || !units)
                return;
        for (size_t i = 0; i < order->n_lines; i++) {
                const struct order_line *line = &order->lines[i];
                const int64_t given_back = line->cancelled + line->returned, more = taken_off(plan, line);

                const struct taxed credited = credit_try(&trial, order_line_share(line, given_back, more));

                amounts.credited.amount += credited.amount;
                amounts.credited.tax += credited.tax;
                units[i] = line->quantity - given_back - more;
                left[i] = order_line_value(line, given_back + more, units[i]);
                gross[i] = line->unit_price * line->quantity;
        }
        for (size_t i = 0; i < plan->n_additions; i++) {
                const struct addition *addition = &plan->additions[i];
                const int64_t amount = addition->moved ? 0 : addition->unit_price * addition->requested.quantity;
                const size_t place = addition->line ? (size_t) addition->line->number : amounts.n++;

                units[place] += addition->moved ? 0 : addition->requested.quantity;
                left[place] += amount;
                gross[place] += amount;
                amounts.total += amount;
        }
        amounts_deal(order, plan->body, &amounts, arena, plan->context.refusal);
}

static bool changes_amounts(const struct change_body *body) {
        return body->discounts || body->has_shipping || body->tax;
}

static enum problem plan_validate(struct plan *plan) {
        const struct change_body *body = plan->body;
        struct refusal *refusal = plan->context.refusal;
        enum problem p;

        plan_lines(plan);
        if (body->ship_to)
                plan_check_address(plan);
        if (body->recipient)
                plan_check_recipient(plan);
        if (body->has_shipping && !text_equal(body->shipping.currency, plan->order->balance.currency))
                (void) refuse_because(refusal, plan->context.arena, "#/shipping/currency", "currency-mismatch", "%s",
                        "The currency differs from that of the order.");
        additions_validate(plan->order, plan->additions, plan->n_additions, plan->order->ship_to || body->ship_to,
                plan->changing->stock, &plan->context);
        if (changes_amounts(body) && refusal->n_violations == plan->n_late)
                plan_check_amounts(plan);
        if (refusal->n_violations > plan->n_late)
                return refuse(refusal, plan->context.arena, PROBLEM_VALIDATION_FAILED,
                        "The order cannot be changed; see `errors`.");
        if (plan->n_late) {
                refusal->current_status = order_status_texts[plan->order->status];
                (void) refuse(refusal, plan->context.arena, PROBLEM_INVALID_TRANSITION,
                        "It is too late for a part of the change; nothing was changed.");
        }
        p = additions_cover(plan->additions, plan->n_additions, plan->releases, plan->n_gives, &plan->context);
        return plan->n_late ? PROBLEM_INVALID_TRANSITION : p;
}

/* ---- doing ---- */

static void units_take(const struct plan *plan) {
        for (size_t i = 0; i < plan->n_gives; i++) {
                const struct give *gives = &plan->gives[i];

                if (gives->moves)
                        fulfillment_line_move(gives->from, gives->units);
                else
                        fulfillment_line_cancel(gives->from, gives->units);
                if (!gives->moves)
                        plan->order->cancel_reason = plan->body->reason;
        }
        if (plan->n_gives)
                order_tell_units_cancelled(plan->order, plan->body->reason, plan->command);
}

/* The alternate pickup person may collect moved units at their new location. */
static void recipients_follow(const struct plan *plan) {
        for (size_t i = 0; i < plan->n_additions; i++) {
                const struct addition *addition = &plan->additions[i];

                if (!addition->moved || !collects((enum fulfillment_method) addition->requested.choice->method))
                        continue;
                for (struct fulfillment_line *at = addition->line->allocations; at; at = at->older)
                        if (at->fulfillment->is_new && !at->fulfillment->recipient &&
                                is_there(at->fulfillment, addition->requested.choice))
                                at->fulfillment->recipient = plan->recipients[i];
        }
}

static enum problem name_recipient(const struct plan *plan) {
        const struct collector_body *who = plan->body->recipient;
        const char *text = recipient_text(who->name, who->relation, plan->changing->arena);

        if (!text)
                return FAULT_BUSY;
        for (size_t i = 0; i < plan->order->n_fulfillments; i++) {
                struct fulfillment *fulfillment = plan->order->fulfillments[i];

                if (!is_pickup_awaited(fulfillment))
                        continue;
                fulfillment->recipient = text;
                fulfillment->touched = true;
                (void) fulfillment_tell(fulfillment, EVENT_FULFILLMENT_RECIPIENT_NAMED, plan->command);
        }
        return PROBLEM_NONE;
}

/* Every fulfillment shows the customer's name, to the customer and in the queue of its location. */
static void rename_customer(struct order *order, const struct customer_body *customer, struct arena *arena) {
        const char *before = order_customer_name(order, arena);

        order->customer = order_customer(arena, customer);
        if (text_equal(before, order_customer_name(order, arena)))
                return;
        for (size_t i = 0; i < order->n_fulfillments; i++)
                order->fulfillments[i]->touched = true;
}

static enum problem rewrite(const struct plan *plan) {
        struct order *order = plan->order;
        const struct change_body *body = plan->body;

        if (body->customer)
                rename_customer(order, body->customer, plan->changing->arena);
        if (body->ship_to)
                order->ship_to = order_address(plan->changing->arena, body->ship_to);
        if (body->customer || body->ship_to)
                order->rewritten = true;
        return changes_amounts(body) ? amounts_apply(order, body, plan->changing->arena) : PROBLEM_NONE;
}

static enum problem apply(const struct plan *plan) {
        const struct adding adding = { plan->command, plan->changing->slots, plan->changing->arena };
        struct event *event = change_tell_before(plan->order, plan->body, plan->command);
        enum problem p;

        units_take(plan);
        p = additions_make(plan->order, plan->additions, plan->n_additions, &adding);
        if (!p)
                p = rewrite(plan);
        if (p)
                return p;
        recipients_follow(plan);
        if (plan->body->recipient)
                p = name_recipient(plan);
        change_tell_after(event, plan->order, plan->body);
        return p;
}

/* ---- deciding ---- */

static bool changes_nothing(const struct plan *plan) {
        const struct change_body *body = plan->body;

        return !plan->n_gives && !plan->n_additions && !body->customer && !body->ship_to && !body->recipient &&
               !changes_amounts(body);
}

enum problem order_change(struct order *order, const struct change_body *body, const struct changing *changing,
        const struct command *command) {
        struct plan plan = { .order = order,
                .body = body,
                .changing = changing,
                .command = command,
                .context = { changing->catalog, changing->slots, command->now, order->channel, order->balance.currency,
                        command->arena, command->refusal } };
        enum problem p;

        if (order->status != ORDER_OPEN && order->status != ORDER_PARTIALLY_FULFILLED) {
                command->refusal->current_status = order_status_texts[order->status];
                return refuse(command->refusal, command->arena, PROBLEM_INVALID_TRANSITION,
                        "The order is %s; that does not allow: change.", order_status_texts[order->status]);
        }
        if (!plan_init(&plan))
                return FAULT_BUSY;
        p = plan_validate(&plan);
        if (p || changes_nothing(&plan))
                return p;
        p = apply(&plan);
        return p ? p : order_after_units(order, body->reason, command);
}
