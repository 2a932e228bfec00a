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

static const char *one_after_another(const struct phone_spellings *phones) {
        const char *text = "";

        for (size_t i = 0; i < phones->n; i++)
                text = arena_format(&arena, "%s%s%s", text, i ? " " : "", phones->at[i]);
        return text;
}

/* The spellings of a phone among the words. */
static const char *phones_of(const char *words) {
        const struct search_spellings spellings = search_spellings_of(words, &arena);

        return one_after_another(&spellings.phones);
}

static const char *filter_of(const char *phone) {
        const struct phone_spellings phones = phone_spellings_of(phone, &arena);

        return one_after_another(&phones);
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

Test(search_spellings, a_filter_has_the_spellings_that_words_have) {
        static const char *const phones[] = { "030 / 123-456", "+49 30 123456", "0049-30-123456", "+49 (0)30 123456",
                "+4 12345" };

        for (size_t i = 0; i < array_size(phones); i++)
                cr_expect_str_eq(filter_of(phones[i]), phones_of(phones[i]), "%s", phones[i]);
}

/* The text of a filter is a phone in any case, so the filter takes short numbers and other signs as well. */
Test(search_spellings, a_filter_compares_the_digits_of_any_text) {
        cr_expect_str_eq(filter_of("110"), "110");
        cr_expect_str_eq(filter_of("tel. 030 12345 x"), "03012345");
        cr_expect_str_empty(filter_of("ask at the desk"));
        cr_expect_str_empty(filter_of("00"));
        cr_expect_str_empty(filter_of(NULL));
}

Test(search_spellings, no_spelling_comes_twice) {
        const struct phone_spellings phones = phone_spellings_of("0000012345678", &arena);

        cr_assert_gt(phones.n, 1);
        for (size_t i = 0; i < phones.n; i++)
                for (size_t j = 0; j < i; j++)
                        cr_expect_str_neq(phones.at[i], phones.at[j]);
}
