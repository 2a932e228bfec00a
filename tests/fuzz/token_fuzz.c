/*
 * token_fuzz: tokens, claims and key documents as nobody in his right mind writes them (libFuzzer).
 *
 * The first byte chooses the parser. Whatever comes in, nothing is read out of bounds and nothing leaks; and no token
 * is accepted, as the fuzzer has no key.
 */
#include "auth/jwks.h"
#include "auth/verify.h"

#include <string.h>

#define ARENA_MAX ((size_t) 1024 * 1024)
#define NOW       ((timestamp) 1795255200 * SECOND)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void token_try(struct arena *arena, const char *text) {
        static struct token_keys *keys;
        struct token_claims claims;
        const char *reason = NULL;

        if (!keys && !token_keys_from_secret("0123456789abcdef0123456789abcdef", 32, &keys, &reason))
                abort();
        if (token_verify(keys, &(struct token_policy){ .audience = "a" }, text, NOW, arena, &claims) == TOKEN_OK)
                abort();
}

static void claims_try(struct arena *arena, const char *text) {
        const struct token_policy policy = { .issuer = "i", .audience = "a" };
        json_t *tree = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        struct token_claims claims;

        if (tree && token_claims_read(tree, &policy, NOW, arena, &claims) == TOKEN_OK)
                (void) token_allows_location(&claims, "a");
        json_decref(tree);
}

static void document_try(const char *text, size_t size) {
        struct token_keys *keys = NULL;
        const char *reason = NULL;

        if (token_keys_from_jwks(text, size, &keys, &reason))
                keys = token_keys_unref(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        struct arena arena;
        const char *text = NULL;

        if (size == 0)
                return 0;
        arena_init(&arena, ARENA_MAX);
        text = arena_text_sized(&arena, (const char *) bytes + 1, size - 1);
        if (text && bytes[0] % 3 == 0)
                token_try(&arena, text);
        if (text && bytes[0] % 3 == 1)
                claims_try(&arena, text);
        if (text && bytes[0] % 3 == 2)
                document_try(text, size - 1);
        arena_clear(&arena);
        return 0;
}
