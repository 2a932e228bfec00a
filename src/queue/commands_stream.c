/* GET /v1/locations/{code}/events: the events of a location as they happen (server-sent events, WHATWG HTML 9.2). */
#include "engine/reply.h"
#include "queue/commands.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#define PART_SIZE_MAX   ((size_t) 4 * 1024 * 1024)
#define RECONNECT_AFTER "retry: 3000\n\n"

struct stream_query {
        int64_t last_event_id;
        bool has_last_event_id;
};

static const struct shape_member stream_members[] = {
        OPTIONAL_FLAGGED(INTEGER, struct stream_query, last_event_id, BETWEEN(0, INT64_MAX)),
};
const struct shape stream_shape = SHAPE(struct stream_query, stream_members);

struct work {
        struct queue_heads heads;
        struct stream_part *parts; /* of each call */
};

/* The last event that the client has read; the header, set by the browser, takes precedence. */
static bool last_seen(struct call *call, int64_t *ret_last) {
        const struct stream_query *query = call->query;

        *ret_last = query->has_last_event_id ? query->last_event_id : READ_NOT_BEGUN;
        if (!call->last_event_id || !*call->last_event_id)
                return true;
        if (text_to_integer(call->last_event_id, 0, INT64_MAX, ret_last))
                return true;
        call_refuse(call, PROBLEM_INVALID_PARAMETER, "Last-Event-ID is no event id of this stream.");
        return false;
}

static void part_load(struct batch *batch, struct call *call, struct stream_part *part) {
        int64_t last = call->read_up_to;

        part->arena = batch->arena;
        if (call->refusal.problem || (last == READ_NOT_BEGUN && !last_seen(call, &last)))
                return;
        call->work = part;
        event_log_bounds_ask(batch->database, &part->bounds);
        if (last != READ_NOT_BEGUN)
                stream_read_ask(batch->database, part, call_code(call, 0), last);
}

static enum problem stream_load(struct batch *batch) {
        struct work *work = arena_new(batch->arena, struct work);
        enum problem p;

        if (!work)
                return FAULT_BUSY;
        work->parts = arena_new_array(batch->arena, struct stream_part, batch->n_calls);
        if (!work->parts)
                return FAULT_BUSY;
        batch->work = work;
        p = queue_heads_load(batch, &work->heads);
        for (size_t i = 0; i < batch->n_calls && !p; i++)
                part_load(batch, batch->calls[i], &work->parts[i]);
        return p;
}

/* ---- writing ---- */

/* The type, time and position of the event, followed by the members of its data. */
static void write_event(struct buffer *out, const struct stream_event *event, const char *location) {
        struct writer json;
        const char *members = event->data ? strchr(event->data, '{') : NULL;

        buffer_append_format(out, "id: %" PRId64 "\nevent: %s\ndata: ", event->position, event->type);
        writer_init(&json, out);
        write_object_begin(&json);
        write_uuid_member(&json, "event_id", &event->id);
        write_uuid_member(&json, "fulfillment_id", &event->fulfillment_id);
        write_uuid_member(&json, "order_id", &event->order_id);
        write_text_member(&json, "location", location);
        write_time_member(&json, "occurred_at", event->occurred_at);
        if (members && !text_equal(members, "{}")) {
                buffer_append_text(out, ",");
                buffer_append_text(out, members + 1);
        } else
                write_object_end(&json);
        buffer_append_text(out, "\n\n");
}

/* The client has missed events that were deleted: it reads the queue, and continues from here. */
static void write_resync(struct buffer *out, const struct log_bounds *bounds, const char *location) {
        struct writer json;

        buffer_append_format(out, "id: %" PRId64 "\nevent: resync\ndata: ", bounds->position);
        writer_init(&json, out);
        write_object_begin(&json);
        write_text_member(&json, "location", location);
        write_object_end(&json);
        buffer_append_text(out, "\n\n");
}

static void stream_write(struct call *call, const struct stream_part *part, struct buffer *out) {
        const bool first = call->read_up_to == READ_NOT_BEGUN;
        int64_t last = call->read_up_to;

        if (first) {
                (void) last_seen(call, &last);
                buffer_append_text(out, RECONNECT_AFTER);
        }
        if (last == READ_NOT_BEGUN) {
                call->read_up_to = part->bounds.position;
                return;
        }
        if (!event_log_can_resume(&part->bounds, last)) {
                write_resync(out, &part->bounds, call_code(call, 0));
                call->read_up_to = part->bounds.position;
                return;
        }
        for (size_t i = 0; i < part->n_events; i++)
                write_event(out, &part->events[i], call_code(call, 0));
        call->read_up_to = part->n_events ? part->events[part->n_events - 1].position : last;
}

/* There may be more events after a full part: the call asks again at once. */
static void stream_one(struct batch *batch, struct call *call, const struct stream_part *part) {
        const int64_t before = call->read_up_to;
        struct shared_text *shared = NULL;
        struct buffer out;

        buffer_init(&out, batch->arena, PART_SIZE_MAX);
        stream_write(call, part, &out);
        if (out.size)
                shared = shared_text_new(out.size);
        if (out.failed || (out.size && !shared)) {
                call->read_up_to = before;
                reply_plain_problem(call, PROBLEM_OVERLOADED);
                return;
        }
        if (shared)
                memcpy(shared->bytes, buffer_text(&out), out.size);
        call->reply = (struct reply){ .status = 200, .shared = shared };
        call_park(call, call_code(call, 0), part->n_events < STREAM_READ_MAX ? WAIT_MAX_S * SECOND : 0);
}

static enum problem stream_decide(struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++)
                if (batch->calls[i]->work)
                        stream_one(batch, batch->calls[i], batch->calls[i]->work);
        return PROBLEM_NONE;
}

const struct operation queue_stream = { .load = stream_load, .decide = stream_decide };
