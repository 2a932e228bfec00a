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

struct event *event_add(struct events *events, enum event_type type, const char *actor) {
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

void event_about(struct event *event, enum subject_kind kind, const struct uuid *id, const int64_t *version) {
        event->subject_kind = kind;
        event->subject_id = id;
        event->version_of = version;
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

/* The row of an event: the event itself, and its members as SQL has them; data with the braces. */
struct event_row {
        const struct event *event;
        const char *type, *subject_kind, *subject_id, *data;
        timestamp occurred_at;
};

#define EVENT POINTER(struct event_row, event)

static const struct column columns[] = {
        { "id", UUID_AT(struct event, id), .through = EVENT },
        { "type", TEXT_AT(struct event_row, type) },
        { "subject_kind", TEXT_AT(struct event_row, subject_kind) },
        { "subject_id", TEXT_AT(struct event_row, subject_id) },
        { "version", INTEGER_AT(struct event, version), .through = EVENT },
        { "order_id", .kind = COLUMN_UUID, .through = EVENT, .then = POINTER(struct event, order_id) },
        { "location", TEXT_AT(struct event, location), .through = EVENT },
        { "channel", TEXT_AT(struct event, channel), .through = EVENT },
        { "actor", TEXT_AT(struct event, actor), .through = EVENT },
        { "data", JSONB_AT(struct event_row, data) },
        { "occurred_at", TIME_AT(struct event_row, occurred_at) },
};
const struct columns event_columns = { "events", COLUMNS(struct event_row, columns) };

/* The row of a settled event. False without memory. */
static bool event_row_make(struct event_row *row, struct event *event, timestamp now, struct arena *arena) {
        char *id = arena_alloc(arena, UUID_TEXT_SIZE);

        event_integer(event, "version", event->version);
        *row = (struct event_row){
                .event = event,
                .type = event_types[event->type].name,
                .subject_kind = subject_kinds[event->subject_kind],
                .subject_id = id,
                .data = arena_format(arena, "{%s}", buffer_text(&event->data)),
                .occurred_at = event->occurred_at == TIMESTAMP_NONE ? now : event->occurred_at,
        };
        if (event->data.failed || !id || !row->data)
                return false;
        uuid_format(event->subject_id, id);
        return true;
}

/* Saved events are due: the publisher gives them their positions. */
enum problem events_save(struct database *database, struct events *events, timestamp now) {
        struct records saved;
        struct parameters due;
        struct array *ids;

        events_settle(events);
        if (events->exhausted)
                return FAULT_BUSY;
        records_begin(&saved, events->arena, &sql_events_save, &event_columns);
        parameters_init(&due, events->arena);
        ids = parameter_uuids(&due);
        for (struct event *event = events->first; event; event = event->next) {
                struct event_row row;

                if (!event->subject_id)
                        return FAULT_BROKEN;
                if (!event_row_make(&row, event, now, events->arena))
                        return FAULT_BUSY;
                records_add(&saved, &row);
                array_uuid(ids, &event->id);
        }
        records_ask(&saved, database);
        if (events->first)
                database_ask(database, &sql_events_due_save, &due, NULL, NULL);
        return PROBLEM_NONE;
}
