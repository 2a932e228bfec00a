#include "importing/amounts.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define NO_FIGURE "is no figure"
#define DOUBT     "may be thousands or decimals; say --decimal . or --decimal ,"

/* ---- currency signs ---- */

static const struct {
        const char *sign, *currencies;
} signs[] = {
        { "$", "ARS AUD BBD BMD BND BSD BZD CAD CLP COP FJD GYD HKD JMD KYD LRD MXN NAD NZD SGD SRD TTD TWD USD XCD" },
        { "A$", "AUD" }, { "C$", "CAD" }, { "Fr.", "CHF" }, { "Ft", "HUF" }, { "K\xc4\x8d", "CZK" }, { "R$", "BRL" },
        { "US$", "USD" }, { "kr", "DKK ISK NOK SEK" }, { "kr.", "DKK ISK" }, { "z\xc5\x82", "PLN" },
        { "\xc2\xa3", "GBP" }, { "\xc2\xa5", "CNY JPY" }, { "\xe2\x82\xa9", "KRW" }, { "\xe2\x82\xac", "EUR" },
        { "\xe2\x82\xb9", "INR" }, { "\xe2\x82\xba", "TRY" }
};

static bool is_sign_of(const char *sign, size_t size, const char *currency) {
        if (size == strlen(currency) && strncasecmp(sign, currency, size) == 0)
                return true;
        for (size_t i = 0; i < array_size(signs); i++)
                if (strlen(signs[i].sign) == size && memcmp(signs[i].sign, sign, size) == 0)
                        return strstr(signs[i].currencies, currency) != NULL;
        return false;
}

/* Blanks that part thousands: blank, no-break space, narrow no-break space. */
static size_t blank_at(const char *text, size_t size) {
        static const char *const blanks[] = { " ", "\xc2\xa0", "\xe2\x80\xaf" };

        for (size_t i = 0; i < array_size(blanks); i++)
                if (size >= strlen(blanks[i]) && memcmp(text, blanks[i], strlen(blanks[i])) == 0)
                        return strlen(blanks[i]);
        return 0;
}

/* ---- digits ---- */

/* The figure without sign and currency: digits, and bytes that part them. A blank becomes ' '. */
struct figure_text {
        char at[AMOUNT_SIZE];
        size_t n;
        bool negative;
};

static bool is_digit(char byte) {
        return byte >= '0' && byte <= '9';
}

static bool sign_skip(const char **at, const char *end, bool *negative) {
        static const char minus[] = "\xe2\x88\x92";

        if (*at < end && (**at == '-' || **at == '+')) {
                *negative = **at == '-';
                ++*at;
                return true;
        }
        if ((size_t) (end - *at) >= sizeof(minus) - 1 && memcmp(*at, minus, sizeof(minus) - 1) == 0) {
                *negative = true;
                *at += sizeof(minus) - 1;
                return true;
        }
        return false;
}

static void figure_blanks_skip(const char **at, const char *end) {
        for (size_t n = blank_at(*at, (size_t) (end - *at)); n; n = blank_at(*at, (size_t) (end - *at)))
                *at += n;
}

/* Bytes before the first digit or behind the last one that are a currency's sign or nothing. */
static bool is_currency_or_nothing(const char *at, const char *end, const char *currency) {
        figure_blanks_skip(&at, end);
        while (end > at && end[-1] == ' ')
                end--;
        while (end - at >= 2 && blank_at(end - 2, 2) == 2)
                end -= 2;
        return at == end || (currency && is_sign_of(at, (size_t) (end - at), currency));
}

static const char *figure_cut(const char *text, const char *currency, struct figure_text *ret_figure) {
        const char *end = text + strlen(text), *first, *last, *at = text;
        bool negative = false, again = false;

        *ret_figure = (struct figure_text){ 0 };
        for (first = text; first < end && !is_digit(*first) && !(*first == '.' && is_digit(first[1])); first++)
                ;
        for (last = end; last > first && !is_digit(last[-1]); last--)
                ;
        if (first == last)
                return NO_FIGURE;
        (void) sign_skip(&at, first, &negative);
        if (first > at && (first[-1] == '-' || first[-1] == '+')) {
                const char *sign = first - 1;

                (void) sign_skip(&sign, first, &again);
                if (!is_currency_or_nothing(at, first - 1, currency))
                        return "has a sign that is not its currency's";
        } else if (!is_currency_or_nothing(at, first, currency)) {
                return "has a sign that is not its currency's";
        }
        if (!is_currency_or_nothing(last + (*last == '.' && !last[1]), end, currency))
                return "has a sign that is not its currency's";
        ret_figure->negative = negative || again;
        for (at = first; at < last; at++) {
                const size_t blank = blank_at(at, (size_t) (last - at));

                if (ret_figure->n == AMOUNT_SIZE - 2 || (!blank && !is_digit(*at) && !strchr(".,'", *at)))
                        return NO_FIGURE;
                ret_figure->at[ret_figure->n++] = blank ? ' ' : *at;
                at += blank ? blank - 1 : 0;
        }
        return NULL;
}

static size_t count(const struct figure_text *figure, char byte) {
        size_t n = 0;

        for (size_t i = 0; i < figure->n; i++)
                n += figure->at[i] == byte;
        return n;
}

static size_t digits_behind(const struct figure_text *figure, char byte) {
        const char *last = strrchr(figure->at, byte);

        return last ? strspn(last + 1, "0123456789") : 0;
}

/* The byte that parts the decimals; '\0': there are none. `loose`: a comma before three digits parts thousands. */
static const char *decimal_find(const struct figure_text *figure, char decimal, bool loose, char *ret_decimal) {
        const size_t points = count(figure, '.'), commas = count(figure, ',');

        *ret_decimal = decimal;
        if (decimal)
                return count(figure, decimal) > 1 ? NO_FIGURE : NULL;
        if (points && commas) {
                *ret_decimal = strrchr(figure->at, '.') > strrchr(figure->at, ',') ? '.' : ',';
                return count(figure, *ret_decimal) > 1 ? NO_FIGURE : NULL;
        }
        *ret_decimal = points == 1 ? '.' : commas == 1 ? ',' : '\0';
        if (*ret_decimal != ',' || digits_behind(figure, ',') != 3 || *figure->at == '0')
                return NULL;
        *ret_decimal = '\0';
        return loose ? NULL : DOUBT;
}

/* Without what parts thousands: groups of three digits behind a group of one to three, all parted by the same byte. */
static const char *groups_join(const struct figure_text *figure, char decimal, char out[AMOUNT_SIZE]) {
        const char *at = figure->at;
        size_t n = 0, group = 0, groups = 1;
        char parting = '\0';

        if (figure->negative)
                out[n++] = '-';
        for (; *at && (*at != decimal || !decimal); at++) {
                if (is_digit(*at)) {
                        out[n++] = *at;
                        group++;
                        continue;
                }
                if ((parting && *at != parting) || (groups == 1 ? group < 1 || group > 3 : group != 3))
                        return NO_FIGURE;
                parting = *at;
                groups++;
                group = 0;
        }
        if (groups > 1 && group != 3)
                return NO_FIGURE;
        if (!*at) {
                out[n] = '\0';
                return NULL;
        }
        if (strspn(at + 1, "0123456789") != strlen(at + 1))
                return NO_FIGURE;
        if (!group && groups == 1)
                out[n++] = '0';
        out[n++] = '.';
        memcpy(out + n, at + 1, strlen(at + 1) + 1);
        return NULL;
}

const char *amount_plain(const char *text, const char *currency, char decimal, char out[AMOUNT_SIZE]) {
        struct figure_text figure;
        const char *fault = figure_cut(text, currency, &figure);
        char parting;

        if (!fault)
                fault = decimal_find(&figure, decimal, /* loose= */ false, &parting);
        return fault ? fault : groups_join(&figure, parting, out);
}

const char *quantity_plain(const char *text, char decimal, bool loose, int64_t *ret_quantity) {
        struct figure_text figure;
        char out[AMOUNT_SIZE], parting, *point;
        const char *fault;

        if (text_to_integer(text, INT64_MIN, INT64_MAX, ret_quantity))
                return NULL;
        fault = figure_cut(text, NULL, &figure);
        if (!fault)
                fault = decimal_find(&figure, decimal, loose, &parting);
        if (!fault)
                fault = groups_join(&figure, parting, out);
        if (fault)
                return fault;
        point = strchr(out, '.');
        if (point && point[1 + strspn(point + 1, "0")])
                return "has parts of a unit; sell it by a smaller unit, or leave it out";
        if (point)
                *point = '\0';
        return text_to_integer(out, INT64_MIN, INT64_MAX, ret_quantity) ? NULL : NO_FIGURE;
}
