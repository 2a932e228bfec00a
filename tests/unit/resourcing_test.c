#include "fulfillment_scene.h"

#include "base/text.h"
#include "fulfillment/resourcing.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define PLACES_MAX 6
#define ANYTHING   (CAN_PICKUP | CAN_CURBSIDE | CAN_SHIP)

/* Other locations, each with a shelf for each SKU. */
static struct location locations[PLACES_MAX];
static struct candidate candidates[PLACES_MAX];
static struct stock_row shelves[2 * PLACES_MAX];
static struct sourcing_search search;
static const struct zone_span always[] = { { .begins = TIMESTAMP_NONE } };
static const struct zone utc = { .name = "UTC", .spans = always, .n_spans = 1 };

static void given_nobody_else(void) {
        given_pickup();
        search = (struct sourcing_search){ .candidates = candidates };
        scene.search = &search;
        scene.stock.rows = shelves;
}

TestSuite(resourcing, .init = given_nobody_else, .fini = scene_clear);

/* Call it in the order of the codes. */
static struct location *elsewhere(const char *code, double distance, int64_t units_of_a, int64_t units_of_b) {
        struct location *location = &locations[search.n_candidates];

        *location = (struct location){ .code = code, .capabilities = ANYTHING, .lead_time = 3 * HOUR };
        candidates[search.n_candidates++] =
                (struct candidate){ .code = code, .location = location, .zone = &utc, .distance = distance };
        shelves[scene.stock.n_rows++] =
                (struct stock_row){ .location = code, .sku = "SKU-A", .on_hand = units_of_a, .exists = true };
        shelves[scene.stock.n_rows++] =
                (struct stock_row){ .location = code, .sku = "SKU-B", .on_hand = units_of_b, .exists = true };
        return location;
}

/* As the look-up before the locks leaves it, which saw the current figures. */
static void looked_up_for(const struct fulfillment *fulfillment) {
        const size_t n = search.n_candidates;

        search = shortage_search(fulfillment, /* radius_km= */ 0);
        search.candidates = candidates;
        search.n_candidates = n;
        search.left = 1000;
        candidates_sort(candidates, n);
}

static void looked_up(void) {
        looked_up_for(it);
}

static enum problem fall_short(size_t line, int64_t quantity) {
        looked_up();
        return short_of(line, quantity, SHORT_NOT_FOUND);
}

static enum problem reject(enum short_reason reason) {
        looked_up();
        return fulfillment_reject(it, reason, scene.search, &scene.command);
}

/* The n-th fulfillment that was made to replace it. */
static const struct fulfillment *replacement(size_t n) {
        cr_assert_lt(n + 1, scene.order.n_fulfillments, "there are only %zu", scene.order.n_fulfillments - 1);
        return scene.order.fulfillments[n + 1];
}

static void assert_replaced_at(size_t n, const char *location, size_t line, int64_t quantity) {
        const struct fulfillment *to = replacement(n);

        cr_assert_str_eq(to->location, location);
        cr_assert(uuid_equal(&to->replaces, &it->id));
        for (size_t i = 0; i < to->n_lines; i++)
                if (to->lines[i].order_line == &scene.order_lines[line]) {
                        cr_assert_eq(to->lines[i].quantity, quantity);
                        return;
                }
        cr_assert_fail("it has nothing of the line");
}

static void assert_nobody_takes_over(void) {
        cr_assert_eq(scene.order.n_fulfillments, 1);
        cr_assert_eq(told("fulfillment.resourced"), 0);
        cr_assert_eq(told("refund.due"), 1);
}

static int64_t reserved_at(const char *location, const char *sku) {
        return stock_find(&scene.stock, location, sku)->reserved;
}

/* ---- the location that takes over ---- */

Test(resourcing, the_nearest_location_takes_over_what_is_short) {
        elsewhere("far", 20, 9, 9);
        elsewhere("near", 5, 9, 9);
        assert_done(fall_short(FIRST, 2));
        cr_assert_eq(scene.order.n_fulfillments, 2);
        assert_replaced_at(0, "near", FIRST, 2);
        cr_assert_eq(reserved_at("near", "SKU-A"), 2);
        cr_assert_eq(reserved_at("far", "SKU-A"), 0);
        cr_assert_eq(scene.lines[FIRST].shorted, 2);
        cr_assert_eq(scene.lines[FIRST].resourced, 2);
        assert_figures(0, 8, 0, 3);
        assert_status(FULFILLMENT_ALLOCATED);
}

Test(resourcing, what_is_taken_over_is_work_like_any_other) {
        const struct fulfillment *to;

        elsewhere("near", 5, 9, 9);
        assert_done(fall_short(FIRST, 2));
        to = replacement(0);
        cr_assert_eq(to->method, it->method);
        cr_assert_eq(to->status, FULFILLMENT_ALLOCATED);
        cr_assert_eq(to->promised_at, NOW + 3 * HOUR);
        cr_assert_eq(to->created_at, NOW);
        cr_assert_eq(to->version, 1);
        cr_assert_null(to->recipient);
        cr_assert(to->is_new);
        cr_assert_eq(to->number, 2);
        cr_assert_eq(to->lines[0].stock, stock_find(&scene.stock, "near", "SKU-A"));
        cr_assert_eq(scene.order_lines[FIRST].allocations, &to->lines[0]);
        cr_assert_eq(to->lines[0].older, &scene.lines[FIRST]);
}

Test(resourcing, the_customer_keeps_the_order_and_is_told) {
        elsewhere("near", 5, 9, 9);
        assert_done(fall_short(FIRST, 2));
        cr_assert_eq(scene.order_lines[FIRST].cancelled, 0);
        cr_assert_eq(scene.order.balance.refund_due, 0);
        cr_assert_eq(scene.order.status, ORDER_OPEN);
        cr_assert_eq(told("refund.due"), 0);
        cr_assert_eq(told("fulfillment.short_picked"), 1);
        cr_assert_eq(told("fulfillment.resourced"), 1);
        cr_assert_eq(told("fulfillment.allocated"), 1);
        cr_assert_not_null(strstr(data_of("fulfillment.resourced"), "\"from\":\"store\",\"to\":\"near\""));
        cr_assert_not_null(strstr(data_of("fulfillment.resourced"), "\"quantity\":2"));
}

Test(resourcing, of_two_as_near_the_first_by_code_takes_over) {
        elsewhere("alpha", 5, 9, 9);
        elsewhere("beta", 5, 9, 9);
        assert_done(fall_short(FIRST, 2));
        assert_replaced_at(0, "alpha", FIRST, 2);
}

Test(resourcing, a_location_that_is_nobody_knows_where_comes_last) {
        elsewhere("alpha", INFINITY, 9, 9);
        elsewhere("beta", INFINITY, 9, 9);
        elsewhere("gamma", 9000, 9, 9);
        assert_done(fall_short(FIRST, 2));
        assert_replaced_at(0, "gamma", FIRST, 2);
        assert_done(fall_short(THIRD, 3));
        assert_replaced_at(1, "gamma", THIRD, 3);
        assert_done(fall_short(SECOND_LINE, 1));
        cr_assert_str_eq(candidates[1].code, "alpha");
        cr_assert_str_eq(candidates[2].code, "beta");
}

Test(resourcing, a_location_without_the_method_is_not_asked) {
        elsewhere("depot", 1, 9, 9)->capabilities = CAN_SHIP | CAN_CURBSIDE | CAN_RETURNS;
        elsewhere("store 2", 50, 9, 9);
        assert_done(fall_short(FIRST, 2));
        assert_replaced_at(0, "store 2", FIRST, 2);
}

Test(resourcing, a_location_that_is_closed_for_good_is_not_asked) {
        static const struct opening hours[] = { { .day = 0, .opens = 540, .closes = 600 } };
        struct location *seldom = elsewhere("a", 1, 9, 9);

        seldom->opening_hours = hours;
        seldom->n_opening_hours = 1;
        seldom->lead_time = 90 * DAY;
        elsewhere("b", 2, 9, 9);
        assert_done(fall_short(FIRST, 2));
        assert_replaced_at(0, "b", FIRST, 2);
}

Test(resourcing, each_method_has_its_capability) {
        cr_assert_eq(fulfillment_capability(BY_PICKUP), CAN_PICKUP);
        cr_assert_eq(fulfillment_capability(BY_CURBSIDE), CAN_CURBSIDE);
        cr_assert_eq(fulfillment_capability(BY_SHIPPING), CAN_SHIP);
}

Test(resourcing, the_location_that_falls_short_is_not_asked) {
        elsewhere("store", 0, 9, 9);
        assert_done(fall_short(FIRST, 2));
        assert_nobody_takes_over();
}

Test(resourcing, units_that_cannot_be_promised_are_not_offered) {
        elsewhere("near", 5, 4, 9);
        shelves[0].reserved = 1;
        shelves[0].unsellable = 1;
        shelves[0].safety_stock = 1;
        assert_done(fall_short(FIRST, 2));
        assert_replaced_at(0, "near", FIRST, 1);
        cr_assert_eq(scene.order_lines[FIRST].cancelled, 1);
        cr_assert_eq(scene.lines[FIRST].shorted, 2);
        cr_assert_eq(scene.lines[FIRST].resourced, 1);
}

Test(resourcing, rows_that_are_not_locked_do_not_count) {
        elsewhere("near", 5, 9, 9);
        elsewhere("other", 6, 9, 9);
        looked_up();
        scene.stock.rows = &shelves[2];
        scene.stock.n_rows = 2;
        assert_done(short_of(FIRST, 2, SHORT_NOT_FOUND));
        assert_replaced_at(0, "other", FIRST, 2);
}

/* ---- one, or several ---- */

Test(resourcing, one_location_that_has_everything_comes_before_nearer_ones) {
        elsewhere("a", 1, 9, 0);
        elsewhere("b", 2, 0, 9);
        elsewhere("c", 3, 9, 9);
        elsewhere("d", 4, 9, 9);
        assert_done(reject(SHORT_CLOSED));
        cr_assert_eq(scene.order.n_fulfillments, 2);
        assert_replaced_at(0, "c", FIRST, 2);
        assert_replaced_at(0, "c", SECOND_LINE, 1);
        assert_replaced_at(0, "c", THIRD, 3);
        cr_assert_eq(reserved_at("c", "SKU-A"), 5);
        cr_assert_eq(reserved_at("c", "SKU-B"), 1);
        cr_assert_eq(reserved_at("a", "SKU-A"), 0);
        cr_assert_eq(told("fulfillment.resourced"), 1);
}

Test(resourcing, else_each_line_goes_to_the_nearest_that_has_all_of_it) {
        elsewhere("a", 1, 1, 0);
        elsewhere("b", 2, 5, 0);
        elsewhere("c", 3, 0, 9);
        assert_done(reject(SHORT_CLOSED));
        cr_assert_eq(scene.order.n_fulfillments, 3);
        assert_replaced_at(0, "b", FIRST, 2);
        assert_replaced_at(0, "b", THIRD, 3);
        assert_replaced_at(1, "c", SECOND_LINE, 1);
        cr_assert_eq(reserved_at("a", "SKU-A"), 0);
        cr_assert_eq(told("fulfillment.resourced"), 2);
        cr_assert_eq(told("fulfillment.allocated"), 2);
}

/* Two and three units of one SKU are wanted; each alone would fit. */
Test(resourcing, lines_of_one_sku_do_not_count_on_the_same_units) {
        elsewhere("a", 1, 4, 9);
        elsewhere("b", 2, 3, 0);
        assert_done(reject(SHORT_CLOSED));
        assert_replaced_at(0, "a", FIRST, 2);
        assert_replaced_at(0, "a", SECOND_LINE, 1);
        assert_replaced_at(1, "b", THIRD, 3);
        cr_assert_eq(reserved_at("a", "SKU-A"), 2);
        cr_assert_eq(reserved_at("b", "SKU-A"), 3);
}

Test(resourcing, what_nobody_has_whole_is_split_over_the_nearest) {
        elsewhere("a", 2, 1, 0);
        elsewhere("b", 1, 1, 0);
        elsewhere("c", 3, 2, 0);
        assert_done(fall_short(THIRD, 3));
        cr_assert_eq(scene.order.n_fulfillments, 4);
        assert_replaced_at(0, "b", THIRD, 1);
        assert_replaced_at(1, "a", THIRD, 1);
        assert_replaced_at(2, "c", THIRD, 1);
        cr_assert_eq(scene.lines[THIRD].resourced, 3);
        cr_assert_eq(told("refund.due"), 0);
}

Test(resourcing, a_line_is_split_over_so_many_at_most) {
        char codes[PLACES_MAX][2] = { "a", "b", "c", "d", "e" };

        scene.order_lines[THIRD].quantity = scene.lines[THIRD].quantity = SOURCING_SPLIT_MAX + 1;
        scene.rows[0].reserved++;
        for (size_t i = 0; i <= SOURCING_SPLIT_MAX; i++)
                elsewhere(codes[i], (double) i, 1, 0);
        assert_done(fall_short(THIRD, SOURCING_SPLIT_MAX + 1));
        cr_assert_eq(scene.order.n_fulfillments, 1 + SOURCING_SPLIT_MAX);
        cr_assert_eq(scene.lines[THIRD].resourced, SOURCING_SPLIT_MAX);
        cr_assert_eq(scene.order_lines[THIRD].cancelled, 1);
        cr_assert_eq(told("refund.due"), 1);
}

/* ---- units that no location has ---- */

Test(resourcing, what_nobody_has_is_cancelled_and_its_refund_due) {
        elsewhere("near", 5, 0, 9);
        assert_done(fall_short(FIRST, 2));
        assert_nobody_takes_over();
        cr_assert_eq(scene.order_lines[FIRST].cancelled, 2);
        cr_assert_eq(scene.lines[FIRST].resourced, 0);
        cr_assert_eq(scene.order.balance.refund_due, 2000);
}

Test(resourcing, only_what_is_cancelled_is_due_as_a_refund) {
        elsewhere("near", 5, 1, 0);
        assert_done(fall_short(FIRST, 2));
        assert_replaced_at(0, "near", FIRST, 1);
        cr_assert_eq(scene.order_lines[FIRST].cancelled, 1);
        cr_assert_eq(scene.order.balance.refund_due, 1000);
        cr_assert_eq(told("refund.due"), 1);
        cr_assert_not_null(strstr(data_of("refund.due"), "\"amount\":1000"));
}

Test(resourcing, who_else_may_collect_may_do_so_there_as_well) {
        assert_done(fulfillment_name_recipient(it, "Grace", 1, &scene.command));
        elsewhere("near", 5, 9, 9);
        assert_done(fall_short(FIRST, 2));
        cr_assert_str_eq(replacement(0)->recipient, "{\"name\":\"Grace\",\"relation\":\"family\"}");
        cr_assert_eq(told("fulfillment.recipient_named"), 1);
}

Test(resourcing, without_a_search_everything_is_cancelled) {
        elsewhere("near", 5, 9, 9);
        scene.search = NULL;
        assert_done(fall_short(FIRST, 2));
        assert_nobody_takes_over();
        cr_assert_eq(reserved_at("near", "SKU-A"), 0);
}

Test(resourcing, what_the_customer_does_not_want_is_not_looked_for) {
        cr_assert_not(short_reason_resources(SHORT_CUSTOMER_REQUEST));
        for (int reason = SHORT_CAPACITY; reason <= SHORT_THEFT; reason++)
                cr_assert_eq(short_reason_resources((enum short_reason) reason), reason != SHORT_CUSTOMER_REQUEST);
}

Test(resourcing, less_than_before_the_locks_starts_the_batch_over) {
        elsewhere("near", 5, 1, 9);
        looked_up();
        search.left = 0;
        cr_assert_eq(short_of(FIRST, 2, SHORT_NOT_FOUND), FAULT_STALE);
        given_nobody_else();
        elsewhere("near", 5, 1, 9);
        looked_up();
        search.left = 1;
        assert_done(short_of(FIRST, 2, SHORT_NOT_FOUND));
}

Test(resourcing, without_memory_nothing_is_promised_twice) {
        elsewhere("near", 5, 9, 9);
        looked_up();
        scene.arena.ceiling = 1;
        cr_assert_eq(short_of(FIRST, 2, SHORT_NOT_FOUND), FAULT_BUSY);
}

/* ---- rejecting ---- */

Test(resourcing, what_was_picked_before_the_rejection_moves_as_well) {
        assert_done(pick_line(FIRST, 1));
        elsewhere("near", 5, 9, 9);
        assert_done(reject(SHORT_NOT_FOUND));
        assert_replaced_at(0, "near", FIRST, 2);
        assert_replaced_at(0, "near", SECOND_LINE, 1);
        assert_replaced_at(0, "near", THIRD, 3);
        assert_status(FULFILLMENT_REJECTED);
        cr_assert_eq(scene.lines[FIRST].picked, 0);
        cr_assert_eq(scene.lines[FIRST].resourced, 2);
        assert_figures(0, 6, 0, 0); /* the one in the associate's hands was found */
        assert_figures(1, 3, 0, 0);
        cr_assert_eq(scene.order.status, ORDER_OPEN);
        cr_assert_null(scene.order.cancel_reason);
}

Test(resourcing, rejecting_twice_moves_once) {
        elsewhere("near", 5, 9, 9);
        assert_done(reject(SHORT_CAPACITY));
        assert_done(reject(SHORT_CAPACITY));
        cr_assert_eq(scene.order.n_fulfillments, 2);
        cr_assert_eq(reserved_at("near", "SKU-A"), 5);
        assert_figures(0, 10, 0, 0);
}

Test(resourcing, a_fulfillment_that_is_all_short_is_closed_and_its_order_goes_on) {
        elsewhere("near", 5, 9, 9);
        assert_done(fall_short(FIRST, 2));
        assert_done(fall_short(SECOND_LINE, 1));
        assert_done(fall_short(THIRD, 3));
        assert_status(FULFILLMENT_CANCELLED);
        cr_assert_eq(scene.order.status, ORDER_OPEN);
        cr_assert_eq(scene.order.n_fulfillments, 4);
        cr_assert_eq(told("fulfillment.resourced"), 3);
        cr_assert_eq(told("order.cancelled"), 0);
}

Test(resourcing, a_rejection_that_is_refused_reserves_nothing) {
        ready();
        elsewhere("near", 5, 9, 9);
        assert_refused(reject(SHORT_CLOSED), PROBLEM_INVALID_TRANSITION);
        cr_assert_eq(reserved_at("near", "SKU-A"), 0);
}

/* ---- once more ---- */

/* The n-th fulfillment that replaces another, looked up anew for its own location. */
static struct fulfillment *replacement_looked_up(size_t n) {
        looked_up_for(replacement(n));
        return scene.order.fulfillments[n + 1];
}

static enum problem replacement_rejects(size_t n, enum short_reason reason) {
        return fulfillment_reject(replacement_looked_up(n), reason, scene.search, &scene.command);
}

Test(resourcing, what_fell_short_twice_does_not_come_back) {
        elsewhere("next", 5, 9, 9);
        elsewhere("other", 9, 1, 0);
        elsewhere("store", 0, 9, 9);
        assert_done(fall_short(FIRST, 2));
        assert_replaced_at(0, "next", FIRST, 2);
        assert_done(replacement_rejects(0, SHORT_CLOSED));
        cr_assert_eq(scene.order.n_fulfillments, 3);
        cr_assert_str_eq(scene.order.fulfillments[2]->location, "other");
        cr_assert(uuid_equal(&scene.order.fulfillments[2]->replaces, &scene.order.fulfillments[1]->id));
        cr_assert_eq(scene.order_lines[FIRST].cancelled, 1);
        cr_assert_eq(reserved_at("next", "SKU-A"), 0);
        cr_assert_eq(reserved_at("store", "SKU-A"), 0);
}

Test(resourcing, who_fell_short_of_one_line_may_take_over_another) {
        elsewhere("next", 5, 9, 9);
        assert_done(fall_short(FIRST, 2));
        assert_done(fulfillment_short(replacement_looked_up(0), (const struct line_units[]){ units(FIRST, 1) }, 1,
                SHORT_DAMAGED, scene.search, &scene.command));
        cr_assert_eq(scene.order_lines[FIRST].cancelled, 1);
        assert_done(fall_short(SECOND_LINE, 1));
        assert_replaced_at(1, "next", SECOND_LINE, 1);
}

Test(resourcing, who_rejected_a_part_of_the_order_is_not_asked_again) {
        elsewhere("next", 5, 9, 9);
        assert_done(fall_short(FIRST, 2));
        assert_done(replacement_rejects(0, SHORT_CLOSED));
        assert_done(fall_short(SECOND_LINE, 1));
        cr_assert_eq(scene.order.n_fulfillments, 2);
        cr_assert_eq(scene.order_lines[SECOND_LINE].cancelled, 1);
}

/* ---- needs ---- */

static struct shortage shortage_of(const struct line_units *lines, size_t n_lines) {
        struct shortage shortage;

        assert_done(shortage_find(it, lines, n_lines, &scene.arena, &shortage));
        return shortage;
}

static void assert_need(const struct shortage *shortage, size_t place, size_t line, int64_t quantity) {
        cr_assert_eq(shortage->lines[place], &scene.lines[line]);
        cr_assert_str_eq(shortage->needs[place].sku, scene.order_lines[line].sku);
        cr_assert_eq(shortage->needs[place].quantity, quantity);
        cr_assert_eq(shortage->needs[place].left, quantity);
}

Test(resourcing, the_needs_are_the_named_lines_or_all_open_units) {
        const struct line_units named[] = { units(THIRD, 2), units(FIRST, 1) };
        struct shortage shortage = shortage_of(named, 2);

        cr_assert_eq(shortage.n, 2);
        assert_need(&shortage, 0, THIRD, 2);
        assert_need(&shortage, 1, FIRST, 1);
        assert_done(pick_line(FIRST, 2));
        scene.lines[FIRST].fulfilled = 1;
        scene.lines[SECOND_LINE].cancelled = 1;
        shortage = shortage_of(NULL, 0);
        cr_assert_eq(shortage.n, 2);
        assert_need(&shortage, 0, FIRST, 1);
        assert_need(&shortage, 1, THIRD, 3);
}

Test(resourcing, unknown_lines_and_too_many_units_are_no_needs) {
        const struct line_units unknown[] = { units(FIRST, 1), { uuid_new(), 1 } };
        const struct line_units too_many = units(FIRST, 3);

        cr_assert_eq(shortage_of(unknown, 2).n, 0);
        cr_assert_eq(shortage_of(&too_many, 1).n, 0);
}

Test(resourcing, locations_that_fell_short_of_a_line_or_rejected_the_order_are_excluded) {
        struct shortage shortage;

        elsewhere("next", 5, 9, 9);
        elsewhere("other", 9, 9, 9);
        assert_done(fall_short(FIRST, 2));
        assert_done(fulfillment_short(replacement_looked_up(0), (const struct line_units[]){ units(FIRST, 1) }, 1,
                SHORT_DAMAGED, scene.search, &scene.command));
        shortage = shortage_of(NULL, 0);
        assert_need(&shortage, 0, SECOND_LINE, 1);
        cr_assert_eq(shortage.needs[0].n_excluded, 0);
        assert_done(replacement_rejects(1, SHORT_CLOSED));
        shortage = shortage_of(NULL, 0);
        cr_assert_eq(shortage.needs[0].n_excluded, 1);
        cr_assert_str_eq(shortage.needs[0].excluded[0], "other");
}

/* ---- the search ---- */

Test(resourcing, a_pickup_is_searched_near_its_location_and_within_the_radius) {
        const struct sourcing_search pickup = shortage_search(it, 50);

        scene.order.ship_to = "{\"latitude\":1.5,\"longitude\":2}";
        cr_assert_eq(pickup.capability, CAN_PICKUP);
        cr_assert_not(shortage_search(it, 50).place.known);
        cr_assert_str_eq(pickup.near, "store");
        cr_assert(pickup.elsewhere);
        cr_assert_eq(pickup.radius_km, 50);
}

Test(resourcing, a_parcel_is_searched_near_its_address_at_any_distance) {
        static const char *const unknown[] = { NULL, "{}", "{\"latitude\":1.5}",
                "{\"latitude\":null,\"longitude\":null}" };
        struct sourcing_search parcel;

        given_shipping();
        scene.order.ship_to = "{\"latitude\":1.5,\"longitude\":-2}";
        parcel = shortage_search(it, 50);
        cr_assert_eq(parcel.capability, CAN_SHIP);
        cr_assert(parcel.place.known);
        cr_assert_float_eq(parcel.place.latitude, 1.5, 1e-9);
        cr_assert_float_eq(parcel.place.longitude, -2, 1e-9);
        cr_assert_eq(parcel.radius_km, 0);
        for (size_t i = 0; i < array_size(unknown); i++) {
                scene.order.ship_to = unknown[i];
                cr_assert_not(shortage_search(it, 50).place.known);
                cr_assert_str_eq(shortage_search(it, 50).near, "store");
        }
}
