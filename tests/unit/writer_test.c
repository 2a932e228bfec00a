#include "base/writer.h"

#include "dice.h"

#include <criterion/criterion.h>
#include <float.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#define DOCUMENT_SIZE_MAX ((size_t) 1 << 20)
#define WORD_SIZE         (19 * 18 + 1)

static struct arena arena;
static struct buffer buffer;
static struct writer writer;

static void open_writer(void) {
        arena_init(&arena, (size_t) 8 << 20);
        buffer_init(&buffer, &arena, DOCUMENT_SIZE_MAX);
        writer_init(&writer, &buffer);
}

static void start_over(void) {
        arena_reset(&arena);
        buffer_init(&buffer, &arena, DOCUMENT_SIZE_MAX);
        writer_init(&writer, &buffer);
}

static void close_writer(void) {
        arena_clear(&arena);
}

TestSuite(writer, .init = open_writer, .fini = close_writer);

static void assert_written(const char *expected) {
        cr_assert_not(buffer.failed);
        cr_assert_str_eq(buffer_text(&buffer), expected);
}

Test(writer, places_commas_by_itself) {
        write_object_begin(&writer);
        write_name(&writer, "lines");
        write_list_begin(&writer);
        write_object_begin(&writer);
        write_text_member(&writer, "sku", "A-1");
        write_integer_member(&writer, "quantity", 2);
        write_object_end(&writer);
        write_object_begin(&writer);
        write_object_end(&writer);
        write_integer(&writer, 3);
        write_list_begin(&writer);
        write_list_end(&writer);
        write_null(&writer);
        write_list_end(&writer);
        write_boolean_member(&writer, "paid", true);
        write_boolean_member(&writer, "returned", false);
        write_object_end(&writer);
        assert_written("{\"lines\":[{\"sku\":\"A-1\",\"quantity\":2},{},3,[],null],\"paid\":true,\"returned\":false}");
}

Test(writer, writes_every_kind_of_member) {
        struct uuid uuid;

        cr_assert(uuid_parse("0190a6e2-7b7c-7def-8123-456789abcdef", &uuid));
        write_object_begin(&writer);
        write_uuid_member(&writer, "id", &uuid);
        write_time_member(&writer, "at", INT64_C(1795256130123456));
        write_time_member(&writer, "never", TIMESTAMP_NONE);
        write_money_member(&writer, "total", (struct money){ 1999, "EUR" });
        write_number_member(&writer, "latitude", 52.5);
        write_text_member(&writer, "note", NULL);
        write_name(&writer, "attributes");
        write_raw(&writer, "{\"a\":1}");
        write_object_end(&writer);
        assert_written(
                "{\"id\":\"0190a6e2-7b7c-7def-8123-456789abcdef\",\"at\":\"2026-11-21T10:15:30.123Z\","
                "\"never\":null,\"total\":{\"amount\":1999,\"currency\":\"EUR\"},\"latitude\":52.5,\"note\":null,"
                "\"attributes\":{\"a\":1}}");
}

Test(writer, escapes_names_as_well) {
        write_object_begin(&writer);
        write_integer_member(&writer, "a\"b\\c\n", 1);
        write_object_end(&writer);
        assert_written("{\"a\\\"b\\\\c\\n\":1}");
}

Test(writer, keeps_other_text_as_it_is) {
        write_text(&writer, "crème/日本 🧺 \x7F");
        assert_written("\"crème/日本 🧺 \x7F\"");
}

Test(writer, writes_integers_of_every_size) {
        const int64_t integers[] = { 0, 1, -1, 9, 10, -10, 1999, INT64_MAX, INT64_MIN, INT64_MIN + 1 };
        uint64_t dice = 10;

        for (size_t i = 0; i < 5000; i++) {
                const int64_t integer =
                        i < array_size(integers) ? integers[i] : (int64_t) dice_roll(&dice) >> dice_below(&dice, 64);
                json_t *tree = NULL;

                start_over();
                write_integer(&writer, integer);
                tree = json_loads(buffer_text(&buffer), JSON_DECODE_ANY, NULL);
                cr_assert(json_is_integer(tree));
                cr_assert_eq(json_integer_value(tree), integer);
                json_decref(tree);
        }
}

static void assert_number(double number, const char *expected) {
        start_over();
        write_number(&writer, number);
        assert_written(expected);
}

Test(writer, writes_the_shortest_number_that_reads_back) {
        assert_number(0, "0");
        assert_number(-0.0, "0");
        assert_number(0.1, "0.1");
        assert_number(12.99, "12.99");
        assert_number(2, "2");
        assert_number(-52.520008, "-52.520008");
        assert_number(0.1 + 0.2, "0.30000000000000004");
        assert_number(1.0 / 3, "0.3333333333333333");
        assert_number(1e21, "1e+21");
        assert_number(5e-324, "5e-324");
        assert_number(DBL_MAX, "1.7976931348623157e+308");
        assert_number(9007199254740993.0, "9007199254740992");
}

Test(writer, writes_null_for_a_number_that_is_not_finite) {
        assert_number(INFINITY, "null");
        assert_number(-INFINITY, "null");
        assert_number(NAN, "null");
}

Test(writer, any_number_reads_back_the_same) {
        uint64_t dice = 11;

        for (int i = 0; i < 20000; i++) {
                const uint64_t bits = dice_roll(&dice);
                json_t *tree = NULL;
                double number;

                memcpy(&number, &bits, sizeof(number));
                if (!isfinite(number))
                        continue;
                start_over();
                write_number(&writer, number);
                tree = json_loads(buffer_text(&buffer), JSON_DECODE_ANY, NULL);
                cr_assert(json_is_number(tree), "%s", buffer_text(&buffer));
                cr_assert_eq(json_number_value(tree), number, "%s", buffer_text(&buffer));
                json_decref(tree);
        }
}

/* Words of what is most likely to go wrong, and of any code point at all. */
static void roll_word(uint64_t *dice, char *word) {
        static const char *const awkward[] = { "\"", "\\", "/", "\b", "\f", "\n", "\r", "\t", "\x01", "\x1F", "\x7F",
                "é", "\xE2\x80\xA8", "\xEF\xBF\xBF", "🧺", "👩‍👩‍👧", "\xF4\x8F\xBF\xBF", "\\u0041", "a",
                " ", "{}", "[,]" };
        const size_t n = dice_below(dice, 20);
        size_t size = 0;

        for (size_t i = 0; i < n; i++) {
                const char *piece = awkward[dice_below(dice, array_size(awkward))];

                memcpy(word + size, piece, strlen(piece));
                size += strlen(piece);
        }
        word[size] = '\0';
}

/* Build the same random document twice: with the writer, and as a tree. */
static json_t *roll_document(uint64_t *dice, int depth) {
        const size_t kind = dice_below(dice, depth > 0 ? 7 : 5);
        char word[WORD_SIZE];
        const int64_t integer = (int64_t) dice_roll(dice);
        json_t *tree = NULL;

        roll_word(dice, word);
        switch (kind) {
        case 0:
                write_null(&writer);
                return json_null();
        case 1:
                write_boolean(&writer, integer > 0);
                return json_boolean(integer > 0);
        case 2:
                write_integer(&writer, integer);
                return json_integer(integer);
        case 3:
                write_number(&writer, (double) integer + 0.5);
                return json_real((double) integer + 0.5);
        case 4:
                write_text(&writer, word);
                return json_string(word);
        case 5:
                tree = json_array();
                write_list_begin(&writer);
                for (size_t i = dice_below(dice, 5); i > 0; i--)
                        (void) json_array_append_new(tree, roll_document(dice, depth - 1));
                write_list_end(&writer);
                return tree;
        default:
                tree = json_object();
                write_object_begin(&writer);
                for (size_t i = dice_below(dice, 5); i > 0; i--) {
                        roll_word(dice, word);
                        if (json_object_get(tree, word))
                                continue;
                        write_name(&writer, word);
                        (void) json_object_set_new(tree, word, roll_document(dice, depth - 1));
                }
                write_object_end(&writer);
                return tree;
        }
}

/* A real of jansson is not equal to an integer, and 5e20 is written without a point; so numbers are compared apart. */
static bool same(const json_t *a, const json_t *b) {
        const char *name;
        json_t *value;

        if (json_is_number(a) && json_is_number(b))
                return json_number_value(a) == json_number_value(b) &&
                       (!json_is_integer(b) || json_integer_value(a) == json_integer_value(b));
        if (json_is_array(a) && json_is_array(b) && json_array_size(a) == json_array_size(b)) {
                for (size_t i = 0; i < json_array_size(a); i++)
                        if (!same(json_array_get(a, i), json_array_get(b, i)))
                                return false;
                return true;
        }
        if (!json_is_object(a) || !json_is_object(b))
                return json_equal(a, b);
        if (json_object_size(a) != json_object_size(b))
                return false;
        json_object_foreach((json_t *) a, name, value) {
                if (!same(value, json_object_get(b, name)))
                        return false;
        }
        return true;
}

Test(writer, any_text_reads_back_the_same_by_another_reader) {
        uint64_t dice = 12;

        for (int i = 0; i < 10000; i++) {
                char word[WORD_SIZE];
                json_t *tree = NULL;

                roll_word(&dice, word);
                start_over();
                write_text(&writer, word);
                tree = json_loads(buffer_text(&buffer), JSON_DECODE_ANY, NULL);
                cr_assert(json_is_string(tree), "%s", buffer_text(&buffer));
                cr_assert_str_eq(json_string_value(tree), word);
                json_decref(tree);
        }
}

Test(writer, any_document_reads_back_the_same_by_another_reader) {
        uint64_t dice = 13;

        for (int i = 0; i < 3000; i++) {
                json_t *expected = NULL, *tree = NULL;
                json_error_t error;

                start_over();
                expected = roll_document(&dice, 6);
                cr_assert_not(buffer.failed);
                tree = json_loads(buffer_text(&buffer), JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
                cr_assert_not_null(tree, "%s: %s", error.text, buffer_text(&buffer));
                cr_assert(same(tree, expected), "%s", buffer_text(&buffer));
                json_decref(tree);
                json_decref(expected);
        }
}

Test(writer, a_full_buffer_fails_the_document) {
        buffer_init(&buffer, &arena, 10);
        write_object_begin(&writer);
        write_text_member(&writer, "description", "long");
        write_object_end(&writer);
        cr_assert(buffer.failed);
        cr_assert_leq(buffer.size, 10);
}
