/* A return begins: it is authorized, and perhaps received at once. */
#include "orders/number.h"
#include "returns/returns.h"

#include "base/text.h"

static enum problem check_verdicts(
        const struct return_request *request, const struct verdict *verdicts, const struct command *command) {
        for (size_t i = 0; i < request->n_items; i++)
                if (verdicts[i].refused & 1u << RULE_OVER_RETURN)
                        return_name_over(command, i, verdicts[i].returnable);
        if (command->refusal->n_violations)
                return return_refuse_over(command);
        for (size_t i = 0; !request->override && i < request->n_items; i++)
                return_name_rules(command, i, verdicts[i].refused);
        if (command->refusal->n_violations)
                return refuse(command->refusal, command->arena, PROBLEM_RETURN_REFUSED,
                        "The return policy refuses some lines; see `errors`.");
        return PROBLEM_NONE;
}

static enum problem check_shelves(
        const struct return_request *request, const struct verdict *verdicts, const struct command *command) {
        for (size_t i = 0; i < request->n_items; i++)
                if (request->items[i].condition >= 0 &&
                        !return_can_shelve(command, request->location, verdicts[i].line->sku))
                        return return_refuse_unknown_product(command, i);
        return PROBLEM_NONE;
}

static struct rma *rma_new(const struct return_request *request, const struct command *command) {
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
                .actor = command->actor,
                .version = 0, /* until it settles */
                .created_at = command->now,
                .is_new = true,
        };
        set->rows = rows;
        set->rows[set->n_rows++] = rma;
        return rma->number ? rma : NULL;
}

static void receive_at_once(struct return_line *line, const struct return_item *item, const struct command *command) {
        line->condition = item->condition;
        line->disposition = item->disposition >= 0 ? item->disposition
                                                   : (int) disposition_of((enum goods_condition) item->condition);
        line->location = line->rma->location;
        line->received_at = command->now;
        (void) reception_advance(line, RECEPTION_RECEIVE, command->arena, command->refusal);
        return_line_accept(line, command);
}

static enum problem add_items(const struct return_request *request, const struct verdict *verdicts, struct rma *rma,
        const struct command *command) {
        for (size_t i = 0; i < request->n_items; i++) {
                const struct return_item *item = &request->items[i];
                struct return_line *line = return_line_new(
                        rma, verdicts[i].line, item->quantity, item->reason, &verdicts[i].terms, request->set->arena);

                if (!line)
                        return FAULT_BUSY;
                if (item->condition >= 0)
                        receive_at_once(line, item, command);
                rma->by_post = rma->by_post || item->condition < 0;
                rma->overridden = rma->overridden || verdicts[i].refused;
        }
        return PROBLEM_NONE;
}

/* The exchange raises the total, which caps the credit of the items: it is made before them. It moves the lines of the
 * order. */
static enum problem exchange_first(const struct return_request *request, struct verdict *verdicts, struct rma *rma,
        const struct command *command) {
        const enum problem p = return_make_exchange(request, rma, command);

        for (size_t i = 0; i < request->n_items; i++)
                verdicts[i].line = order_line_find(request->order, &request->items[i].order_line_id);
        return p;
}

static void tell_authorized(const struct rma *rma, const struct command *command) {
        struct event *event = rma_tell(rma, EVENT_RETURN_AUTHORIZED, command);

        event_text(event, "at", rma->location);
        if (rma->overridden)
                event_text(event, "overridden_by", command->actor);
        rma_tell_lines(event, rma->lines, rma->n_lines);
}

static void tell_received_at_once(const struct rma *rma, const struct command *command) {
        struct event *event = rma_tell(rma, EVENT_RETURN_RECEIVED, command);

        event_text(event, "at", rma->location);
        event_integer(event, "refund", rma_refund(rma));
        event_integer(event, "tax", rma_tax(rma));
        event_text(event, "currency", rma->order->balance.currency);
}

enum problem return_authorize(
        const struct return_request *request, const struct command *command, struct rma **ret_rma) {
        struct verdict *verdicts = arena_new_array(command->arena, struct verdict, request->n_items);
        struct rma *rma;
        enum problem p = verdicts ? return_judge(request, verdicts, command) : FAULT_BUSY;

        if (!p)
                p = check_verdicts(request, verdicts, command);
        if (!p)
                p = check_shelves(request, verdicts, command);
        if (!p && request->n_additions)
                p = return_check_exchange(request, verdicts, command);
        if (p)
                return p;
        rma = rma_new(request, command);
        p = rma ? PROBLEM_NONE : FAULT_BUSY;
        if (!p && request->n_additions)
                p = exchange_first(request, verdicts, rma, command);
        if (!p)
                p = add_items(request, verdicts, rma, command);
        if (p)
                return p;
        if (!request->n_additions)
                return_grant_shipping(rma, request->set);
        rma_settle(rma, command);
        tell_authorized(rma, command);
        if (rma->status == RETURN_RECEIVED || rma->status == RETURN_PARTIALLY_RECEIVED)
                tell_received_at_once(rma, command);
        order_settle(rma->order, command);
        *ret_rma = rma;
        return PROBLEM_NONE;
}
