#include "auth/claims.h"

#include "base/text.h"
#include "token_forge.h"

#include <criterion/criterion.h>
#include <string.h>

#define NOW   FORGE_NOW
#define EXP   "\"exp\":1795255800" /* ten minutes after NOW */
#define LIMIT ((size_t) 65536)

static struct arena arena;

static void set_up(void) {
        arena_init(&arena, LIMIT);
}

static void tear_down(void) {
        arena_clear(&arena);
}

TestSuite(token_claims, .init = set_up, .fini = tear_down);

static enum token_verdict read_by(
        const struct token_policy *policy, const char *payload, timestamp now, struct token_claims *ret_claims) {
        json_t *tree = json_loads(payload, 0, NULL);
        enum token_verdict verdict;

        cr_assert_not_null(tree, "%s", payload);
        verdict = token_claims_read(tree, policy, now, &arena, ret_claims);
        json_decref(tree);
        return verdict;
}

static enum token_verdict read_claims(const char *payload, struct token_claims *ret_claims) {
        return read_by(&(struct token_policy){ 0 }, payload, NOW, ret_claims);
}

static enum token_verdict verdict_of(const char *payload) {
        struct token_claims claims;

        return read_claims(payload, &claims);
}

struct expectation {
        const char *payload;
        enum token_verdict verdict;
};

static void expect_all(const struct token_policy *policy, const struct expectation *expectations, size_t n) {
        struct token_claims claims;

        for (size_t i = 0; i < n; i++) {
                const enum token_verdict verdict = read_by(policy, expectations[i].payload, NOW, &claims);

                cr_expect_eq(verdict, expectations[i].verdict, "%s: %s", expectations[i].payload,
                        token_verdict_text(verdict));
        }
}

Test(token_claims, every_claim_of_a_token_is_read) {
        struct token_claims claims;

        cr_assert_eq(read_claims("{\"sub\":\"anna\",\"scope\":\"orders:read admin\",\"channel\":\"web\","
                                 "\"locations\":[\"b\",\"a\",\"b\"]," EXP "}",
                             &claims),
                TOKEN_OK);
        cr_expect_str_eq(claims.subject, "anna");
        cr_expect_str_eq(claims.channel, "web");
        cr_expect_eq(claims.scopes, scopes_parse("admin orders:read"));
        cr_expect_eq(claims.expires_at, 1795255800 * SECOND + TOKEN_LEEWAY);
        cr_expect_not(claims.all_locations);
        cr_assert_eq(claims.n_locations, 2);
        cr_expect_str_eq(claims.locations[0], "a");
        cr_expect_str_eq(claims.locations[1], "b");
}

Test(token_claims, a_token_needs_only_subject_and_expiry) {
        struct token_claims claims;

        cr_assert_eq(read_claims("{\"sub\":\"anna\"," EXP "}", &claims), TOKEN_OK);
        cr_expect_null(claims.channel);
        cr_expect_eq(claims.scopes, 0);
        cr_expect(claims.all_locations);
}

Test(token_claims, subject_and_expiry_are_required_and_of_their_types) {
        static const struct expectation expectations[] = {
                { "{" EXP "}", TOKEN_CLAIM_MISSING },
                { "{\"sub\":\"anna\"}", TOKEN_CLAIM_MISSING },
                { "{\"sub\":\"\"," EXP "}", TOKEN_CLAIM_INVALID },
                { "{\"sub\":7," EXP "}", TOKEN_CLAIM_INVALID },
                { "{\"sub\":null," EXP "}", TOKEN_CLAIM_INVALID },
                { "{\"sub\":\"anna\",\"exp\":\"1795255800\"}", TOKEN_CLAIM_INVALID },
                { "{\"sub\":\"anna\",\"exp\":1795255800.5}", TOKEN_OK },
                { "{\"sub\":\"anna\",\"exp\":1e300}", TOKEN_CLAIM_INVALID },
                { "{\"sub\":\"anna\",\"exp\":-1}", TOKEN_CLAIM_INVALID },
                { "{\"sub\":\"anna\",\"exp\":9223372036854775807}", TOKEN_CLAIM_INVALID },
                { "{\"sub\":\"anna\",\"exp\":253402300799}", TOKEN_OK },
                { "{\"sub\":\"anna\",\"exp\":253402300800}", TOKEN_CLAIM_INVALID },
                { "{\"sub\":\"anna\",\"exp\":1795255800.0}", TOKEN_OK },
        };

        expect_all(&(struct token_policy){ 0 }, expectations, array_size(expectations));
}

Test(token_claims, longest_subject_fits_and_one_byte_more_does_not) {
        char subject[TOKEN_SUBJECT_SIZE_MAX + 2];

        memset(subject, 'a', sizeof(subject));
        subject[TOKEN_SUBJECT_SIZE_MAX + 1] = '\0';
        cr_expect_eq(verdict_of(arena_format(&arena, "{\"sub\":\"%s\"," EXP "}", subject)), TOKEN_CLAIM_INVALID);
        subject[TOKEN_SUBJECT_SIZE_MAX] = '\0';
        cr_expect_eq(verdict_of(arena_format(&arena, "{\"sub\":\"%s\"," EXP "}", subject)), TOKEN_OK);
}

Test(token_claims, expiry_has_a_leeway_of_a_minute_and_not_an_instant_more) {
        const struct token_policy policy = { 0 };
        const timestamp end = 1795255800 * SECOND + 60 * SECOND;
        struct token_claims claims;

        cr_expect_eq(read_by(&policy, "{\"sub\":\"anna\"," EXP "}", end - 1, &claims), TOKEN_OK);
        cr_expect_eq(read_by(&policy, "{\"sub\":\"anna\"," EXP "}", end, &claims), TOKEN_EXPIRED);
        cr_expect_eq(
                read_by(&policy, "{\"sub\":\"anna\",\"exp\":1795255800.5}", end + SECOND / 2 - 1, &claims), TOKEN_OK);
        cr_expect_eq(
                read_by(&policy, "{\"sub\":\"anna\",\"exp\":1795255800.5}", end + SECOND / 2, &claims), TOKEN_EXPIRED);
}

Test(token_claims, a_token_of_the_future_has_a_leeway_of_a_minute) {
        static const struct expectation expectations[] = {
                { "{\"sub\":\"anna\",\"nbf\":1795255260," EXP "}", TOKEN_OK },
                { "{\"sub\":\"anna\",\"nbf\":1795255261," EXP "}", TOKEN_NOT_YET_VALID },
                { "{\"sub\":\"anna\",\"nbf\":\"soon\"," EXP "}", TOKEN_CLAIM_INVALID },
                { "{\"sub\":\"anna\",\"iat\":1795255260," EXP "}", TOKEN_OK },
                { "{\"sub\":\"anna\",\"iat\":1795255261," EXP "}", TOKEN_NOT_YET_VALID },
                { "{\"sub\":\"anna\",\"iat\":1.5," EXP "}", TOKEN_OK },
        };

        expect_all(&(struct token_policy){ 0 }, expectations, array_size(expectations));
}

Test(token_claims, issuer_must_be_the_configured_one_exactly) {
        static const struct expectation expectations[] = {
                { "{\"sub\":\"anna\",\"iss\":\"https://id.example\"," EXP "}", TOKEN_OK },
                { "{\"sub\":\"anna\",\"iss\":\"https://id.example/\"," EXP "}", TOKEN_WRONG_ISSUER },
                { "{\"sub\":\"anna\",\"iss\":[\"https://id.example\"]," EXP "}", TOKEN_WRONG_ISSUER },
                { "{\"sub\":\"anna\"," EXP "}", TOKEN_CLAIM_MISSING },
        };

        expect_all(&(struct token_policy){ .issuer = "https://id.example" }, expectations, array_size(expectations));
}

Test(token_claims, audience_must_name_the_configured_one) {
        static const struct expectation expectations[] = {
                { "{\"sub\":\"anna\",\"aud\":\"holdfast\"," EXP "}", TOKEN_OK },
                { "{\"sub\":\"anna\",\"aud\":[\"till\",\"holdfast\"]," EXP "}", TOKEN_OK },
                { "{\"sub\":\"anna\",\"aud\":\"holdfas\"," EXP "}", TOKEN_WRONG_AUDIENCE },
                { "{\"sub\":\"anna\",\"aud\":[\"till\",7]," EXP "}", TOKEN_WRONG_AUDIENCE },
                { "{\"sub\":\"anna\",\"aud\":[]," EXP "}", TOKEN_WRONG_AUDIENCE },
                { "{\"sub\":\"anna\",\"aud\":{\"holdfast\":1}," EXP "}", TOKEN_WRONG_AUDIENCE },
                { "{\"sub\":\"anna\"," EXP "}", TOKEN_CLAIM_MISSING },
        };

        expect_all(&(struct token_policy){ .audience = "holdfast" }, expectations, array_size(expectations));
}

Test(token_claims, scope_and_channel_of_another_type_refuse_the_token) {
        static const struct expectation expectations[] = {
                { "{\"sub\":\"anna\",\"scope\":[\"admin\"]," EXP "}", TOKEN_CLAIM_INVALID },
                { "{\"sub\":\"anna\",\"scope\":null," EXP "}", TOKEN_CLAIM_INVALID },
                { "{\"sub\":\"anna\",\"channel\":7," EXP "}", TOKEN_CLAIM_INVALID },
                { "{\"sub\":\"anna\",\"channel\":null," EXP "}", TOKEN_CLAIM_INVALID },
                { "{\"sub\":\"anna\",\"channel\":\"\"," EXP "}", TOKEN_CLAIM_INVALID },
                { "{\"sub\":\"anna\",\"channel\":[\"web\"]," EXP "}", TOKEN_CLAIM_INVALID },
        };

        expect_all(&(struct token_policy){ 0 }, expectations, array_size(expectations));
}

/* Only silence opens every location; whatever is not understood must close them all. */
Test(token_claims, locations_that_are_no_list_of_codes_mean_none) {
        static const char *const values[] = { "[]", "null", "\"\"", "\"*\"", "\"berlin\"", "true", "7", "{}",
                "[\"berlin\",7]", "[null]", "[[\"berlin\"]]" };
        struct token_claims claims;

        for (size_t i = 0; i < array_size(values); i++) {
                const char *payload = arena_format(&arena, "{\"sub\":\"anna\",\"locations\":%s," EXP "}", values[i]);

                cr_assert_eq(read_claims(payload, &claims), TOKEN_OK, "%s", payload);
                cr_expect_not(claims.all_locations, "%s", payload);
                cr_expect_eq(claims.n_locations, 0, "%s", payload);
                cr_expect_not(token_allows_location(&claims, "berlin"), "%s", payload);
        }
}

Test(token_claims, bearer_may_act_at_the_locations_named_and_no_others) {
        struct token_claims claims;

        cr_assert_eq(read_claims("{\"sub\":\"anna\",\"locations\":[\"hamburg\",\"berlin\",\"bern\"]," EXP "}", &claims),
                TOKEN_OK);
        cr_expect(token_allows_location(&claims, "berlin"));
        cr_expect(token_allows_location(&claims, "bern"));
        cr_expect(token_allows_location(&claims, "hamburg"));
        cr_expect_not(token_allows_location(&claims, "ber"));
        cr_expect_not(token_allows_location(&claims, "Berlin"));
        cr_expect_not(token_allows_location(&claims, ""));
}

Test(token_claims, bearer_of_a_token_without_locations_may_act_anywhere) {
        struct token_claims claims;

        cr_assert_eq(read_claims("{\"sub\":\"anna\"," EXP "}", &claims), TOKEN_OK);
        cr_expect(token_allows_location(&claims, "berlin"));
}

Test(token_claims, a_copy_stands_on_its_own) {
        struct token_claims claims, copy;
        _cleanup_free_ void *block = NULL;

        cr_assert_eq(read_claims("{\"sub\":\"anna\",\"scope\":\"admin\",\"channel\":\"web\","
                                 "\"locations\":[\"a\",\"b\"]," EXP "}",
                             &claims),
                TOKEN_OK);
        block = malloc(token_claims_size(&claims));
        token_claims_copy(&claims, block, &copy);
        arena_clear(&arena);
        cr_expect_str_eq(copy.subject, "anna");
        cr_expect_str_eq(copy.channel, "web");
        cr_expect_eq(copy.scopes, scopes_parse("admin"));
        cr_expect(token_allows_location(&copy, "a"));
        cr_expect(token_allows_location(&copy, "b"));
        cr_expect_not(token_allows_location(&copy, "c"));
}

Test(token_claims, an_arena_without_room_is_no_fault_of_the_token) {
        struct arena none;
        struct token_claims claims;
        json_t *tree = json_loads("{\"sub\":\"anna\"," EXP "}", 0, NULL);

        arena_init(&none, 0);
        cr_expect_eq(token_claims_read(tree, &(struct token_policy){ 0 }, NOW, &none, &claims), TOKEN_OUT_OF_MEMORY);
        cr_expect_eq(token_verdict_problem(TOKEN_OUT_OF_MEMORY), PROBLEM_OVERLOADED);
        json_decref(tree);
}
