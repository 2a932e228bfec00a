/*
 * fuzz/fuzz: shared helpers of the fuzz targets.
 *
 * A target reads bytes of any kind, drives one parser with them, and requires properties of the outcome: that nothing
 * crashes, leaks or reads out of bounds is watched by the sanitizers. Each input gets fresh memory.
 */
#pragma once

#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_MEMORY    ((size_t) 4 * 1024 * 1024)
#define FUZZ_LINES_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* End the process, which makes libFuzzer keep the input, unless the property holds. */
#define require(property)                                                                                              \
        do {                                                                                                           \
                if (!(property)) {                                                                                     \
                        (void) fprintf(stderr, "%s:%d: broken property: %s\n", __FILE__, __LINE__, #property);         \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

/* The lines of an input, each NUL-terminated text without NUL; an absent line is NULL. */
struct fuzz_lines {
        char *at[FUZZ_LINES_MAX];
        size_t n;
};

/* A NUL byte ends the input. The last line takes all that is left. */
static inline void fuzz_lines_split(struct arena *arena, const uint8_t *bytes, size_t size, struct fuzz_lines *lines) {
        char *text = arena_text_sized(arena, (const char *) bytes, size);

        *lines = (struct fuzz_lines){ 0 };
        require(text);
        while (text && lines->n < FUZZ_LINES_MAX) {
                char *end = lines->n + 1 < FUZZ_LINES_MAX ? strchr(text, '\n') : NULL;

                if (end)
                        *end++ = '\0';
                lines->at[lines->n++] = text;
                text = end;
        }
}

/* The text, or NULL for an empty one: how a target says that a header is absent. */
static inline const char *fuzz_header(const char *line) {
        return line && *line ? line : NULL;
}
