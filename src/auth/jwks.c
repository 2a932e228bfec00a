#include "auth/jwks.h"

#include "auth/verify.h"
#include "base/text.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include <string.h>

#define ED25519_SIZE      32
#define EXPONENT_BITS_MAX 64
#define P256_HALF_SIZE    32
#define POINT_SIZE        (1 + 2 * P256_HALF_SIZE)
#define UNCOMPRESSED      0x04 /* SEC 1, section 2.3.3 */

#define RSA_BYTES_MAX     (RSA_BITS_MAX / 8 + 1) /* some encoders put a zero byte in front */

DEFINE_CLEANUP(BIGNUM, number_cleanup, BN_free)
DEFINE_CLEANUP(EVP_PKEY_CTX, context_cleanup, EVP_PKEY_CTX_free)
DEFINE_CLEANUP(OSSL_PARAM, parameters_cleanup, OSSL_PARAM_free)
DEFINE_CLEANUP(OSSL_PARAM_BLD, builder_cleanup, OSSL_PARAM_BLD_free)
DEFINE_CLEANUP(json_t, json_cleanup, json_decref)

struct key_list {
        struct token_key keys[JWKS_KEYS_MAX];
        size_t n;
};

/* Decode a member of at most `size_max` bytes. */
static bool bytes_read(const json_t *entry, const char *name, size_t size_max, uint8_t *bytes, size_t *ret_size) {
        const json_t *member = json_object_get(entry, name);
        const size_t text_size = json_string_length(member);

        if (!json_is_string(member) || text_size * 3 / 4 > size_max)
                return false;
        return base64url_decode(json_string_value(member), text_size, bytes, ret_size);
}

static bool bytes_read_exactly(const json_t *entry, const char *name, size_t size, uint8_t *bytes) {
        size_t found = 0;

        return bytes_read(entry, name, size, bytes, &found) && found == size;
}

static BIGNUM *jwk_number_read(const json_t *entry, const char *name) {
        uint8_t bytes[RSA_BYTES_MAX];
        size_t size = 0;

        if (!bytes_read(entry, name, sizeof(bytes), bytes, &size))
                return NULL;
        return BN_bin2bn(bytes, (int) size, NULL);
}

static EVP_PKEY *key_from_parameters(const char *type, OSSL_PARAM *parameters) {
        _cleanup_(context_cleanup) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
        EVP_PKEY *key = NULL;

        if (!context || EVP_PKEY_fromdata_init(context) != 1)
                return NULL;
        if (EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
                return NULL;
        return key;
}

static bool rsa_is_sound(const BIGNUM *modulus, const BIGNUM *exponent) {
        if (BN_num_bits(modulus) < RSA_BITS_MIN || BN_num_bits(modulus) > RSA_BITS_MAX || !BN_is_odd(modulus))
                return false;
        return BN_is_odd(exponent) && !BN_is_one(exponent) && BN_num_bits(exponent) <= EXPONENT_BITS_MAX;
}

static EVP_PKEY *rsa_read(const json_t *entry) {
        _cleanup_(number_cleanup) BIGNUM *modulus = jwk_number_read(entry, "n");
        _cleanup_(number_cleanup) BIGNUM *exponent = jwk_number_read(entry, "e");
        _cleanup_(builder_cleanup) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
        _cleanup_(parameters_cleanup) OSSL_PARAM *parameters = NULL;

        if (!modulus || !exponent || !builder || !rsa_is_sound(modulus, exponent))
                return NULL;
        if (OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
                OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) != 1)
                return NULL;
        parameters = OSSL_PARAM_BLD_to_param(builder);
        return parameters ? key_from_parameters("RSA", parameters) : NULL;
}

/* OpenSSL rejects a point that is not on the curve. */
static EVP_PKEY *p256_read(const json_t *entry) {
        char group[] = "prime256v1";
        uint8_t point[POINT_SIZE] = { UNCOMPRESSED };
        OSSL_PARAM parameters[] = {
                OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
                OSSL_PARAM_construct_end(),
        };

        if (!bytes_read_exactly(entry, "x", P256_HALF_SIZE, point + 1) ||
                !bytes_read_exactly(entry, "y", P256_HALF_SIZE, point + 1 + P256_HALF_SIZE))
                return NULL;
        return key_from_parameters("EC", parameters);
}

static EVP_PKEY *ed25519_read(const json_t *entry) {
        uint8_t bytes[ED25519_SIZE];

        if (!bytes_read_exactly(entry, "x", sizeof(bytes), bytes))
                return NULL;
        return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, sizeof(bytes));
}

/* The types of key that are understood, and the one algorithm each is used for. */
static const struct key_kind {
        const char *type;
        const char *curve; /* NULL: has none */
        enum token_algorithm algorithm;
        EVP_PKEY *(*read)(const json_t *entry);
} key_kinds[] = {
        { "EC", "P-256", TOKEN_ES256, p256_read },
        { "OKP", "Ed25519", TOKEN_EDDSA, ed25519_read },
        { "RSA", NULL, TOKEN_RS256, rsa_read },
};

static bool member_is(const json_t *entry, const char *name, const char *value) {
        return text_equal(json_string_value(json_object_get(entry, name)), value);
}

static bool member_is_or_absent(const json_t *entry, const char *name, const char *value) {
        return !json_object_get(entry, name) || member_is(entry, name, value);
}

static const struct key_kind *kind_find(const json_t *entry) {
        for (size_t i = 0; i < array_size(key_kinds); i++) {
                const struct key_kind *kind = &key_kinds[i];

                if (member_is(entry, "kty", kind->type) && (!kind->curve || member_is(entry, "crv", kind->curve)))
                        return kind;
        }
        return NULL;
}

static bool may_verify(const json_t *entry) {
        const json_t *operations = json_object_get(entry, "key_ops");

        if (!member_is_or_absent(entry, "use", "sig"))
                return false;
        if (!operations)
                return true;
        for (size_t i = 0; i < json_array_size(operations); i++)
                if (text_equal(json_string_value(json_array_get(operations, i)), "verify"))
                        return true;
        return false;
}

static bool id_read(const json_t *entry, char **ret_id) {
        const json_t *id = json_object_get(entry, "kid");
        char *copy = NULL;

        if (!id) {
                *ret_id = NULL;
                return true;
        }
        if (!json_is_string(id) || json_string_length(id) > TOKEN_KEY_ID_MAX)
                return false;
        copy = strdup(json_string_value(id));
        if (!copy)
                return false;
        *ret_id = copy;
        return true;
}

/* False when the entry is of no use here. */
static bool entry_read(const json_t *entry, struct token_key *ret_key) {
        const struct key_kind *kind = kind_find(entry);
        struct token_key key = { 0 };

        if (!kind || !may_verify(entry) || !member_is_or_absent(entry, "alg", token_algorithm_text(kind->algorithm)))
                return false;
        if (!id_read(entry, &key.id))
                return false;
        key.algorithm = kind->algorithm;
        key.key = kind->read(entry);
        if (!key.key) {
                token_key_clear(&key);
                return false;
        }
        *ret_key = key;
        return true;
}

static void list_clear(struct key_list *list) {
        for (size_t i = 0; i < list->n; i++)
                token_key_clear(&list->keys[i]);
        list->n = 0;
}

/* With two keys of one name, a token could be checked with either. Keys of different types may share a name (RFC 7517,
 * section 4.5). Keys without a name are checked when a token needs one. */
static bool names_are_clear(const struct key_list *list) {
        for (size_t i = 0; i < list->n; i++)
                for (size_t other = 0; other < i; other++)
                        if (list->keys[i].id && list->keys[i].algorithm == list->keys[other].algorithm &&
                                text_equal(list->keys[i].id, list->keys[other].id))
                                return false;
        return true;
}

static const char *list_fill(const json_t *entries, struct key_list *list) {
        if (!json_is_array(entries))
                return "the document is not a JWKS";
        if (json_array_size(entries) > JWKS_KEYS_MAX)
                return "the document has more than 100 keys";
        for (size_t i = 0; i < json_array_size(entries); i++)
                if (entry_read(json_array_get(entries, i), &list->keys[list->n]))
                        list->n++;
        if (list->n == 0)
                return "the document has no usable key";
        if (!names_are_clear(list))
                return "the document has two keys of one name";
        return NULL;
}

static const char *document_read(const char *document, size_t size, struct key_list *list) {
        _cleanup_(json_cleanup) json_t *tree = NULL;

        if (size > JWKS_SIZE_MAX)
                return "the document is larger than 1 MiB";
        tree = json_loadb(document, size, JSON_REJECT_DUPLICATES, NULL);
        if (!tree)
                return "the document is not JSON";
        return list_fill(json_object_get(tree, "keys"), list);
}

bool token_keys_from_jwks(const char *document, size_t size, struct token_keys **ret_keys, const char **ret_reason) {
        _cleanup_(list_clear) struct key_list list = { .n = 0 };
        struct token_keys *keys = NULL;
        const char *reason;

        reason = document_read(document, size, &list);
        ERR_clear_error();
        if (!reason) {
                keys = token_keys_new(list.keys, list.n);
                reason = keys ? NULL : "there is no memory for the keys";
        }
        if (reason) {
                *ret_reason = reason;
                return false;
        }
        list.n = 0; /* the set owns them now */
        *ret_keys = keys;
        return true;
}
