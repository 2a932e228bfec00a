/*
 * importing/encoding: bytes of a file as UTF-8.
 *
 * Windows-1252 holds ISO 8859-1. A half of a UTF-16 pair that stands alone becomes U+FFFD. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_OF_BYTE_MAX 3 /* bytes that one byte of Windows-1252 becomes at most */

enum import_encoding {
        ENCODING_AUTO, /* UTF-8, unless a byte order mark names another */
        ENCODING_UTF8,
        ENCODING_WINDOWS_1252,
        ENCODING_UTF16_LE, /* `utf-16` without a byte order mark */
        ENCODING_UTF16_BE,
};

#define ENCODING_NAMES "auto, utf-8, latin1, windows-1252 or utf-16"

/* By its name on the command line. */
bool encoding_named(const char *name, enum import_encoding *ret_encoding);

/* The encoding of the byte order mark that the bytes begin with, and its size. False: there is none. */
bool encoding_of_mark(const char *bytes, size_t size, enum import_encoding *ret_encoding, size_t *ret_size);

/* Windows-1252 to UTF-8; `out` has room for UTF8_OF_BYTE_MAX times the size. Returns the size of the UTF-8. */
size_t windows_1252_decode(const char *bytes, size_t size, char *out);

/* UTF-16 to UTF-8; `out` has room for 3 bytes for every 2, and 3 more. Half a character at the end is left, unless no
 * bytes follow (`last`). Returns the size of the UTF-8; *ret_used: bytes read. */
size_t utf16_decode(const char *bytes, size_t size, bool big_endian, bool last, char *out, size_t *ret_used);

/* The size in UTF-16 of UTF-8 that utf16_decode made. */
uint64_t utf16_size(const char *utf8, size_t size);
