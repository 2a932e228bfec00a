#include "adjustments/commands_import.h"

#include "adjustments/adjustments.h"
#include "engine/reply.h"

struct figures_body {
        struct imported_figure *items;
        size_t n_items;
};

static const struct shape_member item_members[] = {
        REQUIRED(CODE, struct imported_figure, location),
        REQUIRED(UUID, struct imported_figure, movement),
        REQUIRED(CODE, struct imported_figure, sku),
};
static const struct shape item_shape = SHAPE(struct imported_figure, item_members);

static const struct shape_member body_members[] = {
        LIST(struct figures_body, items, &item_shape, 1, ADJUSTMENT_ITEMS_MAX),
};
const struct shape stock_overridden_shape = SHAPE(struct figures_body, body_members);

static enum problem overridden_load(struct batch *batch) {
        int64_t *overridden = arena_new_array(batch->arena, int64_t, batch->n_calls);
        enum problem p = overridden ? PROBLEM_NONE : FAULT_BUSY;

        for (size_t i = 0; i < batch->n_calls && !p; i++) {
                const struct figures_body *body = batch->calls[i]->body;

                batch->calls[i]->work = &overridden[i];
                p = overridden_ask(batch->database, batch->arena, body->items, body->n_items, &overridden[i]);
        }
        return p;
}

static enum problem overridden_decide(struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++) {
                const int64_t *overridden = batch->calls[i]->work;
                struct reply_writer w;

                reply_begin(&w, batch->calls[i], 200);
                write_integer_member(&w.json, "overridden", *overridden);
                reply_end(&w);
        }
        return PROBLEM_NONE;
}

const struct operation stock_overridden_operation = { .load = overridden_load, .decide = overridden_decide };
