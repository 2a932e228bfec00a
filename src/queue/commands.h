/*
 * queue/commands: shared parts of the room's route files.
 */
#pragma once

#include "catalog/catalog.h"
#include "engine/call.h"
#include "fulfillment/commands.h"
#include "queue/queue.h"

#define VIEW_SIZE 13 /* 12 hexadecimal digits and the NUL */

/* The topics of the location in the path. */
const char *queue_topic(struct call *call);
const char *queue_events_topic(struct call *call);

/* A digest of a view of a queue apart from the queue: the address with its filters and page, and the permissions of the
 * bearer. NULL without memory. */
const char *queue_view(struct call *call);

/* The heads of the locations in the paths of a batch; makes a trip. A call whose location does not exist is refused. */
enum problem queue_heads_load(struct batch *batch, struct queue_heads *heads);

/* The look of every view of a queue: a client with the current version gets 304, or waits. */
enum problem queue_look(struct batch *batch);

/* Give a finished reply that shows a queue its tag and its other headers; a problem gets none. */
void queue_tag_reply(struct call *call, const struct queue_head *head, const char *view, timestamp changes_at);

/* Read the orders that the set wants, then queue the products that their cards show, beside those that are wanted;
 * makes a trip. */
must_check enum problem cards_read(struct batch *batch, struct order_set *set, struct catalog_set *catalog);

/* Write a fulfillment as a card: the members of an open object. */
void card_write(struct writer *json, const struct fulfillment *fulfillment, const char *customer_name,
        const struct catalog_set *catalog, unsigned powers, timestamp now);

extern const struct shape queue_list_shape, stream_shape, scan_shape;
extern const struct operation queue_list, queue_counts, queue_stream, queue_scan;
