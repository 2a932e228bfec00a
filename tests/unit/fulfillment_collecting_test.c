/* What the customer does on the way to the goods. */
#include "fulfillment_scene.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(fulfillment_check_in, .init = given_pickup, .fini = scene_clear);

static enum problem say(enum check_in_event event, int64_t eta_minutes, const char *bay, const char *make) {
        const struct check_in_word word = { .event = event,
                .eta_minutes = eta_minutes,
                .bay = bay,
                .vehicle = { make, make ? "red" : NULL, make ? "B-XY 12" : NULL } };

        return fulfillment_check_in(it, &word, &scene.act);
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
        cr_assert_eq(scene.events.first->fulfillment_id, &it->id);
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
        scene.act.now += MINUTE;
        assert_done(set_out(20));
        cr_assert_eq(it->check_in.state, CHECK_IN_ON_THE_WAY);
        cr_assert_eq(it->check_in.arrived_at, TIMESTAMP_NONE);
        scene.act.now += MINUTE;
        assert_done(arrive());
        cr_assert_eq(it->check_in.arrived_at, NOW + 2 * MINUTE);
        cr_assert_eq(it->check_in.eta_minutes, -1);
}

Test(fulfillment_check_in, what_is_not_told_anew_stays) {
        assert_done(say(CHECK_IN_SET_OUT, 12, NULL, "Volvo"));
        scene.act.now += MINUTE;
        assert_done(say(CHECK_IN_SET_OUT, -1, "7", NULL));
        cr_assert_eq(it->check_in.eta_minutes, 12);
        cr_assert_eq(it->check_in.on_the_way_at, NOW);
        assert_done(arrive());
        cr_assert_str_eq(it->check_in.bay, "7");
        cr_assert_str_eq(it->check_in.vehicle.make, "Volvo");
}

Test(fulfillment_check_in, a_tap_too_many_changes_nothing) {
        assert_done(say(CHECK_IN_ARRIVE, -1, "4", "Volvo"));
        scene.act.now += MINUTE;
        assert_done(say(CHECK_IN_ARRIVE, -1, "4", "Volvo"));
        assert_done(arrive());
        cr_assert_eq(told("pickup.customer_arrived"), 1);
        cr_assert_eq(it->version, 2);
        cr_assert_eq(it->check_in.arrived_at, NOW);
}

Test(fulfillment_check_in, an_estimate_counts_from_when_it_was_given) {
        assert_done(set_out(12));
        scene.act.now += MINUTE;
        assert_done(set_out(12));
        cr_assert_eq(it->check_in.on_the_way_at, NOW + MINUTE);
        cr_assert_eq(told("pickup.customer_on_the_way"), 2);
        assert_done(set_out(-1));
        cr_assert_eq(told("pickup.customer_on_the_way"), 2);
}

Test(fulfillment_check_in, another_bay_is_news_and_the_wait_goes_on) {
        assert_done(say(CHECK_IN_ARRIVE, -1, "4", NULL));
        scene.act.now += MINUTE;
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
        scene.act.now += 5 * MINUTE + SECOND - 1;
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
        struct handover handover;

        ready();
        assert_done(say(CHECK_IN_ARRIVE, -1, "4", "Volvo"));
        scene.act.now += MINUTE;
        handover = by_code(right_code(SECRET));
        handover.lines = part;
        handover.n_lines = 1;
        assert_done(fulfillment_hand_over(it, &handover, &scene.act));
        cr_assert_str_eq(fulfillment_shown_status(it), "ready");
        cr_assert_null(it->check_in.bay);
        cr_assert_null(it->check_in.vehicle.make);
        cr_assert_eq(it->check_in.waited_s, 60);
        assert_done(hand_over_by(right_code(SECRET)));
        cr_assert_eq(it->check_in.waited_s, 60);
}
