#include "base/money.h"

#include <stdio.h>
#include <string.h>

/* ISO 4217, list one, as of 2026-01: currencies in use. Funds, metals, units of account and test codes are left
 * out. Each list is sorted. */
static const char without_fraction[][4] = { "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX",
        "VND", "VUV", "XAF", "XOF", "XPF" };
static const char with_hundredths[][4] = { "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD",
        "BDT", "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CNY", "COP", "CRC",
        "CUP", "CVE", "CZK", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP",
        "GMD", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IRR", "JMD", "KES", "KGS", "KHR", "KPW",
        "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR",
        "MVR", "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP", "PKR",
        "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP",
        "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "USD", "UYU", "UZS",
        "VED", "VES", "WST", "XCD", "XCG", "YER", "ZAR", "ZMW", "ZWG" };
static const char with_thousandths[][4] = { "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND" };

static const struct {
        const char (*codes)[4];
        size_t n;
} by_exponent[] = {
        { without_fraction, array_size(without_fraction) },
        { NULL, 0 }, /* no currency has tenths */
        { with_hundredths, array_size(with_hundredths) },
        { with_thousandths, array_size(with_thousandths) },
};

static int compare_codes(const void *a, const void *b) {
        return strcmp(a, b);
}

int currency_exponent(const char *currency) {
        for (size_t i = 0; i < array_size(by_exponent); i++)
                if (by_exponent[i].n && bsearch(currency, by_exponent[i].codes, by_exponent[i].n,
                                                sizeof(*by_exponent[i].codes), compare_codes))
                        return (int) i;
        return -1;
}

const char (*currencies_with_exponent(int exponent, size_t *ret_n))[4] {
        const bool known = exponent >= 0 && (size_t) exponent < array_size(by_exponent);

        *ret_n = known ? by_exponent[exponent].n : 0;
        return known ? by_exponent[exponent].codes : NULL;
}

const char *currency_fault(const char *currency, char text[CURRENCY_FAULT_SIZE]) {
        char capitals[4] = "";

        if (currency_exponent(currency) >= 0)
                return NULL;
        for (size_t i = 0; i < 3 && currency[i]; i++)
                capitals[i] = (char) (currency[i] >= 'a' && currency[i] <= 'z' ? currency[i] - 'a' + 'A' : currency[i]);
        if (strlen(currency) != 3 || currency_exponent(capitals) < 0)
                return "This must be an active ISO 4217 currency, such as EUR.";
        (void) snprintf(text, CURRENCY_FAULT_SIZE, "Write the code in capitals: %s.", capitals);
        return text;
}

bool money_in_range(int64_t amount) {
        return amount >= -MONEY_MAXIMUM && amount <= MONEY_MAXIMUM;
}

bool money_add(int64_t a, int64_t b, int64_t *ret_sum) {
        int64_t sum;

        if (__builtin_add_overflow(a, b, &sum) || !money_in_range(sum))
                return false;
        *ret_sum = sum;
        return true;
}

bool money_multiply(int64_t amount, int64_t quantity, int64_t *ret_product) {
        int64_t product;

        if (__builtin_mul_overflow(amount, quantity, &product) || !money_in_range(product))
                return false;
        *ret_product = product;
        return true;
}

int64_t money_portion(int64_t amount, int64_t part, int64_t whole) {
        return whole > 0 ? (int64_t) ((__int128) amount * part / whole) : 0;
}

/* Take digits as long as there are some, at most n of them. */
static bool money_read_digits(const char **cursor, int n, int *ret_n, int64_t *amount) {
        *ret_n = 0;
        for (; **cursor >= '0' && **cursor <= '9'; (*cursor)++, (*ret_n)++) {
                if (*ret_n == n)
                        return false;
                *amount = 10 * *amount + (**cursor - '0');
                if (!money_in_range(*amount))
                        return false;
        }
        return *ret_n > 0;
}

bool money_parse(const char *text, const char *currency, struct money *ret_money) {
        const int exponent = currency_exponent(currency);
        const bool negative = *text == '-';
        int64_t amount = 0;
        int n_fraction = 0, n_whole;

        text += negative;
        if (exponent < 0 || !money_read_digits(&text, INT32_MAX, &n_whole, &amount))
                return false;
        if (*text == '.') {
                text++;
                if (!money_read_digits(&text, exponent, &n_fraction, &amount))
                        return false;
        }
        for (; n_fraction < exponent; n_fraction++)
                amount *= 10;
        if (*text || !money_in_range(amount))
                return false;
        *ret_money = (struct money){ .amount = negative ? -amount : amount };
        memcpy(ret_money->currency, currency, sizeof(ret_money->currency));
        return true;
}

/* One deal: `total` and the sum of the weights need more than 64 bits as soon as they are multiplied. */
struct deal {
        unsigned __int128 total, sum;
        const int64_t *weights;
        size_t n;
};

static unsigned __int128 deal_weight(const struct deal *deal, size_t i) {
        return deal->weights ? (unsigned __int128) deal->weights[i] : 1;
}

static unsigned __int128 deal_remainder(const struct deal *deal, size_t i) {
        return deal->total * deal_weight(deal, i) % deal->sum;
}

static struct deal deal_of(uint64_t total, const int64_t *weights, size_t n) {
        struct deal deal = { .total = total, .weights = weights, .n = n };

        for (size_t i = 0; i < n; i++)
                deal.sum += (unsigned __int128) weights[i];
        if (deal.sum == 0) {
                deal.weights = NULL;
                deal.sum = n;
        }
        return deal;
}

static size_t count_from(const struct deal *deal, unsigned __int128 remainder) {
        size_t count = 0;

        for (size_t i = 0; i < deal->n; i++)
                count += deal_remainder(deal, i) >= remainder;
        return count;
}

/* The largest remainder that at least `left` indices reach: it and all above it get one unit more. Found by halving,
 * so that the work stays in proportion to n and nothing is allocated. */
static unsigned __int128 deal_bar(const struct deal *deal, uint64_t left) {
        unsigned __int128 low = 0, high = deal->sum;

        while (high - low > 1) {
                const unsigned __int128 middle = low + (high - low) / 2;

                if (count_from(deal, middle) >= left)
                        low = middle;
                else
                        high = middle;
        }
        return low;
}

static void deal_units(const struct deal *deal, uint64_t left, int64_t *shares) {
        const unsigned __int128 bar = deal_bar(deal, left);
        uint64_t at_the_bar = left - count_from(deal, bar + 1);

        for (size_t i = 0; i < deal->n; i++) {
                const unsigned __int128 remainder = deal_remainder(deal, i);

                if (remainder > bar) {
                        shares[i]++;
                } else if (remainder == bar && at_the_bar) {
                        shares[i]++;
                        at_the_bar--;
                }
        }
}

void money_share(int64_t total, const int64_t *weights, size_t n, int64_t *shares) {
        const uint64_t size = total < 0 ? -(uint64_t) total : (uint64_t) total;
        const struct deal deal = deal_of(size, weights, n);
        uint64_t left = size;

        for (size_t i = 0; i < n; i++) {
                shares[i] = (int64_t) (deal.total * deal_weight(&deal, i) / deal.sum);
                left -= (uint64_t) shares[i];
        }
        if (left)
                deal_units(&deal, left, shares);
        for (size_t i = 0; total < 0 && i < n; i++)
                shares[i] = (int64_t) - (uint64_t) shares[i];
}
