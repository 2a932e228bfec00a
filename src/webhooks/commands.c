#include "webhooks/commands.h"

#include "base/text.h"
#include "engine/reply.h"
#include "events/events.h"
#include "webhooks/commands_bodies.h"
#include "webhooks/commands_work.h"

static void webhook_event_add(
        struct batch *batch, const struct call *call, enum event_type type, const struct webhook *webhook) {
        struct event *event = event_add(batch->events, type, call->claims->subject);

        event_about(event, SUBJECT_WEBHOOK, &webhook->id, &webhook->version);
}

/* ---- making one ---- */

static enum problem webhook_create_load(struct batch *batch) {
        struct webhook_work *work = NULL;
        const enum problem p = webhook_work_begin(batch, &work);

        if (p)
                return p;
        webhooks_count_locked(batch->database, &work->set);
        event_log_bounds_ask(batch->database, &work->bounds);
        return PROBLEM_NONE;
}

static struct webhook *webhook_from(const struct batch *batch, const struct call *call, int64_t cursor) {
        struct webhook *webhook = arena_new(batch->arena, struct webhook);

        if (!webhook)
                return NULL;
        *webhook = (struct webhook){ .id = uuid_new(),
                .state = WEBHOOK_ACTIVE,
                .actor = call->claims->subject,
                .created_at = batch->now,
                .updated_at = batch->now,
                .version = 1,
                .cursor = cursor,
                .head = cursor,
                .previous_until = TIMESTAMP_NONE,
                .failing_since = TIMESTAMP_NONE,
                .last_success_at = TIMESTAMP_NONE,
                .is_new = true };
        return webhook_body_take(call->body, batch->arena, webhook) ? webhook : NULL;
}

static enum problem webhook_create_one(struct batch *batch, struct call *call) {
        struct webhook_work *work = batch->work;
        char secret[WEBHOOK_SECRET_TEXT_SIZE], id[UUID_TEXT_SIZE];
        struct webhook *webhook;

        if (work->set.total + (int64_t) work->n_touched >= WEBHOOKS_MAX) {
                call_refuse(
                        call, PROBLEM_TOO_MANY, "A market has at most %d webhooks; delete one first.", WEBHOOKS_MAX);
                return PROBLEM_NONE;
        }
        webhook = webhook_from(batch, call, work->bounds.position);
        if (!webhook || !webhook_secret_make(webhook, batch->arena, secret))
                return FAULT_BUSY;
        work->touched[work->n_touched++] = webhook;
        webhook_event_add(batch, call, EVENT_WEBHOOK_CREATED, webhook);
        webhook_reply(batch, call, webhook, 201, secret);
        uuid_format(&webhook->id, id);
        call->reply.location = arena_format(&call->arena, "/v1/webhooks/%s", id);
        return PROBLEM_NONE;
}

const struct operation webhook_create_operation = { .load = webhook_create_load,
        .documents = webhook_work_documents,
        .change = webhook_create_one,
        .save = webhook_work_save };

/* ---- one that exists ---- */

static bool webhook_is_same(const struct webhook *a, const struct webhook *b) {
        return text_equal(a->url, b->url) && text_equal(a->types, b->types) && text_equal(a->locations, b->locations) &&
               text_equal(a->channels, b->channels) && text_equal(a->description, b->description) &&
               a->mode == b->mode && a->max_in_flight == b->max_in_flight;
}

/* Replaces all that the body has; state, secret and progress stay. An equal body keeps the version. */
static enum problem put_one(struct batch *batch, struct call *call) {
        struct webhook *webhook = webhook_of(batch, call), next;

        if (!webhook || !call_version_matches(call, webhook->version))
                return PROBLEM_NONE;
        next = *webhook;
        if (!webhook_body_take(call->body, batch->arena, &next))
                return FAULT_BUSY;
        if (!webhook_is_same(&next, webhook)) {
                next.version++;
                next.updated_at = batch->now;
                next.changed = true;
                *webhook = next;
                webhook_work_touch(batch->work, webhook);
                webhook_event_add(batch, call, EVENT_WEBHOOK_CHANGED, webhook);
        }
        webhook_reply(batch, call, webhook, 200, NULL);
        return PROBLEM_NONE;
}

const struct operation webhook_put_operation = {
        .load = webhook_work_load, .documents = webhook_work_documents, .change = put_one, .save = webhook_work_save
};

static enum problem delete_one(struct batch *batch, struct call *call) {
        struct webhook *webhook = webhook_of(batch, call);

        if (!webhook || !call_version_matches(call, webhook->version))
                return PROBLEM_NONE;
        webhook_reply(batch, call, webhook, 200, NULL);
        webhook->version++;
        webhook->gone = true;
        webhook_event_add(batch, call, EVENT_WEBHOOK_DELETED, webhook);
        webhook_work_touch(batch->work, webhook);
        return PROBLEM_NONE;
}

const struct operation webhook_delete_operation = {
        .load = webhook_work_load, .documents = webhook_work_documents, .change = delete_one, .save = webhook_work_save
};

static enum problem advance_one(struct batch *batch, struct call *call, enum webhook_event event) {
        struct webhook *webhook = webhook_of(batch, call);

        const int64_t version = webhook ? webhook->version : 0;

        if (!webhook || !call_version_matches(call, webhook->version) ||
                webhook_advance(webhook, event, batch->now, &call->arena, &call->refusal))
                return PROBLEM_NONE;
        if (webhook->version != version) {
                webhook_work_touch(batch->work, webhook);
                webhook_event_add(
                        batch, call, event == WEBHOOK_PAUSE ? EVENT_WEBHOOK_PAUSED : EVENT_WEBHOOK_RESUMED, webhook);
        }
        if (event == WEBHOOK_RESUME)
                webhook->failing_since = TIMESTAMP_NONE;
        webhook_reply(batch, call, webhook, 200, NULL);
        return PROBLEM_NONE;
}

static enum problem pause_one(struct batch *batch, struct call *call) {
        return advance_one(batch, call, WEBHOOK_PAUSE);
}

static enum problem resume_one(struct batch *batch, struct call *call) {
        return advance_one(batch, call, WEBHOOK_RESUME);
}

const struct operation webhook_pause_operation = {
        .load = webhook_work_load, .documents = webhook_work_documents, .change = pause_one, .save = webhook_work_save
};
const struct operation webhook_resume_operation = {
        .load = webhook_work_load, .documents = webhook_work_documents, .change = resume_one, .save = webhook_work_save
};

/* The old secret signs besides the new one, so that receivers may change over one after another. */
static enum problem rotate_one(struct batch *batch, struct call *call) {
        struct webhook *webhook = webhook_of(batch, call);
        const struct rotation_body *body = call->body;
        const duration overlap = body->has_overlap ? body->overlap : WEBHOOK_OVERLAP_DEFAULT;
        char secret[WEBHOOK_SECRET_TEXT_SIZE];

        if (!webhook || !call_version_matches(call, webhook->version))
                return PROBLEM_NONE;
        webhook->secret_previous = overlap ? webhook->secret : NULL;
        webhook->previous_until = overlap ? batch->now + overlap : TIMESTAMP_NONE;
        if (!webhook_secret_make(webhook, batch->arena, secret))
                return FAULT_BUSY;
        webhook->version++;
        webhook->updated_at = batch->now;
        webhook->changed = true;
        webhook_work_touch(batch->work, webhook);
        webhook_event_add(batch, call, EVENT_WEBHOOK_SECRET_ROTATED, webhook);
        webhook_reply(batch, call, webhook, 200, secret);
        return PROBLEM_NONE;
}

const struct operation webhook_rotate_operation = {
        .load = webhook_work_load, .documents = webhook_work_documents, .change = rotate_one, .save = webhook_work_save
};

static enum problem show_decide(struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct webhook *webhook = webhook_of(batch, batch->calls[i]);

                if (webhook)
                        webhook_reply(batch, batch->calls[i], webhook, 200, NULL);
        }
        return PROBLEM_NONE;
}

const struct operation webhook_show_operation = { .load = webhook_work_read, .decide = show_decide };
