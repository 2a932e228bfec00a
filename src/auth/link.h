/*
 * auth/link: the token in a customer's link: it opens one fulfillment and carries no data.
 *
 * 256 bits from the system's random source as base64url; stored only as its SHA-256, so that a reader of the database
 * cannot use it. Pure but for the random source; any thread.
 */
#pragma once

#include "base/digest.h"

#include <stdbool.h>

#define LINK_TOKEN_SIZE 44 /* 43 characters and the NUL */

/* A new token and its digest. The process ends when the machine has no randomness: no caller can go on without it. */
void link_token_new(char *ret_token, uint8_t *ret_digest);

/* Whether the text is a link's token, strictly as link_token_new writes one; then its digest. A JWT never is. */
must_check bool link_token_read(const char *text, uint8_t *ret_digest);
