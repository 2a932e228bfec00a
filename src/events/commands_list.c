/* GET /v1/events: pages of the log of events. */
#include "events/commands.h"

#include "base/text.h"
#include "engine/reply.h"

static const struct shape_member list_members[] = {
        OPTIONAL(TEXT, struct events_query, after, BETWEEN(1, CURSOR_SIZE_MAX)),
        OPTIONAL(CODE, struct events_query, channel),
        OPTIONAL_FLAGGED(INTEGER, struct events_query, limit, BETWEEN(1, LOG_LIMIT_MAX)),
        OPTIONAL(CODE, struct events_query, location),
        OPTIONAL(TEXT, struct events_query, subject, BETWEEN(1, SUBJECT_SIZE_MAX)),
        OPTIONAL(TEXT, struct events_query, types, BETWEEN(1, TYPES_SIZE_MAX)),
};
const struct shape events_list_shape = SHAPE(struct events_query, list_members);

static const char *events_list_cursor(const struct call *call) {
        return ((const struct events_query *) call->query)->after;
}

static enum problem events_list_load(struct batch *batch) {
        return events_readings_load(batch, LOG_LIMIT, events_list_cursor);
}

static void cursor_refuse_expired(struct call *call, const struct events_work *work) {
        call->refusal.oldest_cursor = position_cursor_seal(&work->key, work->bounds.first - 1, &call->arena);
        call_refuse(call, PROBLEM_CURSOR_EXPIRED, "Load the documents again, then go on from oldest_cursor or now.");
}

/* Write as many events as fit. Returns their number. */
static size_t events_write(struct reply_writer *w, const struct log_page *page) {
        size_t i;

        write_name(&w->json, "data");
        write_list_begin(&w->json);
        for (i = 0; i < page->n && w->buffer.size < PAGE_SIZE_MAX; i++) {
                write_object_begin(&w->json);
                event_write(&w->json, &page->events[i]);
                write_object_end(&w->json);
        }
        write_list_end(&w->json);
        return i;
}

static void events_list_one(struct call *call, const struct events_work *work) {
        const struct events_reading *reading = call->work;
        bool has_more;
        int64_t next = event_log_next(&reading->filter, &reading->page, &has_more);
        const char *cursor;
        struct reply_writer w;
        size_t n;

        if (!reading->page.n && !has_more && call->may_wait) {
                call->read_up_to = next;
                call_park(call, events_park_key(call), WAIT_MAX_S * SECOND);
                return;
        }
        reply_begin(&w, call, 200);
        n = events_write(&w, &reading->page);
        if (n < reading->page.n) {
                next = reading->page.events[n - 1].position;
                has_more = true;
        }
        cursor = position_cursor_seal(&work->key, next, &call->arena);
        write_text_member(&w.json, "next_cursor", cursor);
        write_boolean_member(&w.json, "has_more", has_more);
        w.buffer.failed = w.buffer.failed || !cursor;
        reply_end(&w);
}

static enum problem events_list_decide(struct batch *batch) {
        const struct events_work *work = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct events_reading *reading = batch->calls[i]->work;

                if (reading && reading->expired)
                        cursor_refuse_expired(batch->calls[i], work);
                else if (reading)
                        events_list_one(batch->calls[i], work);
        }
        return PROBLEM_NONE;
}

const struct operation events_list = { .load = events_list_load, .decide = events_list_decide };
