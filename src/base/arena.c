#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_FIRST ((size_t) 2048)
#define GROW_FIRST  ((size_t) 32)

struct arena_block {
        struct arena_block *older;
        size_t capacity;
        size_t used;
        alignas(max_align_t) unsigned char bytes[];
};

void arena_init(struct arena *arena, size_t ceiling) {
        *arena = (struct arena){ .ceiling = ceiling };
}

static void blocks_free(struct arena_block *block) {
        while (block) {
                struct arena_block *older = block->older;
                free(block);
                block = older;
        }
}

void arena_clear(struct arena *arena) {
        blocks_free(arena->blocks);
        arena_init(arena, arena->ceiling);
}

/* Blocks grow, so the newest is the largest, unless the ceiling has cut it short. */
void arena_reset(struct arena *arena) {
        while (arena->blocks && arena->blocks->capacity > ARENA_KEPT_MAX) {
                struct arena_block *newest = arena->blocks;

                arena->blocks = newest->older;
                free(newest);
        }
        arena->size = 0;
        arena->exhausted = false;
        if (!arena->blocks)
                return;
        blocks_free(take(arena->blocks->older));
        arena->blocks->used = 0;
        arena->size = sizeof(struct arena_block) + arena->blocks->capacity;
}

struct arena_mark arena_mark(const struct arena *arena) {
        return (struct arena_mark){ arena->blocks, arena->blocks ? arena->blocks->used : 0 };
}

void arena_rewind(struct arena *arena, struct arena_mark mark) {
        while (arena->blocks != mark.block) {
                struct arena_block *newest = arena->blocks;

                arena->blocks = newest->older;
                arena->size -= sizeof(*newest) + newest->capacity;
                free(newest);
        }
        if (mark.block)
                mark.block->used = mark.used;
        arena->exhausted = false;
}

/* The capacity of a new block for at least `size` bytes, or 0 if it would pass the ceiling. Each block is twice as
 * large as the one before, so that few are needed, up to the size that a reset keeps. The header counts as well. */
static size_t block_capacity(const struct arena *arena, size_t size) {
        const size_t taken = arena->size + sizeof(struct arena_block);
        const size_t room = arena->ceiling > taken ? arena->ceiling - taken : 0;
        size_t capacity = arena->blocks ? 2 * arena->blocks->capacity : BLOCK_FIRST;

        if (capacity > ARENA_KEPT_MAX)
                capacity = ARENA_KEPT_MAX;
        if (capacity < size)
                capacity = size;
        if (capacity > room)
                capacity = room;
        return capacity < size ? 0 : capacity;
}

static struct arena_block *block_add(struct arena *arena, size_t size) {
        const size_t capacity = block_capacity(arena, size);
        struct arena_block *block = NULL;

        if (!capacity)
                return NULL;
        block = malloc(sizeof(*block) + capacity);
        if (!block)
                return NULL;
        *block = (struct arena_block){ .older = arena->blocks, .capacity = capacity };
        arena->blocks = block;
        arena->size += sizeof(*block) + capacity;
        return block;
}

static size_t aligned(size_t size) {
        const size_t unit = alignof(max_align_t);

        return (size + unit - 1) / unit * unit;
}

void *arena_alloc(struct arena *arena, size_t size) {
        struct arena_block *block = arena->blocks;
        void *bytes = NULL;

        if (size > SIZE_MAX / 2) {
                arena->exhausted = true;
                return NULL;
        }
        size = aligned(size ? size : 1);
        if (!block || block->capacity - block->used < size)
                block = block_add(arena, size);
        if (!block) {
                arena->exhausted = true;
                return NULL;
        }
        bytes = block->bytes + block->used;
        block->used += size;
        return memset(bytes, 0, size);
}

void *arena_array(struct arena *arena, size_t n, size_t element_size) {
        size_t size = 0;

        if (__builtin_mul_overflow(n, element_size, &size)) {
                arena->exhausted = true;
                return NULL;
        }
        return arena_alloc(arena, size);
}

void *arena_copy(struct arena *arena, const void *bytes, size_t size) {
        void *copy = arena_alloc(arena, size);

        if (copy && size)
                memcpy(copy, bytes, size);
        return copy;
}

char *arena_text_sized(struct arena *arena, const char *text, size_t size) {
        char *copy = arena_alloc(arena, size + 1);

        if (copy && size)
                memcpy(copy, text, size);
        return copy;
}

char *arena_text(struct arena *arena, const char *text) {
        return arena_text_sized(arena, text, strlen(text));
}

void *arena_grow(struct arena *arena, void *array, size_t n, size_t *capacity, size_t element_size) {
        const size_t larger = *capacity ? 2 * *capacity : GROW_FIRST;
        void *copy;

        if (n < *capacity)
                return array;
        copy = arena_array(arena, larger, element_size);
        if (!copy)
                return NULL;
        if (n)
                memcpy(copy, array, n * element_size);
        *capacity = larger;
        return copy;
}

static char *format_in(struct arena *arena, const char *format, va_list arguments) {
        va_list again;
        char *text = NULL;
        int size;

        va_copy(again, arguments);
        size = vsnprintf(NULL, 0, format, again);
        va_end(again);
        if (size >= 0)
                text = arena_alloc(arena, (size_t) size + 1);
        if (text)
                (void) vsnprintf(text, (size_t) size + 1, format, arguments);
        return text;
}

char *arena_format(struct arena *arena, const char *format, ...) {
        va_list arguments;
        char *text;

        va_start(arguments, format);
        text = format_in(arena, format, arguments);
        va_end(arguments);
        return text;
}
