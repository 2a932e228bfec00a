/* Events that a client asks for: a test event, and events of the log once more. */
#include "events/commands.h"
#include "webhooks/commands.h"
#include "webhooks/commands_bodies.h"
#include "webhooks/commands_work.h"

#include "base/text.h"

/* ---- a test event ---- */

static bool test_has_room(const struct webhook_work *work, const struct webhook *webhook) {
        int64_t waiting = webhook->tests_waiting;

        for (size_t i = 0; i < work->n_tests; i++)
                waiting += uuid_equal(&work->tests[i].webhook_id, &webhook->id);
        return waiting < WEBHOOK_TESTS_MAX;
}

/* The deliverers send it, also to an endpoint that is paused or disabled. */
static enum problem test_one(struct batch *batch, struct call *call) {
        struct webhook_work *work = batch->work;
        const struct webhook *webhook = webhook_of(batch, call);
        struct webhook_test *test;
        struct reply_writer w;

        if (!webhook)
                return PROBLEM_NONE;
        if (!test_has_room(work, webhook)) {
                call_refuse(call, PROBLEM_TOO_MANY, "%d test events of the webhook wait already.", WEBHOOK_TESTS_MAX);
                return PROBLEM_NONE;
        }
        test = &work->tests[work->n_tests++];
        *test = (struct webhook_test){ .event_id = uuid_new(), .webhook_id = webhook->id, .created_at = batch->now };
        reply_begin(&w, call, 202);
        write_uuid_member(&w.json, "event_id", &test->event_id);
        write_text_member(&w.json, "type", WEBHOOK_PING);
        reply_end(&w);
        return PROBLEM_NONE;
}

const struct operation webhook_test_operation = {
        .load = webhook_work_load, .documents = webhook_work_documents, .change = test_one, .save = webhook_work_save
};

/* ---- events once more ---- */

/* One end of the replayed part of the log, as the call names it. */
struct replay_end {
        bool is_time;
        timestamp time;
        int64_t position; /* of a time, after the load */
};

struct replay_wanted {
        struct replay_end from, to;
        int64_t of_event; /* 0: none, or not known */
};

void webhook_replay_check(struct call *call) {
        const struct replay_body *body = call->body;
        const char *other = body->to ? "#/to" : body->n_types ? "#/types" : body->only_failed ? "#/only_failed" : NULL;

        if (!body->from == !body->has_event_id) {
                (void) refuse_because(&call->refusal, &call->arena, body->from ? "#/event_id" : "#/from", "either-or",
                        "Name a cursor or time in `from`, or one event in `event_id`.");
                call_refuse(call, PROBLEM_VALIDATION_FAILED, "Name exactly one of `from` and `event_id`.");
        } else if (body->has_event_id && other) {
                (void) refuse_because(&call->refusal, &call->arena, other, "conflict",
                        "`event_id` names one event; further choices do not apply.");
                call_refuse(call, PROBLEM_VALIDATION_FAILED, "`event_id` excludes the other members.");
        } else {
                event_patterns_check(call, body->types, body->n_types);
        }
}

static void end_read(const char *text, struct replay_end *end) {
        *end = (struct replay_end){ .is_time = text && timestamp_parse(text, &end->time), .time = end->time };
}

static enum problem replay_wanted_load(struct batch *batch, struct call *call) {
        struct replay_wanted *wanted = arena_new(batch->arena, struct replay_wanted);
        const struct replay_body *body = call->body;

        if (!wanted)
                return FAULT_BUSY;
        call->work = wanted;
        end_read(body->from, &wanted->from);
        end_read(body->to, &wanted->to);
        if (wanted->from.is_time)
                webhook_positions_ask(batch->database, batch->arena, &wanted->from.time, 1, &wanted->from.position);
        if (wanted->to.is_time)
                webhook_positions_ask(batch->database, batch->arena, &wanted->to.time, 1, &wanted->to.position);
        if (body->has_event_id)
                webhook_position_ask(
                        batch->database, batch->arena, call_id(call, 0), &body->event_id, &wanted->of_event);
        return PROBLEM_NONE;
}

static enum problem replay_load(struct batch *batch) {
        enum problem p = webhook_work_load(batch);
        struct webhook_work *work = batch->work;

        if (!p)
                event_log_bounds_ask(batch->database, &work->bounds);
        for (size_t i = 0; i < batch->n_calls && !p; i++)
                p = replay_wanted_load(batch, batch->calls[i]);
        return p;
}

/* The position of an end; false after a refusal. */
static bool end_find(const struct batch *batch, struct call *call, const char *text, const char *pointer,
        const struct replay_end *end, int64_t *ret_position) {
        const struct webhook_work *work = batch->work;

        if (end->is_time) {
                *ret_position = end->position;
                return true;
        }
        if (!position_cursor_open(&work->key, text, &call->arena, ret_position)) {
                (void) refuse_because(&call->refusal, &call->arena, pointer, "malformed",
                        "Write a time such as 2026-11-21T10:15:30Z, or a cursor of the log of events.");
                call_refuse(call, PROBLEM_VALIDATION_FAILED, "An end of the replay is neither a time nor a cursor.");
                return false;
        }
        if (event_log_can_resume(&work->bounds, *ret_position))
                return true;
        call_refuse(call, PROBLEM_CURSOR_EXPIRED, "The log no longer has the events after the cursor; name a time.");
        return false;
}

/* The part of the log; false after a refusal. Events behind the endpoint's cursor come without a replay. */
static bool replay_part(const struct batch *batch, struct call *call, struct webhook *webhook) {
        const struct replay_body *body = call->body;
        const struct replay_wanted *wanted = call->work;

        webhook->until_position = webhook->cursor;
        if (body->has_event_id) {
                if (!wanted->of_event) {
                        (void) refuse_because(&call->refusal, &call->arena, "#/event_id", "unknown-event",
                                "The endpoint had no attempt of the event in the last seven days.");
                        call_refuse(call, PROBLEM_VALIDATION_FAILED, "The event is not known for this webhook.");
                        return false;
                }
                webhook->after_position = wanted->of_event - 1;
                webhook->until_position = wanted->of_event;
                return true;
        }
        if (!end_find(batch, call, body->from, "#/from", &wanted->from, &webhook->after_position) ||
                (body->to && !end_find(batch, call, body->to, "#/to", &wanted->to, &webhook->until_position)))
                return false;
        if (webhook->until_position > webhook->cursor)
                webhook->until_position = webhook->cursor;
        return true;
}

static enum problem replay_one(struct batch *batch, struct call *call) {
        struct webhook *webhook = webhook_of(batch, call);
        const struct replay_body *body = call->body;

        if (!webhook || !call_version_matches(call, webhook->version))
                return PROBLEM_NONE;
        if (!uuid_is_nil(&webhook->replay_id)) {
                call_refuse(call, PROBLEM_INVALID_TRANSITION, "A replay is at work; wait until `replay` is null.");
                return PROBLEM_NONE;
        }
        if (!replay_part(batch, call, webhook))
                return PROBLEM_NONE;
        if (webhook->after_position < webhook->until_position) {
                webhook->replay_id = uuid_new();
                webhook->replay_types = webhook_texts_join(body->types, body->n_types, batch->arena);
                webhook->only_failed = body->only_failed;
                webhook->replayed = true;
                webhook_work_touch(batch->work, webhook);
                if (!webhook->replay_types != !body->n_types)
                        return FAULT_BUSY;
        }
        webhook_reply(batch, call, webhook, 200, NULL);
        return PROBLEM_NONE;
}

const struct operation webhook_replay_operation = {
        .load = replay_load, .documents = webhook_work_documents, .change = replay_one, .save = webhook_work_save
};
