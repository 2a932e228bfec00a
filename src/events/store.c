#include "base/snapshot.h"
#include "base/writer.h"
#include "db/connection.h"
#include "events/columns.h"
#include "events/events.h"
#include "sql/events.h"

void events_init(struct events *events, struct arena *arena) {
        *events = (struct events){ .arena = arena };
        events->last = events->unsettled = &events->first;
}

struct event *event_add(struct events *events, const char *type, const char *actor) {
        static _Thread_local struct event scratch;
        struct event *event = arena_new(events->arena, struct event);

        if (!event) {
                events->exhausted = true;
                event = &scratch;
        }
        *event = (struct event){ .id = uuid_new(), .type = type, .actor = actor, .occurred_at = TIMESTAMP_NONE };
        buffer_init(&event->data, events->arena, EVENT_DATA_MAX);
        if (events->exhausted)
                return event;
        *events->last = event;
        events->last = &event->next;
        return event;
}

void event_text(struct event *event, const char *name, const char *value) {
        struct writer json = { .buffer = &event->data, .comma = event->data.size > 0 };

        if (value)
                write_text_member(&json, name, value);
}

void event_integer(struct event *event, const char *name, int64_t value) {
        struct writer json = { .buffer = &event->data, .comma = event->data.size > 0 };

        write_integer_member(&json, name, value);
}

void events_settle(struct events *events) {
        for (struct event *event = *events->unsettled; event; event = event->next) {
                if (event->version_of)
                        event->version = *event->version_of;
                event->version_of = NULL;
        }
        events->unsettled = events->last;
}

void events_snapshot(struct snapshot *snapshot, struct events *events) {
        snapshot_one(snapshot, events);
        snapshot_one(snapshot, events->last);
}

/* The row of an event: the event itself, its data with the braces, and the time it happened. */
struct event_row {
        const struct event *event;
        const char *data;
        timestamp occurred_at;
};

#define EVENT POINTER(struct event_row, event)

static const struct column columns[] = {
        { "id", UUID_AT(struct event, id), .through = EVENT },
        { "type", TEXT_AT(struct event, type), .through = EVENT },
        { "order_id", .kind = COLUMN_UUID, .through = EVENT, .then = POINTER(struct event, order_id) },
        { "fulfillment_id", .kind = COLUMN_UUID, .through = EVENT, .then = POINTER(struct event, fulfillment_id) },
        { "reservation_id", .kind = COLUMN_UUID, .through = EVENT, .then = POINTER(struct event, reservation_id) },
        { "location", TEXT_AT(struct event, location), .through = EVENT },
        { "actor", TEXT_AT(struct event, actor), .through = EVENT },
        { "data", JSONB_AT(struct event_row, data) },
        { "occurred_at", TIME_AT(struct event_row, occurred_at) },
};
const struct columns event_columns = { "events", COLUMNS(struct event_row, columns) };

/* Events of a fulfillment await their place in the stream of their location. */
enum problem events_save(struct database *database, struct events *events, timestamp now) {
        struct records saved, pending;

        events_settle(events);
        if (events->exhausted)
                return FAULT_BUSY;
        records_begin(&saved, events->arena, &sql_events_save, &event_columns);
        records_begin(&pending, events->arena, &sql_stream_pending_save, &event_columns);
        for (struct event *event = events->first; event; event = event->next) {
                struct event_row row = { .event = event, .occurred_at = event->occurred_at };

                if (event->version)
                        event_integer(event, "version", event->version);
                if (row.occurred_at == TIMESTAMP_NONE)
                        row.occurred_at = now;
                row.data = arena_format(events->arena, "{%s}", buffer_text(&event->data));
                if (event->data.failed || !row.data)
                        return FAULT_BUSY;
                records_add(&saved, &row);
                if (event->location && event->fulfillment_id)
                        records_add(&pending, &row);
        }
        records_ask(&saved, database);
        records_ask(&pending, database);
        return PROBLEM_NONE;
}
