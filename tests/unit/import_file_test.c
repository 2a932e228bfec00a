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

static bool open_bytes(const char *bytes, size_t size, bool latin1) {
        const int descriptor = memfd_create("rows", 0);
        char path[64];
        bool opened;

        cr_assert_eq(write(descriptor, bytes, size), (ssize_t) size);
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
        opened = import_file_open(&file, path, &columns, latin1);
        (void) close(descriptor);
        return opened;
}

static bool open_text(const char *text) {
        return open_bytes(text, strlen(text), false);
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
        assert_refused("code,name,colour\n", "unknown column \"colour\"");
        assert_refused("code,note\n", "lacks the column \"name\"");
        assert_refused("code,name,code\n", "twice the column \"code\"");
        assert_refused("nonsense\n", "code,name,note (optional)");
        cr_assert_not(import_file_open(&file, "/nowhere/at/all.csv", &columns, false));
        cr_expect(strstr(file.reason, "No such file"), "%s", file.reason);
}

Test(import_file, tells_all_strangers_and_how_many_columns_there_are) {
        assert_refused(
                "a,b,code,c,d,e,f\n", "7 columns, 6 of them unknown: \"a\", \"b\", \"c\", \"d\", \"e\" and 1 more");
        assert_refused("a,b,code,c,d,e,f\n", "are: code,name,note (optional)");
}

Test(import_file, tells_which_separator_the_file_has) {
        assert_refused("code;name\n1;a\n", "separated by semicolons");
        assert_refused("code\tname\n", "separated by tabs");
        assert_refused("code|name\n", "separated by bars");
        assert_refused("code,na;me\n", "unknown column");
        assert_refused("\"code\";\"name\"\n\"1\";\"a\"\n", "separated by semicolons");
        assert_refused("\xef\xbb\xbf\n\"code\" ; \"name\"\r\n", "separated by semicolons");
        assert_refused("\"co\"\"de, or not\";name", "separated by semicolons");
        assert_refused("\"code\"\t\"name\"\n", "separated by tabs");
        assert_refused("code|\"name\"\n", "separated by bars");
        assert_refused("\"code\"|\"name\"\n", "separated by bars");
        assert_refused("\"code\" ,\"na;me\"\n", "text follows a closing quote; the columns");
        assert_refused("\"code\",\"name\";\"note\"\n", "text follows a closing quote; the columns");
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

        cr_assert(open_bytes(text, sizeof(text) - 1, /* latin1= */ true), "%s", file.reason);
        assert_row(2, "1", "\xc3\xa9");
        import_file_close(&file);
        cr_assert_not(open_bytes("\xff\xfe"
                                 "c\0o\0",
                6, /* latin1= */ false));
        cr_expect(strstr(file.reason, "UTF-16"), "%s", file.reason);
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

        cr_assert(open_bytes(text, sizeof(text) - 1, /* latin1= */ true), "%s", file.reason);
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
        cr_assert(open_bytes(text, size, false), "%s", file.reason);
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
