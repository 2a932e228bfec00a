/*
 * auth/jwks: a JWKS document (RFC 7517, RFC 7518 section 6, RFC 8037) becomes a key set.
 *
 * Only keys for verification are taken: RSA for RS256, P-256 for ES256, Ed25519 for EdDSA. Symmetric keys are never
 * read from a document. Pure apart from OpenSSL; any thread.
 */
#pragma once

#include "auth/keys.h"

#define JWKS_SIZE_MAX ((size_t) 1024 * 1024) /* bytes of a document */
#define JWKS_KEYS_MAX ((size_t) 100)         /* entries of a document, usable or not */
#define RSA_BITS_MIN  2048                   /* RFC 7518, section 3.3 */
#define RSA_BITS_MAX  8192                   /* a larger one costs milliseconds for each token */

/* Read a document. Entries for another use, of another type or algorithm, and weak or broken ones are passed over;
 * `alg` may be absent, as its type decides. False, with a reason that is static text, when the document is past a
 * limit, is not a JWKS, gives two usable keys of one algorithm the same name, or has no usable key. */
must_check bool token_keys_from_jwks(
        const char *document, size_t size, struct token_keys **ret_keys, const char **ret_reason);
