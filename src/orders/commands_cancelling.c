/* POST /v1/orders/{id}/cancel, and its quote */
#include "orders/commands.h"

#include "engine/reply.h"
#include "orders/placing.h"

#include "base/config.h"

struct cancel_body {
        const char *reason;
        const struct cancel_line *lines; /* NULL: all open units */
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
const struct shape order_cancel_shape = SHAPE(struct cancel_body, cancel_members);

/* A cancellation acts at the locations of the named lines, else at every location that still holds units. */
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

static enum problem order_cancel_one(struct batch *batch, struct call *call) {
        const struct command command = call_command(batch, call);
        const struct order_commands *work = batch->work;
        const struct cancel_body *body = call->body;
        struct order *order = order_visible(call, &work->set);
        enum problem p;

        if (!order || !may_cancel(call, order) || !call_version_matches(call, order->version))
                return PROBLEM_NONE;
        p = order_cancel(order, body->lines, body->n_lines, body->reason, &command);
        if (!p)
                order_reply(call, order, 200, /* pickup_secret= */ NULL);
        return p;
}

const struct operation order_cancel_operation = { .load = order_commands_load,
        .documents = order_commands_documents,
        .change = order_cancel_one,
        .save = order_commands_save };

/* ---- quoting a cancellation ---- */

static enum problem cancel_quote_load(struct batch *batch) {
        struct order_commands *work = NULL;
        const enum problem p = order_work_begin(batch, /* locked= */ false, &work);

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
        const char *currency = order->balance.currency;
        struct reply_writer w;

        reply_begin(&w, call, 200);
        write_uuid_member(&w.json, "order_id", &order->id);
        write_text_member(&w.json, "order_number", order->number);
        write_text_member(&w.json, "status", order_status_texts[order->status]);
        write_text_member(&w.json, "payment_status", payment_status_texts[order->balance.payment_status]);
        write_name(&w.json, "lines");
        write_list_begin(&w.json);
        for (size_t i = 0; i < quote->n_lines; i++)
                write_cancelled_line(&w.json, &quote->lines[i], currency);
        write_list_end(&w.json);
        write_amount_member(&w.json, "shipping", quote->shipping, currency);
        write_amount_member(&w.json, "shipping_tax", quote->shipping_tax, currency);
        write_amount_member(&w.json, "amount", quote->value + quote->shipping, currency);
        write_amount_member(&w.json, "tax", quote->tax + quote->shipping_tax, currency);
        write_amount_member(&w.json, "refund_due", order->balance.refund_due, currency);
        write_amount_member(&w.json, "void_due", quote->void_due, currency);
        reply_end(&w);
}

static enum problem cancel_quote_one(const struct batch *batch, struct call *call) {
        const struct order_commands *work = batch->work;
        const struct cancel_body *body = call->body;
        struct command command = call_command(batch, call);
        struct order *order = order_visible(call, &work->set);
        struct cancel_quote quote;
        enum problem p;

        command.arena = batch->arena;
        if (!order || !may_cancel(call, order) || !call_version_matches(call, order->version))
                return PROBLEM_NONE;
        p = order_cancel_quote(order, body->lines, body->n_lines, body->reason, &command, &quote);
        if (!p)
                reply_quote(call, order, &quote);
        return p == FAULT_BUSY ? p : PROBLEM_NONE;
}

static enum problem cancel_quote_decide(struct batch *batch) {
        enum problem p = PROBLEM_NONE;

        for (size_t i = 0; i < batch->n_calls && !p; i++)
                p = cancel_quote_one(batch, batch->calls[i]);
        return p;
}

const struct operation order_cancel_quote_operation = { .load = cancel_quote_load, .decide = cancel_quote_decide };
