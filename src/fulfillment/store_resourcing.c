#include "db/connection.h"
#include "fulfillment/resourcing.h"

void resourcing_init(struct resourcing *resourcing, struct arena *arena, int64_t radius_km) {
        *resourcing = (struct resourcing){ .arena = arena, .radius_km = radius_km };
        orders_init(&resourcing->orders, arena, NULL);
        sourcing_init(&resourcing->sourcing, arena);
}

void resourcing_want(struct resourcing *resourcing, const void *owner, const struct uuid *fulfillment_id,
        const struct line_units *lines, size_t n_lines) {
        struct resourcing_call *calls = arena_grow(
                resourcing->arena, resourcing->calls, resourcing->n_calls, &resourcing->capacity, sizeof(*calls));

        if (!calls) {
                resourcing->exhausted = true;
                return;
        }
        resourcing->calls = calls;
        calls[resourcing->n_calls++] = (struct resourcing_call){
                .owner = owner, .fulfillment_id = *fulfillment_id, .lines = lines, .n_lines = n_lines
        };
        orders_want_fulfillment(&resourcing->orders, fulfillment_id);
}

struct sourcing_search *resourcing_find(const struct resourcing *resourcing, const void *owner) {
        return sourcing_find(&resourcing->sourcing, owner);
}

/* ---- searching before the locks ---- */

/* No shortage when there is no such fulfillment. */
static enum problem call_shortage(
        const struct resourcing *resourcing, const struct resourcing_call *call, struct shortage *ret_shortage) {
        const struct fulfillment *fulfillment = fulfillment_find(&resourcing->orders, &call->fulfillment_id);

        *ret_shortage = (struct shortage){ 0 };
        return fulfillment ? shortage_find(fulfillment, call->lines, call->n_lines, resourcing->arena, ret_shortage)
                           : PROBLEM_NONE;
}

/* Each call gets a search, even if it has no need yet: the documents may change before they are locked. */
static enum problem call_search(struct resourcing *resourcing, const struct resourcing_call *call) {
        const struct fulfillment *fulfillment = fulfillment_find(&resourcing->orders, &call->fulfillment_id);
        struct sourcing_search search = { 0 };
        struct shortage shortage;
        const enum problem p = call_shortage(resourcing, call, &shortage);

        if (p)
                return p;
        if (fulfillment)
                search = shortage_search(fulfillment, resourcing->radius_km);
        search.owner = call->owner;
        search.needs = shortage.needs;
        search.n_needs = shortage.n;
        sourcing_want(&resourcing->sourcing, &search);
        return PROBLEM_NONE;
}

/* Apply the shortage to its documents, so that the next call on the same order sees its effect. */
static void shortage_note(const struct resourcing_call *call, const struct shortage *shortage) {
        for (size_t i = 0; i < shortage->n; i++)
                shortage->lines[i]->shorted += shortage->needs[i].quantity;
        if (shortage->n && !call->lines)
                shortage->lines[0]->fulfillment->status = FULFILLMENT_REJECTED;
}

static enum problem call_foresee(
        struct resourcing *resourcing, const struct resourcing_call *call, struct stock *stock) {
        struct shortage shortage;
        enum problem p = call_shortage(resourcing, call, &shortage);

        if (p || !shortage.n)
                return p;
        p = sourcing_foresee(
                &resourcing->sourcing, resourcing_find(resourcing, call->owner), shortage.needs, shortage.n, stock);
        if (!p)
                shortage_note(call, &shortage);
        return p;
}

enum problem resourcing_lock(
        struct resourcing *resourcing, struct database *database, struct order_set *set, timestamp deadline) {
        enum problem p = resourcing->exhausted ? FAULT_BUSY : orders_read(database, &resourcing->orders);

        if (!p)
                p = database_trip(database, deadline);
        for (size_t i = 0; i < resourcing->n_calls && !p; i++)
                p = call_search(resourcing, &resourcing->calls[i]);
        if (!p)
                p = sourcing_read(&resourcing->sourcing, database, deadline);
        for (size_t i = 0; i < resourcing->n_calls && !p; i++)
                p = call_foresee(resourcing, &resourcing->calls[i], set->stock);
        return p ? p : orders_lock(database, set);
}
