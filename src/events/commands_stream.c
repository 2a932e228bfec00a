/* GET /v1/events/stream: the log of events as it grows (server-sent events, WHATWG HTML 9.2). */
#include "events/commands.h"

#include "engine/reply.h"

#include <string.h>

#define PART_SIZE_MAX   ((size_t) 4 * 1024 * 1024)
#define RECONNECT_AFTER "retry: 3000\n\n"

static const struct shape_member stream_members[] = {
        OPTIONAL(TEXT, struct events_query, after, BETWEEN(1, CURSOR_SIZE_MAX)),
        OPTIONAL(CODE, struct events_query, channel),
        OPTIONAL(CODE, struct events_query, location),
        OPTIONAL(TEXT, struct events_query, subject, BETWEEN(1, SUBJECT_SIZE_MAX)),
        OPTIONAL(TEXT, struct events_query, types, BETWEEN(1, TYPES_SIZE_MAX)),
};
const struct shape events_stream_shape = SHAPE(struct events_query, stream_members);

/* The header, set by the client as it reconnects, takes precedence. Without either the stream begins now. */
static const char *stream_cursor(const struct call *call) {
        const struct events_query *query = call->query;

        if (call->last_event_id && *call->last_event_id)
                return call->last_event_id;
        return query->after ? query->after : "now";
}

static enum problem events_stream_load(struct batch *batch) {
        return events_readings_load(batch, LOG_LIMIT_MAX, stream_cursor);
}

static void stream_id_write(struct buffer *out, const struct cursor_key *key, int64_t position, struct arena *arena) {
        const char *cursor = position_cursor_seal(key, position, arena);

        buffer_append_format(out, "id: %s\n", cursor ? cursor : "");
        out->failed = out->failed || !cursor;
}

static void stream_event_write(
        struct buffer *out, const struct cursor_key *key, const struct log_event *event, struct arena *arena) {
        struct writer json;

        stream_id_write(out, key, event->position, arena);
        buffer_append_format(out, "event: %s%s\ndata: ", event_type_prefix, event->type);
        writer_init(&json, out);
        write_object_begin(&json);
        event_write(&json, event);
        write_object_end(&json);
        buffer_append_text(out, "\n\n");
}

/* The next part; `next` is the position up to which the client has read with it. */
static void stream_part_write(struct buffer *out, const struct call *call, const struct events_work *work, int64_t next,
        struct arena *arena) {
        const struct events_reading *reading = call->work;

        if (call->read_up_to == READ_NOT_BEGUN)
                buffer_append_text(out, RECONNECT_AFTER);
        /* The client has missed events that were dropped: it loads the documents, and continues from here. */
        if (reading->expired) {
                stream_id_write(out, &work->key, next, arena);
                buffer_append_text(out, "event: resync\ndata: {}\n\n");
        }
        for (size_t i = 0; i < reading->page.n; i++)
                stream_event_write(out, &work->key, &reading->page.events[i], arena);
        /* A client whose events are rare learns how far it has read. */
        if (!reading->expired && !reading->page.n && next - reading->filter.after >= LOG_LOOKED) {
                stream_id_write(out, &work->key, next, arena);
                buffer_append_text(out, "\n");
        }
}

static void events_stream_one(struct batch *batch, struct call *call) {
        const struct events_work *work = batch->work;
        const struct events_reading *reading = call->work;
        struct shared_text *shared = NULL;
        int64_t next = work->bounds.position;
        bool has_more = false;
        struct buffer out;

        if (!reading->expired)
                next = event_log_next(&reading->filter, &reading->page, &has_more);
        buffer_init(&out, batch->arena, PART_SIZE_MAX);
        stream_part_write(&out, call, work, next, batch->arena);
        if (out.size)
                shared = shared_text_new(out.size);
        if (out.failed || (out.size && !shared)) {
                reply_plain_problem(call, PROBLEM_OVERLOADED);
                return;
        }
        if (shared)
                memcpy(shared->bytes, buffer_text(&out), out.size);
        call->read_up_to = next;
        call->reply = (struct reply){ .status = 200, .shared = shared };
        call_park(call, events_park_key(call), has_more ? 0 : WAIT_MAX_S * SECOND);
}

static enum problem events_stream_decide(struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++)
                if (batch->calls[i]->work)
                        events_stream_one(batch, batch->calls[i]);
        return PROBLEM_NONE;
}

const struct operation events_stream = { .load = events_stream_load, .decide = events_stream_decide };
