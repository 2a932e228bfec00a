/*
 * token_fuzz: tokens, claims and key documents that no issuer would write.
 *
 * The first byte chooses the parser. No token is accepted, as the fuzzer cannot sign. Claims that are accepted are
 * within their limits and survive a copy.
 */
#include "fuzz.h"

#include "auth/jwks.h"
#include "auth/verify.h"

#define NOW ((timestamp) 1795255200 * SECOND)

static void token_try(struct arena *arena, const char *text) {
        static struct token_keys *keys;
        struct token_claims claims;
        const char *reason = NULL;

        if (!keys)
                require(token_keys_from_secret("0123456789abcdef0123456789abcdef", 32, &keys, &reason));
        require(token_verify(keys, &(struct token_policy){ .audience = "a" }, text, NOW, arena, &claims) != TOKEN_OK);
}

static void claims_hold(const struct token_claims *claims) {
        require(claims->subject && *claims->subject && strlen(claims->subject) <= TOKEN_SUBJECT_SIZE_MAX);
        require(claims->expires_at > NOW);
        for (size_t i = 1; i < claims->n_locations; i++)
                require(strcmp(claims->locations[i - 1], claims->locations[i]) < 0);
        for (size_t i = 0; i < claims->n_locations; i++)
                require(token_allows_location(claims, claims->locations[i]));
        require(claims->all_locations || !token_allows_location(claims, "a location that no token names"));
}

static void claims_survive_a_copy(struct arena *arena, const struct token_claims *claims) {
        void *block = arena_alloc(arena, token_claims_size(claims));
        struct token_claims copy;

        require(block);
        token_claims_copy(claims, block, &copy);
        claims_hold(&copy);
        require(strcmp(copy.subject, claims->subject) == 0 && copy.scopes == claims->scopes);
        require(copy.n_locations == claims->n_locations && copy.all_locations == claims->all_locations);
}

static void claims_try(struct arena *arena, const char *text) {
        const struct token_policy policy = { .issuer = "i", .audience = "a" };
        json_t *tree = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        struct token_claims claims;

        if (tree && token_claims_read(tree, &policy, NOW, arena, &claims) == TOKEN_OK) {
                claims_hold(&claims);
                claims_survive_a_copy(arena, &claims);
        }
        json_decref(tree);
}

static void document_try(const char *text, size_t size) {
        struct token_keys *keys = NULL;
        const char *reason = NULL;

        if (token_keys_from_jwks(text, size, &keys, &reason))
                keys = token_keys_unref(keys);
        else
                require(reason && *reason);
        require(!keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        struct arena arena;
        const char *text = NULL;

        if (size == 0)
                return 0;
        arena_init(&arena, FUZZ_MEMORY);
        text = arena_text_sized(&arena, (const char *) bytes + 1, size - 1);
        require(text);
        if (bytes[0] % 3 == 0)
                token_try(&arena, text);
        if (bytes[0] % 3 == 1)
                claims_try(&arena, text);
        if (bytes[0] % 3 == 2)
                document_try(text, size - 1);
        arena_clear(&arena);
        return 0;
}
