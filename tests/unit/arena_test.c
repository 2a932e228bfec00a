#include "base/arena.h"

#include "dice.h"

#include <criterion/criterion.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#define PLENTY ((size_t) 1 << 20)

static bool all_zero(const unsigned char *bytes, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (bytes[i])
                        return false;
        return true;
}

Test(arena, starts_without_taking_memory) {
        struct arena arena;

        arena_init(&arena, PLENTY);
        cr_assert_null(arena.blocks);
        cr_assert_eq(arena.size, 0);
        cr_assert_not(arena.exhausted);
}

Test(arena, hands_out_zeroed_and_aligned_memory_even_after_a_reset) {
        struct arena arena;
        uint64_t dice = 1;

        arena_init(&arena, PLENTY);
        for (int round = 0; round < 3; round++) {
                for (int i = 0; i < 200; i++) {
                        const size_t size = dice_below(&dice, 300);
                        unsigned char *bytes = arena_alloc(&arena, size);

                        cr_assert_not_null(bytes);
                        cr_assert_eq((uintptr_t) bytes % alignof(max_align_t), 0);
                        cr_assert(all_zero(bytes, size));
                        memset(bytes, 0xFF, size);
                }
                arena_reset(&arena);
        }
        arena_clear(&arena);
}

Test(arena, never_takes_more_than_its_ceiling) {
        uint64_t dice = 2;

        for (size_t ceiling = 0; ceiling < 40000; ceiling += 7) {
                struct arena arena;

                arena_init(&arena, ceiling);
                while (arena_alloc(&arena, dice_below(&dice, 4000)))
                        cr_assert_leq(arena.size, ceiling);
                cr_assert(arena.exhausted);
                cr_assert_leq(arena.size, ceiling);
                arena_clear(&arena);
        }
}

Test(arena, gives_small_things_under_a_small_ceiling) {
        struct arena arena;

        arena_init(&arena, 128);
        cr_assert_not_null(arena_alloc(&arena, 16));
        cr_assert_null(arena_alloc(&arena, 128));
        cr_assert(arena.exhausted);
        cr_assert_not_null(arena_alloc(&arena, 16), "one refusal must not spoil what still fits");
        arena_clear(&arena);
}

Test(arena, refuses_sizes_that_overflow) {
        struct arena arena;

        arena_init(&arena, SIZE_MAX);
        cr_assert_null(arena_alloc(&arena, SIZE_MAX));
        cr_assert(arena.exhausted);
        arena.exhausted = false;
        cr_assert_null(arena_array(&arena, SIZE_MAX / 2, 3));
        cr_assert(arena.exhausted);
        arena_clear(&arena);
}

Test(arena, is_usable_again_after_a_reset_and_a_clear) {
        struct arena arena;

        arena_init(&arena, 20000);
        while (arena_alloc(&arena, 1000))
                ;
        arena_reset(&arena);
        cr_assert_not(arena.exhausted);
        cr_assert_not_null(arena.blocks, "the newest block is kept");
        cr_assert_lt(arena.size, 20000);
        cr_assert_not_null(arena_alloc(&arena, 1000));
        arena_clear(&arena);
        cr_assert_eq(arena.size, 0);
        cr_assert_eq(arena.ceiling, 20000);
        cr_assert_not_null(arena_alloc(&arena, 1000));
        arena_clear(&arena);
}

static void fill(struct arena *arena, size_t total) {
        for (size_t taken = 0; taken < total; taken += 100)
                cr_assert_not_null(arena_alloc(arena, 100));
}

Test(arena, soon_does_the_same_work_without_the_heap) {
        struct arena arena;
        struct arena_block *block;

        arena_init(&arena, 2 * ARENA_KEPT_MAX);
        for (int round = 0; round < 3; round++) {
                fill(&arena, 300000);
                arena_reset(&arena);
        }
        block = arena.blocks;
        fill(&arena, 300000);
        cr_assert_eq(arena.blocks, block, "the block that is kept holds all of it");
        arena_clear(&arena);
}

Test(arena, gives_back_what_is_larger_than_it_may_keep) {
        struct arena arena;

        arena_init(&arena, 8 * ARENA_KEPT_MAX);
        cr_assert_not_null(arena_alloc(&arena, 100));
        cr_assert_not_null(arena_alloc(&arena, 3 * ARENA_KEPT_MAX));
        arena_reset(&arena);
        cr_assert_lt(arena.size, ARENA_KEPT_MAX + 100);
        cr_assert_not_null(arena_alloc(&arena, 100));
        fill(&arena, 4 * ARENA_KEPT_MAX);
        arena_reset(&arena);
        cr_assert_lt(arena.size, ARENA_KEPT_MAX + 100);
        arena_clear(&arena);
}

Test(arena, takes_a_reset_while_still_empty) {
        struct arena arena;

        arena_init(&arena, PLENTY);
        arena_reset(&arena);
        cr_assert_null(arena.blocks);
}

Test(arena, copies_text_and_bytes) {
        struct arena arena;

        arena_init(&arena, PLENTY);
        cr_assert_str_eq(arena_text(&arena, "crème"), "crème");
        cr_assert_str_eq(arena_text(&arena, ""), "");
        cr_assert_str_eq(arena_text_sized(&arena, "SKU-1 and more", 5), "SKU-1");
        cr_assert_eq(memcmp(arena_copy(&arena, "\0\1\2", 3), "\0\1\2", 3), 0);
        cr_assert_str_eq(arena_format(&arena, "%s has %d", "0042", 7), "0042 has 7");
        arena_clear(&arena);
}

Test(arena, copies_nothing_when_there_is_no_room) {
        struct arena arena;

        arena_init(&arena, 0);
        cr_assert_null(arena_text(&arena, "text"));
        cr_assert_null(arena_text_sized(&arena, "text", 4));
        cr_assert_null(arena_copy(&arena, "text", 4));
        cr_assert_null(arena_format(&arena, "%d", 1));
        cr_assert(arena.exhausted);
}

Test(arena, take_leaves_null_behind) {
        struct arena arena;
        struct arena *owner = &arena;

        cr_assert_eq(take(owner), &arena);
        cr_assert_null(owner);
}

Test(arena, gives_back_what_was_allocated_after_a_mark) {
        struct arena arena;
        struct arena_mark mark;
        char *before;
        size_t size;

        arena_init(&arena, PLENTY);
        before = arena_text(&arena, "stays");
        mark = arena_mark(&arena);
        size = arena.size;
        for (int i = 0; i < 100; i++)
                cr_assert_not_null(arena_alloc(&arena, 1000));
        arena_rewind(&arena, mark);
        cr_assert_eq(arena.size, size);
        cr_assert_str_eq(before, "stays");
        cr_assert_str_eq(arena_text(&arena, "again"), "again");
        cr_assert_str_eq(before, "stays");
        arena_clear(&arena);
}

Test(arena, is_empty_again_after_a_rewind_to_its_beginning) {
        struct arena arena;
        struct arena_mark mark;

        arena_init(&arena, 4096);
        mark = arena_mark(&arena);
        while (arena_alloc(&arena, 100))
                ;
        cr_assert(arena.exhausted);
        arena_rewind(&arena, mark);
        cr_assert_eq(arena.size, 0);
        cr_assert_not(arena.exhausted);
        cr_assert_not_null(arena_alloc(&arena, 100));
        arena_clear(&arena);
}
