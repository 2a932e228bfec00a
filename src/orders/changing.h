/*
 * orders/changing: an order becomes another one after it was placed.
 *
 * A request names several changes and is decided whole: either each of them can be done or none is, and every part that
 * cannot is named. What may still change follows from how far the units are:
 *
 *     take units off, remove a line   what has not left the house, picked or not: as cancelling, which it is
 *     add units to a line             while some of it is held; they join the work while that is not all picked
 *     move to another method, place   what nobody has picked
 *       or slot
 *     add a line                      as long as any unit of the order is held or expected
 *     the address                     until a parcel is packed
 *     who collects                    until it is collected
 *     customer, discounts, amounts    as long as the order is open
 *
 * Pure but for the new ids. Nothing is changed by a request that is refused.
 */
#pragma once

#include "orders/additions.h"
#include "orders/placing.h"

#define CHANGE_LINES_MAX 50 /* so that what was and what is fit into an event */

struct line_change {
        struct uuid order_line_id; /* of a line that is there */
        const char *sku;           /* of one that is added */
        int64_t quantity;          /* units that are not cancelled */
        struct money unit_price;
        const struct fulfillment_choice *fulfillment;
        bool has_order_line_id, has_quantity, has_unit_price;
        bool remove, has_remove;
};

/* Who may collect besides the customer. */
struct collector_body {
        const char *name;
        int relation; /* of relation_texts; -1: not told */
};

struct change_body {
        const char *reason;
        const struct line_change *lines;
        size_t n_lines;
        const struct customer_body *customer;
        const struct address_body *ship_to;
        const struct collector_body *recipient;
        const struct discount_body *discounts; /* all of them, instead of those before; NULL: as they are */
        size_t n_discounts;
        struct money shipping;
        bool has_shipping;
        const struct tax_body *tax;
};

/* What can be told from the request alone: VALIDATION_FAILED with every violation. */
enum problem changing_check(const struct change_body *body, struct arena *arena, struct refusal *refusal);

/* The wish that a change comes to: for a line that is there, of its SKU (NULL: not known yet). */
struct wish changing_wish(const struct change_body *body, size_t line, const char *sku);

/* What is left of each line of an order, by number, while its amounts change. */
struct amounts {
        int64_t *left;
        const int64_t *gross; /* price of all units */
        const int64_t *units; /* that are left */
        size_t n;
        int64_t total;     /* of the order, before */
        int64_t credited;  /* of it: the customer does not owe that any more */
        int64_t given_tax; /* in the units given back of all lines */
};

/* Deal the discounts, the shipping and the tax of a request over what is left of the lines: what was given back keeps
 * its value. Sets left and total; objects to what does not fit. */
void amounts_deal(const struct order *order, const struct change_body *body, struct amounts *amounts,
        struct arena *arena, struct refusal *refusal);

/* The same on an order that has been changed otherwise; it fits, as was seen before. FAULT_BUSY without memory. */
enum problem amounts_apply(struct order *order, const struct change_body *body, struct arena *arena);

/* Tell "order.changed" with what was, and add what is: amounts and lines, but nobody's name or address. */
struct event *change_tell_before(
        const struct order *order, const struct change_body *body, struct events *events, const char *actor);
void change_tell_after(struct event *event, const struct order *order, const struct change_body *body);

/* What a change is decided against. */
struct changing {
        struct arena *arena; /* of the batch */
        const struct catalog_set *catalog;
        struct slot_set *slots;
        struct stock *stock;
        struct events *events;
        timestamp now;
};

/* Change a locked order, and settle it. VALIDATION_FAILED, INVALID_TRANSITION (it is too late for a part),
 * INSUFFICIENT_STOCK, SLOT_FULL. What it says already is left as it is. FAULT_BUSY without memory. */
enum problem order_change(struct order *order, const struct change_body *body, const struct changing *changing,
        const char *actor, struct arena *arena, struct refusal *refusal);
