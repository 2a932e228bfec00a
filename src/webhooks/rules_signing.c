/* Signatures by Standard Webhooks 1.0.0. Pure. */
#include "base/seal.h"
#include "webhooks/webhooks.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define PREFIX      "whsec_"
#define VERSION     "v1,"
#define HEAD_SIZE   (UUID_TEXT_SIZE + 64)
#define SHA256_SIZE ((size_t) 32)

DEFINE_CLEANUP(EVP_MD_CTX, context_cleanup, EVP_MD_CTX_free)
DEFINE_CLEANUP(EVP_PKEY, key_cleanup, EVP_PKEY_free)

void webhook_secret_format(const uint8_t secret[WEBHOOK_SECRET_SIZE], char text[WEBHOOK_SECRET_TEXT_SIZE]) {
        memcpy(text, PREFIX, sizeof(PREFIX) - 1);
        (void) EVP_EncodeBlock((uint8_t *) text + sizeof(PREFIX) - 1, secret, (int) WEBHOOK_SECRET_SIZE);
}

/* The signed bytes: head and body. */
static bool signature_make(
        EVP_MD_CTX *context, EVP_PKEY *key, const char *head, const char *body, size_t body_size, uint8_t *ret_mac) {
        size_t size = SHA256_SIZE;

        return context && key && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
               EVP_DigestSignUpdate(context, head, strlen(head)) == 1 &&
               EVP_DigestSignUpdate(context, body, body_size) == 1 &&
               EVP_DigestSignFinal(context, ret_mac, &size) == 1 && size == SHA256_SIZE;
}

bool webhook_sign(const uint8_t *secret, size_t secret_size, const char *id, int64_t seconds, const char *body,
        size_t body_size, char text[WEBHOOK_SIGNATURE_SIZE]) {
        _cleanup_(context_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
        _cleanup_(key_cleanup) EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, secret, secret_size);
        uint8_t mac[SHA256_SIZE];
        char head[HEAD_SIZE];

        if (snprintf(head, sizeof(head), "%s.%" PRId64 ".", id, seconds) >= (int) sizeof(head) ||
                !signature_make(context, key, head, body, body_size, mac))
                return false;
        memcpy(text, VERSION, sizeof(VERSION) - 1);
        (void) EVP_EncodeBlock((uint8_t *) text + sizeof(VERSION) - 1, mac, (int) sizeof(mac));
        return true;
}

bool webhook_secret_open(const struct sealing_keys *keys, const struct uuid *id, const char *sealed,
        struct arena *arena, uint8_t ret_secret[WEBHOOK_SECRET_SIZE]) {
        const uint8_t *secret = NULL;
        char name[UUID_TEXT_SIZE];
        size_t size = 0;

        uuid_format(id, name);
        if ((!seal_open(keys->now, name, sealed, arena, &secret, &size) &&
                    !seal_open(keys->before, name, sealed, arena, &secret, &size)) ||
                size != WEBHOOK_SECRET_SIZE)
                return false;
        memcpy(ret_secret, secret, size);
        return true;
}

const char *webhook_secret_reseal(
        const struct sealing_keys *keys, const struct uuid *id, const char *sealed, struct arena *arena) {
        uint8_t secret[WEBHOOK_SECRET_SIZE];
        char name[UUID_TEXT_SIZE];

        uuid_format(id, name);
        return webhook_secret_open(keys, id, sealed, arena, secret)
                       ? seal_close(keys->now, name, secret, sizeof(secret), arena)
                       : NULL;
}
