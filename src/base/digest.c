#include "base/digest.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

DEFINE_CLEANUP(EVP_MD_CTX, context_cleanup, EVP_MD_CTX_free)

/* Fetched once: finding SHA-256 among OpenSSL's providers costs as much as a small digest. */
static EVP_MD *sha256;

static void sha256_fetch(void) {
        sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

struct digest_part digest_text(const char *text) {
        return (struct digest_part){ text, strlen(text) };
}

void digest_parts(const struct digest_part *parts, size_t n, uint8_t *ret_digest) {
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        _cleanup_(context_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
        int ok = pthread_once(&once, sha256_fetch) == 0 && sha256 && context &&
                 EVP_DigestInit_ex(context, sha256, NULL) == 1;

        for (size_t i = 0; ok && i < n; i++)
                ok = EVP_DigestUpdate(context, parts[i].bytes, parts[i].size) == 1 &&
                     EVP_DigestUpdate(context, "", 1) == 1;
        if (!ok || EVP_DigestFinal_ex(context, ret_digest, NULL) != 1)
                abort();
}
