#include "auth/claims.h"

#include "base/sorted.h"
#include "base/text.h"

#include <string.h>

#define TOKEN_SECONDS_MAX ((int64_t) 253402300799) /* 9999-12-31T23:59:59Z */

/* A NumericDate (RFC 7519, section 2): seconds, maybe with a fraction; TIMESTAMP_NONE when absent. */
static enum token_verdict instant_read(const json_t *payload, const char *name, timestamp *ret_instant) {
        const json_t *claim = json_object_get(payload, name);
        double number;

        if (!claim) {
                *ret_instant = TIMESTAMP_NONE;
                return TOKEN_OK;
        }
        if (!json_is_number(claim))
                return TOKEN_CLAIM_INVALID;
        number = json_number_value(claim);
        if (!(number >= 0 && number <= (double) TOKEN_SECONDS_MAX))
                return TOKEN_CLAIM_INVALID;
        *ret_instant = (timestamp) (number * (double) SECOND);
        return TOKEN_OK;
}

static enum token_verdict not_before_check(const json_t *payload, const char *name, timestamp now) {
        timestamp instant;
        enum token_verdict verdict;

        verdict = instant_read(payload, name, &instant);
        if (verdict != TOKEN_OK)
                return verdict;
        if (instant != TIMESTAMP_NONE && now < instant - TOKEN_LEEWAY)
                return TOKEN_NOT_YET_VALID;
        return TOKEN_OK;
}

static enum token_verdict times_read(const json_t *payload, timestamp now, timestamp *ret_expires_at) {
        timestamp expires_at;
        enum token_verdict verdict;

        verdict = instant_read(payload, "exp", &expires_at);
        if (verdict != TOKEN_OK)
                return verdict;
        if (expires_at == TIMESTAMP_NONE)
                return TOKEN_CLAIM_MISSING;
        if (now >= expires_at + TOKEN_LEEWAY)
                return TOKEN_EXPIRED;
        verdict = not_before_check(payload, "nbf", now);
        if (verdict != TOKEN_OK)
                return verdict;
        verdict = not_before_check(payload, "iat", now);
        if (verdict != TOKEN_OK)
                return verdict;
        *ret_expires_at = expires_at + TOKEN_LEEWAY;
        return TOKEN_OK;
}

static enum token_verdict issuer_check(const json_t *payload, const char *wanted) {
        const json_t *claim = json_object_get(payload, "iss");

        if (!wanted)
                return TOKEN_OK;
        if (!claim)
                return TOKEN_CLAIM_MISSING;
        return text_equal(json_string_value(claim), wanted) ? TOKEN_OK : TOKEN_WRONG_ISSUER;
}

static enum token_verdict audience_check(const json_t *payload, const char *wanted) {
        const json_t *claim = json_object_get(payload, "aud");

        if (!wanted)
                return TOKEN_OK;
        if (!claim)
                return TOKEN_CLAIM_MISSING;
        if (text_equal(json_string_value(claim), wanted))
                return TOKEN_OK;
        for (size_t i = 0; i < json_array_size(claim); i++)
                if (text_equal(json_string_value(json_array_get(claim, i)), wanted))
                        return TOKEN_OK;
        return TOKEN_WRONG_AUDIENCE;
}

static enum token_verdict subject_read(const json_t *payload, struct arena *arena, struct token_claims *claims) {
        const json_t *claim = json_object_get(payload, "sub");

        if (!claim)
                return TOKEN_CLAIM_MISSING;
        if (!json_is_string(claim) || json_string_length(claim) == 0)
                return TOKEN_CLAIM_INVALID;
        if (json_string_length(claim) > TOKEN_SUBJECT_SIZE_MAX)
                return TOKEN_CLAIM_INVALID;
        claims->subject = arena_text(arena, json_string_value(claim));
        return claims->subject ? TOKEN_OK : TOKEN_OUT_OF_MEMORY;
}

static enum token_verdict scopes_read(const json_t *payload, struct token_claims *claims) {
        const json_t *claim = json_object_get(payload, "scope");

        if (!claim)
                return TOKEN_OK;
        if (!json_is_string(claim))
                return TOKEN_CLAIM_INVALID;
        claims->scopes = scopes_parse(json_string_value(claim));
        return TOKEN_OK;
}

static enum token_verdict channel_read(const json_t *payload, struct arena *arena, struct token_claims *claims) {
        const json_t *claim = json_object_get(payload, "channel");

        if (!claim)
                return TOKEN_OK;
        if (!json_is_string(claim) || !text_is_code(json_string_value(claim)))
                return TOKEN_CLAIM_INVALID;
        claims->channel = arena_text(arena, json_string_value(claim));
        return claims->channel ? TOKEN_OK : TOKEN_OUT_OF_MEMORY;
}

static bool all_text(const json_t *list) {
        for (size_t i = 0; i < json_array_size(list); i++)
                if (!json_is_string(json_array_get(list, i)))
                        return false;
        return true;
}

static enum token_verdict claim_codes_read(const json_t *list, struct arena *arena, struct token_claims *claims) {
        const size_t n = json_array_size(list);
        const char **codes = arena_new_array(arena, const char *, n);

        if (!codes)
                return TOKEN_OUT_OF_MEMORY;
        for (size_t i = 0; i < n; i++) {
                codes[i] = arena_text(arena, json_string_value(json_array_get(list, i)));
                if (!codes[i])
                        return TOKEN_OUT_OF_MEMORY;
        }
        claims->n_locations = sort_unique(codes, n, sizeof(*codes), texts_compare);
        claims->locations = codes;
        return TOKEN_OK;
}

/* Only an absent claim opens all locations: a claim of another form must not. */
static enum token_verdict locations_read(const json_t *payload, struct arena *arena, struct token_claims *claims) {
        const json_t *claim = json_object_get(payload, "locations");

        claims->all_locations = !claim;
        if (json_array_size(claim) == 0 || !all_text(claim))
                return TOKEN_OK;
        return claim_codes_read(claim, arena, claims);
}

static enum token_verdict bearer_read(const json_t *payload, struct arena *arena, struct token_claims *claims) {
        enum token_verdict verdict;

        verdict = subject_read(payload, arena, claims);
        if (verdict != TOKEN_OK)
                return verdict;
        verdict = scopes_read(payload, claims);
        if (verdict != TOKEN_OK)
                return verdict;
        verdict = channel_read(payload, arena, claims);
        if (verdict != TOKEN_OK)
                return verdict;
        return locations_read(payload, arena, claims);
}

enum token_verdict token_claims_read(const json_t *payload, const struct token_policy *policy, timestamp now,
        struct arena *arena, struct token_claims *ret_claims) {
        struct token_claims claims = { 0 };
        enum token_verdict verdict;

        verdict = times_read(payload, now, &claims.expires_at);
        if (verdict != TOKEN_OK)
                return verdict;
        verdict = issuer_check(payload, policy->issuer);
        if (verdict != TOKEN_OK)
                return verdict;
        verdict = audience_check(payload, policy->audience);
        if (verdict != TOKEN_OK)
                return verdict;
        verdict = bearer_read(payload, arena, &claims);
        if (verdict != TOKEN_OK)
                return verdict;
        *ret_claims = claims;
        return TOKEN_OK;
}

bool token_allows_location(const struct token_claims *claims, const char *code) {
        if (claims->all_locations)
                return true;
        return sorted_find(&code, claims->locations, claims->n_locations, sizeof(*claims->locations), texts_compare);
}

size_t token_claims_size(const struct token_claims *claims) {
        size_t size = claims->n_locations * sizeof(*claims->locations) + strlen(claims->subject) + 1;

        if (claims->channel)
                size += strlen(claims->channel) + 1;
        for (size_t i = 0; i < claims->n_locations; i++)
                size += strlen(claims->locations[i]) + 1;
        return size;
}

static const char *text_place(char **cursor, const char *text) {
        const size_t size = strlen(text) + 1;
        char *copy = memcpy(*cursor, text, size);

        *cursor += size;
        return copy;
}

void token_claims_copy(const struct token_claims *claims, void *block, struct token_claims *ret_copy) {
        const char **locations = block;
        char *cursor = (char *) (locations + claims->n_locations);
        struct token_claims copy = *claims;

        copy.subject = text_place(&cursor, claims->subject);
        if (claims->channel)
                copy.channel = text_place(&cursor, claims->channel);
        for (size_t i = 0; i < claims->n_locations; i++)
                locations[i] = text_place(&cursor, claims->locations[i]);
        copy.locations = claims->n_locations > 0 ? locations : NULL;
        *ret_copy = copy;
}
