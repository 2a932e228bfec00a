/*
 * orders/requests: a requested line, checked against catalogue and calendar.
 *
 * For orders that are placed and for lines that are added to them later. Pure: nothing is changed here. A violation
 * points to the place of the line in the request.
 */
#pragma once

#include "catalog/catalog.h"
#include "catalog/slots.h"
#include "orders/order.h"

struct fulfillment_choice {
        int method; /* enum fulfillment_method; -1: not given */
        const char *location;
        timestamp slot; /* beginning of the slot; TIMESTAMP_NONE: not given */
};

struct requested_line {
        const char *sku;
        int64_t quantity;
        const struct money *unit_price; /* NULL: the catalogue's price */
        const struct fulfillment_choice *choice;
        const char *list;      /* its list in the request: "#/lines" */
        size_t place;          /* in that list */
        const char *choice_at; /* pointer to its choice: "#/fulfillment"; NULL: in the line */
};

/* The offers that requested lines are checked against, and the refusal that collects their violations. */
struct offer_context {
        const struct catalog_set *catalog; /* with the zones of all locations */
        const struct slot_set *slots;      /* locked; NULL: none may be named */
        timestamp now;
        const char *channel, *currency;
        struct arena *arena; /* of the call */
        struct refusal *refusal;
};

/* Add a violation of a member of a requested line ("quantity", "fulfillment/location"). A violation of a choice that
 * serves several lines is added once. */
void requested_line_refuse(const struct offer_context *context, const struct requested_line *requested,
        const char *member, const char *code, const char *detail);

/* Check the line alone: the choice is complete, and the currency is that of the order. */
void requested_line_check(const struct offer_context *context, const struct requested_line *requested);

/* Look up the channel's offer: sets title and unit price of the line. */
void requested_line_offer(
        const struct offer_context *context, const struct requested_line *requested, struct order_line *line);

/* The time when the location has it ready. */
struct line_promise {
        timestamp promised_at;
        bool has_slot; /* and then it begins at promised_at */
};

struct line_promise requested_line_promise(const struct offer_context *context, const struct requested_line *requested);

/* Want the catalogue and stock rows of a requested line; its slot, once the catalogue is loaded. */
void requested_line_want(
        const struct requested_line *requested, const char *channel, struct catalog_set *catalog, struct stock *stock);
void requested_line_want_slot(
        const struct requested_line *requested, const struct catalog_set *catalog, struct slot_set *slots);
