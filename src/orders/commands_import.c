#include "orders/commands_import.h"

#include "engine/reply.h"
#include "events/commands_arguments.h"
#include "orders/import.h"
#include "orders/orders.h"

#include "base/snapshot.h"

#define COUNTRY_MAX 100
#define TIME_MAX    20 /* "2010-12-01 08:26:00Z" */
#define TITLE_MAX   300

static const struct shape_member line_members[] = {
        REQUIRED(INTEGER, struct import_line_body, quantity, BETWEEN(1, QUANTITY_MAX)),
        REQUIRED(CODE, struct import_line_body, sku),
        OPTIONAL(TEXT, struct import_line_body, title, BETWEEN(1, TITLE_MAX)),
        REQUIRED(MONEY, struct import_line_body, unit_price, BETWEEN(0, MONEY_MAXIMUM)),
};
static const struct shape line_shape = SHAPE(struct import_line_body, line_members);

static const struct shape_member customer_members[] = {
        OPTIONAL(TEXT, struct customer_body, customer_id, BETWEEN(1, 100)),
        REQUIRED(TEXT, struct customer_body, name, BETWEEN(1, 200)),
};
static const struct shape customer_shape = SHAPE(struct customer_body, customer_members);

static const struct shape_member order_import_members[] = {
        REQUIRED(CODE, struct import_order_body, channel),
        OPTIONAL(TEXT, struct import_order_body, country, BETWEEN(1, COUNTRY_MAX)),
        REQUIRED(TEXT, struct import_order_body, currency, BETWEEN(3, 3)),
        REQUIRED(OBJECT, struct import_order_body, customer, .shape = &customer_shape),
        REQUIRED(TEXT, struct import_order_body, external_ref, BETWEEN(1, 100)),
        LIST(struct import_order_body, lines, &line_shape, 1, ORDER_LINES_MAX),
        REQUIRED(CODE, struct import_order_body, location),
        REQUIRED(TEXT, struct import_order_body, placed_at, BETWEEN(1, TIME_MAX)),
};
const struct shape order_import_shape = SHAPE(struct import_order_body, order_import_members);

void order_import_body_check(struct call *call) {
        (void) order_import_check(call->body, &call->arena, &call->refusal);
}

/* ---- importing ---- */

static enum problem order_import_begin(struct batch *batch, struct placing **ret_placing) {
        struct placing *placing = arena_new(batch->arena, struct placing);

        if (!placing)
                return FAULT_BUSY;
        placing->arena = batch->arena;
        catalog_init(&placing->catalog, batch->arena);
        placing->orders = arena_new_array(batch->arena, struct order *, 2 * batch->n_calls);
        placing->refs = arena_new_array(batch->arena, struct order_ref, batch->n_calls);
        if (!placing->orders || !placing->refs)
                return FAULT_BUSY;
        batch->work = placing;
        *ret_placing = placing;
        return PROBLEM_NONE;
}

static void imported_order_want(struct placing *placing, const struct import_order_body *body) {
        placing->refs[placing->n_refs++] = (struct order_ref){ body->channel, body->external_ref };
        catalog_want_channel(&placing->catalog, body->channel);
        for (size_t i = 0; i < body->n_lines; i++)
                catalog_want_product(&placing->catalog, body->lines[i].sku);
}

/* Nothing is locked: the unique key finds a concurrent import of the same order. */
static enum problem order_import_load(struct batch *batch) {
        struct local_time *times = arena_new_array(batch->arena, struct local_time, batch->n_calls);
        struct placing *placing = NULL;
        enum problem p = order_import_begin(batch, &placing);

        if (p || !times)
                return FAULT_BUSY;
        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct import_order_body *body = batch->calls[i]->body;

                imported_order_want(placing, body);
                times[i] = (struct local_time){ body->location, body->placed_at, TIMESTAMP_NONE };
                batch->calls[i]->work = &times[i];
        }
        local_times_ask(batch->database, batch->arena, times, batch->n_calls);
        p = placing_find_known(batch->database, placing);
        return p ? p : catalog_load(batch->database, &placing->catalog);
}

static void reply_imported(struct call *call, const struct order *order) {
        struct reply_writer w;

        reply_begin(&w, call, 201);
        write_uuid_member(&w.json, "id", &order->id);
        write_text_member(&w.json, "order_number", order->number);
        reply_end(&w);
}

static void order_import_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        struct placing *placing = batch->work;

        (void) call;
        snapshot_one(snapshot, placing);
}

static enum problem order_import_one(struct batch *batch, struct call *call) {
        const struct command command = call_command(batch, call);
        const struct local_time *placed_at = call->work;
        struct order *order = NULL;
        const enum problem p = order_import_decide(batch->work, call->body, placed_at->instant, &command, &order);

        if (!p)
                reply_imported(call, order);
        return p;
}

static enum problem order_import_save(struct batch *batch) {
        struct placing *placing = batch->work;

        return orders_insert(batch->database, batch->arena, placing->orders + placing->n_orders - placing->n_placed,
                placing->n_placed);
}

const struct operation order_import_operation = { .load = order_import_load,
        .documents = order_import_documents,
        .change = order_import_one,
        .save = order_import_save };

/* ---- comparing ---- */

static enum problem compare_load(struct batch *batch) {
        struct known_orders *orders = arena_new(batch->arena, struct known_orders);
        struct order_ref *refs = arena_new_array(batch->arena, struct order_ref, batch->n_calls);
        struct local_time *times = arena_new_array(batch->arena, struct local_time, batch->n_calls);

        if (!orders || !refs || !times)
                return FAULT_BUSY;
        *orders = (struct known_orders){ batch->arena,
                arena_new_array(batch->arena, struct known_order, batch->n_calls), batch->n_calls };
        if (!orders->at)
                return FAULT_BUSY;
        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct import_order_body *body = batch->calls[i]->body;

                refs[i] = (struct order_ref){ body->channel, body->external_ref };
                times[i] = (struct local_time){ body->location, body->placed_at, TIMESTAMP_NONE };
                batch->calls[i]->work = &times[i];
        }
        batch->work = orders;
        local_times_ask(batch->database, batch->arena, times, batch->n_calls);
        known_orders_ask(batch->database, refs, batch->n_calls, orders);
        return PROBLEM_NONE;
}

static void compare_one(struct call *call, struct known_order *order) {
        const struct import_order_body *body = call->body;
        const struct local_time *placed_at = call->work;
        const char *names[KNOWN_NAMES];
        struct reply_writer w;
        size_t n;

        if (!order->n_lines) {
                call_refuse_unknown(call, "order", body->external_ref);
                return;
        }
        reply_begin(&w, call, 200);
        write_name(&w.json, "missing");
        write_list_begin(&w.json);
        for (size_t i = 0; i < body->n_lines; i++)
                if (!known_line_match(order, &body->lines[i]))
                        write_integer(&w.json, (int64_t) i);
        write_list_end(&w.json);
        write_name(&w.json, "otherwise");
        write_list_begin(&w.json);
        n = known_order_differs(order, body, placed_at->instant, names);
        for (size_t i = 0; i < n; i++)
                write_text(&w.json, names[i]);
        write_list_end(&w.json);
        reply_end(&w);
}

/* A batch of reads keeps all its calls in their order, so the place of a call is the place of its order. */
static enum problem compare_decide(struct batch *batch) {
        const struct known_orders *orders = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++)
                compare_one(batch->calls[i], &orders->at[i]);
        return PROBLEM_NONE;
}

const struct operation order_compare_operation = { .load = compare_load, .decide = compare_decide };
