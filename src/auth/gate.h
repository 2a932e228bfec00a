/*
 * auth/gate: the check of a bearer token on the loop: cache first, then verification.
 *
 * Combines key source, cache and policy. Owned by one thread (that of the cache); it owns nothing itself.
 */
#pragma once

#include "auth/cache.h"
#include "auth/key_source.h"
#include "auth/verify.h"

struct token_gate {
        struct token_source *source;
        struct token_cache *cache;
        struct token_policy policy;
};

/* The claims of the token at `now` (wall clock), in the arena. An unknown key makes the source look for newer keys. */
must_check enum token_verdict token_gate_check(struct token_gate *gate, const char *token, timestamp now,
        struct arena *arena, struct token_claims *ret_claims);
