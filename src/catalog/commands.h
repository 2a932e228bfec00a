/*
 * catalog/commands: operations of the catalogue, and their shared parts.
 */
#pragma once

#include "catalog/commands_records.h"
#include "engine/list.h"

/* A list of records: `.kind` of its route is `list`. */
struct catalog_list {
        struct list_kind list;
        const struct record_kind *record;
};

extern const struct catalog_list channels_list, listings_list, locations_list, products_list;
extern const struct operation slots_list;

/* On the loop: checks that need no database. */
void channel_put_check(struct call *call);
void location_put_check(struct call *call);
void product_put_check(struct call *call);
void products_list_check(struct call *call);
void slots_list_check(struct call *call);

/* Members that several records have, into an open object. */
void write_record(struct writer *json, const struct record *record);
void write_price(struct writer *json, const struct money *price); /* null when there is none */

/* Whether the bearer may see the channel of the path: for a bearer bound to another channel it does not exist. */
bool channel_is_visible(const struct call *call);

/* The queries of the lists. */
extern const struct shape locations_query_shape, products_query_shape, slots_query_shape;
