#include "base/buffer.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CAPACITY_FIRST ((size_t) 256)

void buffer_init(struct buffer *buffer, struct arena *arena, size_t maximum) {
        *buffer = (struct buffer){ .arena = arena, .maximum = maximum };
}

static size_t capacity_for(const struct buffer *buffer, size_t needed) {
        size_t capacity = buffer->capacity ? buffer->capacity : CAPACITY_FIRST;

        while (capacity < needed)
                capacity = capacity > SIZE_MAX / 2 ? needed : 2 * capacity;
        /* Room for the NUL as well; a buffer never allocates more than its maximum. */
        if (capacity - 1 > buffer->maximum)
                capacity = buffer->maximum + 1;
        return capacity;
}

/* Make room for `more` bytes and the NUL. */
static bool buffer_reserve(struct buffer *buffer, size_t more) {
        char *bytes = NULL;
        size_t capacity;

        if (more > buffer->maximum - buffer->size)
                return false;
        if (buffer->bytes && more < buffer->capacity - buffer->size)
                return true;
        capacity = capacity_for(buffer, buffer->size + more + 1);
        bytes = arena_alloc(buffer->arena, capacity);
        if (!bytes)
                return false;
        if (buffer->size)
                memcpy(bytes, buffer->bytes, buffer->size);
        buffer->bytes = bytes;
        buffer->capacity = capacity;
        return true;
}

char *buffer_extend(struct buffer *buffer, size_t size) {
        char *end;

        if (buffer->failed)
                return NULL;
        if (!buffer_reserve(buffer, size)) {
                buffer->failed = true;
                return NULL;
        }
        end = buffer->bytes + buffer->size;
        buffer->size += size;
        end[size] = '\0';
        return end;
}

void buffer_append(struct buffer *buffer, const char *bytes, size_t size) {
        char *end = buffer_extend(buffer, size);

        if (end && size)
                memcpy(end, bytes, size);
}

void buffer_append_text(struct buffer *buffer, const char *text) {
        buffer_append(buffer, text, strlen(text));
}

static void append_formatted(struct buffer *buffer, const char *format, va_list arguments) {
        va_list again;
        int size;

        va_copy(again, arguments);
        size = vsnprintf(NULL, 0, format, again);
        va_end(again);
        if (size < 0 || !buffer_reserve(buffer, (size_t) size)) {
                buffer->failed = true;
                return;
        }
        (void) vsnprintf(buffer->bytes + buffer->size, (size_t) size + 1, format, arguments);
        buffer->size += (size_t) size;
}

void buffer_append_format(struct buffer *buffer, const char *format, ...) {
        va_list arguments;

        if (buffer->failed)
                return;
        va_start(arguments, format);
        append_formatted(buffer, format, arguments);
        va_end(arguments);
}

const char *buffer_text(const struct buffer *buffer) {
        return buffer->bytes ? buffer->bytes : "";
}
