#include "base/uuid.h"

#include "base/clock.h"
#include "dice.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#define N_IDS ((size_t) 20000)

static int64_t milliseconds_of(const struct uuid *uuid) {
        int64_t milliseconds = 0;

        for (int i = 0; i < 6; i++)
                milliseconds = milliseconds << 8 | uuid->bytes[i];
        return milliseconds;
}

static int compare(const void *a, const void *b) {
        return uuid_compare(a, b);
}

Test(uuid, new_ids_have_version_7_and_the_rfc_9562_variant) {
        for (int i = 0; i < 1000; i++) {
                const struct uuid uuid = uuid_new();

                cr_assert_eq(uuid.bytes[6] >> 4, 7);
                cr_assert_eq(uuid.bytes[8] >> 6, 2);
        }
}

Test(uuid, new_ids_begin_with_the_wall_clock_in_milliseconds) {
        const timestamp before = clock_wall();
        const struct uuid uuid = uuid_new();
        const timestamp after = clock_wall();

        cr_assert_geq(milliseconds_of(&uuid), before / MILLISECOND);
        cr_assert_leq(milliseconds_of(&uuid), after / MILLISECOND);
}

/* Many ids are made within one microsecond here, so the clock alone cannot put them in order. */
Test(uuid, later_ids_of_one_thread_sort_after_earlier_ones) {
        struct uuid earlier = uuid_new();

        for (size_t i = 0; i < N_IDS; i++) {
                const struct uuid later = uuid_new();

                cr_assert_lt(uuid_compare(&earlier, &later), 0);
                earlier = later;
        }
}

Test(uuid, an_id_made_at_a_place_has_it_in_its_last_two_bytes) {
        for (int i = 0; i < 100; i++) {
                const struct uuid uuid = uuid_new_at("store-1");

                cr_assert_eq(uuid_place(&uuid), uuid_place_of("store-1"));
                cr_assert_eq(uuid.bytes[14] << 8 | uuid.bytes[15], uuid_place_of("store-1"));
                cr_assert_eq(uuid.bytes[6] >> 4, 7);
                cr_assert_eq(uuid.bytes[8] >> 6, 2);
        }
}

/* FNV-1a of "" and "a" by its authors: 811c9dc5 and e40c292c. */
Test(uuid, places_hash_as_published) {
        cr_assert_eq(uuid_place_of(""), 0x811c ^ 0x9dc5);
        cr_assert_eq(uuid_place_of("a"), 0xe40c ^ 0x292c);
        cr_assert_neq(uuid_place_of("store-1"), uuid_place_of("store-2"));
}

static void *make_ids(void *argument) {
        struct uuid *ids = argument;

        for (size_t i = 0; i < N_IDS; i++)
                ids[i] = uuid_new();
        return NULL;
}

Test(uuid, threads_never_make_the_same_id) {
        static struct uuid ids[4 * N_IDS];
        pthread_t threads[4];

        for (size_t i = 0; i < 4; i++)
                cr_assert_eq(pthread_create(&threads[i], NULL, make_ids, ids + i * N_IDS), 0);
        for (size_t i = 0; i < 4; i++)
                cr_assert_eq(pthread_join(threads[i], NULL), 0);
        qsort(ids, array_size(ids), sizeof(ids[0]), compare);
        for (size_t i = 1; i < array_size(ids); i++)
                cr_assert_not(uuid_equal(&ids[i - 1], &ids[i]));
}

Test(uuid, random_ones_differ_in_every_bit_sooner_or_later) {
        uint8_t ones[16] = { 0 }, zeros[16] = { 0 };

        for (int i = 0; i < 200; i++) {
                const struct uuid uuid = uuid_random();

                for (int j = 0; j < 16; j++) {
                        ones[j] |= uuid.bytes[j];
                        zeros[j] |= (uint8_t) ~uuid.bytes[j];
                }
        }
        for (int j = 0; j < 16; j++) {
                cr_assert_eq(ones[j], 0xFF);
                cr_assert_eq(zeros[j], 0xFF);
        }
}

Test(uuid, text_and_bytes_are_the_same_thing) {
        const char *text = "0190a6e2-7b7c-7def-8123-456789abcdef";
        const uint8_t bytes[] = { 0x01, 0x90, 0xa6, 0xe2, 0x7b, 0x7c, 0x7d, 0xef, 0x81, 0x23, 0x45, 0x67, 0x89, 0xab,
                0xcd, 0xef };
        char again[UUID_TEXT_SIZE];
        struct uuid uuid;

        cr_assert(uuid_parse(text, &uuid));
        cr_assert_eq(memcmp(uuid.bytes, bytes, sizeof(bytes)), 0);
        uuid_format(&uuid, again);
        cr_assert_str_eq(again, text);
}

Test(uuid, any_bytes_survive_text) {
        uint64_t dice = 4;

        for (int i = 0; i < 1000; i++) {
                char text[UUID_TEXT_SIZE];
                struct uuid uuid, again;

                for (size_t j = 0; j < sizeof(uuid.bytes); j++)
                        uuid.bytes[j] = (uint8_t) dice_roll(&dice);
                uuid_format(&uuid, text);
                cr_assert_eq(strlen(text), UUID_TEXT_SIZE - 1);
                cr_assert(uuid_parse(text, &again));
                cr_assert(uuid_equal(&uuid, &again));
        }
}

Test(uuid, only_the_canonical_text_is_one) {
        const char *const texts[] = {
                "",
                "0190a6e2",
                "0190a6e27b7c7def8123456789abcdef",
                "0190A6E2-7B7C-7DEF-8123-456789ABCDEF",
                "0190a6e2-7b7c-7def-8123-456789abcdeF",
                "0190a6e2-7b7c-7def-8123-456789abcde",
                "0190a6e2-7b7c-7def-8123-456789abcdef0",
                "0190a6e2-7b7c-7def-8123-456789abcdef ",
                " 190a6e2-7b7c-7def-8123-456789abcdef",
                "0190a6e2-7b7c-7def-8123-456789abcdeg",
                "0190a6e2-7b7c-7def-81234-56789abcdef",
                "0190a6e207b7c07def081230456789abcdef",
                "0190a6e--7b7c-7def-8123-456789abcdef",
                "{190a6e2-7b7c-7def-8123-456789abcde}",
        };

        for (size_t i = 0; i < array_size(texts); i++) {
                struct uuid uuid = { { 42 } };

                cr_assert_not(uuid_parse(texts[i], &uuid), "%s", texts[i]);
                cr_assert_eq(uuid.bytes[0], 42);
        }
}

/* PostgreSQL compares uuid values with memcmp as well; text in lower case sorts the same. */
Test(uuid, order_is_the_order_of_bytes_and_of_text) {
        uint64_t dice = 5;

        for (int i = 0; i < 1000; i++) {
                struct uuid a = uuid_random(), b = a;
                char a_text[UUID_TEXT_SIZE], b_text[UUID_TEXT_SIZE];
                int by_uuid, by_text;

                b.bytes[dice_below(&dice, 16)] ^= (uint8_t) (1U << dice_below(&dice, 8));
                uuid_format(&a, a_text);
                uuid_format(&b, b_text);
                by_uuid = uuid_compare(&a, &b);
                by_text = strcmp(a_text, b_text);
                cr_assert_neq(by_uuid, 0);
                cr_assert_eq(by_uuid < 0, by_text < 0);
        }
}

Test(uuid, nil_is_all_zero) {
        const struct uuid nil = { 0 }, new = uuid_new();
        struct uuid last = { 0 };

        last.bytes[15] = 1;
        cr_assert(uuid_is_nil(&nil));
        cr_assert_not(uuid_is_nil(&last));
        cr_assert_not(uuid_is_nil(&new));
}

Test(uuid, a_floor_sorts_between_earlier_and_later_ids) {
        const struct uuid before = uuid_new();
        const timestamp now = clock_wall();
        const struct uuid floor = uuid_floor(now + MILLISECOND), early = uuid_floor(now - SECOND);
        char text[UUID_TEXT_SIZE];

        cr_assert_lt(uuid_compare(&before, &floor), 0);
        cr_assert_lt(uuid_compare(&early, &before), 0);
        uuid_format(&early, text);
        cr_assert_str_eq(text + 14, "0000-0000-000000000000");
}
