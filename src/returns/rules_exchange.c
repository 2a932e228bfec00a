/*
 * Exchanging: what the customer gets instead is added to the same order, reserved in the transaction of the return. The
 * balance of the order does the rest: the difference is due, or owed.
 */
#include "returns/returns.h"

#include "base/writer.h"

#define EXCHANGE_SIZE_MAX ((size_t) 16 * 1024)

struct market return_market(const struct return_request *request, const struct act *act) {
        return (struct market){
                .catalog = request->catalog,
                .now = act->now,
                .channel = request->order->channel,
                .currency = request->order->currency,
                .arena = act->arena,
                .refusal = act->refusal,
        };
}

enum problem return_quote_exchange(
        const struct return_request *request, struct order_line *lines, const struct act *act) {
        const struct market market = return_market(request, act);

        for (size_t i = 0; i < request->n_additions; i++) {
                wish_check(&market, &request->additions[i].wish);
                wish_offer(&market, &request->additions[i].wish, &lines[i]);
        }
        if (act->refusal->n_violations)
                return refuse(act->refusal, act->arena, PROBLEM_VALIDATION_FAILED, "The exchange cannot be had.");
        return PROBLEM_NONE;
}

enum problem return_check_exchange(const struct return_request *request, const struct act *act) {
        const struct market market = return_market(request, act);

        for (size_t i = 0; i < request->n_additions; i++)
                wish_check(&market, &request->additions[i].wish);
        if (act->refusal->n_violations)
                return refuse(act->refusal, act->arena, PROBLEM_VALIDATION_FAILED, "The exchange cannot be meant.");
        return additions_check(request->order, request->additions, request->n_additions,
                request->order->ship_to != NULL, act->stock, &market);
}

/* The order's lines are elsewhere now, under the same numbers. */
static void find_lines_again(const struct return_set *set, struct order *order) {
        for (size_t i = 0; i < set->n_rows; i++)
                for (size_t j = 0; set->rows[i]->order == order && j < set->rows[i]->n_lines; j++) {
                        struct return_line *line = set->rows[i]->lines[j];

                        line->order_line = &order->lines[line->order_line->number];
                }
}

static const char *exchange_json(const struct addition *additions, size_t n, struct arena *arena) {
        struct buffer text;
        struct writer json;

        buffer_init(&text, arena, EXCHANGE_SIZE_MAX);
        writer_init(&json, &text);
        write_list_begin(&json);
        for (size_t i = 0; i < n; i++) {
                write_object_begin(&json);
                write_uuid_member(&json, "order_line_id", &additions[i].line->id);
                write_text_member(&json, "sku", additions[i].wish.sku);
                write_integer_member(&json, "quantity", additions[i].wish.quantity);
                write_object_end(&json);
        }
        write_list_end(&json);
        return text.failed ? NULL : buffer_text(&text);
}

enum problem return_make_exchange(const struct return_request *request, struct rma *rma, const struct act *act) {
        const struct adding adding = {
                .events = act->events, .actor = act->actor, .now = act->now, .arena = act->stock->arena
        };
        const enum problem p = additions_make(request->order, request->additions, request->n_additions, &adding);
        struct event *event;

        if (p)
                return p;
        find_lines_again(request->set, request->order);
        rma->exchange = exchange_json(request->additions, request->n_additions, act->stock->arena);
        if (!rma->exchange)
                return FAULT_BUSY;
        event = rma_tell(act->events, rma, "return.exchanged", act->actor);
        event_integer(event, "lines_added", (int64_t) request->n_additions);
        return PROBLEM_NONE;
}
