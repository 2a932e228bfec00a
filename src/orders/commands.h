/*
 * orders/commands: declarations shared by the files of the room's routes.
 */
#pragma once

#include "engine/call.h"
#include "engine/list.h"
#include "events/commands_arguments.h"
#include "orders/orders.h"

#define ORDER_REASON_MAX 200

/* Parts of an order in the bodies of several routes. */
extern const struct shape order_address_shape, order_choice_shape, order_customer_shape, order_discount_shape,
        order_tax_shape;

/* The data of one batch of commands on orders. */
struct order_commands {
        struct stock stock;
        struct order_set set;
};

/* batch->work, empty. `locked`: its documents will be locked. FAULT_BUSY without memory. */
must_check enum problem order_work_begin(struct batch *batch, bool locked, struct order_commands **ret_work);

/* load, documents and save of every command on the orders of the calls' paths; batch->work is a struct order_commands.
 */
enum problem order_commands_load(struct batch *batch);
void order_commands_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot);
enum problem order_commands_save(struct batch *batch);

/* The order of the call's path, when there is one and the bearer may see it; refuses otherwise. */
struct order *order_visible(struct call *call, const struct order_set *set);

/* Whether the bearer may act at a location that holds units of the line; if no location holds any more, at one that
 * held them. */
bool order_may_act_on_line(struct call *call, const struct order_line *line);

/* Answer with the order. `pickup_secret` NULL: replies of commands are kept in idempotency records, and codes are never
 * stored. */
void order_reply(struct call *call, const struct order *order, unsigned status, const char *pickup_secret);

extern const struct shape order_change_shape;
extern const struct operation order_change_operation; /* POST /v1/orders/{id}/change */
void order_change_check(struct call *call);

/* Whether the bearer may see the order; refuses otherwise, also when it is NULL. `what`: the noun of the refusal, such
 * as "order". */
bool order_check_visible(struct call *call, const struct order *order, const char *what);

extern const struct shape order_list_shape;
extern const struct list_kind orders_list;              /* GET /v1/orders */
extern const struct operation order_timeline_operation; /* GET /v1/orders/{id}/timeline */

extern const struct shape order_place_shape, order_cancel_shape;
extern const struct operation order_place_operation;        /* POST /v1/orders */
extern const struct operation order_show_operation;         /* GET /v1/orders/{id} */
extern const struct operation order_cancel_operation;       /* POST /v1/orders/{id}/cancel */
extern const struct operation order_cancel_quote_operation; /* POST /v1/orders/{id}/cancel/quote */

/* On the loop, for POST /v1/orders: the checks that need no database, the location of the stock, and the number of
 * lines. */
void order_place_check(struct call *call);
const char *order_place_location(const struct call *call);
size_t order_place_weigh(const struct call *call);

extern const struct shape order_payment_shape, order_refund_shape, payment_event_shape;
extern const struct operation order_pay_operation;     /* POST /v1/orders/{id}/payments */
extern const struct operation order_refund_operation;  /* POST /v1/orders/{id}/refunds */
extern const struct operation payment_show_operation;  /* GET /v1/payments/{id} */
extern const struct operation payment_event_operation; /* POST /v1/payments/{id}/events */
extern const struct operation refund_show_operation;   /* GET /v1/refunds/{id} */
void payment_event_check(struct call *call);           /* on the loop: checks that need no database */
