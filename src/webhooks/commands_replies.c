#include "base/mark.h"
#include "base/text.h"
#include "engine/reply.h"
#include "webhooks/commands_work.h"

static void list_member(struct writer *json, const char *name, const char *list) {
        const char *word;
        size_t size;

        write_name(json, name);
        if (!list) {
                write_null(json);
                return;
        }
        write_list_begin(json);
        while (text_next_part(&list, ' ', &word, &size)) {
                buffer_append_format(json->buffer, "%s\"%.*s\"", json->comma ? "," : "", (int) size, word);
                json->comma = true;
        }
        write_list_end(json);
}

/* The events that are sent once more, or null. */
static void replay_write(struct writer *json, const struct webhook *webhook, const struct cursor_key *key) {
        struct arena *arena = json->buffer->arena;

        write_name(json, "replay");
        if (uuid_is_nil(&webhook->replay_id)) {
                write_null(json);
                return;
        }
        write_object_begin(json);
        write_text_member(json, "cursor", position_cursor_seal(key, webhook->after_position, arena));
        write_text_member(json, "to", position_cursor_seal(key, webhook->until_position, arena));
        list_member(json, "types", webhook->replay_types);
        write_boolean_member(json, "only_failed", webhook->only_failed);
        write_object_end(json);
}

void webhook_write(struct writer *json, const struct webhook *webhook, const struct cursor_key *key) {
        const char *cursor = position_cursor_seal(key, webhook->cursor, json->buffer->arena);

        write_uuid_member(json, "id", &webhook->id);
        write_text_member(json, "url", webhook->url);
        write_text_member(json, "state", webhook_lifecycle.states[webhook->state]);
        list_member(json, "types", webhook->types);
        list_member(json, "locations", webhook->locations);
        list_member(json, "channels", webhook->channels);
        write_text_member(json, "mode", webhook_modes[webhook->mode]);
        write_integer_member(json, "max_in_flight", webhook->max_in_flight);
        write_text_member(json, "description", webhook->description);
        write_text_member(json, "secret_hint", webhook->secret_hint);
        write_time_member(json, "previous_secret_until", webhook->previous_until);
        write_text_member(json, "cursor", cursor);
        write_integer_member(json, "lag_events", webhook->head > webhook->cursor ? webhook->head - webhook->cursor : 0);
        write_time_member(json, "failing_since", webhook->failing_since);
        write_time_member(json, "last_success_at", webhook->last_success_at);
        replay_write(json, webhook, key);
        write_time_member(json, "created_at", webhook->created_at);
        write_time_member(json, "updated_at", webhook->updated_at);
        write_integer_member(json, "version", webhook->version);
}

/* Progress is no part of the version, but of the body: a number for the ETag. */
static uint64_t progress_view(const struct webhook *webhook) {
        const int64_t parts[] = { webhook->cursor, webhook->head, webhook->failing_since, webhook->last_success_at,
                webhook->after_position, webhook->until_position };
        uint64_t view = MARK_BEGIN;

        for (size_t i = 0; i < array_size(parts); i++)
                view = mark_number(view, (uint64_t) parts[i]);
        return view;
}

void webhook_reply(
        struct batch *batch, struct call *call, const struct webhook *webhook, unsigned status, const char *secret) {
        const struct webhook_work *work = batch->work;
        struct reply_writer w;

        reply_begin(&w, call, status);
        webhook_write(&w.json, webhook, &work->key);
        if (secret)
                write_text_member(&w.json, "secret", secret);
        reply_end(&w);
        reply_etag_of_view(call, webhook->version, progress_view(webhook));
}
