#include "fulfillment_scene.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* ---- lifecycles ---- */

#define STATES      (FULFILLMENT_EXPIRED + 1)
#define HAPPENINGS  (FULFILLMENT_CLOSE + 1)
#define FROM(state) [FULFILLMENT_##state]

static void assert_next(int state, int event, const struct lifecycle *lifecycle) {
        int next = state;
        const bool allowed = lifecycle_next(lifecycle, state, event, &next);
        enum problem p;

        it->status = (enum fulfillment_status) state;
        it->touched = false;
        p = fulfillment_advance(it, (enum fulfillment_event) event, &scene.arena, &scene.refusal);
        cr_assert_eq(it->touched, allowed);
        cr_assert_eq((int) it->status, next, "%d by %d leads to %d", state, event, it->status);
        if (allowed) {
                assert_done(p);
                return;
        }
        cr_assert_str_eq(scene.refusal.current_status, enum_column_text(&fulfillment_status_column, state));
        assert_refused(p, PROBLEM_INVALID_TRANSITION);
}

static void assert_life(enum fulfillment_method method, const struct lifecycle *lifecycle) {
        given(method);
        for (int state = 0; state < STATES; state++)
                for (int event = 0; event < HAPPENINGS; event++)
                        assert_next(state, event, lifecycle);
        scene_clear();
}

Test(fulfillment_lifecycle, each_method_lives_by_its_own_table) {
        assert_life(BY_PICKUP, &pickup_lifecycle);
        assert_life(BY_CURBSIDE, &pickup_lifecycle);
        assert_life(BY_SHIPPING, &shipping_lifecycle);
}

Test(fulfillment_lifecycle, a_question_about_a_state_changes_nothing, .init = given_pickup, .fini = scene_clear) {
        assert_done(fulfillment_allows(it, FULFILLMENT_PICK, &scene.command));
        assert_refused(fulfillment_allows(it, FULFILLMENT_HAND_OVER, &scene.command), PROBLEM_INVALID_TRANSITION);
        assert_status(FULFILLMENT_ALLOCATED);
        cr_assert_not(it->touched);
}

/* A location that holds units of which a part has left can always be relieved of the others. */
Test(fulfillment_lifecycle, a_part_that_has_left_ends_it_from_every_state_in_which_units_leave_or_go_back) {
        int next = -1;

        cr_assert(lifecycle_next(&shipping_lifecycle, FULFILLMENT_PICKING, FULFILLMENT_CLOSE, &next));
        cr_assert(next == FULFILLMENT_SHIPPED);
        cr_assert(lifecycle_next(&shipping_lifecycle, FULFILLMENT_PACKED, FULFILLMENT_CLOSE, &next));
        cr_assert(next == FULFILLMENT_SHIPPED);
        cr_assert(lifecycle_next(&pickup_lifecycle, FULFILLMENT_PICKING, FULFILLMENT_CLOSE, &next));
        cr_assert(next == FULFILLMENT_HANDED_OVER);
        cr_assert(lifecycle_next(&pickup_lifecycle, FULFILLMENT_READY, FULFILLMENT_CLOSE, &next));
        cr_assert(next == FULFILLMENT_HANDED_OVER);
}

/* ---- assigning ---- */

TestSuite(fulfillment_assign, .init = given_pickup, .fini = scene_clear);

Test(fulfillment_assign, one_associate_gets_the_work) {
        assert_done(fulfillment_assign(it, "ben", false, &scene.command));
        cr_assert_str_eq(it->assignee, "ben");
        cr_assert_eq(told("fulfillment.assigned"), 1);
        cr_assert_str_eq(data_of("fulfillment.assigned"), "\"assignee\":\"ben\"");
        cr_assert_eq(it->version, 2);
        cr_assert(it->changed);
}

Test(fulfillment_assign, the_same_associate_again_changes_nothing) {
        it->assignee = "ben";
        it->status = FULFILLMENT_HANDED_OVER;
        assert_done(fulfillment_assign(it, "ben", false, &scene.command));
        assert_untouched();
}

Test(fulfillment_assign, nobody_is_robbed_of_work_without_force) {
        it->assignee = "ben";
        enum problem p = fulfillment_assign(it, "cleo", false, &scene.command);

        cr_assert_not_null(strstr(scene.refusal.detail, "ben"));
        assert_refused(p, PROBLEM_INVALID_TRANSITION);
        assert_untouched();
        assert_done(fulfillment_assign(it, "cleo", true, &scene.command));
        cr_assert_str_eq(it->assignee, "cleo");
}

Test(fulfillment_assign, what_has_left_the_house_is_nobodys_work) {
        static const bool here[STATES] = { FROM(ALLOCATED) = true, FROM(PICKING) = true, FROM(READY) = true,
                FROM(PACKED) = true };

        for (int state = 0; state < STATES; state++) {
                it->status = (enum fulfillment_status) state;
                it->assignee = NULL;
                if (here[state])
                        assert_done(fulfillment_assign(it, "ben", false, &scene.command));
                else
                        assert_refused(fulfillment_assign(it, "ben", true, &scene.command), PROBLEM_INVALID_TRANSITION);
        }
}

/* ---- picking ---- */

TestSuite(fulfillment_pick, .init = given_pickup, .fini = scene_clear);

Test(fulfillment_pick, the_first_unit_starts_the_work) {
        assert_done(pick_sku("SKU-B", 1));
        assert_status(FULFILLMENT_PICKING);
        cr_assert_eq(scene.lines[SECOND_LINE].picked, 1);
        assert_done(pick_sku("SKU-A", 1));
        cr_assert_eq(told("fulfillment.picking"), 1);
        cr_assert_eq(it->version, 3);
        assert_figures(0, 10, 0, 5);
        cr_assert_eq(movements(), 0);
}

Test(fulfillment_pick, an_sku_fills_its_lines_in_their_order) {
        assert_done(pick_sku("SKU-A", 3));
        cr_assert_eq(scene.lines[FIRST].picked, 2);
        cr_assert_eq(scene.lines[THIRD].picked, 1);
        cr_assert_eq(fulfillment_line_remaining(&scene.lines[THIRD]), 2);
}

Test(fulfillment_pick, a_line_is_named_by_its_id) {
        assert_done(pick_line(THIRD, 2));
        cr_assert_eq(scene.lines[FIRST].picked, 0);
        cr_assert_eq(scene.lines[THIRD].picked, 2);
}

Test(fulfillment_pick, a_scan_is_an_sku_a_gtin_or_a_digital_link) {
        assert_done(scan("SKU-A", 1));
        assert_done(scan("6291041500213", 1));
        assert_done(scan("06291041500213", 1));
        assert_done(scan("https://id.example.com/01/06291041500213?10=AB", 1));
        assert_done(scan("012345678905", 1));
        cr_assert_eq(scene.lines[FIRST].picked, 2);
        cr_assert_eq(scene.lines[THIRD].picked, 2);
        cr_assert_eq(scene.lines[SECOND_LINE].picked, 1);
}

Test(fulfillment_pick, a_code_that_is_an_sku_here_is_not_read_as_a_gtin) {
        scene.order_lines[SECOND_LINE].sku = "6291041500213";
        assert_done(scan("6291041500213", 1));
        cr_assert_eq(scene.lines[SECOND_LINE].picked, 1);
        cr_assert_eq(scene.lines[FIRST].picked, 0);
}

static void assert_foreign(enum problem p, const char *pointer) {
        assert_violation(pointer, "foreign-item");
        assert_refused(p, PROBLEM_VALIDATION_FAILED);
        assert_untouched();
}

Test(fulfillment_pick, every_pick_tells_what_was_picked) {
        char expected[200], id[UUID_TEXT_SIZE];

        assert_done(pick_sku("SKU-B", 1));
        assert_done(pick_sku("SKU-A", 1));
        cr_assert_eq(told("fulfillment.picked"), 2);
        uuid_format(&scene.order_lines[SECOND_LINE].id, id);
        (void) snprintf(expected, sizeof(expected), "\"lines\":[{\"order_line_id\":\"%s\",\"quantity\":1}]", id);
        cr_assert_str_eq(data_of("fulfillment.picked"), expected);
}

/* ---- putting back ---- */

static enum problem undo_sku(const char *sku, int64_t quantity) {
        const struct pick_item item = { .sku = sku, .quantity = quantity };

        return fulfillment_undo_pick(it, &item, 1, "#/scans", NULL, &scene.command);
}

Test(fulfillment_pick, a_wrong_one_goes_back) {
        assert_done(pick_line(FIRST, 2));
        assert_done(undo_line(FIRST, 1));
        cr_assert_eq(scene.lines[FIRST].picked, 1);
        assert_status(FULFILLMENT_PICKING);
        cr_assert_eq(told("fulfillment.pick_undone"), 1);
        cr_assert_eq(it->version, 3);
        assert_figures(0, 10, 0, 5);
        assert_done(undo_line(FIRST, 1));
        assert_status(FULFILLMENT_PICKING);
}

Test(fulfillment_pick, the_last_lines_give_back_first) {
        pick_all();
        assert_done(undo_sku("SKU-A", 4));
        cr_assert_eq(scene.lines[FIRST].picked, 1);
        cr_assert_eq(scene.lines[THIRD].picked, 0);
}

Test(fulfillment_pick, no_more_goes_back_than_was_picked) {
        enum problem p;

        assert_done(pick_line(FIRST, 1));
        p = undo_line(FIRST, 2);
        assert_violation("#/lines/0/quantity", "not-picked");
        cr_assert_str_eq(scene.refusal.current_status, "picking");
        assert_refused(p, PROBLEM_INVALID_TRANSITION);
        cr_assert_eq(scene.lines[FIRST].picked, 1);
        cr_assert_eq(it->version, 2);
}

Test(fulfillment_pick, what_is_foreign_cannot_go_back) {
        const enum problem p = undo_sku("SKU-C", 1);

        assert_violation("#/scans/0/sku", "foreign-item");
        assert_refused(p, PROBLEM_VALIDATION_FAILED);
}

Test(fulfillment_pick, what_waits_for_its_customer_stays_picked) {
        ready();
        assert_refused(undo_line(FIRST, 1), PROBLEM_INVALID_TRANSITION);
}

Test(fulfillment_pick, a_parcel_is_opened_again, .init = given_shipping) {
        const struct line_units part[] = { units(THIRD, 2) };

        pick_all();
        assert_done(ship(part, 1));
        assert_refused(undo_line(THIRD, 2), PROBLEM_INVALID_TRANSITION);
        assert_done(undo_line(THIRD, 1));
        assert_status(FULFILLMENT_PICKING);
        assert_done(pick_line(THIRD, 1));
        assert_status(FULFILLMENT_PACKED);
        cr_assert_eq(told("fulfillment.packed"), 2);
}

Test(fulfillment_pick, what_is_not_in_it_is_foreign) {
        const struct pick_item unknown_line = { .has_order_line_id = true, .order_line_id = uuid_new(), .quantity = 1 };

        assert_foreign(pick_sku("SKU-C", 1), "#/lines/0/sku");
        assert_foreign(scan("SKU-C", 1), "#/scans/0/code");
        assert_foreign(scan("6291041500214", 1), "#/scans/0/code"); /* a wrong check digit */
        assert_foreign(scan("96385074", 1), "#/scans/0/code");
        assert_foreign(
                fulfillment_pick(it, &unknown_line, 1, "#/lines", NULL, &scene.command), "#/lines/0/order_line_id");
}

Test(fulfillment_pick, a_product_without_gtin_is_found_by_no_gtin) {
        static const char *const none[LINES] = { 0 };
        const struct pick_item item = { .code = "6291041500213", .quantity = 1 };

        assert_foreign(fulfillment_pick(it, &item, 1, "#/scans", none, &scene.command), "#/scans/0/code");
}

Test(fulfillment_pick, more_than_remains_is_refused_whole) {
        const struct pick_item items[] = { { .sku = "SKU-B", .quantity = 1 }, { .sku = "SKU-A", .quantity = 6 } };
        enum problem p = fulfillment_pick(it, items, 2, "#/lines", NULL, &scene.command);

        assert_violation("#/lines/1/quantity", "over-pick");
        cr_assert_eq(scene.refusal.violations->available, 5);
        assert_refused(p, PROBLEM_OVER_PICK);
        assert_untouched();
        cr_assert_eq(scene.lines[SECOND_LINE].picked, 0);
}

Test(fulfillment_pick, items_of_one_request_are_added_up) {
        const struct pick_item items[] = { { .sku = "SKU-A", .quantity = 3 }, { .sku = "SKU-A", .quantity = 3 } };

        assert_refused(fulfillment_pick(it, items, 2, "#/lines", NULL, &scene.command), PROBLEM_OVER_PICK);
        assert_untouched();
}

Test(fulfillment_pick, what_is_short_is_not_there_to_be_picked) {
        assert_done(short_of(FIRST, 1, SHORT_NOT_FOUND));
        assert_refused(pick_line(FIRST, 2), PROBLEM_OVER_PICK);
        assert_done(pick_line(FIRST, 1));
}

Test(fulfillment_pick, nothing_is_picked_after_the_work_is_done) {
        static const bool open[STATES] = { FROM(ALLOCATED) = true, FROM(PICKING) = true };

        for (int state = 0; state < STATES; state++) {
                it->status = (enum fulfillment_status) state;
                if (!open[state])
                        assert_refused(pick_sku("SKU-A", 1), PROBLEM_INVALID_TRANSITION);
        }
        assert_untouched();
}

Test(fulfillment_pick, a_pickup_is_not_packed) {
        pick_all();
        assert_status(FULFILLMENT_PICKING);
}

Test(fulfillment_ship, it_is_packed_when_the_last_unit_that_is_not_short_is_picked, .init = given_shipping,
        .fini = scene_clear) {
        assert_done(short_of(SECOND_LINE, 1, SHORT_DAMAGED));
        assert_done(pick_sku("SKU-A", 4));
        assert_status(FULFILLMENT_PICKING);
        cr_assert_eq(told("fulfillment.packed"), 0);
        assert_done(pick_sku("SKU-A", 1));
        assert_status(FULFILLMENT_PACKED);
        cr_assert_eq(told("fulfillment.packed"), 1);
}

Test(fulfillment_ship, it_is_packed_when_the_last_unit_that_is_not_picked_is_short, .init = given_shipping,
        .fini = scene_clear) {
        assert_done(pick_sku("SKU-A", 5));
        assert_done(short_of(SECOND_LINE, 1, SHORT_NOT_FOUND));
        assert_status(FULFILLMENT_PACKED);
        cr_assert_eq(told("fulfillment.packed"), 1);
}

Test(fulfillment_ship, it_is_packed_when_the_order_no_longer_wants_the_rest, .init = given_shipping,
        .fini = scene_clear) {
        const struct cancel_line rest = { scene.order_lines[SECOND_LINE].id, 1 };

        assert_done(pick_sku("SKU-A", 5));
        assert_done(order_cancel(&scene.order, &rest, 1, "changed her mind", &scene.command));
        assert_status(FULFILLMENT_PACKED);
}

/* ---- short units ---- */

TestSuite(fulfillment_short, .init = given_pickup, .fini = scene_clear);

static void assert_movement(const char *reason, int64_t on_hand_change, int64_t unsellable_change) {
        const struct stock_movement *movement = scene.stock.movements;
        char id[UUID_TEXT_SIZE];

        uuid_format(&it->id, id);
        cr_assert_eq(movements(), 1);
        cr_assert_str_eq(movement->reason, reason);
        cr_assert_eq(movement->on_hand_change, on_hand_change);
        cr_assert_eq(movement->unsellable_change, unsellable_change);
        cr_assert(text_starts_with(movement->document, "fulfillment/"));
        cr_assert_str_eq(movement->document + strlen("fulfillment/"), id);
        cr_assert_str_eq(movement->actor, "ana");
}

Test(fulfillment_short, units_not_found_are_off_the_stock) {
        assert_done(short_of(FIRST, 2, SHORT_NOT_FOUND));
        assert_figures(0, 8, 0, 3);
        assert_movement("correction", -2, 0);
}

Test(fulfillment_short, stolen_units_are_off_the_stock) {
        assert_done(short_of(FIRST, 2, SHORT_THEFT));
        assert_figures(0, 8, 0, 3);
        assert_movement("theft", -2, 0);
}

Test(fulfillment_short, damaged_units_stay_and_cannot_be_sold) {
        assert_done(short_of(FIRST, 2, SHORT_DAMAGED));
        assert_figures(0, 10, 2, 3);
        assert_movement("damage", 0, 2);
}

Test(fulfillment_short, units_left_for_other_reasons_are_free_again) {
        assert_done(short_of(FIRST, 1, SHORT_CUSTOMER_REQUEST));
        assert_done(short_of(SECOND_LINE, 1, SHORT_CLOSED));
        assert_done(short_of(THIRD, 1, SHORT_CAPACITY));
        assert_figures(0, 10, 0, 3);
        assert_figures(1, 4, 0, 0);
        cr_assert_eq(movements(), 0);
}

/* A shelf that holds only promised units: the loss is bearable, because the promise goes first. */
Test(fulfillment_short, a_loss_is_taken_from_what_was_promised_here) {
        scene.rows[0].on_hand = 5;
        assert_done(short_of(FIRST, 2, SHORT_NOT_FOUND));
        assert_figures(0, 3, 0, 3);
}

Test(fulfillment_short, it_is_told_and_the_refund_is_due) {
        assert_done(short_of(FIRST, 1, SHORT_NOT_FOUND));
        cr_assert_eq(told("fulfillment.short_picked"), 1);
        cr_assert(text_starts_with(data_of("fulfillment.short_picked"), "\"reason\":\"not_found\",\"lines\":[{"));
        cr_assert_eq(told("refund.due"), 1);
        cr_assert_eq(scene.order.balance.refund_due, 1000);
        cr_assert_eq(scene.order_lines[FIRST].cancelled, 1);
        cr_assert_eq(scene.lines[FIRST].shorted, 1);
        cr_assert_eq(it->version, 2);
        assert_status(FULFILLMENT_ALLOCATED);
}

Test(fulfillment_short, everything_short_is_cancelled) {
        const struct line_units all[] = { units(FIRST, 2), units(SECOND_LINE, 1), units(THIRD, 3) };

        assert_done(fulfillment_short(it, all, LINES, SHORT_NOT_FOUND, scene.search, &scene.command));
        assert_status(FULFILLMENT_CANCELLED);
        cr_assert_str_eq(it->reason, "not_found");
        cr_assert_eq(scene.order.status, ORDER_CANCELLED);
        cr_assert_str_eq(scene.order.cancel_reason, "not_found");
        cr_assert_eq(told("fulfillment.cancelled"), 1);
        cr_assert_eq(told("order.cancelled"), 1);
        assert_figures(0, 5, 0, 0);
}

Test(fulfillment_short, picked_units_are_not_short) {
        assert_done(pick_line(FIRST, 1));
        enum problem p = short_of(FIRST, 2, SHORT_NOT_FOUND);

        assert_violation("#/lines/0/quantity", "over-pick");
        cr_assert_eq(scene.refusal.violations->available, 1);
        assert_refused(p, PROBLEM_OVER_PICK);
        cr_assert_eq(movements(), 0);
        cr_assert_eq(it->version, 2);
}

Test(fulfillment_short, a_strange_line_is_refused) {
        const struct line_units strange[] = { units(FIRST, 1), { uuid_new(), 1 } };
        enum problem p = fulfillment_short(it, strange, 2, SHORT_NOT_FOUND, scene.search, &scene.command);

        assert_violation("#/lines/1/order_line_id", "foreign-item");
        assert_refused(p, PROBLEM_VALIDATION_FAILED);
        assert_untouched();
}

Test(fulfillment_short, a_line_named_twice_is_refused) {
        const struct line_units twice[] = { units(FIRST, 1), units(FIRST, 2) };
        enum problem p = fulfillment_short(it, twice, 2, SHORT_NOT_FOUND, scene.search, &scene.command);

        assert_violation("#/lines/1/order_line_id", "repeated");
        assert_refused(p, PROBLEM_VALIDATION_FAILED);
        assert_untouched();
}

Test(fulfillment_short, it_happens_while_picking_and_never_later) {
        static const bool open[STATES] = { FROM(ALLOCATED) = true, FROM(PICKING) = true };

        for (int state = 0; state < STATES; state++) {
                it->status = (enum fulfillment_status) state;
                if (!open[state])
                        assert_refused(short_of(FIRST, 1, SHORT_CLOSED), PROBLEM_INVALID_TRANSITION);
        }
        assert_untouched();
}

/* The longest order, every line named with the largest quantity: the event must fit. */
Test(fulfillment_short, the_event_of_the_longest_order_fits) {
        static struct line_units lines[ORDER_LINES_MAX];
        struct event *event = event_add(&scene.events, EVENT_FULFILLMENT_SHORT_PICKED, "ana");

        for (size_t i = 0; i < ORDER_LINES_MAX; i++)
                lines[i] = (struct line_units){ uuid_new(), 1000000 };
        event_text(event, "reason", "customer_request");
        event_lines(event, lines, ORDER_LINES_MAX);
        event_text(event, "proof", "id_check");
        cr_assert_not(event->data.failed);
}

/* ---- giving it back ---- */

TestSuite(fulfillment_reject, .init = given_pickup, .fini = scene_clear);

Test(fulfillment_reject, a_closed_location_frees_everything) {
        assert_done(pick_line(FIRST, 2));
        assert_done(fulfillment_reject(it, SHORT_CLOSED, scene.search, &scene.command));
        assert_status(FULFILLMENT_REJECTED);
        cr_assert_str_eq(it->reason, "closed");
        assert_figures(0, 10, 0, 0);
        assert_figures(1, 4, 0, 0);
        cr_assert_eq(movements(), 0);
        cr_assert_eq(scene.order.status, ORDER_CANCELLED);
        cr_assert_eq(scene.order.balance.refund_due, 6000);
        cr_assert_eq(told("fulfillment.rejected"), 1);
        cr_assert_eq(told("fulfillment.cancelled"), 0);
        cr_assert_eq(told("refund.due"), 1);
}

Test(fulfillment_reject, damaged_units_cannot_be_sold) {
        assert_done(fulfillment_reject(it, SHORT_DAMAGED, scene.search, &scene.command));
        assert_figures(0, 10, 5, 0);
        assert_figures(1, 4, 1, 0);
}

Test(fulfillment_reject, stolen_units_are_gone) {
        assert_done(pick_line(FIRST, 2));
        assert_done(fulfillment_reject(it, SHORT_THEFT, scene.search, &scene.command));
        assert_figures(0, 5, 0, 0);
        assert_figures(1, 3, 0, 0);
}

Test(fulfillment_reject, units_in_the_hand_have_been_found) {
        assert_done(pick_line(FIRST, 2));
        assert_done(fulfillment_reject(it, SHORT_NOT_FOUND, scene.search, &scene.command));
        assert_figures(0, 7, 0, 0);
        assert_figures(1, 3, 0, 0);
}

Test(fulfillment_reject, twice_is_once) {
        assert_done(fulfillment_reject(it, SHORT_THEFT, scene.search, &scene.command));
        assert_done(fulfillment_reject(it, SHORT_THEFT, scene.search, &scene.command));
        cr_assert_eq(told("fulfillment.rejected"), 1);
        assert_figures(0, 5, 0, 0);
}

Test(fulfillment_reject, a_second_word_by_somebody_else_or_for_another_reason_is_not_swallowed) {
        assert_done(fulfillment_reject(it, SHORT_THEFT, scene.search, &scene.command));
        assert_refused(fulfillment_reject(it, SHORT_CLOSED, scene.search, &scene.command), PROBLEM_INVALID_TRANSITION);
        scene.command.actor = "another associate";
        assert_refused(fulfillment_reject(it, SHORT_THEFT, scene.search, &scene.command), PROBLEM_INVALID_TRANSITION);
        cr_assert_eq(told("fulfillment.rejected"), 1);
        assert_figures(0, 5, 0, 0);
}

Test(fulfillment_reject, what_is_ready_is_not_rejected) {
        ready();
        assert_refused(fulfillment_reject(it, SHORT_CLOSED, scene.search, &scene.command), PROBLEM_INVALID_TRANSITION);
        assert_status(FULFILLMENT_READY);
        assert_figures(0, 10, 0, 5);
}

TestSuite(fulfillment_cancel, .init = given_pickup, .fini = scene_clear);

Test(fulfillment_cancel, everything_is_free_again) {
        ready();
        assert_done(fulfillment_cancel(it, "the shopper called", &scene.command));
        assert_status(FULFILLMENT_CANCELLED);
        cr_assert_str_eq(it->reason, "the shopper called");
        assert_figures(0, 10, 0, 0);
        cr_assert_eq(movements(), 0);
        cr_assert_eq(scene.order.balance.refund_due, 6000);
        cr_assert_eq(told("fulfillment.cancelled"), 1);
}

Test(fulfillment_cancel, twice_is_once) {
        assert_done(fulfillment_cancel(it, "the shopper called", &scene.command));
        assert_done(fulfillment_cancel(it, "the shopper called", &scene.command));
        cr_assert_eq(told("fulfillment.cancelled"), 1);
}

Test(fulfillment_cancel, a_second_word_by_somebody_else_or_for_another_reason_is_not_swallowed) {
        assert_done(fulfillment_cancel(it, "the shopper called", &scene.command));
        assert_refused(fulfillment_cancel(it, "another reason", &scene.command), PROBLEM_INVALID_TRANSITION);
        scene.command.actor = "another associate";
        assert_refused(fulfillment_cancel(it, "the shopper called", &scene.command), PROBLEM_INVALID_TRANSITION);
        cr_assert_str_eq(it->reason, "the shopper called");
        cr_assert_eq(told("fulfillment.cancelled"), 1);
}

Test(fulfillment_cancel, an_unpaid_order_owes_nothing_back) {
        till_pay(&scene.till, &scene.order, FUNDS_AUTHORIZED);
        assert_done(fulfillment_cancel(it, "the shopper called", &scene.command));
        cr_assert_eq(scene.order.balance.payment_status, PAYMENT_VOIDED);
        cr_assert_eq(told("payment.void_due"), 1);
        cr_assert_eq(told("refund.due"), 0);
}

Test(fulfillment_cancel, what_the_customer_has_stays_handed_over) {
        const struct line_units first[] = { units(FIRST, 2) };

        ready();
        assert_done(hand_over_lines(first, 1));
        assert_done(fulfillment_cancel(it, "the rest is not wanted", &scene.command));
        assert_status(FULFILLMENT_HANDED_OVER);
        cr_assert_eq(scene.order.status, ORDER_FULFILLED);
        assert_figures(0, 8, 0, 0);
}

/* ---- a part has left, the rest is taken off ---- */

/* Every way to take units off; each leaves nothing of the fulfillment. */
static enum problem rest_cancelled(void) {
        return fulfillment_cancel(it, "the shopper called", &scene.command);
}

static enum problem rest_cancelled_by_order(void) {
        return order_cancel(&scene.order, NULL, 0, "the shopper called", &scene.command);
}

static enum problem rest_cancelled_by_lines(void) {
        struct cancel_line lines[LINES];
        size_t n = 0;

        for (size_t i = 0; i < LINES; i++)
                if (order_line_open(&scene.order_lines[i]))
                        lines[n++] =
                                (struct cancel_line){ scene.order_lines[i].id, order_line_open(&scene.order_lines[i]) };
        return order_cancel(&scene.order, lines, n, "the shopper called", &scene.command);
}

/* The effect of a change that takes units off. */
static enum problem rest_changed(void) {
        for (size_t i = 0; i < LINES; i++)
                order_line_cancel(&scene.order_lines[i], order_line_open(&scene.order_lines[i]));
        return order_after_units(&scene.order, "the shopper called", &scene.command);
}

static enum problem rest_short(void) {
        struct line_units lines[LINES];
        size_t n = 0;

        for (size_t i = 0; i < LINES; i++)
                if (fulfillment_line_remaining(&scene.lines[i]))
                        lines[n++] = units(i, fulfillment_line_remaining(&scene.lines[i]));
        return fulfillment_short(it, lines, n, SHORT_CLOSED, scene.search, &scene.command);
}

struct emptying {
        const char *name;
        enum problem (*run)(void);
        bool takes_picked;
};

static const struct emptying emptyings[] = {
        { "cancel the fulfillment", rest_cancelled, true },
        { "cancel the order", rest_cancelled_by_order, true },
        { "cancel lines", rest_cancelled_by_lines, true },
        { "change the order", rest_changed, true },
        { "fall short", rest_short, false },
};

static void parcel_of_one(void) {
        struct line_units one;

        given_shipping();
        pick_all();
        one = units(SECOND_LINE, 1);
        assert_done(ship(&one, 1));
}

static void packed_after_a_parcel(void) {
        parcel_of_one();
        assert_status(FULFILLMENT_PACKED);
}

static void picking_after_a_parcel(void) {
        parcel_of_one();
        assert_done(undo_line(FIRST, 2));
        assert_done(undo_line(THIRD, 3));
        assert_status(FULFILLMENT_PICKING);
}

static void ready_after_a_part(void) {
        struct line_units one;
        struct handover handover = { .method = PROOF_ID_CHECK, .relation = -1, .lines = &one, .n_lines = 1 };

        given_pickup();
        ready();
        one = units(SECOND_LINE, 1);
        assert_done(fulfillment_hand_over(it, &handover, &scene.command));
        assert_status(FULFILLMENT_READY);
}

/* No command leads there today. */
static void picking_after_a_part(void) {
        ready_after_a_part();
        it->status = FULFILLMENT_PICKING;
        scene.lines[FIRST].picked = scene.lines[THIRD].picked = 0;
}

static void assert_ends_with_what_has_left(const struct emptying *emptying, enum fulfillment_status end) {
        const char *told_by = end == FULFILLMENT_SHIPPED ? "fulfillment.shipped" : "fulfillment.handed_over";
        const int64_t version = it->version;

        cr_assert_eq(emptying->run(), PROBLEM_NONE, "%s: %s", emptying->name, scene.refusal.detail);
        assert_status(end);
        cr_assert_eq(it->version, version + 1, "%s", emptying->name);
        cr_assert_eq(told(told_by), 1, "%s", emptying->name);
        assert_figures(0, 10, 0, 0);
        assert_figures(1, 3, 0, 0);
        cr_assert_eq(scene.order_lines[FIRST].cancelled + scene.order_lines[THIRD].cancelled, 5);
        cr_assert_eq(scene.order_lines[SECOND_LINE].fulfilled, 1);
        cr_assert_eq(scene.order.status, ORDER_FULFILLED);
        cr_assert_eq(scene.order.balance.refund_due, 5000, "%s", emptying->name);
        scene_clear();
}

Test(fulfillment_part, the_rest_may_be_taken_off_in_every_state_and_every_way) {
        static const struct {
                void (*given)(void);
                enum fulfillment_status end;
                bool is_picked;
        } states[] = {
                { packed_after_a_parcel, FULFILLMENT_SHIPPED, true },
                { picking_after_a_parcel, FULFILLMENT_SHIPPED, false },
                { ready_after_a_part, FULFILLMENT_HANDED_OVER, true },
                { picking_after_a_part, FULFILLMENT_HANDED_OVER, false },
        };

        for (size_t i = 0; i < array_size(states); i++)
                for (size_t j = 0; j < array_size(emptyings); j++) {
                        if (states[i].is_picked && !emptyings[j].takes_picked)
                                continue; /* units in the hand are not short */
                        states[i].given();
                        assert_ends_with_what_has_left(&emptyings[j], states[i].end);
                }
}

Test(fulfillment_cancel, what_is_over_is_not_cancelled) {
        static const int over[] = { FULFILLMENT_HANDED_OVER, FULFILLMENT_REJECTED, FULFILLMENT_EXPIRED };

        for (size_t i = 0; i < array_size(over); i++) {
                it->status = (enum fulfillment_status) over[i];
                assert_refused(fulfillment_cancel(it, "too late", &scene.command), PROBLEM_INVALID_TRANSITION);
        }
        assert_untouched();
}

/* ---- waiting for the customer ---- */

TestSuite(fulfillment_ready, .init = given_pickup, .fini = scene_clear);

Test(fulfillment_ready, the_hold_begins) {
        ready();
        assert_status(FULFILLMENT_READY);
        cr_assert_eq(it->hold_until, NOW + 7 * DAY);
        cr_assert_str_eq(it->staging_location, "shelf C3");
        cr_assert_eq(told("fulfillment.ready"), 1);
}

Test(fulfillment_ready, a_unit_neither_picked_nor_short_keeps_it_back) {
        assert_done(pick_sku("SKU-A", 5));
        assert_refused(make_ready(), PROBLEM_INVALID_TRANSITION);
        assert_status(FULFILLMENT_PICKING);
        assert_done(short_of(SECOND_LINE, 1, SHORT_NOT_FOUND));
        assert_done(make_ready());
}

Test(fulfillment_ready, nothing_is_ready_before_it_is_touched) {
        assert_refused(make_ready(), PROBLEM_INVALID_TRANSITION);
        assert_untouched();
}

Test(fulfillment_ready, twice_is_once) {
        ready();
        scene.command.now += HOUR;
        assert_done(fulfillment_make_ready(it, NULL, DAY, &scene.command));
        assert_done(fulfillment_make_ready(it, "shelf C3", DAY, &scene.command));
        cr_assert_eq(it->hold_until, NOW + 7 * DAY);
        cr_assert_str_eq(it->staging_location, "shelf C3");
        cr_assert_eq(told("fulfillment.ready"), 1);
        cr_assert_eq(told("fulfillment.staged"), 0);
}

Test(fulfillment_ready, it_may_be_staged_elsewhere) {
        ready();
        const int64_t version = it->version;

        scene.command.now += HOUR;
        scene.command.actor = "another associate";
        assert_done(fulfillment_make_ready(it, "shelf D4", DAY, &scene.command));
        cr_assert_str_eq(it->staging_location, "shelf D4");
        cr_assert_eq(it->hold_until, NOW + 7 * DAY);
        cr_assert_eq(it->version, version + 1);
        cr_assert_eq(told("fulfillment.staged"), 1);
        cr_assert_str_eq(data_of("fulfillment.staged"), "\"staging_location\":\"shelf D4\"");
        cr_assert_eq(told("fulfillment.ready"), 1);
}

Test(fulfillment_ready, a_shipment_waits_for_nobody) {
        given_shipping();
        pick_all();
        assert_refused(make_ready(), PROBLEM_INVALID_TRANSITION);
        assert_status(FULFILLMENT_PACKED);
}

/* ---- handing over ---- */

TestSuite(fulfillment_handover, .init = given_pickup, .fini = scene_clear);

Test(fulfillment_handover, the_units_leave_stock_and_reservation_at_once) {
        ready();
        assert_done(hand_over_by(right_code(SECRET)));
        assert_status(FULFILLMENT_HANDED_OVER);
        assert_figures(0, 5, 0, 0);
        assert_figures(1, 3, 0, 0);
        cr_assert_eq(movements(), LINES);
        cr_assert_str_eq(scene.stock.movements->reason, "sale");
        cr_assert_eq(scene.order.status, ORDER_FULFILLED);
        cr_assert_eq(told("fulfillment.handed_over"), 1);
        cr_assert_eq(told("order.fulfilled"), 1);
        cr_assert_eq(scene.order.balance.refund_due, 0);
}

Test(fulfillment_handover, twice_is_once) {
        ready();
        assert_done(hand_over_by(right_code(SECRET)));
        assert_done(hand_over_by(right_code(SECRET)));
        cr_assert_eq(movements(), LINES);
        cr_assert_eq(told("fulfillment.handed_over"), 1);
}

/* They all used to be told that it was done, the wrong code as well. */
Test(fulfillment_handover, a_second_one_that_says_something_else_is_not_swallowed) {
        struct handover handover;

        ready();
        assert_done(hand_over_by(right_code(SECRET)));
        assert_refused(hand_over_by("WRONGCOD"), PROBLEM_HANDOVER_PROOF_INVALID);
        cr_assert_eq(it->wrong_codes, 0, "nothing is left to be guessed");
        handover = by_code(right_code(SECRET));
        handover.recipient = "Cleo";
        assert_refused(fulfillment_hand_over(it, &handover, &scene.command), PROBLEM_INVALID_TRANSITION);
        handover = (struct handover){ .method = PROOF_ID_CHECK, .value = "passport", .relation = -1 };
        assert_refused(fulfillment_hand_over(it, &handover, &scene.command), PROBLEM_INVALID_TRANSITION);
        scene.command.actor = "another associate";
        assert_refused(hand_over_by(right_code(SECRET)), PROBLEM_INVALID_TRANSITION);
        assert_refused(hand_over_by("WRONGCOD"), PROBLEM_INVALID_TRANSITION);
        cr_assert_eq(movements(), LINES);
}

Test(fulfillment_handover, a_part_keeps_it_ready) {
        const struct line_units part[] = { units(THIRD, 2) };

        ready();
        assert_done(hand_over_lines(part, 1));
        assert_status(FULFILLMENT_READY);
        cr_assert_eq(scene.order.status, ORDER_PARTIALLY_FULFILLED);
        assert_figures(0, 8, 0, 3);
        cr_assert_eq(told("fulfillment.partially_handed_over"), 1);
        cr_assert_eq(told("fulfillment.handed_over"), 0);
        assert_done(hand_over_by(right_code(SECRET)));
        assert_status(FULFILLMENT_HANDED_OVER);
        assert_figures(0, 5, 0, 0);
}

static enum problem hand_over_to(const char *recipient, const struct line_units *lines, size_t n_lines) {
        const struct handover handover = { .method = PROOF_ID_CHECK,
                .value = "passport",
                .recipient = recipient,
                .relation = -1,
                .lines = lines,
                .n_lines = n_lines };

        return fulfillment_hand_over(it, &handover, &scene.command);
}

static void assert_before(const char *text, const char *first, const char *second) {
        const char *at = strstr(text, first);

        cr_assert_not_null(at, "%s is not in %s", first, text);
        cr_assert_not_null(strstr(at, second), "%s does not follow in %s", second, text);
}

Test(fulfillment_handover, each_part_is_kept_with_who_took_it) {
        const struct line_units first[] = { units(FIRST, 2) }, third[] = { units(THIRD, 1) };

        ready();
        assert_done(hand_over_to("Ada", first, 1));
        cr_assert_null(strstr(it->handover, "earlier"));
        assert_done(hand_over_to("Bea", third, 1));
        scene.command.actor = "ben";
        assert_done(hand_over_by(right_code(SECRET)));
        assert_before(it->handover, "{\"method\":\"code\"", "\"actor\":\"ben\"");
        assert_before(it->handover, "\"quantity\":2}],\"earlier\":[{\"method\":\"id_check\"", "\"name\":\"Ada\"");
        assert_before(it->handover, "\"name\":\"Ada\"", "\"quantity\":2}]},{\"method\"");
        assert_before(it->handover, "\"name\":\"Ada\"", "\"name\":\"Bea\"");
        assert_before(it->handover, "\"name\":\"Bea\"", "\"quantity\":1}]}]}");
        cr_assert_null(strstr(strstr(it->handover, "earlier") + 1, "earlier"));
        assert_done(hand_over_by(right_code(SECRET)));
}

/* As it was kept before the lines and the earlier ones were. */
Test(fulfillment_handover, one_of_old_is_kept_as_well) {
        const struct line_units part[] = { units(FIRST, 1) };

        ready();
        it->handover =
                "{\"at\":\"2026-11-21T10:15:30.123Z\",\"actor\":\"cleo\",\"method\":\"none\",\"verified\":false}";
        assert_done(hand_over_to("Ada", part, 1));
        assert_before(it->handover, "\"name\":\"Ada\"",
                "\"earlier\":[{\"at\":\"2026-11-21T10:15:30.123Z\",\"actor\":\"cleo\"");
}

Test(fulfillment_handover, so_many_parts_are_handed_over_and_then_the_rest) {
        const struct line_units part[] = { units(FIRST, 1) };
        enum problem p;

        ready();
        scene.rows[0].on_hand = scene.rows[0].reserved = HANDOVERS_MAX + 4;
        scene.order_lines[FIRST].quantity = scene.lines[FIRST].quantity = scene.lines[FIRST].picked = HANDOVERS_MAX + 1;
        for (int i = 1; i < HANDOVERS_MAX; i++)
                assert_done(hand_over_to("Ada", part, 1));
        p = hand_over_to("Ada", part, 1);
        assert_violation("#/lines", "too-many");
        assert_refused(p, PROBLEM_VALIDATION_FAILED);
        cr_assert_eq(scene.lines[FIRST].fulfilled, HANDOVERS_MAX - 1);
        assert_done(hand_over_by(right_code(SECRET)));
        assert_status(FULFILLMENT_HANDED_OVER);
}

Test(fulfillment_handover, nobody_gets_what_was_not_picked) {
        const struct line_units too_many[] = { units(FIRST, 1), units(FIRST, 2) };
        const struct line_units strange[] = { { uuid_new(), 1 } };

        ready();
        assert_refused(hand_over_lines(too_many, 2), PROBLEM_INVALID_TRANSITION);
        assert_refused(hand_over_lines(strange, 1), PROBLEM_VALIDATION_FAILED);
        cr_assert_eq(movements(), 0);
        assert_status(FULFILLMENT_READY);
}

Test(fulfillment_handover, only_what_is_ready_is_handed_over) {
        pick_all();
        assert_refused(hand_over_by(right_code(SECRET)), PROBLEM_INVALID_TRANSITION);
        assert_refused(hand_over_by("WRONG"), PROBLEM_INVALID_TRANSITION);
        cr_assert_eq(it->wrong_codes, 0);
}

Test(fulfillment_handover, a_shipment_is_not_handed_over) {
        given_shipping();
        pick_all();
        assert_refused(hand_over_by(right_code(SECRET)), PROBLEM_INVALID_TRANSITION);
}

/* As it is said at the counter, read from a screen, typed by a thumb. */
Test(fulfillment_handover, a_code_may_be_written_like_this) {
        const char *code = right_code(SECRET);
        char spaced[] = "abcd efg-h ";

        for (size_t i = 0, at = 0; i < 8; i++, at++) {
                at += spaced[at] == ' ' || spaced[at] == '-';
                spaced[at] = (char) (code[i] - 'A' + 'a');
        }
        cr_assert(pickup_code_matches(SECRET, it, code));
        cr_assert(pickup_code_matches(SECRET, it, spaced));
}

Test(fulfillment_handover, a_code_is_all_of_its_letters_and_no_more) {
        char longer[PICKUP_CODE_SIZE + 2], shorter[PICKUP_CODE_SIZE];

        (void) snprintf(longer, sizeof(longer), "%sA", right_code(SECRET));
        (void) snprintf(shorter, sizeof(shorter), "%.7s", right_code(SECRET));
        cr_assert_not(pickup_code_matches(SECRET, it, longer));
        cr_assert_not(pickup_code_matches(SECRET, it, shorter));
        cr_assert_not(pickup_code_matches(SECRET, it, ""));
        cr_assert_not(pickup_code_matches(OTHER, it, right_code(SECRET)));
        cr_assert_not(pickup_code_matches(NULL, it, right_code(SECRET)));
}

Test(fulfillment_handover, a_code_of_the_secret_before_still_opens) {
        struct handover handover = by_code(NULL);

        ready();
        handover.previous = OTHER;
        handover.value = right_code(OTHER);
        assert_done(fulfillment_hand_over(it, &handover, &scene.command));
}

Test(fulfillment_handover, a_new_serial_makes_the_old_code_wrong) {
        ready();
        const char *old = right_code(SECRET);

        it->pickup_serial++;
        assert_refused(hand_over_by(old), PROBLEM_HANDOVER_PROOF_INVALID);
}

Test(fulfillment_handover, without_any_secret_no_code_is_right_or_counted) {
        struct handover handover = by_code("ABCDEFGH");

        ready();
        handover.secret = NULL;
        assert_refused(fulfillment_hand_over(it, &handover, &scene.command), PROBLEM_HANDOVER_PROOF_INVALID);
        cr_assert_eq(it->wrong_codes, 0);
}

Test(fulfillment_handover, a_wrong_code_is_counted_and_to_be_saved) {
        ready();
        it->changed = false;
        assert_refused(hand_over_by("ABCDEFGH"), PROBLEM_HANDOVER_PROOF_INVALID);
        cr_assert_eq(it->wrong_codes, 1);
        cr_assert(it->changed);
        cr_assert_eq(movements(), 0);
}

static void lock(void) {
        ready();
        for (int i = 0; i < WRONG_CODES_MAX; i++)
                assert_refused(hand_over_by("ABCDEFGH"), PROBLEM_HANDOVER_PROOF_INVALID);
}

Test(fulfillment_handover, the_fifth_wrong_code_locks_out_the_right_one) {
        lock();
        cr_assert_eq(told("fulfillment.handover_locked"), 1);
        scene.command.now += MINUTE;
        enum problem p = hand_over_by(right_code(SECRET));

        cr_assert_eq(scene.refusal.retry_after_s, 14 * 60);
        assert_refused(p, PROBLEM_HANDOVER_LOCKED);
        assert_status(FULFILLMENT_READY);
}

Test(fulfillment_handover, four_wrong_codes_lock_nothing) {
        ready();
        for (int i = 1; i < WRONG_CODES_MAX; i++)
                assert_refused(hand_over_by("ABCDEFGH"), PROBLEM_HANDOVER_PROOF_INVALID);
        assert_done(hand_over_by(right_code(SECRET)));
        cr_assert_eq(it->wrong_codes, 0);
}

Test(fulfillment_handover, after_the_lock_there_are_five_more_tries) {
        lock();
        scene.command.now += HANDOVER_LOCK - 1;
        assert_refused(hand_over_by(right_code(SECRET)), PROBLEM_HANDOVER_LOCKED);
        scene.command.now += 1;
        assert_refused(hand_over_by("ABCDEFGH"), PROBLEM_HANDOVER_PROOF_INVALID);
        cr_assert_eq(it->wrong_codes, 1);
        assert_done(hand_over_by(right_code(SECRET)));
        cr_assert_eq(it->locked_until, TIMESTAMP_NONE);
}

/* Between partial hand-overs the count starts anew. */
Test(fulfillment_handover, a_right_code_forgives_the_wrong_ones) {
        const struct line_units part[] = { units(FIRST, 1) };

        ready();
        assert_refused(hand_over_by("ABCDEFGH"), PROBLEM_HANDOVER_PROOF_INVALID);
        assert_done(hand_over_lines(part, 1));
        cr_assert_eq(it->wrong_codes, 0);
}

static enum problem hand_over_with(enum proof_method method, const char *value) {
        const struct handover handover = {
                .method = method, .value = value, .recipient = "Ada \"L\"", .relation = 1, .secret = SECRET
        };

        return fulfillment_hand_over(it, &handover, &scene.command);
}

Test(fulfillment_handover, a_document_is_kept_by_its_kind) {
        ready();
        assert_done(hand_over_with(PROOF_ID_CHECK, "passport"));
        cr_assert_not_null(strstr(it->handover, "\"method\":\"id_check\",\"id_type\":\"passport\",\"verified\":true"));
        cr_assert_not_null(strstr(it->handover, "\"recipient\":{\"name\":\"Ada \\\"L\\\"\",\"relation\":\"family\"}"));
        cr_assert_not_null(strstr(it->handover, "\"actor\":\"ana\""));
}

Test(fulfillment_handover, the_number_of_a_document_is_never_kept) {
        ready();
        assert_done(hand_over_with(PROOF_ID_CHECK, "L01X00T471"));
        cr_assert_null(strstr(it->handover, "L01X00T471"));
        cr_assert_null(strstr(it->handover, "id_type"));
}

Test(fulfillment_handover, no_code_and_no_name_is_kept_or_told_where_it_should_not) {
        const char *code = right_code(SECRET);

        ready();
        assert_done(hand_over_with(PROOF_CODE, code));
        cr_assert_null(strstr(it->handover, code));
        for (const struct event *event = scene.events.first; event; event = event->next) {
                cr_assert_null(strstr(buffer_text(&event->data), code));
                cr_assert_null(strstr(buffer_text(&event->data), "Ada"));
        }
}

Test(fulfillment_handover, a_locked_one_wants_the_supervisor) {
        lock();
        assert_refused(hand_over_with(PROOF_ID_CHECK, "passport"), PROBLEM_HANDOVER_LOCKED);
        assert_done(hand_over_with(PROOF_NONE, NULL));
        cr_assert_not_null(strstr(it->handover, "\"method\":\"none\",\"verified\":false"));
        assert_status(FULFILLMENT_HANDED_OVER);
}

/* ---- shipping ---- */

TestSuite(fulfillment_ship, .init = given_shipping, .fini = scene_clear);

Test(fulfillment_ship, all_that_is_picked_leaves) {
        pick_all();
        assert_done(ship(NULL, 0));
        assert_status(FULFILLMENT_SHIPPED);
        assert_figures(0, 5, 0, 0);
        assert_figures(1, 3, 0, 0);
        cr_assert_eq(movements(), LINES);
        cr_assert_eq(told("fulfillment.shipped"), 1);
        cr_assert_eq(scene.order.status, ORDER_FULFILLED);
        cr_assert(text_starts_with(it->packages, "[{\"carrier\":\"DHL\",\"tracking_number\":\"0034\",\"shipped_at\":"));
}

Test(fulfillment_ship, a_part_keeps_it_packed) {
        const struct line_units part[] = { units(FIRST, 2) };

        pick_all();
        assert_done(ship(part, 1));
        assert_status(FULFILLMENT_PACKED);
        cr_assert_eq(told("fulfillment.partially_shipped"), 1);
        assert_figures(0, 8, 0, 3);
        assert_done(ship(NULL, 0));
        assert_status(FULFILLMENT_SHIPPED);
        assert_figures(0, 5, 0, 0);
        cr_assert_not_null(strstr(it->packages, "]},{\"carrier\""));
}

/* As the database gives it back. */
Test(fulfillment_ship, packages_come_after_those_before) {
        pick_all();
        it->packages =
                "[{\"carrier\": \"UPS\", \"shipped_at\": \"2026-11-21T10:15:30.123Z\", \"tracking_number\": \"]\"}]";
        assert_done(ship(NULL, 0));
        cr_assert(text_starts_with(it->packages, "[{\"carrier\": \"UPS\""));
        cr_assert_not_null(strstr(it->packages, "\"]\"},{\"carrier\":\"DHL\""));
        cr_assert_eq(it->packages[strlen(it->packages) - 1], ']');
}

Test(fulfillment_ship, packages_share_out_what_is_picked) {
        const struct line_units first[] = { units(FIRST, 1) }, more[] = { units(FIRST, 1), units(THIRD, 1) };
        const struct package packages[] = {
                { .carrier = "DHL", .tracking_number = "1", .lines = first, .n_lines = 1 },
                { .carrier = "DHL", .tracking_number = "2", .lines = more, .n_lines = 2 },
        };

        pick_all();
        assert_done(fulfillment_ship(it, packages, 2, &scene.command));
        cr_assert_eq(scene.lines[FIRST].fulfilled, 2);
        cr_assert_eq(scene.lines[THIRD].fulfilled, 1);
        assert_status(FULFILLMENT_PACKED);
}

Test(fulfillment_ship, no_unit_is_in_two_packages) {
        const struct line_units all[] = { units(FIRST, 2) }, again[] = { units(FIRST, 1) };
        const struct package packages[] = {
                { .carrier = "DHL", .tracking_number = "1", .lines = all, .n_lines = 1 },
                { .carrier = "DHL", .tracking_number = "2", .lines = again, .n_lines = 1 },
        };

        pick_all();
        enum problem p = fulfillment_ship(it, packages, 2, &scene.command);

        assert_violation("#/packages/1/lines/0/quantity", "not-picked");
        assert_refused(p, PROBLEM_INVALID_TRANSITION);
        cr_assert_eq(movements(), 0);
        cr_assert_str_eq(it->packages, "[]");
}

Test(fulfillment_ship, a_strange_line_is_refused) {
        const struct line_units strange[] = { { uuid_new(), 1 } };

        pick_all();
        enum problem p = ship(strange, 1);

        assert_violation("#/packages/0/lines/0/order_line_id", "foreign-item");
        assert_refused(p, PROBLEM_VALIDATION_FAILED);
}

Test(fulfillment_ship, there_are_only_so_many_packages) {
        static char many[PACKAGES_MAX * 32];
        size_t size = 0;

        for (int i = 0; i < PACKAGES_MAX; i++)
                size += (size_t) snprintf(many + size, sizeof(many) - size, "%s{\"shipped_at\": null}", i ? "," : "[");
        (void) snprintf(many + size, sizeof(many) - size, "]");
        pick_all();
        it->packages = many;
        enum problem p = ship(NULL, 0);

        assert_violation("#/packages", "too-many");
        assert_refused(p, PROBLEM_VALIDATION_FAILED);
}

Test(fulfillment_ship, only_what_is_packed_leaves) {
        assert_done(pick_sku("SKU-A", 5));
        assert_refused(ship(NULL, 0), PROBLEM_INVALID_TRANSITION);
        assert_status(FULFILLMENT_PICKING);
}

Test(fulfillment_ship, twice_is_once) {
        pick_all();
        assert_done(ship(NULL, 0));
        assert_done(ship(NULL, 0));
        cr_assert_eq(movements(), LINES);
        cr_assert_eq(told("fulfillment.shipped"), 1);
}

Test(fulfillment_ship, a_second_one_with_another_parcel_or_by_somebody_else_is_not_swallowed) {
        const struct package other[] = { { .carrier = "DHL", .tracking_number = "another" } };

        pick_all();
        assert_done(ship(NULL, 0));
        assert_refused(fulfillment_ship(it, other, 1, &scene.command), PROBLEM_INVALID_TRANSITION);
        scene.command.actor = "another associate";
        assert_refused(ship(NULL, 0), PROBLEM_INVALID_TRANSITION);
        cr_assert_null(strstr(it->packages, "another"));
        cr_assert_eq(told("fulfillment.shipped"), 1);
}

Test(fulfillment_ship, the_carrier_delivers_once) {
        pick_all();
        assert_refused(fulfillment_deliver(it, &scene.command), PROBLEM_INVALID_TRANSITION);
        assert_done(ship(NULL, 0));
        assert_done(fulfillment_deliver(it, &scene.command));
        assert_done(fulfillment_deliver(it, &scene.command));
        assert_status(FULFILLMENT_DELIVERED);
        scene.command.actor = "another associate";
        assert_refused(fulfillment_deliver(it, &scene.command), PROBLEM_INVALID_TRANSITION);
        cr_assert_eq(told("fulfillment.delivered"), 1);
        assert_refused(ship(NULL, 0), PROBLEM_INVALID_TRANSITION);
}

Test(fulfillment_ship, a_pickup_is_not_shipped) {
        given_pickup();
        pick_all();
        assert_refused(ship(NULL, 0), PROBLEM_INVALID_TRANSITION);
}
