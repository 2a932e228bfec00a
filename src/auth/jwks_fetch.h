/*
 * auth/jwks_fetch: the bytes of a JWKS document, out of a file or off the network.
 *
 * At most JWKS_SIZE_MAX bytes are read, and every wait has a limit. Reasons are static text without names, so that they
 * can be logged. Blocks: only for the thread of the token source.
 */
#pragma once

#include "base/clock.h"

#include <stdatomic.h>
#include <sys/types.h>
#include <time.h>

#define TOKEN_FETCH_CONNECT_TIMEOUT (3 * SECOND)
#define TOKEN_FETCH_TIMEOUT         (10 * SECOND)

struct token_document {
        char *bytes;
        size_t size;
};

static inline void token_document_clear(struct token_document *document) {
        free(document->bytes);
        *document = (struct token_document){ 0 };
}

/* A mark that changes when the file changes. All zero: there is no file. */
struct token_file_mark {
        dev_t device;
        ino_t inode;
        off_t size;
        struct timespec modified, changed;
};

/* The file's mark at this moment, symbolic links followed. */
struct token_file_mark token_file_mark(const char *path);
bool token_file_mark_equal(const struct token_file_mark *a, const struct token_file_mark *b);

/* Read a regular file. The caller frees the bytes. */
must_check bool token_document_read(const char *path, struct token_document *ret_document, const char **ret_reason);

/* Fetch by http or https, status 200 only, no redirects; broken off within about a second when `*abandon` turns true.
 * The caller frees the bytes and has called curl_global_init. */
must_check bool token_document_fetch(
        const char *url, const atomic_bool *abandon, struct token_document *ret_document, const char **ret_reason);
