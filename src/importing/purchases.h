/*
 * importing/purchases: purchases of the customers of a file, and the units of them that have come back.
 *
 * Goods that come back are set against the customer's own earlier purchases of the SKU, never more than was bought and
 * has not come back before. Those at the price that was given back come first, because it says which purchase is meant;
 * among them the newest, because people bring back what they have just bought. Purchases without a customer, or in
 * another currency, are never used. 56 bytes for each line that was bought. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct purchase {
        uint64_t key;    /* of customer and SKU */
        int64_t second;  /* in which it was made: counts only to compare */
        uint64_t offset; /* of its line in the file */
        int64_t price;   /* minor units, for one */
        uint32_t bought, left;
        char currency[4];
};

struct purchases {
        struct purchase *at;
        size_t n, capacity;
        bool sorted;
};

/* "2010-12-01 08:26", with or without seconds, to a number that grows with time. */
int64_t purchase_second(const char *placed_at);

/* Keep a line that was bought. False without memory. */
bool purchases_add(struct purchases *purchases, const char *customer, const char *sku, const struct purchase *purchase);
void purchases_clear(struct purchases *purchases);

/* Units of one purchase that come back. */
struct purchase_part {
        const struct purchase *purchase;
        int64_t units;
};

#define PURCHASE_PARTS_MAX 64 /* purchases that one line of a return is set against */

/* Units that come back. */
struct purchase_return {
        const char *customer, *sku, *currency;
        int64_t second, price, units;
};

/* Set returned units against earlier purchases; returns the number of parts. Units without a purchase stay in
 * *ret_left.
 */
size_t purchases_take(struct purchases *purchases, const struct purchase_return *wanted,
        struct purchase_part parts[PURCHASE_PARTS_MAX], int64_t *ret_left);
