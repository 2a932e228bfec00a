/*
 * Receiving: the units that arrived are compared with the announced lines, and with the order.
 *
 * First a plan is made of which units are taken from which line, then the plan is checked, and only then carried out.
 */
#include "returns/returns.h"

#include "base/text.h"

#include <jansson.h>
#include <stdlib.h>

/* Units that one arrival brings. */
struct step {
        struct return_line *line;      /* that awaits them; NULL: they were not announced */
        struct order_line *order_line; /* NULL: they are not of the order */
        int64_t quantity;
        size_t arrival;
        struct return_terms terms;
};

struct plan {
        const struct return_reception *reception;
        const struct command *command;
        struct step *steps;
        size_t n_steps;
        int64_t *taken; /* of each line of the return, by steps before */
        size_t n_lines; /* of the return, when the plan was made */
};

static const struct arrival *arrival_of(const struct plan *plan, const struct step *step) {
        return &plan->reception->arrivals[step->arrival];
}

static bool is_rejected(const struct arrival *arrival) {
        return arrival->acceptance == ARRIVAL_REJECTED;
}

static bool arrival_matches(const struct arrival *arrival, const struct return_line *line) {
        return return_line_is(line, arrival->has_id ? &arrival->id : NULL,
                arrival->has_order_line_id ? &arrival->order_line_id : NULL, arrival->sku);
}

static void plan_add(
        struct plan *plan, size_t arrival, struct return_line *line, struct order_line *order_line, int64_t quantity) {
        struct step *step = &plan->steps[plan->n_steps++];

        *step = (struct step){ .line = line, .order_line = order_line, .quantity = quantity, .arrival = arrival };
        if (line)
                step->terms = line->terms;
}

/* From the lines that await them; how many are left. */
static int64_t plan_awaited(struct plan *plan, size_t i) {
        const struct arrival *arrival = &plan->reception->arrivals[i];
        const struct rma *rma = plan->reception->rma;
        int64_t left = arrival->quantity;

        for (size_t j = 0; left && j < plan->n_lines; j++) {
                struct return_line *line = rma->lines[j];
                const int64_t open = line->quantity - plan->taken[j];
                const int64_t units = open < left ? open : left;

                if (line->reception != RECEPTION_AWAITING || !units || !arrival_matches(arrival, line))
                        continue;
                plan_add(plan, i, line, line->order_line, units);
                plan->taken[j] += units;
                left -= units;
        }
        return left;
}

/* Units of an order line that earlier steps have added unannounced. */
static int64_t added(const struct plan *plan, const struct order_line *line) {
        int64_t units = 0;

        for (size_t i = 0; i < plan->n_steps; i++)
                if (!plan->steps[i].line && plan->steps[i].order_line == line)
                        units += plan->steps[i].quantity;
        return units;
}

static void plan_unannounced(struct plan *plan, size_t i, struct order_line *line, int64_t *left) {
        const int64_t returnable = order_line_returnable(plan->reception->set, line) - added(plan, line);
        const int64_t units = returnable < *left ? returnable : *left;

        if (units <= 0)
                return;
        plan_add(plan, i, NULL, line, units);
        *left -= units;
}

/* The order line that an arrival names, itself or by a line of the return; NULL: it names a product, or nothing. */
static struct order_line *arrival_order_line(const struct plan *plan, const struct arrival *arrival) {
        const struct rma *rma = plan->reception->rma;

        if (arrival->has_order_line_id)
                return order_line_find(rma->order, &arrival->order_line_id);
        for (size_t i = 0; arrival->has_id && i < plan->n_lines; i++)
                if (uuid_equal(&rma->lines[i]->id, &arrival->id))
                        return rma->lines[i]->order_line;
        return NULL;
}

static void plan_arrival(struct plan *plan, size_t i) {
        const struct arrival *arrival = &plan->reception->arrivals[i];
        struct order *order = plan->reception->rma->order;
        struct order_line *named = arrival_order_line(plan, arrival);
        int64_t left = plan_awaited(plan, i);

        if (!arrival->sku && !named) {
                return_name_fault(plan->command, i, arrival->has_id ? "id" : "order_line_id", "unknown-line",
                        "There is no such line.");
                return;
        }
        if (named)
                plan_unannounced(plan, i, named, &left);
        for (size_t j = 0; arrival->sku && left && j < order->n_lines; j++)
                if (text_equal(order->lines[j].sku, arrival->sku))
                        plan_unannounced(plan, i, &order->lines[j], &left);
        if (left && arrival->sku)
                plan_add(plan, i, NULL, NULL, left);
        else if (left)
                return_name_over(plan->command, i, arrival->quantity - left);
}

static enum problem plan_make(struct plan *plan) {
        const struct return_reception *reception = plan->reception;
        const struct command *command = plan->command;
        const size_t n = reception->rma->n_lines + reception->rma->order->n_lines + 1;

        plan->n_lines = reception->rma->n_lines;
        plan->taken = arena_new_array(command->arena, int64_t, n);
        plan->steps = arena_new_array(command->arena, struct step, n * (reception->n_arrivals + 1));
        if (!plan->taken || !plan->steps)
                return FAULT_BUSY;
        for (size_t i = 0; i < reception->n_arrivals; i++)
                plan_arrival(plan, i);
        if (!command->refusal->n_violations)
                return PROBLEM_NONE;
        for (const struct violation *v = command->refusal->violations; v; v = v->next)
                if (!v->has_available)
                        return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                                "Some lines are unknown; see `errors`.");
        return return_refuse_over(command);
}

/* ---- checking ---- */

static enum problem check_arrivals(const struct return_reception *reception, const struct command *command) {
        for (size_t i = 0; i < reception->n_arrivals; i++) {
                const struct arrival *arrival = &reception->arrivals[i];

                if (arrival->disposition == DISPOSE_RESTOCK && arrival->condition != GOODS_SELLABLE)
                        return_name_fault(command, i, "disposition", "not-allowed",
                                "Goods that cannot be sold do not go back into the shelf.");
                if (is_rejected(arrival) && arrival->disposition >= 0)
                        return_name_fault(
                                command, i, "disposition", "not-allowed", "Rejected goods go back to the customer.");
        }
        if (command->refusal->n_violations)
                return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                        "Some dispositions are not allowed; see `errors`.");
        return PROBLEM_NONE;
}

/* Rejected goods need no rule, and come into no shelf. */
static enum problem check_step(const struct plan *plan, struct step *step) {
        const struct arrival *arrival = arrival_of(plan, step);
        const struct return_reception *reception = plan->reception;
        const enum goods_condition condition = (enum goods_condition) arrival->condition;
        unsigned broken = 0;

        if (!step->order_line)
                return PROBLEM_NONE;
        if (!step->line)
                broken = return_rules_broken(step->order_line, condition, reception->location, reception->catalog,
                        reception->days, &step->terms);
        else if (!step->terms.accepted[condition])
                broken = 1u << RULE_CONDITION;
        if (is_rejected(arrival))
                return PROBLEM_NONE;
        if (!reception->override)
                return_name_rules(plan->command, step->arrival, broken);
        if (!return_can_shelve(plan->command, reception->location, step->order_line->sku))
                return return_refuse_unknown_product(plan->command, step->arrival);
        return PROBLEM_NONE;
}

static enum problem plan_check(const struct plan *plan) {
        enum problem p = PROBLEM_NONE;

        for (size_t i = 0; i < plan->n_steps && !p; i++)
                p = check_step(plan, &plan->steps[i]);
        if (!p && plan->command->refusal->n_violations)
                p = refuse(plan->command->refusal, plan->command->arena, PROBLEM_RETURN_REFUSED,
                        "The return policy refuses some lines; see `errors`. The goods may be rejected.");
        if (!p && plan->reception->rma->n_lines + plan->n_steps > RETURN_LINES_MAX)
                p = return_refuse_full(plan->command, "#/lines", RETURN_LINES_MAX, "lines");
        return p;
}

/* ---- carrying out ---- */

static enum problem note_unexpected(const struct plan *plan, const struct step *step) {
        const struct arrival *arrival = arrival_of(plan, step);
        struct rma *rma = plan->reception->rma;
        json_t *list = json_loads(rma->unexpected, 0, NULL);
        json_t *entry = json_pack("{s:s, s:I, s:s, s:s, s:s}", "sku", arrival->sku, "quantity",
                (json_int_t) step->quantity, "condition", goods_condition_texts[arrival->condition], "location",
                plan->reception->location, "noted_by", plan->command->actor);
        char *text = NULL;
        enum problem p = FAULT_BUSY;

        if (json_array_size(list) >= UNEXPECTED_ENTRIES_MAX) {
                json_decref(entry);
                p = return_refuse_full(plan->command, "#/lines", UNEXPECTED_ENTRIES_MAX, "notes of unexpected goods");
        } else if (list && entry && json_array_append_new(list, entry) == 0) {
                text = json_dumps(list, JSON_COMPACT);
        }
        if (text) {
                rma->unexpected = arena_text(plan->command->stock->arena, text);
                p = rma->unexpected ? PROBLEM_NONE : FAULT_BUSY;
        }
        free(text);
        json_decref(list);
        return p;
}

static struct return_line *step_line(const struct plan *plan, const struct step *step) {
        const struct arrival *arrival = arrival_of(plan, step);
        struct arena *arena = plan->command->stock->arena;
        struct return_line *line = step->line;

        if (line)
                return step->quantity < line->quantity ? return_line_split(line, step->quantity, arena) : line;
        line = return_line_new(plan->reception->rma, step->order_line, step->quantity,
                arrival->reason ? arrival->reason : "unannounced", &step->terms, arena);
        if (line)
                line->announced = false;
        return line;
}

static enum problem receive_step(const struct plan *plan, const struct step *step, struct return_line **ret_line) {
        const struct arrival *arrival = arrival_of(plan, step);
        const struct command *command = plan->command;
        struct return_line *line = step_line(plan, step);
        enum problem p;

        if (!line)
                return FAULT_BUSY;
        p = reception_advance(line, RECEPTION_RECEIVE, command->arena, command->refusal);
        if (p)
                return p;
        line->condition = arrival->condition;
        line->location = plan->reception->location;
        line->received_at = command->now;
        *ret_line = line;
        if (is_rejected(arrival)) {
                line->note = arrival->reason;
                return acceptance_advance(line, ACCEPTANCE_REJECT, command->arena, command->refusal);
        }
        line->disposition = arrival->disposition >= 0 ? arrival->disposition
                                                      : (int) disposition_of((enum goods_condition) arrival->condition);
        return_line_accept(line, command);
        return PROBLEM_NONE;
}

static void tell_received(const struct return_reception *reception, struct return_line *const *lines, size_t n,
        const struct command *command) {
        struct event *event = rma_tell(reception->rma, EVENT_RETURN_RECEIVED, command);

        event->location = reception->location;
        event_text(event, "at", reception->location);
        event_integer(event, "refund", rma_refund(reception->rma));
        event_integer(event, "tax", rma_tax(reception->rma));
        event_text(event, "currency", reception->rma->order->balance.currency);
        rma_tell_lines(event, lines, n);
}

static enum problem plan_carry_out(const struct plan *plan) {
        const struct command *command = plan->command;
        struct rma *rma = plan->reception->rma;
        struct return_line **lines = arena_new_array(command->arena, struct return_line *, plan->n_steps);
        enum problem p = lines ? PROBLEM_NONE : FAULT_BUSY;
        size_t n = 0;

        for (size_t i = 0; i < plan->n_steps && !p; i++)
                p = plan->steps[i].order_line ? receive_step(plan, &plan->steps[i], &lines[n++])
                                              : note_unexpected(plan, &plan->steps[i]);
        if (p)
                return p;
        return_grant_shipping(rma, plan->reception->set);
        rma_settle(rma, command);
        tell_received(plan->reception, lines, n, command);
        order_settle(rma->order, command);
        return PROBLEM_NONE;
}

/* ---- the command ---- */

static bool awaits(const struct rma *rma) {
        for (size_t i = 0; i < rma->n_lines; i++)
                if (rma->lines[i]->reception == RECEPTION_AWAITING)
                        return true;
        return false;
}

/* Everything is here, and the same actor says so again. A request that names units reports more units: its repeat is
 * known by the idempotency key. */
static bool is_reception_repeat(const struct return_reception *reception, const struct command *command) {
        const struct rma *rma = reception->rma;

        return !reception->arrivals && rma->status == RETURN_RECEIVED && text_equal(rma->moved_by, command->actor);
}

/* All that is awaited, as good as new. */
static enum problem arrivals_of_all(struct return_reception *reception, const struct command *command) {
        const struct rma *rma = reception->rma;
        struct arrival *arrivals = arena_new_array(command->arena, struct arrival, rma->n_lines);

        if (!arrivals)
                return FAULT_BUSY;
        for (size_t i = 0; i < rma->n_lines; i++)
                if (rma->lines[i]->reception == RECEPTION_AWAITING)
                        arrivals[reception->n_arrivals++] = (struct arrival){
                                .id = rma->lines[i]->id,
                                .has_id = true,
                                .quantity = rma->lines[i]->quantity,
                                .condition = GOODS_SELLABLE,
                                .disposition = -1,
                                .acceptance = -1,
                        };
        reception->arrivals = arrivals;
        return PROBLEM_NONE;
}

enum problem return_receive(const struct return_reception *reception, const struct command *command) {
        struct return_reception all = *reception;
        struct plan plan = { .reception = &all, .command = command };
        enum problem p = check_arrivals(reception, command);

        if (p || is_reception_repeat(reception, command))
                return p;
        if (!reception->arrivals && !awaits(reception->rma)) {
                command->refusal->current_status = return_status_texts[reception->rma->status];
                return refuse(command->refusal, command->arena, PROBLEM_INVALID_TRANSITION,
                        "Nothing of the return is awaited any more.");
        }
        if (!reception->arrivals)
                p = arrivals_of_all(&all, command);
        if (!p)
                p = plan_make(&plan);
        if (!p)
                p = plan_check(&plan);
        return p ? p : plan_carry_out(&plan);
}
