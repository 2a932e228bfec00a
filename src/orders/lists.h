/*
 * orders/lists: the orders of a list, and the events of one order.
 */
#pragma once

#include "orders/orders.h"

#define TIMELINE_MAX        1000 /* events of one order that are shown */

#define PHONE_SPELLINGS_MAX 7

/* A phone number in each way to write it: digits as phone_digits() of SQL takes them from an order. None comes twice.
 */
struct phone_spellings {
        const char *at[PHONE_SPELLINGS_MAX];
        size_t n;
};

/* Other ways to write the words of a search: as an order number, or as a phone number. */
struct search_spellings {
        const char *number; /* with its hyphens; NULL: they are none */
        struct phone_spellings phones;
};

/* How an order may have the words (NULL: none). Pure. */
struct search_spellings search_spellings_of(const char *words, struct arena *arena);

/* How an order may have the phone number; none when the text (NULL: none) has no digits. Pure. */
struct phone_spellings phone_spellings_of(const char *phone, struct arena *arena);

/* The filters of a list; NULL and TIMESTAMP_NONE filter nothing. */
struct order_filter {
        const char *channel, *external_ref, *order_number, *words, *email, *phone;
        const char *const *statuses;
        size_t n_statuses;
        bool all_locations;
        const char *const *locations;
        size_t n_locations;
        timestamp updated_since; /* if given, sorted by last change, oldest first; else newest first */
        timestamp after_time;    /* the end of the page before */
        struct uuid after_id;
        int64_t limit;
};

struct listed_order {
        struct uuid id;
        timestamp sorted_by;
};

struct order_list {
        struct arena *arena;
        struct listed_order *rows;
        size_t n;
};

/* Queue: read the locations that took goods of these orders back (order.return_places). The set names its orders by
 * id. */
void return_places_load(struct database *database, struct order_set *set);

/* Queue: find the orders of one page, `limit` of them at most. */
enum problem order_list_load(struct database *database, const struct order_filter *filter, struct order_list *list);

struct timeline_entry {
        struct uuid id, fulfillment_id;
        const char *type, *actor, *location, *data;
        timestamp occurred_at;
};

struct timeline {
        struct arena *arena;
        struct timeline_entry *entries;
        size_t n;
};

/* Queue: the events of an order, oldest first, TIMELINE_MAX at most. */
enum problem timeline_load(struct database *database, const struct uuid *order_id, struct timeline *timeline);

/* Its events as the list that clients see. */
void timeline_write(struct writer *json, const struct timeline *timeline);
