#include "adjustments/adjustments.h"
#include "till.h"

#include "base/snapshot.h"
#include "base/text.h"

#include <criterion/criterion.h>

#define ARENA_MAX ((size_t) 1024 * 1024)

static struct arena arena;
static struct refusal refusal;

static void open_arena(void) {
        arena_init(&arena, ARENA_MAX);
        refusal = (struct refusal){ 0 };
}

static void close_arena(void) {
        arena_clear(&arena);
}

TestSuite(adjustment, .init = open_arena, .fini = close_arena);

static struct adjustment delta(enum adjustment_reason reason, int64_t units) {
        return (struct adjustment){
                .location = "mitte", .sku = "SKU-1", .reason = (int) reason, .delta = units, .has_delta = true
        };
}

static struct adjustment counted(enum adjustment_reason reason, int64_t units) {
        return (struct adjustment){
                .location = "mitte", .sku = "SKU-1", .reason = (int) reason, .on_hand = units, .has_on_hand = true
        };
}

static struct stock_row row_of(int64_t on_hand, int64_t unsellable, int64_t reserved) {
        return (struct stock_row){ .location = "mitte",
                .sku = "SKU-1",
                .on_hand = on_hand,
                .unsellable = unsellable,
                .reserved = reserved,
                .exists = true };
}

static void assert_refused(struct adjustment item, const char *pointer, const char *code) {
        refusal = (struct refusal){ 0 };
        cr_assert_eq(adjustment_check(&item, 3, &arena, &refusal), PROBLEM_VALIDATION_FAILED);
        cr_assert_str_eq(refusal.violations->pointer, pointer);
        cr_assert_str_eq(refusal.violations->code, code);
}

static void assert_fine(struct adjustment item) {
        refusal = (struct refusal){ 0 };
        cr_assert_eq(adjustment_check(&item, 3, &arena, &refusal), PROBLEM_NONE, "%s", adjustment_reasons[item.reason]);
}

static struct adjustment_change change_of(struct adjustment item, struct stock_row row) {
        struct adjustment_change change = { 0 };

        refusal = (struct refusal){ 0 };
        cr_assert_eq(adjustment_apply(&item, 0, &row, &arena, &refusal, &change), PROBLEM_NONE);
        return change;
}

static void assert_change(struct adjustment item, struct stock_row row, int64_t on_hand, int64_t unsellable) {
        const struct adjustment_change change = change_of(item, row);

        cr_assert_eq(change.on_hand, on_hand);
        cr_assert_eq(change.unsellable, unsellable);
}

static void assert_not_applied(
        struct adjustment item, struct stock_row row, enum problem problem, const char *pointer, const char *code) {
        struct adjustment_change change;

        refusal = (struct refusal){ 0 };
        cr_assert_eq(adjustment_apply(&item, 0, &row, &arena, &refusal, &change), problem);
        cr_assert_str_eq(refusal.violations->pointer, pointer);
        cr_assert_str_eq(refusal.violations->code, code);
}

/* ---- faults that show without the row ---- */

Test(adjustment, names_either_a_delta_or_a_figure) {
        struct adjustment neither = { .reason = ADJUSTMENT_CORRECTION };
        struct adjustment both = delta(ADJUSTMENT_CORRECTION, 1);

        both.has_on_hand = true;
        assert_refused(neither, "#/items/3", "either-or");
        assert_refused(both, "#/items/3/on_hand", "either-or");
}

Test(adjustment, of_what_comes_in_is_above_zero) {
        const enum adjustment_reason reasons[] = { ADJUSTMENT_FOUND, ADJUSTMENT_RECEIPT, ADJUSTMENT_RETURN };

        for (size_t i = 0; i < array_size(reasons); i++) {
                assert_fine(delta(reasons[i], 1));
                assert_refused(delta(reasons[i], -1), "#/items/3/delta", "out-of-range");
        }
}

Test(adjustment, of_what_is_lost_is_below_zero) {
        const enum adjustment_reason reasons[] = { ADJUSTMENT_SALE, ADJUSTMENT_THEFT };

        for (size_t i = 0; i < array_size(reasons); i++) {
                assert_fine(delta(reasons[i], -1));
                assert_refused(delta(reasons[i], 1), "#/items/3/delta", "out-of-range");
        }
}

Test(adjustment, of_a_correction_goes_both_ways) {
        assert_fine(delta(ADJUSTMENT_CORRECTION, 1));
        assert_fine(delta(ADJUSTMENT_CORRECTION, -1));
        assert_fine(counted(ADJUSTMENT_CORRECTION, 0));
}

Test(adjustment, by_nothing_is_refused) {
        assert_refused(delta(ADJUSTMENT_CORRECTION, 0), "#/items/3/delta", "out-of-range");
        assert_refused(delta(ADJUSTMENT_SALE, 0), "#/items/3/delta", "out-of-range");
}

Test(adjustment, of_a_count_is_a_figure_or_the_difference) {
        assert_fine(counted(ADJUSTMENT_COUNT, 0));
        assert_fine(delta(ADJUSTMENT_COUNT, 1));
        assert_fine(delta(ADJUSTMENT_COUNT, -1));
}

Test(adjustment, of_damage_has_either_sign_but_sets_no_figure) {
        assert_fine(delta(ADJUSTMENT_DAMAGE, 1));
        assert_fine(delta(ADJUSTMENT_DAMAGE, -1));
        assert_refused(counted(ADJUSTMENT_DAMAGE, 5), "#/items/3/on_hand", "not-allowed");
}

Test(adjustment, of_every_other_reason_may_set_a_figure) {
        for (int reason = 0; adjustment_reasons[reason]; reason++)
                if (reason != ADJUSTMENT_DAMAGE)
                        assert_fine(counted((enum adjustment_reason) reason, 5));
}

Test(adjustment, unsellable_units_are_part_of_a_counted_figure) {
        struct adjustment item = counted(ADJUSTMENT_COUNT, 5);

        item.has_unsellable = true;
        item.unsellable = 5;
        assert_fine(item);
        item.unsellable = 6;
        assert_refused(item, "#/items/3/unsellable", "out-of-range");
        item = delta(ADJUSTMENT_RECEIPT, 5);
        item.has_unsellable = true;
        assert_refused(item, "#/items/3/unsellable", "not-allowed");
}

/* ---- effects on the row ---- */

static struct adjustment counted_before(int64_t units, int64_t moved) {
        struct adjustment item = counted(ADJUSTMENT_COUNT, units);

        item.has_counted_at = true;
        item.counted_at = 10 * SECOND;
        item.moved = moved;
        return item;
}

Test(adjustment, of_a_count_at_a_time_keeps_what_has_moved_since) {
        cr_expect_eq(change_of(counted_before(10, -3), row_of(7, 0, 0)).on_hand, 0);
        cr_expect_eq(change_of(counted_before(12, -3), row_of(7, 0, 0)).on_hand, 2);
        cr_expect_eq(change_of(counted_before(10, 5), row_of(7, 0, 0)).on_hand, 8);
}

Test(adjustment, of_a_count_that_less_is_left_of_than_nothing_is_refused) {
        struct adjustment item = counted_before(2, -3);
        struct stock_row row = row_of(7, 0, 0);
        struct adjustment_change change;

        refusal = (struct refusal){ 0 };
        cr_assert_eq(adjustment_apply(&item, 3, &row, &arena, &refusal, &change), PROBLEM_VALIDATION_FAILED);
        cr_expect_str_eq(refusal.violations->pointer, "#/items/3/on_hand");
        cr_expect_str_eq(refusal.violations->detail, "2 were counted, and 3 have left since.");
        item = counted_before(STOCK_UNITS_MAX, 1);
        cr_expect_eq(adjustment_apply(&item, 3, &row, &arena, &refusal, &change), PROBLEM_VALIDATION_FAILED);
}

Test(adjustment, of_a_count_is_not_yet_to_come) {
        const struct adjustment item = counted_before(2, 0);

        refusal = (struct refusal){ 0 };
        cr_expect_eq(adjustment_check_time(&item, 3, 10 * SECOND, &arena, &refusal), PROBLEM_NONE);
        cr_expect_eq(adjustment_check_time(&item, 3, 10 * SECOND - 1, &arena, &refusal), PROBLEM_VALIDATION_FAILED);
        cr_expect_str_eq(refusal.violations->pointer, "#/items/3/counted_at");
}

Test(adjustment, of_anything_but_a_count_has_no_time) {
        struct adjustment item = delta(ADJUSTMENT_COUNT, 1);

        item.has_counted_at = true;
        assert_refused(item, "#/items/3/counted_at", "not-allowed");
        item = counted(ADJUSTMENT_RECEIPT, 1);
        item.has_counted_at = true;
        assert_refused(item, "#/items/3/counted_at", "not-allowed");
}

Test(adjustment, of_goods_that_come_in_raises_on_hand) {
        assert_change(delta(ADJUSTMENT_RECEIPT, 5), row_of(10, 2, 3), 5, 0);
}

Test(adjustment, of_a_sale_may_take_what_is_promised_but_not_more_than_is_there) {
        assert_change(delta(ADJUSTMENT_SALE, -8), row_of(10, 2, 8), -8, 0);
        assert_not_applied(delta(ADJUSTMENT_SALE, -9), row_of(10, 2, 0), PROBLEM_INSUFFICIENT_STOCK, "#/items/0/delta",
                "insufficient-stock");
        cr_assert_eq(refusal.violations->available, 8);
}

Test(adjustment, of_damage_moves_units_and_leaves_on_hand) {
        assert_change(delta(ADJUSTMENT_DAMAGE, -3), row_of(10, 2, 0), 0, 3);
        assert_change(delta(ADJUSTMENT_DAMAGE, 3), row_of(10, 2, 0), 0, 3);
        assert_not_applied(delta(ADJUSTMENT_DAMAGE, 9), row_of(10, 2, 0), PROBLEM_INSUFFICIENT_STOCK, "#/items/0/delta",
                "insufficient-stock");
        assert_not_applied(delta(ADJUSTMENT_DAMAGE, -9), row_of(10, 2, 0), PROBLEM_INSUFFICIENT_STOCK,
                "#/items/0/delta", "insufficient-stock");
}

Test(adjustment, of_a_count_is_the_signed_difference) {
        assert_change(counted(ADJUSTMENT_COUNT, 7), row_of(10, 2, 0), -3, 0);
        assert_change(counted(ADJUSTMENT_COUNT, 12), row_of(10, 2, 0), 2, 0);
        assert_change(counted(ADJUSTMENT_COUNT, 10), row_of(10, 2, 0), 0, 0);
}

Test(adjustment, of_a_count_below_what_was_unsellable_leaves_only_that) {
        assert_change(counted(ADJUSTMENT_COUNT, 1), row_of(10, 4, 0), -9, -3);
}

Test(adjustment, of_a_count_may_say_what_is_unsellable) {
        struct adjustment item = counted(ADJUSTMENT_COUNT, 6);

        item.has_unsellable = true;
        assert_change(item, row_of(10, 4, 0), -4, -4);
        item.unsellable = 6;
        assert_change(item, row_of(10, 4, 0), -4, 2);
}

Test(adjustment, names_what_nobody_knows) {
        struct stock_row row = { .location_known = false, .sku_known = true };

        assert_not_applied(
                delta(ADJUSTMENT_RECEIPT, 1), row, PROBLEM_VALIDATION_FAILED, "#/items/0/location", "unknown-location");
        row = (struct stock_row){ .location_known = true, .sku_known = false };
        assert_not_applied(
                counted(ADJUSTMENT_COUNT, 1), row, PROBLEM_VALIDATION_FAILED, "#/items/0/sku", "unknown-sku");
        row.sku_known = true;
        assert_change(counted(ADJUSTMENT_COUNT, 4), row, 4, 0);
}

Test(adjustment, beyond_what_a_row_may_hold_is_refused) {
        assert_change(delta(ADJUSTMENT_FOUND, 1), row_of(STOCK_UNITS_MAX - 1, 0, 0), 1, 0);
        assert_not_applied(delta(ADJUSTMENT_FOUND, 1), row_of(STOCK_UNITS_MAX, 0, 0), PROBLEM_VALIDATION_FAILED,
                "#/items/0/delta", "out-of-range");
}

/* ---- shrink ---- */

Test(adjustment, that_leaves_all_that_was_promised_has_no_deficit) {
        const struct stock_row row = row_of(10, 2, 5);

        cr_assert_eq(adjustment_deficit(&row, &(struct adjustment_change){ .on_hand = -3 }), 0);
        cr_assert_eq(adjustment_deficit(&row, &(struct adjustment_change){ .on_hand = -4 }), 1);
        cr_assert_eq(adjustment_deficit(&row, &(struct adjustment_change){ .unsellable = 5 }), 2);
}

static int64_t worst_of(const struct adjustment *items, size_t n, struct stock_row row) {
        struct adjustment_loss loss;

        adjustment_loss_begin(&loss, row.location, row.sku);
        for (size_t i = 0; i < n; i++)
                adjustment_loss_add(&loss, &items[i]);
        return adjustment_loss_of_promises(&loss, &row);
}

Test(adjustment, that_leaves_enough_needs_nobody_to_give_way) {
        const struct adjustment items[] = { delta(ADJUSTMENT_SALE, -2), counted(ADJUSTMENT_COUNT, 9) };

        cr_assert_eq(worst_of(items, 2, row_of(10, 0, 7)), 0);
        cr_assert_eq(worst_of(items, 2, row_of(10, 0, 8)), 1 + 2); /* one short, two more may be promised meanwhile */
}

/* With any order of the items and any refusals, the final deficit is never above the predicted one: so every promise
 * that must end is among the locked ones. */
Test(adjustment, worst_case_is_never_exceeded) {
        const struct adjustment items[] = { delta(ADJUSTMENT_SALE, -3), counted(ADJUSTMENT_COUNT, 6),
                delta(ADJUSTMENT_RECEIPT, 2), delta(ADJUSTMENT_DAMAGE, -1) };
        const struct stock_row first = row_of(12, 1, 10);
        const int64_t worst = worst_of(items, array_size(items), first);

        for (unsigned taken = 0; taken < 1u << array_size(items); taken++)
                for (size_t start = 0; start < array_size(items); start++) {
                        struct stock_row row = first;

                        for (size_t i = 0; i < array_size(items); i++) {
                                const size_t at = (start + i) % array_size(items);
                                struct adjustment_change change = { 0 };

                                refusal = (struct refusal){ 0 };
                                if (!(taken & 1u << at) ||
                                        adjustment_apply(&items[at], at, &row, &arena, &refusal, &change))
                                        continue;
                                cr_assert_leq(adjustment_deficit(&row, &change), worst);
                                row.on_hand += change.on_hand;
                                row.unsellable += change.unsellable;
                        }
                }
}

/* ---- promises that end ---- */

/* Three reservations of two units each on one row of ten, the first one the oldest. */
struct scene {
        struct stock stock;
        struct stock_row row;
        struct promises promises;
        struct events events;
        struct reservation reservations[3];
        struct reservation_line lines[3];
        struct adjustment_loss loss;
};

static void scene_make(struct scene *scene, int64_t held_by_others) {
        *scene = (struct scene){ .row = row_of(10, 0, 6 + held_by_others) };
        stock_init(&scene->stock, &arena);
        scene->stock.rows = &scene->row;
        scene->stock.n_rows = 1;
        events_init(&scene->events, &arena);
        for (size_t i = 0; i < 3; i++) {
                scene->lines[i] = (struct reservation_line){ "SKU-1", 2, 0, true, &scene->row };
                scene->reservations[i] = (struct reservation){ .id = uuid_new(),
                        .location = "mitte",
                        .status = RESERVATION_ACTIVE,
                        .created_at = (timestamp) i * SECOND,
                        .expires_at = HOUR,
                        .version = 1,
                        .lines = &scene->lines[i],
                        .n_lines = 1 };
        }
        adjustment_loss_begin(&scene->loss, "mitte", "SKU-1");
        scene->loss.row = &scene->row;
        scene->loss.held = 6 + held_by_others;
        scene->promises = (struct promises){
                .arena = &arena,
                .stock = &scene->stock,
                .losses = &scene->loss,
                .n_losses = 1,
                .reservations = { .rows = scene->reservations, .n_rows = 3 },
        };
        cr_assert_eq(promises_sort(&scene->promises), PROBLEM_NONE);
}

static enum problem break_units(struct scene *scene, int64_t deficit) {
        const struct command command = { .actor = "ana", .now = MINUTE, .events = &scene->events, .arena = &arena };

        return promises_break(&scene->promises, &scene->row, deficit, &command);
}

Test(adjustment, newest_reservations_give_way_whole) {
        struct scene scene;

        scene_make(&scene, 0);
        cr_assert_eq(break_units(&scene, 3), PROBLEM_NONE);
        cr_assert_eq(scene.reservations[0].status, RESERVATION_ACTIVE);
        cr_assert_eq(scene.reservations[1].status, RESERVATION_RELEASED);
        cr_assert_eq(scene.reservations[2].status, RESERVATION_RELEASED);
        cr_assert_str_eq(scene.reservations[2].reason, "stock_lost");
        cr_assert_eq(scene.row.reserved, 2);
        cr_assert_str_eq(event_types[scene.events.first->type].name, "reservation.released");
        cr_assert_str_eq(scene.events.first->actor, "ana");
        cr_assert_eq(scene.events.first->subject_id, &scene.reservations[2].id);
}

Test(adjustment, reservations_that_are_over_cannot_give_way) {
        struct scene scene;

        scene_make(&scene, 0);
        scene.reservations[2].status = RESERVATION_CLAIMED;
        scene.lines[2].held = false;
        cr_assert_eq(break_units(&scene, 2), PROBLEM_NONE);
        cr_assert_eq(scene.reservations[2].status, RESERVATION_CLAIMED);
        cr_assert_eq(scene.reservations[1].status, RESERVATION_RELEASED);
        cr_assert_eq(scene.reservations[0].status, RESERVATION_ACTIVE);
}

Test(adjustment, what_reservations_do_not_hold_cannot_be_taken_from_them) {
        struct scene scene;

        scene_make(&scene, 0);
        cr_assert_eq(break_units(&scene, 7), PROBLEM_INSUFFICIENT_STOCK);
        cr_assert_eq(promises_that_may_break(&scene.promises, &scene.row), 6);
        cr_assert_eq(scene.row.reserved, 6);
        cr_assert_null(scene.events.first);
}

Test(adjustment, starts_over_when_reservations_that_are_not_locked_would_have_to_give_way) {
        struct scene scene;

        scene_make(&scene, 3);
        cr_assert_eq(break_units(&scene, 9), FAULT_STALE);
        cr_assert_eq(break_units(&scene, 10), PROBLEM_INSUFFICIENT_STOCK);
        scene.promises.n_losses = 0;
        cr_assert_eq(break_units(&scene, 7), FAULT_STALE);
        cr_assert_eq(scene.row.reserved, 9);
}

/* Two orders of four units each behind the reservations, the first one older and half picked. */
struct allocations {
        struct scene scene;
        struct order orders[2];
        struct order_line order_lines[2];
        struct fulfillment fulfillments[2];
        struct fulfillment *list[2];
        struct fulfillment_line lines[2];
};

static void allocations_make(struct allocations *a) {
        scene_make(&a->scene, 0);
        a->scene.row.on_hand = 20;
        a->scene.row.reserved += 8;
        for (size_t i = 0; i < 2; i++) {
                a->orders[i] =
                        (struct order){ .id = uuid_new(), .version = 1, .lines = &a->order_lines[i], .n_lines = 1 };
                a->order_lines[i] = (struct order_line){ .id = uuid_new(),
                        .sku = "SKU-1",
                        .quantity = 4,
                        .order = &a->orders[i],
                        .allocations = &a->lines[i] };
                a->fulfillments[i] = (struct fulfillment){ .id = uuid_new(),
                        .order = &a->orders[i],
                        .location = "mitte",
                        .status = i ? FULFILLMENT_ALLOCATED : FULFILLMENT_PICKING,
                        .created_at = (timestamp) i * SECOND,
                        .lines = &a->lines[i],
                        .n_lines = 1 };
                a->lines[i] = (struct fulfillment_line){ .order_line = &a->order_lines[i],
                        .fulfillment = &a->fulfillments[i],
                        .stock = &a->scene.row,
                        .quantity = 4,
                        .picked = i ? 0 : 2 };
                a->list[i] = &a->fulfillments[i];
                a->orders[i].fulfillments = &a->list[i];
                a->orders[i].n_fulfillments = 1;
        }
        a->scene.promises.orders =
                (struct order_set){ .rows = a->orders, .n_rows = 2, .fulfillments = a->list, .n_fulfillments = 2 };
        a->scene.loss.held = 6;
        a->scene.loss.allocated = 6;
        cr_assert_eq(promises_sort(&a->scene.promises), PROBLEM_NONE);
}

Test(adjustment, orders_keep_their_units_while_reservations_can_give_way) {
        struct allocations a;

        allocations_make(&a);
        cr_assert_eq(break_units(&a.scene, 6), PROBLEM_NONE);
        cr_assert_eq(a.scene.row.reserved, 8);
        cr_assert_eq(a.lines[0].shorted + a.lines[1].shorted, 0);
        cr_assert_not(a.orders[1].changed);
}

Test(adjustment, newest_units_that_nobody_has_picked_are_short) {
        struct allocations a;

        allocations_make(&a);
        cr_assert_eq(break_units(&a.scene, 6 + 5), PROBLEM_NONE);
        cr_assert_eq(a.lines[1].shorted, 4);
        cr_assert_eq(a.fulfillments[1].status, FULFILLMENT_CANCELLED);
        cr_assert_str_eq(a.fulfillments[1].reason, "stock_lost");
        cr_assert_eq(a.orders[1].status, ORDER_CANCELLED);
        cr_assert_eq(a.lines[0].shorted, 1);
        cr_assert_eq(a.fulfillments[0].status, FULFILLMENT_PICKING);
        cr_assert_eq(a.orders[0].version, 2);
        cr_assert_eq(a.scene.row.reserved, 3);
}

Test(adjustment, orders_keep_their_units_while_a_reservation_that_has_come_since_holds_some) {
        struct allocations a;

        allocations_make(&a);
        a.scene.loss.held = 1;
        cr_assert_eq(break_units(&a.scene, 6), PROBLEM_NONE, "the reservations that are locked suffice");
        cr_assert_eq(break_units(&a.scene, 1), FAULT_STALE);
        cr_assert_eq(a.lines[0].shorted + a.lines[1].shorted, 0);
}

Test(adjustment, starts_over_when_orders_that_are_not_locked_would_have_to_give_way) {
        struct allocations a;

        allocations_make(&a);
        a.scene.loss.allocated = 3;
        cr_assert_eq(break_units(&a.scene, 15), FAULT_STALE);
        cr_assert_eq(break_units(&a.scene, 16), PROBLEM_INSUFFICIENT_STOCK);
        cr_assert_eq(a.scene.row.reserved, 14);
        a.scene.promises.n_losses = 0;
        cr_assert_eq(break_units(&a.scene, 7), FAULT_STALE, "the units that reservations hold on the row are unknown");
}

Test(adjustment, of_orders_made_at_once_the_one_with_the_higher_id_gives_way) {
        struct allocations a;

        allocations_make(&a);
        a.fulfillments[0].created_at = a.fulfillments[1].created_at;
        a.scene.loss.held = 6;
        a.scene.loss.allocated = 6;
        cr_assert_eq(promises_sort(&a.scene.promises), PROBLEM_NONE);
        cr_assert_eq(break_units(&a.scene, 6 + 1), PROBLEM_NONE);
        cr_assert_eq(a.lines[1].shorted, 1);
        cr_assert_eq(a.lines[0].shorted, 0);
        cr_assert_eq(a.lines[1].order_line->cancelled, 1, "only the lost units leave the order");
        cr_assert_eq(a.orders[1].status, ORDER_OPEN);
}

Test(adjustment, that_follows_another_one_takes_up_where_it_ended) {
        struct allocations a;
        struct till till;

        allocations_make(&a);
        a.order_lines[1].unit_price = 500;
        a.orders[1].subtotal = a.orders[1].balance.total = 2000;
        till_pay(&till, &a.orders[1], FUNDS_CAPTURED);
        cr_assert_eq(break_units(&a.scene, 6 + 1), PROBLEM_NONE);
        cr_assert_eq(a.orders[1].balance.refund_due, 500);
        cr_assert_eq(break_units(&a.scene, 2), PROBLEM_NONE);
        cr_assert_eq(a.orders[1].balance.refund_due, 1500);
        cr_assert_eq(a.lines[1].shorted, 3);
        cr_assert_eq(a.orders[1].version, 3, "each is a separate change");
        cr_assert_eq(break_units(&a.scene, 1), PROBLEM_NONE);
        cr_assert_eq(a.orders[1].status, ORDER_CANCELLED);
        cr_assert_str_eq(a.orders[1].cancel_reason, "stock_lost");
        cr_assert_eq(a.lines[0].shorted, 0);
        cr_assert_eq(a.scene.row.reserved, 14 - 6 - 4);
}

/* An order with the product on two lines: the one that was asked for last is the first to lose. */
Test(adjustment, takes_from_the_last_line_first_and_settles_the_order_once) {
        struct order order = { .id = uuid_new(), .version = 1 };
        struct fulfillment_line lines[2];
        struct order_line order_lines[2];
        struct fulfillment fulfillment, *list[] = { &fulfillment };
        struct scene scene;

        scene_make(&scene, 0);
        for (size_t i = 0; i < 2; i++) {
                order_lines[i] = (struct order_line){
                        .id = uuid_new(), .sku = "SKU-1", .quantity = 3, .order = &order, .allocations = &lines[i]
                };
                lines[i] = (struct fulfillment_line){
                        .order_line = &order_lines[i], .fulfillment = &fulfillment, .stock = &scene.row, .quantity = 3
                };
        }
        fulfillment = (struct fulfillment){
                .id = uuid_new(), .order = &order, .location = "mitte", .lines = lines, .n_lines = 2
        };
        order.lines = order_lines;
        order.fulfillments = list;
        order.n_lines = 2;
        order.n_fulfillments = 1;
        scene.promises.reservations.n_rows = 0;
        scene.promises.orders =
                (struct order_set){ .rows = &order, .n_rows = 1, .fulfillments = list, .n_fulfillments = 1 };
        scene.loss.held = 0;
        scene.loss.allocated = 6;
        scene.row.reserved = 6;
        cr_assert_eq(promises_sort(&scene.promises), PROBLEM_NONE);

        cr_assert_eq(break_units(&scene, 4), PROBLEM_NONE);
        cr_assert_eq(lines[1].shorted, 3);
        cr_assert_eq(lines[0].shorted, 1);
        cr_assert_eq(order.version, 2);
        cr_assert_eq(scene.row.reserved, 2);
        cr_assert_str_eq(event_types[scene.events.first->type].name, "fulfillment.short_picked");
        cr_assert_str_eq(event_types[scene.events.first->next->type].name, "fulfillment.short_picked");
        cr_assert_str_eq(event_types[scene.events.first->next->next->type].name, "order.units_cancelled");
        cr_assert(scene.events.first->next->next->next->is_cover);
}

Test(adjustment, picked_units_never_give_way) {
        struct allocations a;

        allocations_make(&a);
        cr_assert_eq(promises_that_may_break(&a.scene.promises, &a.scene.row), 12);
        cr_assert_eq(break_units(&a.scene, 13), PROBLEM_INSUFFICIENT_STOCK);
        cr_assert_eq(a.scene.row.reserved, 14);
        cr_assert_eq(break_units(&a.scene, 12), PROBLEM_NONE);
        cr_assert_eq(a.scene.row.reserved, 2);
        cr_assert_eq(a.lines[0].picked, 2);
}

Test(adjustment, of_the_newest_order_takes_only_what_is_not_picked) {
        struct allocations a;

        allocations_make(&a);
        a.lines[1].picked = 3;
        a.fulfillments[1].status = FULFILLMENT_PICKING;
        a.scene.loss.allocated = 0;
        cr_assert_eq(promises_that_may_break(&a.scene.promises, &a.scene.row), 6 + 2 + 1);
        cr_assert_eq(break_units(&a.scene, 6 + 2), PROBLEM_NONE);
        cr_assert_eq(a.lines[1].shorted, 1);
        cr_assert_eq(a.lines[1].picked, 3);
        cr_assert_eq(a.lines[0].shorted, 1);
        cr_assert_eq(break_units(&a.scene, 2), PROBLEM_INSUFFICIENT_STOCK);
}

static void scene_keep(struct scene *scene, struct snapshot *snapshot) {
        snapshot_init(snapshot, &arena);
        events_snapshot(snapshot, &scene->events);
        stock_snapshot(snapshot, &scene->stock);
        promises_snapshot(snapshot, &scene->promises, &scene->row);
        cr_assert_not(snapshot->exhausted);
}

Test(adjustment, that_is_undone_gives_orders_their_units_back) {
        struct snapshot before;
        struct allocations a;

        allocations_make(&a);
        scene_keep(&a.scene, &before);
        cr_assert_eq(break_units(&a.scene, 12), PROBLEM_NONE);
        snapshot_restore(&before);
        cr_assert_eq(a.scene.row.reserved, 14);
        for (size_t i = 0; i < 2; i++) {
                cr_assert_eq(a.lines[i].shorted, 0);
                cr_assert_eq(a.order_lines[i].cancelled, 0);
                cr_assert_eq(a.orders[i].version, 1);
                cr_assert_not(a.orders[i].changed);
                cr_assert_not(a.fulfillments[i].changed);
                cr_assert_eq(a.orders[i].status, ORDER_OPEN);
        }
        cr_assert_null(a.scene.events.first);
}

Test(adjustment, that_is_undone_leaves_everything_as_it_was) {
        const struct stock_cause cause = { .reason = "theft", .actor = "ana" };
        struct snapshot before;
        struct scene scene;

        scene_make(&scene, 0);
        stock_move(&scene.stock, &scene.row, 1, 0, &cause);
        cr_assert_eq(break_units(&scene, 1), PROBLEM_NONE);
        scene_keep(&scene, &before);
        stock_move(&scene.stock, &scene.row, -1, 0, &cause);
        cr_assert_eq(break_units(&scene, 1), PROBLEM_NONE);
        snapshot_restore(&before);
        cr_assert_eq(scene.row.on_hand, 11);
        cr_assert_eq(scene.row.reserved, 4);
        cr_assert_eq(scene.reservations[1].status, RESERVATION_ACTIVE);
        cr_assert(scene.lines[1].held);
        cr_assert_eq(scene.reservations[2].status, RESERVATION_RELEASED);
        cr_assert_null(scene.events.first->next);
        cr_assert_null(scene.stock.movements->next);
        stock_move(&scene.stock, &scene.row, 2, 0, &cause);
        cr_assert_eq(scene.stock.movements->next->number, 2);
}
