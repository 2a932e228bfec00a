/*
 * orders/wishes: a line that somebody wants, held against the catalogue and the calendar.
 *
 * For orders that are placed and for lines that are added to them later. Pure. What is wrong with a wish is told where
 * it stands in the request; nothing is changed here.
 */
#pragma once

#include "catalog/catalog.h"
#include "catalog/slots.h"
#include "orders/orders.h"

struct fulfillment_choice {
        int method; /* enum fulfillment_method; -1: not said */
        const char *location;
        timestamp slot; /* the beginning of one; TIMESTAMP_NONE: not said */
};

struct wish {
        const char *sku;
        int64_t quantity;
        const struct money *unit_price; /* NULL: as the catalogue has it */
        const struct fulfillment_choice *choice;
        const char *list;      /* where it stands: "#/lines" */
        size_t place;          /* in that list */
        const char *choice_at; /* where its choice stands: "#/fulfillment"; NULL: in the wish */
};

/* What wishes are held against, and where objections go. */
struct market {
        const struct catalog_set *catalog; /* with the zones of all locations */
        const struct slot_set *slots;      /* locked; NULL: none may be named */
        timestamp now;
        const char *channel, *currency;
        struct arena *arena; /* of the call */
        struct refusal *refusal;
};

/* Object to a member of a wish ("quantity", "fulfillment/location"). What is wrong with a choice that stands for
 * several wishes is said once. Returns the violation, or NULL when it was said before or there is no room for it. */
struct violation *wish_object(
        const struct market *market, const struct wish *wish, const char *member, const char *code, const char *detail);

/* What can be told without looking anything up: the choice is whole, and the currency the order's. */
void wish_check(const struct market *market, const struct wish *wish);

/* What the channel sells: sets title and unit price of the line. */
void wish_offer(const struct market *market, const struct wish *wish, struct order_line *line);

/* When the location has it ready. */
struct wish_promise {
        timestamp promised_at;
        bool has_slot; /* and then it begins at promised_at */
};

struct wish_promise wish_promise(const struct market *market, const struct wish *wish);

/* Name what is to be looked up for a wish; the slot once the catalogue is there. */
void wish_want(const struct wish *wish, const char *channel, struct catalog_set *catalog, struct stock *stock);
void wish_want_slot(const struct wish *wish, const struct catalog_set *catalog, struct slot_set *slots);
