#include "auth/verify.h"

#include "auth/issue.h"
#include "auth/jwks.h"
#include "token_forge.h"

#include <criterion/criterion.h>
#include <string.h>

#define NOW   FORGE_NOW
#define HS256 "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define ES256 "{\"alg\":\"ES256\",\"typ\":\"JWT\"}"
#define EDDSA "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}"
#define RS256 "{\"alg\":\"RS256\",\"typ\":\"JWT\"}"
#define LIMIT ((size_t) 4 * 1024 * 1024)

static struct arena arena;
static struct token_keys *keys;

static void set_up(void) {
        arena_init(&arena, LIMIT);
}

static void tear_down(void) {
        keys = token_keys_unref(keys);
        arena_clear(&arena);
}

TestSuite(token, .init = set_up, .fini = tear_down);

static void know_secret(void) {
        const char *reason = NULL;

        cr_assert(token_keys_from_secret(FORGE_SECRET, strlen(FORGE_SECRET), &keys, &reason), "%s", reason);
}

static void know(const char *first, const char *second) {
        const char *document = forge_jwks(&arena, first, second);
        const char *reason = NULL;

        cr_assert(token_keys_from_jwks(document, strlen(document), &keys, &reason), "%s", reason);
}

static enum token_verdict verdict_of(const char *token) {
        struct token_claims claims;

        cr_assert_not_null(token);
        return token_verify(keys, &(struct token_policy){ 0 }, token, NOW, &arena, &claims);
}

static enum token_verdict verdict_of_header(const char *header) {
        return verdict_of(forge_token_with_secret(&arena, FORGE_SECRET, header, FORGE_CLAIMS));
}

Test(token, signed_with_the_secret_is_accepted) {
        know_secret();
        cr_expect_eq(verdict_of_header(HS256), TOKEN_OK);
}

Test(token, signed_with_another_secret_is_refused) {
        know_secret();
        cr_expect_eq(
                verdict_of(forge_token_with_secret(&arena, "another secret of 32 bytes or so", HS256, FORGE_CLAIMS)),
                TOKEN_BAD_SIGNATURE);
}

Test(token, signed_with_any_of_the_public_algorithms_is_accepted) {
        static const char *const headers[] = { ES256, EDDSA, RS256 };
        EVP_PKEY *pairs[] = { forge_p256(), forge_ed25519(), forge_rsa(2048) };

        for (size_t i = 0; i < array_size(pairs); i++) {
                know(forge_jwk(&arena, pairs[i], ""), NULL);
                cr_expect_eq(verdict_of(forge_token(&arena, pairs[i], headers[i], FORGE_CLAIMS)), TOKEN_OK, "%s",
                        headers[i]);
                keys = token_keys_unref(keys);
                EVP_PKEY_free(pairs[i]);
        }
}

Test(token, altered_in_any_signed_byte_is_refused) {
        char *token = NULL;

        know_secret();
        token = forge_token_with_secret(&arena, FORGE_SECRET, HS256, FORGE_CLAIMS);
        for (char *byte = token; byte < strrchr(token, '.'); byte++) {
                const char former = *byte;

                *byte = former == 'A' ? 'B' : 'A';
                cr_expect_neq(verdict_of(token), TOKEN_OK, "%s", token);
                *byte = former;
        }
        cr_expect_eq(verdict_of(token), TOKEN_OK);
}

Test(token, without_a_signature_is_always_refused) {
        static const char *const headers[] = {
                "{\"alg\":\"none\",\"typ\":\"JWT\"}",
                "{\"alg\":\"None\",\"typ\":\"JWT\"}",
                "{\"alg\":\"\",\"typ\":\"JWT\"}",
                HS256,
        };

        know_secret();
        for (size_t i = 0; i < array_size(headers); i++) {
                const char *text = forge_unsigned(&arena, headers[i], FORGE_CLAIMS);

                cr_expect_neq(verdict_of(text), TOKEN_OK, "%s", headers[i]);
                cr_expect_neq(verdict_of(arena_format(&arena, "%s.", text)), TOKEN_OK, "%s", headers[i]);
        }
}

Test(token, with_algorithm_none_is_refused_also_with_a_right_signature) {
        know_secret();
        cr_expect_eq(verdict_of_header("{\"alg\":\"none\",\"typ\":\"JWT\"}"), TOKEN_WRONG_ALGORITHM);
}

/* The attack on verifiers that let the token choose: the public key, known to all, taken for an HMAC secret. */
Test(token, signed_by_hmac_with_the_public_key_is_refused) {
        _cleanup_(forge_key_cleanup) EVP_PKEY *pair = forge_rsa(2048);
        const char *pem = forge_public_pem(&arena, pair);

        know(forge_jwk(&arena, pair, ",\"kid\":\"a\""), NULL);
        cr_expect_eq(verdict_of(forge_token_with_secret(&arena, pem, HS256, FORGE_CLAIMS)), TOKEN_WRONG_ALGORITHM);
        cr_expect_eq(verdict_of(forge_token_with_secret(
                             &arena, pem, "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"a\"}", FORGE_CLAIMS)),
                TOKEN_WRONG_ALGORITHM);
        cr_expect_eq(verdict_of(forge_token_with_secret(
                             &arena, pem, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"a\"}", FORGE_CLAIMS)),
                TOKEN_BAD_SIGNATURE);
}

Test(token, with_another_algorithm_than_its_key_is_refused) {
        static const char *const names[] = { "hs256", "HS256 ", "HS384", "HS512", "RS256", "ES256", "EdDSA" };

        know_secret();
        for (size_t i = 0; i < array_size(names); i++)
                cr_expect_eq(verdict_of_header(arena_format(&arena, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", names[i])),
                        TOKEN_WRONG_ALGORITHM, "%s", names[i]);
}

Test(token, type_is_required_and_known_in_any_case) {
        static const struct {
                const char *header;
                enum token_verdict verdict;
        } cases[] = {
                { "{\"alg\":\"HS256\",\"typ\":\"jwt\"}", TOKEN_OK },
                { "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", TOKEN_OK },
                { "{\"alg\":\"HS256\",\"typ\":\"AT+JWT\"}", TOKEN_OK },
                { "{\"alg\":\"HS256\",\"typ\":\"application/at+jwt\"}", TOKEN_OK },
                { "{\"alg\":\"HS256\"}", TOKEN_WRONG_TYPE },
                { "{\"alg\":\"HS256\",\"typ\":\"\"}", TOKEN_WRONG_TYPE },
                { "{\"alg\":\"HS256\",\"typ\":null}", TOKEN_WRONG_TYPE },
                { "{\"alg\":\"HS256\",\"typ\":\"logout+jwt\"}", TOKEN_WRONG_TYPE },
                { "{\"alg\":\"HS256\",\"typ\":[\"JWT\"]}", TOKEN_WRONG_TYPE },
        };

        know_secret();
        for (size_t i = 0; i < array_size(cases); i++)
                cr_expect_eq(verdict_of_header(cases[i].header), cases[i].verdict, "%s", cases[i].header);
}

Test(token, with_an_unknown_header_is_refused) {
        static const char *const headers[] = {
                "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"crit\":[\"exp\"]}",
                "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"crit\":null}",
                "{\"alg\":\"HS256\",\"alg\":\"HS256\",\"typ\":\"JWT\"}",
                "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":7}",
                "{\"alg\":[\"HS256\"],\"typ\":\"JWT\"}",
                "{\"typ\":\"JWT\"}",
                "{\"alg\":\"HS256\",\"typ\":\"JWT\"",
                "{\"alg\":\"HS256\",\"typ\":\"JWT\"} ,",
                "[\"HS256\"]",
                "\"HS256\"",
                "",
        };

        know_secret();
        for (size_t i = 0; i < array_size(headers); i++)
                cr_expect_eq(verdict_of_header(headers[i]), TOKEN_MALFORMED, "%s", headers[i]);
}

Test(token, payload_that_is_no_object_of_distinct_members_is_refused) {
        static const char *const payloads[] = {
                "{\"sub\":\"anna\",\"exp\":1795255800,\"sub\":\"admin\"}",
                "{\"sub\":\"an\\u0000na\",\"exp\":1795255800}",
                "{\"sub\":\"an\xff\",\"exp\":1795255800}",
                "[]",
                "null",
                "",
        };

        know_secret();
        for (size_t i = 0; i < array_size(payloads); i++)
                cr_expect_eq(verdict_of(forge_token_with_secret(&arena, FORGE_SECRET, HS256, payloads[i])),
                        TOKEN_MALFORMED, "%s", payloads[i]);
}

Test(token, key_id_has_a_limit) {
        char id[TOKEN_KEY_ID_MAX + 2];

        know_secret();
        memset(id, 'k', sizeof(id));
        id[TOKEN_KEY_ID_MAX + 1] = '\0';
        cr_expect_eq(verdict_of_header(arena_format(&arena, "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"%s\"}", id)),
                TOKEN_MALFORMED);
        id[TOKEN_KEY_ID_MAX] = '\0';
        cr_expect_eq(verdict_of_header(arena_format(&arena, "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"%s\"}", id)),
                TOKEN_OK);
}

Test(token, has_exactly_three_parts) {
        static const char *const texts[] = { "", ".", "..", "...", "a", "a.b", "a.b.c", "a.b.c.d", "....", " " };
        const char *token = NULL;

        know_secret();
        token = forge_token_with_secret(&arena, FORGE_SECRET, HS256, FORGE_CLAIMS);
        for (size_t i = 0; i < array_size(texts); i++)
                cr_expect_eq(verdict_of(texts[i]), TOKEN_MALFORMED, "%s", texts[i]);
        cr_expect_eq(verdict_of(arena_format(&arena, "%s.", token)), TOKEN_MALFORMED);
        cr_expect_eq(verdict_of(arena_format(&arena, ".%s", token)), TOKEN_MALFORMED);
}

/* One token, one spelling: a second one would slip past whatever is keyed by its text. */
Test(token, with_anything_before_or_after_is_refused) {
        static const char *const trailers[] = { "=", "==", "!!!!", " ", "\n", "A", "AA", "AAA", "AAAA", "%", "\t" };
        const char *token = NULL;

        know_secret();
        token = forge_token_with_secret(&arena, FORGE_SECRET, HS256, FORGE_CLAIMS);
        for (size_t i = 0; i < array_size(trailers); i++) {
                cr_expect_neq(
                        verdict_of(arena_format(&arena, "%s%s", token, trailers[i])), TOKEN_OK, "'%s'", trailers[i]);
                cr_expect_neq(
                        verdict_of(arena_format(&arena, "%s%s", trailers[i], token)), TOKEN_OK, "'%s'", trailers[i]);
        }
}

/* 32 bytes end in a character with two bits left over, so 4 characters decode alike when decoded leniently. */
Test(token, last_character_of_the_signature_has_one_spelling) {
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/";
        char *token = NULL, *last = NULL;
        int n_accepted = 0;

        know_secret();
        token = forge_token_with_secret(&arena, FORGE_SECRET, HS256, FORGE_CLAIMS);
        last = token + strlen(token) - 1;
        for (const char *candidate = alphabet; *candidate; candidate++) {
                *last = *candidate;
                n_accepted += verdict_of(token) == TOKEN_OK;
        }
        cr_expect_eq(n_accepted, 1);
}

static char *token_of_size(size_t size) {
        const size_t overhead = strlen(forge_token_with_secret(&arena, FORGE_SECRET, HS256, "")) + 1;
        char *payload = arena_alloc(&arena, size);
        size_t payload_size = 3 * (size - overhead) / 4;

        memset(payload, ' ', payload_size);
        memcpy(payload, FORGE_CLAIMS, strlen(FORGE_CLAIMS));
        while (strlen(forge_token_with_secret(&arena, FORGE_SECRET, HS256, payload)) < size)
                payload[payload_size++] = ' ';
        return forge_token_with_secret(&arena, FORGE_SECRET, HS256, payload);
}

Test(token, of_eight_kibibytes_is_accepted_and_a_larger_one_is_not) {
        know_secret();
        cr_assert_eq(strlen(token_of_size(TOKEN_SIZE_MAX)), TOKEN_SIZE_MAX);
        cr_expect_eq(verdict_of(token_of_size(TOKEN_SIZE_MAX)), TOKEN_OK);
        cr_expect_eq(verdict_of(token_of_size(TOKEN_SIZE_MAX + 1)), TOKEN_TOO_LONG);
}

Test(token, signature_of_es256_is_64_bytes_and_not_der) {
        _cleanup_(forge_key_cleanup) EVP_PKEY *pair = forge_p256();

        know(forge_jwk(&arena, pair, ""), NULL);
        cr_expect_eq(verdict_of(forge_token(&arena, pair, ES256, FORGE_CLAIMS)), TOKEN_OK);
        cr_expect_eq(
                verdict_of(forge_token_with_der_signature(&arena, pair, ES256, FORGE_CLAIMS)), TOKEN_BAD_SIGNATURE);
}

Test(token, is_checked_with_the_key_it_names) {
        _cleanup_(forge_key_cleanup) EVP_PKEY *first = forge_ed25519();
        _cleanup_(forge_key_cleanup) EVP_PKEY *second = forge_ed25519();
        const char *names_a = "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"a\"}";
        const char *names_c = "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"c\"}";

        know(forge_jwk(&arena, first, ",\"kid\":\"a\""), forge_jwk(&arena, second, ",\"kid\":\"b\""));
        cr_expect_eq(verdict_of(forge_token(&arena, first, names_a, FORGE_CLAIMS)), TOKEN_OK);
        cr_expect_eq(verdict_of(forge_token(&arena, second, names_a, FORGE_CLAIMS)), TOKEN_BAD_SIGNATURE);
        cr_expect_eq(verdict_of(forge_token(&arena, first, names_c, FORGE_CLAIMS)), TOKEN_UNKNOWN_KEY);
}

Test(token, that_names_no_key_needs_a_set_where_only_one_can_be_meant) {
        _cleanup_(forge_key_cleanup) EVP_PKEY *first = forge_ed25519();
        _cleanup_(forge_key_cleanup) EVP_PKEY *second = forge_ed25519();
        _cleanup_(forge_key_cleanup) EVP_PKEY *other = forge_p256();

        know(forge_jwk(&arena, first, ",\"kid\":\"a\""), forge_jwk(&arena, other, ",\"kid\":\"b\""));
        cr_expect_eq(verdict_of(forge_token(&arena, first, EDDSA, FORGE_CLAIMS)), TOKEN_OK);
        keys = token_keys_unref(keys);
        know(forge_jwk(&arena, first, ",\"kid\":\"a\""), forge_jwk(&arena, second, ",\"kid\":\"b\""));
        cr_expect_eq(verdict_of(forge_token(&arena, first, EDDSA, FORGE_CLAIMS)), TOKEN_UNKNOWN_KEY);
}

Test(token, that_names_a_key_does_not_fit_a_key_without_name) {
        _cleanup_(forge_key_cleanup) EVP_PKEY *pair = forge_ed25519();

        know(forge_jwk(&arena, pair, ""), NULL);
        cr_expect_eq(
                verdict_of(forge_token(&arena, pair, "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"\"}", FORGE_CLAIMS)),
                TOKEN_UNKNOWN_KEY);
}

Test(token, cannot_be_judged_without_any_key) {
        keys = token_keys_new(NULL, 0);
        cr_expect_eq(verdict_of_header(HS256), TOKEN_KEYS_UNAVAILABLE);
}

Test(token, is_judged_by_its_claims_once_the_signature_holds) {
        struct token_claims claims;
        const struct token_policy policy = { .issuer = "https://id.example" };
        const char *token = forge_token_with_secret(&arena, FORGE_SECRET, HS256, FORGE_CLAIMS);

        know_secret();
        cr_expect_eq(token_verify(keys, &policy, token, NOW, &arena, &claims), TOKEN_CLAIM_MISSING);
        cr_expect_eq(
                token_verify(keys, &(struct token_policy){ 0 }, token, NOW + HOUR, &arena, &claims), TOKEN_EXPIRED);
}

static struct token_request request_of_anna(void) {
        return (struct token_request){
                .secret = FORGE_SECRET,
                .subject = "anna",
                .ttl_s = 600,
                .issued_at = NOW,
        };
}

Test(token, made_for_development_carries_the_requested_claims) {
        static const char *const locations[] = { "berlin", "hamburg" };
        const struct token_policy policy = { .issuer = "https://id.example", .audience = "holdfast" };
        struct token_request request = request_of_anna();
        _cleanup_free_ char *token = NULL;
        struct token_claims claims;

        know_secret();
        request.audience = policy.audience;
        request.issuer = policy.issuer;
        request.channel = "web";
        request.scope = "orders:read orders:write";
        request.has_locations = true;
        request.locations = locations;
        request.n_locations = array_size(locations);
        cr_assert_eq(token_issue(&request, &token), PROBLEM_NONE);
        cr_assert_eq(token_verify(keys, &policy, token, NOW, &arena, &claims), TOKEN_OK);
        cr_expect_str_eq(claims.subject, "anna");
        cr_expect_str_eq(claims.channel, "web");
        cr_expect_eq(claims.scopes, scopes_parse(request.scope));
        cr_expect_eq(claims.expires_at, NOW + 600 * SECOND + TOKEN_LEEWAY);
        cr_expect_eq(claims.n_locations, 2);
        cr_expect(token_allows_location(&claims, "hamburg"));
}

Test(token, made_for_development_distinguishes_no_locations_from_all) {
        struct token_request request = request_of_anna();
        _cleanup_free_ char *all = NULL, *none = NULL;
        struct token_claims claims;

        know_secret();
        cr_assert_eq(token_issue(&request, &all), PROBLEM_NONE);
        cr_assert_eq(token_verify(keys, &(struct token_policy){ 0 }, all, NOW, &arena, &claims), TOKEN_OK);
        cr_expect(token_allows_location(&claims, "berlin"));
        request.has_locations = true;
        cr_assert_eq(token_issue(&request, &none), PROBLEM_NONE);
        cr_assert_eq(token_verify(keys, &(struct token_policy){ 0 }, none, NOW, &arena, &claims), TOKEN_OK);
        cr_expect_not(token_allows_location(&claims, "berlin"));
}

Test(token, is_not_made_from_a_request_that_would_be_refused_later) {
        struct token_request short_secret = request_of_anna(), no_subject = request_of_anna(),
                             no_time = request_of_anna(), broken = request_of_anna();
        char *token = NULL;

        short_secret.secret = "0123456789abcdef0123456789abcde";
        no_subject.subject = "";
        no_time.ttl_s = 0;
        broken.subject = "\xff";
        cr_expect_eq(token_issue(&short_secret, &token), PROBLEM_VALIDATION_FAILED);
        cr_expect_eq(token_issue(&no_subject, &token), PROBLEM_VALIDATION_FAILED);
        cr_expect_eq(token_issue(&no_time, &token), PROBLEM_VALIDATION_FAILED);
        cr_expect_eq(token_issue(&broken, &token), PROBLEM_VALIDATION_FAILED);
        cr_expect_null(token);
}

Test(token, is_not_made_larger_than_one_that_is_read) {
        static const char *locations[1000];
        struct token_request request = request_of_anna();
        char *token = NULL;

        for (size_t i = 0; i < array_size(locations); i++)
                locations[i] = "a-location-with-a-long-code";
        request.has_locations = true;
        request.locations = locations;
        request.n_locations = array_size(locations);
        cr_expect_eq(token_issue(&request, &token), PROBLEM_VALIDATION_FAILED);
}

Test(token, every_verdict_has_words_and_a_problem) {
        for (enum token_verdict verdict = TOKEN_OK + 1; verdict < TOKEN_VERDICT_COUNT; verdict++) {
                cr_expect_gt(strlen(token_verdict_text(verdict)), 0);
                cr_expect_neq(token_verdict_problem(verdict), PROBLEM_NONE);
        }
        cr_expect_eq(token_verdict_problem(TOKEN_OK), PROBLEM_NONE);
        cr_expect_eq(token_verdict_problem(TOKEN_EXPIRED), PROBLEM_UNAUTHENTICATED);
}
