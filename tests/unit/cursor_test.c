#include "engine/cursor.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <string.h>

/* ---- help: a call for a list, its page written and read again ---- */

#define PARTS 2

static const struct cursor_key key = { .bytes = "a key of thirty-two bytes, or so", .known = true };
static struct call call;
static struct page_query query;

static void open_call(void) {
        call_init(&call, NULL);
        query = (struct page_query){ 0 };
        call.query = &query;
        call.target = "/v1/things?kind=a&limit=2";
}

static void close_call(void) {
        call_clear(&call);
}

TestSuite(cursor, .init = open_call, .fini = close_call);

/* The cursor of a page that ends after this row. */
static const char *cursor_after(const char *first, const char *second) {
        const char *const parts[PARTS] = { first, second };
        struct reply_writer w;
        struct page page;
        char *cursor;

        cr_assert(page_begin(&page, &call, &key, PARTS));
        reply_begin(&w, &call, 200);
        page_end(&w, &page, parts);
        reply_end(&w);
        cursor = arena_text(&call.arena, strchr(call.reply.body, ':') + 2);
        *strchr(cursor, '"') = '\0';
        return cursor;
}

static bool opens(const char *cursor, const char *target, struct page *ret_page) {
        call.refusal = (struct refusal){ 0 };
        query.cursor = cursor;
        call.target = target;
        return page_begin(ret_page, &call, &key, PARTS);
}

static void assert_refused(const char *cursor, const char *target) {
        struct page page;

        cr_assert_not(opens(cursor, target, &page), "%s took %s", target, cursor);
        cr_assert_eq(call.refusal.problem, PROBLEM_INVALID_CURSOR);
}

/* ---- tests ---- */

Test(cursor, the_first_page_begins_at_the_start) {
        struct page page;

        cr_assert(page_begin(&page, &call, &key, PARTS));
        cr_assert_null(page.after[0]);
        cr_assert_null(page.after[1]);
        cr_assert_eq(page.limit, PAGE_LIMIT);
}

Test(cursor, a_page_is_as_long_as_the_client_says) {
        struct page page;

        query.limit = 7;
        query.has_limit = true;
        cr_assert(page_begin(&page, &call, &key, PARTS));
        cr_assert_eq(page.limit, 7);
}

Test(cursor, the_next_page_goes_on_after_the_last_row) {
        struct page page;

        cr_assert(opens(cursor_after("2026-11-21", "\xc3\xa9"), call.target, &page));
        cr_assert_str_eq(page.after[0], "2026-11-21");
        cr_assert_str_eq(page.after[1], "\xc3\xa9");
}

Test(cursor, a_part_may_be_empty) {
        struct page page;

        cr_assert(opens(cursor_after("", ""), call.target, &page));
        cr_assert_str_empty(page.after[0]);
        cr_assert_str_empty(page.after[1]);
}

Test(cursor, the_last_page_has_none_and_no_link) {
        struct reply_writer w;
        struct page page;

        cr_assert(page_begin(&page, &call, &key, PARTS));
        reply_begin(&w, &call, 200);
        page_end(&w, &page, NULL);
        reply_end(&w);
        cr_assert_str_eq(call.reply.body, "{\"next_cursor\":null}");
        cr_assert_null(call.reply.link);
}

Test(cursor, the_link_keeps_the_filters_and_replaces_the_cursor) {
        const char *cursor;

        call.target = "/v1/things?kind=a<b>&cursor=old&limit=2";
        cursor = cursor_after("a", "b");
        cr_assert_str_eq(call.reply.link,
                arena_format(&call.arena, "</v1/things?kind=a%%3Cb%%3E&limit=2&cursor=%s>; rel=\"next\"", cursor));
        call.target = "/v1/things";
        cursor = cursor_after("a", "b");
        cr_assert_str_eq(call.reply.link, arena_format(&call.arena, "</v1/things?cursor=%s>; rel=\"next\"", cursor));
}

/* A client would send two cursors, and be refused. */
Test(cursor, the_link_replaces_a_cursor_whose_name_is_escaped) {
        const char *cursor;

        call.target = "/v1/things?%63ursor=old&kind=a&%63ursor&cursor";
        cursor = cursor_after("a", "b");
        cr_assert_str_eq(
                call.reply.link, arena_format(&call.arena, "</v1/things?kind=a&cursor=%s>; rel=\"next\"", cursor));
}

Test(cursor, every_altered_bit_is_noticed) {
        const char *cursor = cursor_after("some", "place");
        uint8_t bytes[CURSOR_SIZE_MAX], altered[CURSOR_SIZE_MAX];
        char text[CURSOR_SIZE_MAX + 1];
        size_t size;

        cr_assert(base64url_decode(cursor, strlen(cursor), bytes, &size));
        for (size_t bit = 0; bit < 8 * size; bit++) {
                memcpy(altered, bytes, size);
                altered[bit / 8] ^= (uint8_t) (1u << bit % 8);
                base64url_encode(altered, size, text);
                assert_refused(text, call.target);
        }
        for (size_t shorter = 0; shorter < size; shorter++) {
                base64url_encode(bytes, shorter, text);
                assert_refused(text, call.target);
        }
}

Test(cursor, a_text_that_is_no_cursor_is_refused) {
        char *huge = arena_alloc(&call.arena, 2 * CURSOR_SIZE_MAX);

        memset(huge, 'A', 2 * CURSOR_SIZE_MAX - 1);
        assert_refused("", call.target);
        assert_refused("abc", call.target);
        assert_refused("!", call.target);
        assert_refused(huge, call.target);
}

Test(cursor, another_list_or_other_filters_refuse_it) {
        const char *cursor = cursor_after("a", "b");

        assert_refused(cursor, "/v1/others?kind=a");
        assert_refused(cursor, "/v1/things");
        assert_refused(cursor, "/v1/things?kind=b");
        assert_refused(cursor, "/v1/things?kind=a&size=1");
        assert_refused(cursor, "/v1/things?kind=a&kind=a");
        assert_refused(cursor, "/v1/things?kind=a%26");
}

/* The router and the query refuse such targets first; a cursor does not rely on that. */
Test(cursor, a_target_that_cannot_be_decoded_names_no_list) {
        const char *cursor = cursor_after("a", "b");
        struct buffer many;

        assert_refused(cursor, "/v1/things%zz?kind=a");
        assert_refused(cursor, "/v1/\xd8things?kind=a");
        assert_refused(cursor, "/v1/things?kind=a&more=%zz");
        buffer_init(&many, &call.arena, 4096);
        buffer_append_text(&many, "/v1/things?kind=a");
        for (int i = 0; i < CURSOR_PARAMETERS; i++)
                buffer_append_text(&many, "&kind=a");
        assert_refused(cursor, buffer_text(&many));
}

/* A filter that is moved into the place it filters must not read the same. */
Test(cursor, a_filter_is_not_taken_for_a_part_of_the_place) {
        const char *cursor;

        call.target = "/v1/things?a=1&b=2";
        cursor = cursor_after("x", "y");
        assert_refused(cursor, "/v1/things?a=1%26b=2");
        assert_refused(cursor, "/v1/things?a=1");
}

Test(cursor, order_and_escaping_of_the_filters_and_the_limit_do_not_matter) {
        const char *cursor;
        struct page page;

        call.target = "/v1/things?kind=a&q=red+shoe";
        cursor = cursor_after("a", "b");
        cr_assert(opens(cursor, "/v1/things?q=red%20shoe&kind=%61&limit=9", &page));
        cr_assert(opens(cursor, arena_format(&call.arena, "/v1/things?cursor=%s&&q=red+shoe&kind=a", cursor), &page));
}

Test(cursor, the_key_of_another_deployment_refuses_it) {
        static const struct cursor_key other = { .bytes = "another key of thirty-two bytes", .known = true };
        struct page page;

        query.cursor = cursor_after("a", "b");
        cr_assert_not(page_begin(&page, &call, &other, PARTS));
}

Test(cursor, a_list_with_another_number_of_parts_refuses_it) {
        struct page page;

        query.cursor = cursor_after("a", "b");
        cr_assert_not(page_begin(&page, &call, &key, 1));
        cr_assert_not(page_begin(&page, &call, &key, 3));
}

/* No page is better than one that looks like the last. */
Test(cursor, a_place_that_does_not_fit_spoils_the_reply) {
        char *huge = arena_alloc(&call.arena, CURSOR_SIZE_MAX + 1);
        const char *const parts[PARTS] = { huge, "b" };
        struct reply_writer w;
        struct page page;

        memset(huge, 'x', CURSOR_SIZE_MAX);
        cr_assert(page_begin(&page, &call, &key, PARTS));
        reply_begin(&w, &call, 200);
        page_end(&w, &page, parts);
        reply_end(&w);
        cr_assert_neq(call.reply.status, 200);
}
