/*
 * idempotency_fuzz: Idempotency-Key headers.
 *
 * A key that is taken has 1 to 255 visible ASCII characters. Bare and quoted it is the same key.
 */
#include "fuzz.h"

#include "engine/idempotency.h"

#define KEY_LENGTH_MAX 255

static void key_is_taken_quoted_as_well(struct arena *arena, const char *key) {
        const char *quoted = NULL;

        require(idempotency_key_parse(arena_format(arena, "\"%s\"", key), arena, &quoted));
        require(strcmp(quoted, key) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        struct arena arena;
        const char *header, *key = NULL;

        arena_init(&arena, FUZZ_MEMORY);
        header = arena_text_sized(&arena, (const char *) bytes, size);
        require(header);
        if (idempotency_key_parse(header, &arena, &key)) {
                require(key && *key && strlen(key) <= KEY_LENGTH_MAX);
                for (const char *c = key; *c; c++)
                        require(*c > ' ' && *c < 0x7f);
                require(strstr(header, key));
                key_is_taken_quoted_as_well(&arena, key);
        } else {
                require(!key);
        }
        arena_clear(&arena);
        return 0;
}
