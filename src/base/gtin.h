/*
 * base/gtin: Global Trade Item Numbers (GS1 General Specifications, section 7.9: check digit).
 *
 * A GTIN has 8, 12, 13 or 14 digits and ends with a mod-10 check digit (from the right of the body, weights 3,1,3,...).
 * It is stored padded with zeros to 14 digits.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>

#define GTIN_SIZE 15 /* 14 digits and the NUL */

/* Check length, digits and check digit, and pad to 14. */
must_check bool gtin_parse(const char *text, char *ret_gtin);

/* A GS1 Digital Link URI ("https://any.host/01/09521234543213?10=AB"): the GTIN after the "/01/" (or "/gtin/") path
 * key, checked as above. Any host, any path before it, http or https. */
must_check bool gtin_from_digital_link(const char *uri, char *ret_gtin);

/* Whether a text that both refuse is a GTIN, alone or in a link, with only its check digit wrong. */
must_check bool gtin_is_mistyped(const char *text);
