/*
 * catalog/upkeep: what the catalogue's own routes and the importer need to keep it.
 *
 * Records are replaced whole (PUT). All that was named is locked, decided upon record by record, so that a later call
 * of the batch sees what an earlier one has left, and saved once.
 */
#pragma once

#include "catalog/catalog.h"

/* ---- the place of a record, whether it exists or not; NULL when it was not named ---- */

struct channel *catalog_channel(const struct catalog_set *set, const char *code);
struct location *catalog_location(const struct catalog_set *set, const char *code);
struct product *catalog_product(const struct catalog_set *set, const char *sku);
struct listing *catalog_listing(const struct catalog_set *set, const char *channel, const char *sku);
