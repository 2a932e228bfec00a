/*
 * webhooks/commands: the operations on endpoints, for the table of routes.
 */
#pragma once

#include "engine/list.h"

extern const struct shape webhook_body_shape, webhook_nothing_shape, webhook_replay_shape, webhook_rotation_shape;
extern const struct operation webhook_create_operation, webhook_put_operation, webhook_delete_operation,
        webhook_show_operation, webhook_pause_operation, webhook_resume_operation, webhook_rotate_operation,
        webhook_test_operation, webhook_replay_operation;
extern const struct list_kind attempts_list, webhooks_list;
extern const struct shape attempts_query_shape;

/* On the loop: what can be told of a body without the database. */
void webhook_body_check(struct call *call);
void webhook_replay_check(struct call *call);
