/* While goods wait for their customer. */
#include "fulfillment_scene.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(fulfillment_check_in, .init = given_pickup, .fini = scene_clear);

static enum problem say(enum check_in_event event, int64_t eta_minutes, const char *bay, const char *make) {
        const struct check_in_word word = { .event = event,
                .eta_minutes = eta_minutes,
                .bay = bay,
                .vehicle = { make, make ? "red" : NULL, make ? "B-XY 12" : NULL } };

        return fulfillment_check_in(it, &word, &scene.command);
}

static enum problem set_out(int64_t eta_minutes) {
        return say(CHECK_IN_SET_OUT, eta_minutes, NULL, NULL);
}

static enum problem arrive(void) {
        return say(CHECK_IN_ARRIVE, -1, NULL, NULL);
}

Test(fulfillment_check_in, a_customer_sets_out_with_an_estimate) {
        assert_done(set_out(12));
        cr_assert_eq(it->check_in.state, CHECK_IN_ON_THE_WAY);
        cr_assert_eq(it->check_in.eta_minutes, 12);
        cr_assert_eq(it->check_in.on_the_way_at, NOW);
        cr_assert_eq(it->check_in.arrived_at, TIMESTAMP_NONE);
        cr_assert_eq(told("pickup.customer_on_the_way"), 1);
        cr_assert_str_eq(data_of("pickup.customer_on_the_way"), "\"eta_minutes\":12");
        cr_assert_eq(it->version, 2);
        cr_assert(it->changed && it->check_in.changed);
}

Test(fulfillment_check_in, a_customer_arrives_in_a_bay) {
        assert_done(say(CHECK_IN_ARRIVE, -1, "4", "Volvo"));
        cr_assert_eq(it->check_in.state, CHECK_IN_ARRIVED);
        cr_assert_eq(it->check_in.arrived_at, NOW);
        cr_assert_str_eq(it->check_in.bay, "4");
        cr_assert_str_eq(it->check_in.vehicle.plate, "B-XY 12");
        cr_assert_eq(told("pickup.customer_arrived"), 1);
}

Test(fulfillment_check_in, bay_and_vehicle_stand_in_no_event) {
        assert_done(say(CHECK_IN_SET_OUT, 5, "4", "Volvo"));
        assert_done(say(CHECK_IN_ARRIVE, -1, "5", "Saab"));
        cr_assert_str_eq(data_of("pickup.customer_on_the_way"), "\"eta_minutes\":5");
        cr_assert_str_eq(data_of("pickup.customer_arrived"), "");
}

Test(fulfillment_check_in, an_event_says_where) {
        assert_done(arrive());
        cr_assert_str_eq(scene.events.first->location, "store");
        cr_assert_eq(scene.events.first->subject_id, &it->id);
}

Test(fulfillment_check_in, it_is_an_axis_of_its_own) {
        assert_done(arrive());
        assert_status(FULFILLMENT_ALLOCATED);
        cr_assert_str_eq(fulfillment_shown_status(it), "allocated");
        ready();
        cr_assert_str_eq(fulfillment_shown_status(it), "arrived");
        assert_done(hand_over_by(right_code(SECRET)));
        cr_assert_str_eq(fulfillment_shown_status(it), "handed_over");
}

Test(fulfillment_check_in, the_last_word_wins) {
        assert_done(arrive());
        scene.command.now += MINUTE;
        assert_done(set_out(20));
        cr_assert_eq(it->check_in.state, CHECK_IN_ON_THE_WAY);
        cr_assert_eq(it->check_in.arrived_at, TIMESTAMP_NONE);
        scene.command.now += MINUTE;
        assert_done(arrive());
        cr_assert_eq(it->check_in.arrived_at, NOW + 2 * MINUTE);
        cr_assert_eq(it->check_in.eta_minutes, -1);
}

Test(fulfillment_check_in, what_is_not_told_anew_stays) {
        assert_done(say(CHECK_IN_SET_OUT, 12, NULL, "Volvo"));
        scene.command.now += MINUTE;
        assert_done(say(CHECK_IN_SET_OUT, -1, "7", NULL));
        cr_assert_eq(it->check_in.eta_minutes, 12);
        cr_assert_eq(it->check_in.on_the_way_at, NOW);
        assert_done(arrive());
        cr_assert_str_eq(it->check_in.bay, "7");
        cr_assert_str_eq(it->check_in.vehicle.make, "Volvo");
}

Test(fulfillment_check_in, a_tap_too_many_changes_nothing) {
        assert_done(say(CHECK_IN_ARRIVE, -1, "4", "Volvo"));
        scene.command.now += MINUTE;
        assert_done(say(CHECK_IN_ARRIVE, -1, "4", "Volvo"));
        assert_done(arrive());
        cr_assert_eq(told("pickup.customer_arrived"), 1);
        cr_assert_eq(it->version, 2);
        cr_assert_eq(it->check_in.arrived_at, NOW);
}

Test(fulfillment_check_in, an_estimate_counts_from_when_it_was_given) {
        assert_done(set_out(12));
        scene.command.now += MINUTE;
        assert_done(set_out(12));
        cr_assert_eq(it->check_in.on_the_way_at, NOW + MINUTE);
        cr_assert_eq(told("pickup.customer_on_the_way"), 2);
        assert_done(set_out(-1));
        cr_assert_eq(told("pickup.customer_on_the_way"), 2);
}

Test(fulfillment_check_in, another_bay_is_news_and_the_wait_goes_on) {
        assert_done(say(CHECK_IN_ARRIVE, -1, "4", NULL));
        scene.command.now += MINUTE;
        assert_done(say(CHECK_IN_ARRIVE, -1, "5", NULL));
        cr_assert_eq(told("pickup.customer_arrived"), 2);
        cr_assert_eq(it->check_in.arrived_at, NOW);
}

Test(fulfillment_check_in, nobody_comes_for_what_is_over) {
        for (int status = 0; status <= FULFILLMENT_EXPIRED; status++) {
                it->status = (enum fulfillment_status) status;
                it->check_in = (struct check_in) NO_CHECK_IN;
                if (status == FULFILLMENT_ALLOCATED || status == FULFILLMENT_PICKING || status == FULFILLMENT_READY)
                        assert_done(arrive());
                else
                        assert_refused(arrive(), PROBLEM_INVALID_TRANSITION);
        }
}

Test(fulfillment_check_in, nobody_comes_for_a_parcel) {
        it->method = BY_SHIPPING;
        assert_refused(set_out(5), PROBLEM_INVALID_TRANSITION);
        assert_untouched();
}

/* ---- the wait ---- */

Test(fulfillment_check_in, the_wait_ends_with_the_hand_over) {
        ready();
        assert_done(arrive());
        scene.command.now += 5 * MINUTE + SECOND - 1;
        assert_done(hand_over_by(right_code(SECRET)));
        cr_assert_eq(it->check_in.waited_s, 300);
        cr_assert(it->check_in.changed);
        cr_assert_not_null(strstr(data_of("fulfillment.handed_over"), "\"waited_s\":300"));
        cr_assert_eq(it->check_in.state, CHECK_IN_ARRIVED);
}

Test(fulfillment_check_in, who_came_unannounced_did_not_wait) {
        ready();
        assert_done(set_out(12));
        assert_done(hand_over_by(right_code(SECRET)));
        cr_assert_eq(it->check_in.waited_s, -1);
        cr_assert_null(strstr(data_of("fulfillment.handed_over"), "waited_s"));
}

Test(fulfillment_check_in, a_visit_that_took_a_part_is_over) {
        const struct line_units part[] = { units(FIRST, 1) };

        ready();
        assert_done(say(CHECK_IN_ARRIVE, -1, "4", "Volvo"));
        scene.command.now += MINUTE;
        assert_done(hand_over_lines(part, 1));
        cr_assert_str_eq(fulfillment_shown_status(it), "ready");
        cr_assert_null(it->check_in.bay);
        cr_assert_null(it->check_in.vehicle.make);
        cr_assert_eq(it->check_in.waited_s, 60);
        assert_done(hand_over_by(right_code(SECRET)));
        cr_assert_eq(it->check_in.waited_s, 60);
}

/* ---- the hold ---- */

TestSuite(fulfillment_hold, .init = given_pickup, .fini = scene_clear);

Test(fulfillment_hold, a_reminder_is_due_a_day_before_the_end) {
        ready();
        cr_assert_eq(it->hold_until, NOW + 7 * DAY);
        cr_assert_eq(it->remind_at, NOW + 6 * DAY);
        scene.command.now = it->remind_at - 1;
        cr_assert_not(fulfillment_remind(it, &scene.command));
        scene.command.now++;
        cr_assert(fulfillment_remind(it, &scene.command));
        cr_assert_not_null(strstr(data_of("pickup.reminder"), "\"hold_until\":\""));
        cr_assert_eq(it->version, 5);
}

Test(fulfillment_hold, a_customer_is_reminded_once) {
        ready();
        scene.command.now = it->remind_at;
        cr_assert(fulfillment_remind(it, &scene.command));
        scene.command.now += HOUR;
        cr_assert_not(fulfillment_remind(it, &scene.command));
        cr_assert_eq(told("pickup.reminder"), 1);
}

Test(fulfillment_hold, a_hold_of_a_day_needs_no_reminder) {
        pick_all();
        assert_done(fulfillment_make_ready(it, NULL, DAY, &scene.command));
        cr_assert_eq(it->remind_at, TIMESTAMP_NONE);
        scene.command.now += DAY - 1;
        cr_assert_not(fulfillment_remind(it, &scene.command));
}

Test(fulfillment_hold, nobody_is_reminded_of_what_was_collected) {
        ready();
        assert_done(hand_over_by(right_code(SECRET)));
        scene.command.now += 7 * DAY;
        cr_assert_not(fulfillment_remind(it, &scene.command));
}

Test(fulfillment_hold, it_is_moved_with_its_reminder) {
        ready();
        scene.command.now = NOW + 6 * DAY;
        cr_assert(fulfillment_remind(it, &scene.command));
        assert_done(fulfillment_extend_hold(it, NOW + 9 * DAY, &scene.command));
        cr_assert_eq(it->hold_until, NOW + 9 * DAY);
        cr_assert_eq(it->remind_at, NOW + 8 * DAY);
        cr_assert_eq(told("fulfillment.hold_extended"), 1);
        assert_done(fulfillment_extend_hold(it, NOW + 9 * DAY, &scene.command));
        cr_assert_eq(told("fulfillment.hold_extended"), 1);
}

Test(fulfillment_hold, it_ends_in_the_future_and_within_sixty_days) {
        ready();
        assert_refused(fulfillment_extend_hold(it, NOW, &scene.command), PROBLEM_VALIDATION_FAILED);
        assert_refused(fulfillment_extend_hold(it, NOW + HOLD_MAX + 1, &scene.command), PROBLEM_VALIDATION_FAILED);
        assert_done(fulfillment_extend_hold(it, NOW + 1, &scene.command));
        assert_done(fulfillment_extend_hold(it, NOW + HOLD_MAX, &scene.command));
}

/* A slot from `begins` on, of three hours. */
static void book_slot(timestamp begins) {
        it->has_slot = true;
        it->slot_at = begins;
        it->slot_ends_at = begins + 3 * HOUR;
}

Test(fulfillment_hold, with_a_slot_it_counts_from_when_the_slot_begins) {
        book_slot(NOW + 10 * DAY);
        ready();
        cr_assert_eq(it->hold_until, NOW + 17 * DAY);
        cr_assert_eq(it->remind_at, NOW + 16 * DAY);
}

Test(fulfillment_hold, it_outlasts_a_slot_that_is_longer) {
        book_slot(NOW + 10 * DAY);
        pick_all();
        assert_done(fulfillment_make_ready(it, NULL, HOUR, &scene.command));
        cr_assert_eq(it->hold_until, NOW + 10 * DAY + 3 * HOUR);
}

Test(fulfillment_hold, what_is_ready_after_its_slot_has_begun_is_held_from_now_on) {
        book_slot(NOW - HOUR);
        ready();
        cr_assert_eq(it->hold_until, NOW + 7 * DAY);
}

Test(fulfillment_hold, a_slot_that_is_gone_from_the_calendar_is_held_for_when_it_began) {
        book_slot(NOW + 10 * DAY);
        it->slot_ends_at = 0;
        ready();
        cr_assert_eq(it->hold_until, NOW + 17 * DAY);
        assert_refused(fulfillment_extend_hold(it, NOW + 10 * DAY - 1, &scene.command), PROBLEM_VALIDATION_FAILED);
}

Test(fulfillment_hold, it_cannot_be_moved_to_before_the_end_of_its_slot) {
        book_slot(NOW + 90 * DAY);
        ready();
        assert_refused(fulfillment_extend_hold(it, it->slot_ends_at - 1, &scene.command), PROBLEM_VALIDATION_FAILED);
        assert_refused(
                fulfillment_extend_hold(it, it->slot_at + HOLD_MAX + 1, &scene.command), PROBLEM_VALIDATION_FAILED);
        cr_assert_eq(it->hold_until, NOW + 97 * DAY);
        assert_done(fulfillment_extend_hold(it, it->slot_ends_at, &scene.command));
        assert_done(fulfillment_extend_hold(it, it->slot_at + HOLD_MAX, &scene.command));
}

Test(fulfillment_hold, only_what_is_ready_is_held) {
        for (int status = 0; status <= FULFILLMENT_EXPIRED; status++) {
                it->status = (enum fulfillment_status) status;
                if (status == FULFILLMENT_READY)
                        assert_done(fulfillment_extend_hold(it, NOW + DAY, &scene.command));
                else
                        assert_refused(
                                fulfillment_extend_hold(it, NOW + DAY, &scene.command), PROBLEM_INVALID_TRANSITION);
        }
}

/* ---- not collected ---- */

static bool expire_at(timestamp now) {
        scene.command.now = now;
        return fulfillment_expire(it, &scene.command);
}

Test(fulfillment_hold, what_nobody_collects_is_available_again) {
        ready();
        cr_assert_not(expire_at(NOW + 7 * DAY - 1));
        cr_assert(expire_at(NOW + 7 * DAY));
        assert_status(FULFILLMENT_EXPIRED);
        cr_assert_str_eq(it->reason, "not_collected");
        assert_figures(0, 10, 0, 0);
        assert_figures(1, 4, 0, 0);
        cr_assert_eq(movements(), 0);
        cr_assert_eq(scene.order.status, ORDER_CANCELLED);
        cr_assert_eq(scene.order.balance.refund_due, 6000);
        cr_assert_eq(told("refund.due"), 1);
        cr_assert_eq(told("fulfillment.expired"), 1);
        cr_assert_eq(told("fulfillment.cancelled"), 0);
        cr_assert_not(expire_at(NOW + 8 * DAY));
}

Test(fulfillment_hold, what_was_collected_before_stays_with_the_customer) {
        const struct line_units part[] = { units(FIRST, 2) };

        ready();
        assert_done(hand_over_lines(part, 1));
        cr_assert(expire_at(NOW + 7 * DAY));
        assert_status(FULFILLMENT_EXPIRED);
        cr_assert_eq(scene.order.status, ORDER_FULFILLED);
        cr_assert_eq(scene.order.balance.refund_due, 4000);
        assert_figures(0, 8, 0, 0);
}

Test(fulfillment_hold, nothing_else_expires) {
        for (int status = 0; status <= FULFILLMENT_EXPIRED; status++) {
                it->status = (enum fulfillment_status) status;
                it->hold_until = NOW;
                if (status != FULFILLMENT_READY)
                        cr_assert_not(expire_at(NOW + DAY));
        }
        assert_untouched();
}

Test(fulfillment_hold, who_has_arrived_is_not_sent_away) {
        ready();
        scene.command.now = NOW + 7 * DAY;
        assert_done(arrive());
        cr_assert_not(expire_at(NOW + 7 * DAY + ARRIVAL_GRACE - 1));
        cr_assert(expire_at(NOW + 7 * DAY + ARRIVAL_GRACE));
}

Test(fulfillment_hold, a_customer_on_the_way_is_awaited_for_an_hour_after_the_announced_arrival) {
        const timestamp hold_ends = NOW + 7 * DAY;

        ready();
        scene.command.now = hold_ends - MINUTE;
        assert_done(set_out(12));
        cr_assert_not(expire_at(hold_ends));
        cr_assert_eq(fulfillment_held_until(it), hold_ends + 11 * MINUTE + WAY_GRACE);
        cr_assert_not(expire_at(hold_ends + 11 * MINUTE + WAY_GRACE - 1));
        cr_assert(expire_at(hold_ends + 11 * MINUTE + WAY_GRACE));
        assert_refused(arrive(), PROBLEM_INVALID_TRANSITION);
}

Test(fulfillment_hold, a_customer_without_an_estimate_is_awaited_for_an_hour) {
        ready();
        scene.command.now = NOW + 7 * DAY - MINUTE;
        assert_done(set_out(-1));
        cr_assert_not(expire_at(NOW + 7 * DAY - MINUTE + WAY_GRACE - 1));
        cr_assert(expire_at(NOW + 7 * DAY - MINUTE + WAY_GRACE));
}

Test(fulfillment_hold, a_later_estimate_moves_the_announced_arrival) {
        ready();
        scene.command.now = NOW + 7 * DAY - MINUTE;
        assert_done(set_out(12));
        scene.command.now = NOW + 7 * DAY + MINUTE;
        assert_done(set_out(60));
        cr_assert_not(expire_at(NOW + 7 * DAY + 61 * MINUTE + WAY_GRACE - 1));
        cr_assert(expire_at(NOW + 7 * DAY + 61 * MINUTE + WAY_GRACE));
}

Test(fulfillment_hold, a_customer_who_set_out_early_gains_nothing) {
        ready();
        assert_done(set_out(12));
        cr_assert_not(expire_at(NOW + 7 * DAY - 1));
        cr_assert(expire_at(NOW + 7 * DAY));
}

/* Of every check-in at every time before the hold ends. */
Test(fulfillment_hold, clients_see_the_time_at_which_the_hold_really_ends) {
        const timestamp hold_ends = NOW + 7 * DAY;

        for (int minutes = -1; minutes <= 180; minutes += 20)
                for (duration before = MINUTE; before <= 4 * HOUR; before += 17 * MINUTE)
                        for (int arrives = 0; arrives < 2; arrives++) {
                                timestamp shown;

                                scene_clear();
                                given_pickup();
                                ready();
                                scene.command.now = hold_ends - before;
                                assert_done(arrives ? arrive() : set_out(minutes));
                                shown = fulfillment_held_until(it);
                                cr_expect_geq(shown, hold_ends);
                                cr_expect_not(expire_at(shown - 1));
                                cr_expect_eq(fulfillment_held_until(it), shown);
                                cr_expect(expire_at(shown));
                        }
}

/* ---- collected after all ---- */

static enum problem reinstate(timestamp hold_until) {
        return fulfillment_reinstate(it, hold_until, 7 * DAY, &scene.command);
}

static void expired(void) {
        ready();
        cr_assert(expire_at(NOW + 7 * DAY));
}

Test(fulfillment_hold, a_reinstated_fulfillment_is_ready_and_reserved_as_before) {
        expired();
        assert_done(reinstate(TIMESTAMP_NONE));
        assert_status(FULFILLMENT_READY);
        cr_assert_null(it->reason);
        cr_assert_eq(it->hold_until, NOW + 14 * DAY);
        cr_assert_eq(it->remind_at, NOW + 13 * DAY);
        assert_figures(0, 10, 0, 5);
        assert_figures(1, 4, 0, 1);
        cr_assert_eq(movements(), 0);
        cr_assert_eq(told("fulfillment.reinstated"), 1);
        cr_assert_eq(told("order.reopened"), 1);
        assert_done(hand_over_by(right_code(SECRET)));
        cr_assert_eq(scene.order.status, ORDER_FULFILLED);
}

Test(fulfillment_hold, a_reinstated_order_owes_and_is_due_what_it_was_before) {
        expired();
        cr_assert_eq(scene.order.balance.refund_due, 6000);
        assert_done(reinstate(TIMESTAMP_NONE));
        cr_assert_eq(scene.order.status, ORDER_OPEN);
        cr_assert_null(scene.order.cancel_reason);
        cr_assert_eq(scene.order.balance.credited, 0);
        cr_assert_eq(scene.order.adjusted, 0);
        cr_assert_eq(scene.order.balance.refund_due, 0);
        cr_assert_eq(scene.order.balance.payment_status, PAYMENT_CAPTURED);
}

Test(fulfillment_hold, a_refund_paid_out_before_is_owed_again) {
        const struct command command = { .actor = "ana",
                .now = scene.command.now,
                .events = &scene.events,
                .arena = &scene.arena,
                .refusal = &scene.refusal };
        const struct refund_request all = { .reason = "not collected" };

        expired();
        assert_done(order_give_back(&scene.order, &all, &command));
        assert_done(reinstate(TIMESTAMP_NONE));
        cr_assert_eq(balance_due(&scene.order.balance), 6000);
        cr_assert_eq(scene.order.balance.refund_due, 0);
        cr_assert_eq(scene.order.balance.payment_status, PAYMENT_PENDING);
}

Test(fulfillment_hold, shipping_is_charged_again_with_the_first_unit_of_a_cancelled_order) {
        scene.order.shipping = 500;
        scene.order.balance.total += 500;
        expired();
        cr_assert_eq(scene.order.balance.credited, 6500);
        assert_done(reinstate(TIMESTAMP_NONE));
        cr_assert_eq(scene.order.balance.credited, 0);
}

Test(fulfillment_hold, a_payment_that_nobody_secured_can_be_made_again) {
        till_pay(&scene.till, &scene.order, FUNDS_PENDING);
        expired();
        cr_assert_eq(scene.order.balance.payments[0]->state, FUNDS_VOIDED);
        scene.order.balance.payment_due_at = NOW;
        assert_done(reinstate(TIMESTAMP_NONE));
        cr_assert_eq(scene.order.balance.payments[0]->state, FUNDS_PENDING);
        cr_assert_eq(scene.order.balance.payment_status, PAYMENT_PENDING);
        cr_assert_eq(scene.order.balance.payment_due_at, TIMESTAMP_NONE);
        cr_assert_eq(told("payment.reopened"), 1);
}

Test(fulfillment_hold, an_authorization_that_was_let_go_is_not_taken_back) {
        till_pay(&scene.till, &scene.order, FUNDS_AUTHORIZED);
        expired();
        assert_done(reinstate(TIMESTAMP_NONE));
        cr_assert_eq(balance_sums(&scene.order.balance).held, 0);
        cr_assert_eq(balance_due(&scene.order.balance), 6000);
        cr_assert_eq(told("payment.reopened"), 0);
        cr_assert_eq(scene.order.balance.payment_status, PAYMENT_PENDING);
}

Test(fulfillment_hold, every_unit_comes_back_or_none) {
        expired();
        scene.rows[0].reserved = 6; /* 4 of the 5 are left */
        scene.events.first = NULL;
        assert_refused(reinstate(TIMESTAMP_NONE), PROBLEM_INSUFFICIENT_STOCK);
        assert_status(FULFILLMENT_EXPIRED);
        assert_figures(0, 10, 0, 6);
        assert_figures(1, 4, 0, 0);
        cr_assert_eq(scene.order.balance.credited, 6000);
        cr_assert_null(scene.events.first);
}

Test(fulfillment_hold, each_short_line_is_named_with_what_is_available) {
        expired();
        scene.rows[0].reserved = 6;
        scene.rows[1].reserved = 4;
        (void) reinstate(TIMESTAMP_NONE);
        assert_violation("#/lines/0/quantity", "insufficient-stock");
        cr_assert_str_eq(scene.refusal.violations->detail, "SKU-A at store: 4 available, 5 requested.");
        cr_assert_eq(scene.refusal.violations->available, 4);
        cr_assert_str_eq(scene.refusal.violations->next->pointer, "#/lines/1/quantity");
}

Test(fulfillment_hold, units_cancelled_before_do_not_come_back) {
        ready();
        fulfillment_line_cancel(&scene.lines[THIRD], 2);
        cr_assert(expire_at(NOW + 7 * DAY));
        assert_done(reinstate(TIMESTAMP_NONE));
        cr_assert_eq(fulfillment_line_open(&scene.lines[THIRD]), 1);
        cr_assert_eq(scene.lines[THIRD].picked, 1);
        assert_figures(0, 10, 0, 3);
        cr_assert_eq(scene.order.balance.credited, 2000);
}

Test(fulfillment_hold, units_collected_before_stay_collected) {
        const struct line_units part[] = { units(FIRST, 2) };

        ready();
        assert_done(hand_over_lines(part, 1));
        cr_assert(expire_at(NOW + 7 * DAY));
        assert_done(reinstate(TIMESTAMP_NONE));
        cr_assert_eq(scene.order.status, ORDER_PARTIALLY_FULFILLED);
        assert_figures(0, 8, 0, 3);
        cr_assert_eq(scene.order.balance.refund_due, 0);
}

/* For every part of a line that is cancelled before, and after a change of its value, the lines tell the credited
 * amount.
 */
Test(fulfillment_hold, reinstating_charges_exactly_the_amount_that_expiring_credited) {
        for (int64_t price = 1; price < 40; price += 7)
                for (int64_t before = 0; before < 3; before++)
                        for (int settled = 0; settled < 2; settled++) {
                                int64_t credited;

                                given_pickup();
                                scene.order_lines[THIRD].unit_price = price;
                                scene.order.discounts = (struct order_discount[]){ { .amount = 5, .line = -1 } };
                                scene.order.n_discounts = 1;
                                scene.order.balance.total = 3000 + 3 * price - 5;
                                ready();
                                if (before)
                                        fulfillment_line_cancel(&scene.lines[THIRD], before);
                                credited = scene.order.balance.credited;
                                cr_assert(expire_at(NOW + 7 * DAY));
                                if (settled)
                                        order_settle_values(&scene.order);
                                assert_done(reinstate(TIMESTAMP_NONE));
                                cr_expect_eq(scene.order.balance.credited, credited);
                                for (size_t i = 0; i < LINES; i++)
                                        cr_expect_leq(scene.order_lines[i].settled, scene.order_lines[i].cancelled);
                        }
}

Test(fulfillment_hold, a_hold_may_be_named_within_its_limits) {
        expired();
        assert_refused(reinstate(scene.command.now), PROBLEM_VALIDATION_FAILED);
        assert_refused(reinstate(scene.command.now + HOLD_MAX + 1), PROBLEM_VALIDATION_FAILED);
        assert_done(reinstate(scene.command.now + 2 * HOUR));
        cr_assert_eq(it->hold_until, scene.command.now + 2 * HOUR);
        cr_assert_eq(it->remind_at, TIMESTAMP_NONE);
}

Test(fulfillment_hold, reinstating_twice_changes_nothing_for_the_same_person) {
        int64_t version;

        expired();
        assert_done(reinstate(TIMESTAMP_NONE));
        version = it->version;
        assert_done(reinstate(TIMESTAMP_NONE));
        assert_done(reinstate(it->hold_until));
        assert_refused(reinstate(it->hold_until + DAY), PROBLEM_INVALID_TRANSITION);
        scene.command.actor = "ben";
        assert_refused(reinstate(TIMESTAMP_NONE), PROBLEM_INVALID_TRANSITION);
        cr_assert_eq(it->version, version);
}

Test(fulfillment_hold, reinstating_what_is_ready_and_never_expired_changes_nothing) {
        const struct balance_sums sums = balance_sums(&scene.order.balance);
        int64_t version;

        ready();
        version = it->version;
        assert_done(reinstate(TIMESTAMP_NONE));
        assert_done(reinstate(it->hold_until));
        assert_refused(reinstate(it->hold_until + DAY), PROBLEM_INVALID_TRANSITION);
        scene.command.actor = "ben";
        assert_refused(reinstate(TIMESTAMP_NONE), PROBLEM_INVALID_TRANSITION);
        cr_assert_eq(it->version, version);
        cr_assert_eq(told("fulfillment.reinstated"), 0);
        cr_assert_eq(balance_sums(&scene.order.balance).paid, sums.paid);
        assert_figures(0, 10, 0, 5);
}

Test(fulfillment_hold, a_check_in_ends_with_the_hold) {
        ready();
        scene.command.now = NOW + 7 * DAY;
        assert_done(arrive());
        cr_assert(expire_at(NOW + 7 * DAY + ARRIVAL_GRACE));
        assert_done(reinstate(TIMESTAMP_NONE));
        cr_assert_str_eq(fulfillment_shown_status(it), "ready");
}

Test(fulfillment_hold, only_an_expired_fulfillment_is_reinstated) {
        for (int status = 0; status < FULFILLMENT_EXPIRED; status++) {
                it->status = (enum fulfillment_status) status;
                if (status != FULFILLMENT_READY)
                        assert_refused(reinstate(TIMESTAMP_NONE), PROBLEM_INVALID_TRANSITION);
        }
        it->status = FULFILLMENT_EXPIRED; /* by a program that noted no units */
        assert_refused(reinstate(TIMESTAMP_NONE), PROBLEM_INVALID_TRANSITION);
        assert_untouched();
}

/* ---- the proof, and the alternate pickup person ---- */

TestSuite(fulfillment_proof, .init = given_pickup, .fini = scene_clear);

Test(fulfillment_proof, somebody_else_may_collect) {
        assert_done(fulfillment_name_recipient(it, "Grace \"H\"", 2, &scene.command));
        cr_assert_str_eq(it->recipient, "{\"name\":\"Grace \\\"H\\\"\",\"relation\":\"friend\"}");
        cr_assert_str_eq(data_of("fulfillment.recipient_named"), "");
        assert_done(fulfillment_name_recipient(it, "Joan", -1, &scene.command));
        cr_assert_str_eq(it->recipient, "{\"name\":\"Joan\"}");
}

Test(fulfillment_proof, nobody_is_named_for_what_is_over) {
        for (int status = 0; status <= FULFILLMENT_EXPIRED; status++) {
                it->status = (enum fulfillment_status) status;
                if (fulfillment_is_awaited(BY_PICKUP, it->status))
                        assert_done(fulfillment_name_recipient(it, "Joan", -1, &scene.command));
                else
                        assert_refused(
                                fulfillment_name_recipient(it, "Joan", -1, &scene.command), PROBLEM_INVALID_TRANSITION);
        }
}

static enum problem hand_over_refusing(enum proof_method method, unsigned refused_methods) {
        struct handover handover = by_code(right_code(SECRET));

        handover.method = method;
        handover.refused_methods = refused_methods;
        return fulfillment_hand_over(it, &handover, &scene.command);
}

Test(fulfillment_proof, a_location_takes_the_proofs_it_has_chosen) {
        enum problem p;

        ready();
        p = hand_over_refusing(PROOF_ID_CHECK, 1u << PROOF_ID_CHECK);
        assert_violation("#/proof/method", "not-allowed");
        assert_refused(p, PROBLEM_VALIDATION_FAILED);
        assert_refused(hand_over_refusing(PROOF_CODE, 1u << PROOF_CODE), PROBLEM_VALIDATION_FAILED);
        assert_status(FULFILLMENT_READY);
        assert_done(hand_over_refusing(PROOF_CODE, 1u << PROOF_ID_CHECK));
}

Test(fulfillment_proof, a_supervisor_needs_none_anywhere) {
        ready();
        assert_done(hand_over_refusing(PROOF_NONE, 1u << PROOF_CODE | 1u << PROOF_ID_CHECK));
}

static void locked(void) {
        ready();
        for (int i = 0; i < WRONG_CODES_MAX; i++)
                assert_refused(hand_over_by("ABCDEFGH"), PROBLEM_HANDOVER_PROOF_INVALID);
}

Test(fulfillment_proof, a_supervisor_ends_the_lock) {
        locked();
        assert_refused(hand_over_by(right_code(SECRET)), PROBLEM_HANDOVER_LOCKED);
        assert_done(fulfillment_unlock(it, &scene.command));
        cr_assert_eq(told("fulfillment.handover_unlocked"), 1);
        assert_done(fulfillment_unlock(it, &scene.command));
        cr_assert_eq(told("fulfillment.handover_unlocked"), 1);
        assert_done(hand_over_by(right_code(SECRET)));
}

Test(fulfillment_proof, a_code_that_was_replaced_opens_nothing) {
        char old[PICKUP_CODE_SIZE];

        locked();
        (void) snprintf(old, sizeof(old), "%s", right_code(SECRET));
        assert_done(fulfillment_reissue_code(it, &scene.command));
        cr_assert_eq(it->pickup_serial, 2);
        cr_assert_str_eq(data_of("fulfillment.code_reissued"), "");
        assert_refused(hand_over_by(old), PROBLEM_HANDOVER_PROOF_INVALID);
        assert_done(hand_over_by(right_code(SECRET)));
}

Test(fulfillment_proof, what_is_over_has_no_code_and_no_lock) {
        it->status = FULFILLMENT_HANDED_OVER;
        assert_refused(fulfillment_unlock(it, &scene.command), PROBLEM_INVALID_TRANSITION);
        assert_refused(fulfillment_reissue_code(it, &scene.command), PROBLEM_INVALID_TRANSITION);
        it->status = FULFILLMENT_ALLOCATED;
        it->method = BY_SHIPPING;
        assert_refused(fulfillment_reissue_code(it, &scene.command), PROBLEM_INVALID_TRANSITION);
        assert_untouched();
}

/* ---- the link ---- */

TestSuite(fulfillment_link, .init = given_pickup, .fini = scene_clear);

static const uint8_t *digest_of(const char *text) {
        return (const uint8_t *) text;
}

#define ONE  digest_of("0123456789abcdef0123456789abcdef")
#define THAT digest_of("0123456789abcdef0123456789abcdeF")

Test(fulfillment_link, it_opens_while_the_customer_is_awaited) {
        cr_assert_not(fulfillment_link_opens(it, ONE, NOW));
        assert_done(fulfillment_issue_link(it, ONE, &scene.command));
        for (int status = 0; status <= FULFILLMENT_EXPIRED; status++) {
                it->status = (enum fulfillment_status) status;
                cr_assert_eq(fulfillment_link_opens(it, ONE, NOW), fulfillment_is_awaited(BY_PICKUP, it->status));
        }
}

Test(fulfillment_link, it_ends_after_ninety_days) {
        assert_done(fulfillment_issue_link(it, ONE, &scene.command));
        cr_assert(fulfillment_link_opens(it, ONE, NOW + LINK_TIME_MAX - 1));
        cr_assert_not(fulfillment_link_opens(it, ONE, NOW + LINK_TIME_MAX));
}

Test(fulfillment_link, another_opens_nothing) {
        assert_done(fulfillment_issue_link(it, ONE, &scene.command));
        cr_assert_not(fulfillment_link_opens(it, THAT, NOW));
}

Test(fulfillment_link, a_new_one_takes_the_place_of_the_old) {
        assert_done(fulfillment_issue_link(it, ONE, &scene.command));
        assert_done(fulfillment_issue_link(it, THAT, &scene.command));
        cr_assert_not(fulfillment_link_opens(it, ONE, NOW));
        cr_assert(fulfillment_link_opens(it, THAT, NOW));
        cr_assert_eq(told("fulfillment.link_issued"), 2);
        cr_assert_str_eq(data_of("fulfillment.link_issued"), "");
}

Test(fulfillment_link, a_parcel_has_none) {
        it->method = BY_SHIPPING;
        assert_refused(fulfillment_issue_link(it, ONE, &scene.command), PROBLEM_INVALID_TRANSITION);
        assert_untouched();
}

Test(fulfillment_link, a_customer_is_a_first_name_and_an_initial) {
        static const char *const names[][2] = {
                { "Ada Lovelace", "Ada L." },
                { "Ada King Lovelace", "Ada L." },
                { "Ada", "Ada" },
                { "Zo\xc3\xab \xc3\x85ngstr\xc3\xb6m", "Zo\xc3\xab \xc3\x85." },
                { "Ada ", "Ada" },
                { "", "" },
        };

        for (size_t i = 0; i < array_size(names); i++)
                cr_assert_str_eq(customer_short_name(names[i][0], &scene.arena), names[i][1]);
}
