#include "inventory/lookup.h"

#include <criterion/criterion.h>
#include <math.h>

#define ARENA_MAX ((size_t) 1024 * 1024)

static void assert_about(double distance, double expected) {
        cr_assert(fabs(distance - expected) < 0.01 * expected, "%g km, expected about %g", distance, expected);
}

Test(distance, is_nothing_from_a_place_to_itself) {
        cr_assert_eq(distance_km(52.52, 13.405, 52.52, 13.405), 0);
}

Test(distance, agrees_with_the_map) {
        assert_about(distance_km(52.5200, 13.4050, 48.1372, 11.5756), 504);   /* Berlin to Munich */
        assert_about(distance_km(51.5074, -0.1278, 40.7128, -74.0060), 5570); /* London to New York */
}

Test(distance, is_the_same_in_both_directions) {
        cr_assert_eq(distance_km(52.52, 13.405, -33.87, 151.21), distance_km(-33.87, 151.21, 52.52, 13.405));
}

Test(distance, is_short_across_the_date_line) {
        assert_about(distance_km(0, 179.5, 0, -179.5), 111.2);
}

Test(distance, to_the_antipodes_is_half_the_way_round) {
        assert_about(distance_km(0, 0, 0, 180), 20015);
        assert_about(distance_km(37.3, 9.1, -37.3, -170.9), 20015);
        assert_about(distance_km(90, 0, -90, 123), 20015);
}

Test(stock, available_units_are_those_without_a_claim) {
        const struct stock_row row = { .on_hand = 20, .unsellable = 3, .reserved = 4, .safety_stock = 5 };

        cr_assert_eq(stock_available(&row), 8);
}

Test(stock, nothing_is_available_below_the_safety_stock) {
        const struct stock_row row = { .on_hand = 5, .reserved = 2, .safety_stock = 4 };

        cr_assert_eq(stock_available(&row), 0);
}

Test(stock, reserving_and_releasing_leave_no_ledger_row) {
        struct stock_row row = { .on_hand = 5, .movements = 7 };

        stock_reserve(&row, 3);
        cr_assert_eq(row.reserved, 3);
        stock_release(&row, 2);
        cr_assert_eq(row.reserved, 1);
        cr_assert_eq(row.movements, 7);
        cr_assert(row.changed);
}

Test(stock, movements_are_numbered_and_carry_the_balance_after) {
        const struct stock_cause cause = { .reason = "receipt", .actor = "ana" };
        struct stock_row row = { .on_hand = 5, .movements = 7 };
        struct arena arena;
        struct stock stock;

        arena_init(&arena, ARENA_MAX);
        stock_init(&stock, &arena);
        stock_move(&stock, &row, 4, 0, &cause);
        stock_move(&stock, &row, 0, 2, &cause);
        cr_assert_eq(row.movements, 9);
        cr_assert_eq(stock.movements->number, 8);
        cr_assert_eq(stock.movements->on_hand_after, 9);
        cr_assert_eq(stock.movements->next->number, 9);
        cr_assert_eq(stock.movements->next->on_hand_after, 9);
        cr_assert_eq(stock.movements->next->unsellable_after, 2);
        cr_assert_null(stock.movements->next->next);
        arena_clear(&arena);
}
