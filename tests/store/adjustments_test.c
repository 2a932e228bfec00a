#include "adjustments/adjustments.h"
#include "scene.h"

#include <criterion/criterion.h>
#include <string.h>

#define DEADLINE (clock_monotonic() + MINUTE)

/* Row alpha/A has 23 units: five reservations of two (the last one lapsed, and the fourth with a line on B as well) and
 * three orders of three, of which none, one and all units are picked; later numbers are newer. */
static void stock_up(void) {
        store_open();
        location_given("alpha", "null, null", "");
        products_given("{A,B}");
        store_execute(
                "insert into stock (location, sku, on_hand, reserved) values ('alpha', 'A', 23, 19), ('alpha', 'B', 9, 1)");
        store_execute("insert into reservations (id, location, status, expires_at, actor, created_at, updated_at)"
                      " select ('00000000-0000-0000-0000-00000000000' || i)::uuid, 'alpha', 'active',"
                      "        now() + case i when 5 then '-1 s'::interval else '1 h' end, 'ana',"
                      "        now() - '1 h'::interval + i * '1 s'::interval, now() from generate_series(1, 5) as i");
        store_execute("insert into reservation_lines (reservation_id, line, location, sku, quantity, held, expires_at)"
                      " select id, 0, 'alpha', 'A', 2, true, expires_at from reservations union all"
                      " select id, 1, 'alpha', 'B', 1, true, expires_at from reservations"
                      "  where id = '00000000-0000-0000-0000-000000000004'");
        store_execute(
                "insert into orders (id, order_number, channel, external_ref, status, payment_status, currency,"
                " customer, subtotal, discount, shipping, tax, tax_included, total, actor, placed_at, updated_at)"
                " select ('00000000-0000-0000-0000-00000000001' || i)::uuid, i, 'web', i, 'open', 'pending', 'EUR',"
                " '{}', 0, 0, 0, 0, true, 0, 'ana', now(), now() from generate_series(1, 3) as i");
        store_execute("insert into order_lines (order_id, line, id, sku, title, quantity, unit_price)"
                      " select id, 0, id, 'A', 'A', 3, 0 from orders");
        store_execute(
                "insert into fulfillments (id, order_id, number, method, location, status, promised_at, created_at,"
                " updated_at) select id, id, 1, 'pickup', 'alpha', 'allocated', now(),"
                " now() + order_number::bigint * '1 s'::interval, now() from orders");
        store_execute(
                "insert into fulfillment_lines (order_id, fulfillment_id, line, location, sku, quantity, picked, reserved)"
                " select id, id, 0, 'alpha', 'A', 3, case order_number when '3' then 3 else order_number::bigint - 1 end, 3"
                " from orders");
}

TestSuite(adjustments, .init = stock_up, .fini = store_close);

struct choice {
        struct stock stock;
        struct promises promises;
};

/* The steps of load: choose, lock, free lapsed lines, read. Changes of others between choice and lock can be told
 * in SQL. */
static struct choice *choose_while(const struct adjustment *const *items, size_t n, const char *meanwhile) {
        struct choice *choice = arena_new(&store_arena, struct choice);

        stock_init(&choice->stock, &store_arena);
        for (size_t i = 0; i < n; i++)
                stock_want(&choice->stock, items[i]->location, items[i]->sku);
        cr_assert_eq(promises_lock(&choice->promises, store_database, &choice->stock, items, n, DEADLINE), PROBLEM_NONE,
                "%s", database_message(store_database));
        if (meanwhile)
                database_ask_text(store_database, meanwhile, NULL, NULL);
        cr_assert_eq(stock_lock(store_database, &choice->stock), PROBLEM_NONE);
        cr_assert_eq(reservations_free_lapsed(store_database, &choice->stock), PROBLEM_NONE);
        cr_assert_eq(promises_read(&choice->promises, store_database), PROBLEM_NONE);
        store_trip();
        cr_assert_eq(promises_sort(&choice->promises), PROBLEM_NONE);
        return choice;
}

static struct choice *choose(const struct adjustment *const *items, size_t n) {
        return choose_while(items, n, NULL);
}

static struct choice *choose_for_while(struct adjustment item, const char *meanwhile) {
        struct adjustment *copy = arena_copy(&store_arena, &item, sizeof(item));
        const struct adjustment *items[] = { copy };

        return choose_while(items, 1, meanwhile);
}

static struct choice *choose_for(struct adjustment item) {
        return choose_for_while(item, NULL);
}

static struct adjustment found(int64_t units) {
        return (struct adjustment){
                .location = "alpha", .sku = "A", .reason = ADJUSTMENT_COUNT, .on_hand = units, .has_on_hand = true
        };
}

static unsigned last_byte(const struct uuid *id) {
        return id->bytes[15];
}

Test(adjustments, goods_that_come_in_lock_no_documents_and_make_no_trip) {
        const uint64_t trips = database_trips(store_database);
        const struct choice *choice = choose_for((struct adjustment){
                .location = "alpha", .sku = "A", .reason = ADJUSTMENT_RECEIPT, .delta = 5, .has_delta = true });

        cr_assert_eq(choice->promises.n_losses, 0);
        cr_assert_eq(choice->promises.reservations.n_rows, 0);
        cr_assert_eq(database_trips(store_database), trips + 1);
}

Test(adjustments, a_loss_that_breaks_no_promise_locks_no_documents) {
        const struct choice *choice = choose_for(found(19));

        cr_assert_eq(choice->promises.n_losses, 0);
        cr_assert_eq(choice->promises.reservations.n_rows, 0);
}

/* One unit is short, and four more might be promised until the row is locked: three reservations of two. */
Test(adjustments, the_newest_reservations_that_suffice_are_locked_with_all_their_rows) {
        const struct choice *choice = choose_for(found(18));
        const struct promises *promises = &choice->promises;

        cr_assert_eq(promises->reservations.n_rows, 3);
        for (unsigned i = 0; i < 3; i++)
                cr_assert_eq(last_byte(&promises->reservations_by_age[i]->id), 4 - i);
        cr_assert_eq(promises->reservations_by_age[0]->n_lines, 2);
        cr_assert_not_null(promises->reservations_by_age[0]->lines[1].stock);
        cr_assert_eq(choice->stock.n_rows, 2);
        cr_assert_eq(promises->orders.n_rows, 0);
}

Test(adjustments, what_may_give_way_counts_what_is_not_locked_but_neither_what_is_picked_nor_what_has_lapsed) {
        const struct choice *choice = choose_for(found(18));
        const struct stock_row *row = stock_find(&choice->stock, "alpha", "A");

        cr_assert_eq(row->reserved, 17, "lapsed units are free");
        cr_assert_eq(choice->promises.losses[0].held, 2);
        cr_assert_eq(choice->promises.losses[0].allocated, 3 + 2);
        cr_assert_eq(promises_that_may_break(&choice->promises, row), 6 + 2 + 3 + 2);
}

/* Nine are wanted, reservations hold eight. */
Test(adjustments, the_newest_order_with_units_to_pick_is_locked_when_reservations_do_not_suffice) {
        const struct choice *choice = choose_for(found(14));
        const struct promises *promises = &choice->promises;

        cr_assert_eq(promises->reservations.n_rows, 4);
        cr_assert_eq(promises->orders.n_rows, 1);
        cr_assert_eq(last_byte(&promises->fulfillments_by_age[0]->id), 0x12);
        cr_assert_eq(promises->fulfillments_by_age[0]->lines[0].picked, 1);
        cr_assert_eq(promises->losses[0].held, 0);
        cr_assert_eq(promises->losses[0].allocated, 3);
}

static enum problem break_only(struct choice *choice, int64_t deficit) {
        struct stock_row *row = stock_find(&choice->stock, "alpha", "A");
        struct events events;
        const struct command command = { .actor = "ana", .now = STORE_NOW, .events = &events, .arena = &store_arena };

        events_init(&events, &store_arena);
        return promises_break(&choice->promises, row, deficit, &command);
}

/* The order was chosen because reservations did not suffice; by the time of the lock they do. */
Test(adjustments, starts_over_when_a_reservation_has_come_that_spares_an_order) {
        struct choice *choice = choose_for_while(found(14),
                "with one as (insert into reservations (id, location, status, expires_at, actor, created_at, updated_at)"
                " values ('00000000-0000-0000-0000-000000000006', 'alpha', 'active', now() + '1 h'::interval, 'ana',"
                " now(), now()) returning id, expires_at), held as (update stock set reserved = reserved + 1"
                " where sku = 'A') insert into reservation_lines (reservation_id, line, location, sku, quantity, held,"
                " expires_at) select id, 0, 'alpha', 'A', 1, true, expires_at from one");

        cr_assert_eq(choice->promises.orders.n_rows, 1);
        cr_assert_eq(choice->promises.losses[0].held, 1);
        cr_assert_eq(break_only(choice, 8), PROBLEM_NONE, "the locked documents suffice without an order");
        cr_assert_eq(break_only(choice, 1), FAULT_STALE);
}

/* The reservation is an order now; it is not locked, so it must be chosen first. */
Test(adjustments, starts_over_when_a_reservation_was_claimed_meanwhile) {
        struct choice *choice = choose_for_while(found(18),
                "with claimed as (update reservation_lines set held = false where reservation_id >="
                " '00000000-0000-0000-0000-000000000003' returning quantity)"
                " update fulfillment_lines set quantity = quantity + 4, reserved = reserved + 4 where order_id ="
                " '00000000-0000-0000-0000-000000000011'");

        cr_assert_eq(choice->promises.losses[0].held, 2, "the oldest reservation was not chosen");
        cr_assert_eq(break_only(choice, 2), PROBLEM_NONE, "the second one was, and still holds its units");
        cr_assert_eq(break_only(choice, 2), FAULT_STALE);
}

static void break_and_save(struct choice *choice, int64_t deficit) {
        struct stock_row *row = stock_find(&choice->stock, "alpha", "A");
        struct events events;
        const struct command command = { .actor = "ana", .now = STORE_NOW, .events = &events, .arena = &store_arena };

        events_init(&events, &store_arena);
        cr_assert_eq(promises_break(&choice->promises, row, deficit, &command), PROBLEM_NONE);
        cr_assert_eq(stock_save(store_database, &choice->stock, &store_events, STORE_NOW), PROBLEM_NONE);
        cr_assert_eq(promises_save(&choice->promises, store_database), PROBLEM_NONE);
        cr_assert_eq(events_save(store_database, &events, STORE_NOW), PROBLEM_NONE);
        store_trip();
}

Test(adjustments, broken_promises_are_saved) {
        break_and_save(choose_for(found(5)), 8 + 4);
        cr_assert_eq(
                store_integer("select count(*) from reservations where status = 'released' and reason = 'stock_lost'"),
                4);
        cr_assert_eq(store_integer("select count(*) from reservation_lines where held"), 0);
        cr_assert_eq(store_integer("select sum(short)::bigint from fulfillment_lines"), 4);
        cr_assert_eq(store_integer("select sum(reserved)::bigint from fulfillment_lines"), 5);
        cr_assert_eq(store_integer("select sum(cancelled)::bigint from order_lines"), 4);
        cr_assert_eq(store_integer("select reserved from stock where sku = 'A'"), 5);
        cr_assert_eq(store_integer("select reserved from stock where sku = 'B'"), 0);
        cr_assert_eq(store_integer("select (select count(*) from events where data ->> 'reason' = 'stock_lost')"
                                   "     + (select count(*) from events_due d cross join unnest(d.loose) as l (event)"
                                   "         where l.event -> 'data' ->> 'reason' = 'stock_lost')"),
                6);
}

Test(adjustments, several_losses_lock_each_document_once) {
        const struct adjustment items[] = {
                { .location = "alpha", .sku = "A", .reason = ADJUSTMENT_COUNT, .on_hand = 12, .has_on_hand = true },
                { .location = "alpha", .sku = "B", .reason = ADJUSTMENT_COUNT, .on_hand = 0, .has_on_hand = true },
        };
        const struct adjustment *both[] = { &items[1], &items[0] };
        const struct choice *choice = choose(both, array_size(both));

        cr_assert_eq(choice->promises.n_losses, 2);
        cr_assert_eq(choice->promises.reservations.n_rows, 4);
        cr_assert_eq(choice->promises.orders.n_rows, 2);
        cr_assert_eq(choice->promises.losses[1].held, 0, "its units on B are locked because of A");
        cr_assert_eq(promises_that_may_break(&choice->promises, stock_find(&choice->stock, "alpha", "B")), 1);
}

Test(adjustments, items_about_one_row_are_one_loss) {
        const struct adjustment first = {
                .location = "alpha", .sku = "A", .reason = ADJUSTMENT_SALE, .delta = -3, .has_delta = true
        };
        const struct adjustment other = {
                .location = "alpha", .sku = "B", .reason = ADJUSTMENT_SALE, .delta = -3, .has_delta = true
        };
        const struct adjustment *items[] = { &first, &other, &first };
        const struct choice *choice = choose(items, array_size(items));

        cr_assert_eq(choice->promises.n_losses, 1);
        cr_assert_str_eq(choice->promises.losses[0].sku, "A");
        cr_assert_eq(choice->promises.losses[0].taken, 6);
}
