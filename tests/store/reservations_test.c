#include "reservations/reservations.h"
#include "scene.h"

#include <criterion/criterion.h>
#include <string.h>

static void stock_up(void) {
        store_open();
        location_given("alpha", "null, null", "");
        products_given("{A,B}");
        store_execute("insert into stock (location, sku, on_hand) values ('alpha', 'A', 9), ('alpha', 'B', 9)");
}

TestSuite(reservations, .init = stock_up, .fini = store_close);

/* The work of one transaction. */
struct work {
        struct stock stock;
        struct reservation_set set;
};

static struct work *new_work(void) {
        struct work *work = arena_new(&store_arena, struct work);

        stock_init(&work->stock, &store_arena);
        reservations_init(&work->set, &store_arena, &work->stock);
        return work;
}

/* A reservation of two A and one B until `expires_at`, saved with its stock. */
static struct uuid reserve_until(timestamp expires_at) {
        struct reservation *reservation = arena_new(&store_arena, struct reservation);
        struct work *work = new_work();
        struct refusal refusal = { 0 };

        stock_want(&work->stock, "alpha", "A");
        stock_want(&work->stock, "alpha", "B");
        cr_assert_eq(stock_lock(store_database, &work->stock), PROBLEM_NONE);
        store_trip();
        *reservation = (struct reservation){ .id = uuid_new(),
                .location = "alpha",
                .channel = "web",
                .reference = "cart 7",
                .actor = "ana",
                .lines = arena_new_array(&store_arena, struct reservation_line, 2),
                .n_lines = 2 };
        reservation->lines[0] =
                (struct reservation_line){ .sku = "A", .quantity = 2, .stock = stock_find(&work->stock, "alpha", "A") };
        reservation->lines[1] =
                (struct reservation_line){ .sku = "B", .quantity = 1, .stock = stock_find(&work->stock, "alpha", "B") };
        cr_assert_eq(reservation_grant(reservation, expires_at - clock_wall(), clock_wall(), &store_arena, &refusal),
                PROBLEM_NONE);
        cr_assert_eq(stock_save(store_database, &work->stock, &store_events, STORE_NOW), PROBLEM_NONE);
        cr_assert_eq(reservations_save(store_database, &store_arena, &reservation, 1), PROBLEM_NONE);
        store_trip();
        return reservation->id;
}

static struct work *locked(const struct uuid *id) {
        struct work *work = new_work();

        reservations_want(&work->set, id);
        cr_assert_eq(reservations_lock(store_database, &work->set), PROBLEM_NONE);
        cr_assert_eq(reservations_lock_stock(store_database, &work->set), PROBLEM_NONE);
        cr_assert_eq(reservations_read_lines(store_database, &work->set), PROBLEM_NONE);
        store_trip();
        return work;
}

Test(reservations, one_reads_as_it_was_saved) {
        const struct uuid id = reserve_until(clock_wall() + HOUR);
        const struct work *work = locked(&id);
        const struct reservation *reservation = reservation_find(&work->set, &id);

        cr_assert_str_eq(reservation->location, "alpha");
        cr_assert_str_eq(reservation->channel, "web");
        cr_assert_str_eq(reservation->reference, "cart 7");
        cr_assert_null(reservation->reason);
        cr_assert_str_eq(reservation->actor, "ana");
        cr_assert_eq(reservation->status, RESERVATION_ACTIVE);
        cr_assert(uuid_is_nil(&reservation->order_id));
        cr_assert_eq(reservation->version, 1);
        cr_assert_eq(reservation->n_lines, 2);
        cr_assert_str_eq(reservation->lines[1].sku, "B");
        cr_assert_eq(reservation->lines[0].quantity, 2);
        cr_assert(reservation->lines[0].held);
        cr_assert_eq(reservation->lines[0].stock->reserved, 2);
        cr_assert_eq(reservation->lines[1].stock->reserved, 1);
}

Test(reservations, a_changed_reservation_is_saved) {
        const struct uuid id = reserve_until(STORE_NOW + HOUR);
        struct work *work = locked(&id);
        struct reservation *reservation = reservation_find(&work->set, &id);
        struct refusal refusal = { 0 };

        reservation->reason = "stock_lost";
        cr_assert_eq(
                reservation_advance(reservation, RESERVATION_RELEASE, STORE_NOW, &store_arena, &refusal), PROBLEM_NONE);
        cr_assert_eq(stock_save(store_database, &work->stock, &store_events, STORE_NOW), PROBLEM_NONE);
        cr_assert_eq(reservations_save(store_database, &store_arena, &reservation, 1), PROBLEM_NONE);
        store_trip();

        work = locked(&id);
        reservation = reservation_find(&work->set, &id);
        cr_assert_eq(reservation->status, RESERVATION_RELEASED);
        cr_assert_str_eq(reservation->reason, "stock_lost");
        cr_assert_eq(reservation->version, 2);
        cr_assert_eq(reservation->updated_at, STORE_NOW);
        cr_assert_not(reservation->lines[0].held || reservation->lines[1].held);
        cr_assert_eq(reservation->lines[0].stock->reserved, 0);
}

Test(reservations, an_unknown_reservation_is_not_found) {
        const struct uuid id = uuid_new();

        cr_assert_null(reservation_find(&locked(&id)->set, &id));
}

Test(reservations, only_lapsed_lines_of_locked_rows_are_freed) {
        const struct uuid lapsed = reserve_until(clock_wall() - MINUTE);
        const struct uuid kept = reserve_until(clock_wall() + HOUR);
        struct work *work = new_work();
        const struct reservation *reservation;

        stock_want(&work->stock, "alpha", "A");
        cr_assert_eq(stock_lock(store_database, &work->stock), PROBLEM_NONE);
        cr_assert_eq(reservations_free_lapsed(store_database, &work->stock), PROBLEM_NONE);
        store_trip();
        cr_assert_eq(stock_find(&work->stock, "alpha", "A")->reserved, 2);
        cr_assert_eq(stock_save(store_database, &work->stock, &store_events, STORE_NOW), PROBLEM_NONE);
        store_trip();

        reservation = reservation_find(&locked(&lapsed)->set, &lapsed);
        cr_assert_not(reservation->lines[0].held);
        cr_assert(reservation->lines[1].held);
        cr_assert(reservation_has_lapsed(reservation, clock_wall()));
        reservation = reservation_find(&locked(&kept)->set, &kept);
        cr_assert(reservation->lines[0].held);
}

Test(reservations, expired_ones_are_locked_oldest_first_up_to_a_limit) {
        const struct uuid newer = reserve_until(clock_wall() - MINUTE);
        const struct uuid oldest = reserve_until(clock_wall() - HOUR);
        const struct uuid old = reserve_until(clock_wall() - 2 * MINUTE);
        struct work *work = new_work();

        (void) reserve_until(clock_wall() + HOUR);
        cr_assert_eq(reservations_lock_lapsed(store_database, &work->set, 2), PROBLEM_NONE);
        store_trip();
        cr_assert_eq(work->set.n_rows, 2);
        cr_assert_eq(work->set.n_wanted, 2);
        cr_assert_not_null(reservation_find(&work->set, &old));
        cr_assert_not_null(reservation_find(&work->set, &oldest));

        work = new_work();
        cr_assert_eq(reservations_lock_lapsed(store_database, &work->set, 10), PROBLEM_NONE);
        store_trip();
        cr_assert_eq(work->set.n_rows, 3);
        cr_assert_not_null(reservation_find(&work->set, &newer));
}
