#include "base/seal.h"

#include "base/digest.h"
#include "base/text.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define NONCE_SIZE ((size_t) 12)
#define TAG_SIZE   ((size_t) 16)
#define SEALED     's'
#define PLAIN      'p'

DEFINE_CLEANUP(EVP_CIPHER_CTX, cipher_cleanup, EVP_CIPHER_CTX_free)

static void seal_key(const char *key, uint8_t *ret_key) {
        const struct digest_part part = digest_text(key);

        digest_parts(&part, 1, ret_key);
}

/* nonce, ciphertext, tag */
static bool encrypt(const char *key, const char *name, const uint8_t *secret, size_t size, uint8_t *ret_raw) {
        _cleanup_(cipher_cleanup) EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
        uint8_t bytes[DIGEST_SIZE];
        int n = 0;

        seal_key(key, bytes);
        return cipher && getrandom(ret_raw, NONCE_SIZE, 0) == (ssize_t) NONCE_SIZE &&
               EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, bytes, ret_raw) == 1 &&
               EVP_EncryptUpdate(cipher, NULL, &n, (const uint8_t *) name, (int) strlen(name)) == 1 &&
               EVP_EncryptUpdate(cipher, ret_raw + NONCE_SIZE, &n, secret, (int) size) == 1 && n == (int) size &&
               EVP_EncryptFinal_ex(cipher, ret_raw + NONCE_SIZE + size, &n) == 1 &&
               EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, (int) TAG_SIZE, ret_raw + NONCE_SIZE + size) == 1;
}

static bool decrypt(const char *key, const char *name, uint8_t *raw, size_t size, uint8_t *ret_secret) {
        _cleanup_(cipher_cleanup) EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
        uint8_t bytes[DIGEST_SIZE], rest[TAG_SIZE];
        int n = 0;

        seal_key(key, bytes);
        return cipher && EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, bytes, raw) == 1 &&
               EVP_DecryptUpdate(cipher, NULL, &n, (const uint8_t *) name, (int) strlen(name)) == 1 &&
               EVP_DecryptUpdate(cipher, ret_secret, &n, raw + NONCE_SIZE, (int) size) == 1 &&
               EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, (int) TAG_SIZE, raw + NONCE_SIZE + size) == 1 &&
               EVP_DecryptFinal_ex(cipher, rest, &n) == 1;
}

/* The digits are of a digest of the digest, so that they tell nothing of the bytes that encrypt. */
void seal_prefix(const char *key, char prefix[SEAL_PREFIX_SIZE]) {
        uint8_t bytes[DIGEST_SIZE];
        uint32_t digits;

        if (!key) {
                (void) snprintf(prefix, SEAL_PREFIX_SIZE, "%c", PLAIN);
                return;
        }
        seal_key(key, bytes);
        digest_parts(&(const struct digest_part){ bytes, sizeof(bytes) }, 1, bytes);
        memcpy(&digits, bytes, sizeof(digits));
        (void) snprintf(prefix, SEAL_PREFIX_SIZE, "%c%08" PRIx32, SEALED, digits);
}

/* `size` bytes in base64url, without padding. */
static size_t text_size_of(size_t size) {
        return (size * 4 + 2) / 3;
}

const char *seal_close(const char *key, const char *name, const uint8_t *secret, size_t size, struct arena *arena) {
        const size_t raw_size = key ? NONCE_SIZE + size + TAG_SIZE : size;
        char prefix[SEAL_PREFIX_SIZE], *text;
        uint8_t *raw;

        if (size > SEAL_SECRET_MAX)
                return NULL;
        raw = arena_alloc(arena, raw_size + 1);
        text = arena_alloc(arena, SEAL_PREFIX_SIZE + text_size_of(raw_size));
        if (!raw || !text || (key && !encrypt(key, name, secret, size, raw)))
                return NULL;
        seal_prefix(key, prefix);
        (void) snprintf(text, SEAL_PREFIX_SIZE, "%s", prefix);
        base64url_encode(key ? raw : secret, raw_size, text + strlen(prefix));
        return text;
}

/* The bytes that the text has behind its prefix. */
static uint8_t *raw_read(const char *text, struct arena *arena, size_t *ret_size) {
        const size_t size = strlen(text), most = text_size_of(NONCE_SIZE + SEAL_SECRET_MAX + TAG_SIZE);
        uint8_t *raw = size && size <= most ? arena_alloc(arena, size) : NULL;

        return raw && base64url_decode(text, size, raw, ret_size) ? raw : NULL;
}

bool seal_open(const char *key, const char *name, const char *sealed, struct arena *arena, const uint8_t **ret_secret,
        size_t *ret_size) {
        char prefix[SEAL_PREFIX_SIZE];
        uint8_t *raw, *secret;
        size_t size = 0;

        seal_prefix(sealed[0] == PLAIN ? NULL : key, prefix);
        if (!text_starts_with(sealed, prefix))
                return false;
        raw = raw_read(sealed + strlen(prefix), arena, &size);
        if (!raw)
                return false;
        if (prefix[0] == PLAIN) {
                *ret_secret = raw;
                *ret_size = size;
                return size <= SEAL_SECRET_MAX;
        }
        if (size < NONCE_SIZE + TAG_SIZE)
                return false;
        size -= NONCE_SIZE + TAG_SIZE;
        secret = arena_alloc(arena, size + 1);
        if (!secret || !decrypt(key, name, raw, size, secret))
                return false;
        *ret_secret = secret;
        *ret_size = size;
        return true;
}

bool seal_is_closed(const char *sealed) {
        return sealed[0] == SEALED;
}
