#include "webhooks/endpoint.h"

#include "base/log.h"
#include "base/mark.h"
#include "base/text.h"
#include "base/writer.h"
#include "engine/delivery.h"
#include "events/commands.h"
#include "events/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ENDPOINT_MEMORY_MAX ((size_t) 64 * 1024)
#define BODY_MAX            (EVENT_DATA_MAX + 4096)
#define REPLAY_BELOW        (OUTBOX_MAX / 4) /* events in the outbox, so that replays leave room for new events */
#define HEADER_SIZE         128
#define IDLE_SAVE_EVERY     (5 * SECOND) /* of an endpoint that only passed over events */

/* ---- the list ---- */

static size_t endpoint_place(const struct endpoints *endpoints, const struct uuid *id) {
        size_t from = 0, to = endpoints->n;

        while (from < to) {
                const size_t middle = from + (to - from) / 2;

                if (uuid_compare(&endpoints->at[middle]->id, id) < 0)
                        from = middle + 1;
                else
                        to = middle;
        }
        return from;
}

struct endpoint *endpoints_find(const struct endpoints *endpoints, const struct uuid *id) {
        const size_t place = endpoint_place(endpoints, id);

        return place < endpoints->n && uuid_equal(&endpoints->at[place]->id, id) ? endpoints->at[place] : NULL;
}

static bool endpoints_grow(struct endpoints *endpoints) {
        const size_t capacity = endpoints->capacity ? 2 * endpoints->capacity : 16;
        struct endpoint **longer;

        if (endpoints->n < endpoints->capacity)
                return true;
        longer = reallocarray(endpoints->at, capacity, sizeof(*longer));
        if (!longer)
                return false;
        endpoints->at = longer;
        endpoints->capacity = capacity;
        return true;
}

struct endpoint *endpoints_add(struct endpoints *endpoints, const struct webhook *row) {
        const size_t place = endpoint_place(endpoints, &row->id);
        struct endpoint *endpoint = endpoints_grow(endpoints) ? calloc(1, sizeof(*endpoint)) : NULL;

        if (!endpoint)
                return NULL;
        endpoint->id = row->id;
        endpoint->serial = ++endpoints->serial;
        endpoint->saved_cursor = row->cursor;
        arena_init(&endpoint->arena, ENDPOINT_MEMORY_MAX);
        arena_init(&endpoint->replay_arena, ENDPOINT_MEMORY_MAX);
        outbox_init(&endpoint->outbox, row->mode == WEBHOOK_ORDERED, row->cursor);
        endpoint->outbox.failing_since = row->failing_since;
        endpoint->outbox.last_success_at = row->last_success_at;
        memmove(&endpoints->at[place + 1], &endpoints->at[place], (endpoints->n - place) * sizeof(*endpoints->at));
        endpoints->at[place] = endpoint;
        endpoints->n++;
        return endpoint;
}

static void endpoint_free(struct endpoint *endpoint) {
        for (size_t i = 0; i < endpoint->outbox.n; i++)
                body_drop(endpoint->outbox.items[i].event.body);
        arena_clear(&endpoint->arena);
        arena_clear(&endpoint->replay_arena);
        free(endpoint);
}

void endpoints_remove_ended(struct endpoints *endpoints) {
        size_t left = 0;

        for (size_t i = 0; i < endpoints->n; i++) {
                struct endpoint *endpoint = endpoints->at[i];

                if (endpoint->is_lost || (endpoint->is_closing && !endpoint->outbox.n_sending))
                        endpoint_free(endpoint);
                else
                        endpoints->at[left++] = endpoint;
        }
        endpoints->n = left;
}

void endpoints_clear(struct endpoints *endpoints) {
        for (size_t i = 0; i < endpoints->n; i++)
                endpoint_free(endpoints->at[i]);
        free(endpoints->at);
        *endpoints = (struct endpoints){ .serial = endpoints->serial };
}

bool webhook_ids_have(const struct uuid *ids, size_t n, const struct uuid *id) {
        for (size_t i = 0; i < n; i++)
                if (uuid_equal(&ids[i], id))
                        return true;
        return false;
}

/* ---- one ---- */

/* False: the secret cannot be read. */
static bool secret_unseal(const char *sealed, const struct uuid *id, const struct sealing_keys *keys,
        struct arena *arena, uint8_t ret_secret[WEBHOOK_SECRET_SIZE]) {
        char name[UUID_TEXT_SIZE];

        if (webhook_secret_open(keys, id, sealed, arena, ret_secret))
                return true;
        uuid_format(id, name);
        log_event(LOG_LEVEL_ERROR, "webhook secret not readable", LOG_TEXT, "webhook", name, LOG_END);
        return false;
}

/* An endpoint whose secret cannot be read gets nothing: an unsigned event would be worse. */
static void endpoint_unseal(struct endpoint *endpoint, const struct webhook *row, const struct sealing_keys *keys) {
        const bool has_previous = row->secret_previous && row->previous_until != TIMESTAMP_NONE;

        endpoint->is_muted = !secret_unseal(row->secret, &row->id, keys, &endpoint->arena, endpoint->secret) ||
                             (has_previous && !secret_unseal(row->secret_previous, &row->id, keys, &endpoint->arena,
                                                      endpoint->previous));
        endpoint->previous_until = has_previous ? row->previous_until : TIMESTAMP_NONE;
}

bool endpoint_describe(struct endpoint *endpoint, const struct webhook *row, const struct sealing_keys *keys) {
        struct outbox *outbox = &endpoint->outbox;

        if (endpoint->version == row->version)
                return true;
        arena_reset(&endpoint->arena);
        endpoint->url = arena_text(&endpoint->arena, row->url);
        endpoint->types = arena_text(&endpoint->arena, row->types);
        endpoint->locations = row->locations ? arena_text(&endpoint->arena, row->locations) : NULL;
        endpoint->channels = row->channels ? arena_text(&endpoint->arena, row->channels) : NULL;
        if (endpoint->arena.exhausted)
                return false;
        endpoint->max_in_flight = (size_t) row->max_in_flight;
        endpoint->look_at = 0;
        endpoint->is_refused = false;
        outbox->is_ordered = row->mode == WEBHOOK_ORDERED;
        outbox->breaker = (struct breaker){ 0 };
        outbox->hold_until = 0;
        for (size_t i = 0; endpoint->version && i < outbox->n; i++)
                outbox->items[i].due_at = TIMESTAMP_NONE;
        if (endpoint->version)
                outbox->failing_since = row->failing_since;
        endpoint_unseal(endpoint, row, keys);
        endpoint->version = row->version;
        return true;
}

bool endpoint_may_read(const struct endpoint *endpoint) {
        const struct outbox *outbox = &endpoint->outbox;

        return !endpoint->is_closing && !endpoint->is_muted && !endpoint->is_refused && outbox_has_room(outbox) &&
               (!outbox->breaker.is_open || !outbox->n);
}

bool endpoint_has_news(const struct endpoint *endpoint, timestamp monotonic) {
        const struct outbox *outbox = &endpoint->outbox;

        if (outbox->changed || endpoint->is_refused || endpoint->is_closing)
                return true;
        return !outbox->n && outbox->read_up_to != endpoint->saved_cursor &&
               monotonic - endpoint->saved_at >= IDLE_SAVE_EVERY;
}

/* ---- events ---- */

void body_drop(struct body *body) {
        if (body && --body->references == 0)
                free(body);
}

static struct body *body_new(const struct log_event *event, struct arena *arena) {
        struct buffer text;
        struct writer json;
        struct body *body;

        buffer_init(&text, arena, BODY_MAX);
        writer_init(&json, &text);
        write_object_begin(&json);
        event_write(&json, event);
        write_object_end(&json);
        body = text.failed ? NULL : malloc(sizeof(*body) + text.size);
        if (!body)
                return NULL;
        *body = (struct body){ .references = 1, .size = text.size };
        memcpy(body->bytes, text.bytes, text.size);
        return body;
}

/* Two subjects of one mark would only wait for each other. */
static uint64_t subject_mark(const struct log_event *event) {
        const uint64_t kind = mark_bytes(MARK_BEGIN, event->subject_kind, strlen(event->subject_kind) + 1);

        return mark_bytes(kind, event->subject_id, strlen(event->subject_id));
}

static struct outbox_event outbox_event_of(const struct log_event *event, struct body *body) {
        return (struct outbox_event){
                .position = event->position, .id = event->id, .subject = subject_mark(event), .body = body
        };
}

void endpoint_restore(struct endpoint *endpoint, const struct log_event *event, unsigned attempts, timestamp due_at,
        struct arena *arena) {
        struct body *body = body_new(event, arena);
        const struct outbox_event added = outbox_event_of(event, body);

        if (body && !outbox_restore(&endpoint->outbox, &added, attempts, due_at))
                body_drop(body);
}

/* An endpoint gets no events about itself: one about its failure would fail as well. */
static bool endpoint_takes(const struct endpoint *endpoint, const struct log_event *event) {
        char id[UUID_TEXT_SIZE];

        if (text_starts_with(event->type, "webhook.")) {
                uuid_format(&endpoint->id, id);
                if (text_equal(event->subject_id, id))
                        return false;
        }
        return webhook_takes(
                endpoint->types, endpoint->locations, endpoint->channels, event->type, event->location, event->channel);
}

/* False: there is no room, or no memory. */
static bool event_offer(
        struct endpoint *endpoint, const struct log_event *event, struct body **body, struct arena *arena) {
        struct outbox_event added;

        if (!endpoint_takes(endpoint, event))
                return true;
        if (!outbox_has_room(&endpoint->outbox))
                return false;
        if (!*body)
                *body = body_new(event, arena);
        if (!*body)
                return false;
        added = outbox_event_of(event, *body);
        if (outbox_add(&endpoint->outbox, &added))
                (*body)->references++;
        endpoint->look_at = 0;
        return true;
}

void endpoint_offer(struct endpoint *endpoint, const struct log_page *page, int64_t next, struct body **bodies,
        struct arena *arena) {
        if (!endpoint_may_read(endpoint))
                return;
        for (size_t i = 0; i < page->n; i++) {
                if (page->events[i].position <= endpoint->outbox.read_up_to)
                        continue;
                if (!event_offer(endpoint, &page->events[i], &bodies[i], arena))
                        return;
                endpoint->outbox.read_up_to = page->events[i].position;
        }
        if (next > endpoint->outbox.read_up_to)
                endpoint->outbox.read_up_to = next;
}

/* ---- events once more ---- */

bool endpoint_replay_take(struct endpoint *endpoint, const struct webhook *row) {
        struct replay *replay = &endpoint->replay;

        if (uuid_equal(&replay->id, &row->replay_id))
                return true;
        arena_reset(&endpoint->replay_arena);
        *replay = (struct replay){ .id = row->replay_id,
                .after = row->after_position,
                .until = row->until_position,
                .types = row->replay_types ? arena_text(&endpoint->replay_arena, row->replay_types) : NULL,
                .only_failed = row->only_failed };
        return !replay->types == !row->replay_types;
}

bool endpoint_may_replay(const struct endpoint *endpoint) {
        return !uuid_is_nil(&endpoint->replay.id) && endpoint->replay.after < endpoint->replay.until &&
               endpoint_may_read(endpoint) && !endpoint->outbox.n_ended && endpoint->outbox.n < REPLAY_BELOW;
}

/* False: there is no room, or no memory. */
static bool event_replay(struct endpoint *endpoint, const struct log_event *event, struct arena *arena) {
        const struct replay *replay = &endpoint->replay;
        struct outbox_event added;
        struct body *body;

        if (!endpoint_takes(endpoint, event) ||
                (replay->types && !webhook_takes(replay->types, NULL, NULL, event->type, NULL, NULL)))
                return true;
        if (!outbox_has_room(&endpoint->outbox))
                return false;
        body = body_new(event, arena);
        if (!body)
                return false;
        added = outbox_event_of(event, body);
        if (!outbox_add_again(&endpoint->outbox, &added))
                body_drop(body);
        endpoint->look_at = 0;
        return true;
}

void endpoint_replay(struct endpoint *endpoint, const struct log_page *page, int64_t next, struct arena *arena) {
        struct replay *replay = &endpoint->replay;

        for (size_t i = 0; i < page->n && page->events[i].position <= replay->until; i++) {
                if (!event_replay(endpoint, &page->events[i], arena))
                        return;
                replay->after = page->events[i].position;
        }
        replay->after = next < replay->until ? next : replay->until;
        endpoint->outbox.changed = true;
}

/* ---- sending ---- */

void posted_dropped(void *posted) {
        const struct posted *gone = posted;

        if (!gone->position)
                body_drop(gone->body);
        free(posted);
}

/* The header of the signatures. False: there is no memory. */
static bool signatures_format(const struct endpoint *endpoint, const char *id, const struct body *body, timestamp now,
        char line[HEADER_SIZE]) {
        char signature[WEBHOOK_SIGNATURE_SIZE], previous[WEBHOOK_SIGNATURE_SIZE] = "";
        const bool both = endpoint->previous_until != TIMESTAMP_NONE && now < endpoint->previous_until;

        if (!webhook_sign(
                    endpoint->secret, sizeof(endpoint->secret), id, now / SECOND, body->bytes, body->size, signature) ||
                (both && !webhook_sign(endpoint->previous, sizeof(endpoint->previous), id, now / SECOND, body->bytes,
                                 body->size, previous)))
                return false;
        (void) snprintf(line, HEADER_SIZE, "webhook-signature: %s%s%s", signature, both ? " " : "", previous);
        return true;
}

/* The trace of an event has the event's id as its id (W3C Trace Context, version 00). */
static void trace_format(const struct uuid *id, uint64_t span, char text[HEADER_SIZE]) {
        char hex[2 * sizeof(id->bytes) + 1];

        for (size_t i = 0; i < sizeof(id->bytes); i++)
                (void) snprintf(hex + 2 * i, 3, "%02x", id->bytes[i]);
        (void) snprintf(text, HEADER_SIZE, "traceparent: 00-%s-%016" PRIx64 "-00", hex, span | 1);
}

bool endpoint_post(const struct endpoint *endpoint, const struct outbox_event *event, struct sender *sender,
        timestamp now, uint64_t random) {
        const struct body *body = event->body;
        struct posted *posted = malloc(sizeof(*posted));
        char id[UUID_TEXT_SIZE], lines[4][HEADER_SIZE];
        const char *const headers[] = { "Content-Type: application/cloudevents+json", lines[0], lines[1], lines[2],
                lines[3] };

        uuid_format(&event->id, id);
        if (!posted || !signatures_format(endpoint, id, body, now, lines[2])) {
                free(posted);
                return false;
        }
        *posted = (struct posted){ .webhook_id = endpoint->id,
                .serial = endpoint->serial,
                .event_id = event->id,
                .position = event->position,
                .at = now,
                .body = event->body };
        (void) snprintf(lines[0], HEADER_SIZE, "webhook-id: %s", id);
        (void) snprintf(lines[1], HEADER_SIZE, "webhook-timestamp: %" PRId64, now / SECOND);
        trace_format(&event->id, random, lines[3]);
        if (sender_send(sender, endpoint->url, headers, array_size(headers), body->bytes, body->size, posted))
                return true;
        free(posted);
        return false;
}

static struct log_event ping_of(const struct webhook *row, const char *id, timestamp now, struct arena *arena) {
        return (struct log_event){ .id = row->test_id,
                .type = WEBHOOK_PING,
                .subject_kind = "webhooks",
                .subject_id = id,
                .data = arena_format(arena, "{\"version\":%" PRId64 "}", row->version),
                .occurred_at = now };
}

bool endpoint_test(const struct webhook *row, const struct sealing_keys *keys, struct sender *sender, timestamp now,
        uint64_t random, struct arena *arena) {
        struct endpoints alone = { 0 };
        struct endpoint *endpoint = endpoints_add(&alone, row);
        char id[UUID_TEXT_SIZE];
        struct log_event event;
        struct outbox_event ping;
        bool is_sent;

        if (!endpoint)
                return false;
        uuid_format(&row->id, id);
        event = ping_of(row, id, now, arena);
        ping = outbox_event_of(&event, event.data ? body_new(&event, arena) : NULL);
        is_sent = endpoint_describe(endpoint, row, keys) && !endpoint->is_muted && ping.body &&
                  endpoint_post(endpoint, &ping, sender, now, random);
        if (!is_sent)
                body_drop(ping.body);
        endpoints_clear(&alone);
        return is_sent;
}
