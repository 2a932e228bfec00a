/* The words of a search in the other ways in which an order may have them. */
#include "orders/lists.h"
#include "orders/number.h"

#include "base/text.h"

#include <string.h>

#define PHONE_DIGITS_MIN  5 /* of the words: fewer are a part of something else */
#define COUNTRY_CODE_MAX  3 /* digits */
#define PHONE_DIGITS_SIZE 64

/* The digits of a phone number in any usual spelling. False when the words are something else. */
static bool digits_read(const char *words, char digits[PHONE_DIGITS_SIZE]) {
        size_t n = 0;

        for (const char *c = words; *c; c++) {
                if (*c >= '0' && *c <= '9') {
                        if (n + 1 == PHONE_DIGITS_SIZE)
                                return false;
                        digits[n++] = *c;
                } else if (!strchr(" +-()/.", *c)) {
                        return false;
                }
        }
        digits[n] = '\0';
        return n >= PHONE_DIGITS_MIN;
}

static void phone_add(struct search_spellings *spellings, const char *phone) {
        if (phone && spellings->n_phones < PHONE_SPELLINGS_MAX)
                spellings->phones[spellings->n_phones++] = phone;
}

/* A number that names its country, behind a country code of so many digits: as people dial it at home, and with or
 * without the 0 in brackets. */
static void phone_add_at_home(
        struct search_spellings *spellings, const char *digits, int country_code, struct arena *arena) {
        const char *rest = digits + country_code;

        if (strlen(rest) < PHONE_DIGITS_MIN)
                return;
        if (*rest == '0') {
                phone_add(spellings, arena_text(arena, rest));
                phone_add(spellings, arena_format(arena, "%.*s%s", country_code, digits, rest + 1));
        } else {
                phone_add(spellings, arena_format(arena, "0%s", rest));
                phone_add(spellings, arena_format(arena, "%.*s0%s", country_code, digits, rest));
        }
}

struct search_spellings search_spellings_of(const char *words, struct arena *arena) {
        struct search_spellings spellings = { 0 };
        char all[PHONE_DIGITS_SIZE];
        const char *digits = all;

        if (!words)
                return spellings;
        spellings.number = order_number_read(words, arena);
        if (!digits_read(words, all))
                return spellings;
        if (text_starts_with(digits, "00"))
                digits += 2;
        phone_add(&spellings, arena_text(arena, digits));
        for (int size = 1; size <= COUNTRY_CODE_MAX && (digits != all || strchr(words, '+')); size++)
                phone_add_at_home(&spellings, digits, size, arena);
        return spellings;
}
