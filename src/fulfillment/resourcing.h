/*
 * fulfillment/resourcing: other locations take over the units that a location lacks.
 *
 * Units that fall short, or are rejected, are offered to other locations that serve the same method; units that no
 * location has are cancelled. The choice is the sourcing room's (sourcing/sourcing.h). Here lines become needs, and the
 * parts of the plan become fulfillments. A `resourcing` lives in the arena of its batch.
 */
#pragma once

#include "fulfillment/fulfillment.h"
#include "sourcing/sourcing.h"

/* Units that the location of a fulfillment lacks. */
struct shortage {
        struct fulfillment_line **lines; /* of each need */
        struct sourcing_need *needs;
        size_t n;
};

/* ---- pure rules ---- */

/* Whether the units may come from elsewhere: not when the customer does not want them. */
bool short_reason_resources(enum short_reason reason);

/* The units that the named lines lack; none when a line is unknown or has fewer units remaining. All open units when
 * `lines` is NULL. A location that fell short of a line before may not supply it, nor one that rejected a part of the
 * order. FAULT_BUSY without memory. */
must_check enum problem shortage_find(const struct fulfillment *fulfillment, const struct line_units *lines,
        size_t n_lines, struct arena *arena, struct shortage *ret_shortage);

/* The search for a fulfillment's units: elsewhere, by its method. A parcel comes from near its address if its place is
 * known, else from near the location. For pickup and curbside only locations within `radius_km` are asked; 0: all. */
struct sourcing_search shortage_search(const struct fulfillment *fulfillment, int64_t radius_km);

/* Find locations that have the missing units, and reserve the units there. No plan without a search. FAULT_STALE when
 * they have fewer than before the locks. */
must_check enum problem shortage_source(const struct shortage *shortage, struct sourcing_search *search,
        const struct command *command, struct sourcing_plan *ret_plan);

/* Make a fulfillment for each location that takes over, with its lines and events. */
must_check enum problem shortage_take_over(struct fulfillment *from, const struct shortage *shortage,
        const struct sourcing_plan *plan, const struct command *command);

/* ---- loading ---- */

/* Whether other locations take over the missing units of a fulfillment, as the channel of its order says. */
struct resourcing_policy {
        struct uuid id; /* of the fulfillment */
        bool enabled;
        int64_t radius_km; /* of pickup and curbside; 0: no limit */
};

/* The missing units of one call. */
struct resourcing_call {
        const void *owner; /* the call */
        struct uuid fulfillment_id;
        const struct line_units *lines; /* that fall short; NULL: all that is open */
        size_t n_lines;
};

/* The searches of one batch. */
struct resourcing {
        struct arena *arena;
        struct order_set orders;            /* read without a lock */
        struct resourcing_policy otherwise; /* of a channel that does not say */
        struct resourcing_policy *policies; /* of the fulfillments that exist */
        size_t n_policies;
        struct sourcing sourcing;
        struct resourcing_call *calls;
        size_t n_calls, capacity;
        bool exhausted;
};

/* `otherwise` is the policy of channels that do not say. */
void resourcing_init(struct resourcing *resourcing, struct arena *arena, const struct resourcing_policy *otherwise);

/* Search for the units that the lines of a fulfillment lack (NULL: all open units). The id and the lines must outlive
 * the batch. */
void resourcing_want(struct resourcing *resourcing, const void *owner, const struct uuid *fulfillment_id,
        const struct line_units *lines, size_t n_lines);

/* Choose in three trips, name the rows chosen in the stock of `set`, and queue the locks of its documents together with
 * them. */
must_check enum problem resourcing_lock(
        struct resourcing *resourcing, struct database *database, struct order_set *set, timestamp deadline);

/* The search of that call; NULL when none was wanted, or when the policy of its channel is against it. */
struct sourcing_search *resourcing_find(const struct resourcing *resourcing, const void *owner);
