/*
 * catalog/columns: the columns of channels, locations, products, listings and slots (db/columns.h), for the room's
 * store.
 *
 * A row holds a record and the texts of members that the database stores in another form.
 */
#pragma once

#include "catalog/catalog.h"
#include "db/columns.h"

struct channel_row {
        struct channel channel;
        const char *return_policy, *notifications; /* JSON, here and below */
};

struct location_row {
        struct location location;
        const char *opening_hours, *closures, *cut_offs, *slots;
        int64_t lead_time_s, hold_for_s, cut_off;
};

struct product_row {
        struct product product;
        bool has_price;
        const char *price_currency, *return_policy;
};

struct listing_row {
        struct listing listing;
        bool has_price;
        const char *price_currency;
};

extern const struct columns channel_row_columns, listing_row_columns, location_row_columns, product_row_columns,
        slot_columns;
