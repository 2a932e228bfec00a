#include "base/gtin.h"

#include <criterion/criterion.h>
#include <string.h>

static void assert_gtin(const char *text, const char *expected) {
        char gtin[GTIN_SIZE];

        cr_assert(gtin_parse(text, gtin), "%s", text);
        cr_assert_str_eq(gtin, expected);
}

static void assert_no_gtin(const char *text) {
        char gtin[GTIN_SIZE] = "untouched";

        cr_assert_not(gtin_parse(text, gtin), "%s", text);
        cr_assert_str_eq(gtin, "untouched");
}

static void assert_link(const char *uri, const char *expected) {
        char gtin[GTIN_SIZE] = "";

        cr_assert(gtin_from_digital_link(uri, gtin), "%s", uri);
        cr_assert_str_eq(gtin, expected);
}

static void assert_no_link(const char *uri) {
        char gtin[GTIN_SIZE] = "untouched";

        cr_assert_not(gtin_from_digital_link(uri, gtin), "%s", uri);
        cr_assert_str_eq(gtin, "untouched");
}

Test(gtin, has_8_12_13_or_14_digits_and_is_padded_to_14) {
        assert_gtin("96385074", "00000096385074");
        assert_gtin("036000291452", "00036000291452");
        assert_gtin("6291041500213", "06291041500213"); /* the example in the GS1 General Specifications */
        assert_gtin("09521234543213", "09521234543213");
        assert_gtin("10614141000415", "10614141000415");
}

Test(gtin, has_no_other_length) {
        const char *const texts[] = { "", "0", "9638507", "096385074", "0096385074", "00096385074", "000036000291452",
                "0000000000000000000000000000000000000000" };

        for (size_t i = 0; i < array_size(texts); i++)
                assert_no_gtin(texts[i]);
}

Test(gtin, is_refused_for_every_wrong_check_digit) {
        char text[] = "6291041500210";

        for (char digit = '0'; digit <= '9'; digit++) {
                text[12] = digit;
                if (digit == '3')
                        assert_gtin(text, "06291041500213");
                else
                        assert_no_gtin(text);
        }
}

Test(gtin, is_refused_when_one_digit_is_mistyped) {
        for (size_t i = 0; i < 13; i++) {
                char text[] = "6291041500213";

                text[i] = text[i] == '9' ? '0' : (char) (text[i] + 1);
                assert_no_gtin(text);
        }
}

Test(gtin, has_nothing_but_digits) {
        const char *const texts[] = { "629104150021X", " 6291041500213", "6291041500213 ", "-629104150021", "+96385074",
                "9638507\n", "٩٦٣٨" };

        for (size_t i = 0; i < array_size(texts); i++)
                assert_no_gtin(texts[i]);
}

Test(gtin, is_found_in_a_digital_link_of_any_host_and_path) {
        assert_link("https://id.gs1.org/01/09521234543213", "09521234543213");
        assert_link("http://any.host/01/09521234543213?10=AB", "09521234543213");
        assert_link("HTTPS://ANY.HOST:8443/01/09521234543213", "09521234543213");
        assert_link("https://any.host/some/path/01/09521234543213/10/LOT/21/5", "09521234543213");
        assert_link("https://any.host/gtin/6291041500213#top", "06291041500213");
        assert_link("https://any.host/01/96385074/", "00000096385074");
}

Test(gtin, a_typing_mistake_differs_from_nonsense) {
        cr_expect(gtin_is_mistyped("6291041500214"));
        cr_expect(gtin_is_mistyped("https://any.host/01/09521234543214?10=AB"));
        cr_expect(gtin_is_mistyped("https://any.host/01/01/09521234543214"));
        cr_expect_not(gtin_is_mistyped("629104150021X"));
        cr_expect_not(gtin_is_mistyped("629104150"));
        cr_expect_not(gtin_is_mistyped("https://any.host/02/09521234543214"));
        cr_expect_not(gtin_is_mistyped("https://any.host/01/0952123454321"
                                       "x"));
        cr_expect_not(gtin_is_mistyped(""));
}

Test(gtin, is_found_behind_a_directory_that_looks_like_its_key) {
        assert_link("https://any.host/01/shop/01/09521234543213", "09521234543213");
        assert_link("https://any.host/01/01/09521234543213", "09521234543213");
        assert_link("https://any.host/gtin/01/09521234543213", "09521234543213");
}

Test(gtin, is_refused_in_any_other_link) {
        const char *const uris[] = {
                "",
                "09521234543213",
                "/01/09521234543213",
                "ftp://any.host/01/09521234543213",
                "https:///01/09521234543213",
                "https://any.host",
                "https://any.host/",
                "https://any.host/01",
                "https://any.host/01/",
                "https://any.host/01/09521234543214",
                "https://any.host/01/0952123454321",
                "https://any.host/01//09521234543213",
                "https://any.host/010/09521234543213",
                "https://any.host/GTIN/09521234543213",
                "https://any.host/414/09521234543213",
                "https://any.host/?x=/01/09521234543213",
                "https://any.host?x=/01/09521234543213",
                "https://any.host/#/01/09521234543213",
        };

        for (size_t i = 0; i < array_size(uris); i++)
                assert_no_link(uris[i]);
}
