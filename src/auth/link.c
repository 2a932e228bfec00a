#include "auth/link.h"

#include "base/text.h"

#include <string.h>
#include <sys/random.h>

#define TOKEN_BYTES ((size_t) 32)

static void link_digest(const char *token, uint8_t *ret_digest) {
        const struct digest_part part = digest_text(token);

        digest_parts(&part, 1, ret_digest);
}

void link_token_new(char *ret_token, uint8_t *ret_digest) {
        uint8_t bytes[TOKEN_BYTES];

        if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t) sizeof(bytes))
                abort();
        base64url_encode(bytes, sizeof(bytes), ret_token);
        link_digest(ret_token, ret_digest);
}

bool link_token_read(const char *text, uint8_t *ret_digest) {
        uint8_t bytes[TOKEN_BYTES + 1];
        size_t size = 0;

        if (strlen(text) != LINK_TOKEN_SIZE - 1 || !base64url_decode(text, LINK_TOKEN_SIZE - 1, bytes, &size) ||
                size != TOKEN_BYTES)
                return false;
        link_digest(text, ret_digest);
        return true;
}
