/* GET /v1/orders/{id} */
#include "orders/commands.h"

#include "engine/reply.h"
#include "orders/lists.h"

#include "base/config.h"

static enum problem order_show_load(struct batch *batch) {
        struct order_commands *work = NULL;
        enum problem p = order_work_begin(batch, /* locked= */ false, &work);

        if (!p)
                p = orders_read(batch->database, &work->set);
        if (!p)
                return_places_load(batch->database, &work->set);
        return p;
}

static void order_show_one(struct call *call, const struct order *order) {
        const struct token_claims *claims = call->claims;
        const bool sees_codes = call_has_scope(call, SCOPE_ORDERS_WRITE);
        const struct code_viewer viewer = { sees_codes ? "" : NULL, claims->all_locations, claims->locations,
                claims->n_locations };

        order_reply(call, order, 200, sees_codes ? config_text(CONFIG_PICKUP_SECRET) : NULL);
        if (call->reply.status == 200)
                reply_etag_of_view(call, order->version, order_view_of(order, &viewer));
}

static enum problem order_show_decide(struct batch *batch) {
        struct order_commands *work = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct order *order = order_visible(batch->calls[i], &work->set);

                if (order)
                        order_show_one(batch->calls[i], order);
        }
        return PROBLEM_NONE;
}

const struct operation order_show_operation = { .load = order_show_load, .decide = order_show_decide };
