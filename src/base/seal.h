/*
 * base/seal: secrets at rest, sealed with AES-256-GCM (NIST SP 800-38D).
 *
 * A sealed secret is text, for a column. Its first letter says whether it is sealed ("s") or, for want of a key, plain
 * ("p"). Behind an "s" stand eight digits that tell the key, so that a query finds the secrets of another key.
 * base64url follows: nonce, ciphertext and tag, or the secret. The seal covers a name, such as the id of the document:
 * a sealed secret that is copied to another document does not open there. The key is the SHA-256 of a text of any
 * length. Any thread.
 */
#pragma once

#include "base/arena.h"

#include <stdint.h>

#define SEAL_SECRET_MAX  ((size_t) 64 * 1024) /* bytes */
#define SEAL_PREFIX_SIZE 10                   /* with the NUL */

/* Seal `size` bytes, SEAL_SECRET_MAX at most. `key` NULL: they are kept plain. NULL without memory. */
must_check const char *seal_close(
        const char *key, const char *name, const uint8_t *secret, size_t size, struct arena *arena);

/* The secret, in the arena. False: another key or name, an altered text, it is sealed and there is no key, or no
 * memory. */
must_check bool seal_open(const char *key, const char *name, const char *sealed, struct arena *arena,
        const uint8_t **ret_secret, size_t *ret_size);

/* How every text begins that is sealed with this key; NULL: that is plain. */
void seal_prefix(const char *key, char prefix[SEAL_PREFIX_SIZE]);

/* Whether the text is a sealed secret, and not a plain one. */
bool seal_is_closed(const char *sealed);
