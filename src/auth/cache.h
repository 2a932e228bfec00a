/*
 * auth/cache: the claims of tokens that were verified a moment ago.
 *
 * Keyed by the SHA-256 of the whole token, so it holds no token. An entry is good for TOKEN_CACHE_TTL or until the
 * token expires, whichever is sooner. The cache is emptied when the generation of the key set changes. A full cache
 * drops the least recently used entry. Refused tokens are never kept, so that invalid ones evict nothing. Owned by one
 * thread; no lock.
 */
#pragma once

#include "auth/claims.h"
#include "base/digest.h"

#define TOKEN_CACHE_TTL         (60 * SECOND)
#define TOKEN_CACHE_ENTRIES_MAX ((size_t) 4096)

struct token_digest {
        uint8_t bytes[DIGEST_SIZE];
};

struct token_cache;

/* The key of the token in the cache. */
struct token_digest token_digest(const char *token);

/* An empty cache for at most `capacity` entries (1 to TOKEN_CACHE_ENTRIES_MAX); INTERNAL without memory. */
must_check enum problem token_cache_new(size_t capacity, struct token_cache **ret_cache);
struct token_cache *token_cache_free(struct token_cache *cache);
DEFINE_CLEANUP(struct token_cache, token_cache_cleanup, token_cache_free)

/* The claims of a token verified with the key set of this generation, copied into the arena; false when they are not
 * there, too old at `now` (wall clock), or do not fit the arena. */
must_check bool token_cache_find(struct token_cache *cache, const struct token_digest *digest, uint64_t generation,
        timestamp now, struct arena *arena, struct token_claims *ret_claims);

/* Keep a copy of the claims. Without memory nothing is kept; the next check only takes longer. */
void token_cache_keep(struct token_cache *cache, const struct token_digest *digest, uint64_t generation, timestamp now,
        const struct token_claims *claims);

size_t token_cache_count(const struct token_cache *cache);
