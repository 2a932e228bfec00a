#include "engine/idempotency.h"

#include <criterion/criterion.h>
#include <string.h>

#define MEMORY ((size_t) 64 * 1024)

static struct arena arena;
static struct token_claims anna = { .subject = "anna" }, bert = { .subject = "bert" };
static const struct route post = { .method = METHOD_POST, .path = "/v1/reservations", .key = KEY_REQUIRED };
static const struct route other_method = { .method = METHOD_DELETE, .path = "/v1/reservations", .key = KEY_OPTIONAL };

static void open_arena(void) {
        arena_init(&arena, MEMORY);
}

static void close_arena(void) {
        arena_clear(&arena);
}

TestSuite(idempotency, .init = open_arena, .fini = close_arena);

static const char *parsed(const char *header) {
        const char *key = NULL;

        return idempotency_key_parse(header, &arena, &key) ? key : NULL;
}

static char *text_of(char letter, size_t n) {
        char *text = arena_alloc(&arena, n + 1);

        cr_assert_not_null(text);
        memset(text, letter, n);
        return text;
}

Test(idempotency, a_key_is_the_same_bare_or_in_quotes) {
        cr_assert_str_eq(parsed("8e03978e-40d5"), "8e03978e-40d5");
        cr_assert_str_eq(parsed("\"8e03978e-40d5\""), "8e03978e-40d5");
        cr_assert_str_eq(parsed("!~"), "!~");
}

Test(idempotency, a_lone_quote_is_a_character_like_others) {
        cr_assert_str_eq(parsed("\""), "\"");
        cr_assert_str_eq(parsed("a\"b"), "a\"b");
        cr_assert_str_eq(parsed("\"a"), "\"a");
}

Test(idempotency, a_key_has_1_to_255_characters) {
        char *longest = text_of('k', 255), *too_long = text_of('k', 256);
        char *quoted = arena_format(&arena, "\"%s\"", longest);

        cr_assert_str_eq(parsed(longest), longest);
        cr_assert_str_eq(parsed(quoted), longest);
        cr_assert_null(parsed(too_long));
        cr_assert_null(parsed(""));
        cr_assert_null(parsed("\"\""));
}

Test(idempotency, only_visible_ascii_is_a_key) {
        cr_assert_null(parsed("a b"));
        cr_assert_null(parsed(" a"));
        cr_assert_null(parsed("a\t"));
        cr_assert_null(parsed("a\x7f"));
        cr_assert_null(parsed("\xc3\xa4"));
        cr_assert_null(parsed("\x1f"));
}

static void key_of(struct call *call, const struct route *route, const struct token_claims *claims, const char *path,
        const char *key) {
        *call = (struct call){ .route = route, .claims = claims };
        idempotency_key_set(call, path, key);
        cr_assert(call->has_key);
}

Test(idempotency, a_record_belongs_to_subject_method_path_and_key) {
        struct call first, again, others[4];

        key_of(&first, &post, &anna, "/v1/reservations", "k");
        key_of(&again, &post, &anna, "/v1/reservations", "k");
        key_of(&others[0], &post, &bert, "/v1/reservations", "k");
        key_of(&others[1], &other_method, &anna, "/v1/reservations", "k");
        key_of(&others[2], &post, &anna, "/v1/orders", "k");
        key_of(&others[3], &post, &anna, "/v1/reservations", "K");
        cr_assert_arr_eq(first.key, again.key, KEY_SIZE);
        for (size_t i = 0; i < array_size(others); i++)
                cr_assert_arr_neq(first.key, others[i].key, KEY_SIZE, "case %zu", i);
}

Test(idempotency, where_one_part_ends_and_the_next_begins_is_never_in_doubt) {
        struct token_claims short_name = { .subject = "a" }, long_name = { .subject = "aPOST" };
        struct call one, other;

        key_of(&one, &post, &short_name, "/p", "xk");
        key_of(&other, &post, &short_name, "/px", "k");
        cr_assert_arr_neq(one.key, other.key, KEY_SIZE);
        key_of(&other, &post, &long_name, "/p", "xk");
        cr_assert_arr_neq(one.key, other.key, KEY_SIZE);
}

Test(idempotency, a_call_without_a_key_gets_a_unique_one) {
        struct call one, other;

        key_of(&one, &post, &anna, "/v1/reservations", NULL);
        key_of(&other, &post, &anna, "/v1/reservations", NULL);
        cr_assert_arr_neq(one.key, other.key, KEY_SIZE);
}

static void fingerprint_of(struct call *call, const struct route *route, const char *target, const char *body) {
        *call = (struct call){ .route = route };
        idempotency_fingerprint_set(call, target, body, strlen(body));
}

Test(idempotency, another_request_has_another_fingerprint) {
        struct call first, again, others[4];

        fingerprint_of(&first, &post, "/v1/reservations", "{}");
        fingerprint_of(&again, &post, "/v1/reservations", "{}");
        fingerprint_of(&others[0], &post, "/v1/reservations", "{} ");
        fingerprint_of(&others[1], &post, "/v1/reservations?atomic=true", "{}");
        fingerprint_of(&others[2], &other_method, "/v1/reservations", "{}");
        fingerprint_of(&others[3], &post, "/v1/reservations{}", "");
        cr_assert_arr_eq(first.fingerprint, again.fingerprint, DIGEST_SIZE);
        for (size_t i = 0; i < array_size(others); i++)
                cr_assert_arr_neq(first.fingerprint, others[i].fingerprint, DIGEST_SIZE, "case %zu", i);
}
