#include "events/commands.h"

#include "base/config.h"
#include "base/text.h"
#include "engine/reply.h"
#include "events/topics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SEQUENCE_SIZE 21 /* digits and the NUL */

/* ---- the query ---- */

void event_patterns_check(struct call *call, const char **types, size_t n) {
        enum event_type named[EVENT_TYPE_COUNT];
        bool unknown = false;

        for (size_t i = 0; i < n; i++) {
                size_t n_named = 0;

                if (event_types_match(types[i], strlen(types[i]), named, &n_named)) {
                        types[i] = event_type_bare(types[i]);
                        continue;
                }
                unknown = true;
                violation_at(&call->refusal, &call->arena, "#/types", i, NULL, "not-allowed",
                        "Write a type such as order.created, or order.* for all that begin so, or *.");
        }
        if (unknown)
                call_refuse(call, PROBLEM_VALIDATION_FAILED, "A pattern names no type of event; see errors.");
}

static bool subject_is_known(const char *subject) {
        const size_t size = strcspn(subject, "/");

        for (size_t i = 0; i < SUBJECT_KIND_COUNT; i++)
                if (strlen(subject_kinds[i]) == size && !strncmp(subject, subject_kinds[i], size))
                        return subject[size] && subject[size + 1];
        return false;
}

void events_query_check(struct call *call) {
        const struct events_query *query = call->query;
        struct log_filter filter = { 0 };

        if (query->types && !event_types_parse(query->types, &call->arena, &filter))
                call_refuse(call, PROBLEM_INVALID_PARAMETER,
                        "types: a pattern names no type of event; write a type such as order.created, or order.*");
        else if (query->subject && !subject_is_known(query->subject))
                call_refuse(call, PROBLEM_INVALID_PARAMETER,
                        "subject: write the kind and the id of a document, such as orders/ID");
        else if (!query->location || call_may_act_at(call, query->location))
                (void) (!query->channel || call_may_act_for(call, query->channel));
}

const char *events_topic(struct call *call) {
        const struct events_query *query = call->query;

        return query->location ? topic_name(&call->arena, TOPIC_EVENTS_AT, query->location) : TOPIC_EVENTS;
}

const char *events_park_key(struct call *call) {
        const bool sees_all = call->claims->all_locations && !call->claims->channel;

        return arena_format(&call->arena, "%s %s", sees_all ? "" : call->claims->subject, call->target);
}

/* ---- loading ---- */

static bool filter_from(struct call *call, int64_t limit, struct log_filter *filter) {
        const struct events_query *query = call->query;

        *filter = (struct log_filter){
                .limit = query->has_limit ? query->limit : limit,
                .subject = query->subject,
                .location = query->location,
                .channel = query->channel ? query->channel : call->claims->channel,
                .some_locations = !call->claims->all_locations,
                .locations = call->claims->locations,
                .n_locations = call->claims->n_locations,
        };
        return !query->types || event_types_parse(query->types, &call->arena, filter);
}

bool position_named(struct call *call, const struct cursor_key *key, const struct log_bounds *bounds, const char *after,
        int64_t *ret_position) {
        if (text_equal(after, "oldest"))
                *ret_position = bounds->first - 1;
        else if (text_equal(after, "now"))
                *ret_position = bounds->position;
        else if (!position_cursor_open(key, after, &call->arena, ret_position)) {
                call_refuse(
                        call, PROBLEM_INVALID_CURSOR, "Take next_cursor of a page of events, or write oldest or now.");
                return false;
        }
        return true;
}

/* The position after which the call reads on. Refuses a cursor that is none. */
static bool position_of(struct call *call, const struct events_work *work, const char *after, int64_t *ret_position) {
        if (call->read_up_to == READ_NOT_BEGUN)
                return position_named(call, &work->key, &work->bounds, after ? after : "oldest", ret_position);
        *ret_position = call->read_up_to;
        return true;
}

enum problem events_readings_load(
        struct batch *batch, int64_t limit, const char *(*cursor_of)(const struct call *call)) {
        struct events_work *work = arena_new(batch->arena, struct events_work);
        enum problem p;

        if (!work)
                return FAULT_BUSY;
        work->readings = arena_new_array(batch->arena, struct events_reading, batch->n_calls);
        if (!work->readings)
                return FAULT_BUSY;
        batch->work = work;
        cursor_key_ask(batch, &work->key);
        event_log_bounds_ask(batch->database, &work->bounds);
        p = batch_trip(batch);
        for (size_t i = 0; i < batch->n_calls && !p; i++) {
                struct events_reading *reading = &work->readings[i];
                struct call *call = batch->calls[i];

                if (!filter_from(call, limit, &reading->filter))
                        return FAULT_BUSY;
                if (!position_of(call, work, cursor_of(call), &reading->filter.after))
                        continue;
                reading->page = (struct log_page){ .arena = batch->arena, .bounds = work->bounds };
                reading->expired = !event_log_can_resume(&work->bounds, reading->filter.after);
                call->work = reading;
                if (!reading->expired)
                        event_log_page_ask(batch->database, &reading->filter, &reading->page);
        }
        return p;
}

/* ---- writing ---- */

static bool members_have(const char *list, const char *name) {
        const size_t size = strlen(name);
        const char *member;
        size_t member_size;

        while (text_next_part(&list, ' ', &member, &member_size))
                if (member_size == size && !strncmp(member, name, size))
                        return true;
        return false;
}

/* Whether the data of the type has a channel itself. */
static bool has_channel(const char *type) {
        for (size_t i = 0; i < EVENT_TYPE_COUNT; i++)
                if (text_equal(event_types[i].name, type))
                        return members_have(event_types[i].members, "channel");
        return false;
}

static void data_write(struct writer *json, const struct log_event *event) {
        const char *members = strchr(event->data, '{');

        write_object_begin(json);
        if (!uuid_is_nil(&event->order_id))
                write_uuid_member(json, "order_id", &event->order_id);
        if (event->location)
                write_text_member(json, "location", event->location);
        if (event->channel && !has_channel(event->type))
                write_text_member(json, "channel", event->channel);
        if (members && !text_equal(members, "{}")) {
                buffer_append_text(json->buffer, json->comma ? "," : "");
                buffer_append(json->buffer, members + 1, strlen(members) - 2);
        }
        write_object_end(json);
}

void event_write(struct writer *json, const struct log_event *event) {
        char sequence[SEQUENCE_SIZE];

        write_text_member(json, "specversion", "1.0");
        write_uuid_member(json, "id", &event->id);
        write_name(json, "source");
        buffer_append_format(json->buffer, "\"/markets/%s\"", config_text(CONFIG_SCHEMA));
        json->comma = true;
        write_name(json, "type");
        buffer_append_format(json->buffer, "\"%s%s\"", event_type_prefix, event->type);
        json->comma = true;
        write_time_member(json, "time", event->occurred_at);
        write_time_member(json, "timestamp", event->occurred_at);
        write_name(json, "subject");
        buffer_append_format(json->buffer, "\"%s/%s\"", event->subject_kind, event->subject_id);
        json->comma = true;
        (void) snprintf(sequence, sizeof(sequence), "%020" PRId64, event->position);
        write_text_member(json, "sequence", sequence);
        write_text_member(json, "datacontenttype", "application/json");
        write_name(json, "data");
        data_write(json, event);
}
