#include "base/text.h"

#include "dice.h"

#include <criterion/criterion.h>
#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

Test(text, null_equals_only_null) {
        cr_assert(text_equal(NULL, NULL));
        cr_assert(text_equal("a", "a"));
        cr_assert_not(text_equal("a", NULL));
        cr_assert_not(text_equal(NULL, ""));
        cr_assert_not(text_equal("a", "A"));
        cr_assert_not(text_equal("a", "ab"));
}

Test(text, starts_with_a_prefix_of_itself) {
        cr_assert(text_starts_with("Bearer x", "Bearer "));
        cr_assert(text_starts_with("x", ""));
        cr_assert(text_starts_with("", ""));
        cr_assert_not(text_starts_with("Bear", "Bearer"));
        cr_assert_not(text_starts_with("bearer x", "Bearer "));
}

Test(text, a_text_has_the_place_of_its_equal_on_a_list) {
        static const char *const list[] = { "apple", "bread", "bread", NULL };

        cr_assert_eq(text_index(list, "apple"), 0);
        cr_assert_eq(text_index(list, "bread"), 1);
        cr_assert_eq(text_index(list, "brea"), -1);
        cr_assert_eq(text_index(list, ""), -1);
        cr_assert_eq(text_index(list, NULL), -1);
}

static void assert_parts(const char *list, const char *expected) {
        char parts[64] = "";
        const char *part;
        size_t size;

        while (text_next_part(&list, ' ', &part, &size))
                (void) snprintf(parts + strlen(parts), sizeof(parts) - strlen(parts), "[%.*s]", (int) size, part);
        cr_assert_str_eq(parts, expected);
}

Test(text, a_list_has_a_part_before_each_separator_and_a_last_one) {
        assert_parts(NULL, "");
        assert_parts("", "");
        assert_parts("a", "[a]");
        assert_parts("a bc d", "[a][bc][d]");
        assert_parts("a  b", "[a][][b]");
        assert_parts(" a ", "[][a]");
        assert_parts("a,b", "[a,b]");
}

Test(text, valid_utf8_differs_from_invalid) {
        const char *const valid[] = { "", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "crème brûlée", "日本",
                "🧺x" };
        const char *const invalid[] = { "\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2x", "\xC2\xC2",
                "\xE0\x9F\xBF", "\xE0\xA0", "\xED\xA0\x80", "\xED\xBF\xBF", "\xE2\x82", "\xE2\x82x", "\xF0\x8F\xBF\xBF",
                "\xF0\x9F\x98", "\xF0\x9F\x98x", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF", "a\xFFz" };

        for (size_t i = 0; i < array_size(valid); i++)
                cr_assert(text_is_utf8(valid[i], strlen(valid[i])), "valid %zu", i);
        for (size_t i = 0; i < array_size(invalid); i++)
                cr_assert_not(text_is_utf8(invalid[i], strlen(invalid[i])), "invalid %zu", i);
        cr_assert_not(text_is_utf8("a\0b", 3), "NUL is no text");
        cr_assert_not(text_is_utf8("\xE2\x82\xAC", 2), "a size may cut a sequence");
}

static void assert_printable(const char *text, const char *expected) {
        char copy[64];

        (void) snprintf(copy, sizeof(copy), "%s", text);
        text_make_printable(copy);
        cr_expect_str_eq(copy, expected);
}

Test(text, no_control_character_reaches_a_terminal) {
        assert_printable("crème brûlée 日本 🧺", "crème brûlée 日本 🧺");
        assert_printable("a\x1b[2J\r\n\tb\x7f", "a?[2J???b?");
        assert_printable("\xC2\x80\xC2\x9B\xC2\x9F\xC2\xA0", "???\xC2\xA0");
        assert_printable("\x80\x9B\xFF", "???");
        assert_printable("caf\xC3", "caf?");
        assert_printable("\u061C\u200E\u200F\u2028\u2029\u202A\u202E\u2066\u2069x", "?????????x");
        assert_printable("\u061B\u200D\u202F\u2065\u206A", "\u061B\u200D\u202F\u2065\u206A");
}

static size_t encode(uint32_t point, char *text) {
        if (point < 0x80) {
                text[0] = (char) point;
                return 1;
        }
        if (point < 0x800) {
                text[0] = (char) (0xC0 | point >> 6);
                text[1] = (char) (0x80 | (point & 63));
                return 2;
        }
        if (point < 0x10000) {
                text[0] = (char) (0xE0 | point >> 12);
                text[1] = (char) (0x80 | (point >> 6 & 63));
                text[2] = (char) (0x80 | (point & 63));
                return 3;
        }
        text[0] = (char) (0xF0 | point >> 18);
        text[1] = (char) (0x80 | (point >> 12 & 63));
        text[2] = (char) (0x80 | (point >> 6 & 63));
        text[3] = (char) (0x80 | (point & 63));
        return 4;
}

Test(text, every_code_point_but_surrogates_is_valid_and_counts_as_one) {
        for (uint32_t point = 1; point < 0x1FFFFF; point++) {
                const bool valid = point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
                char text[5] = "";
                const size_t size = encode(point, text);

                if (text_utf8_size(text, size) != (valid ? size : 0) || text_is_utf8(text, size) != valid)
                        cr_assert_fail("U+%04" PRIX32, point);
                if (valid && text_code_points(text) != 1)
                        cr_assert_fail("U+%04" PRIX32 " is counted wrong", point);
        }
}

Test(text, length_counts_code_points) {
        cr_assert_eq(text_code_points(""), 0);
        cr_assert_eq(text_code_points("abc"), 3);
        cr_assert_eq(text_code_points("crème"), 5);
        cr_assert_eq(text_code_points("🧺🧺"), 2);
        cr_assert_eq(text_code_points("e\xCC\x81"), 2, "a combining accent is a separate code point");
}

Test(text, codes_have_1_to_64_plain_characters) {
        char text[CODE_SIZE_MAX + 2];

        memset(text, 'x', sizeof(text));
        text[CODE_SIZE_MAX + 1] = '\0';
        cr_assert_not(text_is_code(text));
        text[CODE_SIZE_MAX] = '\0';
        cr_assert(text_is_code(text));
        cr_assert_not(text_is_code(""));
        cr_assert(text_is_code("0042"));
        cr_assert(text_is_code("a._~:+@-Z9"));
        cr_assert(text_is_code("85123A"));
}

Test(text, codes_are_made_of_the_listed_characters_and_begin_with_a_letter_or_digit) {
        for (int c = 1; c < 256; c++) {
                const char first[] = { (char) c, '\0' }, second[] = { 'x', (char) c, '\0' };
                const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
                const bool mark = strchr("._~:+@-", c) != NULL;

                cr_assert_eq(text_is_code(first), alphanumeric, "byte %d", c);
                cr_assert_eq(text_is_code(second), alphanumeric || mark, "byte %d", c);
        }
}

Test(text, exactly_the_bytes_json_forbids_are_escaped) {
        char escape[JSON_ESCAPE_SIZE];

        for (int c = 0; c < 256; c++)
                cr_assert_eq(text_json_escape((char) c, escape), c < 0x20 || c == '"' || c == '\\', "byte %d", c);
        cr_assert(text_json_escape('\n', escape));
        cr_assert_str_eq(escape, "\\n");
        cr_assert(text_json_escape('\b', escape));
        cr_assert_str_eq(escape, "\\b");
        cr_assert(text_json_escape('"', escape));
        cr_assert_str_eq(escape, "\\\"");
        cr_assert(text_json_escape('\0', escape));
        cr_assert_str_eq(escape, "\\u0000");
        cr_assert(text_json_escape('\x1F', escape));
        cr_assert_str_eq(escape, "\\u001f");
}

Test(text, plain_json_text_ends_before_the_first_escape) {
        cr_assert_eq(text_json_plain("plain text, ~ and all\x7f"), 22);
        cr_assert_eq(text_json_plain(""), 0);
        cr_assert_eq(text_json_plain("a\"b"), 1);
        cr_assert_eq(text_json_plain("ab\\c"), 2);
        cr_assert_eq(text_json_plain("tab\there"), 3);
        cr_assert_eq(text_json_plain("cr\u00e8me"), 2);
}

static void assert_integer(const char *text, int64_t expected) {
        int64_t integer;

        cr_assert(text_to_integer(text, INT64_MIN, INT64_MAX, &integer), "%s", text);
        cr_assert_eq(integer, expected);
}

Test(text, integers_are_digits_with_an_optional_minus) {
        const char *const texts[] = { "", "-", "+1", "--1", " 1", "1 ", "1.0", "1e3", "0x10", "1a",
                "9223372036854775808", "-9223372036854775809", "99999999999999999999999" };
        int64_t integer = 42;

        assert_integer("0", 0);
        assert_integer("-0", 0);
        assert_integer("007", 7);
        assert_integer("-12", -12);
        assert_integer("9223372036854775807", INT64_MAX);
        assert_integer("-9223372036854775808", INT64_MIN);
        for (size_t i = 0; i < array_size(texts); i++)
                cr_assert_not(text_to_integer(texts[i], INT64_MIN, INT64_MAX, &integer), "%s", texts[i]);
        cr_assert_eq(integer, 42);
}

Test(text, integers_stay_in_their_range) {
        int64_t integer = 42;

        cr_assert(text_to_integer("1", 1, 200, &integer));
        cr_assert(text_to_integer("200", 1, 200, &integer));
        cr_assert_eq(integer, 200);
        cr_assert_not(text_to_integer("0", 1, 200, &integer));
        cr_assert_not(text_to_integer("201", 1, 200, &integer));
        cr_assert_eq(integer, 200);
}

Test(text, numbers_are_decimal_and_finite) {
        const char *const texts[] = { "", "-", ".", ".5", "5.", "1e", "1e+", "e5", "1.5.5", "1,5", " 1", "1 ", "0x1p3",
                "inf", "nan", "-inf", "infinity", "1e400", "-1e400", "1f", "--1" };
        double number = 42;

        cr_assert(text_to_number("52.520008", &number));
        cr_assert_eq(number, 52.520008);
        cr_assert(text_to_number("-0.5e-3", &number));
        cr_assert_eq(number, -0.0005);
        cr_assert(text_to_number("+7E2", &number));
        cr_assert_eq(number, 700);
        cr_assert(text_to_number("1.7976931348623157e308", &number));
        cr_assert_eq(number, DBL_MAX);
        number = 42;
        for (size_t i = 0; i < array_size(texts); i++)
                cr_assert_not(text_to_number(texts[i], &number), "%s", texts[i]);
        cr_assert_eq(number, 42);
}

static void assert_decoded(const char *text, bool allow_slash, const char *expected) {
        char copy[64];

        (void) snprintf(copy, sizeof(copy), "%s", text);
        cr_assert_eq(text_percent_decode(copy, allow_slash), expected != NULL, "%s", text);
        if (expected)
                cr_assert_str_eq(copy, expected);
}

Test(text, percent_escapes_are_decoded) {
        assert_decoded("", true, "");
        assert_decoded("plain+text", true, "plain+text");
        assert_decoded("a%20b%2Bc", true, "a b+c");
        assert_decoded("%e2%82%AC", true, "€");
        assert_decoded("100%25", true, "100%");
        assert_decoded("%2525", true, "%25");
        assert_decoded("%2Fx%5c", true, "/x\\");
        assert_decoded("a/b", false, "a/b");
}

Test(text, broken_and_dangerous_escapes_are_refused) {
        const char *const texts[] = { "%", "%2", "a%", "%zz", "%2g", "%g2", "%%20", "%u0041", "%00", "a%00b", "%FF",
                "%C3", "%ED%A0%80", "%C0%AF" };

        for (size_t i = 0; i < array_size(texts); i++)
                assert_decoded(texts[i], true, NULL);
        assert_decoded("%2F", false, NULL);
        assert_decoded("%2f", false, NULL);
        assert_decoded("%5C", false, NULL);
        assert_decoded("%5c", false, NULL);
        assert_decoded("\xFF", true, NULL);
}

static bool decodes(const char *text, const char *expected, size_t expected_size) {
        uint8_t bytes[64];
        size_t size = 0;

        if (!base64url_decode(text, strlen(text), bytes, &size))
                return false;
        return size == expected_size && memcmp(bytes, expected, size) == 0;
}

Test(text, base64url_follows_the_vectors_of_rfc_4648) {
        cr_assert(decodes("", "", 0));
        cr_assert(decodes("Zg", "f", 1));
        cr_assert(decodes("Zm8", "fo", 2));
        cr_assert(decodes("Zm9v", "foo", 3));
        cr_assert(decodes("Zm9vYg", "foob", 4));
        cr_assert(decodes("Zm9vYmE", "fooba", 5));
        cr_assert(decodes("Zm9vYmFy", "foobar", 6));
        cr_assert(decodes("-_-_", "\xFB\xFF\xBF", 3));
}

Test(text, base64url_is_strict) {
        const char *const texts[] = { "A", "AAAAA", "Z", "Zm9vY", "Zg==", "Zm8=", "Zm9v\n", " Zm9v", "Zm 9v", "+/+/",
                "Zm9v.", "Zm9vYg\n", "Zm9\xC3" };
        uint8_t bytes[64];
        size_t size = 42;

        for (size_t i = 0; i < array_size(texts); i++)
                cr_assert_not(base64url_decode(texts[i], strlen(texts[i]), bytes, &size), "%s", texts[i]);
        cr_assert_not(base64url_decode("Zg\0\0", 4, bytes, &size));
        cr_assert_eq(size, 42);
}

/* Of the 64 last characters only those without bits left over may stand: one in 16 after one byte, one in 4 after two.
 */
Test(text, base64url_has_one_text_for_each_value) {
        const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        uint8_t bytes[8];
        size_t size;

        for (size_t i = 0; i < 64; i++) {
                const char one[] = { 'Q', letters[i], '\0' }, two[] = { 'Q', 'U', letters[i], '\0' };

                cr_assert_eq(base64url_decode(one, 2, bytes, &size), i % 16 == 0, "%s", one);
                cr_assert_eq(base64url_decode(two, 3, bytes, &size), i % 4 == 0, "%s", two);
        }
}

Test(text, any_bytes_survive_base64url) {
        uint64_t dice = 9;

        for (int round = 0; round < 2000; round++) {
                uint8_t bytes[48], again[48];
                char text[65];
                const size_t size = dice_below(&dice, sizeof(bytes) + 1);
                size_t again_size;

                for (size_t i = 0; i < size; i++)
                        bytes[i] = (uint8_t) dice_roll(&dice);
                base64url_encode(bytes, size, text);
                cr_assert_eq(strlen(text), (size * 4 + 2) / 3);
                cr_assert(base64url_decode(text, strlen(text), again, &again_size));
                cr_assert_eq(again_size, size);
                cr_assert_eq(memcmp(bytes, again, size), 0);
        }
}

Test(text, base64url_reads_no_further_than_its_size) {
        uint8_t bytes[3];
        size_t size;

        cr_assert(base64url_decode("Zm9v!!", 4, bytes, &size));
        cr_assert_eq(size, 3);
}

static const char *nearest(const char *word) {
        static const char *const members[] = { "external_ref", "id", "lines", "quantity", "sku" };

        return text_nearest(word, members, array_size(members));
}

Test(text, the_nearest_word_is_found) {
        cr_assert_str_eq(nearest("quantity"), "quantity");
        cr_assert_str_eq(nearest("qantity"), "quantity");
        cr_assert_str_eq(nearest("quanttiy"), "quantity");
        cr_assert_str_eq(nearest("line"), "lines");
        cr_assert_str_eq(nearest("externalref"), "external_ref");
        cr_assert_str_eq(nearest("skus"), "sku");
        cr_assert_str_eq(nearest("ids"), "id");
}

Test(text, nothing_is_near_a_strange_word) {
        cr_assert_null(nearest(""));
        cr_assert_null(nearest("colour"));
        cr_assert_null(nearest("x"));
        cr_assert_null(nearest("sqrt"));
        cr_assert_null(nearest("lxnxs"));
        cr_assert_null(text_nearest("sku", NULL, 0));
}

Test(text, words_above_64_bytes_are_near_nothing) {
        char word[66], candidate[66];
        const char *const candidates[] = { candidate };

        memset(word, 'x', sizeof(word));
        memset(candidate, 'x', sizeof(candidate));
        word[64] = candidate[64] = '\0';
        cr_assert_eq(text_nearest(word, candidates, 1), candidate);
        word[64] = 'x';
        word[65] = '\0';
        cr_assert_null(text_nearest(word, candidates, 1));
        word[64] = '\0';
        candidate[64] = 'x';
        candidate[65] = '\0';
        cr_assert_null(text_nearest(word, candidates, 1));
}

Test(text, the_first_of_equally_near_words_wins) {
        const char *const candidates[] = { "cats", "bats", "rats" };

        cr_assert_str_eq(text_nearest("hats", candidates, array_size(candidates)), "cats");
}

Test(text, an_address_splits_at_its_last_colon) {
        static const struct {
                const char *address, *host, *port;
        } cases[] = {
                { "127.0.0.1:8080", "127.0.0.1", "8080" },
                { "[::1]:8080", "::1", "8080" },
                { ":8080", "", "8080" },
                { "localhost:0", "localhost", "0" },
                { "[]:1", "", "1" },
                { "a:65535", "a", "65535" },
        };
        char host[HOST_SIZE_MAX], port[PORT_SIZE_MAX];

        for (size_t i = 0; i < array_size(cases); i++) {
                cr_assert(text_split_address(cases[i].address, host, port), "%s", cases[i].address);
                cr_expect_str_eq(host, cases[i].host);
                cr_expect_str_eq(port, cases[i].port);
        }
}

Test(text, an_origin_is_written_as_browsers_do) {
        static const char *const good[] = { "https://shop.example", "http://localhost:3000",
                "https://shop.example:8443", "http://[::1]:3000", "capacitor://localhost", "https://a_b.example" };
        static const char *const bad[] = { "", "*", "null", "shop.example", "//shop.example", "https://", "https:/shop",
                "https://shop.example/", "https://shop.example/app", "https://shop.example:", "https://Shop.example",
                "HTTPS://shop.example", "https://shop.example:443", "http://shop.example:80", " https://shop.example",
                "https://shop.example ", "https://*.example", "https://shop.example?a", "https://a@shop.example" };

        for (size_t i = 0; i < array_size(good); i++)
                cr_expect(text_is_origin(good[i], strlen(good[i])), "%s", good[i]);
        for (size_t i = 0; i < array_size(bad); i++)
                cr_expect_not(text_is_origin(bad[i], strlen(bad[i])), "%s", bad[i]);
        cr_expect(text_is_origin("https://a,https://b/", strlen("https://a")), "no byte behind its size is looked at");
}

Test(text, an_address_without_a_port_or_beyond_the_limits_is_none) {
        char host[HOST_SIZE_MAX], port[PORT_SIZE_MAX], address[HOST_SIZE_MAX + 4];

        cr_expect_not(text_split_address("", host, port));
        cr_expect_not(text_split_address("127.0.0.1", host, port));
        cr_expect_not(text_split_address("127.0.0.1:", host, port));
        cr_expect_not(text_split_address("127.0.0.1:12345678", host, port));
        cr_expect_not(text_split_address("127.0.0.1:65536", host, port));
        cr_expect_not(text_split_address("127.0.0.1:000080", host, port), "five digits at most");
        cr_expect_not(text_split_address("127.0.0.1:-1", host, port));
        cr_expect_not(text_split_address("127.0.0.1:+80", host, port));
        cr_expect_not(text_split_address("127.0.0.1: 18180", host, port));
        cr_expect_not(text_split_address("127.0.0.1:80 ", host, port));
        cr_expect_not(text_split_address(" 127.0.0.1:80", host, port));
        cr_expect_not(text_split_address("127.0.0.1:http", host, port));
        memset(address, 'h', HOST_SIZE_MAX);
        memcpy(address + HOST_SIZE_MAX - 1, ":80", 4);
        cr_expect(text_split_address(address, host, port), "the longest host fits");
        memset(address, 'h', HOST_SIZE_MAX);
        memcpy(address + HOST_SIZE_MAX, ":80", 4);
        cr_expect_not(text_split_address(address, host, port));
}
