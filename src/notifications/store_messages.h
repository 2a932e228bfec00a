/*
 * notifications/store_messages: rows of messages, and the progress of the planner.
 */
#pragma once

#include "notifications/messages.h"

struct planning_progress {
        bool is_ours; /* locked; another instance plans otherwise */
        int64_t position;
};

/* Queue: lock the progress, unless another instance has; store it. */
void planning_lock(struct database *database, struct planning_progress *progress);
void planning_save(struct database *database, struct arena *arena, int64_t position);

/* Queue: insert messages; those that exist are left as they are. */
void messages_insert(struct database *database, const struct message_list *list);

/* Queue: lease due messages, `limit` at most. */
void messages_lease(struct database *database, const struct uuid *instance, int64_t limit, struct message_list *list);

/* Ids that a statement returns, in any order. */
struct message_ids {
        struct arena *arena;
        struct uuid *at;
        size_t n;
};

/* Queue: record outcomes of leases that the instance still has; names those. */
void outcomes_save(struct database *database, const struct uuid *instance, const struct message_outcome *list, size_t n,
        timestamp now, struct message_ids *saved);

/* Queue: the messages about these orders, by order, newest first; MESSAGES_OF_ORDER of each at most. */
void messages_of_orders_ask(
        struct database *database, const struct uuid *order_ids, size_t n, struct message_list *list);
