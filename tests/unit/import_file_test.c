#include "importing/file.h"

#include "base/cleanup.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct import_column column_list[] = { { "code", true }, { "name", true }, { "note", false } };
static const struct import_columns columns = { column_list, array_size(column_list) };

static struct import_file file;
static struct import_row row;

static struct import_reading reading;

static bool open_bytes(const char *bytes, size_t size) {
        const int descriptor = memfd_create("rows", 0);
        char path[64];
        bool opened;

        cr_assert_eq(write(descriptor, bytes, size), (ssize_t) size);
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
        opened = import_file_open(&file, path, &columns, &reading);
        (void) close(descriptor);
        return opened;
}

static bool open_text(const char *text) {
        return open_bytes(text, strlen(text));
}

static void close_file(void) {
        import_file_close(&file);
}

static void assert_row(size_t number, const char *code, const char *name) {
        cr_assert_eq(import_file_next(&file, &row), IMPORT_ROW, "%s", file.reason);
        cr_expect_eq(row.line, number, "line %zu", row.line);
        cr_expect_str_eq(row.cells[0], code);
        cr_expect_str_eq(row.cells[1], name);
}

static void assert_no_row(size_t number, const char *word) {
        cr_assert_eq(import_file_next(&file, &row), IMPORT_NO_ROW);
        cr_expect_eq(row.line, number, "line %zu", row.line);
        cr_expect(strstr(file.reason, word), "\"%s\" does not say %s", file.reason, word);
}

static void assert_end(void) {
        cr_assert_eq(import_file_next(&file, &row), IMPORT_END, "%s", file.reason);
}

TestSuite(import_file, .fini = close_file);

Test(import_file, finds_columns_by_name_in_any_order) {
        cr_assert(open_text("Name, CODE\nfirst,1\n second ,2\n"), "%s", file.reason);
        assert_row(2, "1", "first");
        cr_expect_null(row.cells[2]);
        assert_row(3, "2", "second");
        assert_end();
        assert_end();
}

Test(import_file, passes_over_a_byte_order_mark_and_empty_lines) {
        cr_assert(open_text("\xef\xbb\xbf\ncode,name,note\n\r\n1,a,\n\n\n2,b,x"), "%s", file.reason);
        assert_row(4, "1", "a");
        cr_expect_str_eq(row.cells[2], "");
        assert_row(7, "2", "b");
        assert_end();
}

Test(import_file, counts_the_lines_inside_quotes) {
        cr_assert(open_text("code,name\n1,\"a\nb\nc\"\n2,d\n"), "%s", file.reason);
        assert_row(2, "1", "a\nb\nc");
        assert_row(5, "2", "d");
}

static void assert_refused(const char *text, const char *word) {
        cr_assert_not(open_text(text), "%s", text);
        cr_expect(strstr(file.reason, word), "\"%s\" does not say %s", file.reason, word);
        import_file_close(&file);
}

Test(import_file, tells_what_is_wrong_with_the_header_and_what_belongs_there) {
        assert_refused("", "missing");
        assert_refused("code,note\n", "lacks the column \"name\"");
        assert_refused("code,name,code\n", "twice the column \"code\"");
        assert_refused("nonsense\n", "code,name,note (optional)");
        cr_assert_not(import_file_open(&file, "/nowhere/at/all.csv", &columns, &reading));
        cr_expect(strstr(file.reason, "No such file"), "%s", file.reason);
}

Test(import_file, tells_all_missing_and_all_unknown_columns_at_once) {
        assert_refused("a,b,c,note,d,e,f,g\n",
                "has 8 columns, and lacks the columns \"code\", \"name\"; 7 unknown columns: \"a\", \"b\", \"c\", \"d\", "
                "\"e\", \"f\", \"g\"; give a missing one by --map TARGET=COLUMN or --set TARGET=VALUE; the columns, in any order, are: code,name,note (optional)");
}

Test(import_file, passes_over_unknown_columns_and_lists_them) {
        char unknown[128] = "";

        cr_assert(open_text("colour,code,,name,Size\nred,1,x,a,S\n"), "%s", file.reason);
        cr_expect_eq(import_header_unknown(&file.header, unknown, sizeof(unknown)), 2);
        cr_expect_str_eq(unknown, " \"colour\", \"Size\"");
        assert_row(2, "1", "a");
}

Test(import_file, refuses_unknown_columns_when_it_reads_strictly) {
        reading.strict = true;
        assert_refused("code,name,colour\n", "1 unknown column: \"colour\"; without --strict");
        cr_assert(open_text("code,name,rejected_line,rejected_reason\n1,a,2,it is so\n"), "%s", file.reason);
        assert_row(2, "1", "a");
}

Test(import_file, matches_names_without_regard_to_case_blanks_and_dashes) {
        cr_assert(open_text("CO de,_N-a m_E\n1,a\n"), "%s", file.reason);
        assert_row(2, "1", "a");
        import_file_close(&file);
        assert_refused("co.de,name\n", "lacks the column \"code\"");
}

Test(import_file, passes_over_separators_behind_the_last_column) {
        cr_assert(open_text("code,name,,\n1,a,,\n2,b\n,,,\n3,c,,,,\n4,d,,x\n,\n"), "%s", file.reason);
        assert_row(2, "1", "a");
        assert_row(3, "2", "b");
        assert_row(5, "3", "c");
        assert_no_row(6, "it has 4 columns, the header has 2");
        assert_end();
}

Test(import_file, finds_the_separator_of_the_header) {
        static const char *const texts[] = { "code;name\n1;a,b\n", "\"code\";\"name\"\n1;\"a,b\"\n",
                "code\tname\n1\ta,b\n", "code|name\n1|a,b\n", "\xef\xbb\xbf\r\n\"code\";\"na me\";x,y\r\n1;a,b;\r\n",
                "sep=;\ncode;name\n1;a,b\n", "\"code, or so\";code;name\n0;1;a,b\n" };

        for (size_t i = 0; i < array_size(texts); i++) {
                cr_assert(open_text(texts[i]), "%s: %s", texts[i], file.reason);
                cr_assert_eq(import_file_next(&file, &row), IMPORT_ROW, "%s", file.reason);
                cr_expect_str_eq(row.cells[0], "1", "%s", texts[i]);
                cr_expect_str_eq(row.cells[1], "a,b", "%s", texts[i]);
                import_file_close(&file);
        }
}

Test(import_file, believes_the_separator_that_it_was_told) {
        reading.separator = ';';
        cr_assert(open_text("code;name;x,a,b,c,d\n1;a;\n"), "%s", file.reason);
        assert_row(2, "1", "a");
        import_file_close(&file);
        assert_refused("code,name\n", "lacks the columns \"code\", \"name\"; 1 unknown column: \"code,name\"");
}

Test(import_file, counts_the_line_that_names_the_separator) {
        cr_assert(open_text("sep=,\ncode,name\n1,a\n"), "%s", file.reason);
        assert_row(3, "1", "a");
        import_file_close(&file);
        assert_refused("sep=x\ncode,name\n", "\"sep=x\"");
}

Test(import_file, takes_away_space_that_nobody_sees) {
        cr_assert(open_text("code,name\n\xc2\xa0"
                            "1\xe2\x80\x8b,\t a\xc2\xa0"
                            "b \xc2\xa0\n"),
                "%s", file.reason);
        assert_row(2, "1",
                "a\xc2\xa0"
                "b");
}

Test(import_file, refuses_a_line_that_repeats_the_header) {
        cr_assert(open_text("code,name\n1,a\nCode, NAME\ncode,b\n"), "%s", file.reason);
        assert_row(2, "1", "a");
        assert_no_row(3, "repeats the header");
        assert_row(4, "code", "b");
}

Test(import_file, tells_a_last_line_without_its_end) {
        cr_assert(open_text("code,name\n1,a\n2,b"), "%s", file.reason);
        assert_row(2, "1", "a");
        cr_expect_not(file.open_end);
        assert_row(3, "2", "b");
        cr_expect(file.open_end);
}

Test(import_file, believes_a_byte_order_mark_more_than_what_it_was_told) {
        const char text[] = "\xef\xbb\xbf"
                            "code,name\n1,\xc3\xa9\n";

        reading.encoding = ENCODING_WINDOWS_1252;
        cr_assert(open_bytes(text, sizeof(text) - 1), "%s", file.reason);
        assert_row(2, "1", "\xc3\xa9");
        import_file_close(&file);
        cr_assert(open_bytes("\xff\xfe"
                             "c\0o\0d\0e\0,\0n\0a\0m\0e\0\n\0"
                             "1\0,\0\xe9\0",
                28));
        assert_row(2, "1", "\xc3\xa9");
}

static size_t to_utf16(const char *ascii, bool big_endian, char *out) {
        size_t n = 0;

        for (; *ascii; ascii++) {
                out[n + big_endian] = *ascii;
                out[n + !big_endian] = '\0';
                n += 2;
        }
        return n;
}

Test(import_file, reads_utf16_without_a_mark_when_told_to) {
        char bytes[64];

        reading.encoding = ENCODING_UTF16_LE;
        for (int big = 0; big < 2; big++) {
                cr_assert(open_bytes(bytes, to_utf16("code,name\n1,a\n", big, bytes)), "%s", file.reason);
                assert_row(2, "1", "a");
                import_file_close(&file);
        }
}

/* The file is larger than a read; each row is found again at its place, though characters have 2 or 4 bytes. */
Test(import_file, finds_rows_of_utf16_again_by_their_place) {
        enum { ROWS = 40000 };
        _cleanup_free_ char *bytes = malloc(64 + ROWS * 64);
        _cleanup_free_ uint64_t *offsets = calloc(ROWS, sizeof(*offsets));
        char line[64];
        size_t size = 2;

        memcpy(bytes, "\xfe\xff", 2);
        size += to_utf16("code,name\n", true, bytes + size);
        for (int i = 0; i < ROWS; i++) {
                (void) snprintf(line, sizeof(line), "%d,", i);
                size += to_utf16(line, true, bytes + size);
                memcpy(bytes + size, "\x01\x42\xd8\x3d\xdc\x5f\x00\n", 8); /* l with a stroke, a pile, the line end */
                size += 8;
        }
        cr_assert(open_bytes(bytes, size), "%s", file.reason);
        for (int i = 0; i < ROWS; i++) {
                cr_assert_eq(import_file_next(&file, &row), IMPORT_ROW, "%s", file.reason);
                cr_assert_str_eq(row.cells[1], "\xc5\x82\xf0\x9f\x91\x9f");
                offsets[i] = row.offset;
        }
        assert_end();
        for (int i = ROWS - 1; i >= 0; i -= 997) {
                (void) snprintf(line, sizeof(line), "%d", i);
                cr_assert(import_file_seek(&file, offsets[i], (size_t) i + 2));
                assert_row((size_t) i + 2, line, "\xc5\x82\xf0\x9f\x91\x9f");
        }
}

Test(import_file, replaces_half_characters_of_utf16) {
        cr_assert(open_bytes("\xff\xfe"
                             "c\0o\0d\0e\0,\0n\0a\0m\0e\0\n\0"
                             "1\0,\0\x3d\xd8"
                             "a\0\x5f\xdc\n\0"
                             "2\0,\0b\0\x3d",
                41));
        assert_row(2, "1",
                "\xef\xbf\xbd"
                "a\xef\xbf\xbd");
        assert_row(3, "2", "b\xef\xbf\xbd");
}

Test(import_file, names_lines_that_are_no_rows_and_reads_on) {
        cr_assert(open_text("code,name\n1\n2,b,c\n3,\"c\n4,d\n5,\xff\n6,f\n"), "%s", file.reason);
        assert_no_row(2, "it has 1 columns, the header has 2");
        assert_no_row(3, "it has 3 columns");
        assert_no_row(4, "never closed");
        assert_row(5, "4", "d");
        assert_no_row(6, "UTF-8");
        assert_row(7, "6", "f");
        assert_end();
}

Test(import_file, reads_latin1_when_told_to) {
        const char text[] = "code,name\n1,\"caf\xe9, \x80\"\n";

        reading.encoding = ENCODING_WINDOWS_1252;
        cr_assert(open_bytes(text, sizeof(text) - 1), "%s", file.reason);
        assert_row(2, "1", "caf\xc3\xa9, \xe2\x82\xac");
}

/* A line with a size of more than its buffer, and an open quote with more behind it than fits. */
Test(import_file, gives_up_no_more_than_the_line_that_is_too_long) {
        const size_t long_size = 6 * IMPORT_RECORD_SIZE_MAX;
        _cleanup_free_ char *text = calloc(1, 16 * IMPORT_RECORD_SIZE_MAX);
        size_t size = (size_t) snprintf(text, 64, "code,name\n2,");

        memset(text + size, 'x', long_size);
        size += long_size;
        size += (size_t) snprintf(text + size, 64, "\n3,c\n4,\"d\n");
        for (size_t i = 0; i < IMPORT_RECORD_SIZE_MAX; i++)
                size += (size_t) snprintf(text + size, 8, "%c,e\n", (char) ('A' + i % 26));
        cr_assert(open_bytes(text, size), "%s", file.reason);
        assert_no_row(2, "longer than");
        assert_row(3, "3", "c");
        assert_no_row(4, "never closed");
        for (size_t i = 0; i < IMPORT_RECORD_SIZE_MAX; i++)
                cr_assert_eq(import_file_next(&file, &row), IMPORT_ROW, "%zu: %s", i, file.reason);
        assert_end();
}

Test(import_file, reads_a_row_again_by_its_place) {
        uint64_t offset;

        cr_assert(open_text("code,name\n1,a\n2,b\n3,c\n"), "%s", file.reason);
        assert_row(2, "1", "a");
        assert_row(3, "2", "b");
        offset = row.offset;
        assert_row(4, "3", "c");
        assert_end();
        cr_assert(import_file_seek(&file, offset, 3));
        assert_row(3, "2", "b");
        assert_row(4, "3", "c");
        assert_end();
}

static void assert_raw(size_t number, const char *text) {
        struct import_raw raw;

        cr_assert(import_file_raw_next(&file, &raw));
        cr_expect_eq(raw.line, number, "line %zu", raw.line);
        cr_expect(raw.size == strlen(text) && memcmp(raw.text, text, raw.size) == 0, "%.*s is not %s", (int) raw.size,
                raw.text, text);
}

Test(import_file, gives_rows_as_they_stand_for_a_second_pass) {
        struct import_raw raw;

        cr_assert(open_text("code,name,,\n 1 ,\"a\"\"\nb\",,\r\n\n,,\n2\n3,a,x,y\n4,\"open\n5,\xff\n"), "%s",
                file.reason);
        assert_raw(2, " 1 ,\"a\"\"\nb\"");
        assert_raw(6, "2");
        assert_raw(7, "3,a,x,y");
        assert_raw(8, "4,\"open");
        assert_raw(9, "5,\xff");
        cr_expect_not(import_file_raw_next(&file, &raw));
}

Test(import_file, gives_rows_of_other_encodings_as_utf8_for_a_second_pass) {
        const char text[] = "code,name\n1,caf\xe9\n";

        reading.encoding = ENCODING_WINDOWS_1252;
        cr_assert(open_bytes(text, sizeof(text) - 1), "%s", file.reason);
        assert_raw(2, "1,caf\xc3\xa9");
}
