#include "auth/signature.h"

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>

#define HMAC_SIZE       32
#define ECDSA_HALF_SIZE 32
#define ECDSA_DER_MAX   72 /* two INTEGERs of up to 33 bytes in a SEQUENCE */

DEFINE_CLEANUP(BIGNUM, number_cleanup, BN_free)
DEFINE_CLEANUP(ECDSA_SIG, pair_cleanup, ECDSA_SIG_free)
DEFINE_CLEANUP(EVP_MD_CTX, context_cleanup, EVP_MD_CTX_free)

static bool hmac_valid(const struct token_key *key, const void *message, size_t size, const uint8_t *signature,
        size_t signature_size) {
        uint8_t expected[EVP_MAX_MD_SIZE];
        unsigned expected_size = 0;

        if (signature_size != HMAC_SIZE || !key->secret)
                return false;
        if (!HMAC(EVP_sha256(), key->secret, (int) key->secret_size, message, size, expected, &expected_size))
                return false;
        return expected_size == HMAC_SIZE && CRYPTO_memcmp(expected, signature, HMAC_SIZE) == 0;
}

static bool public_key_valid(const struct token_key *key, const EVP_MD *digest, const void *message, size_t size,
        const uint8_t *signature, size_t signature_size) {
        _cleanup_(context_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();

        if (!context || !key->key)
                return false;
        if (EVP_DigestVerifyInit(context, NULL, digest, NULL, key->key) != 1)
                return false;
        return EVP_DigestVerify(context, signature, signature_size, message, size) == 1;
}

/* JWS has r and s as 32 bytes each, OpenSSL wants them in DER. Returns the size, 0 on failure. */
static size_t pair_to_der(const uint8_t *signature, uint8_t *der) {
        _cleanup_(pair_cleanup) ECDSA_SIG *pair = ECDSA_SIG_new();
        _cleanup_(number_cleanup) BIGNUM *r = BN_bin2bn(signature, ECDSA_HALF_SIZE, NULL);
        _cleanup_(number_cleanup) BIGNUM *s = BN_bin2bn(signature + ECDSA_HALF_SIZE, ECDSA_HALF_SIZE, NULL);
        uint8_t *end = der;
        int size;

        if (!pair || !r || !s)
                return 0;
        if (ECDSA_SIG_set0(pair, r, s) != 1)
                return 0;
        r = NULL;
        s = NULL;
        size = i2d_ECDSA_SIG(pair, &end);
        return size > 0 ? (size_t) size : 0;
}

static bool ecdsa_valid(const struct token_key *key, const void *message, size_t size, const uint8_t *signature,
        size_t signature_size) {
        uint8_t der[ECDSA_DER_MAX];
        size_t der_size;

        if (signature_size != (size_t) 2 * ECDSA_HALF_SIZE)
                return false;
        der_size = pair_to_der(signature, der);
        if (der_size == 0)
                return false;
        return public_key_valid(key, EVP_sha256(), message, size, der, der_size);
}

static bool signature_valid(const struct token_key *key, const void *message, size_t size, const uint8_t *signature,
        size_t signature_size) {
        switch (key->algorithm) {
        case TOKEN_EDDSA:
                return public_key_valid(key, /* digest= */ NULL, message, size, signature, signature_size);
        case TOKEN_ES256:
                return ecdsa_valid(key, message, size, signature, signature_size);
        case TOKEN_HS256:
                return hmac_valid(key, message, size, signature, signature_size);
        case TOKEN_RS256:
                return public_key_valid(key, EVP_sha256(), message, size, signature, signature_size);
        }
        return false;
}

bool token_signature_valid(const struct token_key *key, const void *message, size_t size, const uint8_t *signature,
        size_t signature_size) {
        const bool valid = signature_valid(key, message, size, signature, signature_size);

        /* OpenSSL queues its errors by thread, and the next user of the thread would read them as its own. */
        if (!valid)
                ERR_clear_error();
        return valid;
}
