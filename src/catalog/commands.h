/*
 * catalog/commands: shared parts of the route files of the catalogue.
 */
#pragma once

#include "catalog/records.h"
#include "engine/call.h"
#include "engine/cursor.h"
#include "engine/reply.h"

/* The work of one batch. */
struct catalog_work {
        struct catalog_set set;
        struct zones zones;
};

extern const struct operation channel_put, channel_show, channels_list;
extern const struct operation listing_put, listing_show, listings_list;
extern const struct operation location_put, location_show, locations_list;
extern const struct operation slots_list;
extern const struct operation product_put, product_show, products_list;

/* On the loop: checks that need no database. */
void channel_put_check(struct call *call);
void listing_put_check(struct call *call);
void location_put_check(struct call *call);
void location_show_check(struct call *call);
void product_put_check(struct call *call);
void products_list_check(struct call *call);
void slots_list_check(struct call *call);

/* The members of a record, into an open object. */
void write_channel(struct writer *json, const struct channel *channel);
void write_listing(struct writer *json, const struct listing *listing);
void write_location(struct writer *json, const struct location *location);
void write_product(struct writer *json, const struct product *product);
void write_record(struct writer *json, const struct record *record);
void write_price(struct writer *json, const struct money *price); /* null when there is none */

/* batch->work, empty. FAULT_BUSY when the arena is exhausted. */
must_check enum problem catalog_work_begin(struct batch *batch, struct catalog_work **ret_work);

/* .save of every PUT. */
enum problem catalog_work_save(struct batch *batch);

/* Compare If-Match and If-None-Match of a PUT with the current record; refuses with PRECONDITION_FAILED. */
must_check bool catalog_may_put(struct call *call, const struct record *record);

/* Whether the bearer may see the channel: for a bearer bound to another channel it does not exist. */
bool channel_is_visible(const struct call *call, const char *channel);

/* The queries of the lists. */
extern const struct shape channels_query_shape, locations_query_shape, products_query_shape, slots_query_shape;
