#include "auth/gate.h"

#include "base/log.h"
#include "token_forge.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NOW     FORGE_NOW
#define LIMIT   ((size_t) 262144)
#define PATIENT (60 * SECOND) /* reached only when something is broken */

static struct arena arena;
static char path[] = "/tmp/holdfast-token-gate-XXXXXX";
static EVP_PKEY *former, *latter;
static const char *former_token, *latter_token;
static struct token_gate gate;

static void file_put(EVP_PKEY *pair, const char *more) {
        const char *document = forge_jwks(&arena, forge_jwk(&arena, pair, more), NULL);
        FILE *file = fopen(path, "we");

        cr_assert_not_null(file);
        cr_assert_geq(fputs(document, file), 0);
        cr_assert_eq(fclose(file), 0);
}

static void set_up(void) {
        const char *reason = NULL;

        arena_init(&arena, LIMIT);
        log_set_level(LOG_LEVEL_ERROR);
        cr_assert_geq(close(mkstemp(path)), 0);
        former = forge_ed25519();
        latter = forge_ed25519();
        former_token =
                forge_token(&arena, former, "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"f\"}", FORGE_CLAIMS);
        latter_token =
                forge_token(&arena, latter, "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"l\"}", FORGE_CLAIMS);
        file_put(former, ",\"kid\":\"f\"");
        cr_assert_eq(token_cache_new(8, &gate.cache), PROBLEM_NONE);
        cr_assert_eq(token_source_start(&(struct token_source_settings){ .jwks_file = path, .check_interval = DAY },
                             &gate.source, &reason),
                PROBLEM_NONE);
}

static void tear_down(void) {
        gate.source = token_source_stop(gate.source);
        gate.cache = token_cache_free(gate.cache);
        EVP_PKEY_free(former);
        EVP_PKEY_free(latter);
        (void) unlink(path);
        arena_clear(&arena);
}

TestSuite(token_gate, .init = set_up, .fini = tear_down);

static enum token_verdict verdict_of(const char *token, timestamp now) {
        struct token_claims claims = { 0 };
        const enum token_verdict verdict = token_gate_check(&gate, token, now, &arena, &claims);

        if (verdict == TOKEN_OK)
                cr_expect_str_eq(claims.subject, "anna");
        return verdict;
}

static void await_reading(uint64_t readings) {
        cr_assert(token_source_wait(gate.source, readings, clock_monotonic() + PATIENT));
}

Test(token_gate, verified_token_is_remembered) {
        cr_expect_eq(verdict_of(former_token, NOW), TOKEN_OK);
        cr_expect_eq(token_cache_count(gate.cache), 1);
        cr_expect_eq(verdict_of(former_token, NOW + SECOND), TOKEN_OK);
        cr_expect_eq(token_cache_count(gate.cache), 1);
}

Test(token_gate, refused_token_is_not_remembered) {
        cr_expect_eq(verdict_of("garbage", NOW), TOKEN_MALFORMED);
        cr_expect_eq(verdict_of(former_token, NOW + DAY), TOKEN_EXPIRED);
        cr_expect_eq(token_cache_count(gate.cache), 0);
}

Test(token_gate, remembered_token_still_expires) {
        const timestamp end = 1795255800 * SECOND + TOKEN_LEEWAY;

        cr_expect_eq(verdict_of(former_token, end - 1), TOKEN_OK);
        cr_expect_eq(verdict_of(former_token, end), TOKEN_EXPIRED);
}

Test(token_gate, keys_that_rotate_let_new_tokens_in_and_old_ones_out) {
        cr_expect_eq(verdict_of(former_token, NOW), TOKEN_OK);
        file_put(latter, ",\"kid\":\"l\"");
        cr_expect_eq(verdict_of(latter_token, NOW), TOKEN_UNKNOWN_KEY);
        await_reading(2); /* caused by the unknown key */
        cr_expect_eq(verdict_of(latter_token, NOW), TOKEN_OK);
        cr_expect_eq(verdict_of(former_token, NOW), TOKEN_UNKNOWN_KEY);
}

Test(token_gate, only_an_unknown_key_makes_the_source_read) {
        cr_expect_eq(verdict_of("garbage", NOW), TOKEN_MALFORMED);
        cr_expect_eq(verdict_of(former_token, NOW + DAY), TOKEN_EXPIRED);
        cr_expect(token_source_unknown_key(gate.source, clock_monotonic()), "no reading was requested before");
}
