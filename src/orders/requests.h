/*
 * orders/requests: a requested line, checked against catalogue and calendar.
 *
 * For orders that are placed and for lines that are added to them later. Pure: nothing is changed here. A violation
 * points to the wish's place in the request.
 */
#pragma once

#include "catalog/catalog.h"
#include "catalog/slots.h"
#include "orders/orders.h"

struct fulfillment_choice {
        int method; /* enum fulfillment_method; -1: not given */
        const char *location;
        timestamp slot; /* beginning of the slot; TIMESTAMP_NONE: not given */
};

struct wish {
        const char *sku;
        int64_t quantity;
        const struct money *unit_price; /* NULL: the catalogue's price */
        const struct fulfillment_choice *choice;
        const char *list;      /* its list in the request: "#/lines" */
        size_t place;          /* in that list */
        const char *choice_at; /* pointer to its choice: "#/fulfillment"; NULL: in the wish */
};

/* Context of the checks of wishes, and the refusal that collects their violations. */
struct market {
        const struct catalog_set *catalog; /* with the zones of all locations */
        const struct slot_set *slots;      /* locked; NULL: none may be named */
        timestamp now;
        const char *channel, *currency;
        struct arena *arena; /* of the call */
        struct refusal *refusal;
};

/* Add a violation of a member of a wish ("quantity", "fulfillment/location"). A violation of a choice that serves
 * several wishes is added once. Returns the violation, or NULL when it was added before or there is no room for it. */
struct violation *wish_object(
        const struct market *market, const struct wish *wish, const char *member, const char *code, const char *detail);

/* Check the wish alone: the choice is complete, and the currency is that of the order. */
void wish_check(const struct market *market, const struct wish *wish);

/* Look up the channel's offer: sets title and unit price of the line. */
void wish_offer(const struct market *market, const struct wish *wish, struct order_line *line);

/* The time when the location has it ready. */
struct wish_promise {
        timestamp promised_at;
        bool has_slot; /* and then it begins at promised_at */
};

struct wish_promise wish_promise(const struct market *market, const struct wish *wish);

/* Want the catalogue and stock rows of a wish; its slot, once the catalogue is loaded. */
void wish_want(const struct wish *wish, const char *channel, struct catalog_set *catalog, struct stock *stock);
void wish_want_slot(const struct wish *wish, const struct catalog_set *catalog, struct slot_set *slots);
