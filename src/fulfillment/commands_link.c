/*
 * The customer's link, and the members that it shows.
 */
#include "fulfillment/commands.h"
#include "orders/customer.h"

#include "auth/link.h"
#include "engine/reply.h"

/* ---- a new link ---- */

static void reply_with_token(struct call *call, const struct fulfillment *fulfillment, const char *token) {
        struct reply_writer w;

        reply_begin(&w, call, 200);
        write_text_member(&w.json, "token", token);
        write_time_member(&w.json, "expires_at", fulfillment->link.expires_at);
        reply_end(&w);
        reply_etag(call, fulfillment->version);
}

/* The route keeps no replies, so this reply is the only copy of the token. */
static enum problem issue_one(struct batch *batch, struct call *call) {
        const struct fulfillment_commands *work = batch->work;
        struct fulfillment *fulfillment = fulfillment_visible(call, &work->set, batch->now);
        const struct command command = fulfillment_command(batch, call);
        uint8_t *digest = arena_alloc(&call->arena, DIGEST_SIZE);
        char token[LINK_TOKEN_SIZE];
        enum problem p;

        if (!fulfillment || !call_version_matches(call, fulfillment->version))
                return PROBLEM_NONE;
        if (!digest)
                return call_refuse(call, PROBLEM_OVERLOADED, "There is no memory left.");
        link_token_new(token, digest);
        p = fulfillment_issue_link(fulfillment, digest, &command);
        if (!p)
                reply_with_token(call, fulfillment, token);
        return p;
}

const struct operation fulfillment_link_operation = { .load = fulfillment_commands_load,
        .documents = fulfillment_commands_documents,
        .change = issue_one,
        .save = fulfillment_commands_save };

/* ---- the customer's view ---- */

static void write_customer_check_in(struct writer *json, const struct check_in *check_in) {
        write_name(json, "check_in");
        if (check_in->state == CHECK_IN_NONE) {
                write_null(json);
                return;
        }
        write_object_begin(json);
        write_text_member(json, "state", check_in_lifecycle.states[check_in->state]);
        write_text_member(json, "bay", check_in->bay);
        write_time_member(json, "on_the_way_at", check_in->on_the_way_at);
        write_time_member(json, "arrived_at", check_in->arrived_at);
        write_object_end(json);
}

void fulfillment_reply_to_customer(struct call *call, const struct fulfillment *fulfillment) {
        const char *name = order_customer_name(fulfillment->order, &call->arena);
        struct reply_writer w;

        reply_begin(&w, call, 200);
        write_uuid_member(&w.json, "id", &fulfillment->id);
        write_text_member(&w.json, "order_number", fulfillment->order->number);
        write_text_member(&w.json, "customer_name", name ? customer_short_name(name, &call->arena) : NULL);
        write_text_member(&w.json, "method", fulfillment_method_texts[fulfillment->method]);
        write_text_member(&w.json, "location", fulfillment->location);
        write_text_member(&w.json, "status", fulfillment_shown_status(fulfillment));
        write_time_member(&w.json, "promised_at", fulfillment->promised_at);
        write_time_member(&w.json, "hold_until", fulfillment_held_until(fulfillment));
        write_customer_check_in(&w.json, &fulfillment->check_in);
        write_integer_member(&w.json, "version", fulfillment->version);
        reply_end(&w);
        reply_etag(call, fulfillment->version);
}

static enum problem status_decide(struct batch *batch) {
        const struct fulfillment_commands *work = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct fulfillment *fulfillment = fulfillment_visible(batch->calls[i], &work->set, batch->now);

                if (fulfillment)
                        fulfillment_reply_to_customer(batch->calls[i], fulfillment);
        }
        return PROBLEM_NONE;
}

const struct operation fulfillment_status_operation = { .load = fulfillment_read_load, .decide = status_decide };
