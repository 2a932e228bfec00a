/*
 * orders/routes: what the files of the room's routes share.
 */
#pragma once

#include "http/call.h"
#include "orders/orders.h"

/* What one batch of commands on orders works on. */
struct order_commands {
        struct stock stock;
        struct order_set set;
        struct events events;
};

/* load and save of every command on the orders of the calls' paths; batch->work is a struct order_commands. */
enum problem order_commands_load(struct batch *batch);
enum problem order_commands_save(struct batch *batch);

/* The order of the call's path, when there is one and the bearer may see it; refuses otherwise. */
struct order *order_visible(struct call *call, const struct order_set *set);

extern const struct shape order_list_shape;
extern const struct operation order_list_operation;     /* GET /v1/orders */
extern const struct operation order_timeline_operation; /* GET /v1/orders/{id}/timeline */
