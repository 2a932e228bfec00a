#include "auth/cache.h"

#include "token_forge.h"

#include <criterion/criterion.h>
#include <string.h>

#define NOW        FORGE_NOW
#define GENERATION 7
#define LIMIT      ((size_t) 65536)

static struct arena arena;
static struct token_cache *cache;

static void set_up(void) {
        arena_init(&arena, LIMIT);
        cr_assert_eq(token_cache_new(3, &cache), PROBLEM_NONE);
}

static void tear_down(void) {
        cache = token_cache_free(cache);
        arena_clear(&arena);
}

TestSuite(token_cache, .init = set_up, .fini = tear_down);

static struct token_claims claims_of(const char *subject) {
        return (struct token_claims){ .subject = subject, .all_locations = true, .expires_at = NOW + HOUR };
}

static void keep(const char *token, timestamp now) {
        const struct token_digest digest = token_digest(token);
        const struct token_claims claims = claims_of(token);

        token_cache_keep(cache, &digest, GENERATION, now, &claims);
}

static bool is_found(const char *token, timestamp now) {
        const struct token_digest digest = token_digest(token);
        struct token_claims claims;

        if (!token_cache_find(cache, &digest, GENERATION, now, &arena, &claims))
                return false;
        cr_expect_str_eq(claims.subject, token);
        return true;
}

Test(token_cache, claims_are_found_by_the_whole_token_only) {
        keep("anna", NOW);
        cr_expect(is_found("anna", NOW));
        cr_expect_not(is_found("ann", NOW));
        cr_expect_not(is_found("", NOW));
}

Test(token_cache, all_claims_come_back) {
        static const char *const locations[] = { "berlin", "hamburg" };
        const struct token_digest digest = token_digest("t");
        struct token_claims claims = claims_of("anna"), found;

        claims.all_locations = false;
        claims.channel = "web";
        claims.locations = locations;
        claims.n_locations = 2;
        claims.scopes = scopes_parse("orders:read");
        token_cache_keep(cache, &digest, GENERATION, NOW, &claims);
        cr_assert(token_cache_find(cache, &digest, GENERATION, NOW, &arena, &found));
        cr_expect_str_eq(found.channel, "web");
        cr_expect_eq(found.scopes, claims.scopes);
        cr_expect_eq(found.expires_at, claims.expires_at);
        cr_expect(token_allows_location(&found, "berlin"));
        cr_expect_not(token_allows_location(&found, "bern"));
}

/* A call may still use the claims when its entry is dropped. */
Test(token_cache, found_claims_outlive_the_entry) {
        const struct token_digest digest = token_digest("anna");
        struct token_claims found;

        keep("anna", NOW);
        cr_assert(token_cache_find(cache, &digest, GENERATION, NOW, &arena, &found));
        cache = token_cache_free(cache);
        cr_expect_str_eq(found.subject, "anna");
}

Test(token_cache, entry_is_good_for_a_minute_and_not_an_instant_more) {
        keep("anna", NOW);
        cr_expect(is_found("anna", NOW + TOKEN_CACHE_TTL - 1));
        cr_expect_not(is_found("anna", NOW + TOKEN_CACHE_TTL));
        cr_expect_eq(token_cache_count(cache), 0);
}

Test(token_cache, being_used_does_not_make_an_entry_younger) {
        keep("anna", NOW);
        for (int second = 0; second < 60; second++)
                cr_expect(is_found("anna", NOW + second * SECOND));
        cr_expect_not(is_found("anna", NOW + 60 * SECOND));
}

Test(token_cache, entry_ends_with_its_token) {
        const struct token_digest digest = token_digest("anna");
        struct token_claims claims = claims_of("anna");

        claims.expires_at = NOW + 5 * SECOND;
        token_cache_keep(cache, &digest, GENERATION, NOW, &claims);
        cr_expect(is_found("anna", NOW + 5 * SECOND - 1));
        cr_expect_not(is_found("anna", NOW + 5 * SECOND));
}

Test(token_cache, clock_set_back_makes_an_entry_worthless) {
        keep("anna", NOW);
        cr_expect_not(is_found("anna", NOW - 1));
}

Test(token_cache, a_full_cache_drops_the_least_recently_used_entry) {
        keep("a", NOW);
        keep("b", NOW);
        keep("c", NOW);
        cr_expect(is_found("a", NOW));
        keep("d", NOW);
        cr_expect_eq(token_cache_count(cache), 3);
        cr_expect(is_found("a", NOW));
        cr_expect_not(is_found("b", NOW));
        cr_expect(is_found("c", NOW));
        cr_expect(is_found("d", NOW));
}

Test(token_cache, keeping_a_token_again_takes_no_second_place) {
        keep("a", NOW);
        keep("a", NOW + 30 * SECOND);
        cr_expect_eq(token_cache_count(cache), 1);
        cr_expect(is_found("a", NOW + 89 * SECOND));
}

Test(token_cache, another_generation_of_keys_empties_it) {
        const struct token_digest digest = token_digest("anna");
        struct token_claims claims;

        keep("anna", NOW);
        keep("otto", NOW);
        cr_expect_not(token_cache_find(cache, &digest, GENERATION + 1, NOW, &arena, &claims));
        cr_expect_eq(token_cache_count(cache), 0);
        cr_expect_not(is_found("anna", NOW));
}

Test(token_cache, keeping_under_another_generation_empties_it_too) {
        const struct token_digest digest = token_digest("otto");
        const struct token_claims claims = claims_of("otto");

        keep("anna", NOW);
        token_cache_keep(cache, &digest, GENERATION + 1, NOW, &claims);
        cr_expect_eq(token_cache_count(cache), 1);
}

Test(token_cache, arena_without_room_finds_nothing_and_loses_nothing) {
        const struct token_digest digest = token_digest("anna");
        struct token_claims claims;
        struct arena none;

        arena_init(&none, 0);
        keep("anna", NOW);
        cr_expect_not(token_cache_find(cache, &digest, GENERATION, NOW, &none, &claims));
        cr_expect(is_found("anna", NOW));
}

Test(token_cache, never_holds_more_than_its_capacity) {
        struct token_cache *none = NULL;

        cr_expect_eq(token_cache_new(0, &none), PROBLEM_INTERNAL);
        cr_expect_eq(token_cache_new(TOKEN_CACHE_ENTRIES_MAX + 1, &none), PROBLEM_INTERNAL);
        for (int i = 0; i < 1000; i++) {
                keep(arena_format(&arena, "token %d", i % 17), NOW + i);
                cr_expect_leq(token_cache_count(cache), 3);
        }
        cr_expect(is_found(arena_format(&arena, "token %d", 999 % 17), NOW + 1000));
        cr_expect(is_found(arena_format(&arena, "token %d", 998 % 17), NOW + 1000));
        cr_expect(is_found(arena_format(&arena, "token %d", 997 % 17), NOW + 1000));
        cr_expect_not(is_found(arena_format(&arena, "token %d", 996 % 17), NOW + 1000));
}
