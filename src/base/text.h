/*
 * base/text: checks and conversions of text. Text is NUL-terminated UTF-8 unless a size is named.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool text_equal(const char *a, const char *b); /* NULL equals only NULL */
bool text_starts_with(const char *text, const char *prefix);

/* Where the text stands on a list that NULL ends; -1: it does not, as NULL never does. */
int text_index(const char *const *list, const char *text);

/* The next part of a list in one text; false at its end. `rest` begins with the list (NULL: an empty one) and moves
 * behind the part and its separator. */
bool text_next_part(const char **rest, char separator, const char **ret_part, size_t *ret_size);

/* Valid UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF, no NUL. */
bool text_is_utf8(const char *text, size_t size);

/* Bytes of the valid UTF-8 sequence that `text` begins with, or 0 when there is none (a NUL is none either). */
size_t text_utf8_size(const char *text, size_t size);

/* Code points in valid UTF-8, as JSON Schema's maxLength counts them. */
size_t text_code_points(const char *text);

/* Replace by '?', in place, all that must not reach a terminal: control characters (C0, DEL and C1), separators of
 * lines and paragraphs, marks that change the direction of text, and bytes that are no UTF-8. */
void text_make_printable(char *text);

/* A retailer's own code for a product, location or channel: 1 to 64 of [A-Za-z0-9._~:+@-], the first one a letter
 * or digit. Such a code needs no escaping in a path and sorts in C as `text collate "C"` does in SQL. */
#define CODE_SIZE_MAX 64
#define CODE_RULE     "1 to 64 of A-Z a-z 0-9 . _ ~ : + @ -, the first a letter or digit"
bool text_is_code(const char *text);

/* The escape that JSON demands for this byte, NUL-terminated in `escape` of JSON_ESCAPE_SIZE bytes; false, and nothing
 * written, when the byte stands for itself (bytes of longer UTF-8 sequences do). */
#define JSON_ESCAPE_SIZE 7
bool text_json_escape(char byte, char *escape);

/* How many bytes at the start of the text are ASCII and stand for themselves in a JSON string: most of all text. */
size_t text_json_plain(const char *text);

/* Digits with an optional "-", in the range, and nothing else. */
must_check bool text_to_integer(const char *text, int64_t minimum, int64_t maximum, int64_t *ret_integer);

/* A decimal number with optional sign, fraction and exponent, finite, in the C locale, and nothing else; digits stand
 * on both sides of the point. */
must_check bool text_to_number(const char *text, double *ret_number);

/* "host:port", "[host]:port" or ":port" into its parts; false when the host is too long or holds white space, or the
 * port is none of 0 to 65535 in at most five digits. */
#define HOST_SIZE_MAX 256
#define PORT_SIZE_MAX 6
must_check bool text_split_address(const char *address, char host[HOST_SIZE_MAX], char port[PORT_SIZE_MAX]);

/* An origin as browsers write it (RFC 6454, section 6.2): scheme://host or scheme://host:port in small letters, the
 * port only when it is not the scheme's own, and nothing behind it. */
bool text_is_origin(const char *text, size_t size);

/* Percent-decode in place: %XX only ("+" stays). False for a broken escape, for %00 and for text that is not UTF-8
 * afterwards; `text` is then undefined. Without `allow_slash`, %2F and %5C are refused too, because they would change
 * how a path splits. */
must_check bool text_percent_decode(char *text, bool allow_slash);

/* base64url without padding (RFC 4648, section 5), strict: no padding, no white space, no bits left over.
 * `bytes` has room for text_size * 3 / 4. */
must_check bool base64url_decode(const char *text, size_t text_size, uint8_t *bytes, size_t *ret_size);
/* `text` has room for (size * 4 + 2) / 3 and the NUL. */
void base64url_encode(const uint8_t *bytes, size_t size, char *text);

/* The candidate nearest to `word` by edit distance (the first of equals), or NULL when none is near: for "did you
 * mean". Near is at most one slip in three bytes of the longer one; words above 64 bytes are near nothing. */
const char *text_nearest(const char *word, const char *const *candidates, size_t n);
