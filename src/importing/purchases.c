#include "importing/purchases.h"

#include "base/text.h"
#include "importing/keys.h"

#include <stdlib.h>

#define CAPACITY_FIRST 1024

#define MINUTE_DIGITS  12 /* of "2010-12-01 08:26" */

int64_t purchase_second(const char *placed_at) {
        int64_t second = 0;
        int digits = 0;

        for (; *placed_at; placed_at++)
                if (*placed_at >= '0' && *placed_at <= '9') {
                        second = 10 * second + (*placed_at - '0');
                        digits++;
                }
        return digits == MINUTE_DIGITS ? 100 * second : second;
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

/* By customer and SKU, then the newest first; of one second, the last of the file. */
static int purchase_compare(const void *left, const void *right) {
        const struct purchase *a = left, *b = right;

        if (a->key != b->key)
                return a->key < b->key ? -1 : 1;
        if (a->second != b->second)
                return a->second > b->second ? -1 : 1;
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

size_t purchases_take(struct purchases *purchases, const struct purchase_return *wanted,
        struct purchase_part parts[PURCHASE_PARTS_MAX], int64_t *ret_left) {
        const uint64_t key = import_key(wanted->customer, wanted->sku);
        int64_t units = wanted->units;
        size_t n = 0;

        if (!purchases->sorted && purchases->n)
                qsort(purchases->at, purchases->n, sizeof(*purchases->at), purchase_compare);
        purchases->sorted = true;
        for (int round = 0; round < 2; round++)
                for (size_t i = first_of(purchases, key); i < purchases->n && purchases->at[i].key == key; i++) {
                        struct purchase *purchase = &purchases->at[i];
                        const int64_t some = (int64_t) purchase->left < units ? (int64_t) purchase->left : units;

                        if (!some || purchase->second >= wanted->second ||
                                !text_equal(purchase->currency, wanted->currency) ||
                                (purchase->price == wanted->price) != (round == 0) || n == PURCHASE_PARTS_MAX)
                                continue;
                        purchase->left -= (uint32_t) some;
                        units -= some;
                        parts[n++] = (struct purchase_part){ purchase, some };
                }
        *ret_left = units;
        return n;
}
