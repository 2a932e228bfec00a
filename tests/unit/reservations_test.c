#include "reservations/reservations.h"

#include <criterion/criterion.h>
#include <string.h>

#define MEMORY ((size_t) 1 << 20)
#define NOW    ((timestamp) 1800000000 * SECOND)
#define SHIRT  0
#define SHOES  1

/* A location with shirts and shoes, and a reservation of some of both that is not granted yet. */
static struct arena arena;
static struct refusal refusal;
static struct stock_row rows[2];
static struct reservation_line lines[2];
static struct reservation reservation;

static void set_up(void) {
        arena_init(&arena, MEMORY);
        refusal = (struct refusal){ 0 };
        rows[SHIRT] = (struct stock_row){ .location = "store", .sku = "shirt", .on_hand = 10, .exists = true };
        rows[SHOES] = (struct stock_row){ .location = "store", .sku = "shoes", .on_hand = 5, .exists = true };
        lines[SHIRT] = (struct reservation_line){ .sku = "shirt", .quantity = 4, .place = 0, .stock = &rows[SHIRT] };
        lines[SHOES] = (struct reservation_line){ .sku = "shoes", .quantity = 2, .place = 3, .stock = &rows[SHOES] };
        reservation = (struct reservation){ .location = "store", .lines = lines, .n_lines = 2 };
}

static void tear_down(void) {
        arena_clear(&arena);
}

TestSuite(reservations, .init = set_up, .fini = tear_down);

static enum problem grant(void) {
        return reservation_grant(&reservation, HOUR, NOW, &arena, &refusal);
}

static void granted(void) {
        cr_assert_eq(grant(), PROBLEM_NONE);
        reservation.is_new = false;
}

static enum problem advance(enum reservation_event event) {
        return reservation_advance(&reservation, event, NOW + 1, &arena, &refusal);
}

static void assert_reserved(int64_t shirts, int64_t shoes) {
        cr_assert_eq(rows[SHIRT].reserved, shirts);
        cr_assert_eq(rows[SHOES].reserved, shoes);
}

/* ---- granting ---- */

Test(reservations, available_units_are_granted_and_held) {
        cr_assert_eq(grant(), PROBLEM_NONE);
        assert_reserved(4, 2);
        cr_assert(rows[SHIRT].changed && rows[SHOES].changed);
        cr_assert(lines[SHIRT].held && lines[SHOES].held);
        cr_assert_eq(reservation.status, RESERVATION_ACTIVE);
        cr_assert_eq(reservation.expires_at, NOW + HOUR);
        cr_assert_eq(reservation.created_at, NOW);
        cr_assert_eq(reservation.updated_at, NOW);
        cr_assert_eq(reservation.version, 1);
        cr_assert(reservation.is_new && !reservation.changed);
}

Test(reservations, the_last_units_may_be_had) {
        lines[SHIRT].quantity = 10;
        lines[SHOES].quantity = 5;
        cr_assert_eq(grant(), PROBLEM_NONE);
        assert_reserved(10, 5);
}

Test(reservations, all_lines_are_granted_or_none) {
        lines[SHOES].quantity = 6;
        cr_assert_eq(grant(), PROBLEM_INSUFFICIENT_STOCK);
        assert_reserved(0, 0);
        cr_assert_not(rows[SHIRT].changed || rows[SHOES].changed || lines[SHIRT].held || reservation.is_new);
}

Test(reservations, each_short_line_is_named_where_the_client_wrote_it) {
        const struct violation *first, *second;

        lines[SHIRT].quantity = 11;
        lines[SHOES].quantity = 6;
        cr_assert_eq(grant(), PROBLEM_INSUFFICIENT_STOCK);
        cr_assert_eq(refusal.n_violations, 2);
        first = refusal.violations;
        second = first->next;
        cr_assert_str_eq(first->pointer, "#/lines/0/quantity");
        cr_assert_str_eq(first->code, "insufficient-stock");
        cr_assert(first->has_available && first->available == 10);
        cr_assert_str_eq(second->pointer, "#/lines/3/quantity");
        cr_assert(second->has_available && second->available == 5);
}

Test(reservations, units_claimed_elsewhere_are_not_available) {
        rows[SHIRT].reserved = 3;
        rows[SHIRT].unsellable = 2;
        rows[SHIRT].safety_stock = 2;
        cr_assert_eq(grant(), PROBLEM_INSUFFICIENT_STOCK);
        cr_assert_eq(refusal.violations->available, 3);
        rows[SHIRT].safety_stock = 1;
        refusal = (struct refusal){ 0 };
        cr_assert_eq(grant(), PROBLEM_NONE);
        cr_assert_eq(rows[SHIRT].reserved, 7);
}

Test(reservations, fewer_than_zero_available_shows_as_zero) {
        rows[SHIRT].safety_stock = 100;
        cr_assert_eq(grant(), PROBLEM_INSUFFICIENT_STOCK);
        cr_assert_eq(refusal.violations->available, 0);
}

Test(reservations, a_later_reservation_sees_the_units_taken_by_an_earlier_one) {
        for (int i = 0; i < 2; i++)
                cr_assert_eq(grant(), PROBLEM_NONE);
        cr_assert_eq(grant(), PROBLEM_INSUFFICIENT_STOCK);
        assert_reserved(8, 4);
}

Test(reservations, a_product_without_stock_differs_from_an_unknown_product) {
        rows[SHOES] =
                (struct stock_row){ .location = "store", .sku = "shoes", .location_known = true, .sku_known = true };
        cr_assert_eq(grant(), PROBLEM_INSUFFICIENT_STOCK);
        refusal = (struct refusal){ 0 };
        rows[SHOES].sku_known = false;
        cr_assert_eq(grant(), PROBLEM_VALIDATION_FAILED);
        cr_assert_eq(refusal.n_violations, 1);
        cr_assert_str_eq(refusal.violations->pointer, "#/lines/3/sku");
        cr_assert_str_eq(refusal.violations->code, "unknown-sku");
        assert_reserved(0, 0);
}

Test(reservations, an_unknown_location_is_named_once) {
        rows[SHIRT] = (struct stock_row){ .location = "store", .sku = "shirt", .sku_known = true };
        rows[SHOES] = (struct stock_row){ .location = "store", .sku = "shoes", .sku_known = true };
        cr_assert_eq(grant(), PROBLEM_VALIDATION_FAILED);
        cr_assert_eq(refusal.n_violations, 1);
        cr_assert_str_eq(refusal.violations->pointer, "#/location");
        cr_assert_str_eq(refusal.violations->code, "unknown-location");
}

/* ---- its life ---- */

Test(reservations, the_lifecycle_is_this_and_no_more) {
        static const struct {
                enum reservation_status from;
                enum reservation_event event;
                enum reservation_status to;
        } steps[] = {
                { RESERVATION_ACTIVE, RESERVATION_CLAIM, RESERVATION_CLAIMED },
                { RESERVATION_ACTIVE, RESERVATION_RELEASE, RESERVATION_RELEASED },
                { RESERVATION_ACTIVE, RESERVATION_EXPIRE, RESERVATION_EXPIRED },
        };

        for (int from = RESERVATION_ACTIVE; from <= RESERVATION_EXPIRED; from++)
                for (int event = RESERVATION_CLAIM; event <= RESERVATION_EXPIRE; event++) {
                        const bool allowed = from == RESERVATION_ACTIVE;
                        enum problem p;

                        set_up();
                        granted();
                        reservation.status = (enum reservation_status) from;
                        p = advance((enum reservation_event) event);
                        cr_assert_eq(p, allowed ? PROBLEM_NONE : PROBLEM_INVALID_TRANSITION);
                        cr_assert_eq(reservation.status, allowed ? steps[event].to : (enum reservation_status) from);
                        tear_down();
                }
}

Test(reservations, every_end_gives_back_the_units_still_held) {
        for (int event = RESERVATION_CLAIM; event <= RESERVATION_EXPIRE; event++) {
                set_up();
                granted();
                lines[SHOES].held = false; /* freed by a transaction with the row locked */
                rows[SHOES].reserved = 0;
                cr_assert_eq(advance((enum reservation_event) event), PROBLEM_NONE);
                assert_reserved(0, 0);
                cr_assert_not(lines[SHIRT].held || lines[SHOES].held);
                cr_assert(reservation.changed);
                cr_assert_eq(reservation.version, event == RESERVATION_EXPIRE ? 2 : 3); /* 2 was shown as expired */
                cr_assert_eq(reservation.updated_at, NOW + 1);
                tear_down();
        }
}

Test(reservations, a_transition_that_is_refused_names_the_state_and_changes_nothing) {
        granted();
        cr_assert_eq(advance(RESERVATION_CLAIM), PROBLEM_NONE);
        reservation.changed = false;
        cr_assert_eq(advance(RESERVATION_RELEASE), PROBLEM_INVALID_TRANSITION);
        cr_assert_str_eq(refusal.current_status, "claimed");
        cr_assert_eq(reservation.version, 2);
        cr_assert_not(reservation.changed);
}

/* ---- time ---- */

Test(reservations, it_expires_at_the_very_moment) {
        granted();
        cr_assert_not(reservation_has_lapsed(&reservation, NOW + HOUR - 1));
        cr_assert_eq(reservation_status_at(&reservation, NOW + HOUR - 1), RESERVATION_ACTIVE);
        cr_assert(reservation_has_lapsed(&reservation, NOW + HOUR));
        cr_assert_eq(reservation_status_at(&reservation, NOW + HOUR), RESERVATION_EXPIRED);
}

Test(reservations, one_freed_line_ends_it_before_its_time) {
        granted();
        lines[SHOES].held = false;
        cr_assert(reservation_has_lapsed(&reservation, NOW));
        cr_assert_eq(reservation_status_at(&reservation, NOW), RESERVATION_EXPIRED);
}

Test(reservations, a_lapsed_one_is_shown_under_the_version_that_the_sweeper_will_write) {
        granted();
        cr_assert_eq(reservation_version_at(&reservation, NOW + HOUR - 1), 1);
        cr_assert_eq(reservation_version_at(&reservation, NOW + HOUR), 2);
        cr_assert_eq(reservation_advance(&reservation, RESERVATION_EXPIRE, NOW + HOUR, &arena, &refusal), PROBLEM_NONE);
        cr_assert_eq(reservation.version, 2);
        cr_assert_eq(reservation_version_at(&reservation, NOW + DAY), 2);
}

Test(reservations, an_ended_reservation_does_not_lapse) {
        granted();
        cr_assert_eq(advance(RESERVATION_RELEASE), PROBLEM_NONE);
        cr_assert_not(reservation_has_lapsed(&reservation, NOW + DAY));
        cr_assert_eq(reservation_status_at(&reservation, NOW + DAY), RESERVATION_RELEASED);
}

static enum problem extend_at(timestamp now) {
        refusal = (struct refusal){ 0 };
        return reservation_extend(&reservation, 2 * HOUR, now, &arena, &refusal);
}

Test(reservations, an_active_one_may_be_extended) {
        granted();
        cr_assert_eq(extend_at(NOW + MINUTE), PROBLEM_NONE);
        cr_assert_eq(reservation.expires_at, NOW + MINUTE + 2 * HOUR);
        cr_assert_eq(reservation.version, 2);
        cr_assert(reservation.changed);
        assert_reserved(4, 2);
}

Test(reservations, an_ended_one_is_not_extended) {
        granted();
        cr_assert_eq(extend_at(NOW + HOUR), PROBLEM_RESERVATION_EXPIRED);
        cr_assert_str_eq(refusal.current_status, "expired");
        cr_assert_eq(advance(RESERVATION_RELEASE), PROBLEM_NONE);
        cr_assert_eq(extend_at(NOW), PROBLEM_RESERVATION_EXPIRED);
        cr_assert_str_eq(refusal.current_status, "released");
        cr_assert_eq(reservation.expires_at, NOW + HOUR);
}

Test(reservations, a_claimed_one_belongs_to_its_order) {
        granted();
        cr_assert_eq(advance(RESERVATION_CLAIM), PROBLEM_NONE);
        cr_assert_eq(extend_at(NOW), PROBLEM_INVALID_TRANSITION);
        cr_assert_str_eq(refusal.current_status, "claimed");
}
