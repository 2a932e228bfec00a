#include "orders/lists.h"
#include "orders/number.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena arena;

static void setup(void) {
        arena_init(&arena, (size_t) 64 * 1024);
}

static void teardown(void) {
        arena_clear(&arena);
}

TestSuite(search_spellings, .init = setup, .fini = teardown);

/* The spellings of a phone, one after another. */
static const char *phones_of(const char *words) {
        const struct search_spellings spellings = search_spellings_of(words, &arena);
        const char *text = "";

        for (size_t i = 0; i < spellings.n_phones; i++)
                text = arena_format(&arena, "%s%s%s", text, i ? " " : "", spellings.phones[i]);
        return text;
}

Test(search_spellings, an_order_number_is_read_with_and_without_hyphens) {
        const char *number = order_number_new(&arena);
        char plain[ORDER_NUMBER_SIZE] = "";
        size_t n = 0;

        for (const char *c = number; *c; c++)
                if (*c != '-')
                        plain[n++] = *c;
        cr_assert_str_eq(search_spellings_of(plain, &arena).number, number);
        cr_assert_str_eq(search_spellings_of(number, &arena).number, number);
        cr_assert_null(search_spellings_of("ada@example.com", &arena).number);
        cr_assert_null(search_spellings_of(NULL, &arena).number);
}

Test(search_spellings, a_phone_at_home_is_its_digits) {
        cr_assert_str_eq(phones_of("030 / 123-456"), "030123456");
        cr_assert_str_eq(phones_of("(030) 123.456"), "030123456");
        cr_assert_str_eq(phones_of("12345"), "12345");
}

Test(search_spellings, a_phone_with_its_country_is_dialled_at_home_too) {
        static const char all[] = "4930123456 0930123456 40930123456 030123456 49030123456 0123456 493123456";

        cr_assert_eq(PHONE_SPELLINGS_MAX, 7);
        cr_assert_str_eq(phones_of("+49 30 123456"), all);
        cr_assert_str_eq(phones_of("0049-30-123456"), all);
        cr_assert_not_null(strstr(phones_of("+49 (0)30 123456"), " 030123456 4930123456 "));
}

Test(search_spellings, other_words_are_no_phone) {
        static const char *const words[] = { "1234", "ref-12345", "030 12a45", "", "+ - ()" };

        for (size_t i = 0; i < array_size(words); i++)
                cr_expect_str_empty(phones_of(words[i]), "%s", words[i]);
        cr_expect_str_empty(phones_of(
                "1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"));
}

/* No spelling is the part of another number: each has all digits but the country's and the 0 of home. */
Test(search_spellings, a_short_phone_is_not_cut_to_less_than_it_must_have) {
        cr_assert_str_eq(phones_of("+49 123"), "49123");
        cr_assert_str_eq(phones_of("+4 12345"), "412345 012345 4012345");
}
