/*
 * base/country: the countries of ISO 3166-1.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>

/* Whether the text is an officially assigned alpha-2 code, in upper case. */
bool country_exists(const char *code);
