/* Where the database finds units for a fulfillment at "alpha" that falls short of two A and one B. */
#include "fulfillment/resourcing.h"
#include "inventory/lookup.h"
#include "scene.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

TestSuite(resourcing, .init = store_open, .fini = store_close);

#define BERLIN_LAT 52.52
#define BERLIN_LON 13.405
#define PARIS_LAT  48.8566
#define PARIS_LON  2.3522

static void stock_up(const char *location, int64_t units_of_a, int64_t units_of_b) {
        stock_given(location, "A", units_of_a);
        stock_given(location, "B", units_of_b);
}

static void given(const char *method, const char *ship_to) {
        order_given(
                &(struct given_order){ .method = method, .status = "allocated", .ship_to = ship_to, .on_hand_a = 9 });
}

static void given_pickup(void) {
        given("pickup", "null");
}

/* One batch of one rejection. */
struct work {
        struct scene scene;
        struct resourcing resourcing;
        struct sourcing_search *search;
};

/* The work owns the search that counts; `before` owns one before it, unless it is NULL. */
static struct work *look_after(const void *before, bool enabled, int64_t radius_km) {
        const struct resourcing_policy otherwise = { .enabled = enabled, .radius_km = radius_km };
        const struct uuid id = scene_id(SCENE_FULFILLMENT);
        struct work *work = arena_new(&store_arena, struct work);

        scene_begin(&work->scene);
        resourcing_init(&work->resourcing, &store_arena, &otherwise);
        if (before)
                resourcing_want(&work->resourcing, before, &id, NULL, 0);
        resourcing_want(&work->resourcing, work, &id, NULL, 0);
        cr_assert_eq(
                resourcing_lock(&work->resourcing, store_database, &work->scene.set, clock_monotonic() + 30 * SECOND),
                PROBLEM_NONE);
        store_trip();
        scene_found(&work->scene);
        work->search = resourcing_find(&work->resourcing, work);
        return work;
}

static struct work *look_by(bool enabled, int64_t radius_km) {
        return look_after(NULL, enabled, radius_km);
}

static struct work *look_within(int64_t radius_km) {
        struct work *work = look_by(/* enabled= */ true, radius_km);

        cr_assert_not_null(work->search);
        return work;
}

static struct work *look(void) {
        return look_within(0);
}

static void assert_candidates(const struct sourcing_search *search, const char *const *codes, size_t n) {
        cr_assert_eq(search->n_candidates, n, "there are %zu", search->n_candidates);
        for (size_t i = 0; i < n; i++)
                cr_assert_str_eq(search->candidates[i].code, codes[i]);
}

Test(resourcing, those_that_have_some_are_found_nearest_first) {
        static const char *const codes[] = { "delta", "beta", "gamma" };
        const struct sourcing_search *search;

        given_pickup();
        location_given("beta", "48.8566, 2.3522", "pickup,returns");
        location_given("delta", "52.39, 13.06", "pickup");
        location_given("depot", "52.52, 13.405", "ship,curbside");
        location_given("empty", "52.52, 13.405", "pickup");
        location_given("gamma", "null, null", "pickup");
        stock_up("beta", 5, 0);
        stock_up("delta", 0, 1);
        stock_up("depot", 5, 5);
        stock_up("empty", 0, 0);
        stock_up("gamma", 5, 5);
        search = look()->search;
        assert_candidates(search, codes, array_size(codes));
        cr_assert_float_eq(
                search->candidates[1].distance, distance_km(BERLIN_LAT, BERLIN_LON, PARIS_LAT, PARIS_LON), 1e-6);
        cr_assert(isinf(search->candidates[2].distance));
        cr_assert_eq(search->candidates[0].location->lead_time, HOUR);
        cr_assert_not_null(search->candidates[0].zone);
}

/* Delta is 27 km away, beta 878, and gamma has no coordinates. */
static void given_stores_around(const char *method) {
        given(method, "null");
        location_given("beta", "48.8566, 2.3522", "pickup,curbside,ship");
        location_given("delta", "52.39, 13.06", "pickup,curbside,ship");
        location_given("gamma", "null, null", "pickup,curbside,ship");
        stock_up("beta", 5, 5);
        stock_up("delta", 1, 0);
        stock_up("gamma", 5, 5);
}

Test(resourcing, no_customer_is_sent_further_than_the_radius) {
        static const char *const codes[] = { "delta", "beta" };

        given_stores_around("pickup");
        assert_candidates(look_within(50)->search, codes, 1);
        assert_candidates(look_within(27)->search, codes, 0);
        assert_candidates(look_within(28)->search, codes, 1);
        assert_candidates(look_within(877)->search, codes, 1);
        assert_candidates(look_within(878)->search, codes, 2);
        cr_assert_eq(look_within(0)->search->n_candidates, 3);
}

Test(resourcing, the_channel_of_the_order_says_whether_and_how_far) {
        static const char *const codes[] = { "delta", "beta" };

        given_stores_around("pickup");
        store_execute("insert into channels (code, name, kind, created_at, updated_at)"
                      " values ('web', 'Web', 'web', now(), now()), ('app', 'App', 'app', now(), now())");
        store_execute("update channels set resourcing = false, resourcing_radius_km = 28 where code = 'app'");
        assert_candidates(look_within(28)->search, codes, 1);
        cr_assert_null(look_by(/* enabled= */ false, 0)->search);

        store_execute("update channels set resourcing = true, resourcing_radius_km = 878 where code = 'web'");
        assert_candidates(look_by(/* enabled= */ false, 28)->search, codes, 2);
        store_execute("update channels set resourcing = null where code = 'web'");
        assert_candidates(look_by(/* enabled= */ true, 28)->search, codes, 2);
        cr_assert_null(look_by(/* enabled= */ false, 28)->search);
        store_execute("update channels set resourcing = false where code = 'web'");
        cr_assert_null(look_by(/* enabled= */ true, 0)->search);
}

Test(resourcing, the_curbside_is_bounded_as_well) {
        static const char *const codes[] = { "delta" };

        given_stores_around("curbside");
        assert_candidates(look_within(50)->search, codes, array_size(codes));
}

Test(resourcing, a_parcel_may_come_from_anywhere) {
        given_stores_around("ship");
        cr_assert_eq(look_within(1)->search->n_candidates, 3);
}

Test(resourcing, where_no_position_is_known_only_those_without_one_are_in_reach) {
        static const char *const codes[] = { "gamma" };

        given_stores_around("pickup");
        store_execute("update locations set latitude = null, longitude = null where code = 'alpha'");
        assert_candidates(look_within(50)->search, codes, array_size(codes));
}

Test(resourcing, a_parcel_is_measured_from_its_address) {
        const struct sourcing_search *search;

        given("ship", "'{\"latitude\": 48.8566, \"longitude\": 2.3522}'");
        location_given("beta", "52.39, 13.06", "ship");
        stock_up("beta", 5, 5);
        search = look()->search;
        cr_assert_float_eq(search->candidates[0].distance, distance_km(PARIS_LAT, PARIS_LON, 52.39, 13.06), 1e-6);
}

Test(resourcing, an_address_that_is_nobody_knows_where_is_measured_from_the_location) {
        const struct sourcing_search *search;

        given("ship", "'{\"city\": \"Paris\"}'");
        location_given("beta", "52.39, 13.06", "ship");
        stock_up("beta", 5, 5);
        search = look()->search;
        cr_assert_float_eq(search->candidates[0].distance, distance_km(BERLIN_LAT, BERLIN_LON, 52.39, 13.06), 1e-6);
}

Test(resourcing, only_the_rows_that_are_chosen_are_locked) {
        struct work *work;

        given_pickup();
        location_given("beta", "52.39, 13.06", "pickup");
        location_given("delta", "48.8566, 2.3522", "pickup");
        stock_up("beta", 5, 5);
        stock_up("delta", 5, 5);
        work = look();
        cr_assert_eq(work->scene.stock.n_rows, 4);
        cr_assert_not_null(stock_find(&work->scene.stock, "alpha", "A"));
        cr_assert_not_null(stock_find(&work->scene.stock, "beta", "B"));
        cr_assert_null(stock_find(&work->scene.stock, "delta", "A"));
        cr_assert_eq(stock_find(&work->scene.stock, "beta", "A")->reserved, 0, "the look alone reserves nothing");
        cr_assert_eq(work->search->left, 0);
}

/* Many near ones have a single unit, only the farthest has both. */
Test(resourcing, who_has_everything_is_found_behind_many_who_have_some) {
        struct work *work;

        given_pickup();
        store_execute(
                "insert into locations (code, name, kind, latitude, longitude, time_zone, country, capabilities,"
                " opening_hours, closures, lead_time_s, hold_for_s, created_at, updated_at)"
                " select 'near-' || n, 'near', 'store', 52.52, 13.405, 'UTC', 'DE', '{pickup}', '[]', '[]', 0, 0, now(),"
                " now() from generate_series(1, 120) as n");
        store_execute("insert into stock (location, sku, on_hand) select 'near-' || n, 'A', 1"
                      " from generate_series(1, 120) as n");
        location_given("paris", "48.8566, 2.3522", "pickup");
        stock_up("paris", 2, 1);
        work = look();
        cr_assert_eq(work->search->n_candidates, SOURCING_SHELVES_MAX);
        cr_assert_not_null(stock_find(&work->scene.stock, "paris", "A"));
        cr_assert_not_null(stock_find(&work->scene.stock, "paris", "B"));
        cr_assert_eq(work->search->left, 0);
}

Test(resourcing, what_moved_reads_as_it_was_saved) {
        struct work *work;
        struct order_set again;
        struct uuid id;
        const struct order *order;

        given_pickup();
        location_given("beta", "52.39, 13.06", "pickup");
        stock_up("beta", 1, 5);
        work = look();
        cr_assert_eq(work->search->left, 1);
        cr_assert_eq(fulfillment_reject(work->scene.fulfillment, SHORT_CLOSED, work->search, &work->scene.command),
                PROBLEM_NONE);
        scene_save(&work->scene);

        cr_assert(uuid_parse(SCENE_ORDER, &id));
        orders_init(&again, &store_arena, NULL);
        orders_want(&again, &id);
        cr_assert_eq(orders_read(store_database, &again), PROBLEM_NONE);
        store_trip();
        order = order_find(&again, &id);
        cr_assert_eq(order->n_fulfillments, 2);
        cr_assert_eq(order->fulfillments[0]->lines[0].shorted, 2);
        cr_assert_eq(order->fulfillments[0]->lines[0].resourced, 1);
        cr_assert(uuid_is_nil(&order->fulfillments[0]->replaces));
        cr_assert(uuid_equal(&order->fulfillments[1]->replaces, &order->fulfillments[0]->id));
        cr_assert_str_eq(order->fulfillments[1]->location, "beta");
        cr_assert_eq(order->lines[0].allocations, &order->fulfillments[1]->lines[0]);
        cr_assert_eq(order->lines[0].allocations->older, &order->fulfillments[0]->lines[0]);
        cr_assert_eq(order->lines[0].cancelled, 1);
        assert_text("select string_agg(concat_ws(' ', location || '/' || sku, reserved), ', ' order by location, sku)"
                    " from stock",
                "alpha/A 0, alpha/B 0, beta/A 1, beta/B 1");
        assert_text("select string_agg(type, ', ' order by id) from events",
                "fulfillment.rejected, fulfillment.resourced, fulfillment.allocated, order.units_cancelled, refund.due");
}

/* A batch may hold two rejections of one fulfillment. The first takes all units in the look-up; when it is then
 * refused, the second has candidates to choose from. */
Test(resourcing, the_second_of_two_calls_finds_a_location_when_the_first_is_refused) {
        struct work *work;

        given_pickup();
        location_given("beta", "52.39, 13.06", "pickup");
        stock_up("beta", 5, 5);
        work = look_after("the first", /* enabled= */ true, 0);
        cr_assert_eq(fulfillment_reject(work->scene.fulfillment, SHORT_CLOSED, work->search, &work->scene.command),
                PROBLEM_NONE);
        cr_assert_eq(work->scene.fulfillment->order->n_fulfillments, 2);
        cr_assert_str_eq(work->scene.fulfillment->order->fulfillments[1]->location, "beta");
}
