/*
 * auth/signature: the check of a signature.
 *
 * The algorithm is the key's. Pure apart from OpenSSL; keys are only read, so any threads may share them.
 */
#pragma once

#include "auth/keys.h"

/* True when `signature` is the key's signature (RFC 7518, section 3; RFC 8037, section 3.1) of the message: 32 bytes of
 * HMAC compared in constant time, 64 bytes of r and s, or as many as the RSA modulus has. */
must_check bool token_signature_valid(
        const struct token_key *key, const void *message, size_t size, const uint8_t *signature, size_t signature_size);
