/*
 * orders/changing: changes to an order after it was placed.
 *
 * A request names several changes and is decided whole: all of them are made or none, and the refusal names every part
 * that cannot be made. The state of the units decides which changes are possible:
 *
 *     take units off, remove a line   until the units have left, picked or not: this is a cancellation
 *     add units to a line             while some of it is held; they join a fulfillment that is not wholly picked
 *     move to another method, place   unpicked units only
 *       or slot
 *     add a line                      as long as any unit of the order is held or expected
 *     the address                     until a parcel is packed
 *     the alternate pickup person     until the order is collected
 *     customer, discounts, amounts    as long as the order is open
 *
 * Pure but for the new ids. A refused request changes nothing.
 */
#pragma once

#include "orders/additions.h"
#include "orders/placing.h"

#define CHANGE_LINES_MAX 50 /* so that an event can hold the lines before and after */

struct line_change {
        struct uuid order_line_id; /* of an existing line */
        const char *sku;           /* of an added line */
        int64_t quantity;          /* units that are not cancelled */
        struct money unit_price;
        const struct fulfillment_choice *fulfillment;
        bool has_order_line_id, has_quantity, has_unit_price;
        bool remove, has_remove;
};

/* The alternate pickup person. */
struct collector_body {
        const char *name;
        int relation; /* of relation_texts; -1: not given */
};

struct change_body {
        const char *reason;
        const struct line_change *lines;
        size_t n_lines;
        const struct customer_body *customer;
        const struct address_body *ship_to;
        const struct collector_body *recipient;
        const struct discount_body *discounts; /* all of them, in place of the former ones; NULL: unchanged */
        size_t n_discounts;
        struct money shipping;
        bool has_shipping;
        const struct tax_body *tax;
};

/* Check the request without the database: VALIDATION_FAILED with every violation. */
enum problem changing_check(const struct change_body *body, struct arena *arena, struct refusal *refusal);

/* The requested line of a change. `sku`: of the existing line (NULL: not known yet). */
struct requested_line changing_line(const struct change_body *body, size_t line, const char *sku);

/* The remaining value of each line of an order, by number, while its amounts change. */
struct amounts {
        int64_t *left;
        const int64_t *gross; /* price of all units */
        const int64_t *units; /* remaining ones */
        size_t n;
        int64_t total;         /* of the order, before */
        struct taxed credited; /* the part of it that the customer no longer owes */
};

/* Deal the discounts, the shipping and the tax of a request over the remaining values of the lines: units given back
 * keep their value. Sets left and total, and adds a violation for each amount that does not fit. */
void amounts_deal(const struct order *order, const struct change_body *body, struct amounts *amounts,
        struct arena *arena, struct refusal *refusal);

/* Apply the same amounts to the order after its other changes; amounts_deal has shown that they fit. FAULT_BUSY without
 * memory. */
enum problem amounts_apply(struct order *order, const struct change_body *body, struct arena *arena);

/* Add the event "order.changed" with the state before, then the state after: amounts and lines, but no personal names
 * or addresses. */
struct event *change_tell_before(
        const struct order *order, const struct change_body *body, const struct command *command);
void change_tell_after(struct event *event, const struct order *order, const struct change_body *body);

/* The context of a change: catalogue, slots and stock. */
struct changing {
        struct arena *arena; /* of the batch */
        const struct catalog_set *catalog;
        struct slot_set *slots;
        struct stock *stock;
};

/* Change a locked order, and settle it. VALIDATION_FAILED, INVALID_TRANSITION (it is too late for a part),
 * INSUFFICIENT_STOCK, SLOT_FULL. Members with their present value change nothing. FAULT_BUSY without memory. */
enum problem order_change(struct order *order, const struct change_body *body, const struct changing *changing,
        const struct command *command);
