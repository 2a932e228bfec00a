/*
 * auth/claims: the bearer of a verified token.
 *
 * Claims are read from the payload of a token with a verified signature. Text and lists are in the given arena, or in
 * the block of a copy; nothing is freed one by one. Immutable after that; any thread may read them.
 */
#pragma once

#include "auth/scope.h"
#include "auth/verdict.h"
#include "base/arena.h"
#include "base/clock.h"

#include <jansson.h>

#define TOKEN_LEEWAY           (60 * SECOND) /* how far clocks may differ: on exp, nbf and iat */
#define TOKEN_SUBJECT_SIZE_MAX 255           /* bytes; OpenID Connect Core, section 2 */

/* The claims that the configuration requires of every token; NULL: none. */
struct token_policy {
        const char *issuer;
        const char *audience;
};

struct token_claims {
        const char *subject; /* 1 to TOKEN_SUBJECT_SIZE_MAX bytes */
        const char *channel; /* the one channel the bearer may act for; NULL: any */
        scope_set scopes;
        bool all_locations;           /* the claim was absent; then the list is empty */
        const char *const *locations; /* sorted as strcmp does, without duplicates */
        size_t n_locations;
        timestamp expires_at; /* `exp` with the leeway added: from this instant on the token is refused */
};

/* Check a payload against policy and clock, and read it. Required are `sub` and `exp`, and `iss` and `aud` where the
 * policy names them. Times are whole seconds. `locations`: absent means all; an empty list, another type or a list
 * with anything but text means none. A `channel` or `scope` of another type is CLAIM_INVALID. */
must_check enum token_verdict token_claims_read(const json_t *payload, const struct token_policy *policy, timestamp now,
        struct arena *arena, struct token_claims *ret_claims);

/* Whether the bearer may act at this location. */
bool token_allows_location(const struct token_claims *claims, const char *code);

/* A copy in one block of token_claims_size() bytes, aligned for a pointer, which must outlive `ret_copy`. */
size_t token_claims_size(const struct token_claims *claims);
void token_claims_copy(const struct token_claims *claims, void *block, struct token_claims *ret_copy);
