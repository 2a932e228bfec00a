/* JSON of messages. */
#include "notifications/messages.h"

#include "base/writer.h"

void message_write(struct writer *json, const struct message *message) {
        const bool waits = message->state == MESSAGE_QUEUED;

        write_uuid_member(json, "id", &message->id);
        write_uuid_member(json, "order_id", &message->order_id);
        write_name(json, "fulfillment_id");
        if (uuid_is_nil(&message->fulfillment_id))
                write_null(json);
        else
                write_uuid(json, &message->fulfillment_id);
        write_uuid_member(json, "event_id", &message->event_id);
        write_text_member(json, "kind", notification_kind_texts[message->kind]);
        write_text_member(json, "medium", message_medium_texts[message->medium]);
        write_text_member(json, "state", message_state_texts[message->state]);
        write_text_member(json, "to", message->recipient);
        write_text_member(json, "channel", message->channel);
        write_text_member(json, "locale", message->locale);
        write_text_member(json, "message_id", message->message_id);
        write_integer_member(json, "attempts", message->attempts);
        write_time_member(json, "next_at", waits ? message->due_at : TIMESTAMP_NONE);
        write_time_member(json, "sent_at", message->sent_at);
        write_text_member(json, "answer", message->answer);
        write_text_member(json, "actor", message->actor);
        write_time_member(json, "created_at", message->created_at);
        write_time_member(json, "updated_at", message->updated_at);
}

void messages_write(struct writer *json, const struct message_list *list, const struct uuid *order_id) {
        write_list_begin(json);
        for (size_t i = 0; i < list->n; i++) {
                if (!uuid_equal(&list->at[i].order_id, order_id))
                        continue;
                write_object_begin(json);
                message_write(json, &list->at[i]);
                write_object_end(json);
        }
        write_list_end(json);
}
