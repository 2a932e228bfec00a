/*
 * base/digest: SHA-256 (FIPS 180-4) over several parts.
 */
#pragma once

#include "base/cleanup.h"

#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE 32

struct digest_part {
        const void *bytes;
        size_t size;
};

/* Digest of the parts, each followed by a NUL; only the last part may contain NULs, so that different lists of parts
 * never have the same bytes. The process aborts when the machine cannot compute the digest (no memory): no caller can
 * go on without it. */
void digest_parts(const struct digest_part *parts, size_t n, uint8_t *ret_digest);

/* NUL-terminated text as a part. */
struct digest_part digest_text(const char *text);
