#include "fulfillment_scene.h"

#include "base/text.h"
#include "sourcing/sourcing.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define PLACES_MAX 6
#define ANYTHING   (CAN_PICKUP | CAN_CURBSIDE | CAN_SHIP)

/* Other locations, each with a shelf for each SKU. */
static struct location locations[PLACES_MAX];
static struct candidate candidates[PLACES_MAX];
static struct stock_row shelves[2 * PLACES_MAX];
static struct search search;
static const struct zone_span always[] = { { .begins = TIMESTAMP_NONE } };
static const struct zone utc = { .name = "UTC", .spans = always, .n_spans = 1 };

static void given_nobody_else(void) {
        given_pickup();
        search = (struct search){ .candidates = candidates };
        scene.act.search = &search;
        scene.stock.rows = shelves;
}

TestSuite(sourcing, .init = given_nobody_else, .fini = scene_clear);

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
static void looked_up(void) {
        candidates_sort(candidates, search.n_candidates);
        search.left = 1000;
}

static enum problem fall_short(size_t line, int64_t quantity) {
        looked_up();
        return short_of(line, quantity, SHORT_NOT_FOUND);
}

static enum problem reject(enum short_reason reason) {
        looked_up();
        return fulfillment_reject(it, reason, &scene.act);
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

Test(sourcing, the_nearest_location_takes_over_what_is_short) {
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

Test(sourcing, what_is_taken_over_is_work_like_any_other) {
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

Test(sourcing, the_customer_keeps_the_order_and_is_told) {
        elsewhere("near", 5, 9, 9);
        assert_done(fall_short(FIRST, 2));
        cr_assert_eq(scene.order_lines[FIRST].cancelled, 0);
        cr_assert_eq(scene.order.refund_due, 0);
        cr_assert_eq(scene.order.status, ORDER_OPEN);
        cr_assert_eq(told("refund.due"), 0);
        cr_assert_eq(told("fulfillment.short_picked"), 1);
        cr_assert_eq(told("fulfillment.resourced"), 1);
        cr_assert_eq(told("fulfillment.allocated"), 1);
        cr_assert_not_null(strstr(data_of("fulfillment.resourced"), "\"from\":\"store\",\"to\":\"near\""));
        cr_assert_not_null(strstr(data_of("fulfillment.resourced"), "\"quantity\":2"));
}

Test(sourcing, of_two_as_near_the_first_by_code_takes_over) {
        elsewhere("alpha", 5, 9, 9);
        elsewhere("beta", 5, 9, 9);
        assert_done(fall_short(FIRST, 2));
        assert_replaced_at(0, "alpha", FIRST, 2);
}

Test(sourcing, a_location_that_is_nobody_knows_where_comes_last) {
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

Test(sourcing, a_location_without_the_method_is_not_asked) {
        elsewhere("depot", 1, 9, 9)->capabilities = CAN_SHIP | CAN_CURBSIDE | CAN_RETURNS;
        elsewhere("store 2", 50, 9, 9);
        assert_done(fall_short(FIRST, 2));
        assert_replaced_at(0, "store 2", FIRST, 2);
}

Test(sourcing, a_location_that_is_closed_for_good_is_not_asked) {
        static const struct opening hours[] = { { .day = 0, .opens = 540, .closes = 600 } };
        struct location *seldom = elsewhere("a", 1, 9, 9);

        seldom->opening_hours = hours;
        seldom->n_opening_hours = 1;
        seldom->lead_time = 90 * DAY;
        elsewhere("b", 2, 9, 9);
        assert_done(fall_short(FIRST, 2));
        assert_replaced_at(0, "b", FIRST, 2);
}

Test(sourcing, each_method_has_its_capability) {
        cr_assert_eq(fulfillment_capability(BY_PICKUP), CAN_PICKUP);
        cr_assert_eq(fulfillment_capability(BY_CURBSIDE), CAN_CURBSIDE);
        cr_assert_eq(fulfillment_capability(BY_SHIPPING), CAN_SHIP);
}

Test(sourcing, the_location_that_falls_short_is_not_asked) {
        elsewhere("store", 0, 9, 9);
        assert_done(fall_short(FIRST, 2));
        assert_nobody_takes_over();
}

Test(sourcing, units_that_cannot_be_promised_are_not_offered) {
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

Test(sourcing, rows_that_are_not_locked_do_not_count) {
        elsewhere("near", 5, 9, 9);
        elsewhere("other", 6, 9, 9);
        looked_up();
        scene.stock.rows = &shelves[2];
        scene.stock.n_rows = 2;
        assert_done(short_of(FIRST, 2, SHORT_NOT_FOUND));
        assert_replaced_at(0, "other", FIRST, 2);
}

/* ---- one, or several ---- */

Test(sourcing, one_location_that_has_everything_comes_before_nearer_ones) {
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

Test(sourcing, else_each_line_goes_to_the_nearest_that_has_all_of_it) {
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
Test(sourcing, lines_of_one_sku_do_not_count_on_the_same_units) {
        elsewhere("a", 1, 4, 9);
        elsewhere("b", 2, 3, 0);
        assert_done(reject(SHORT_CLOSED));
        assert_replaced_at(0, "a", FIRST, 2);
        assert_replaced_at(0, "a", SECOND_LINE, 1);
        assert_replaced_at(1, "b", THIRD, 3);
        cr_assert_eq(reserved_at("a", "SKU-A"), 2);
        cr_assert_eq(reserved_at("b", "SKU-A"), 3);
}

Test(sourcing, what_nobody_has_whole_is_split_over_the_nearest) {
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

Test(sourcing, a_line_is_split_over_so_many_at_most) {
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

Test(sourcing, what_nobody_has_is_cancelled_and_its_refund_due) {
        elsewhere("near", 5, 0, 9);
        assert_done(fall_short(FIRST, 2));
        assert_nobody_takes_over();
        cr_assert_eq(scene.order_lines[FIRST].cancelled, 2);
        cr_assert_eq(scene.lines[FIRST].resourced, 0);
        cr_assert_eq(scene.order.refund_due, 2000);
}

Test(sourcing, only_what_is_cancelled_is_due_as_a_refund) {
        elsewhere("near", 5, 1, 0);
        assert_done(fall_short(FIRST, 2));
        assert_replaced_at(0, "near", FIRST, 1);
        cr_assert_eq(scene.order_lines[FIRST].cancelled, 1);
        cr_assert_eq(scene.order.refund_due, 1000);
        cr_assert_eq(told("refund.due"), 1);
        cr_assert_not_null(strstr(data_of("refund.due"), "\"amount\":1000"));
}

Test(sourcing, who_else_may_collect_may_do_so_there_as_well) {
        assert_done(fulfillment_name_recipient(it, "Grace", 1, &scene.act));
        elsewhere("near", 5, 9, 9);
        assert_done(fall_short(FIRST, 2));
        cr_assert_str_eq(replacement(0)->recipient, "{\"name\":\"Grace\",\"relation\":\"family\"}");
        cr_assert_eq(told("fulfillment.recipient_named"), 1);
}

Test(sourcing, without_a_search_everything_is_cancelled) {
        elsewhere("near", 5, 9, 9);
        scene.act.search = NULL;
        assert_done(fall_short(FIRST, 2));
        assert_nobody_takes_over();
        cr_assert_eq(reserved_at("near", "SKU-A"), 0);
}

Test(sourcing, what_the_customer_does_not_want_is_not_looked_for) {
        cr_assert_not(short_reason_resources(SHORT_CUSTOMER_REQUEST));
        for (int reason = SHORT_CAPACITY; reason <= SHORT_THEFT; reason++)
                cr_assert_eq(short_reason_resources((enum short_reason) reason), reason != SHORT_CUSTOMER_REQUEST);
}

Test(sourcing, less_than_before_the_locks_starts_the_batch_over) {
        elsewhere("near", 5, 1, 9);
        looked_up();
        search.left = 0;
        cr_assert_eq(short_of(FIRST, 2, SHORT_NOT_FOUND), FAULT_STALE);
        given_nobody_else();
        elsewhere("near", 5, 1, 9);
        search.left = 1;
        assert_done(short_of(FIRST, 2, SHORT_NOT_FOUND));
}

Test(sourcing, without_memory_nothing_is_promised_twice) {
        elsewhere("near", 5, 9, 9);
        looked_up();
        scene.arena.ceiling = 1;
        cr_assert_eq(short_of(FIRST, 2, SHORT_NOT_FOUND), FAULT_BUSY);
}

/* ---- rejecting ---- */

Test(sourcing, what_was_picked_before_the_rejection_moves_as_well) {
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

Test(sourcing, rejecting_twice_moves_once) {
        elsewhere("near", 5, 9, 9);
        assert_done(reject(SHORT_CAPACITY));
        assert_done(reject(SHORT_CAPACITY));
        cr_assert_eq(scene.order.n_fulfillments, 2);
        cr_assert_eq(reserved_at("near", "SKU-A"), 5);
        assert_figures(0, 10, 0, 0);
}

Test(sourcing, a_fulfillment_that_is_all_short_is_closed_and_its_order_goes_on) {
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

Test(sourcing, a_rejection_that_is_refused_reserves_nothing) {
        ready();
        elsewhere("near", 5, 9, 9);
        assert_refused(reject(SHORT_CLOSED), PROBLEM_INVALID_TRANSITION);
        cr_assert_eq(reserved_at("near", "SKU-A"), 0);
}

/* ---- once more ---- */

static enum problem replacement_rejects(size_t n, enum short_reason reason) {
        return fulfillment_reject(scene.order.fulfillments[n + 1], reason, &scene.act);
}

Test(sourcing, what_fell_short_twice_does_not_come_back) {
        elsewhere("next", 5, 9, 9);
        elsewhere("other", 9, 1, 0);
        elsewhere("store", 0, 9, 9);
        assert_done(fall_short(FIRST, 2));
        assert_replaced_at(0, "next", FIRST, 2);
        looked_up();
        assert_done(replacement_rejects(0, SHORT_CLOSED));
        cr_assert_eq(scene.order.n_fulfillments, 3);
        cr_assert_str_eq(scene.order.fulfillments[2]->location, "other");
        cr_assert(uuid_equal(&scene.order.fulfillments[2]->replaces, &scene.order.fulfillments[1]->id));
        cr_assert_eq(scene.order_lines[FIRST].cancelled, 1);
        cr_assert_eq(reserved_at("next", "SKU-A"), 0);
        cr_assert_eq(reserved_at("store", "SKU-A"), 0);
}

Test(sourcing, who_fell_short_of_one_line_may_take_over_another) {
        elsewhere("next", 5, 9, 9);
        assert_done(fall_short(FIRST, 2));
        looked_up();
        assert_done(fulfillment_short(scene.order.fulfillments[1], (const struct line_units[]){ units(FIRST, 1) }, 1,
                SHORT_DAMAGED, &scene.act));
        cr_assert_eq(scene.order_lines[FIRST].cancelled, 1);
        assert_done(fall_short(SECOND_LINE, 1));
        assert_replaced_at(1, "next", SECOND_LINE, 1);
}

Test(sourcing, who_rejected_a_part_of_the_order_is_not_asked_again) {
        elsewhere("next", 5, 9, 9);
        assert_done(fall_short(FIRST, 2));
        looked_up();
        assert_done(replacement_rejects(0, SHORT_CLOSED));
        assert_done(fall_short(SECOND_LINE, 1));
        cr_assert_eq(scene.order.n_fulfillments, 2);
        cr_assert_eq(scene.order_lines[SECOND_LINE].cancelled, 1);
}

/* ---- missing rows ---- */

Test(sourcing, what_is_missing_is_what_was_named_or_all_that_is_open) {
        const struct line_units named[] = { units(THIRD, 2), units(FIRST, 1) };
        struct need needs[ORDER_LINES_MAX];

        cr_assert_eq(needs_of(it, named, 2, needs), 2);
        cr_assert_eq(needs[0].line, &scene.lines[THIRD]);
        cr_assert_eq(needs[0].quantity, 2);
        cr_assert_eq(needs[1].left, 1);
        assert_done(pick_line(FIRST, 2));
        scene.lines[FIRST].fulfilled = 1;
        scene.lines[SECOND_LINE].cancelled = 1;
        cr_assert_eq(needs_of(it, NULL, 0, needs), 2);
        cr_assert_eq(needs[0].quantity, 1);
        cr_assert_eq(needs[1].line, &scene.lines[THIRD]);
        cr_assert_eq(needs[1].quantity, 3);
}

Test(sourcing, nothing_is_looked_for_when_a_line_cannot_be_meant) {
        const struct line_units unknown = { uuid_new(), 1 };
        const struct line_units too_many = units(FIRST, 3);
        struct need needs[ORDER_LINES_MAX];

        cr_assert_eq(needs_of(it, &unknown, 1, needs), 0);
        cr_assert_eq(needs_of(it, &too_many, 1, needs), 0);
}
