#include "adjustments/commands.h"

#include "adjustments/adjustments.h"
#include "engine/call.h"
#include "engine/counters.h"
#include "engine/reply.h"
#include "events/commands_arguments.h"

#include "base/snapshot.h"
#include "base/text.h"

#include <inttypes.h>

/* ---- body and query ---- */

struct adjust_body {
        struct adjustment *items;
        size_t n_items;
};

struct adjust_query {
        bool atomic;
};

static const struct shape_member item_members[] = {
        OPTIONAL_FLAGGED(TIME, struct adjustment, counted_at),
        OPTIONAL_FLAGGED(INTEGER, struct adjustment, delta, BETWEEN(-STOCK_UNITS_MAX, STOCK_UNITS_MAX)),
        REQUIRED(CODE, struct adjustment, location),
        OPTIONAL_FLAGGED(INTEGER, struct adjustment, on_hand, BETWEEN(0, STOCK_UNITS_MAX)),
        REQUIRED(ENUM, struct adjustment, reason, .names = adjustment_reasons),
        OPTIONAL(TEXT, struct adjustment, reference, BETWEEN(1, 200)),
        REQUIRED(CODE, struct adjustment, sku),
        OPTIONAL_FLAGGED(INTEGER, struct adjustment, unsellable, BETWEEN(0, STOCK_UNITS_MAX)),
};
static const struct shape item_shape = SHAPE(struct adjustment, item_members);

static const struct shape_member body_members[] = {
        LIST(struct adjust_body, items, &item_shape, 1, ADJUSTMENT_ITEMS_MAX),
};
const struct shape adjust_body_shape = SHAPE(struct adjust_body, body_members);

static const struct shape_member query_members[] = {
        OPTIONAL(BOOLEAN, struct adjust_query, atomic),
};
const struct shape adjust_query_shape = SHAPE(struct adjust_query, query_members);

/* ---- one batch ---- */

struct work {
        struct stock stock;
        struct promises promises;
        struct counts counts;
        struct snapshot before; /* the item that breaks promises */
};

/* The outcome of one item. */
struct outcome {
        struct refusal refusal; /* problem 0: it was taken */
        bool moved;
        struct uuid id;     /* of the movement */
        int64_t stock_lost; /* promised units that were taken away */
        struct stock_row after;
};

static enum problem items_collect(
        const struct batch *batch, struct work *work, const struct adjustment ***ret_items, size_t *ret_n) {
        const struct adjustment **items;
        size_t n = 0;

        for (size_t i = 0; i < batch->n_calls; i++)
                n += ((const struct adjust_body *) batch->calls[i]->body)->n_items;
        items = arena_new_array(batch->arena, const struct adjustment *, n);
        if (!items)
                return FAULT_BUSY;
        n = 0;
        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct adjust_body *body = batch->calls[i]->body;

                for (size_t j = 0; j < body->n_items; j++) {
                        items[n++] = &body->items[j];
                        stock_want(&work->stock, body->items[j].location, body->items[j].sku);
                        if (!counts_want(&work->counts, &body->items[j]))
                                return FAULT_BUSY;
                }
        }
        *ret_items = items;
        *ret_n = n;
        return PROBLEM_NONE;
}

static enum problem adjust_load(struct batch *batch) {
        struct work *work = arena_new(batch->arena, struct work);
        const struct adjustment **items = NULL;
        size_t n_items = 0;
        enum problem p;

        if (!work)
                return FAULT_BUSY;
        stock_init(&work->stock, batch->arena);
        snapshot_init(&work->before, batch->arena);
        work->counts.arena = batch->arena;
        batch->work = work;
        p = items_collect(batch, work, &items, &n_items);
        if (!p)
                p = counts_peek(&work->counts, batch->database, batch->deadline);
        if (!p)
                p = promises_lock(&work->promises, batch->database, &work->stock, items, n_items, batch->deadline);
        if (!p)
                p = stock_lock(batch->database, &work->stock);
        if (!p)
                counts_ask(&work->counts, batch->database);
        if (!p)
                p = reservations_free_lapsed(batch->database, &work->stock);
        if (!p)
                p = promises_read(&work->promises, batch->database);
        return p;
}

/* ---- one item ---- */

/* An associate or a customer has the picked units, so the item cannot take them. */
static void refuse_promised(
        struct work *work, struct call *call, const struct stock_row *row, size_t index, struct outcome *outcome) {
        const int64_t available =
                row->on_hand - row->unsellable - row->reserved + promises_that_may_break(&work->promises, row);

        violation_beyond(&outcome->refusal, &call->arena, "#/items", index, NULL, "insufficient-stock", available,
                "The rest is picked for orders.");
        (void) refuse(&outcome->refusal, &call->arena, PROBLEM_INSUFFICIENT_STOCK,
                "%s at %s: %" PRId64 " can be taken, the rest is picked for orders.", row->sku, row->location,
                available);
}

static const char *document_of(const struct work *work, const struct uuid *id) {
        char text[UUID_TEXT_SIZE];

        uuid_format(id, text);
        return arena_format(work->stock.arena, "adjustment/%s", text);
}

static void item_move(struct work *work, struct stock_row *row, const struct adjustment *item,
        const struct adjustment_change *change, const char *actor, struct outcome *outcome) {
        const struct stock_cause cause = {
                .reason = adjustment_reasons[item->reason],
                .document = document_of(work, &outcome->id),
                .reference = item->reference,
                .actor = actor,
        };

        stock_move(&work->stock, row, change->on_hand, change->unsellable, &cause);
        outcome->moved = true;
}

static enum problem check_token(
        struct call *call, const struct adjustment *item, size_t index, struct refusal *refusal) {
        if (token_allows_location(call->claims, item->location))
                return PROBLEM_NONE;
        violation_at(refusal, &call->arena, "#/items", index, "location", problem_slug(PROBLEM_STORE_NOT_ALLOWED),
                "The token does not cover this location.");
        return refuse(refusal, &call->arena, PROBLEM_STORE_NOT_ALLOWED, "The token does not cover location %s.",
                item->location);
}

/* Movements of items before it, which the ledger does not know yet. */
static int64_t moved_in_batch(const struct stock *stock, const struct stock_row *row) {
        int64_t units = 0;

        for (const struct stock_movement *movement = stock->movements; movement; movement = movement->next)
                if (movement->row == row && !text_equal(movement->reason, adjustment_reasons[ADJUSTMENT_COUNT]))
                        units += movement->on_hand_change;
        return units;
}

/* An item breaks promises or is refused, and a refused item breaks none. */
static enum problem break_promises(
        struct work *work, struct stock_row *row, int64_t deficit, const struct command *command) {
        enum problem p;

        snapshot_begin(&work->before);
        stock_snapshot(&work->before, &work->stock);
        events_snapshot(&work->before, command->events);
        promises_snapshot(&work->before, &work->promises, row);
        if (work->before.exhausted)
                return FAULT_BUSY;
        p = promises_break(&work->promises, row, deficit, command);
        if (p == PROBLEM_INSUFFICIENT_STOCK)
                snapshot_restore(&work->before);
        return p;
}

/* A refused item has no effect; its refusal goes into the outcome. A fault is returned and ends the batch. */
static enum problem item_decide(
        struct work *work, struct call *call, size_t index, const struct command *command, struct outcome *outcome) {
        struct adjustment told = ((const struct adjust_body *) call->body)->items[index];
        const struct adjustment *item = &told;
        struct stock_row *row = stock_find(&work->stock, item->location, item->sku);
        struct adjustment_change change = { 0 };
        enum problem p = check_token(call, item, index, &outcome->refusal);
        int64_t deficit, reserved;

        outcome->id = uuid_new();
        if (told.has_counted_at)
                told.moved += moved_in_batch(&work->stock, row);
        if (!p)
                p = adjustment_check(item, index, &call->arena, &outcome->refusal);
        if (!p)
                p = adjustment_check_time(item, index, command->now, &call->arena, &outcome->refusal);
        if (!p)
                p = adjustment_apply(item, index, row, &call->arena, &outcome->refusal, &change);
        if (p)
                return PROBLEM_NONE;
        deficit = adjustment_deficit(row, &change);
        reserved = row->reserved;
        if (deficit)
                p = break_promises(work, row, deficit, command);
        if (p == PROBLEM_INSUFFICIENT_STOCK)
                refuse_promised(work, call, row, index, outcome);
        else if (!p && (change.on_hand || change.unsellable))
                item_move(work, row, item, &change, command->actor, outcome);
        outcome->stock_lost = reserved - row->reserved;
        outcome->after = *row;
        return p == PROBLEM_INSUFFICIENT_STOCK ? PROBLEM_NONE : p;
}

/* ---- replies ---- */

static void write_outcome(
        struct writer *json, size_t index, const struct adjustment *item, const struct outcome *outcome) {
        write_object_begin(json);
        write_integer_member(json, "index", (int64_t) index);
        if (item->reference)
                write_text_member(json, "ref", item->reference);
        if (outcome->refusal.problem) {
                write_integer_member(json, "status", problem_status(outcome->refusal.problem));
                write_name(json, "problem");
                reply_write_problem(json, &outcome->refusal);
                write_object_end(json);
                return;
        }
        write_integer_member(json, "status", outcome->moved ? 201 : 200);
        if (outcome->moved)
                write_uuid_member(json, "id", &outcome->id);
        write_text_member(json, "location", item->location);
        write_text_member(json, "sku", item->sku);
        write_integer_member(json, "on_hand", outcome->after.on_hand);
        write_integer_member(json, "unsellable", outcome->after.unsellable);
        write_integer_member(json, "reserved", outcome->after.reserved);
        write_integer_member(json, "safety_stock", outcome->after.safety_stock);
        write_integer_member(json, "available", stock_available(&outcome->after));
        if (outcome->stock_lost)
                write_integer_member(json, "stock_lost", outcome->stock_lost);
        write_object_end(json);
}

static void reply_with(struct call *call, const struct outcome *outcomes, size_t failed, unsigned status) {
        const struct adjust_body *body = call->body;
        struct reply_writer w;

        reply_begin(&w, call, status);
        write_name(&w.json, "results");
        write_list_begin(&w.json);
        for (size_t i = 0; i < body->n_items; i++)
                write_outcome(&w.json, i, &body->items[i], &outcomes[i]);
        write_list_end(&w.json);
        write_name(&w.json, "summary");
        write_object_begin(&w.json);
        write_integer_member(&w.json, "ok", (int64_t) (body->n_items - failed));
        write_integer_member(&w.json, "failed", (int64_t) failed);
        write_object_end(&w.json);
        reply_end(&w);
}

/* All or nothing: one refused item refuses the call. The call's problem is that of a location the token does not cover,
 * else that of an invalid item, else missing stock. */
static void refuse_all(struct call *call, const struct outcome *outcomes, size_t failed) {
        const size_t n = ((const struct adjust_body *) call->body)->n_items;
        enum problem problem = PROBLEM_INSUFFICIENT_STOCK;

        for (size_t i = 0; i < n; i++) {
                const struct refusal *refusal = &outcomes[i].refusal;

                if (refusal->problem == PROBLEM_STORE_NOT_ALLOWED ||
                        (refusal->problem == PROBLEM_VALIDATION_FAILED && problem == PROBLEM_INSUFFICIENT_STOCK))
                        problem = refusal->problem;
                for (const struct violation *v = refusal->violations; v; v = v->next) {
                        struct violation *copy =
                                refuse_because(&call->refusal, &call->arena, v->pointer, v->code, "%s", v->detail);

                        if (copy) {
                                copy->available = v->available;
                                copy->has_available = v->has_available;
                        }
                }
        }
        call_refuse(call, problem, "%zu of %zu items cannot be taken, so none was.", failed, n);
}

static bool is_atomic(const struct call *call) {
        return ((const struct adjust_query *) call->query)->atomic;
}

/* A list that is not atomic is never refused as a whole. */
static void adjust_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        struct work *work = batch->work;

        if (!is_atomic(call))
                return;
        snapshot_one(snapshot, work);
        stock_rows_snapshot(snapshot, &work->stock);
        promises_snapshot(snapshot, &work->promises, NULL);
}

static enum problem adjust_one(struct batch *batch, struct call *call) {
        const struct command command = call_command(batch, call);
        const struct adjust_body *body = call->body;
        const bool atomic = is_atomic(call);
        struct outcome *outcomes = arena_new_array(&call->arena, struct outcome, body->n_items);
        size_t failed = 0;

        if (!outcomes)
                return FAULT_BUSY;
        for (size_t i = 0; i < body->n_items; i++) {
                const enum problem p = item_decide(batch->work, call, i, &command, &outcomes[i]);

                if (p)
                        return p;
                failed += outcomes[i].refusal.problem != PROBLEM_NONE;
        }
        if (!atomic || !failed) {
                reply_with(call, outcomes, failed, atomic ? 200 : 207);
                return PROBLEM_NONE;
        }
        refuse_all(call, outcomes, failed);
        return PROBLEM_NONE;
}

static enum problem adjust_prepare(struct batch *batch) {
        struct work *work = batch->work;

        return promises_sort(&work->promises);
}

static enum problem adjust_save(struct batch *batch) {
        struct work *work = batch->work;
        enum problem p = stock_save(batch->database, &work->stock, batch->events, batch->now);

        for (size_t i = 0; i < work->promises.reservations.n_rows; i++)
                counter_count(COUNTER_RESERVATIONS_RELEASED, work->promises.reservations.rows[i].changed ? 1 : 0);
        return p ? p : promises_save(&work->promises, batch->database);
}

const struct operation adjust_operation = { .load = adjust_load,
        .prepare = adjust_prepare,
        .documents = adjust_documents,
        .change = adjust_one,
        .save = adjust_save };
