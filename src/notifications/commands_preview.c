/* POST /v1/notification-templates/{kind}/{medium}/{locale}/preview: the message to the customer of an order. */
#include "notifications/commands.h"
#include "notifications/data.h"
#include "orders/commands.h"
#include "orders/lists.h"

#include "base/config.h"
#include "base/text.h"

#define HIDDEN_CODE "XXXXXXXX"

struct preview_body {
        struct uuid order_id;
};

static const struct shape_member preview_members[] = {
        REQUIRED(UUID, struct preview_body, order_id),
};
const struct shape preview_shape = SHAPE(struct preview_body, preview_members);

struct preview_work {
        struct template_set templates;
        struct order_set orders;
        struct catalog_set catalog;
};

static const struct order *previewed_order(const struct preview_work *work, const struct call *call) {
        return order_find(&work->orders, &((const struct preview_body *) call->body)->order_id);
}

/* ---- loading ---- */

static enum problem preview_orders_load(struct batch *batch, struct preview_work *work) {
        enum problem p;

        orders_init(&work->orders, batch->arena, NULL);
        for (size_t i = 0; i < batch->n_calls; i++) {
                template_want_of(&work->templates, batch->calls[i]);
                orders_want(&work->orders, &((const struct preview_body *) batch->calls[i]->body)->order_id);
        }
        p = templates_read(batch->database, &work->templates);
        if (!p)
                p = orders_read(batch->database, &work->orders);
        if (p)
                return p;
        return_places_load(batch->database, &work->orders);
        return batch_trip(batch);
}

static enum problem preview_load(struct batch *batch) {
        struct preview_work *work = arena_new(batch->arena, struct preview_work);
        enum problem p;

        if (!work)
                return FAULT_BUSY;
        batch->work = work;
        templates_init(&work->templates, batch->arena);
        catalog_init(&work->catalog, batch->arena);
        p = preview_orders_load(batch, work);
        if (p)
                return p;
        for (size_t i = 0; i < work->orders.n_rows; i++)
                catalog_want_channel(&work->catalog, work->orders.rows[i].channel);
        for (size_t i = 0; i < work->orders.n_fulfillments; i++)
                catalog_want_location(&work->catalog, work->orders.fulfillments[i]->location);
        p = catalog_load(batch->database, &work->catalog);
        return p ? p : catalog_load_zones(batch->database, &work->catalog);
}

/* ---- rendering ---- */

/* Readers of orders who may not hand over see no code. */
static const char *code_shown(struct call *call, const struct fulfillment *fulfillment) {
        const char *secret = config_text(CONFIG_PICKUP_SECRET);
        char code[PICKUP_CODE_SIZE];

        if (!fulfillment || fulfillment->method == BY_SHIPPING)
                return NULL;
        if (!call_has_scope(call, SCOPE_ORDERS_WRITE) || fulfillment->status != FULFILLMENT_READY ||
                !token_allows_location(call->claims, fulfillment->location) ||
                !pickup_code(secret, &fulfillment->id, fulfillment->pickup_serial, code))
                return HIDDEN_CODE;
        return arena_text(&call->arena, code);
}

static const struct refund *newest_refund(const struct order *order) {
        return order->balance.n_refunds ? order->balance.refunds[order->balance.n_refunds - 1] : NULL;
}

static json_t *preview_data(struct call *call, const struct preview_work *work, const struct order *order) {
        const struct fulfillment *fulfillment = notification_fulfillment(order, call_code(call, 0));
        const struct location *location =
                fulfillment ? catalog_find_location(&work->catalog, fulfillment->location) : NULL;
        const struct notification_facts facts = { .order = order,
                .fulfillment = fulfillment,
                .location = location,
                .channel = catalog_find_channel(&work->catalog, order->channel),
                .zone = location ? catalog_find_zone(&work->catalog, location->time_zone) : NULL,
                .refund = newest_refund(order),
                .pickup_code = code_shown(call, fulfillment),
                .locale = call_code(call, 2) };

        return notification_data(&facts, &call->arena);
}

/* Of an e-mail, when the channel has one. */
static void write_sender(struct writer *json, const struct call *call, const struct channel *channel) {
        const bool is_mail = text_equal(call_code(call, 1), notification_medium_texts[BY_EMAIL]);
        const struct channel_messages *messages = is_mail && channel ? channel->messages : NULL;

        write_text_member(json, "from", messages ? messages->from : NULL);
        write_text_member(json, "reply_to", messages ? messages->reply_to : NULL);
}

static void preview_render(struct call *call, const struct preview_work *work, const struct order *order,
        const struct message_text *text) {
        json_t *data = preview_data(call, work, order);
        struct message_text rendered;
        struct reply_writer w;

        if (!data) {
                call_refuse(call, PROBLEM_OVERLOADED, "There is no memory left.");
                return;
        }
        if (!template_render(text, data, &call->arena, &call->refusal, &rendered)) {
                reply_begin(&w, call, 200);
                write_text_member(&w.json, "subject", rendered.subject);
                write_text_member(&w.json, "text", rendered.text);
                write_text_member(&w.json, "html", rendered.html);
                write_sender(&w.json, call, catalog_find_channel(&work->catalog, order->channel));
                reply_end(&w);
        }
        json_decref(data);
}

static void preview_one(struct call *call, const struct preview_work *work) {
        const struct notification_template *row = template_of(&work->templates, call);
        const struct order *order = previewed_order(work, call);
        struct message_text text = row->text;

        if (!row->record.exists && !template_default(row->kind, row->medium, row->locale, &text))
                call_refuse(call, PROBLEM_NOT_FOUND, "There is no template for the locale %s.", row->locale);
        else if (order_check_visible(call, order, "order"))
                preview_render(call, work, order, &text);
}

static enum problem preview_decide(struct batch *batch) {
        const struct preview_work *work = batch->work;

        if (!catalog_zones_fit(&work->catalog))
                return FAULT_STALE;
        for (size_t i = 0; i < batch->n_calls; i++)
                preview_one(batch->calls[i], work);
        return PROBLEM_NONE;
}

const struct operation template_preview_operation = { .load = preview_load, .decide = preview_decide };
