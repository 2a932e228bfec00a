#include "auth/cache.h"

#include <string.h>

#define BUCKETS_PER_ENTRY 2
#define NOWHERE           UINT32_MAX

struct entry {
        struct token_digest digest;
        timestamp kept_at, good_until;
        struct token_claims claims;
        void *block;           /* memory of the claims */
        uint32_t next;         /* in its bucket, or in the list of free entries */
        uint32_t newer, older; /* by last use */
};

struct token_cache {
        uint64_t generation;
        size_t capacity, n_buckets, n;
        uint32_t free, newest, oldest;
        uint32_t *buckets;
        struct entry entries[];
};

struct token_digest token_digest(const char *token) {
        struct token_digest digest;

        digest_parts(&(struct digest_part){ token, strlen(token) }, 1, digest.bytes);
        return digest;
}

static void entries_reset(struct token_cache *cache) {
        for (size_t i = 0; i < cache->capacity; i++) {
                free(cache->entries[i].block);
                cache->entries[i] = (struct entry){ .next = i + 1 < cache->capacity ? (uint32_t) i + 1 : NOWHERE };
        }
        for (size_t i = 0; i < cache->n_buckets; i++)
                cache->buckets[i] = NOWHERE;
        cache->n = 0;
        cache->free = 0;
        cache->newest = cache->oldest = NOWHERE;
}

enum problem token_cache_new(size_t capacity, struct token_cache **ret_cache) {
        struct token_cache *cache = NULL;

        if (capacity < 1 || capacity > TOKEN_CACHE_ENTRIES_MAX)
                return PROBLEM_INTERNAL;
        cache = calloc(1, sizeof(*cache) + capacity * sizeof(cache->entries[0]));
        if (!cache)
                return PROBLEM_INTERNAL;
        cache->capacity = capacity;
        cache->n_buckets = capacity * BUCKETS_PER_ENTRY;
        cache->buckets = calloc(cache->n_buckets, sizeof(*cache->buckets));
        if (!cache->buckets) {
                free(cache);
                return PROBLEM_INTERNAL;
        }
        entries_reset(cache);
        *ret_cache = cache;
        return PROBLEM_NONE;
}

struct token_cache *token_cache_free(struct token_cache *cache) {
        if (!cache)
                return NULL;
        entries_reset(cache);
        free(cache->buckets);
        free(cache);
        return NULL;
}

/* Only verified tokens are cached, so an attacker cannot choose digests that collide in one bucket. */
static uint32_t *digest_bucket(struct token_cache *cache, const struct token_digest *digest) {
        uint64_t hash;

        memcpy(&hash, digest->bytes, sizeof(hash));
        return &cache->buckets[hash % cache->n_buckets];
}

static uint32_t cache_entry_find(struct token_cache *cache, const struct token_digest *digest) {
        uint32_t i = *digest_bucket(cache, digest);

        while (i != NOWHERE && memcmp(cache->entries[i].digest.bytes, digest->bytes, sizeof(digest->bytes)) != 0)
                i = cache->entries[i].next;
        return i;
}

static void use_unlink(struct token_cache *cache, uint32_t i) {
        const struct entry *entry = &cache->entries[i];

        if (entry->newer == NOWHERE)
                cache->newest = entry->older;
        else
                cache->entries[entry->newer].older = entry->older;
        if (entry->older == NOWHERE)
                cache->oldest = entry->newer;
        else
                cache->entries[entry->older].newer = entry->newer;
}

static void use_link(struct token_cache *cache, uint32_t i) {
        struct entry *entry = &cache->entries[i];

        entry->newer = NOWHERE;
        entry->older = cache->newest;
        if (cache->newest == NOWHERE)
                cache->oldest = i;
        else
                cache->entries[cache->newest].newer = i;
        cache->newest = i;
}

static void entry_drop(struct token_cache *cache, uint32_t i) {
        struct entry *entry = &cache->entries[i];
        uint32_t *link = digest_bucket(cache, &entry->digest);

        while (*link != i)
                link = &cache->entries[*link].next;
        *link = entry->next;
        use_unlink(cache, i);
        free(entry->block);
        *entry = (struct entry){ .next = cache->free };
        cache->free = i;
        cache->n--;
}

static void generation_enter(struct token_cache *cache, uint64_t generation) {
        if (cache->generation == generation)
                return;
        entries_reset(cache);
        cache->generation = generation;
}

/* A clock that was set back makes an entry worthless too: its age is unknown. */
static bool is_good(const struct entry *entry, timestamp now) {
        return now >= entry->kept_at && now < entry->good_until;
}

bool token_cache_find(struct token_cache *cache, const struct token_digest *digest, uint64_t generation, timestamp now,
        struct arena *arena, struct token_claims *ret_claims) {
        void *block = NULL;
        uint32_t i;

        generation_enter(cache, generation);
        i = cache_entry_find(cache, digest);
        if (i == NOWHERE)
                return false;
        if (!is_good(&cache->entries[i], now)) {
                entry_drop(cache, i);
                return false;
        }
        block = arena_alloc(arena, token_claims_size(&cache->entries[i].claims));
        if (!block)
                return false;
        token_claims_copy(&cache->entries[i].claims, block, ret_claims);
        use_unlink(cache, i);
        use_link(cache, i);
        return true;
}

static uint32_t entry_take(struct token_cache *cache, const struct token_digest *digest) {
        const uint32_t former = cache_entry_find(cache, digest);
        uint32_t i;

        if (former != NOWHERE)
                entry_drop(cache, former);
        else if (cache->free == NOWHERE)
                entry_drop(cache, cache->oldest);
        i = cache->free;
        cache->free = cache->entries[i].next;
        cache->n++;
        return i;
}

static timestamp good_until(const struct token_claims *claims, timestamp now) {
        return claims->expires_at < now + TOKEN_CACHE_TTL ? claims->expires_at : now + TOKEN_CACHE_TTL;
}

void token_cache_keep(struct token_cache *cache, const struct token_digest *digest, uint64_t generation, timestamp now,
        const struct token_claims *claims) {
        void *block = malloc(token_claims_size(claims));
        uint32_t *bucket = digest_bucket(cache, digest);
        struct entry *entry = NULL;
        uint32_t i;

        if (!block)
                return;
        generation_enter(cache, generation);
        i = entry_take(cache, digest);
        entry = &cache->entries[i];
        *entry = (struct entry){
                .digest = *digest,
                .kept_at = now,
                .good_until = good_until(claims, now),
                .block = block,
                .next = *bucket,
        };
        token_claims_copy(claims, block, &entry->claims);
        *bucket = i;
        use_link(cache, i);
}

size_t token_cache_count(const struct token_cache *cache) {
        return cache->n;
}
