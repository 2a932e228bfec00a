/*
 * orders/upkeep: what time does to orders, run by the sweeper through the same engine as any request.
 */
#pragma once

#include "engine/call.h"

struct rows; /* db/rows.h */

/* Not a route of the API: a call of it names an order by path.id, which is cancelled if its payment is overdue by then.
 */
extern const struct route order_unpaid_route;

/* Documents whose time has come. */
struct due_documents {
        struct arena *arena;
        struct uuid *ids;
        size_t n;
};

/* Reads rows of ids into a struct due_documents. */
enum problem due_read(struct rows *rows, void *into);

/* Queue: some orders whose payment is overdue, the longest overdue first. */
enum problem orders_find_unpaid(struct database *database, int64_t limit, struct due_documents *due);
