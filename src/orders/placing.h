/*
 * orders/placing: checks and decision of a new order, which takes its stock at once.
 *
 * `placing_check` checks the request without looking anything up. `placing_decide` has the catalogue, the locked stock
 * and the reservations, and grants or refuses the whole order. Pure but for the new ids; a refused request changes
 * nothing.
 */
#pragma once

#include "orders/customer.h"
#include "orders/requests.h"
#include "reservations/reservations.h"

struct order_line_body {
        const char *sku;
        int64_t quantity;
        struct money unit_price;
        bool has_unit_price;
        const struct fulfillment_choice *fulfillment;
};

struct discount_body {
        int64_t amount;
        int64_t line;
        bool has_line;
        const char *reason;
};

struct tax_body {
        int64_t amount;
        bool included, has_included;
};

struct payment_body {
        int status; /* enum payment_status; -1: not said */
        const char *reference;
        timestamp due_at;
};

struct order_body {
        const char *channel, *external_ref, *currency;
        const struct customer_body *customer;
        const struct order_line_body *lines;
        size_t n_lines;
        const struct fulfillment_choice *fulfillment;
        const struct address_body *ship_to;
        struct uuid reservation_id;
        bool has_reservation_id;
        const struct discount_body *discounts;
        size_t n_discounts;
        struct money shipping;
        bool has_shipping;
        const struct tax_body *tax;
        const struct payment_body *payment;     /* of the whole total */
        const struct payment_request *payments; /* several, in place of `payment` */
        size_t n_payments;
};

/* One new order under validation: by `placing_check` without the catalogue, by `placing_decide` with it. */
struct validation {
        const struct order_body *body;
        struct offer_context context;
};

/* Add a violation of the request. */
void placing_violation_add(
        const struct validation *validation, const char *pointer, const char *code, const char *detail);

/* Method and location of a line: from the line, else from the order. */
const struct fulfillment_choice *placing_choice(const struct order_body *body, const struct order_line_body *line);

/* A line of the request. */
struct requested_line placing_line(const struct order_body *body, size_t line);

/* Check the request without the database: VALIDATION_FAILED with every violation. */
enum problem placing_check(const struct order_body *body, struct arena *arena, struct refusal *refusal);

struct order_ref {
        const char *channel, *external_ref;
};

/* The context of a batch of new orders, and the orders placed so far. */
struct placing {
        struct arena *arena;
        struct catalog_set catalog; /* with the zones of all its locations */
        struct slot_set slots;      /* locked, those that the orders name */
        struct stock stock;
        struct reservation_set reservations;
        struct order **orders; /* placed by this batch, and existing ones with one of its external_refs */
        size_t n_orders, n_placed;
        struct order_ref *refs; /* of all requests */
        size_t n_refs;
        struct reservation **claimed;
        size_t n_claimed;
        duration unpaid_ttl; /* of orders whose channel does not say; 0: for ever */
};

/* Keep a copy of the data that placing an order may change: stock rows, slots, its reservation, the list of orders
 * placed so far. */
void placing_snapshot(struct snapshot *snapshot, struct placing *placing, const struct order_body *body);

/* Place one order. VALIDATION_FAILED (unknown codes, prices), DUPLICATE_EXTERNAL_REF with a link, RESERVATION_EXPIRED,
 * INSUFFICIENT_STOCK with each short line, SLOT_FULL with each full slot. FAULT_BUSY without memory. The order is in
 * the arena of the batch. */
enum problem placing_decide(struct placing *placing, const struct order_body *body, const struct command *command,
        struct order **ret_order);

/* DUPLICATE_EXTERNAL_REF with a link, when the channel has an order with this external_ref. */
enum problem placing_check_ref(
        const struct placing *placing, const char *channel, const char *external_ref, const struct command *command);

/* Want the slots that the order names, if its locations have them, once the catalogue is loaded. */
void placing_want_slots(struct placing *placing, const struct order_body *body);

/* Queue: lock the stock rows that the orders want and those of the reservations they claim, all in the order of
 * locks. */
enum problem placing_lock_stock(struct database *database, struct placing *placing);

/* Queue: find the orders that already have one of the external_refs. */
enum problem placing_find_known(struct database *database, struct placing *placing);
