/*
 * base/arena: memory that lives exactly as long as one call or one batch.
 *
 * An arena hands out memory and takes all of it back at once. It has a ceiling, so no request can grow without a
 * bound: past the ceiling, and when the machine has no memory left, every allocation returns NULL and `exhausted` is
 * set. Memory is zeroed and aligned for any type. Not shared between threads; owning it passes with the call.
 */
#pragma once

#include "base/cleanup.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define ARENA_KEPT_MAX ((size_t) 1024 * 1024) /* the largest block that a reset keeps */

struct arena_block;

struct arena {
        struct arena_block *blocks; /* newest first */
        size_t size;                /* bytes taken from the heap so far */
        size_t ceiling;             /* bytes it may take at most */
        bool exhausted;
};

/* Start an empty arena that takes at most `ceiling` bytes. It allocates nothing yet. */
void arena_init(struct arena *arena, size_t ceiling);

/* Give everything back to the heap. The arena is empty again and may be used anew. */
void arena_clear(struct arena *arena);

/* Keep the largest block for reuse, up to ARENA_KEPT_MAX, and free the others. A worker resets its arena between two
 * batches, so that it soon needs the heap no more. */
void arena_reset(struct arena *arena);

/* A point to go back to: a rewind gives back everything allocated after the mark, and the arena is no longer exhausted.
 * A mark is valid until the arena is cleared, reset or rewound to an earlier mark. */
struct arena_mark {
        struct arena_block *block;
        size_t used;
};

struct arena_mark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);

/* `size` zeroed bytes, or NULL when the ceiling is reached. */
must_check void *arena_alloc(struct arena *arena, size_t size);

/* A zeroed array of `n` elements, or NULL; also NULL when n * element_size overflows. */
must_check void *arena_array(struct arena *arena, size_t n, size_t element_size);

/* Copies of text in the arena, NUL-terminated; NULL when the ceiling is reached. */
must_check char *arena_text(struct arena *arena, const char *text);
must_check char *arena_text_sized(struct arena *arena, const char *text, size_t size);
must_check void *arena_copy(struct arena *arena, const void *bytes, size_t size);

/* Room for one more element: the array itself while n < *capacity, else a copy with twice the room, and *capacity
 * raised. Start with NULL and 0. NULL when the ceiling is reached; then the old array is unchanged. */
must_check void *arena_grow(struct arena *arena, void *array, size_t n, size_t *capacity, size_t element_size);

/* Formatted text in the arena; NULL when the ceiling is reached. */
must_check char *arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One zeroed object, or an array of them, by type. */
#define arena_new(arena, type)          ((type *) arena_alloc((arena), sizeof(type)))
#define arena_new_array(arena, type, n) ((type *) arena_array((arena), (n), sizeof(type)))
