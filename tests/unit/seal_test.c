#include "base/seal.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <string.h>

#define KEY  "a-sealing-key-of-32-bytes-or-more"
#define NAME "0190a6e2-7b7c-7def-8123-456789abcdef"

static struct arena arena;

static void seal_begin(void) {
        arena_init(&arena, 4 << 20);
}

static void seal_end(void) {
        arena_clear(&arena);
}

TestSuite(seal, .init = seal_begin, .fini = seal_end);

static const uint8_t secret[] = "thirty-two bytes that are secret";
#define SECRET_SIZE (sizeof(secret) - 1)

static const char *sealed(const char *key) {
        const char *text = seal_close(key, NAME, secret, SECRET_SIZE, &arena);

        cr_assert_not_null(text);
        return text;
}

static bool opens(const char *key, const char *name, const char *text) {
        const uint8_t *bytes = NULL;
        size_t size = 0;

        return seal_open(key, name, text, &arena, &bytes, &size) && size == SECRET_SIZE && !memcmp(bytes, secret, size);
}

Test(seal, a_secret_opens_with_its_key_and_name_alone) {
        const char *text = sealed(KEY);

        cr_expect(seal_is_closed(text));
        cr_expect(opens(KEY, NAME, text));
        cr_expect_not(opens(KEY "x", NAME, text));
        cr_expect_not(opens(NULL, NAME, text));
        cr_expect_not(opens(KEY, "0190a6e2-7b7c-7def-8123-456789abcdee", text));
}

Test(seal, the_same_secret_is_sealed_differently_each_time) {
        cr_expect_str_neq(sealed(KEY), sealed(KEY));
}

Test(seal, an_altered_text_does_not_open) {
        const char *text = sealed(KEY);

        for (size_t i = 0; i < strlen(text); i++) {
                char *altered = arena_text(&arena, text);

                altered[i] = altered[i] == 'A' ? 'B' : 'A';
                cr_expect_not(opens(KEY, NAME, altered), "%zu", i);
        }
        for (size_t size = 0; size < strlen(text); size++)
                cr_expect_not(opens(KEY, NAME, arena_text_sized(&arena, text, size)), "%zu", size);
}

Test(seal, without_a_key_the_secret_is_plain_and_opens_with_any) {
        const char *text = sealed(NULL);

        cr_expect_not(seal_is_closed(text));
        cr_expect(opens(NULL, NAME, text));
        cr_expect(opens(KEY, NAME, text));
}

Test(seal, the_beginning_of_a_text_tells_its_key) {
        char mine[SEAL_PREFIX_SIZE], others[SEAL_PREFIX_SIZE], plain[SEAL_PREFIX_SIZE];

        seal_prefix(KEY, mine);
        seal_prefix(KEY "x", others);
        seal_prefix(NULL, plain);
        cr_expect(text_starts_with(sealed(KEY), mine));
        cr_expect(text_starts_with(sealed(KEY "x"), others));
        cr_expect(text_starts_with(sealed(NULL), plain));
        cr_expect_str_neq(mine, others);
        cr_expect_eq(strlen(mine), SEAL_PREFIX_SIZE - 1);
}

Test(seal, a_secret_has_its_limit) {
        const uint8_t *longest = arena_alloc(&arena, SEAL_SECRET_MAX + 1), *bytes = NULL;
        size_t size = 0;
        const char *text = seal_close(KEY, NAME, longest, SEAL_SECRET_MAX, &arena);

        cr_assert_not_null(text);
        cr_expect(seal_open(KEY, NAME, text, &arena, &bytes, &size));
        cr_expect_eq(size, SEAL_SECRET_MAX);
        cr_expect_null(seal_close(KEY, NAME, longest, SEAL_SECRET_MAX + 1, &arena));
}
