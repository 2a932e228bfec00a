/* The words of a search in the other ways in which an order may have them. */
#include "orders/lists.h"
#include "orders/number.h"

#include "base/text.h"

#include <string.h>

#define PHONE_DIGITS_MIN  5 /* of the words: fewer are a part of something else */
#define COUNTRY_CODE_MAX  3 /* digits */
#define PHONE_DIGITS_SIZE 64

/* All digits of the text. False when they are more than any phone number has. */
static bool digits_read(const char *text, char digits[PHONE_DIGITS_SIZE]) {
        size_t n = 0;

        for (const char *c = text; *c; c++) {
                if (*c < '0' || *c > '9')
                        continue;
                if (n + 1 == PHONE_DIGITS_SIZE)
                        return false;
                digits[n++] = *c;
        }
        digits[n] = '\0';
        return true;
}

/* Whether words of a search are a phone number in any usual spelling. */
static bool is_phone(const char *words) {
        size_t n = 0;

        for (const char *c = words; *c; c++) {
                if (*c >= '0' && *c <= '9')
                        n++;
                else if (!strchr(" +-()/.", *c))
                        return false;
        }
        return n >= PHONE_DIGITS_MIN;
}

static void phone_add(struct phone_spellings *spellings, const char *phone) {
        if (!phone || spellings->n == PHONE_SPELLINGS_MAX)
                return;
        for (size_t i = 0; i < spellings->n; i++)
                if (text_equal(spellings->at[i], phone))
                        return;
        spellings->at[spellings->n++] = phone;
}

/* A number that names its country, behind a country code of so many digits: as people dial it at home, and with or
 * without the 0 in brackets. */
static void phone_add_at_home(
        struct phone_spellings *spellings, const char *digits, size_t country_code, struct arena *arena) {
        const char *rest = digits + country_code;

        if (strlen(digits) < country_code + PHONE_DIGITS_MIN)
                return;
        if (*rest == '0') {
                phone_add(spellings, arena_text(arena, rest));
                phone_add(spellings, arena_format(arena, "%.*s%s", (int) country_code, digits, rest + 1));
        } else {
                phone_add(spellings, arena_format(arena, "0%s", rest));
                phone_add(spellings, arena_format(arena, "%.*s0%s", (int) country_code, digits, rest));
        }
}

struct phone_spellings phone_spellings_of(const char *phone, struct arena *arena) {
        struct phone_spellings spellings = { 0 };
        char all[PHONE_DIGITS_SIZE];
        const char *digits = all;

        if (!phone || !digits_read(phone, all))
                return spellings;
        if (text_starts_with(digits, "00"))
                digits += 2;
        if (!*digits)
                return spellings;
        phone_add(&spellings, arena_text(arena, digits));
        for (size_t size = 1; size <= COUNTRY_CODE_MAX && (digits != all || strchr(phone, '+')); size++)
                phone_add_at_home(&spellings, digits, size, arena);
        return spellings;
}

struct search_spellings search_spellings_of(const char *words, struct arena *arena) {
        struct search_spellings spellings = { 0 };

        if (!words)
                return spellings;
        spellings.number = order_number_read(words, arena);
        if (is_phone(words))
                spellings.phones = phone_spellings_of(words, arena);
        return spellings;
}
