/*
 * fulfillment/upkeep: what time does to fulfillments, run by the sweeper through the same engine as any request.
 */
#pragma once

#include "engine/call.h"

/* Not routes of the API: a call of them names a fulfillment by path.id, whose customer is reminded, or which expires,
 * if that is due by then. */
extern const struct route fulfillment_expire_route;
extern const struct route fulfillment_remind_route;

struct due_documents;

/* Queue: some fulfillments whose time has come, those first that have been due for longest. */
enum problem fulfillments_find_overdue(struct database *database, int64_t limit, struct due_documents *due);
enum problem fulfillments_find_reminders(struct database *database, int64_t limit, struct due_documents *due);
