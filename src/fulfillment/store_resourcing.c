#include "db/connection.h"
#include "fulfillment/columns.h"
#include "fulfillment/resourcing.h"

#include "sql/fulfillment.h"

static const struct column in_resourcing_policy[] = {
        { "id", UUID_AT(struct resourcing_policy, id) },
        { "enabled", BOOLEAN_AT(struct resourcing_policy, enabled) },
        { "radius_km", INTEGER_AT(struct resourcing_policy, radius_km) },
};
const struct columns resourcing_policy_columns = { "resourcing_policies",
        COLUMNS(struct resourcing_policy, in_resourcing_policy) };

void resourcing_init(struct resourcing *resourcing, struct arena *arena, const struct resourcing_policy *otherwise) {
        *resourcing = (struct resourcing){ .arena = arena, .otherwise = *otherwise };
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

/* ---- policies ---- */

static enum problem policies_read(struct rows *rows, void *into) {
        struct resourcing *resourcing = into;

        resourcing->policies = rows_fill(rows, &resourcing_policy_columns, resourcing->arena);
        resourcing->n_policies = resourcing->policies ? rows_count(rows) : 0;
        return resourcing->policies ? PROBLEM_NONE : FAULT_BUSY;
}

static void policies_ask(struct resourcing *resourcing, struct database *database) {
        struct parameters p;
        struct array *ids;

        parameters_init(&p, resourcing->arena);
        ids = parameter_uuids(&p);
        parameter_boolean(&p, resourcing->otherwise.enabled);
        parameter_integer(&p, resourcing->otherwise.radius_km);
        for (size_t i = 0; i < resourcing->n_calls; i++)
                array_uuid(ids, &resourcing->calls[i].fulfillment_id);
        database_ask(database, &sql_resourcing_policies, &p, policies_read, resourcing);
}

/* NULL when there is no such fulfillment, or when its channel keeps orders where they are. */
static const struct resourcing_policy *call_policy(
        const struct resourcing *resourcing, const struct resourcing_call *call) {
        for (size_t i = 0; i < resourcing->n_policies; i++)
                if (uuid_equal(&resourcing->policies[i].id, &call->fulfillment_id))
                        return resourcing->policies[i].enabled ? &resourcing->policies[i] : NULL;
        return NULL;
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
        const struct resourcing_policy *policy = call_policy(resourcing, call);
        struct sourcing_search search;
        struct shortage shortage;
        const enum problem p = call_shortage(resourcing, call, &shortage);

        if (p || !fulfillment || !policy)
                return p;
        search = shortage_search(fulfillment, policy->radius_km);
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
        struct sourcing_search *search = resourcing_find(resourcing, call->owner);
        struct shortage shortage;
        enum problem p = call_shortage(resourcing, call, &shortage);

        if (p || !shortage.n || !search)
                return p;
        p = sourcing_foresee(&resourcing->sourcing, search, shortage.needs, shortage.n, stock);
        if (!p)
                shortage_note(call, &shortage);
        return p;
}

enum problem resourcing_lock(
        struct resourcing *resourcing, struct database *database, struct order_set *set, timestamp deadline) {
        enum problem p = resourcing->exhausted ? FAULT_BUSY : orders_read(database, &resourcing->orders);

        if (!p) {
                policies_ask(resourcing, database);
                p = database_trip(database, deadline);
        }
        for (size_t i = 0; i < resourcing->n_calls && !p; i++)
                p = call_search(resourcing, &resourcing->calls[i]);
        if (!p)
                p = sourcing_read(&resourcing->sourcing, database, deadline);
        for (size_t i = 0; i < resourcing->n_calls && !p; i++)
                p = call_foresee(resourcing, &resourcing->calls[i], set->stock);
        return p ? p : orders_lock(database, set);
}
