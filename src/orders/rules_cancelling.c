/* Cancelling units of an order. */
#include "orders/order.h"

#include <inttypes.h>

/* ---- checks ---- */

/* Units that have left with a carrier or a customer cannot be cancelled; they can be returned. */
static enum problem check_cancel_lines(const struct order *order, const struct cancel_line *lines, size_t n_lines,
        struct arena *arena, struct refusal *refusal) {
        bool unknown = false, too_many = false;

        for (size_t i = 0; i < n_lines; i++) {
                const struct order_line *line = order_line_find(order, &lines[i].order_line_id);

                if (uuid_is_repeated(&lines[0].order_line_id, i, sizeof(lines[0]))) {
                        unknown = true;
                        violation_at(refusal, arena, "#/lines", i, "order_line_id", "repeated",
                                "An earlier line of the request names the same line.");
                }
                if (!line) {
                        unknown = true;
                        violation_at(refusal, arena, "#/lines", i, "order_line_id", "unknown-line",
                                "The order has no such line.");
                } else if (lines[i].quantity > order_line_open(line)) {
                        too_many = true;
                        violation_beyond(refusal, arena, "#/lines", i, "quantity", "not-cancellable",
                                order_line_open(line), "%" PRId64 " units of this line can still be cancelled.",
                                order_line_open(line));
                }
        }
        if (unknown)
                return refuse(
                        refusal, arena, PROBLEM_VALIDATION_FAILED, "Some lines are unknown or repeated; see `errors`.");
        if (too_many) {
                refusal->current_status = order_status_texts[order->status];
                return refuse(refusal, arena, PROBLEM_INVALID_TRANSITION,
                        "Units that were handed over, shipped or cancelled cannot be cancelled.");
        }
        return PROBLEM_NONE;
}

static bool has_open_units(const struct order *order) {
        for (size_t i = 0; i < order->n_lines; i++)
                if (order_line_open(&order->lines[i]))
                        return true;
        return false;
}

/* ---- cancelling ---- */

enum problem order_after_units(struct order *order, const char *reason, const struct command *command) {
        for (size_t i = 0; i < order->n_fulfillments; i++) {
                struct fulfillment *fulfillment = order->fulfillments[i];
                enum problem p = PROBLEM_NONE;

                if (fulfillment->touched)
                        p = fulfillment_close_if_empty(fulfillment, reason, command);
                if (p)
                        return p;
                if (fulfillment->touched)
                        fulfillment_pack_if_done(fulfillment, command);
        }
        if (!order->cancel_reason && order_project(order) == ORDER_CANCELLED)
                order->cancel_reason = reason;
        order_settle(order, command);
        return PROBLEM_NONE;
}

void order_tell_units_cancelled(const struct order *order, const char *reason, const struct command *command) {
        for (size_t i = 0; i < order->n_fulfillments; i++) {
                const struct fulfillment *fulfillment = order->fulfillments[i];

                if (fulfillment->touched && fulfillment_open(fulfillment))
                        event_text(fulfillment_tell(fulfillment, EVENT_FULFILLMENT_UNITS_CANCELLED, command), "reason",
                                reason);
        }
}

enum problem order_cancel(struct order *order, const struct cancel_line *lines, size_t n_lines, const char *reason,
        const struct command *command) {
        enum problem p;

        if (!lines && order->status == ORDER_CANCELLED)
                return PROBLEM_NONE;
        if (!lines && !has_open_units(order)) {
                command->refusal->current_status = order_status_texts[order->status];
                return refuse(command->refusal, command->arena, PROBLEM_INVALID_TRANSITION,
                        "Every unit of the order has left; goods come back as a return.");
        }
        p = lines ? check_cancel_lines(order, lines, n_lines, command->arena, command->refusal) : PROBLEM_NONE;
        if (p)
                return p;
        order->cancel_reason = reason;
        if (!lines)
                for (size_t i = 0; i < order->n_lines; i++)
                        order_line_cancel(&order->lines[i], order_line_open(&order->lines[i]));
        for (size_t i = 0; lines && i < n_lines; i++)
                order_line_cancel(order_line_find(order, &lines[i].order_line_id), lines[i].quantity);
        order_tell_units_cancelled(order, reason, command);
        return order_after_units(order, reason, command);
}

/* ---- quoting a cancellation ---- */

/* The quote is never saved, so all lines may share one stock row. */
static bool lend_shelves(struct order *order, struct arena *arena) {
        struct stock_row *row = arena_new(arena, struct stock_row);

        for (size_t i = 0; row && i < order->n_fulfillments; i++)
                for (size_t j = 0; j < order->fulfillments[i]->n_lines; j++)
                        order->fulfillments[i]->lines[j].stock = row;
        return row != NULL;
}

/* Add or subtract the cancelled units of each line: the difference is the quote. */
static void note_cancelled(const struct order *order, struct cancelled_line *lines, int64_t sign) {
        for (size_t i = 0; i < order->n_lines; i++) {
                lines[i].line = &order->lines[i];
                lines[i].quantity += sign * order->lines[i].cancelled;
                lines[i].value += sign * order->lines[i].cancelled_value;
                lines[i].tax += sign * order->lines[i].cancelled_tax;
        }
}

static void cancel_quote_sum(const struct order *order, struct cancel_quote *quote) {
        size_t n = 0;

        for (size_t i = 0; i < quote->n_lines; i++) {
                quote->value += quote->lines[i].value;
                quote->tax += quote->lines[i].tax;
                if (quote->lines[i].quantity)
                        quote->lines[n++] = quote->lines[i];
        }
        quote->n_lines = n;
        for (size_t i = 0; i < order->balance.n_payments; i++)
                quote->void_due += order->balance.payments[i]->void_due;
}

enum problem order_cancel_quote(struct order *order, const struct cancel_line *lines, size_t n_lines,
        const char *reason, const struct command *command, struct cancel_quote *ret_quote) {
        const struct taxed before = order_credited(order);
        struct taxed after;
        struct cancel_quote quote = { .lines = arena_new_array(command->arena, struct cancelled_line, order->n_lines),
                .n_lines = order->n_lines };
        struct command unheard = *command;
        struct events events;
        enum problem p;

        if (!quote.lines || !lend_shelves(order, command->arena))
                return FAULT_BUSY;
        events_init(&events, command->arena);
        unheard.events = &events;
        note_cancelled(order, quote.lines, -1);
        p = order_cancel(order, lines, n_lines, reason, &unheard);
        if (p)
                return p;
        note_cancelled(order, quote.lines, 1);
        cancel_quote_sum(order, &quote);
        after = order_credited(order);
        quote.shipping = after.amount - before.amount - quote.value;
        quote.shipping_tax = after.tax - before.tax - quote.tax;
        *ret_quote = quote;
        return PROBLEM_NONE;
}
