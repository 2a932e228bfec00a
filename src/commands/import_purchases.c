#include "commands/import_purchases.h"

#include "commands/import_seen.h"

#include <stdlib.h>

#define CAPACITY_FIRST 1024

int64_t purchase_minute(const char *placed_at) {
        int64_t minute = 0;

        for (; *placed_at; placed_at++)
                if (*placed_at >= '0' && *placed_at <= '9')
                        minute = 10 * minute + (*placed_at - '0');
        return minute;
}

bool purchases_add(
        struct purchases *purchases, const char *customer, const char *sku, const struct purchase *purchase) {
        if (purchases->n == purchases->capacity) {
                const size_t capacity = purchases->capacity ? 2 * purchases->capacity : CAPACITY_FIRST;
                struct purchase *at = realloc(purchases->at, capacity * sizeof(*at));

                if (!at)
                        return false;
                purchases->at = at;
                purchases->capacity = capacity;
        }
        purchases->at[purchases->n] = *purchase;
        purchases->at[purchases->n++].key = import_key(customer, sku);
        purchases->sorted = false;
        return true;
}

void purchases_clear(struct purchases *purchases) {
        free(purchases->at);
        *purchases = (struct purchases){ 0 };
}

/* By customer and SKU, then the newest first; of one minute, the last of the file. */
static int purchase_compare(const void *left, const void *right) {
        const struct purchase *a = left, *b = right;

        if (a->key != b->key)
                return a->key < b->key ? -1 : 1;
        if (a->minute != b->minute)
                return a->minute > b->minute ? -1 : 1;
        return a->offset > b->offset ? -1 : a->offset < b->offset;
}

static size_t first_of(const struct purchases *purchases, uint64_t key) {
        size_t low = 0, high = purchases->n;

        while (low < high) {
                const size_t middle = low + (high - low) / 2;

                if (purchases->at[middle].key < key)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

size_t purchases_take(struct purchases *purchases, const char *customer, const char *sku, int64_t minute, int64_t price,
        int64_t units, struct purchase_part parts[PURCHASE_PARTS_MAX], int64_t *ret_left) {
        const uint64_t key = import_key(customer, sku);
        size_t n = 0;

        if (!purchases->sorted && purchases->n)
                qsort(purchases->at, purchases->n, sizeof(*purchases->at), purchase_compare);
        purchases->sorted = true;
        for (int round = 0; round < 2; round++)
                for (size_t i = first_of(purchases, key); i < purchases->n && purchases->at[i].key == key; i++) {
                        struct purchase *purchase = &purchases->at[i];
                        const int64_t some = (int64_t) purchase->left < units ? (int64_t) purchase->left : units;

                        if (!some || purchase->minute >= minute || (purchase->price == price) != (round == 0) ||
                                n == PURCHASE_PARTS_MAX)
                                continue;
                        purchase->left -= (uint32_t) some;
                        units -= some;
                        parts[n++] = (struct purchase_part){ purchase, some };
                }
        *ret_left = units;
        return n;
}
