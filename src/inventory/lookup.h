/*
 * inventory/lookup: stock figures read without a lock, for all queries of a batch at once.
 *
 * The queries of a batch name the rows they need (`lookup_want_...`), one trip reads them all (`lookup_read`), then
 * each query takes its part. Figures may lag an expiry by two seconds. A lookup lives in the arena of its batch; codes
 * that are named must outlive it, and naming one twice is fine.
 */
#pragma once

#include "inventory/inventory.h"

struct codes {
        const char **list;
        size_t n, capacity;
};

/* A row as read; the position of its location is set only for rows of a product at all locations. */
struct shelf {
        struct stock_row row;
        bool has_position;
        double latitude, longitude; /* degrees */
};

struct lookup {
        struct arena *arena;
        struct codes wanted_everywhere;
        struct stock_key *wanted_rows;
        size_t n_wanted_rows, wanted_rows_capacity;
        struct shelf *everywhere; /* all rows of some products, sorted by (sku, location) */
        size_t n_everywhere;
        struct shelf *rows; /* that were wanted by key, sorted by (sku, location) */
        size_t n_rows;
        bool exhausted; /* the arena is exhausted; shows at lookup_read */
};

void lookup_init(struct lookup *lookup, struct arena *arena);

/* Name the rows that must be read: those of a product everywhere, or one. */
void lookup_want_everywhere(struct lookup *lookup, const char *sku);
void lookup_want_row(struct lookup *lookup, const char *location, const char *sku);

/* Queue: read all of it. */
enum problem lookup_read(struct database *database, struct lookup *lookup);

/* The rows read: one row, or NULL when it does not exist; the rows of a product, by location. */
const struct shelf *lookup_row(const struct lookup *lookup, const char *location, const char *sku);
const struct shelf *lookup_everywhere(const struct lookup *lookup, const char *sku, size_t *ret_n);

/* Whether a product that was wanted everywhere exists; it may have no row. */
bool lookup_knows(const struct lookup *lookup, const char *sku);

/* Kilometres along the great circle between two points in degrees: haversine on a sphere of the Earth's mean radius
 * (6371.0088 km, IUGG), which is off by 0.5 % at most. Pure. */
double distance_km(double latitude, double longitude, double other_latitude, double other_longitude);
