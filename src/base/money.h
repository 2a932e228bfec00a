/*
 * base/money: amounts in minor units with their ISO 4217 currency.
 *
 * Never a float. An amount stays within +-(2^53 - 1), so that every JSON reader keeps it exact; sums are checked.
 * Shares are dealt by the largest remainder, so that they add up to the last cent.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MONEY_MAXIMUM ((INT64_C(1) << 53) - 1)

struct money {
        int64_t amount;   /* minor units: cents, yen, fils */
        char currency[4]; /* ISO 4217, upper case, NUL-terminated; "": no amount */
};

/* Digits after the decimal separator by ISO 4217 (EUR 2, JPY 0, KWD 3), or -1 for a code that is no active currency
 * (funds codes, metals, XXX and XTS are no currency here). */
int currency_exponent(const char *currency);

/* The currencies with so many digits, sorted; NULL when there are none. */
const char (*currencies_with_exponent(int exponent, size_t *ret_n))[4];

/* The fault of a currency code as a sentence; NULL: it is an active currency. The sentence is static or in `text`. */
#define CURRENCY_FAULT_SIZE 48
const char *currency_fault(const char *currency, char text[CURRENCY_FAULT_SIZE]);

must_check bool money_in_range(int64_t amount);

/* Checked arithmetic: false when the result leaves the range; *ret_sum is set on success only. */
must_check bool money_add(int64_t a, int64_t b, int64_t *ret_sum);
must_check bool money_multiply(int64_t amount, int64_t quantity, int64_t *ret_product);

/* The smaller and the larger of two amounts. */
static inline int64_t money_smaller(int64_t a, int64_t b) {
        return a < b ? a : b;
}

static inline int64_t money_larger(int64_t a, int64_t b) {
        return a > b ? a : b;
}

/* So many parts of an amount that has `whole` parts, rounded towards 0: amount * part / whole. 0 if there is no whole.
 * The product may exceed 64 bits; the result fits while the part is not larger than the whole. */
int64_t money_portion(int64_t amount, int64_t part, int64_t whole);

/* "12.99" in major units to minor units of the currency: optional "-", digits, at most the currency's fraction digits
 * (fewer are filled up, "12" and "12.5" are fine). False for more digits, other characters or out of range. */
must_check bool money_parse(const char *text, const char *currency, struct money *ret_money);

/* Deal `total` over n weights in proportion, by the largest remainder (ties to the lower index); the shares add up to
 * `total` exactly. Weights are not negative; when all are 0 they count as equal. n > 0, total of either sign. */
void money_share(int64_t total, const int64_t *weights, size_t n, int64_t *shares);
