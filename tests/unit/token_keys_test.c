#include "auth/keys.h"

#include "auth/jwks.h"
#include "auth/verify.h"
#include "token_forge.h"

#include <criterion/criterion.h>
#include <string.h>

#define LIMIT ((size_t) 4 * 1024 * 1024)

static struct arena arena;
static const char *reason;

static void set_up(void) {
        arena_init(&arena, LIMIT);
}

static void tear_down(void) {
        arena_clear(&arena);
}

TestSuite(token_keys, .init = set_up, .fini = tear_down);

/* Usable keys of the document, 0 when it is refused. */
static size_t count_of(const char *document) {
        _cleanup_(token_keys_cleanup) struct token_keys *keys = NULL;

        cr_assert_not_null(document);
        if (!token_keys_from_jwks(document, strlen(document), &keys, &reason))
                return 0;
        return token_keys_count(keys);
}

static size_t count_of_one(const char *jwk) {
        return count_of(forge_jwks(&arena, jwk, NULL));
}

Test(token_keys, every_public_type_is_used_for_its_algorithm_alone) {
        static const enum token_algorithm algorithms[] = { TOKEN_ES256, TOKEN_EDDSA, TOKEN_RS256 };
        EVP_PKEY *pairs[] = { forge_p256(), forge_ed25519(), forge_rsa(2048) };

        for (size_t i = 0; i < array_size(pairs); i++) {
                const char *document = forge_jwks(&arena, forge_jwk(&arena, pairs[i], ",\"kid\":\"a\""), NULL);
                _cleanup_(token_keys_cleanup) struct token_keys *keys = NULL;

                cr_assert(token_keys_from_jwks(document, strlen(document), &keys, &reason), "%s", reason);
                cr_expect_eq(token_keys_at(keys, 0)->algorithm, algorithms[i]);
                cr_expect_str_eq(token_keys_at(keys, 0)->id, "a");
                cr_expect_eq(EVP_PKEY_eq(token_keys_at(keys, 0)->key, pairs[i]), 1);
                EVP_PKEY_free(pairs[i]);
        }
}

/* A modulus of ones, written as so many "_" and an end. */
static char *rsa_of_ones(int n, const char *end) {
        char ones[1367];

        memset(ones, '_', sizeof(ones));
        return arena_format(&arena, "{\"kty\":\"RSA\",\"n\":\"%.*s%s\",\"e\":\"AQAB\"}", n, ones, end);
}

Test(token_keys, rsa_has_2048_to_8192_bits) {
        _cleanup_(forge_key_cleanup) EVP_PKEY *weak = forge_rsa(1024);

        cr_expect_eq(count_of_one(forge_jwk(&arena, weak, "")), 0);
        cr_expect_eq(count_of_one(rsa_of_ones(340, "8")), 0);  /* 2,040 bits */
        cr_expect_eq(count_of_one(rsa_of_ones(341, "w")), 1);  /* 2,048 */
        cr_expect_eq(count_of_one(rsa_of_ones(1365, "w")), 1); /* 8,192 */
        cr_expect_eq(count_of_one(rsa_of_ones(1366, "8")), 0); /* 8,200 */
}

Test(token_keys, rsa_with_an_even_modulus_is_refused) {
        cr_expect_eq(count_of_one(rsa_of_ones(341, "g")), 0);
}

Test(token_keys, rsa_with_an_exponent_that_signs_nothing_is_refused) {
        static const char *const exponents[] = { "AQ", "Ag", "", "AA", "AQAAAAAAAAAB" };
        _cleanup_(forge_key_cleanup) EVP_PKEY *pair = forge_rsa(2048);
        char *jwk = forge_jwk(&arena, pair, "");

        cr_assert_eq(count_of_one(jwk), 1);
        *strstr(jwk, "\"e\"") = '\0';
        for (size_t i = 0; i < array_size(exponents); i++)
                cr_expect_eq(count_of_one(arena_format(&arena, "%s\"e\":\"%s\"}", jwk, exponents[i])), 0, "%s",
                        exponents[i]);
}

Test(token_keys, point_that_is_not_on_the_curve_is_refused) {
        cr_expect_eq(count_of_one("{\"kty\":\"EC\",\"crv\":\"P-256\","
                                  "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                                  "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"),
                1);
        cr_expect_eq(count_of_one("{\"kty\":\"EC\",\"crv\":\"P-256\","
                                  "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                                  "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a4\"}"),
                0);
}

Test(token_keys, entries_for_something_else_are_passed_over) {
        static const char *const others[] = { ",\"use\":\"enc\"", ",\"use\":7", ",\"alg\":\"RS256\"",
                ",\"alg\":\"ES384\"", ",\"alg\":\"eddsa\"", ",\"alg\":null", ",\"key_ops\":[\"sign\"]",
                ",\"key_ops\":[]", ",\"key_ops\":\"verify\"", ",\"kid\":7" };
        static const char *const same[] = { "", ",\"use\":\"sig\"", ",\"alg\":\"EdDSA\"", ",\"key_ops\":[\"verify\"]",
                ",\"key_ops\":[\"sign\",\"verify\"]", ",\"kid\":\"\"", ",\"x5t\":\"abc\"" };
        _cleanup_(forge_key_cleanup) EVP_PKEY *pair = forge_ed25519();

        for (size_t i = 0; i < array_size(others); i++)
                cr_expect_eq(count_of_one(forge_jwk(&arena, pair, others[i])), 0, "%s", others[i]);
        for (size_t i = 0; i < array_size(same); i++)
                cr_expect_eq(count_of_one(forge_jwk(&arena, pair, same[i])), 1, "%s", same[i]);
}

Test(token_keys, entries_that_are_not_understood_do_not_spoil_the_others) {
        static const char *const others[] = {
                "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T\",\"alg\":\"HS256\"}",
                "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}",
                "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
                "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ\"}",
                "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"}",
                "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}",
                "{\"kty\":\"RSA\",\"e\":\"AQAB\"}",
                "{\"kty\":\"RSA\",\"n\":7,\"e\":\"AQAB\"}",
                "{}",
                "[]",
                "null",
        };
        _cleanup_(forge_key_cleanup) EVP_PKEY *pair = forge_ed25519();
        const char *good = forge_jwk(&arena, pair, "");

        for (size_t i = 0; i < array_size(others); i++) {
                cr_expect_eq(count_of(forge_jwks(&arena, others[i], good)), 1, "%s", others[i]);
                cr_expect_eq(count_of_one(others[i]), 0, "%s", others[i]);
        }
}

Test(token_keys, document_that_is_no_jwks_is_refused_with_a_reason) {
        static const char *const documents[] = { "", "{", "[]", "7", "{}", "{\"keys\":{}}", "{\"keys\":[]}",
                "{\"keys\":[],\"keys\":[]}", "<html></html>", "{\"keys\":[]} trailing" };

        for (size_t i = 0; i < array_size(documents); i++) {
                reason = NULL;
                cr_expect_eq(count_of(documents[i]), 0, "%s", documents[i]);
                cr_expect_not_null(reason, "%s", documents[i]);
        }
}

Test(token_keys, two_keys_of_one_name_and_algorithm_are_refused) {
        _cleanup_(forge_key_cleanup) EVP_PKEY *first = forge_ed25519();
        _cleanup_(forge_key_cleanup) EVP_PKEY *second = forge_ed25519();
        _cleanup_(forge_key_cleanup) EVP_PKEY *other = forge_p256();
        const char *jwk = forge_jwk(&arena, first, ",\"kid\":\"a\"");

        cr_expect_eq(count_of(forge_jwks(&arena, jwk, forge_jwk(&arena, second, ",\"kid\":\"a\""))), 0);
        cr_expect_eq(count_of(forge_jwks(&arena, jwk, forge_jwk(&arena, second, ",\"kid\":\"b\""))), 2);
        cr_expect_eq(count_of(forge_jwks(&arena, jwk, forge_jwk(&arena, other, ",\"kid\":\"a\""))), 2);
        cr_expect_eq(count_of(forge_jwks(&arena, forge_jwk(&arena, first, ""), forge_jwk(&arena, second, ""))), 2);
}

static char *document_of(const char *jwk, size_t n) {
        char *document = arena_alloc(&arena, n * (strlen(jwk) + 1) + 16);
        char *end = stpcpy(document, "{\"keys\":[");

        for (size_t i = 0; i < n; i++) {
                end = stpcpy(end, i ? "," : "");
                end = stpcpy(end, jwk);
        }
        (void) stpcpy(end, "]}");
        return document;
}

Test(token_keys, a_hundred_entries_are_read_and_one_more_is_refused) {
        _cleanup_(forge_key_cleanup) EVP_PKEY *pair = forge_ed25519();
        const char *jwk = forge_jwk(&arena, pair, "");

        cr_expect_eq(count_of(document_of(jwk, JWKS_KEYS_MAX)), JWKS_KEYS_MAX);
        cr_expect_eq(count_of(document_of(jwk, JWKS_KEYS_MAX + 1)), 0);
}

Test(token_keys, document_of_a_mebibyte_is_read_and_a_larger_one_is_refused) {
        _cleanup_(forge_key_cleanup) EVP_PKEY *pair = forge_ed25519();
        _cleanup_(token_keys_cleanup) struct token_keys *keys = NULL;
        const char *good = forge_jwks(&arena, forge_jwk(&arena, pair, ""), NULL);
        char *document = arena_alloc(&arena, JWKS_SIZE_MAX + 1);

        memset(document, ' ', JWKS_SIZE_MAX + 1);
        memcpy(document, good, strlen(good));
        cr_expect_not(token_keys_from_jwks(document, JWKS_SIZE_MAX + 1, &keys, &reason));
        cr_expect(token_keys_from_jwks(document, JWKS_SIZE_MAX, &keys, &reason));
}

Test(token_keys, key_id_in_a_document_has_a_limit) {
        _cleanup_(forge_key_cleanup) EVP_PKEY *pair = forge_ed25519();
        char id[TOKEN_KEY_ID_MAX + 2];

        memset(id, 'k', sizeof(id));
        id[TOKEN_KEY_ID_MAX + 1] = '\0';
        cr_expect_eq(count_of_one(forge_jwk(&arena, pair, arena_format(&arena, ",\"kid\":\"%s\"", id))), 0);
        id[TOKEN_KEY_ID_MAX] = '\0';
        cr_expect_eq(count_of_one(forge_jwk(&arena, pair, arena_format(&arena, ",\"kid\":\"%s\"", id))), 1);
}

Test(token_keys, secret_has_32_bytes_or_more) {
        _cleanup_(token_keys_cleanup) struct token_keys *keys = NULL;
        char *secret = arena_alloc(&arena, TOKEN_SECRET_SIZE_MAX + 1);

        cr_expect_not(token_keys_from_secret(secret, TOKEN_SECRET_SIZE_MIN - 1, &keys, &reason));
        cr_expect_not(token_keys_from_secret(secret, TOKEN_SECRET_SIZE_MAX + 1, &keys, &reason));
        cr_assert(token_keys_from_secret(secret, TOKEN_SECRET_SIZE_MIN, &keys, &reason));
        cr_expect_eq(token_keys_count(keys), 1);
        cr_expect_eq(token_keys_at(keys, 0)->algorithm, TOKEN_HS256);
}

Test(token_keys, set_lives_until_the_last_reference_is_given_back) {
        struct token_keys *keys = NULL;

        cr_assert(token_keys_from_secret(FORGE_SECRET, strlen(FORGE_SECRET), &keys, &reason));
        cr_assert_eq(token_keys_reference(keys), keys);
        cr_expect_null(token_keys_unref(keys));
        cr_expect_eq(memcmp(token_keys_at(keys, 0)->secret, FORGE_SECRET, strlen(FORGE_SECRET)), 0);
        cr_expect_null(token_keys_unref(keys));
}
