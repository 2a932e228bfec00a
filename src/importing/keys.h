/*
 * importing/keys: which keys a file has named already, and on which line.
 *
 * A key is kept as 64 bits of its SHA-256, so 100,000 lines take 4 MB; that two keys of a file share them does not
 * happen.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMPORT_KEYS_MAX ((size_t) 4 * 1024 * 1024)

struct import_seen_slot {
        uint64_t key; /* 0: free */
        size_t line;  /* 0: forgotten */
};

struct import_seen {
        struct import_seen_slot *slots;
        size_t n, capacity;
};

/* Keep the key (`second` may be ""), unless a line has named it before: *ret_line is that line, or 0. False when there
 * is no room: more than IMPORT_KEYS_MAX, or no memory. */
must_check bool import_seen(
        struct import_seen *seen, const char *first, const char *second, size_t line, size_t *ret_line);

bool import_has_seen(const struct import_seen *seen, const char *first, const char *second);

/* The line that named the key was refused, so the next one that does is the first. */
void import_unsee(struct import_seen *seen, const char *first, const char *second);

void import_seen_clear(struct import_seen *seen);

/* 64 bits of the digest of two texts; never 0. */
uint64_t import_key(const char *first, const char *second);
