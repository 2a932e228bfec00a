#include "auth/verify.h"

#include "auth/keys.h"
#include "auth/signature.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

struct part {
        const char *text;
        size_t size;
};

struct parts {
        struct part header, payload, signature;
        struct part signed_text; /* the signed bytes: header, dot, payload */
};

struct header {
        enum token_algorithm algorithm;
        const char *key_id; /* NULL: the token names no key */
};

DEFINE_CLEANUP(json_t, json_cleanup, json_decref)

static bool token_split(const char *token, struct parts *ret_parts) {
        const size_t size = strlen(token);
        const char *first = memchr(token, '.', size);
        const char *last = memrchr(token, '.', size);
        struct parts parts;

        if (!first || first == last)
                return false;
        parts.header = (struct part){ token, (size_t) (first - token) };
        parts.payload = (struct part){ first + 1, (size_t) (last - first - 1) };
        parts.signature = (struct part){ last + 1, (size_t) (token + size - last - 1) };
        parts.signed_text = (struct part){ token, (size_t) (last - token) };
        if (memchr(parts.payload.text, '.', parts.payload.size))
                return false;
        *ret_parts = parts;
        return true;
}

static bool part_parse(const struct part *part, json_t **ret_object) {
        uint8_t bytes[TOKEN_SIZE_MAX];
        size_t size = 0;
        _cleanup_(json_cleanup) json_t *tree = NULL;

        if (!base64url_decode(part->text, part->size, bytes, &size))
                return false;
        tree = json_loadb((const char *) bytes, size, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(tree))
                return false;
        *ret_object = take(tree);
        return true;
}

/* Media types know no case (RFC 7515, section 4.1.9). */
static bool type_is_fine(const char *type) {
        static const char *const types[] = { "JWT", "application/at+jwt", "at+jwt" };

        for (size_t i = 0; i < array_size(types); i++)
                if (type && strcasecmp(type, types[i]) == 0)
                        return true;
        return false;
}

/* `ret_header` borrows from the tree. */
static enum token_verdict token_header_read(const json_t *tree, struct header *ret_header) {
        const json_t *id = json_object_get(tree, "kid");
        const char *algorithm = json_string_value(json_object_get(tree, "alg"));
        struct header header = { .key_id = json_string_value(id) };

        if (json_object_get(tree, "crit") || !algorithm ||
                (id && (!json_is_string(id) || json_string_length(id) > TOKEN_KEY_ID_MAX)))
                return TOKEN_MALFORMED;
        if (!type_is_fine(json_string_value(json_object_get(tree, "typ"))))
                return TOKEN_WRONG_TYPE;
        if (!token_algorithm_named(algorithm, &header.algorithm))
                return TOKEN_WRONG_ALGORITHM;
        *ret_header = header;
        return TOKEN_OK;
}

/* Find the one key of the token. Several candidates are refused: trying each would check a token with a key that its
 * issuer never used for it. */
static enum token_verdict key_find(
        const struct token_keys *keys, const struct header *header, const struct token_key **ret_key) {
        const struct token_key *found = NULL;
        size_t n_named = 0, n_fitting = 0;

        if (token_keys_count(keys) == 0)
                return TOKEN_KEYS_UNAVAILABLE;
        for (size_t i = 0; i < token_keys_count(keys); i++) {
                const struct token_key *key = token_keys_at(keys, i);

                if (header->key_id && !key->secret && !text_equal(key->id, header->key_id))
                        continue;
                n_named++;
                if (key->algorithm != header->algorithm)
                        continue;
                n_fitting++;
                found = key;
        }
        if (n_named > 0 && n_fitting == 0)
                return TOKEN_WRONG_ALGORITHM;
        if (n_fitting != 1)
                return TOKEN_UNKNOWN_KEY;
        *ret_key = found;
        return TOKEN_OK;
}

static enum token_verdict signature_check(const struct token_key *key, const struct parts *parts) {
        uint8_t signature[TOKEN_SIZE_MAX];
        size_t size = 0;

        if (!base64url_decode(parts->signature.text, parts->signature.size, signature, &size))
                return TOKEN_MALFORMED;
        if (!token_signature_valid(key, parts->signed_text.text, parts->signed_text.size, signature, size))
                return TOKEN_BAD_SIGNATURE;
        return TOKEN_OK;
}

static enum token_verdict signed_by_known_key(const struct token_keys *keys, const struct parts *parts) {
        _cleanup_(json_cleanup) json_t *tree = NULL;
        const struct token_key *key = NULL;
        struct header header;
        enum token_verdict verdict;

        if (!part_parse(&parts->header, &tree))
                return TOKEN_MALFORMED;
        verdict = token_header_read(tree, &header);
        if (verdict != TOKEN_OK)
                return verdict;
        verdict = key_find(keys, &header, &key);
        if (verdict != TOKEN_OK)
                return verdict;
        return signature_check(key, parts);
}

enum token_verdict token_verify(const struct token_keys *keys, const struct token_policy *policy, const char *token,
        timestamp now, struct arena *arena, struct token_claims *ret_claims) {
        _cleanup_(json_cleanup) json_t *payload = NULL;
        struct parts parts;
        enum token_verdict verdict;

        if (strnlen(token, TOKEN_SIZE_MAX + 1) > TOKEN_SIZE_MAX)
                return TOKEN_TOO_LONG;
        if (!token_split(token, &parts))
                return TOKEN_MALFORMED;
        verdict = signed_by_known_key(keys, &parts);
        if (verdict != TOKEN_OK)
                return verdict;
        if (!part_parse(&parts.payload, &payload))
                return TOKEN_MALFORMED;
        return token_claims_read(payload, policy, now, arena, ret_claims);
}
