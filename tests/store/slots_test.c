#include "catalog/slots.h"
#include "fixture.h"

#include "base/text.h"

#include <criterion/criterion.h>

static void open_with_locations(void) {
        store_open();
        store_execute(
                "insert into locations (code, name, kind, time_zone, country, capabilities, opening_hours, closures,"
                " lead_time_s, hold_for_s, created_at, updated_at)"
                " select code, code, 'store', 'UTC', 'DE', '{}', '[]', '[]', 0, 0, now(), now()"
                " from unnest(array['a', 'b']) as named (code)");
}

TestSuite(slots, .init = open_with_locations, .fini = store_close);

static struct slot_set *locked(void) {
        struct slot_set *set = arena_new(&store_arena, struct slot_set);

        slots_init(set, &store_arena);
        slots_want(set, "b", STORE_NOW);
        slots_want(set, "a", STORE_NOW + HOUR);
        slots_want(set, "a", STORE_NOW);
        slots_want(set, "a", STORE_NOW + HOUR);
        cr_assert_eq(slots_lock(store_database, set), PROBLEM_NONE);
        store_trip();
        return set;
}

static void book(const char *location, timestamp begins, int64_t booked) {
        struct slot_set *set = locked();
        struct slot_row *row = slot_row_find(set, location, begins);

        row->booked = booked;
        row->changed = true;
        slots_save(store_database, set);
        store_trip();
}

static int64_t booked_at(const char *location, timestamp begins) {
        return slot_row_find(locked(), location, begins)->booked;
}

Test(slots, an_unused_slot_has_no_booked_place) {
        const struct slot_set *set = locked();

        cr_assert_eq(set->n_rows, 3, "each of them once");
        cr_assert_eq(slot_row_find(set, "a", STORE_NOW)->booked, 0);
        cr_assert_null(slot_row_find(set, "b", STORE_NOW + HOUR));
}

Test(slots, booked_places_are_read_back_and_other_slots_stay) {
        book("a", STORE_NOW + HOUR, 3);
        book("b", STORE_NOW, 2);
        cr_assert_eq(booked_at("a", STORE_NOW + HOUR), 3);
        cr_assert_eq(booked_at("b", STORE_NOW), 2);
        cr_assert_eq(booked_at("a", STORE_NOW), 0);
}

Test(slots, a_slot_without_a_booked_place_leaves_no_row) {
        struct slot_set *set = arena_new(&store_arena, struct slot_set);

        book("a", STORE_NOW, 1);
        slots_init(set, &store_arena);
        slots_booked(store_database, set, "a", STORE_NOW, TIMESTAMP_NONE, DAY);
        store_trip();
        cr_assert_eq(set->n_rows, 1);
        cr_assert_eq(set->rows[0].begins, STORE_NOW);
}

Test(slots, places_are_given_back_one_for_each_time) {
        const struct slot_row places[] = { { .location = "b", .begins = STORE_NOW },
                { .location = "a", .begins = STORE_NOW }, { .location = "b", .begins = STORE_NOW } };

        book("a", STORE_NOW, 3);
        book("b", STORE_NOW, 3);
        slots_give_back(store_database, &store_arena, places, array_size(places));
        store_trip();
        cr_assert_eq(booked_at("a", STORE_NOW), 2);
        cr_assert_eq(booked_at("b", STORE_NOW), 1);
}

Test(slots, no_more_places_are_given_back_than_were_taken) {
        const struct slot_row places[] = { { .location = "a", .begins = STORE_NOW } };

        (void) locked();
        slots_give_back(store_database, &store_arena, places, array_size(places));
        store_trip_expecting(FAULT_POISON);
}

Test(slots, those_of_a_stretch_are_read_without_a_lock) {
        struct slot_set *set = arena_new(&store_arena, struct slot_set);

        book("a", STORE_NOW, 3);
        book("a", STORE_NOW + HOUR, 1);
        slots_init(set, &store_arena);
        slots_booked(store_database, set, "a", STORE_NOW, STORE_NOW + HOUR, DAY);
        store_trip();
        cr_assert_eq(set->n_rows, 1);
        cr_assert_eq(set->rows[0].begins, STORE_NOW);
        cr_assert_eq(set->rows[0].booked, 3);
        slots_init(set, &store_arena);
        slots_booked(store_database, set, "a", STORE_NOW, TIMESTAMP_NONE, 2 * HOUR);
        store_trip();
        cr_assert_eq(set->n_rows, 2);
}
