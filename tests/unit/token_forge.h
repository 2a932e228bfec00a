/*
 * token_forge: keys, key documents and tokens of every kind, good and bad, for the tests of the token part.
 *
 * Text lies in the arena; keys are freed by the caller (forge_key_cleanup). Failing to forge ends the test.
 */
#pragma once

#include "base/arena.h"
#include "base/clock.h"

#include <openssl/evp.h>

#define FORGE_NOW    ((timestamp) 1795255200 * SECOND) /* 2026-11-21T10:00:00Z */
#define FORGE_SECRET "0123456789abcdef0123456789abcdef"

/* Claims that pass without a policy: they expire ten minutes after FORGE_NOW. */
#define FORGE_CLAIMS "{\"sub\":\"anna\",\"exp\":1795255800}"

DEFINE_CLEANUP(EVP_PKEY, forge_key_cleanup, EVP_PKEY_free)

EVP_PKEY *forge_ed25519(void);
EVP_PKEY *forge_p256(void);
EVP_PKEY *forge_rsa(unsigned bits);

/* The public half as a JWK; `more` is appended as it stands, as in ",\"kid\":\"a\"". */
char *forge_jwk(struct arena *arena, const EVP_PKEY *key, const char *more);
char *forge_public_pem(struct arena *arena, EVP_PKEY *key);

/* A JWKS document of up to two JWKs; the second may be NULL. */
char *forge_jwks(struct arena *arena, const char *first, const char *second);

char *forge_base64url(struct arena *arena, const void *bytes, size_t size);

/* "header.payload", still unsigned; and tokens, signed as the algorithm of the key asks or with HS256. */
char *forge_unsigned(struct arena *arena, const char *header, const char *payload);
char *forge_token(struct arena *arena, EVP_PKEY *key, const char *header, const char *payload);
char *forge_token_with_secret(struct arena *arena, const char *secret, const char *header, const char *payload);

/* As forge_token for P-256, but with the signature as OpenSSL makes it. */
char *forge_token_with_der_signature(struct arena *arena, EVP_PKEY *key, const char *header, const char *payload);
