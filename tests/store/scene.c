#include "scene.h"

#include <criterion/criterion.h>

/* ---- catalogue and stock ---- */

void location_given(const char *code, const char *position, const char *capabilities) {
        store_run("insert into locations (code, name, kind, latitude, longitude, time_zone, country, capabilities,"
                  " opening_hours, closures, lead_time_s, hold_for_s, created_at, updated_at)"
                  " values ('%s', '%s', 'store', %s, 'UTC', 'DE', '{%s}', '[]', '[]', 3600, 0, now(), now())",
                code, code, position, capabilities);
}

void products_given(const char *skus) {
        store_run("insert into products (sku, title, returnable, attributes, created_at, updated_at)"
                  " select sku, sku, true, '{}', now(), now() from unnest('%s'::text[]) as sku",
                skus);
}

void stock_given(const char *location, const char *sku, int64_t on_hand) {
        store_run("insert into stock (location, sku, on_hand, movements) values ('%s', '%s', %lld, 1)", location, sku,
                (long long) on_hand);
}

/* ---- an order ---- */

void order_given(const struct given_order *given) {
        location_given("alpha", "52.52, 13.405", "");
        products_given("{A,B}");
        store_run("insert into stock (location, sku, on_hand, reserved, movements)"
                  " values ('alpha', 'A', %lld, 2, 4), ('alpha', 'B', 7, 1, 0)",
                (long long) given->on_hand_a);
        store_run("insert into orders (id, order_number, channel, external_ref, status, payment_status, currency,"
                  " customer, ship_to, subtotal, discount, shipping, tax, tax_included, total, actor, placed_at,"
                  " updated_at) values ('" SCENE_ORDER
                  "', '7KM-2QX-9RT', 'web', 'r-1', 'open', 'captured', 'EUR', '{}',"
                  " %s, 300, 0, 0, 0, true, 300, 'ada', now(), now())",
                given->ship_to ? given->ship_to : "null");
        store_execute(
                "insert into payments (id, order_id, number, status, amount, authorized, captured, voided, capture_due,"
                " refunded, actor, created_at, updated_at) select gen_random_uuid(), id, 1, 'captured', total, total,"
                " total, 0, 0, 0, 'ada', now(), now() from orders");
        store_execute("insert into order_lines (order_id, line, id, sku, title, quantity, unit_price, value)"
                      " values ('" SCENE_ORDER "', 0, '" SCENE_LINE_A "', 'A', 'A', 2, 100, 200),"
                      " ('" SCENE_ORDER "', 1, '" SCENE_LINE_B "', 'B', 'B', 1, 100, 100)");
        store_run("insert into fulfillments (id, order_id, number, method, location, status, promised_at, created_at,"
                  " updated_at) values ('" SCENE_FULFILLMENT "', '" SCENE_ORDER
                  "', 1, '%s', 'alpha', '%s', now(), now(),"
                  " now())",
                given->method, given->status);
        store_run("insert into fulfillment_lines (order_id, fulfillment_id, line, location, sku, quantity, picked,"
                  " reserved) values ('" SCENE_ORDER "', '" SCENE_FULFILLMENT "', 0, 'alpha', 'A', 2, %d, 2),"
                  " ('" SCENE_ORDER "', '" SCENE_FULFILLMENT "', 1, 'alpha', 'B', 1, %d, 1)",
                given->picked ? 2 : 0, given->picked ? 1 : 0);
}

/* ---- one batch of one command ---- */

struct uuid scene_id(const char *text) {
        struct uuid id;

        cr_assert(uuid_parse(text, &id));
        return id;
}

void scene_begin(struct scene *scene) {
        const struct uuid id = scene_id(SCENE_FULFILLMENT);

        stock_init(&scene->stock, &store_arena);
        orders_init(&scene->set, &store_arena, &scene->stock);
        events_init(&scene->events, &store_arena);
        orders_want_fulfillment(&scene->set, &id);
        scene->command = (struct command){ .actor = "ben",
                .now = STORE_NOW,
                .stock = &scene->stock,
                .events = &scene->events,
                .arena = &store_arena,
                .refusal = &scene->refusal };
}

void scene_found(struct scene *scene) {
        const struct uuid id = scene_id(SCENE_FULFILLMENT);

        scene->fulfillment = fulfillment_find(&scene->set, &id);
        cr_assert_not_null(scene->fulfillment);
}

void scene_save(struct scene *scene) {
        cr_assert_eq(stock_save(store_database, &scene->stock, &store_events, STORE_NOW), PROBLEM_NONE);
        cr_assert_eq(orders_update(store_database, &scene->set), PROBLEM_NONE);
        cr_assert_eq(events_save(store_database, &scene->events, STORE_NOW), PROBLEM_NONE);
        store_trip();
}
