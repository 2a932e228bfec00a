/*
 * sourcing: the choice of other locations for units that a location lacks.
 *
 * Units that fall short, or are rejected, are offered to other locations that serve the same method, the nearest first;
 * units that no location has are cancelled. The batch chooses locations before the locks, locks the chosen rows
 * together with those of the order, and chooses again among them. When fewer units are left by then, the batch starts
 * over (FAULT_STALE). A `sourcing` lives in the arena of its batch. Chosen units are reserved at once, so that calls of
 * one batch do not count on the same units.
 */
#pragma once

#include "catalog/catalog.h"
#include "fulfillment/fulfillment.h"

#define SOURCING_SHELVES_MAX 100 /* that are looked at for one SKU of a fulfillment */
#define SOURCING_SPLIT_MAX   3   /* locations that share the missing units of one line */

/* Units of a line that its location does not have, and how many of them no location has. */
struct need {
        struct fulfillment_line *line;
        int64_t quantity, left;
};

/* A location that may take them over. */
struct candidate {
        const char *code;
        const struct location *location;
        const struct zone *zone; /* of the location */
        double distance;         /* kilometres; infinite when a coordinate is missing */
        timestamp promised_at;   /* when it could have them ready; TIMESTAMP_NONE: it cannot serve at all */
};

/* The search for one call. */
struct search {
        const void *owner; /* the call */
        struct uuid fulfillment_id;
        const struct line_units *lines; /* that fall short; NULL: all that is open */
        size_t n_lines;
        struct candidate *candidates; /* nearest first, ties by code */
        size_t n_candidates, capacity;
        int64_t left; /* units that no location had before the locks */
};

/* Units of a need that come from a candidate. */
struct source {
        struct need *need;
        const struct candidate *candidate;
        struct stock_row *row;
        int64_t quantity;
};

/* ---- pure rules ---- */

/* Whether the units may come from elsewhere: not when the customer does not want them. */
bool short_reason_resources(enum short_reason reason);

/* The units that the named lines lack; 0 when a line is unknown or has fewer units remaining. All open units when no
 * line is named. `needs` has room for ORDER_LINES_MAX. */
size_t needs_of(
        const struct fulfillment *fulfillment, const struct line_units *lines, size_t n_lines, struct need *needs);

/* Sort the candidates, and compute the time that each could promise now, as for a new order. Locations that do not
 * serve the method, or are closed for good, cannot promise. */
void candidates_sort(struct candidate *candidates, size_t n);
void candidates_promise(struct candidate *candidates, size_t n, enum fulfillment_method method, timestamp now);

/* Choose where the units come from and reserve them there: all lines from the nearest location that has everything;
 * else each line from the nearest that has all of it, else from the nearest few that have some. Not from the location
 * that falls short, nor from one that fell short of the line before, nor from one that rejected a part of the order.
 * Only from rows that are in `stock`. FAULT_BUSY without memory. */
enum problem sources_choose(struct need *needs, size_t n_needs, const struct search *search, struct stock *stock,
        struct source **ret_sources, size_t *ret_n);

/* Make a fulfillment for each location that takes over, with its lines and events. */
enum problem sources_take_over(
        struct fulfillment *from, const struct source *sources, size_t n_sources, const struct act *act);

/* ---- loading ---- */

/* The searches of one batch. */
struct sourcing {
        struct arena *arena;
        int64_t radius_km;          /* 0: no limit */
        struct order_set orders;    /* read without a lock */
        struct stock shelves;       /* likewise */
        struct catalog_set catalog; /* of the candidates, with their zones */
        struct search *searches;
        size_t n_searches, capacity;
        struct search **asked; /* which search each question is of */
        timestamp now;         /* when it was read */
        bool exhausted;
};

/* For pickup and curbside, only locations within `radius_km` kilometres are asked; 0: all. */
void sourcing_init(struct sourcing *sourcing, struct arena *arena, int64_t radius_km);

/* Search for the units that the lines of a fulfillment lack (NULL: all open units). The id and the lines must outlive
 * the batch. */
void sourcing_want(struct sourcing *sourcing, const void *owner, const struct uuid *fulfillment_id,
        const struct line_units *lines, size_t n_lines);

/* Choose in three trips, name the rows chosen in the stock of `set`, and queue the locks of its documents together with
 * them. */
enum problem sourcing_lock(
        struct sourcing *sourcing, struct database *database, struct order_set *set, timestamp deadline);

/* The search of that call; NULL when none was wanted. */
struct search *sourcing_find(const struct sourcing *sourcing, const void *owner);
