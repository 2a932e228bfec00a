/*
 * auth/keys: an immutable set of keys that verify tokens.
 *
 * A set holds either one HS256 secret or public keys, never both, so a public key can never be taken for a secret.
 * Each key names the one algorithm it is used for. Sets are counted references and may be shared by any threads. The
 * owner of a reference may read the keys until it gives the reference back.
 */
#pragma once

#include "base/cleanup.h"

#include <openssl/evp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_SECRET_SIZE_MIN 32 /* bytes; RFC 7518, section 3.2 */
#define TOKEN_SECRET_SIZE_MAX 4096

/* Name and text in `alg`. Sorted. */
#define TOKEN_ALGORITHMS(X)                                                                                            \
        X(EDDSA, "EdDSA") /* Ed25519 only */                                                                           \
        X(ES256, "ES256")                                                                                              \
        X(HS256, "HS256")                                                                                              \
        X(RS256, "RS256")

enum token_algorithm {
#define X(name, text) TOKEN_##name,
        TOKEN_ALGORITHMS(X)
#undef X
};

/* One key. A public key has `key`, a secret has `secret`. */
struct token_key {
        char *id; /* NULL: it has no name */
        enum token_algorithm algorithm;
        EVP_PKEY *key;
        uint8_t *secret;
        size_t secret_size;
};

struct token_keys;

/* Free the memory of the key; a secret is wiped. */
void token_key_clear(struct token_key *key);

/* The algorithm of that exact text, case included (RFC 7515, section 4.1.1). */
must_check bool token_algorithm_named(const char *text, enum token_algorithm *ret_algorithm);
const char *token_algorithm_text(enum token_algorithm algorithm);

/* A set of one HS256 secret, which is copied. False with a reason when it is too short or too long. */
must_check bool token_keys_from_secret(
        const void *secret, size_t size, struct token_keys **ret_keys, const char **ret_reason);

/* A set of the given keys, whose contents it takes over on success; `n` may be 0: such a set is in force until the
 * first document has been read. NULL without memory. */
must_check struct token_keys *token_keys_new(const struct token_key *keys, size_t n);

struct token_keys *token_keys_reference(struct token_keys *keys);

/* Give a reference back (NULL is fine); the last one frees the set and wipes a secret. Returns NULL. */
struct token_keys *token_keys_unref(struct token_keys *keys);
DEFINE_CLEANUP(struct token_keys, token_keys_cleanup, token_keys_unref)

/* The number of the set; a higher one is newer. A token verified with another set must be verified again. Set once, by
 * the owner, before the set is shared. */
uint64_t token_keys_generation(const struct token_keys *keys);
void token_keys_set_generation(struct token_keys *keys, uint64_t generation);

size_t token_keys_count(const struct token_keys *keys);
const struct token_key *token_keys_at(const struct token_keys *keys, size_t i);
