#include "base/buffer.h"

#include "dice.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

static struct arena arena;

static void open_arena(void) {
        arena_init(&arena, (size_t) 1 << 20);
}

static void close_arena(void) {
        arena_clear(&arena);
}

TestSuite(buffer, .init = open_arena, .fini = close_arena);

Test(buffer, is_empty_text_at_first) {
        struct buffer buffer;

        buffer_init(&buffer, &arena, 10);
        cr_assert_str_eq(buffer_text(&buffer), "");
        cr_assert_eq(buffer.size, 0);
        cr_assert_not(buffer.failed);
}

Test(buffer, joins_what_is_appended) {
        struct buffer buffer;

        buffer_init(&buffer, &arena, 100);
        buffer_append(&buffer, "abcdef", 3);
        buffer_append_text(&buffer, "-");
        buffer_append_format(&buffer, "%d%%", 42);
        buffer_append(&buffer, NULL, 0);
        cr_assert_str_eq(buffer_text(&buffer), "abc-42%");
        cr_assert_eq(buffer.size, 7);
}

Test(buffer, takes_exactly_its_maximum) {
        for (size_t maximum = 0; maximum < 600; maximum++) {
                struct buffer buffer;

                buffer_init(&buffer, &arena, maximum);
                for (size_t i = 0; i < maximum; i++)
                        buffer_append(&buffer, "x", 1);
                cr_assert_not(buffer.failed);
                cr_assert_eq(buffer.size, maximum);
                cr_assert_eq(strlen(buffer_text(&buffer)), maximum);
                buffer_append(&buffer, "x", 1);
                cr_assert(buffer.failed);
                cr_assert_eq(buffer.size, maximum);
                arena_reset(&arena);
        }
}

Test(buffer, keeps_what_it_has_and_does_nothing_more_once_it_failed) {
        struct buffer buffer;

        buffer_init(&buffer, &arena, 5);
        buffer_append_text(&buffer, "abc");
        buffer_append_text(&buffer, "def");
        cr_assert(buffer.failed);
        buffer_append_text(&buffer, "g");
        buffer_append_format(&buffer, "%d", 1);
        cr_assert_str_eq(buffer_text(&buffer), "abc");
}

Test(buffer, fails_when_formatted_text_is_too_long) {
        struct buffer buffer;

        buffer_init(&buffer, &arena, 3);
        buffer_append_format(&buffer, "%d", 1234);
        cr_assert(buffer.failed);
        cr_assert_str_eq(buffer_text(&buffer), "");
}

Test(buffer, fails_when_the_arena_is_exhausted) {
        for (size_t ceiling = 0; ceiling < 3000; ceiling += 3) {
                struct arena small;
                struct buffer buffer;
                size_t n = 0;

                arena_init(&small, ceiling);
                buffer_init(&buffer, &small, SIZE_MAX);
                for (; !buffer.failed; n++)
                        buffer_append(&buffer, "x", 1);
                cr_assert(small.exhausted);
                cr_assert_eq(buffer.size, n - 1);
                cr_assert_eq(strlen(buffer_text(&buffer)), buffer.size);
                arena_clear(&small);
        }
}

Test(buffer, grows_over_many_blocks_without_losing_a_byte) {
        static char expected[100000];
        struct buffer buffer;
        uint64_t dice = 3;
        size_t size = 0;

        buffer_init(&buffer, &arena, sizeof(expected));
        while (size < sizeof(expected) - 1000) {
                const size_t n = dice_below(&dice, 1000);

                memset(expected + size, (int) ('a' + dice_below(&dice, 26)), n);
                buffer_append(&buffer, expected + size, n);
                size += n;
        }
        cr_assert_not(buffer.failed);
        cr_assert_eq(buffer.size, size);
        cr_assert_eq(memcmp(buffer_text(&buffer), expected, size), 0);
}
