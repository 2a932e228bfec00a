/*
 * sourcing: the choice of the locations that supply wanted units.
 *
 * A search has needs (an SKU and a quantity each), the capability that a location must have, and a place to be near to.
 * Its candidates are the locations with that capability and some of the units, the nearest first. The plan tells how
 * many units of which need each candidate supplies. The room knows neither orders nor fulfillments: its callers
 * translate their lines to needs, and the plan to lines.
 *
 * The batch chooses twice. Before its locks it names its searches (sourcing_want), reads their candidates and stock
 * without a lock (sourcing_read), and chooses among them (sourcing_foresee), which names the chosen rows to be locked.
 * Each decision then chooses among the locked rows (sourcing_confirm). When fewer units are left by then, the batch
 * starts over (FAULT_STALE). Chosen units are reserved at once, so that calls of one batch do not count on the same
 * units. A `sourcing` lives in the arena of its batch; one thread.
 */
#pragma once

#include "catalog/catalog.h"
#include "inventory/inventory.h"

#define SOURCING_SHELVES_MAX 100 /* stock rows that are looked at for one SKU of a search */
#define SOURCING_SPLIT_MAX   3   /* locations that share the units of one need */

/* Wanted units. */
struct sourcing_need {
        const char *sku;
        int64_t quantity, left;      /* left: units that no location supplies */
        const char *const *excluded; /* codes of locations that may not supply it */
        size_t n_excluded;
};

/* A location that may supply some. */
struct candidate {
        const char *code;
        const struct location *location;
        const struct zone *zone; /* of the location */
        double distance;         /* kilometres; infinite when a coordinate is missing */
        timestamp promised_at;   /* when it could have them ready; TIMESTAMP_NONE: it cannot serve at all */
};

struct position {
        bool known;
        double latitude, longitude;
};

/* The search for one call. Text and needs must outlive the batch. */
struct sourcing_search {
        const void *owner; /* the call */
        enum capability capability;
        struct position place;       /* distances are measured from here; when unknown, from the location `near` */
        const char *near;            /* may be NULL */
        bool elsewhere;              /* `near` itself is no candidate */
        int64_t radius_km;           /* 0: no limit */
        struct sourcing_need *needs; /* as they are before the locks */
        size_t n_needs;
        struct candidate *candidates; /* nearest first, ties by code */
        size_t n_candidates, capacity;
        int64_t left; /* units that no location had before the locks */
};

/* Units of a need that a candidate supplies. */
struct sourcing_part {
        size_t need; /* its place */
        const struct candidate *candidate;
        struct stock_row *row;
        int64_t quantity;
};

struct sourcing_plan {
        struct sourcing_part *parts; /* a candidate supplies one part of a need at most */
        size_t n_parts;
        int64_t left; /* of all needs */
};

struct snapshot;

/* ---- pure rules ---- */

void candidates_sort(struct candidate *candidates, size_t n);

/* Compute the time that each candidate could promise now, as for a new order. Locations without the capability, or
 * closed for good, cannot promise. */
void candidates_promise(struct sourcing_search *search, timestamp now);

/* Choose where the units come from and reserve them there. One location that has everything comes first, the nearest of
 * them; else each need goes to the nearest location that has all of it, else to the nearest SOURCING_SPLIT_MAX that
 * have some. Only rows that are in `stock` count, of candidates that can promise and are not excluded. FAULT_BUSY
 * without memory. */
must_check enum problem sourcing_choose(const struct sourcing_search *search, struct sourcing_need *needs,
        size_t n_needs, struct stock *stock, struct sourcing_plan *ret_plan);

/* Choose among the locked rows, with the promises of `now`. FAULT_STALE when more units are left than before the
 * locks. */
must_check enum problem sourcing_confirm(struct sourcing_search *search, struct sourcing_need *needs, size_t n_needs,
        struct stock *stock, timestamp now, struct sourcing_plan *ret_plan);

/* Keep a search and its candidates; NULL is allowed. */
void sourcing_snapshot(struct snapshot *snapshot, struct sourcing_search *search);

/* ---- loading ---- */

/* The searches of one batch. */
struct sourcing {
        struct arena *arena;
        struct stock shelves;       /* read without a lock */
        struct catalog_set catalog; /* of the candidates, with their zones */
        struct sourcing_search *searches;
        size_t n_searches, capacity;
        struct sourcing_search **asked; /* the search of each question */
        timestamp now;                  /* when it was read */
        bool exhausted;
};

void sourcing_init(struct sourcing *sourcing, struct arena *arena);

/* Add a search; its candidates are found by sourcing_read. */
void sourcing_want(struct sourcing *sourcing, const struct sourcing_search *search);

/* The search of that owner; NULL when none was wanted. Valid once all are added. */
struct sourcing_search *sourcing_find(const struct sourcing *sourcing, const void *owner);

/* Find the candidates of all searches and read their stock, records and hours, in two trips without a lock. No trip
 * when no search has a need. */
must_check enum problem sourcing_read(struct sourcing *sourcing, struct database *database, timestamp deadline);

/* Choose among the rows read without a lock, name the chosen rows in `stock`, and note the units that are left. The
 * needs may differ from those of the search when searches before it changed their documents. */
must_check enum problem sourcing_foresee(struct sourcing *sourcing, struct sourcing_search *search,
        struct sourcing_need *needs, size_t n_needs, struct stock *stock);
