#include "base/digest.h"

#include <openssl/evp.h>
#include <string.h>

DEFINE_CLEANUP(EVP_MD_CTX, context_cleanup, EVP_MD_CTX_free)

struct digest_part digest_text(const char *text) {
        return (struct digest_part){ text, strlen(text) };
}

void digest_parts(const struct digest_part *parts, size_t n, uint8_t *ret_digest) {
        _cleanup_(context_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
        int ok = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

        for (size_t i = 0; ok && i < n; i++)
                ok = EVP_DigestUpdate(context, parts[i].bytes, parts[i].size) == 1 &&
                     EVP_DigestUpdate(context, "", 1) == 1;
        if (!ok || EVP_DigestFinal_ex(context, ret_digest, NULL) != 1)
                abort();
}
