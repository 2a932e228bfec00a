#include "auth/keys.h"

#include <openssl/crypto.h>

#include <stdatomic.h>
#include <string.h>

struct token_keys {
        atomic_uint references;
        uint64_t generation;
        size_t n;
        struct token_key keys[];
};

static const char *const algorithm_texts[] = {
#define X(name, text) [TOKEN_##name] = text,
        TOKEN_ALGORITHMS(X)
#undef X
};

bool token_algorithm_named(const char *text, enum token_algorithm *ret_algorithm) {
        for (size_t i = 0; i < array_size(algorithm_texts); i++)
                if (strcmp(text, algorithm_texts[i]) == 0) {
                        *ret_algorithm = (enum token_algorithm) i;
                        return true;
                }
        return false;
}

const char *token_algorithm_text(enum token_algorithm algorithm) {
        return algorithm_texts[algorithm];
}

void token_key_clear(struct token_key *key) {
        free(key->id);
        EVP_PKEY_free(key->key);
        if (key->secret)
                OPENSSL_cleanse(key->secret, key->secret_size);
        free(key->secret);
        *key = (struct token_key){ 0 };
}

struct token_keys *token_keys_new(const struct token_key *keys, size_t n) {
        struct token_keys *set = malloc(sizeof(*set) + n * sizeof(set->keys[0]));

        if (!set)
                return NULL;
        *set = (struct token_keys){ .n = n };
        atomic_init(&set->references, 1);
        for (size_t i = 0; i < n; i++)
                set->keys[i] = keys[i];
        return set;
}

static struct token_keys *set_of_secret(const void *secret, size_t size) {
        struct token_key key = { .algorithm = TOKEN_HS256, .secret = malloc(size), .secret_size = size };
        struct token_keys *keys = NULL;

        if (!key.secret)
                return NULL;
        memcpy(key.secret, secret, size);
        keys = token_keys_new(&key, 1);
        if (!keys)
                token_key_clear(&key);
        return keys;
}

bool token_keys_from_secret(const void *secret, size_t size, struct token_keys **ret_keys, const char **ret_reason) {
        struct token_keys *keys = NULL;

        if (size < TOKEN_SECRET_SIZE_MIN || size > TOKEN_SECRET_SIZE_MAX) {
                *ret_reason = "the secret is not 32 to 4096 bytes long";
                return false;
        }
        keys = set_of_secret(secret, size);
        if (!keys) {
                *ret_reason = "there is no memory for the secret";
                return false;
        }
        *ret_keys = keys;
        return true;
}

struct token_keys *token_keys_reference(struct token_keys *keys) {
        atomic_fetch_add_explicit(&keys->references, 1, memory_order_relaxed);
        return keys;
}

struct token_keys *token_keys_unref(struct token_keys *keys) {
        if (!keys || atomic_fetch_sub_explicit(&keys->references, 1, memory_order_acq_rel) > 1)
                return NULL;
        for (size_t i = 0; i < keys->n; i++)
                token_key_clear(&keys->keys[i]);
        free(keys);
        return NULL;
}

uint64_t token_keys_generation(const struct token_keys *keys) {
        return keys->generation;
}

void token_keys_set_generation(struct token_keys *keys, uint64_t generation) {
        keys->generation = generation;
}

size_t token_keys_count(const struct token_keys *keys) {
        return keys->n;
}

const struct token_key *token_keys_at(const struct token_keys *keys, size_t i) {
        return &keys->keys[i];
}
