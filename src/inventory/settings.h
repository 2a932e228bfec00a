/*
 * inventory/settings: the safety stock of rows, which clients set.
 *
 * A set works like the `stock` set: name the rows, lock or read them all in one statement, decide, save once.
 */
#pragma once

#include "catalog/catalog.h"
#include "inventory/inventory.h"

#define SAFETY_STOCK_MAX INT64_C(1000000000)

struct stock_setting {
        struct record record;     /* of the safety stock: movements do not raise its version */
        struct stock_row figures; /* `exists` as found; safety_stock as decided so far */
};

struct stock_settings {
        struct arena *arena;
        struct stock_key *wanted;
        size_t n_wanted, capacity;
        struct stock_setting *rows; /* sorted by (location, sku) */
        size_t n_rows;
        bool exhausted; /* the arena is exhausted; shows at stock_settings_lock and _read */
};

void stock_settings_init(struct stock_settings *settings, struct arena *arena);
void stock_settings_want(struct stock_settings *settings, const char *location, const char *sku);

/* Queue: lock or only read the rows, and read whether location and product of missing rows exist. */
enum problem stock_settings_lock(struct database *database, struct stock_settings *settings);
enum problem stock_settings_read(struct database *database, struct stock_settings *settings);

/* The row that was named, or NULL when it was not. */
struct stock_setting *stock_setting_find(const struct stock_settings *settings, const char *location, const char *sku);

/* Queue: insert the new and update the changed ones. */
enum problem stock_settings_save(struct database *database, const struct stock_settings *settings);
