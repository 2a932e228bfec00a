/* GET /v1/fulfillments/{id} */
#include "fulfillment/commands.h"

#include "engine/reply.h"

#include "base/config.h"

/* How the view of the caller differs from that of staff with all scopes but admin: by actions, and by the code. */
static uint64_t view_of(const struct call *call, const struct fulfillment *fulfillment, bool sees_codes) {
        const struct action_facts facts = fulfillment_facts(fulfillment);
        const uint64_t differing = fulfillment_allowed_actions(&facts, fulfillment_powers(call)) ^
                                   fulfillment_allowed_actions(&facts, MAY_FULFILL | MAY_ORDER);
        const bool hidden = !sees_codes && fulfillment->method != BY_SHIPPING;

        return differing | (uint64_t) hidden << ACTION_COUNT;
}

static void fulfillment_show_one(struct call *call, const struct fulfillment *fulfillment) {
        const bool sees_codes = call_has_scope(call, SCOPE_ORDERS_WRITE);

        fulfillment_reply(call, fulfillment, sees_codes ? config_text(CONFIG_PICKUP_SECRET) : NULL);
        if (call->reply.status == 200)
                reply_etag_of_view(call, fulfillment->version, view_of(call, fulfillment, sees_codes));
}

static enum problem fulfillment_show_decide(struct batch *batch) {
        struct fulfillment_commands *work = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct fulfillment *fulfillment = fulfillment_visible(batch->calls[i], &work->set, batch->now);

                if (fulfillment)
                        fulfillment_show_one(batch->calls[i], fulfillment);
        }
        return PROBLEM_NONE;
}

const struct operation fulfillment_show_operation = { .load = fulfillment_read_load,
        .decide = fulfillment_show_decide };
