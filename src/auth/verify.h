/*
 * auth/verify: verify one bearer token (RFC 7519, RFC 8725, RFC 9068) against a key set.
 *
 * A token is a JWS in compact form (RFC 7515): exactly three parts of strict base64url, header and payload JSON
 * objects without duplicate members. The key names its algorithm; a header with another algorithm is refused, so no
 * token chooses its own check. `typ` must be there, one of at+jwt, application/at+jwt and JWT; `crit` is refused.
 *
 * A token with a `kid` is checked with the key of that name only. One without is checked only where a single key of
 * the set has its algorithm. A secret has no name: with it, the `kid` is ignored.
 *
 * Pure apart from OpenSSL: no I/O, the clock is an argument. Any thread.
 */
#pragma once

#include "auth/claims.h"

#define TOKEN_SIZE_MAX   ((size_t) 8192) /* bytes of the whole token */
#define TOKEN_KEY_ID_MAX 256             /* bytes of a `kid` */

struct token_keys;

/* Verify the token at `now` (wall clock). On TOKEN_OK the claims are read into the arena. An empty key set is
 * KEYS_UNAVAILABLE. UNKNOWN_KEY is the one verdict that a fresher key set may change. */
must_check enum token_verdict token_verify(const struct token_keys *keys, const struct token_policy *policy,
        const char *token, timestamp now, struct arena *arena, struct token_claims *ret_claims);
