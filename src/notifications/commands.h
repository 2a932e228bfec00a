/*
 * notifications/commands: operations on templates of messages, and on messages.
 */
#pragma once

#include "catalog/commands_records.h"
#include "notifications/store.h"

extern const struct shape message_shape, preview_shape, template_shape;
extern const struct record_kind template_record;
extern const struct operation messages_list_operation, message_send_operation; /* /v1/orders/{id}/notifications */
extern const struct operation template_show_operation, template_delete_operation, template_preview_operation;

/* On the loop: whether kind, medium and locale of the path are such. */
void template_path_check(struct call *call);

/* The template of the call's path; it may not be stored. */
struct notification_template *template_of(const struct template_set *set, const struct call *call);
void template_want_of(struct template_set *set, const struct call *call);
