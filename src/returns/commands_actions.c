/* The commands on a return: receive, mark as lost, cancel, refund; and dispose of its goods. */
#include "reservations/reservations.h"
#include "returns/commands.h"

#include "base/text.h"

/* ---- bodies ---- */

static const char *const arrival_acceptances[] = { "accepted", "rejected", NULL };

struct receive_body {
        const char *location; /* may be NULL */
        const struct arrival *lines;
        size_t n_lines;
        bool override;
};

static const struct shape_member arrival_members[] = {
        OPTIONAL(ENUM, struct arrival, acceptance, .names = arrival_acceptances),
        REQUIRED(ENUM, struct arrival, condition, .names = goods_condition_texts),
        OPTIONAL(ENUM, struct arrival, disposition, .names = disposition_texts),
        OPTIONAL_FLAGGED(UUID, struct arrival, id),
        OPTIONAL_FLAGGED(UUID, struct arrival, order_line_id),
        REQUIRED(INTEGER, struct arrival, quantity, BETWEEN(1, QUANTITY_MAX)),
        OPTIONAL(TEXT, struct arrival, reason, BETWEEN(1, RETURN_REASON_MAX)),
        OPTIONAL(CODE, struct arrival, sku),
};
static const struct shape arrival_shape = SHAPE(struct arrival, arrival_members);

static const struct shape_member receive_members[] = {
        OPTIONAL_LIST(struct receive_body, lines, &arrival_shape, 1, RETURN_ITEMS_MAX),
        OPTIONAL(CODE, struct receive_body, location),
        OPTIONAL(BOOLEAN, struct receive_body, override),
};
const struct shape receive_shape = SHAPE(struct receive_body, receive_members);

struct lost_body {
        const struct awaited_units *lines;
        size_t n_lines;
};

static const struct shape_member awaited_members[] = {
        OPTIONAL_FLAGGED(UUID, struct awaited_units, id),
        OPTIONAL_FLAGGED(UUID, struct awaited_units, order_line_id),
        REQUIRED(INTEGER, struct awaited_units, quantity, BETWEEN(1, QUANTITY_MAX)),
        OPTIONAL(CODE, struct awaited_units, sku),
};
static const struct shape awaited_shape = SHAPE(struct awaited_units, awaited_members);

static const struct shape_member lost_members[] = {
        OPTIONAL_LIST(struct lost_body, lines, &awaited_shape, 1, RETURN_ITEMS_MAX),
};
const struct shape lost_shape = SHAPE(struct lost_body, lost_members);

struct dispose_body {
        int disposition;
        const struct move *lines;
        size_t n_lines;
};

static const struct shape_member move_members[] = {
        REQUIRED(UUID, struct move, id),
        OPTIONAL_FLAGGED(INTEGER, struct move, quantity, BETWEEN(1, QUANTITY_MAX)),
};
static const struct shape move_shape = SHAPE(struct move, move_members);

static const struct shape_member dispose_members[] = {
        REQUIRED(ENUM, struct dispose_body, disposition, .names = disposition_texts),
        LIST(struct dispose_body, lines, &move_shape, 1, RETURN_ITEMS_MAX),
};
const struct shape dispose_shape = SHAPE(struct dispose_body, dispose_members);

struct cancel_body {
        const char *reason;
};

static const struct shape_member cancel_members[] = {
        REQUIRED(TEXT, struct cancel_body, reason, BETWEEN(1, RETURN_REASON_MAX)),
};
const struct shape return_cancel_shape = SHAPE(struct cancel_body, cancel_members);

static const struct shape_member refund_members[] = {
        OPTIONAL_FLAGGED(MONEY, struct return_refund, amount, BETWEEN(1, MONEY_MAXIMUM)),
        OPTIONAL(TEXT, struct return_refund, reason, BETWEEN(1, RETURN_REASON_MAX)),
        REQUIRED(ENUM, struct return_refund, to, .names = refund_choice_texts),
};
const struct shape return_refund_shape = SHAPE(struct return_refund, refund_members);

/* ---- checks of a body alone ---- */

static void check_name(struct call *call, size_t i, bool has_id, bool has_order_line_id, const char *sku) {
        if (has_id + has_order_line_id + (sku != NULL) != 1)
                violation_at(
                        &call->refusal, &call->arena, "#/lines", i, NULL, "one-of", "Either id, order_line_id or sku.");
}

static void refuse_names(struct call *call) {
        if (call->refusal.n_violations)
                call_refuse(call, PROBLEM_VALIDATION_FAILED,
                        "A line is named in one way: by its id, the order's line or its sku.");
}

void receive_check(struct call *call) {
        const struct receive_body *body = call->body;

        for (size_t i = 0; i < body->n_lines; i++)
                check_name(call, i, body->lines[i].has_id, body->lines[i].has_order_line_id, body->lines[i].sku);
        refuse_names(call);
        if (!call->refusal.problem && (!body->location || call_may_act_at(call, body->location)))
                return_check_override(call, body->override);
}

void lost_check(struct call *call) {
        const struct lost_body *body = call->body;

        for (size_t i = 0; i < body->n_lines; i++)
                check_name(call, i, body->lines[i].has_id, body->lines[i].has_order_line_id, body->lines[i].sku);
        refuse_names(call);
}

/* ---- loading ---- */

static enum problem find(struct batch *batch, struct return_commands **ret_work) {
        const enum problem p = return_work_begin(batch, /* locked= */ true, ret_work);

        return p ? p : return_work_find(batch, *ret_work);
}

static enum problem plain_load(struct batch *batch) {
        struct return_commands *work = NULL;
        const enum problem p = find(batch, &work);

        return p ? p : return_work_load(batch, /* locked= */ true, return_want_nothing);
}

static bool body_names_line(const struct receive_body *body, const struct order_line *line, const struct rma *rma) {
        bool named = !body->lines;

        for (size_t i = 0; i < rma->n_lines && !named; i++)
                named = rma->lines[i]->order_line == line;
        for (size_t i = 0; i < body->n_lines && !named; i++)
                named = uuid_equal(&body->lines[i].order_line_id, &line->id) ||
                        text_equal(body->lines[i].sku, line->sku);
        return named;
}

static void want_arrivals(struct return_commands *work, const struct call *call, const struct return_aim *aim) {
        const struct receive_body *body = call->body;
        const struct rma *rma = rma_find(&work->returns, call_id(call, 0));

        if (!rma)
                return;
        catalog_want_channel(&work->catalog, rma->order->channel);
        catalog_want_location(&work->catalog, aim->location);
        for (size_t i = 0; i < rma->order->n_lines; i++) {
                const struct order_line *line = &rma->order->lines[i];

                if (!body_names_line(body, line, rma))
                        continue;
                catalog_want_product(&work->catalog, line->sku);
                stock_want(&work->stock, aim->location, line->sku);
        }
}

static enum problem receive_load(struct batch *batch) {
        struct return_commands *work = NULL;
        const enum problem p = find(batch, &work);

        for (size_t i = 0; i < batch->n_calls && !p; i++) {
                const struct receive_body *body = batch->calls[i]->body;

                if (body->location)
                        work->aims[i].location = body->location;
        }
        return p ? p : return_work_load(batch, /* locked= */ true, want_arrivals);
}

static void want_moves(struct return_commands *work, const struct call *call, const struct return_aim *aim) {
        const struct rma *rma = rma_find(&work->returns, call_id(call, 0));

        (void) aim;
        for (size_t i = 0; rma && i < rma->n_lines; i++)
                if (rma->lines[i]->bucket == BUCKET_UNSELLABLE)
                        stock_want(&work->stock, rma->lines[i]->location, rma->lines[i]->order_line->sku);
}

static enum problem dispose_load(struct batch *batch) {
        struct return_commands *work = NULL;
        const enum problem p = find(batch, &work);

        return p ? p : return_work_load(batch, /* locked= */ true, want_moves);
}

/* ---- deciding ---- */

typedef enum problem (*command_rule)(
        struct call *call, struct return_commands *work, struct rma *rma, const struct command *command);

static enum problem change_one(struct batch *batch, struct call *call, command_rule rule) {
        struct return_commands *work = batch->work;
        const struct command command = return_command(batch, call);
        struct rma *rma = return_visible(batch, call);
        enum problem p;

        if (!rma || !call_version_matches(call, rma->version))
                return PROBLEM_NONE;
        p = rule(call, work, rma, &command);
        if (!p)
                return_reply(batch, call, rma, 200);
        return p;
}

static bool takes_returns(struct call *call, const struct return_commands *work, const char *code) {
        const struct location *location = catalog_find_location(&work->catalog, code);

        if (location && location->capabilities & CAN_RETURNS)
                return true;
        (void) refuse_because(&call->refusal, &call->arena, "#/location", location ? "not-capable" : "unknown-location",
                "%s", location ? "The location takes no returns." : "There is no such location.");
        call_refuse(call, PROBLEM_VALIDATION_FAILED, "The location cannot receive the goods; see `errors`.");
        return false;
}

static enum problem return_receive_one(
        struct call *call, struct return_commands *work, struct rma *rma, const struct command *command) {
        const struct receive_body *body = call->body;
        const struct return_aim *aim = call->work;
        const struct return_reception reception = {
                .rma = rma,
                .location = aim->location,
                .arrivals = body->lines,
                .n_arrivals = body->n_lines,
                .override = body->override,
                .set = &work->returns,
                .catalog = &work->catalog,
                .days = &work->days,
        };

        if (!call_may_act_at(call, aim->location))
                return PROBLEM_STORE_NOT_ALLOWED;
        if (!takes_returns(call, work, aim->location))
                return PROBLEM_VALIDATION_FAILED;
        return return_receive(&reception, command);
}

static enum problem return_lost_one(
        struct call *call, struct return_commands *work, struct rma *rma, const struct command *command) {
        const struct lost_body *body = call->body;

        (void) work;
        if (!call_may_act_at(call, rma->location))
                return PROBLEM_STORE_NOT_ALLOWED;
        return return_lose(rma, body->lines, body->n_lines, command);
}

static enum problem return_cancel_one(
        struct call *call, struct return_commands *work, struct rma *rma, const struct command *command) {
        const struct cancel_body *body = call->body;

        (void) work;
        if (!call_may_act_at(call, rma->location))
                return PROBLEM_STORE_NOT_ALLOWED;
        return return_cancel(rma, body->reason, command);
}

/* It acts where the goods lie. */
static bool may_move(struct call *call, const struct rma *rma, const struct dispose_body *body) {
        for (size_t i = 0; i < body->n_lines; i++)
                for (size_t j = 0; j < rma->n_lines; j++)
                        if (uuid_equal(&rma->lines[j]->id, &body->lines[i].id) && rma->lines[j]->location &&
                                !call_may_act_at(call, rma->lines[j]->location))
                                return false;
        return true;
}

static enum problem return_dispose_one(
        struct call *call, struct return_commands *work, struct rma *rma, const struct command *command) {
        const struct dispose_body *body = call->body;

        (void) work;
        if (!may_move(call, rma, body))
                return PROBLEM_STORE_NOT_ALLOWED;
        return return_dispose(rma, (enum disposition) body->disposition, body->lines, body->n_lines, command);
}

/* It is decided where the return was made, or where its goods are. */
static bool may_refund(struct call *call, const struct rma *rma) {
        for (size_t i = 0; i < rma->n_lines; i++)
                if (rma->lines[i]->location && token_allows_location(call->claims, rma->lines[i]->location))
                        return true;
        return call_may_act_at(call, rma->location);
}

static enum problem return_refund_one(
        struct call *call, struct return_commands *work, struct rma *rma, const struct command *command) {
        (void) work;
        if (!may_refund(call, rma))
                return PROBLEM_STORE_NOT_ALLOWED;
        return return_decide_refund(rma, call->body, command);
}

#define COMMANDS(X)                                                                                                    \
        X(cancel, plain_load, return_cancel_operation)                                                                 \
        X(dispose, dispose_load, return_dispose_operation)                                                             \
        X(lost, plain_load, return_lost)                                                                               \
        X(receive, receive_load, return_receive_operation)                                                             \
        X(refund, plain_load, return_refund_operation)

#define X(name, loads, operation_)                                                                                     \
        static enum problem name##_change(struct batch *batch, struct call *call) {                                    \
                return change_one(batch, call, return_##name##_one);                                                   \
        }                                                                                                              \
        const struct operation operation_ = {                                                                          \
                .load = loads, .documents = return_work_documents, .change = name##_change, .save = return_work_save   \
        };
COMMANDS(X)
#undef X
