/*
 * inventory/lists: pages of stock rows and of movements, read without a lock into the arena of their batch.
 */
#pragma once

#include "inventory/inventory.h"

struct stock_page {
        struct arena *arena;
        struct stock_row *rows;
        size_t n_rows;
};

/* Queue: rows of a location by SKU, after `after` (NULL: from the first). */
void stock_page_ask(
        struct database *database, struct stock_page *page, const char *location, const char *after, int64_t limit);

/* A row of the ledger, as it was recorded. */
struct ledger_row {
        const char *location, *sku; /* not read by ledger_page */
        int64_t number, on_hand_change, unsellable_change, on_hand_after, unsellable_after;
        const char *reason;
        const char *document;  /* may be NULL */
        const char *reference; /* may be NULL */
        const char *actor;
        timestamp recorded_at;
};

struct ledger_page {
        struct arena *arena;
        struct ledger_row *rows;
        size_t n_rows;
};

/* Queue: movements of a stock row, newest first, before number `before` (0: from the newest). */
void ledger_page_ask(struct database *database, struct ledger_page *page, const char *location, const char *sku,
        int64_t before, int64_t limit);
