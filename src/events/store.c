#include "base/snapshot.h"
#include "base/writer.h"
#include "db/connection.h"
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

/* Those of a fulfillment have a place to come in the stream of their location. */
static void pending_save(struct database *database, const struct events *events) {
        struct parameters p;
        struct array *locations, *ids;

        parameters_init(&p, events->arena);
        locations = parameter_texts(&p);
        ids = parameter_uuids(&p);
        for (const struct event *event = events->first; event; event = event->next) {
                if (!event->location || !event->fulfillment_id)
                        continue;
                array_text(locations, event->location);
                array_uuid(ids, &event->id);
        }
        if (ids->n)
                database_ask(database, &sql_stream_pending_save, &p, NULL, NULL);
}

enum problem events_save(struct database *database, struct events *events, timestamp now) {
        struct parameters p;
        struct array *ids, *types, *orders, *fulfillments, *reservations, *locations, *actors, *data, *times;

        events_settle(events);
        if (events->exhausted)
                return FAULT_BUSY;
        if (!events->first)
                return PROBLEM_NONE;
        parameters_init(&p, events->arena);
        ids = parameter_uuids(&p);
        types = parameter_texts(&p);
        orders = parameter_uuids(&p);
        fulfillments = parameter_uuids(&p);
        reservations = parameter_uuids(&p);
        locations = parameter_texts(&p);
        actors = parameter_texts(&p);
        data = parameter_jsonbs(&p);
        parameter_time(&p, now);
        times = parameter_times(&p);
        for (struct event *event = events->first; event; event = event->next) {
                if (event->version)
                        event_integer(event, "version", event->version);
                array_uuid(ids, &event->id);
                array_text(types, event->type);
                array_uuid(orders, event->order_id);
                array_uuid(fulfillments, event->fulfillment_id);
                array_uuid(reservations, event->reservation_id);
                array_text(locations, event->location);
                array_text(actors, event->actor);
                array_jsonb(data, arena_format(events->arena, "{%s}", buffer_text(&event->data)));
                array_time(times, event->occurred_at);
                if (event->data.failed)
                        return FAULT_BUSY;
        }
        database_ask(database, &sql_events_save, &p, NULL, NULL);
        pending_save(database, events);
        return PROBLEM_NONE;
}
