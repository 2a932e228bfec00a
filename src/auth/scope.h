/*
 * auth/scope: the permissions that a token may carry.
 *
 * One list gives the enum and its text on the wire; the scopes of the API are fixed here and nowhere else. Those of
 * rooms that do not exist yet are reserved, so that tokens can carry them today. Pure; any thread.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sorted by text. */
#define SCOPES(X)                                                                                                      \
        X(ADMIN, "admin")                                                                                              \
        X(CATALOG_READ, "catalog:read")                                                                                \
        X(CATALOG_WRITE, "catalog:write")                                                                              \
        X(CUSTOMERS_READ, "customers:read")                                                                            \
        X(CUSTOMERS_WRITE, "customers:write")                                                                          \
        X(EVENTS_READ, "events:read")                                                                                  \
        X(EXPORTS_READ, "exports:read")                                                                                \
        X(FULFILLMENT_READ, "fulfillment:read")                                                                        \
        X(FULFILLMENT_WRITE, "fulfillment:write")                                                                      \
        X(INVENTORY_READ, "inventory:read")                                                                            \
        X(INVENTORY_WRITE, "inventory:write")                                                                          \
        X(ORDERS_READ, "orders:read")                                                                                  \
        X(ORDERS_WRITE, "orders:write")                                                                                \
        X(REPORTS_READ, "reports:read")                                                                                \
        X(RESERVATIONS_WRITE, "reservations:write")                                                                    \
        X(RETURNS_WRITE, "returns:write")                                                                              \
        X(WEBHOOKS_MANAGE, "webhooks:manage")

enum scope {
        SCOPE_NONE = 0, /* granted to no token: a route without a scope stays closed */
#define X(name, text) SCOPE_##name,
        SCOPES(X)
#undef X
                SCOPE_COUNT,
};

#define SCOPES_MAX 64       /* with SCOPE_NONE; planned rooms alone bring 18 more */
typedef uint64_t scope_set; /* bit n is enum scope n */

/* The set of one scope. */
scope_set scope_alone(enum scope scope);

/* The text of a scope on the wire; "" for SCOPE_NONE. */
const char *scope_text(enum scope scope);

/* The scope of that exact text, or SCOPE_NONE. */
enum scope scope_named(const char *text, size_t size);

/* All known scopes of a space separated list (RFC 6749, section 3.3); unknown ones belong to other services and are
 * passed over. */
scope_set scopes_parse(const char *text);

/* Whether the set covers the needed scope; `admin` covers all, and no set covers SCOPE_NONE. */
bool scope_granted(scope_set granted, enum scope needed);
