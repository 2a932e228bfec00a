/* GET /v1/locations/{code}/queue/counts: queue counts, for the tabs of a store's app. */
#include "engine/reply.h"
#include "queue/commands.h"

#include "base/text.h"

struct work {
        struct queue_heads heads;
        struct queue_counts counts;
        const char **views; /* of each call */
};

static enum problem counts_load(struct batch *batch) {
        struct work *work = arena_new(batch->arena, struct work);
        enum problem p;

        if (!work)
                return FAULT_BUSY;
        work->counts.arena = batch->arena;
        work->views = arena_new_array(batch->arena, const char *, batch->n_calls);
        if (!work->views)
                return FAULT_BUSY;
        batch->work = work;
        p = queue_heads_load(batch, &work->heads);
        for (size_t i = 0; i < batch->n_calls && !p; i++) {
                work->views[i] = queue_view(batch->calls[i]);
                if (!work->views[i])
                        return FAULT_BUSY;
        }
        return p ? p : queue_counts_ask(batch->database, &work->heads, &work->counts);
}

static const struct queue_count *count_of(const struct work *work, const char *location) {
        static const struct queue_count empty = { .changes_at = TIMESTAMP_NONE };

        for (size_t i = 0; i < work->counts.n; i++)
                if (text_equal(work->counts.at[i].location, location))
                        return &work->counts.at[i];
        return &empty;
}

static void counts_one(struct call *call, const struct work *work, const char *view) {
        const struct queue_head *head = queue_head_find(&work->heads, call_code(call, 0));
        const struct queue_count *count = count_of(work, call_code(call, 0));
        struct reply_writer w;

        reply_begin(&w, call, 200);
        for (int status = 0; status < CARD_STATUS_COUNT; status++)
                write_integer_member(&w.json, card_status_texts[status], count->n[status]);
        write_integer_member(&w.json, "overdue", count->overdue);
        reply_end(&w);
        queue_tag_reply(call, head, view, count->changes_at);
}

static enum problem counts_decide(struct batch *batch) {
        const struct work *work = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];

                if (!call->refusal.problem)
                        counts_one(call, work, work->views[i]);
        }
        return PROBLEM_NONE;
}

const struct operation queue_counts = { .look = queue_look, .load = counts_load, .decide = counts_decide };
