/* Where the database finds units for a fulfillment at "alpha" that falls short of two A and one B. */
#include "fixture.h"
#include "fulfillment/resourcing.h"
#include "inventory/lookup.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

TestSuite(resourcing, .init = store_open, .fini = store_close);

#define ORDER       "0190a6e2-0000-7000-8000-000000000001"
#define FULFILLMENT "0190a6e2-0000-7000-8000-000000000002"
#define BERLIN_LAT  52.52
#define BERLIN_LON  13.405
#define PARIS_LAT   48.8566
#define PARIS_LON   2.3522

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *format, ...) {
        char sql[1024];
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(sql, sizeof(sql), format, arguments);
        va_end(arguments);
        store_execute(sql);
}

/* `position` in SQL: "52.5, 13.4" or "null, null". */
static void open_location(const char *code, const char *position, const char *capabilities) {
        run("insert into locations (code, name, kind, latitude, longitude, time_zone, country, capabilities, opening_hours,"
            " closures, lead_time_s, hold_for_s, created_at, updated_at)"
            " values ('%s', '%s', 'store', %s, 'UTC', 'DE', '{%s}', '[]', '[]', 3600, 0, now(), now())",
                code, code, position, capabilities);
}

static void stock_up(const char *location, int units_of_a, int units_of_b) {
        run("insert into stock (location, sku, on_hand, movements) values ('%s', 'A', %d, 1), ('%s', 'B', %d, 1)",
                location, units_of_a, location, units_of_b);
}

static void given(const char *method, const char *ship_to) {
        open_location("alpha", "52.52, 13.405", "");
        store_execute("insert into products (sku, title, returnable, attributes, created_at, updated_at)"
                      " select sku, sku, true, '{}', now(), now() from unnest('{A,B}'::text[]) as sku");
        store_execute("insert into stock (location, sku, on_hand, reserved, movements)"
                      " values ('alpha', 'A', 9, 2, 4), ('alpha', 'B', 7, 1, 0)");
        run("insert into orders (id, order_number, channel, external_ref, status, payment_status, currency, customer,"
            " ship_to, subtotal, discount, shipping, tax, tax_included, total, actor, placed_at, updated_at)"
            " values ('" ORDER "', '7KM-2QX-9RT', 'web', 'r-1', 'open', 'captured', 'EUR', '{}', %s, 300, 0, 0, 0,"
            " true, 300, 'ada', now(), now())",
                ship_to);
        store_execute(
                "insert into payments (id, order_id, number, status, amount, authorized, captured, voided, capture_due,"
                " refunded, actor, created_at, updated_at) select gen_random_uuid(), id, 1, 'captured', total, total,"
                " total, 0, 0, 0, 'ada', now(), now() from orders");
        store_execute("insert into order_lines (order_id, line, id, sku, title, quantity, unit_price, value)"
                      " values ('" ORDER "', 0, gen_random_uuid(), 'A', 'A', 2, 100, 200),"
                      " ('" ORDER "', 1, gen_random_uuid(), 'B', 'B', 1, 100, 100)");
        run("insert into fulfillments (id, order_id, number, method, location, status, promised_at, created_at, updated_at)"
            " values ('" FULFILLMENT "', '" ORDER "', 1, '%s', 'alpha', 'allocated', now(), now(), now())",
                method);
        store_execute(
                "insert into fulfillment_lines (order_id, fulfillment_id, line, location, sku, quantity, reserved)"
                " values ('" ORDER "', '" FULFILLMENT "', 0, 'alpha', 'A', 2, 2),"
                " ('" ORDER "', '" FULFILLMENT "', 1, 'alpha', 'B', 1, 1)");
}

static void given_pickup(void) {
        given("pickup", "null");
}

/* One batch of one rejection. */
struct work {
        struct stock stock;
        struct order_set set;
        struct events events;
        struct resourcing resourcing;
        struct refusal refusal;
        struct command command;
        struct fulfillment *fulfillment;
        struct sourcing_search *search;
};

static struct work *look_by(bool enabled, int64_t radius_km) {
        const struct resourcing_policy otherwise = { .enabled = enabled, .radius_km = radius_km };
        struct work *work = arena_new(&store_arena, struct work);
        struct uuid id;

        cr_assert(uuid_parse(FULFILLMENT, &id));
        stock_init(&work->stock, &store_arena);
        orders_init(&work->set, &store_arena, &work->stock);
        events_init(&work->events, &store_arena);
        resourcing_init(&work->resourcing, &store_arena, &otherwise);
        orders_want_fulfillment(&work->set, &id);
        resourcing_want(&work->resourcing, work, &id, NULL, 0);
        cr_assert_eq(resourcing_lock(&work->resourcing, store_database, &work->set, clock_monotonic() + 30 * SECOND),
                PROBLEM_NONE);
        store_trip();
        work->fulfillment = fulfillment_find(&work->set, &id);
        work->search = resourcing_find(&work->resourcing, work);
        cr_assert_not_null(work->fulfillment);
        work->command = (struct command){ .actor = "ben",
                .now = STORE_NOW,
                .stock = &work->stock,
                .events = &work->events,
                .arena = &store_arena,
                .refusal = &work->refusal };
        return work;
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

static enum problem text_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(const char **) into = row_text(&row);
        return PROBLEM_NONE;
}

static void assert_text(const char *sql, const char *expected) {
        const char *text = NULL;

        database_ask_text(store_database, sql, text_read, &text);
        store_trip();
        cr_assert_str_eq(text, expected, "%s: %s instead of %s", sql, text, expected);
}

Test(resourcing, those_that_have_some_are_found_nearest_first) {
        static const char *const codes[] = { "delta", "beta", "gamma" };
        const struct sourcing_search *search;

        given_pickup();
        open_location("beta", "48.8566, 2.3522", "pickup,returns");
        open_location("delta", "52.39, 13.06", "pickup");
        open_location("depot", "52.52, 13.405", "ship,curbside");
        open_location("empty", "52.52, 13.405", "pickup");
        open_location("gamma", "null, null", "pickup");
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
        open_location("beta", "48.8566, 2.3522", "pickup,curbside,ship");
        open_location("delta", "52.39, 13.06", "pickup,curbside,ship");
        open_location("gamma", "null, null", "pickup,curbside,ship");
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
        open_location("beta", "52.39, 13.06", "ship");
        stock_up("beta", 5, 5);
        search = look()->search;
        cr_assert_float_eq(search->candidates[0].distance, distance_km(PARIS_LAT, PARIS_LON, 52.39, 13.06), 1e-6);
}

Test(resourcing, an_address_that_is_nobody_knows_where_is_measured_from_the_location) {
        const struct sourcing_search *search;

        given("ship", "'{\"city\": \"Paris\"}'");
        open_location("beta", "52.39, 13.06", "ship");
        stock_up("beta", 5, 5);
        search = look()->search;
        cr_assert_float_eq(search->candidates[0].distance, distance_km(BERLIN_LAT, BERLIN_LON, 52.39, 13.06), 1e-6);
}

Test(resourcing, only_the_rows_that_are_chosen_are_locked) {
        struct work *work;

        given_pickup();
        open_location("beta", "52.39, 13.06", "pickup");
        open_location("delta", "48.8566, 2.3522", "pickup");
        stock_up("beta", 5, 5);
        stock_up("delta", 5, 5);
        work = look();
        cr_assert_eq(work->stock.n_rows, 4);
        cr_assert_not_null(stock_find(&work->stock, "alpha", "A"));
        cr_assert_not_null(stock_find(&work->stock, "beta", "B"));
        cr_assert_null(stock_find(&work->stock, "delta", "A"));
        cr_assert_eq(stock_find(&work->stock, "beta", "A")->reserved, 0, "the look alone reserves nothing");
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
        open_location("paris", "48.8566, 2.3522", "pickup");
        stock_up("paris", 2, 1);
        work = look();
        cr_assert_eq(work->search->n_candidates, SOURCING_SHELVES_MAX);
        cr_assert_not_null(stock_find(&work->stock, "paris", "A"));
        cr_assert_not_null(stock_find(&work->stock, "paris", "B"));
        cr_assert_eq(work->search->left, 0);
}

Test(resourcing, what_moved_reads_as_it_was_saved) {
        struct work *work;
        struct order_set again;
        struct uuid id;
        const struct order *order;

        given_pickup();
        open_location("beta", "52.39, 13.06", "pickup");
        stock_up("beta", 1, 5);
        work = look();
        cr_assert_eq(work->search->left, 1);
        cr_assert_eq(fulfillment_reject(work->fulfillment, SHORT_CLOSED, work->search, &work->command), PROBLEM_NONE);
        cr_assert_eq(stock_save(store_database, &work->stock, &store_events, STORE_NOW), PROBLEM_NONE);
        cr_assert_eq(orders_update(store_database, &work->set), PROBLEM_NONE);
        cr_assert_eq(events_save(store_database, &work->events, STORE_NOW), PROBLEM_NONE);
        store_trip();

        cr_assert(uuid_parse(ORDER, &id));
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
        struct work *work = arena_new(&store_arena, struct work);
        struct uuid id;

        given_pickup();
        open_location("beta", "52.39, 13.06", "pickup");
        stock_up("beta", 5, 5);
        cr_assert(uuid_parse(FULFILLMENT, &id));
        stock_init(&work->stock, &store_arena);
        orders_init(&work->set, &store_arena, &work->stock);
        events_init(&work->events, &store_arena);
        resourcing_init(&work->resourcing, &store_arena, &(struct resourcing_policy){ .enabled = true });
        orders_want_fulfillment(&work->set, &id);
        resourcing_want(&work->resourcing, "the first", &id, NULL, 0);
        resourcing_want(&work->resourcing, work, &id, NULL, 0);
        cr_assert_eq(resourcing_lock(&work->resourcing, store_database, &work->set, clock_monotonic() + 30 * SECOND),
                PROBLEM_NONE);
        store_trip();
        work->fulfillment = fulfillment_find(&work->set, &id);
        work->search = resourcing_find(&work->resourcing, work);
        work->command = (struct command){ .actor = "ben",
                .now = STORE_NOW,
                .stock = &work->stock,
                .events = &work->events,
                .arena = &store_arena,
                .refusal = &work->refusal };
        cr_assert_eq(fulfillment_reject(work->fulfillment, SHORT_CLOSED, work->search, &work->command), PROBLEM_NONE);
        cr_assert_eq(work->fulfillment->order->n_fulfillments, 2);
        cr_assert_str_eq(work->fulfillment->order->fulfillments[1]->location, "beta");
}
