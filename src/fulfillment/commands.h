/*
 * fulfillment/commands: what the files of the room's routes share.
 */
#pragma once

#include "catalog/catalog.h"
#include "engine/call.h"
#include "fulfillment/sourcing.h"

/* What one batch of commands on fulfillments works on. */
struct fulfillment_commands {
        struct stock stock;
        struct order_set set;
        struct catalog_set catalog;
        struct sourcing sourcing; /* of what falls short */
};

/* load, documents and save of every command on the fulfillments of the calls' paths; batch->work is a struct
 * fulfillment_commands. */
enum problem fulfillment_commands_load(struct batch *batch);
void fulfillment_commands_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot);
enum problem fulfillment_commands_save(struct batch *batch);

/* load of every look at them, without locks. */
enum problem fulfillment_read_load(struct batch *batch);

/* The fulfillment of the call's path, when there is one and the bearer, or the customer's link, may see it; refuses
 * otherwise. */
struct fulfillment *fulfillment_visible(struct call *call, const struct order_set *set, timestamp now);

/* What a customer sees of it. */
void fulfillment_reply_to_customer(struct call *call, const struct fulfillment *fulfillment);

extern const struct operation fulfillment_link_operation;   /* POST /v1/fulfillments/{id}/link */
extern const struct operation fulfillment_status_operation; /* GET /v1/fulfillments/{id}/status */

/* What the rules work with, for one call of the batch. */
struct act fulfillment_act(const struct batch *batch, struct call *call);

/* What the bearer may do with fulfillments, as allowed_actions depends on it. */
unsigned fulfillment_powers(const struct call *call);

/* "allowed_actions": what somebody with these powers may do with it now. */
void write_allowed_actions(struct writer *json, const struct fulfillment *fulfillment, unsigned powers);
