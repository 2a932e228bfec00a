#include "returns/commands_import.h"

#include "engine/reply.h"
#include "orders/import.h"
#include "returns/commands.h"
#include "returns/import.h"

#include "base/text.h"

#define TIME_MIN 16 /* "2010-12-01 08:26" */
#define TIME_MAX 20 /* "2010-12-01 08:26:00Z" */

static const struct shape_member line_members[] = {
        REQUIRED(INTEGER, struct import_return_line, bought, BETWEEN(1, QUANTITY_MAX)),
        REQUIRED(INTEGER, struct import_return_line, quantity, BETWEEN(1, QUANTITY_MAX)),
        REQUIRED(CODE, struct import_return_line, sku),
        REQUIRED(MONEY, struct import_return_line, unit_price, BETWEEN(0, MONEY_MAXIMUM)),
};
static const struct shape line_shape = SHAPE(struct import_return_line, line_members);

static const struct shape_member return_members[] = {
        REQUIRED(CODE, struct import_return, channel),
        REQUIRED(TEXT, struct import_return, external_ref, BETWEEN(1, 100)),
        LIST(struct import_return, lines, &line_shape, 1, RETURN_LINES_MAX),
        REQUIRED(CODE, struct import_return, location),
        REQUIRED(TEXT, struct import_return, order, BETWEEN(1, 100)),
        REQUIRED(TEXT, struct import_return, received_at, BETWEEN(TIME_MIN, TIME_MAX)),
};
const struct shape return_import_shape = SHAPE(struct import_return, return_members);

/* ---- load ---- */

/* When each call was, and of which order it is. */
static enum problem find_imported_orders(struct batch *batch, struct return_commands *work) {
        struct placing known = { .arena = batch->arena,
                .refs = arena_new_array(batch->arena, struct order_ref, batch->n_calls),
                .orders = arena_new_array(batch->arena, struct order *, batch->n_calls) };
        enum problem p = known.refs && known.orders ? PROBLEM_NONE : FAULT_BUSY;

        if (p)
                return p;
        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct import_return *body = batch->calls[i]->body;

                work->times[i] = (struct local_time){ body->location, body->received_at, TIMESTAMP_NONE };
                known.refs[known.n_refs++] = (struct order_ref){ body->channel, body->order };
        }
        local_times_ask(batch->database, batch->arena, work->times, batch->n_calls);
        p = placing_find_known(batch->database, &known);
        if (!p)
                p = batch_trip(batch);
        for (size_t i = 0; i < batch->n_calls && !p; i++)
                for (size_t j = 0; j < known.n_orders; j++) {
                        const struct import_return *body = batch->calls[i]->body;
                        const struct order *order = known.orders[j];

                        if (text_equal(order->channel, body->channel) && text_equal(order->external_ref, body->order))
                                work->aims[i] = (struct return_aim){ order->id, body->location };
                }
        return p;
}

static enum problem return_import_load(struct batch *batch) {
        struct return_commands *work = NULL;
        enum problem p = return_work_begin(batch, /* locked= */ true, &work);

        if (p)
                return p;
        work->times = arena_new_array(batch->arena, struct local_time, batch->n_calls);
        p = work->times ? find_imported_orders(batch, work) : FAULT_BUSY;
        return p ? p : return_work_load(batch, /* locked= */ true, return_want_nothing);
}

/* ---- decide ---- */

static enum problem reply_known(struct call *call, const struct rma *rma, const struct local_time *received) {
        const struct import_return *body = call->body;
        bool *answered = arena_new_array(&call->arena, bool, rma->n_lines);
        struct reply_writer w;

        if (!answered)
                return FAULT_BUSY;
        reply_begin(&w, call, 200);
        write_name(&w.json, "missing");
        write_list_begin(&w.json);
        for (size_t i = 0; i < body->n_lines; i++)
                if (!import_return_has(rma, &body->lines[i], answered))
                        write_integer(&w.json, (int64_t) i);
        write_list_end(&w.json);
        write_name(&w.json, "otherwise");
        write_list_begin(&w.json);
        if (rma->created_at != received->instant)
                write_text(&w.json, "date");
        if (!text_equal(rma->location, body->location))
                write_text(&w.json, "location");
        write_list_end(&w.json);
        reply_end(&w);
        return PROBLEM_NONE;
}

static void reply_imported_return(struct call *call, const struct rma *rma) {
        struct reply_writer w;

        reply_begin(&w, call, 201);
        write_uuid_member(&w.json, "id", &rma->id);
        write_text_member(&w.json, "return_number", rma->number);
        reply_end(&w);
}

static enum problem take_one(struct batch *batch, struct call *call, struct order *order) {
        struct return_commands *work = batch->work;
        const struct return_aim *aim = call->work;
        const struct local_time *received = &work->times[aim - work->aims];
        const char *number = import_return_number(call->body, &call->arena);
        const struct command command = return_command(batch, call);
        struct rma *rma = NULL;
        enum problem p;

        if (!number)
                return FAULT_BUSY;
        rma = import_return_find(&work->returns, order, number);
        if (rma)
                return reply_known(call, rma, received);
        if (received->instant == TIMESTAMP_NONE || received->instant > batch->now) {
                (void) refuse_because(&call->refusal, &call->arena, "#/received_at", "out-of-range", "%s",
                        "The time is in the future, or the location is unknown.");
                return call_refuse(call, PROBLEM_VALIDATION_FAILED, "The return cannot be imported; see `errors`.");
        }
        p = import_return_take(&work->returns, order, call->body, received->instant, &command, &rma);
        if (!p)
                reply_imported_return(call, rma);
        return p;
}

static enum problem return_import_one(struct batch *batch, struct call *call) {
        struct order *order = return_order(call, batch->work, call->work);

        return order ? take_one(batch, call, order) : PROBLEM_NONE;
}

const struct operation return_import_operation = { .load = return_import_load,
        .documents = return_work_documents,
        .change = return_import_one,
        .save = return_work_save };
