#include "engine/list.h"

#include <criterion/criterion.h>
#include <string.h>

#define ROWS_MAX   8
#define KEY_LENGTH 4

/* ---- help: a page of numbers, of which some are gone and some are large ---- */

struct numbers {
        struct page page;
        const char *rows[ROWS_MAX];
        size_t n;
        bool lacks_memory; /* for the cursor */
};

static const struct cursor_key key = { .bytes = "a key of thirty-two bytes, or so", .known = true };
static struct page_query query;
static struct call call;
static char large[PAGE_SIZE_MAX];

static const void *number_row(const struct page *page, size_t i) {
        const struct numbers *numbers = (const struct numbers *) page;

        return i < numbers->n ? &numbers->rows[i] : NULL;
}

static void number_write(struct writer *json, const struct page *page, const void *row) {
        const char *number = *(const char *const *) row;

        (void) page;
        if (strcmp(number, "gone") != 0)
                write_text(json, number);
}

static void number_key(const struct page *page, const void *row, struct arena *arena, const char **ret_parts) {
        const struct numbers *numbers = (const struct numbers *) page;
        const char *number = *(const char *const *) row;

        ret_parts[0] = numbers->lacks_memory ? NULL : arena_text_sized(arena, number, strnlen(number, KEY_LENGTH));
}

static const struct list_kind numbers_list = {
        .size = sizeof(struct numbers), .n_parts = 1, .row = number_row, .write = number_write, .key = number_key
};

static void open_call(void) {
        call_init(&call, NULL);
        query = (struct page_query){ .limit = 3, .has_limit = true };
        call.query = &query;
        call.target = "/v1/numbers?limit=3";
        memset(large, 'x', sizeof(large) - 1);
}

static void close_call(void) {
        call_clear(&call);
}

TestSuite(list, .init = open_call, .fini = close_call);

static void reply_of(struct numbers *numbers) {
        struct reply_writer w;

        while (numbers->rows[numbers->n])
                numbers->n++;
        cr_assert(page_begin(&numbers->page, &call, &key, /* n_parts= */ 1));
        reply_begin(&w, &call, 200);
        list_write(&w, &numbers_list, &numbers->page);
        reply_end(&w);
}

/* The key at which the next page begins; NULL: the page is the last. */
static const char *next_of_reply(void) {
        char *cursor = strstr(call.reply.body, "\"next_cursor\":\"");
        struct page page;

        if (!cursor)
                return NULL;
        cursor = arena_text(&call.arena, cursor + strlen("\"next_cursor\":\""));
        *strchr(cursor, '"') = '\0';
        query.cursor = cursor;
        cr_assert(page_begin(&page, &call, &key, /* n_parts= */ 1));
        return page.after[0];
}

/* ---- tests ---- */

Test(list, a_page_ends_at_its_limit_and_tells_the_next_one) {
        struct numbers numbers = { .rows = { "1", "2", "3", "4" } };

        reply_of(&numbers);
        cr_assert_eq(strncmp(call.reply.body, "{\"data\":[\"1\",\"2\",\"3\"],\"next_cursor\":\"", 37), 0);
        cr_assert_str_eq(next_of_reply(), "3");
        cr_assert_not_null(call.reply.link);
}

Test(list, the_last_page_tells_no_next_one) {
        struct numbers numbers = { .rows = { "1", "2", "3" } };

        reply_of(&numbers);
        cr_assert_str_eq(call.reply.body, "{\"data\":[\"1\",\"2\",\"3\"],\"next_cursor\":null}");
        cr_assert_null(call.reply.link);
}

Test(list, an_empty_list_is_one_page) {
        struct numbers numbers = { .n = 0 };

        reply_of(&numbers);
        cr_assert_str_eq(call.reply.body, "{\"data\":[],\"next_cursor\":null}");
}

Test(list, a_row_whose_document_has_gone_is_passed_over) {
        struct numbers numbers = { .rows = { "1", "gone", "gone", "4" } };

        reply_of(&numbers);
        cr_assert_eq(strncmp(call.reply.body, "{\"data\":[\"1\"],", 14), 0);
        cr_assert_str_eq(next_of_reply(), "gone");
}

Test(list, a_page_that_has_grown_large_ends_before_its_limit) {
        struct numbers numbers = { .rows = { "1", large, "3" } };

        reply_of(&numbers);
        cr_assert_null(strstr(call.reply.body, "\"3\""));
        cr_assert_str_eq(next_of_reply(), "xxxx");
}

/* Without the cursor the client would take this page for the last one. */
Test(list, a_page_whose_cursor_cannot_be_made_is_refused) {
        struct numbers numbers = { .rows = { "1", "2", "3", "4" }, .lacks_memory = true };

        reply_of(&numbers);
        cr_assert_eq(call.reply.status, problem_status(PROBLEM_CONTENT_TOO_LARGE));
}
