/* The candidates that the database finds for needs, whatever document they come from. */
#include "../unit/dice.h"
#include "inventory/lookup.h"
#include "scene.h"
#include "sourcing/sourcing.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

TestSuite(sourcing, .init = store_open, .fini = store_close);

#define LOCATIONS 40
#define SEARCHES  60
#define WAIT      (30 * SECOND)

static struct sourcing sourcing;

static const struct sourcing_search *look(const struct sourcing_search *search) {
        sourcing_init(&sourcing, &store_arena);
        sourcing_want(&sourcing, search);
        cr_assert_eq(sourcing_read(&sourcing, store_database, clock_monotonic() + WAIT), PROBLEM_NONE);
        return sourcing_find(&sourcing, search->owner);
}

static bool is_candidate(const struct sourcing_search *search, const char *code) {
        for (size_t i = 0; i < search->n_candidates; i++)
                if (text_equal(search->candidates[i].code, code))
                        return true;
        return false;
}

/* ---- places at random ---- */

static struct place {
        char code[16];
        bool known, serves, has_stock;
        double latitude, longitude;
} places[LOCATIONS];

static void place_at_random(struct place *place, size_t number, uint64_t *dice) {
        char position[64] = "null, null";

        *place = (struct place){ .known = dice_below(dice, 6) != 0,
                .serves = dice_below(dice, 5) != 0,
                .has_stock = dice_below(dice, 5) != 0,
                .latitude = (double) dice_below(dice, 181) - 90,
                .longitude = (double) dice_below(dice, 361) - 180 };
        (void) snprintf(place->code, sizeof(place->code), "place-%02zu", number);
        if (place->known)
                (void) snprintf(position, sizeof(position), "%.6f, %.6f", place->latitude, place->longitude);
        location_given(place->code, position, place->serves ? "pickup,returns" : "ship");
        stock_given(place->code, "A", place->has_stock ? 1 + (int64_t) dice_below(dice, 5) : 0);
}

static double distance_to(const struct place *place, const struct position *from) {
        return place->known && from->known
                       ? distance_km(from->latitude, from->longitude, place->latitude, place->longitude)
                       : INFINITY;
}

static bool in_reach(const struct place *place, const struct position *from, int64_t radius_km) {
        if (!radius_km || (!place->known && !from->known))
                return true;
        return distance_to(place, from) <= (double) radius_km;
}

/* Distances count from the search's place, or from the location `near`. */
static void expect_candidates(const struct sourcing_search *search, const struct place *near) {
        const struct position from = search->place.known || !near
                                             ? search->place
                                             : (struct position){ near->known, near->latitude, near->longitude };
        const struct sourcing_search *found = look(search);
        size_t n = 0;

        for (size_t i = 0; i < LOCATIONS; i++) {
                const struct place *place = &places[i];
                const bool expected = place->serves && place->has_stock && in_reach(place, &from, search->radius_km) &&
                                      !(search->elsewhere && place == near);

                n += expected;
                cr_assert_eq(is_candidate(found, place->code), expected, "%s within %ld km of %s", place->code,
                        (long) search->radius_km, near ? near->code : "the place");
        }
        cr_assert_eq(found->n_candidates, n);
        for (size_t i = 1; i < n; i++)
                cr_assert_leq(found->candidates[i - 1].distance, found->candidates[i].distance);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < LOCATIONS; j++)
                        if (text_equal(places[j].code, found->candidates[i].code) && places[j].known && from.known)
                                cr_assert_float_eq(found->candidates[i].distance, distance_to(&places[j], &from), 1e-6);
}

Test(sourcing, candidates_are_those_within_the_radius_nearest_first, .timeout = 300) {
        uint64_t dice = 7;

        products_given("{A}");
        for (size_t i = 0; i < LOCATIONS; i++)
                place_at_random(&places[i], i, &dice);
        for (size_t i = 0; i < SEARCHES; i++) {
                struct sourcing_need need = { .sku = "A", .quantity = 1 + (int64_t) dice_below(&dice, 4) };
                const struct place *near = dice_below(&dice, 3) ? &places[dice_below(&dice, LOCATIONS)] : NULL;
                const struct sourcing_search search = {
                        .owner = &need,
                        .capability = CAN_PICKUP,
                        .near = near ? near->code : NULL,
                        .elsewhere = near && dice_below(&dice, 2),
                        .place = { dice_below(&dice, 2) != 0, (double) dice_below(&dice, 181) - 90,
                                (double) dice_below(&dice, 361) - 180 },
                        .radius_km = dice_below(&dice, 4) ? 1 + (int64_t) dice_below(&dice, 12000) : 0,
                        .needs = &need,
                        .n_needs = 1,
                };

                expect_candidates(&search, near);
        }
}

/* ---- several needs and searches ---- */

static void given_two_stores(void) {
        products_given("{A,B}");
        location_given("alpha", "52.52, 13.405", "pickup,ship");
        location_given("beta", "52.39, 13.06", "pickup,ship");
        stock_given("alpha", "A", 2);
        stock_given("beta", "A", 5);
        stock_given("beta", "B", 1);
}

Test(sourcing, a_plan_before_the_locks_names_the_rows_to_lock_and_reserves_nothing) {
        struct sourcing_need needs[] = { { .sku = "A", .quantity = 2 }, { .sku = "B", .quantity = 2 } };
        const struct sourcing_search wanted = {
                .owner = needs, .capability = CAN_PICKUP, .near = "alpha", .needs = needs, .n_needs = 2
        };
        struct sourcing_search *search;
        struct stock stock;

        given_two_stores();
        (void) look(&wanted);
        search = sourcing_find(&sourcing, needs);
        stock_init(&stock, &store_arena);
        cr_assert_eq(sourcing_foresee(&sourcing, search, needs, 2, &stock), PROBLEM_NONE);
        cr_assert_eq(search->left, 1);
        cr_assert_eq(stock.n_wanted, 2);
        cr_assert_str_eq(stock.wanted[0].location, "alpha");
        cr_assert_str_eq(stock.wanted[1].location, "beta");
        cr_assert_eq(stock_lock(store_database, &stock), PROBLEM_NONE);
        store_trip();
        cr_assert_eq(stock_find(&stock, "alpha", "A")->reserved, 0);
}

Test(sourcing, searches_of_one_batch_do_not_count_on_the_same_units) {
        struct sourcing_need first = { .sku = "A", .quantity = 2 }, second = first;
        struct sourcing_search search = {
                .owner = &first, .capability = CAN_SHIP, .near = "alpha", .needs = &first, .n_needs = 1
        };
        struct stock stock;

        given_two_stores();
        sourcing_init(&sourcing, &store_arena);
        sourcing_want(&sourcing, &search);
        search.owner = search.needs = &second;
        sourcing_want(&sourcing, &search);
        cr_assert_eq(sourcing_read(&sourcing, store_database, clock_monotonic() + WAIT), PROBLEM_NONE);
        stock_init(&stock, &store_arena);
        cr_assert_eq(sourcing_foresee(&sourcing, sourcing_find(&sourcing, &first), &first, 1, &stock), PROBLEM_NONE);
        cr_assert_eq(sourcing_foresee(&sourcing, sourcing_find(&sourcing, &second), &second, 1, &stock), PROBLEM_NONE);
        cr_assert_eq(stock.n_wanted, 2);
        cr_assert_str_eq(stock.wanted[0].location, "alpha");
        cr_assert_str_eq(stock.wanted[1].location, "beta");
        cr_assert_eq(sourcing_find(&sourcing, &first)->left + sourcing_find(&sourcing, &second)->left, 0);
}

Test(sourcing, a_search_without_needs_asks_nothing_and_finds_no_candidate) {
        const struct sourcing_search search = { .owner = &search, .capability = CAN_PICKUP };

        given_two_stores();
        cr_assert_eq(look(&search)->n_candidates, 0);
        cr_assert_null(sourcing_find(&sourcing, &sourcing));
}
