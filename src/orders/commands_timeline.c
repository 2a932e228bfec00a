#include "engine/call.h"
#include "engine/reply.h"
#include "orders/commands.h"
#include "orders/lists.h"

struct timelines_work {
        struct order_set set;
        struct timeline *timelines; /* one a call */
};

static enum problem timeline_load_all(struct batch *batch) {
        struct timelines_work *work = arena_new(batch->arena, struct timelines_work);
        enum problem p = PROBLEM_NONE;

        if (!work)
                return FAULT_BUSY;
        work->timelines = arena_new_array(batch->arena, struct timeline, batch->n_calls);
        if (!work->timelines)
                return FAULT_BUSY;
        orders_init(&work->set, batch->arena, NULL);
        for (size_t i = 0; i < batch->n_calls && !p; i++) {
                struct call *call = batch->calls[i];

                work->timelines[i].arena = batch->arena;
                call->work = &work->timelines[i];
                orders_want(&work->set, call_id(call, 0));
                p = timeline_load(batch->database, call_id(call, 0), &work->timelines[i]);
        }
        batch->work = work;
        if (!p)
                p = orders_read(batch->database, &work->set);
        if (!p)
                return_places_load(batch->database, &work->set);
        return p;
}

static void timeline_one(struct call *call) {
        const struct timeline *timeline = call->work;
        struct reply_writer w;

        reply_begin(&w, call, 200);
        write_name(&w.json, "data");
        timeline_write(&w.json, timeline);
        write_text_member(&w.json, "next_cursor", NULL);
        reply_end(&w);
}

static enum problem timeline_decide(struct batch *batch) {
        const struct timelines_work *work = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++)
                if (order_visible(batch->calls[i], &work->set))
                        timeline_one(batch->calls[i]);
        return PROBLEM_NONE;
}

const struct operation order_timeline_operation = { .load = timeline_load_all, .decide = timeline_decide };
