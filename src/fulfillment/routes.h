/*
 * fulfillment/routes: what the files of the room's routes share.
 */
#pragma once

#include "catalog/catalog.h"
#include "fulfillment/fulfillment.h"
#include "http/call.h"

/* What one batch of commands on fulfillments works on. */
struct fulfillment_commands {
        struct stock stock;
        struct order_set set;
        struct events events;
        struct catalog_set catalog;
};

/* load and save of every command on the fulfillments of the calls' paths; batch->work is a struct
 * fulfillment_commands. */
enum problem fulfillment_commands_load(struct batch *batch);
enum problem fulfillment_commands_save(struct batch *batch);

/* What the rules work with, for one call of the batch. */
struct act fulfillment_act(struct call *call, struct fulfillment_commands *work, timestamp now);
