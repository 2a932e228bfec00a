/*
 * base/buffer: text that grows in an arena, up to a named maximum.
 *
 * Appending never fails visibly: past the maximum, or when the arena is exhausted, the buffer is marked `failed`,
 * keeps what it has, and every later append does nothing. Check `failed` once, at the end. The bytes are always
 * NUL-terminated and live as long as the arena.
 */
#pragma once

#include "base/arena.h"

struct buffer {
        struct arena *arena;
        char *bytes; /* NULL until the first append */
        size_t size; /* without the NUL */
        size_t capacity;
        size_t maximum;
        bool failed;
};

void buffer_init(struct buffer *buffer, struct arena *arena, size_t maximum);
void buffer_append(struct buffer *buffer, const char *bytes, size_t size);
/* `size` bytes more at the end, for the caller to fill at once; NULL, and failed, when there is no room. */
char *buffer_extend(struct buffer *buffer, size_t size);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_format(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text so far, never NULL. */
const char *buffer_text(const struct buffer *buffer);
