#include "token_forge.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <string.h>

#define SIGNATURE_MAX 1024

struct signature {
        uint8_t bytes[SIGNATURE_MAX];
        size_t size;
};

EVP_PKEY *forge_ed25519(void) {
        EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

        cr_assert_not_null(key);
        return key;
}

EVP_PKEY *forge_p256(void) {
        EVP_PKEY *key = EVP_EC_gen("P-256");

        cr_assert_not_null(key);
        return key;
}

EVP_PKEY *forge_rsa(unsigned bits) {
        EVP_PKEY *key = EVP_RSA_gen(bits);

        cr_assert_not_null(key);
        return key;
}

char *forge_base64url(struct arena *arena, const void *bytes, size_t size) {
        char *text = arena_alloc(arena, (size * 4 + 2) / 3 + 1);

        cr_assert_not_null(text);
        base64url_encode(bytes, size, text);
        return text;
}

/* `size` 0: as many bytes as the number has. */
static char *number_text(struct arena *arena, const EVP_PKEY *key, const char *name, size_t size) {
        uint8_t bytes[SIGNATURE_MAX];
        BIGNUM *number = NULL;

        cr_assert_eq(EVP_PKEY_get_bn_param(key, name, &number), 1);
        if (size == 0)
                size = (size_t) BN_num_bytes(number);
        cr_assert_eq(BN_bn2binpad(number, bytes, (int) size), (int) size);
        BN_free(number);
        return forge_base64url(arena, bytes, size);
}

static char *ed25519_text(struct arena *arena, const EVP_PKEY *key) {
        uint8_t bytes[32];
        size_t size = sizeof(bytes);

        cr_assert_eq(EVP_PKEY_get_raw_public_key(key, bytes, &size), 1);
        return forge_base64url(arena, bytes, size);
}

char *forge_jwk(struct arena *arena, const EVP_PKEY *key, const char *more) {
        if (EVP_PKEY_is_a(key, "RSA"))
                return arena_format(arena, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s}",
                        number_text(arena, key, OSSL_PKEY_PARAM_RSA_N, 0),
                        number_text(arena, key, OSSL_PKEY_PARAM_RSA_E, 0), more);
        if (EVP_PKEY_is_a(key, "EC"))
                return arena_format(arena, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"%s}",
                        number_text(arena, key, OSSL_PKEY_PARAM_EC_PUB_X, 32),
                        number_text(arena, key, OSSL_PKEY_PARAM_EC_PUB_Y, 32), more);
        return arena_format(
                arena, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"%s}", ed25519_text(arena, key), more);
}

char *forge_public_pem(struct arena *arena, EVP_PKEY *key) {
        BIO *memory = BIO_new(BIO_s_mem());
        char *bytes = NULL, *text = NULL;
        long size;

        cr_assert_eq(PEM_write_bio_PUBKEY(memory, key), 1);
        size = BIO_get_mem_data(memory, &bytes);
        text = arena_text_sized(arena, bytes, (size_t) size);
        (void) BIO_free(memory);
        return text;
}

char *forge_jwks(struct arena *arena, const char *first, const char *second) {
        if (!second)
                return arena_format(arena, "{\"keys\":[%s]}", first);
        return arena_format(arena, "{\"keys\":[%s,%s]}", first, second);
}

char *forge_unsigned(struct arena *arena, const char *header, const char *payload) {
        return arena_format(arena, "%s.%s", forge_base64url(arena, header, strlen(header)),
                forge_base64url(arena, payload, strlen(payload)));
}

static char *token_join(struct arena *arena, const char *text, const struct signature *signature) {
        return arena_format(arena, "%s.%s", text, forge_base64url(arena, signature->bytes, signature->size));
}

static void sign(EVP_PKEY *key, const char *text, struct signature *ret_signature) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        const EVP_MD *digest = EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();

        ret_signature->size = sizeof(ret_signature->bytes);
        cr_assert_eq(EVP_DigestSignInit(context, NULL, digest, NULL, key), 1);
        cr_assert_eq(EVP_DigestSign(
                             context, ret_signature->bytes, &ret_signature->size, (const uint8_t *) text, strlen(text)),
                1);
        EVP_MD_CTX_free(context);
}

static void der_to_pair(struct signature *signature) {
        const uint8_t *der = signature->bytes;
        ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long) signature->size);

        cr_assert_not_null(pair);
        cr_assert_eq(BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature->bytes, 32), 32);
        cr_assert_eq(BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature->bytes + 32, 32), 32);
        signature->size = 64;
        ECDSA_SIG_free(pair);
}

char *forge_token(struct arena *arena, EVP_PKEY *key, const char *header, const char *payload) {
        const char *text = forge_unsigned(arena, header, payload);
        struct signature signature;

        sign(key, text, &signature);
        if (EVP_PKEY_is_a(key, "EC"))
                der_to_pair(&signature);
        return token_join(arena, text, &signature);
}

char *forge_token_with_der_signature(struct arena *arena, EVP_PKEY *key, const char *header, const char *payload) {
        const char *text = forge_unsigned(arena, header, payload);
        struct signature signature;

        sign(key, text, &signature);
        return token_join(arena, text, &signature);
}

char *forge_token_with_secret(struct arena *arena, const char *secret, const char *header, const char *payload) {
        const char *text = forge_unsigned(arena, header, payload);
        struct signature signature;
        unsigned size = 0;

        cr_assert_not_null(HMAC(EVP_sha256(), secret, (int) strlen(secret), (const uint8_t *) text, strlen(text),
                signature.bytes, &size));
        signature.size = size;
        return token_join(arena, text, &signature);
}
