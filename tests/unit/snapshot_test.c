#include "fulfillment_scene.h"
#include "reservations/reservations.h"
#include "returns/returns.h"

#include "base/snapshot.h"

#include <criterion/criterion.h>
#include <string.h>

#define MEMORY  ((size_t) 1024 * 1024)
#define UNKNOWN 0xa5

static struct arena arena;
static struct snapshot snapshot;

static void begin(void) {
        arena_init(&arena, MEMORY);
        snapshot_init(&snapshot, &arena);
}

static void end(void) {
        arena_clear(&arena);
}

TestSuite(snapshot, .init = begin, .fini = end);

Test(snapshot, restores_exactly_the_kept_memory) {
        int kept = 1, list[] = { 2, 3, 4 }, other = 5;

        snapshot_one(&snapshot, &kept);
        snapshot_list(&snapshot, list, 2);
        kept = list[0] = list[1] = list[2] = other = 9;
        snapshot_restore(&snapshot);
        cr_assert_eq(kept, 1);
        cr_assert(list[0] == 2 && list[1] == 3 && list[2] == 9);
        cr_assert_eq(other, 9);
}

Test(snapshot, nothing_is_kept_of_nothing) {
        int *none = NULL;

        snapshot_one(&snapshot, none);
        snapshot_list(&snapshot, &arena, 0);
        cr_assert_eq(snapshot.size, 0);
        snapshot_restore(&snapshot);
}

Test(snapshot, memory_kept_twice_is_restored_again) {
        int kept = 1;

        snapshot_one(&snapshot, &kept);
        snapshot_one(&snapshot, &kept);
        kept = 9;
        snapshot_restore(&snapshot);
        cr_assert_eq(kept, 1);
}

Test(snapshot, forgets_when_it_begins_anew_and_uses_its_memory_again) {
        char first[1000], second[1000];
        size_t taken;

        memset(first, 1, sizeof(first));
        memset(second, 2, sizeof(second));
        snapshot_one(&snapshot, &first);
        taken = arena.size;
        snapshot_begin(&snapshot);
        snapshot_one(&snapshot, &second);
        first[0] = second[0] = 9;
        snapshot_restore(&snapshot);
        cr_assert_eq(first[0], 9);
        cr_assert_eq(second[0], 2);
        cr_assert_eq(arena.size, taken);
}

Test(snapshot, keeps_what_it_has_while_it_grows) {
        static char bytes[64][777];

        for (size_t i = 0; i < 64; i++) {
                memset(bytes[i], (int) i, sizeof(bytes[i]));
                snapshot_one(&snapshot, &bytes[i]);
        }
        cr_assert_not(snapshot.exhausted);
        memset(bytes, UNKNOWN, sizeof(bytes));
        snapshot_restore(&snapshot);
        for (size_t i = 0; i < 64; i++)
                for (size_t j = 0; j < sizeof(bytes[i]); j++)
                        cr_assert_eq(bytes[i][j], (char) i);
}

Test(snapshot, reports_a_lack_of_memory_and_restores_the_rest) {
        static char large[MEMORY];
        int kept = 1;

        snapshot_one(&snapshot, &kept);
        snapshot_one(&snapshot, &large);
        cr_assert(snapshot.exhausted);
        kept = 9;
        snapshot_restore(&snapshot);
        cr_assert_eq(kept, 1);
}

/* ---- documents: every byte of every struct and list ---- */

/* One piece of a document: as it was, and where it is. */
struct piece {
        void *at;
        size_t size;
        char before[2048];
};

static struct piece pieces[64];
static size_t n_pieces;

static void spoil_later(void *at, size_t size) {
        struct piece *piece = &pieces[n_pieces++];

        cr_assert_leq(size, sizeof(piece->before));
        *piece = (struct piece){ .at = at, .size = size };
        memcpy(piece->before, at, size);
}

/* Overwrite all of them, put them back, compare. */
static void assert_put_back(void) {
        for (size_t i = 0; i < n_pieces; i++)
                memset(pieces[i].at, UNKNOWN, pieces[i].size);
        snapshot_restore(&snapshot);
        for (size_t i = 0; i < n_pieces; i++)
                cr_assert_arr_eq(pieces[i].at, pieces[i].before, pieces[i].size, "piece %zu", i);
}

static struct order_discount discount = { .amount = 100, .line = -1 };
static struct refund refund;
static struct refund *refunds[] = { &refund };
static const char *places[] = { "store" };

static void given_an_order(void) {
        begin();
        given_pickup();
        refund = (struct refund){ .id = uuid_new(), .balance = &scene.order.balance, .amount = 100 };
        scene.order.discounts = &discount;
        scene.order.n_discounts = 1;
        scene.order.balance.refunds = refunds;
        scene.order.balance.n_refunds = 1;
        scene.order.return_places = places;
        scene.order.n_return_places = 1;
}

static void drop_the_order(void) {
        scene_clear();
        end();
}

static void spoil_order_later(void) {
        struct order *order = &scene.order;

        spoil_later(order, sizeof(*order));
        spoil_later(scene.order_lines, sizeof(scene.order_lines));
        spoil_later(&discount, sizeof(discount));
        spoil_later(order->balance.payments, sizeof(*order->balance.payments));
        spoil_later(&scene.till.payment, sizeof(scene.till.payment));
        spoil_later(refunds, sizeof(refunds));
        spoil_later(&refund, sizeof(refund));
        spoil_later(order->fulfillments, sizeof(*order->fulfillments));
        spoil_later(it, sizeof(*it));
        spoil_later(scene.lines, sizeof(scene.lines));
        spoil_later(places, sizeof(places));
        spoil_later(scene.rows, sizeof(scene.rows));
}

Test(snapshot, of_an_order_has_everything_that_hangs_on_it, .init = given_an_order, .fini = drop_the_order) {
        spoil_order_later();
        order_snapshot(&snapshot, &scene.order);
        assert_put_back();
}

Test(snapshot, of_returns_has_their_lines_but_not_those_of_other_orders, .init = given_an_order,
        .fini = drop_the_order) {
        struct return_line line = { .quantity = 1 }, foreign_line = { .quantity = 1 };
        struct return_line *lines[] = { &line }, *foreign_lines[] = { &foreign_line };
        struct rma rma = { .order = &scene.order, .lines = lines, .n_lines = 1 };
        struct rma foreign = { .lines = foreign_lines, .n_lines = 1 };
        struct rma *rows[] = { &rma, &foreign };
        struct return_set set = { .rows = rows, .n_rows = 2 };

        spoil_later(&set, sizeof(set));
        spoil_later(rows, sizeof(rows));
        spoil_later(&rma, sizeof(rma));
        spoil_later(lines, sizeof(lines));
        spoil_later(&line, sizeof(line));
        returns_snapshot(&snapshot, &set, &scene.order);
        foreign_line.quantity = 2;
        assert_put_back();
        cr_assert_eq(foreign_line.quantity, 2);
}

Test(snapshot, of_a_reservation_has_its_lines_and_their_rows, .init = given_an_order, .fini = drop_the_order) {
        struct reservation_line lines[] = { { .quantity = 1, .stock = &scene.rows[0] },
                { .quantity = 2, .stock = &scene.rows[1] } };
        struct reservation reservation = { .version = 1, .lines = lines, .n_lines = 2 };

        spoil_later(&reservation, sizeof(reservation));
        spoil_later(lines, sizeof(lines));
        spoil_later(scene.rows, sizeof(scene.rows));
        reservation_snapshot(&snapshot, &reservation);
        assert_put_back();
}

/* A command that is undone may have made longer lists, new documents, ledger rows and events. */
Test(snapshot, undoes_a_whole_command, .init = given_an_order, .fini = drop_the_order) {
        const struct stock_cause cause = { .reason = "theft", .actor = "ana" };

        assert_done(pick_line(FIRST, 1));
        events_settle(&scene.events);
        spoil_order_later();
        spoil_later(&scene.stock, sizeof(scene.stock));
        spoil_later(&scene.events, sizeof(scene.events));
        events_snapshot(&snapshot, &scene.events);
        stock_snapshot(&snapshot, &scene.stock);
        order_snapshot(&snapshot, &scene.order);
        assert_done(short_of(FIRST, 1, SHORT_THEFT));
        cr_assert_not_null(order_add_fulfillment(&scene.order, BY_SHIPPING, "depot", NOW, NOW, &arena));
        stock_move(&scene.stock, &scene.rows[0], -1, 0, &cause);
        assert_done(fulfillment_cancel(it, "not wanted", &scene.command));
        assert_put_back();
        cr_assert_eq(told("fulfillment.picked"), 1);
        cr_assert_eq(told("fulfillment.cancelled") + told("fulfillment.short_picked"), 0);
        cr_assert_eq(movements(), 0);
        assert_done(short_of(FIRST, 1, SHORT_THEFT));
        cr_assert_eq(told("fulfillment.short_picked"), 1);
        cr_assert_eq(movements(), 1);
}
