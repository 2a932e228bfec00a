/*
 * auth/link: the token in a customer's link, which opens one thing and says nothing.
 *
 * 256 bits from the system's random source as base64url; kept as its SHA-256 only, so that who reads the database opens
 * nothing. Pure but for the random source; any thread.
 */
#pragma once

#include "base/digest.h"

#include <stdbool.h>

#define LINK_TOKEN_SIZE 44 /* 43 characters and the NUL */

/* A new token and its digest. The process ends when the machine has no randomness: there is no answer without it. */
void link_token_new(char *ret_token, uint8_t *ret_digest);

/* Whether the text is a link's token, strictly as link_token_new writes one; then its digest. A JWT never is. */
must_check bool link_token_read(const char *text, uint8_t *ret_digest);
