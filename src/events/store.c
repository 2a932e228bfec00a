#include "base/snapshot.h"
#include "base/writer.h"
#include "db/connection.h"
#include "events/columns.h"
#include "events/events.h"
#include "sql/events.h"

#define LOOSE_SIZE_MAX ((size_t) 4096) /* of a loose event without its data */

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

void event_about_code(struct event *event, const char *code, const int64_t *version) {
        event->subject_kind = event_types[event->type].subject;
        event->subject_code = code;
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

void event_cover(struct events *events, enum event_type type, const struct uuid *id, int64_t version,
        const char *location, const char *channel, const char *actor) {
        struct event *event = event_add(events, type, actor);

        event_about(event, event_types[type].subject, id, NULL);
        event->version = version;
        event->location = location;
        event->channel = channel;
        event->is_cover = true;
}

static bool is_same_subject(const struct event *a, const struct event *b) {
        return a->subject_kind == b->subject_kind && a->subject_id && b->subject_id &&
               uuid_equal(a->subject_id, b->subject_id);
}

/* Whether another event of the command has the subject and the version of the cover; of equal covers, the first stays.
 * Else `ret_place` is the place before the cover of an event with a later version of the subject, or NULL. */
static bool cover_is_needless(struct event **first, const struct event *cover, struct event ***ret_place) {
        bool passed = false;

        *ret_place = NULL;
        for (struct event **place = first; *place; place = &(*place)->next) {
                const struct event *event = *place;

                if (event == cover)
                        passed = true;
                else if (is_same_subject(event, cover)) {
                        if (event->version == cover->version && !(passed && event->is_cover))
                                return true;
                        if (event->version > cover->version && !passed && !*ret_place)
                                *ret_place = place;
                }
        }
        return false;
}

/* Take covers out that other events make needless, and put the others where their versions belong. */
static void covers_settle(struct events *events) {
        for (struct event **place = events->unsettled; *place;) {
                struct event *cover = *place, **before = NULL;
                const bool needless = cover->is_cover && cover_is_needless(events->unsettled, cover, &before);

                cover->is_cover = cover->is_cover && needless;
                if (!needless && !before) {
                        place = &cover->next;
                        continue;
                }
                *place = cover->next;
                if (needless)
                        continue;
                cover->next = *before;
                *before = cover;
        }
        events->last = events->unsettled;
        while (*events->last)
                events->last = &(*events->last)->next;
}

void events_settle(struct events *events) {
        for (struct event *event = *events->unsettled; event; event = event->next) {
                if (event->version_of)
                        event->version = *event->version_of;
                event->version_of = NULL;
        }
        covers_settle(events);
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

/* The row of a loose event as the publisher reads it. NULL without memory. */
static const char *loose_write(const struct event_row *row, struct arena *arena) {
        struct buffer text;
        struct writer json;

        buffer_init(&text, arena, EVENT_DATA_MAX + LOOSE_SIZE_MAX);
        writer_init(&json, &text);
        write_object_begin(&json);
        write_uuid_member(&json, "id", &row->event->id);
        write_text_member(&json, "type", row->type);
        write_text_member(&json, "subject_kind", row->subject_kind);
        write_text_member(&json, "subject_id", row->subject_id);
        write_integer_member(&json, "version", row->event->version);
        write_text_member(&json, "location", row->event->location);
        write_text_member(&json, "channel", row->event->channel);
        write_time_member(&json, "occurred_at", row->occurred_at);
        write_raw_member(&json, "data", row->data);
        write_object_end(&json);
        return text.failed ? NULL : buffer_text(&text);
}

/* The row of a settled event. False without memory. */
static bool event_row_make(struct event_row *row, struct event *event, timestamp now, struct arena *arena) {
        char *id = event->subject_id ? arena_alloc(arena, UUID_TEXT_SIZE) : NULL;

        event_integer(event, "version", event->version);
        *row = (struct event_row){
                .event = event,
                .type = event_types[event->type].name,
                .subject_kind = subject_kinds[event->subject_kind],
                .subject_id = id ? id : event->subject_code,
                .data = arena_format(arena, "{%s}", buffer_text(&event->data)),
                .occurred_at = event->occurred_at == TIMESTAMP_NONE ? now : event->occurred_at,
        };
        if (id)
                uuid_format(event->subject_id, id);
        return !event->data.failed && row->subject_id && row->data;
}

/* Saved events are due: the publisher gives them their positions. */
enum problem events_save(struct database *database, struct events *events, timestamp now) {
        struct records saved;
        struct parameters due;
        struct array *ids, *loose;

        events_settle(events);
        if (events->exhausted)
                return FAULT_BUSY;
        records_begin(&saved, events->arena, &sql_events_save, &event_columns);
        parameters_init(&due, events->arena);
        ids = parameter_uuids(&due);
        loose = parameter_jsonbs(&due);
        for (struct event *event = events->first; event; event = event->next) {
                const char *text = NULL;
                struct event_row row;

                if (!event->subject_id && !event->subject_code)
                        return FAULT_BROKEN;
                if (!event_row_make(&row, event, now, events->arena))
                        return FAULT_BUSY;
                if (event->order_id)
                        records_add(&saved, &row);
                else
                        text = loose_write(&row, events->arena);
                if (!event->order_id && !text)
                        return FAULT_BUSY;
                array_uuid(ids, &event->id);
                array_jsonb(loose, text);
        }
        records_ask(&saved, database);
        if (events->first)
                database_ask(database, &sql_events_due_save, &due, NULL, NULL);
        return PROBLEM_NONE;
}
