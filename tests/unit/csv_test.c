#include "base/csv.h"

#include "base/cleanup.h"

#include <criterion/criterion.h>
#include <string.h>

#define FIELDS(...)                                                                                                    \
        (const char *const[]) {                                                                                        \
                __VA_ARGS__, NULL                                                                                      \
        }

/* Read the first record of the text. */
static void assert_record(const char *text, const char *const *expected, size_t lines) {
        char *bytes = strdup(text);
        char *fields[CSV_FIELDS_MAX];
        struct csv_span span;
        size_t n;

        cr_assert_eq(csv_find(bytes, strlen(bytes), true, ',', &span), CSV_RECORD, "%s", text);
        cr_expect_eq(span.lines, lines, "%zu lines of %s", span.lines, text);
        n = csv_split(bytes, span.text_size, ',', fields);
        for (size_t i = 0; i < n; i++) {
                cr_assert_not_null(expected[i], "field %zu of %s", i, text);
                cr_expect_str_eq(fields[i], expected[i]);
        }
        cr_expect_null(expected[n], "%zu fields of %s", n, text);
        free(bytes);
}

static void assert_no_record(const char *bytes, size_t size, enum csv_outcome expected, size_t skipped) {
        struct csv_span span;

        cr_assert_eq(csv_find(bytes, size, true, ',', &span), expected, "%s", bytes);
        cr_expect_eq(span.size, skipped, "%zu bytes of %s", span.size, bytes);
        cr_expect_eq(span.lines, 1);
}

Test(csv, splits_at_commas) {
        assert_record("a,b,c\n", FIELDS("a", "b", "c"), 1);
        assert_record("a\nb\n", FIELDS("a"), 1);
        assert_record("a,,\n", FIELDS("a", "", ""), 1);
        assert_record(",\n", FIELDS("", ""), 1);
        assert_record("\n", FIELDS(""), 1);
}

Test(csv, takes_both_line_ends_and_none_at_the_end_of_the_file) {
        assert_record("a,b\r\nc", FIELDS("a", "b"), 1);
        assert_record("a,\"b\"\r\nc", FIELDS("a", "b"), 1);
        assert_record("a,b", FIELDS("a", "b"), 1);
        assert_record("a,\"b\"", FIELDS("a", "b"), 1);
        assert_record("a,\"b\"\r", FIELDS("a", "b"), 1);
        assert_record("a,", FIELDS("a", ""), 1);
}

Test(csv, unquotes) {
        assert_record("\"a,b\",c\n", FIELDS("a,b", "c"), 1);
        assert_record("\"say \"\"hello\"\"\",c\n", FIELDS("say \"hello\"", "c"), 1);
        assert_record("\"\",\"\"\"\"\n", FIELDS("", "\""), 1);
        assert_record("\"two\nlines\r\nthree\",c\nnext", FIELDS("two\nlines\r\nthree", "c"), 3);
}

Test(csv, leaves_a_quote_inside_an_unquoted_field_as_it_is) {
        assert_record("12\" RULER,x\n", FIELDS("12\" RULER", "x"), 1);
}

/* An unclosed quote would swallow the rest of the file: only its line is lost. */
Test(csv, gives_up_one_line_for_a_stray_quote) {
        assert_no_record("\"a,b\nc,d\n", 9, CSV_OPEN_QUOTE, 5);
        assert_no_record("x,\"a\" b\nc,d\n", 12, CSV_TEXT_AFTER_QUOTE, 8);
        assert_no_record("\"one\ntwo\"x\nc,d\n", 15, CSV_TEXT_AFTER_QUOTE, 5);
}

Test(csv, refuses_a_nul) {
        assert_no_record("a\0b\nc\n", 6, CSV_HAS_NUL, 4);
}

Test(csv, refuses_more_columns_than_it_has_room_for) {
        char most[2 * CSV_FIELDS_MAX] = "", more[2 * CSV_FIELDS_MAX + 2];
        char *fields[CSV_FIELDS_MAX];
        struct csv_span span;

        memset(most, ',', CSV_FIELDS_MAX - 1);
        cr_assert_eq(csv_find(most, CSV_FIELDS_MAX - 1, true, ',', &span), CSV_RECORD);
        cr_assert_eq(csv_split(most, span.text_size, ',', fields), (size_t) CSV_FIELDS_MAX);
        memset(more, ',', sizeof(more));
        more[CSV_FIELDS_MAX] = '\n';
        assert_no_record(more, CSV_FIELDS_MAX + 1, CSV_TOO_MANY_FIELDS, CSV_FIELDS_MAX + 1);
}

/* Every part of a record but the whole asks for more, whatever it ends with. */
Test(csv, waits_for_the_rest_of_a_record) {
        static const char text[] = "a,\"b \"\"c\"\"\nd\",\"e\"\r\n";
        struct csv_span span;

        for (size_t size = 0; size < sizeof(text) - 1; size++)
                cr_assert_eq(csv_find(text, size, false, ',', &span), CSV_INCOMPLETE, "%zu bytes", size);
        cr_assert_eq(csv_find(text, sizeof(text) - 1, false, ',', &span), CSV_RECORD);
        cr_assert_eq(span.size, sizeof(text) - 1);
        cr_assert_eq(csv_find("a\"", 2, false, ',', &span), CSV_INCOMPLETE);
        cr_assert_eq(csv_find("\"a\"b", 4, false, ',', &span), CSV_INCOMPLETE, "where its line ends is not known yet");
}
