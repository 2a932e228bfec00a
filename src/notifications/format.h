/*
 * notifications/format: amounts and times as readers of a locale write them.
 *
 * English and German are known by language and country ("en-US", "de-AT"). Readers of other locales get ISO 4217 codes
 * and ISO 8601 times, which everybody can read. Pure; text lives in the arena, NULL without memory.
 */
#pragma once

#include "base/money.h"
#include "catalog/promise.h"

struct arena;

/* 199900 EUR: "€1,999.00" in English, "1.999,00 €" in German, "1999.00 EUR" otherwise. */
const char *amount_format(int64_t amount, const char *currency, const char *locale, struct arena *arena);

/* "Saturday, 21 November 2026, 11:15", "Samstag, 21. November 2026, 11:15 Uhr" or "2026-11-21 11:15", in the zone.
 * TIMESTAMP_NONE: NULL. */
const char *time_format(timestamp instant, const struct zone *zone, const char *locale, struct arena *arena);
