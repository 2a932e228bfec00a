/* GET and POST /v1/orders/{id}/notifications: the messages about an order, and another one. */
#include "notifications/commands.h"
#include "notifications/store_messages.h"
#include "orders/commands.h"
#include "orders/lists.h"

#include "base/config.h"
#include "base/snapshot.h"
#include "engine/reply.h"

struct messages_work {
        struct order_set orders;
        struct catalog_set catalog;
        struct message_list known, added;
};

/* ---- loading ---- */

static enum problem messages_load(struct batch *batch) {
        struct messages_work *work = arena_new(batch->arena, struct messages_work);
        struct uuid *ids = arena_new_array(batch->arena, struct uuid, batch->n_calls);
        size_t n = 0;
        enum problem p;

        if (!work || !ids)
                return FAULT_BUSY;
        batch->work = work;
        work->known.arena = work->added.arena = batch->arena;
        orders_init(&work->orders, batch->arena, NULL);
        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct uuid *id = call_id(batch->calls[i], 0);

                orders_want(&work->orders, id);
                ids[n] = *id;
                n += !uuid_is_repeated(ids, n, sizeof(*ids));
        }
        p = orders_read(batch->database, &work->orders);
        if (p)
                return p;
        return_places_load(batch->database, &work->orders);
        messages_of_orders_ask(batch->database, ids, n, &work->known);
        return PROBLEM_NONE;
}

/* ---- GET ---- */

static enum problem messages_decide(struct batch *batch) {
        const struct messages_work *work = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                struct reply_writer w;

                if (!order_visible(call, &work->orders))
                        continue;
                reply_begin(&w, call, 200);
                write_name(&w.json, "data");
                messages_write(&w.json, &work->known, call_id(call, 0));
                write_text_member(&w.json, "next_cursor", NULL);
                reply_end(&w);
        }
        return PROBLEM_NONE;
}

const struct operation messages_list_operation = { .load = messages_load, .decide = messages_decide };

/* ---- POST ---- */

struct message_body {
        int kind;
        const char *to; /* may be NULL */
};

static const struct shape_member message_members[] = {
        REQUIRED(ENUM, struct message_body, kind, .names = notification_kind_texts),
        OPTIONAL(TEXT, struct message_body, to, BETWEEN(3, MAIL_ADDRESS_MAX)),
};
const struct shape message_shape = SHAPE(struct message_body, message_members);

static enum problem message_send_load(struct batch *batch) {
        enum problem p = messages_load(batch);
        struct messages_work *work = batch->work;

        if (!p)
                p = batch_trip(batch);
        if (p)
                return p;
        catalog_init(&work->catalog, batch->arena);
        for (size_t i = 0; i < work->orders.n_rows; i++)
                catalog_want_channel(&work->catalog, work->orders.rows[i].channel);
        return catalog_load(batch->database, &work->catalog);
}

static void message_send_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        (void) call;
        snapshot_one(snapshot, (struct messages_work *) batch->work);
}

static size_t messages_count(const struct message_list *list, const struct uuid *order_id) {
        size_t n = 0;

        for (size_t i = 0; i < list->n; i++)
                n += uuid_equal(&list->at[i].order_id, order_id);
        return n;
}

static void message_reply(struct call *call, const struct message *message) {
        char order_id[UUID_TEXT_SIZE];
        struct reply_writer w;

        reply_begin(&w, call, 201);
        message_write(&w.json, message);
        reply_end(&w);
        uuid_format(call_id(call, 0), order_id);
        call->reply.location = arena_format(&call->arena, "/v1/orders/%s/notifications", order_id);
}

static enum problem message_send_one(struct batch *batch, struct call *call) {
        struct messages_work *work = batch->work;
        const struct order *order = order_visible(call, &work->orders);
        const struct message_body *body = call->body;
        struct message message;

        if (!order)
                return call->refusal.problem;
        const struct message_request request = { .kind = body->kind,
                .to = body->to,
                .actor = call->claims->subject,
                .n_before = messages_count(&work->known, &order->id) + messages_count(&work->added, &order->id),
                .mails = config_text(CONFIG_SMTP_URL) != NULL };
        if (!message_ask(&request, order, catalog_find_channel(&work->catalog, order->channel), batch->now,
                    &call->arena, &call->refusal, &message))
                return call->refusal.problem;
        if (!message_list_add(&work->added, &message))
                return FAULT_BUSY;
        message_reply(call, &message);
        return PROBLEM_NONE;
}

static enum problem message_send_save(struct batch *batch) {
        const struct messages_work *work = batch->work;

        messages_insert(batch->database, &work->added);
        return PROBLEM_NONE;
}

const struct operation message_send_operation = { .load = message_send_load,
        .documents = message_send_documents,
        .change = message_send_one,
        .save = message_send_save };
