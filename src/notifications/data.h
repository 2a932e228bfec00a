/*
 * notifications/data: the document that templates are rendered with.
 *
 * `data_members` lists each member once; docs/notifications.md is printed from it, and a unit test compares it with the
 * document of a whole order. Amounts and times are text in the locale and in the zone of the location. A member without
 * a value is absent, so a section of that name is not rendered. The document has no address and no contact of the
 * customer. Pure.
 */
#pragma once

#include "base/writer.h"
#include "catalog/promise.h"
#include "orders/order.h"

/* Sorted by name. `[]`: for each element of a list. */
struct data_member {
        const char *name, *meaning, *example;
};

extern const struct data_member data_members[];
extern const size_t data_member_count;

/* The documents of one message. Pointers are NULL where there is nothing. */
struct notification_facts {
        const struct order *order;
        const struct fulfillment *fulfillment;
        const struct location *location; /* of the fulfillment */
        const struct channel *channel;
        const struct zone *zone; /* of the location; NULL: UTC */
        const struct refund *refund;
        const char *pickup_code;
        const char *locale;
};

/* The fulfillment that a message of this kind is about: the newest that is picked up or shipped, as the kind needs;
 * else the newest one. NULL: the order has none. */
const struct fulfillment *notification_fulfillment(const struct order *order, const char *kind);

/* The document; NULL without memory, and for an order whose document is larger than NOTIFICATION_DATA_MAX. The caller
 * owns it. */
json_t *notification_data(const struct notification_facts *facts, struct arena *arena);
