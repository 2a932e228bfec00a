#include "queue/commands.h"

#include "engine/reply.h"
#include "events/topics.h"

#include <stdio.h>

const char *queue_topic(struct call *call) {
        return topic_name(&call->arena, TOPIC_QUEUE, call_code(call, 0));
}

const char *queue_events_topic(struct call *call) {
        return topic_name(&call->arena, TOPIC_EVENTS_AT, call_code(call, 0));
}

const char *queue_view(struct call *call) {
        const uint8_t powers = (uint8_t) fulfillment_powers(call);
        const struct digest_part parts[] = { digest_text(call->target), { &powers, sizeof(powers) } };
        char *view = arena_alloc(&call->arena, VIEW_SIZE);
        uint8_t digest[DIGEST_SIZE];

        if (!view)
                return NULL;
        digest_parts(parts, array_size(parts), digest);
        for (size_t i = 0; i < VIEW_SIZE / 2; i++)
                (void) snprintf(view + 2 * i, 3, "%02x", digest[i]);
        return view;
}

enum problem queue_heads_load(struct batch *batch, struct queue_heads *heads) {
        const char **locations = arena_new_array(batch->arena, const char *, batch->n_calls);
        enum problem p;

        if (!locations)
                return FAULT_BUSY;
        for (size_t i = 0; i < batch->n_calls; i++)
                locations[i] = call_code(batch->calls[i], 0);
        *heads = (struct queue_heads){ .arena = batch->arena };
        p = queue_heads_ask(batch->database, heads, locations, batch->n_calls);
        if (!p)
                p = batch_trip(batch);
        for (size_t i = 0; i < batch->n_calls && !p; i++) {
                const struct queue_head *head = queue_head_find(heads, locations[i]);

                if (!head || !head->exists)
                        call_refuse_unknown(batch->calls[i], "location", locations[i]);
        }
        return p;
}

static void queue_headers(struct call *call, const char *tag) {
        call->reply.etag = tag;
        call->reply.cache_control = "private, no-cache";
        call->reply.vary = "Authorization, Accept-Encoding";
}

void queue_tag_reply(struct call *call, const struct queue_head *head, const char *view, timestamp changes_at) {
        if (call->reply.status == 200)
                queue_headers(call, queue_tag(&call->arena, head->location, head->revision, view, changes_at));
}

static enum problem settle_unchanged(struct call *call, const struct queue_head *head) {
        const char *view = queue_view(call);
        timestamp changes_at;

        if (!view)
                return FAULT_BUSY;
        if (!queue_tag_holds(call->if_none_match, head->location, head->revision, view, head->now, &changes_at))
                return PROBLEM_NONE;
        if (call->may_wait) {
                call_park(call, arena_format(&call->arena, "%s %s", view, call->if_none_match),
                        changes_at == TIMESTAMP_NONE ? WAIT_MAX_S * SECOND : changes_at - head->now);
                return call->park.key ? PROBLEM_NONE : FAULT_BUSY;
        }
        call->reply = (struct reply){ .status = 304 };
        queue_headers(call, queue_tag(&call->arena, head->location, head->revision, view, changes_at));
        return PROBLEM_NONE;
}

static bool anybody_knows_a_tag(const struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++)
                if (batch->calls[i]->if_none_match)
                        return true;
        return false;
}

enum problem queue_look(struct batch *batch) {
        struct queue_heads heads;
        enum problem p = anybody_knows_a_tag(batch) ? queue_heads_load(batch, &heads) : PROBLEM_NONE;

        for (size_t i = 0; i < batch->n_calls && !p; i++)
                if (batch->calls[i]->if_none_match && !batch->calls[i]->refusal.problem)
                        p = settle_unchanged(batch->calls[i], queue_head_find(&heads, call_code(batch->calls[i], 0)));
        return p;
}
