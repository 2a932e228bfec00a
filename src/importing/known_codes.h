/*
 * importing/known_codes: which codes of a file stand in the catalogue.
 *
 * Each code is asked for once. Kept as digests, as in import_seen.
 */
#pragma once

#include "importing/client.h"
#include "importing/keys.h"

struct import_catalog {
        struct import_seen there, missing;
};

/* Whether it is a product. EXIT_OK, or an exit code after complaining. */
int import_catalog_has(struct import_catalog *catalog, struct importer *importer, const char *sku, bool *ret_has);
void import_catalog_clear(struct import_catalog *catalog);
