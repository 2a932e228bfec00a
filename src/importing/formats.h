/*
 * importing/formats: the maps that come with the program, made from importing/formats/ by its embed.py.
 */
#pragma once

#include <stddef.h>

/* Sorted; each is a file importing/formats/NAME.map. */
#define IMPORT_FORMAT_NAMES                                                                                            \
        "amazon, google-business, lightspeed, magento, odoo, prestashop, shopify, square or woocommerce"

struct import_format {
        const char *name;
        const char *text; /* sections, each begun by `format NAME KIND` */
};

extern const struct import_format import_formats[];
extern const size_t import_format_count;
