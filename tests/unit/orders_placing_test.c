#include "orders/number.h"

#include "dice.h"
#include "shop.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define EVENT_TEXT   1024
#define RANDOM_SALES 12000

static struct order *placed;
static struct reservation reservations[3]; /* ids 1, 2, 3 */
static struct reservation_line held[4];

TestSuite(placing_check, .init = shop_open, .fini = shop_close);
TestSuite(placing, .init = shop_open, .fini = shop_close);
TestSuite(placing_money, .init = shop_open, .fini = shop_close, .timeout = 120);
TestSuite(placing_reservation, .init = shop_open, .fini = shop_close);
TestSuite(placing_stock, .init = shop_open, .fini = shop_close);

/* A valid order of these lines, picked up at alpha unless a line says otherwise. */
static struct order_body basket_of(const struct order_line_body *lines, size_t n) {
        return (struct order_body){ .channel = "web",
                .external_ref = "W-1",
                .currency = "EUR",
                .customer = &shop_ada,
                .lines = lines,
                .n_lines = n,
                .fulfillment = &pickup_at_alpha };
}

static const struct order_line_body one_apple[] = { { .sku = "A", .quantity = 1 } };

static enum problem check(const struct order_body *body) {
        return placing_check(body, &shop.arena, &shop.refusal);
}

static enum problem place(const struct order_body *body) {
        shop.refusal = (struct refusal){ 0 };
        placed = NULL;
        return placing_decide(&shop.placing, body, &shop.command, &placed);
}

static const struct violation *violation_of(const char *pointer, const char *code) {
        const struct violation *v = shop.refusal.violations;

        while (v && (strcmp(v->pointer, pointer) != 0 || strcmp(v->code, code) != 0))
                v = v->next;
        cr_assert_not_null(v, "no violation %s at %s", code, pointer);
        return v;
}

/* The order is refused for this one reason, and nothing has changed. */
static void assert_refused(enum problem p, enum problem expected, const char *pointer, const char *code) {
        cr_assert_eq(p, expected, "%s", problem_slug(p));
        cr_assert_eq(shop.refusal.problem, expected);
        (void) violation_of(pointer, code);
        cr_assert_eq(shop.refusal.n_violations, 1);
        cr_assert_null(placed);
        cr_assert_eq(shop.placing.n_placed, 0);
        cr_assert_eq(shop.placing.n_claimed, 0);
        cr_assert_null(shop.told.first);
        for (size_t i = 0; i < array_size(shop.rows); i++)
                cr_assert_not(shop.rows[i].changed);
}

static void assert_invalid(enum problem p, const char *pointer, const char *code) {
        assert_refused(p, PROBLEM_VALIDATION_FAILED, pointer, code);
}

/* ---- faults of the request alone ---- */

Test(placing_check, a_complete_order_passes) {
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 1 },
                { .sku = "B",
                        .quantity = 2,
                        .unit_price = { 5, "EUR" },
                        .has_unit_price = true,
                        .fulfillment = &ship_from_depot } };
        const struct discount_body discounts[] = { { .amount = 1 }, { .amount = 1, .line = 1, .has_line = true } };
        const struct payment_body payment = { PAYMENT_PENDING, NULL, SHOP_NOW };
        struct order_body body = basket_of(lines, 2);

        body.ship_to = &shop_home;
        body.discounts = discounts;
        body.n_discounts = 2;
        body.payment = &payment;
        body.shipping = (struct money){ 490, "EUR" };
        body.has_shipping = true;
        cr_assert_eq(check(&body), PROBLEM_NONE);
        cr_assert_eq(shop.refusal.n_violations, 0);
}

Test(placing_check, a_line_may_name_method_and_location_instead_of_the_order) {
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 1, .fulfillment = &pickup_at_alpha } };
        struct order_body body = basket_of(lines, 1);

        body.fulfillment = NULL;
        cr_assert_eq(check(&body), PROBLEM_NONE);
        cr_assert_eq(placing_choice(&body, &lines[0]), &pickup_at_alpha);
        body.fulfillment = &ship_from_depot;
        cr_assert_eq(placing_choice(&body, &lines[0]), &pickup_at_alpha);
        cr_assert_eq(placing_choice(&body, one_apple), &ship_from_depot);
}

Test(placing_check, a_currency_is_one_of_today) {
        static const char *const wrong[] = { "XXX", "eur", "DEM", "€€€" };

        for (size_t i = 0; i < array_size(wrong); i++) {
                struct order_body body = basket_of(one_apple, 1);

                shop.refusal = (struct refusal){ 0 };
                body.currency = wrong[i];
                assert_invalid(check(&body), "#/currency", "malformed");
        }
}

Test(placing_check, every_line_needs_a_method) {
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 1, .fulfillment = &pickup_at_alpha },
                { .sku = "B", .quantity = 1 } };
        struct order_body body = basket_of(lines, 2);

        body.fulfillment = NULL;
        assert_invalid(check(&body), "#/lines/1/fulfillment", "required");
}

Test(placing_check, every_line_needs_a_location) {
        const struct fulfillment_choice nowhere = { BY_PICKUP, NULL, TIMESTAMP_NONE };
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 1, .fulfillment = &nowhere } };
        const struct order_body body = basket_of(lines, 1);

        assert_invalid(check(&body), "#/lines/0/fulfillment/location", "required");
}

Test(placing_check, parcels_need_an_address_and_that_is_said_once) {
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 1, .fulfillment = &ship_from_depot },
                { .sku = "B", .quantity = 1, .fulfillment = &ship_from_depot } };
        const struct order_body body = basket_of(lines, 2);

        assert_invalid(check(&body), "#/ship_to", "required");
}

Test(placing_check, a_price_is_in_the_currency_of_the_order) {
        const struct order_line_body lines[] = {
                { .sku = "A", .quantity = 1, .unit_price = { 5, "USD" }, .has_unit_price = true }
        };
        const struct order_body body = basket_of(lines, 1);

        assert_invalid(check(&body), "#/lines/0/unit_price/currency", "currency-mismatch");
}

Test(placing_check, shipping_is_in_the_currency_of_the_order) {
        struct order_body body = basket_of(one_apple, 1);

        body.shipping = (struct money){ 490, "USD" };
        body.has_shipping = true;
        assert_invalid(check(&body), "#/shipping/currency", "currency-mismatch");
}

Test(placing_check, an_email_address_is_a_name_at_a_domain) {
        static const char *const wrong[] = { "ada", "@example.com", "ada@", "ada@b@c", "a da@b", "ada@b\n", "@@@" };

        for (size_t i = 0; i < array_size(wrong); i++) {
                const struct customer_body customer = { .name = "Ada", .email = wrong[i] };
                struct order_body body = basket_of(one_apple, 1);

                shop.refusal = (struct refusal){ 0 };
                body.customer = &customer;
                assert_invalid(check(&body), "#/customer/email", "malformed");
        }
}

Test(placing_check, a_parcel_goes_to_a_country_that_exists) {
        static const char *const wrong[] = { "de", "XX", "UK", "\xc3\x84\xc3\x96" };

        for (size_t i = 0; i < array_size(wrong); i++) {
                struct address_body somewhere = shop_home;
                struct order_body body = basket_of(one_apple, 1);

                shop.refusal = (struct refusal){ 0 };
                somewhere.country = wrong[i];
                body.ship_to = &somewhere;
                assert_invalid(check(&body), "#/ship_to/country", "malformed");
        }
}

Test(placing_check, a_discount_names_an_existing_line) {
        static const int64_t wrong[] = { 1, 199, -1, INT64_MAX };

        for (size_t i = 0; i < array_size(wrong); i++) {
                const struct discount_body discounts[] = { { .amount = 1 },
                        { .amount = 1, .line = wrong[i], .has_line = true } };
                struct order_body body = basket_of(one_apple, 1);

                shop.refusal = (struct refusal){ 0 };
                body.discounts = discounts;
                body.n_discounts = 2;
                assert_invalid(check(&body), "#/discounts/1/line", "out-of-range");
        }
}

Test(placing_check, latitude_and_longitude_stand_together) {
        struct address_body somewhere = shop_home;
        struct order_body body = basket_of(one_apple, 1);

        body.ship_to = &somewhere;
        somewhere.has_latitude = true;
        assert_invalid(check(&body), "#/ship_to", "required");
        shop.refusal = (struct refusal){ 0 };
        somewhere.has_longitude = true;
        cr_assert_eq(check(&body), PROBLEM_NONE);
}

Test(placing_check, only_a_pending_payment_falls_due) {
        static const int taken[] = { PAYMENT_AUTHORIZED, PAYMENT_CAPTURED };

        for (size_t i = 0; i < array_size(taken); i++) {
                const struct payment_body payment = { taken[i], NULL, SHOP_NOW },
                                          undated = { taken[i], NULL, TIMESTAMP_NONE };
                struct order_body body = basket_of(one_apple, 1);

                shop.refusal = (struct refusal){ 0 };
                body.payment = &payment;
                assert_invalid(check(&body), "#/payment/due_at", "not-allowed");
                shop.refusal = (struct refusal){ 0 };
                body.payment = &undated;
                cr_assert_eq(check(&body), PROBLEM_NONE);
        }
}

Test(placing_check, all_violations_are_reported_at_once) {
        const struct fulfillment_choice nowhere = { BY_PICKUP, NULL, TIMESTAMP_NONE };
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 1 },
                { .sku = "A",
                        .quantity = 1,
                        .unit_price = { 5, "JPY" },
                        .has_unit_price = true,
                        .fulfillment = &nowhere },
                { .sku = "A", .quantity = 1, .fulfillment = &ship_from_depot } };
        const struct discount_body discount = { .amount = 1, .line = 3, .has_line = true };
        const struct payment_body payment = { PAYMENT_CAPTURED, NULL, SHOP_NOW };
        struct order_body body = basket_of(lines, 3);

        body.currency = "XTS";
        body.fulfillment = NULL;
        body.discounts = &discount;
        body.n_discounts = 1;
        body.shipping = (struct money){ 490, "USD" };
        body.has_shipping = true;
        body.payment = &payment;
        cr_assert_eq(check(&body), PROBLEM_VALIDATION_FAILED);
        (void) violation_of("#/currency", "malformed");
        (void) violation_of("#/lines/0/fulfillment", "required");
        (void) violation_of("#/lines/1/fulfillment/location", "required");
        (void) violation_of("#/lines/1/unit_price/currency", "currency-mismatch");
        (void) violation_of("#/ship_to", "required");
        (void) violation_of("#/discounts/0/line", "out-of-range");
        (void) violation_of("#/shipping/currency", "currency-mismatch");
        (void) violation_of("#/payment/due_at", "not-allowed");
        cr_assert_eq(shop.refusal.n_violations, 8);
}

/* ---- an order that is granted ---- */

Test(placing, an_order_has_the_values_of_its_request) {
        const struct payment_body payment = { PAYMENT_AUTHORIZED, "pay-7", TIMESTAMP_NONE };
        struct order_body body = basket_of(one_apple, 1);

        body.ship_to = &shop_home;
        body.payment = &payment;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_not(uuid_is_nil(&placed->id));
        cr_assert_str_eq(placed->channel, "web");
        cr_assert_str_eq(placed->external_ref, "W-1");
        cr_assert_str_eq(placed->actor, "ada");
        cr_assert_eq(placed->status, ORDER_OPEN);
        cr_assert_eq(placed->balance.payment_status, PAYMENT_AUTHORIZED);
        cr_assert_str_eq(placed->payment_reference, "pay-7");
        cr_assert_eq(placed->version, 1);
        cr_assert_eq(placed->placed_at, SHOP_NOW);
        cr_assert_eq(placed->updated_at, SHOP_NOW);
        cr_assert(uuid_is_nil(&placed->reservation_id));
        cr_assert(placed->is_new);
        cr_assert_eq(shop.placing.n_placed, 1);
        cr_assert_str_eq(placed->customer,
                "{\"name\":\"Ada\",\"email\":\"ada@example.com\",\"phone\":null,\"customer_id\":null}");
        cr_assert_str_eq(placed->ship_to,
                "{\"name\":\"Ada\",\"line1\":\"Here 1\",\"line2\":null,\"city\":\"Berlin\",\"postal_code\":\"10117\","
                "\"country\":\"DE\"}");
}

Test(placing, an_address_keeps_its_place_on_the_map) {
        struct address_body somewhere = shop_home;
        struct order_body body = basket_of(one_apple, 1);

        somewhere.has_latitude = somewhere.has_longitude = true;
        somewhere.latitude = 52.5;
        somewhere.longitude = -0.25;
        body.ship_to = &somewhere;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_not_null(strstr(placed->ship_to, "\"latitude\":52.5,\"longitude\":-0.25}"), "%s", placed->ship_to);
}

Test(placing, order_numbers_can_be_read_out) {
        static const char symbols[] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
        struct order_body body = basket_of(one_apple, 1);
        char before[ORDER_NUMBER_SIZE] = "";

        for (int i = 0; i < SHOP_ON_HAND; i++) {
                body.external_ref = arena_format(&shop.arena, "W-%d", i);
                cr_assert_eq(place(&body), PROBLEM_NONE);
                cr_assert_eq(strlen(placed->number), 11);
                for (size_t j = 0; j < 11; j++)
                        cr_assert(j % 4 == 3 ? placed->number[j] == '-' : strchr(symbols, placed->number[j]) != NULL);
                cr_assert_str_neq(placed->number, before);
                memcpy(before, placed->number, sizeof(before));
        }
}

Test(placing, lines_that_share_method_and_location_are_one_fulfillment) {
        static const struct fulfillment_choice curbside = { BY_CURBSIDE, "alpha", TIMESTAMP_NONE },
                                               beta = { BY_PICKUP, "beta", TIMESTAMP_NONE };
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 1 },
                { .sku = "A", .quantity = 1, .fulfillment = &ship_from_depot }, { .sku = "B", .quantity = 2 },
                { .sku = "A", .quantity = 1, .fulfillment = &curbside },
                { .sku = "A", .quantity = 1, .fulfillment = &beta },
                { .sku = "A", .quantity = 3, .fulfillment = &pickup_at_alpha } };
        static const enum fulfillment_method methods[] = { BY_PICKUP, BY_SHIPPING, BY_CURBSIDE, BY_PICKUP };
        static const char *const places[] = { "alpha", "depot", "alpha", "beta" };
        static const duration leads[] = { 2 * HOUR, DAY, 2 * HOUR, HOUR };
        struct order_body body = basket_of(lines, 6);

        body.ship_to = &shop_home;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(placed->n_fulfillments, 4);
        for (size_t i = 0; i < 4; i++) {
                const struct fulfillment *fulfillment = placed->fulfillments[i];

                cr_assert_eq(fulfillment->method, methods[i]);
                cr_assert_str_eq(fulfillment->location, places[i]);
                cr_assert_eq(fulfillment->number, i + 1);
                cr_assert_eq(fulfillment->status, FULFILLMENT_ALLOCATED);
                cr_assert_eq(fulfillment->promised_at, SHOP_NOW + leads[i]);
                cr_assert_eq(fulfillment->hold_until, TIMESTAMP_NONE);
                cr_assert_eq(fulfillment->version, 1);
                cr_assert_eq(fulfillment->pickup_serial, 1);
                cr_assert_eq(fulfillment->n_lines, i ? 1 : 3);
                cr_assert(!i || uuid_compare(&placed->fulfillments[i - 1]->id, &fulfillment->id) < 0);
        }
        cr_assert_eq(placed->fulfillments[0]->lines[0].order_line, &placed->lines[0]);
        cr_assert_eq(placed->fulfillments[0]->lines[1].order_line, &placed->lines[2]);
        cr_assert_eq(placed->fulfillments[0]->lines[2].order_line, &placed->lines[5]);
        for (size_t i = 0; i < 6; i++) {
                cr_assert_eq(placed->lines[i].number, i);
                cr_assert_eq(placed->lines[i].allocations->order_line, &placed->lines[i]);
                cr_assert_eq(placed->lines[i].allocations->quantity, lines[i].quantity);
        }
        cr_assert_eq(shop_row("alpha", "A")->reserved, 5);
        cr_assert_eq(shop_row("alpha", "B")->reserved, 2);
        cr_assert_eq(shop_row("beta", "A")->reserved, 1);
        cr_assert_eq(shop_row("depot", "A")->reserved, 1);
}

Test(placing, a_price_is_the_clients_else_the_channels_else_the_products) {
        const struct order_line_body lines[] = {
                { .sku = "B", .quantity = 1, .unit_price = { 1, "EUR" }, .has_unit_price = true },
                { .sku = "B", .quantity = 1 }, { .sku = "A", .quantity = 1 },
                { .sku = "C", .quantity = 1, .unit_price = { 0, "EUR" }, .has_unit_price = true }
        };
        const struct order_body body = basket_of(lines, 4);
        static const int64_t prices[] = { 1, 2400, 1000, 0 };
        static const char *const titles[] = { "Rye bread", "Rye bread", "Apple", "Coat" };

        cr_assert_eq(place(&body), PROBLEM_NONE);
        for (size_t i = 0; i < 4; i++) {
                cr_assert_eq(placed->lines[i].unit_price, prices[i]);
                cr_assert_str_eq(placed->lines[i].title, titles[i]);
        }
}

Test(placing, a_listing_without_price_and_title_leaves_the_products) {
        struct order_body body = basket_of(one_apple, 1);

        body.channel = "app";
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(placed->lines[0].unit_price, 1000);
        cr_assert_str_eq(placed->lines[0].title, "Apple");
}

static void assert_told(const char *expected) {
        char told[EVENT_TEXT] = "";

        for (const struct event *event = shop.told.first; event; event = event->next)
                if (!event->is_cover)
                        (void) snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s%s", *told ? " " : "",
                                event_types[event->type].name);
        cr_assert_str_eq(told, expected);
}

Test(placing, a_new_order_has_events_for_itself_and_each_fulfillment) {
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 1 },
                { .sku = "A", .quantity = 1, .fulfillment = &ship_from_depot } };
        struct order_body body = basket_of(lines, 2);
        const struct event *event;

        body.ship_to = &shop_home;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        assert_told("order.created fulfillment.allocated fulfillment.allocated");
        event = shop.told.first;
        cr_assert(uuid_equal(event->order_id, &placed->id));
        cr_assert(event->subject_kind == SUBJECT_ORDER && uuid_equal(event->subject_id, &placed->id));
        cr_assert_str_eq(event->channel, "web");
        cr_assert_str_eq(event->actor, "ada");
        cr_assert_not_null(
                strstr(buffer_text(&event->data), "\"channel\":\"web\",\"total\":2000,\"currency\":\"EUR\""));
        cr_assert_null(strstr(buffer_text(&event->data), "Ada"));
        event = event->next;
        cr_assert(uuid_equal(event->order_id, &placed->id));
        cr_assert(event->subject_kind == SUBJECT_FULFILLMENT && event->subject_id == &placed->fulfillments[0]->id);
        cr_assert_str_eq(event->location, "alpha");
}

Test(placing, a_payment_of_a_new_order_has_an_event) {
        struct payment_body payment = { PAYMENT_AUTHORIZED, NULL, TIMESTAMP_NONE };
        struct order_body body = basket_of(one_apple, 1);

        body.payment = &payment;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        assert_told("order.created fulfillment.allocated payment.authorized");
        events_init(&shop.told, &shop.arena);
        body.external_ref = "W-2";
        payment.status = PAYMENT_CAPTURED;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        assert_told("order.created fulfillment.allocated payment.captured");
        cr_assert_eq(placed->balance.payment_status, PAYMENT_CAPTURED);
}

Test(placing, only_pending_payments_fall_due_by_themselves) {
        struct payment_body payment = { PAYMENT_PENDING, NULL, TIMESTAMP_NONE };
        struct order_body body = basket_of(one_apple, 1);

        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(placed->balance.payment_status, PAYMENT_PENDING);
        cr_assert_eq(balance_due_at(&placed->balance), TIMESTAMP_NONE);
        cr_assert_eq(placed->balance.unpaid_since, SHOP_NOW, "a later policy counts from here");
        shop.placing.unpaid_ttl = HOUR;
        body.external_ref = "W-2";
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(balance_due_at(&placed->balance), SHOP_NOW + HOUR);
        body.external_ref = "W-3";
        body.payment = &payment;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(balance_due_at(&placed->balance), SHOP_NOW + HOUR);
        body.external_ref = "W-4";
        payment.due_at = SHOP_NOW + MINUTE;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(balance_due_at(&placed->balance), SHOP_NOW + MINUTE);
        cr_assert_eq(placed->balance.unpaid_since, TIMESTAMP_NONE, "no policy moves a deadline that is named");
        body.external_ref = "W-5";
        payment = (struct payment_body){ PAYMENT_CAPTURED, NULL, TIMESTAMP_NONE };
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(balance_due_at(&placed->balance), TIMESTAMP_NONE);
        cr_assert_eq(placed->balance.unpaid_since, TIMESTAMP_NONE);
}

Test(placing, the_policy_of_the_channel_goes_before_the_setting) {
        struct order_body body = basket_of(one_apple, 1);
        struct channel *channel = catalog_channel(&shop.placing.catalog, body.channel);

        shop.placing.unpaid_ttl = HOUR;
        channel->policy = (struct channel_policy){ .has_unpaid_ttl_s = true, .unpaid_ttl_s = 60 };
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(balance_due_at(&placed->balance), SHOP_NOW + MINUTE);
        body.external_ref = "W-2";
        channel->policy.unpaid_ttl_s = 0;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(balance_due_at(&placed->balance), TIMESTAMP_NONE);
}

/* Every Wednesday from 12:00 to 13:00, with so many places; It is Tuesday, 22:13:20 in UTC. */
#define SLOT_BEGINS (SHOP_NOW - SHOP_NOW % DAY + DAY + 12 * HOUR)

static struct slot_row *offer_slot(int64_t capacity) {
        static struct slot slot;
        static struct slot_row row;

        slot = (struct slot){ 2, 12 * 60, 13 * 60, capacity };
        row = (struct slot_row){ .location = "alpha", .begins = SLOT_BEGINS };
        shop.locations[SHOP_ALPHA].slots = &slot;
        shop.locations[SHOP_ALPHA].n_slots = 1;
        shop.placing.slots = (struct slot_set){ .rows = &row, .n_rows = 1 };
        return &row;
}

static const struct fulfillment_choice in_slot = { BY_PICKUP, "alpha", SLOT_BEGINS };

static struct order_body basket_in_slot(void) {
        struct order_body body = basket_of(one_apple, 1);

        body.fulfillment = &in_slot;
        return body;
}

Test(placing, a_slot_sets_the_promise_and_is_booked) {
        const struct slot_row *row = offer_slot(2);
        const struct order_body body = basket_in_slot();

        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert(placed->fulfillments[0]->has_slot);
        cr_assert_eq(placed->fulfillments[0]->slot_at, SLOT_BEGINS);
        cr_assert_eq(placed->fulfillments[0]->promised_at, SLOT_BEGINS);
        cr_assert_eq(row->booked, 1);
        cr_assert(row->changed);
}

Test(placing, the_next_order_of_a_batch_sees_the_place_taken) {
        const struct slot_row *row = offer_slot(1);
        struct order_body body = basket_in_slot();

        cr_assert_eq(place(&body), PROBLEM_NONE);
        body.external_ref = "W-2";
        cr_assert_eq(place(&body), PROBLEM_SLOT_FULL);
        cr_assert_not_null(violation_of("#/fulfillment/slot", "slot-full"));
        cr_assert_eq(row->booked, 1);
        cr_assert_eq(shop_row("alpha", "A")->reserved, 1);
}

Test(placing, a_full_slot_refuses) {
        const struct order_body body = basket_in_slot();

        offer_slot(3)->booked = 3;
        cr_assert_eq(place(&body), PROBLEM_SLOT_FULL);
        offer_slot(2)->booked = 3; /* the capacity was lowered since */
        cr_assert_eq(place(&body), PROBLEM_SLOT_FULL);
}

Test(placing, a_slot_begins_when_the_order_is_ready_or_later) {
        const struct order_body body = basket_in_slot();
        const struct slot_row *row = offer_slot(1);

        shop.locations[SHOP_ALPHA].lead_time = SLOT_BEGINS - SHOP_NOW + SECOND;
        cr_assert_eq(place(&body), PROBLEM_VALIDATION_FAILED);
        cr_assert_not_null(violation_of("#/fulfillment/slot", "too-soon"));
        cr_assert_eq(row->booked, 0);
        shop.locations[SHOP_ALPHA].lead_time = SLOT_BEGINS - SHOP_NOW;
        cr_assert_eq(place(&body), PROBLEM_NONE);
}

/* It is Tuesday, 22:13:20 in UTC. */
Test(placing, a_store_promises_by_its_hours_and_the_warehouse_round_the_clock) {
        static const struct opening hours[] = { { 2, 9 * 60, 18 * 60 } };
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 1 },
                { .sku = "A", .quantity = 1, .fulfillment = &ship_from_depot } };
        struct order_body body = basket_of(lines, 2);
        const struct location before = shop.locations[SHOP_ALPHA];

        body.ship_to = &shop_home;
        shop.locations[SHOP_ALPHA].opening_hours = hours;
        shop.locations[SHOP_ALPHA].n_opening_hours = 1;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(placed->fulfillments[0]->promised_at, SHOP_NOW - SHOP_NOW % DAY + DAY + 11 * HOUR);
        cr_assert_eq(placed->fulfillments[1]->promised_at, SHOP_NOW + DAY);
        shop.locations[SHOP_ALPHA] = before;
}

Test(placing, a_location_that_does_not_open_long_enough_can_promise_nothing) {
        static const struct opening hours[] = { { 2, 9 * 60, 9 * 60 + 1 } };
        const struct order_body body = basket_of(one_apple, 1);
        const struct location before = shop.locations[SHOP_ALPHA];

        shop.locations[SHOP_ALPHA].opening_hours = hours;
        shop.locations[SHOP_ALPHA].n_opening_hours = 1;
        cr_assert_eq(place(&body), PROBLEM_VALIDATION_FAILED);
        cr_assert_not_null(violation_of("#/fulfillment/location", "closed"));
        cr_assert_eq(shop_row("alpha", "A")->reserved, 0);
        shop.locations[SHOP_ALPHA] = before;
}

/* ---- refusals ---- */

Test(placing, an_unknown_channel_is_refused) {
        static const char *const unknown[] = { "gone", "nowhere" };

        for (size_t i = 0; i < array_size(unknown); i++) {
                struct order_body body = basket_of(one_apple, 1);

                body.channel = unknown[i];
                assert_invalid(place(&body), "#/channel", "unknown-channel");
        }
}

Test(placing, an_unknown_location_fulfils_nothing) {
        const struct fulfillment_choice gone = { BY_PICKUP, "gone", TIMESTAMP_NONE };
        struct order_body body = basket_of(one_apple, 1);

        body.fulfillment = &gone;
        assert_invalid(place(&body), "#/fulfillment/location", "unknown-location");
}

Test(placing, an_unknown_product_is_not_sold) {
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 1 }, { .sku = "gone", .quantity = 1 } };
        const struct order_body body = basket_of(lines, 2);

        assert_invalid(place(&body), "#/lines/1/sku", "unknown-sku");
}

Test(placing, an_unpublished_product_is_not_sold_in_the_channel) {
        const struct order_line_body lines[] = { { .sku = "D", .quantity = 1 } };
        struct order_body body = basket_of(lines, 1);

        assert_invalid(place(&body), "#/lines/0/sku", "not-published");
        body.channel = "app";
        cr_assert_eq(place(&body), PROBLEM_NONE);
}

Test(placing, a_location_fulfils_only_by_methods_it_offers) {
        static const struct {
                struct fulfillment_choice choice;
                bool can;
        } cases[] = {
                { { BY_PICKUP, "alpha", TIMESTAMP_NONE }, true },
                { { BY_CURBSIDE, "alpha", TIMESTAMP_NONE }, true },
                { { BY_SHIPPING, "alpha", TIMESTAMP_NONE }, true },
                { { BY_PICKUP, "beta", TIMESTAMP_NONE }, true },
                { { BY_CURBSIDE, "beta", TIMESTAMP_NONE }, false },
                { { BY_SHIPPING, "beta", TIMESTAMP_NONE }, false },
                { { BY_PICKUP, "depot", TIMESTAMP_NONE }, false },
                { { BY_CURBSIDE, "depot", TIMESTAMP_NONE }, false },
                { { BY_SHIPPING, "depot", TIMESTAMP_NONE }, true },
        };

        for (size_t i = 0; i < array_size(cases); i++) {
                struct order_body body = basket_of(one_apple, 1);

                shop_close();
                shop_open();
                body.ship_to = &shop_home;
                body.fulfillment = &cases[i].choice;
                if (cases[i].can)
                        cr_assert_eq(place(&body), PROBLEM_NONE, "case %zu", i);
                else
                        assert_invalid(place(&body), "#/fulfillment/method", "not-capable");
        }
}

Test(placing, something_without_a_price_is_not_sold) {
        const struct order_line_body lines[] = { { .sku = "C", .quantity = 1 } };
        const struct order_body body = basket_of(lines, 1);

        assert_invalid(place(&body), "#/lines/0/unit_price", "price-missing");
}

Test(placing, a_price_in_another_currency_is_not_taken) {
        const struct order_line_body lines[] = { { .sku = "J", .quantity = 1 } };
        struct order_body body = basket_of(lines, 1);

        assert_invalid(place(&body), "#/lines/0/unit_price", "currency-mismatch");
        body.currency = "JPY";
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(placed->balance.total, 500);
}

Test(placing, all_unknown_codes_are_reported_at_once) {
        const struct fulfillment_choice gone = { BY_SHIPPING, "gone", TIMESTAMP_NONE };
        const struct order_line_body lines[] = { { .sku = "gone", .quantity = 1, .fulfillment = &gone },
                { .sku = "D", .quantity = 1, .fulfillment = &ship_from_depot }, { .sku = "C", .quantity = 1 },
                { .sku = "J", .quantity = 1 } };
        struct order_body body = basket_of(lines, 4);
        const struct fulfillment_choice depot = { BY_PICKUP, "depot", TIMESTAMP_NONE };

        body.fulfillment = &depot;
        cr_assert_eq(place(&body), PROBLEM_VALIDATION_FAILED);
        (void) violation_of("#/lines/0/sku", "unknown-sku");
        (void) violation_of("#/lines/0/fulfillment/location", "unknown-location");
        (void) violation_of("#/lines/1/sku", "not-published");
        (void) violation_of("#/lines/2/unit_price", "price-missing");
        (void) violation_of("#/fulfillment/method", "not-capable");
        (void) violation_of("#/lines/3/unit_price", "currency-mismatch");
        cr_assert_eq(shop.refusal.n_violations, 6);
}

Test(placing, an_external_ref_is_used_once_by_a_channel) {
        struct order_body body = basket_of(one_apple, 1);
        char link[64] = "/v1/orders/";

        cr_assert_eq(place(&body), PROBLEM_NONE);
        uuid_format(&placed->id, link + strlen(link));
        cr_assert_eq(place(&body), PROBLEM_DUPLICATE_EXTERNAL_REF);
        cr_assert_str_eq(shop.refusal.link, link);
        cr_assert_eq(shop.placing.n_placed, 1);
        cr_assert_eq(shop_row("alpha", "A")->reserved, 1);
        body.external_ref = "w-1";
        cr_assert_eq(place(&body), PROBLEM_NONE);
        body.external_ref = "W-1";
        body.channel = "app";
        cr_assert_eq(place(&body), PROBLEM_NONE);
}

Test(placing, an_external_ref_of_an_earlier_order_is_known) {
        struct order earlier = { .id = { { 7 } }, .channel = "web", .external_ref = "W-1" };
        const struct order_body body = basket_of(one_apple, 1);

        shop.orders[0] = &earlier;
        shop.placing.n_orders = 1;
        cr_assert_eq(place(&body), PROBLEM_DUPLICATE_EXTERNAL_REF);
        cr_assert_str_eq(shop.refusal.link, "/v1/orders/07000000-0000-0000-0000-000000000000");
        cr_assert_eq(shop.placing.n_placed, 0);
}

Test(placing, a_refused_order_does_not_use_up_its_external_ref) {
        const struct order_line_body lines[] = { { .sku = "A", .quantity = SHOP_ON_HAND + 1 } };
        const struct order_body too_large = basket_of(lines, 1), body = basket_of(one_apple, 1);

        cr_assert_eq(place(&too_large), PROBLEM_INSUFFICIENT_STOCK);
        cr_assert_eq(place(&body), PROBLEM_NONE);
}

/* Every allocation fails once. A granted order is whole all the same. */
Test(placing, without_memory_nothing_is_half_placed) {
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 1 },
                { .sku = "A", .quantity = 1, .fulfillment = &ship_from_depot } };
        struct order_body body = basket_of(lines, 2);
        size_t busy = 0, granted = 0;

        body.ship_to = &shop_home;
        for (size_t ceiling = 0; ceiling < (size_t) 40 * 1024; ceiling += 32) {
                struct arena small;

                shop_stock_up();
                arena_init(&small, ceiling);
                shop.placing.arena = &small;
                shop.placing.n_orders = shop.placing.n_placed = 0;
                events_init(&shop.told, &small);
                if (place(&body)) {
                        cr_assert_eq(shop.placing.n_placed, 0);
                        busy++;
                } else {
                        cr_assert_str_eq(placed->customer + strlen(placed->customer) - 1, "}");
                        cr_assert_str_eq(placed->ship_to + strlen(placed->ship_to) - 1, "}");
                        cr_assert_eq(strlen(placed->number), 11);
                        granted++;
                }
                cr_assert_eq(shop_row("alpha", "A")->reserved, (int64_t) shop.placing.n_placed);
                arena_clear(&small);
        }
        cr_assert_gt(busy, 0);
        cr_assert_gt(granted, 0);
}

/* ---- money ---- */

static const struct order_line_body *priced(const char *sku, int64_t amount, int64_t quantity) {
        struct order_line_body *line = arena_new(&shop.arena, struct order_line_body);

        *line = (struct order_line_body){
                .sku = sku, .quantity = quantity, .unit_price = { amount, "EUR" }, .has_unit_price = true
        };
        return line;
}

Test(placing_money, the_total_is_the_sum_of_its_parts) {
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 3 }, { .sku = "B", .quantity = 2 } };
        const struct discount_body discounts[] = { { .amount = 300, .line = 0, .has_line = true },
                { .amount = 500, .reason = "welcome" } };
        struct tax_body tax = { .amount = 1111, .included = false, .has_included = true };
        struct order_body body = basket_of(lines, 2);

        body.discounts = discounts;
        body.n_discounts = 2;
        body.shipping = (struct money){ 490, "EUR" };
        body.has_shipping = true;
        body.tax = &tax;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(placed->subtotal, 7800);
        cr_assert_eq(placed->discount, 800);
        cr_assert_eq(placed->shipping, 490);
        cr_assert_eq(placed->tax, 1111);
        cr_assert_not(placed->tax_included);
        cr_assert_eq(placed->balance.total, 7800 - 800 + 490 + 1111);
        cr_assert_eq(placed->discounts[0].line, 0);
        cr_assert_eq(placed->discounts[1].line, -1);
        cr_assert_str_eq(placed->discounts[1].reason, "welcome");
        body.external_ref = "W-2";
        tax.included = true;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert(placed->tax_included);
        cr_assert_eq(placed->balance.total, 7800 - 800 + 490);
}

Test(placing_money, a_tax_is_included_unless_it_says_otherwise) {
        const struct tax_body tax = { .amount = 160 };
        struct order_body body = basket_of(one_apple, 1);

        body.tax = &tax;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert(placed->tax_included);
        cr_assert_eq(placed->balance.total, 1000);
        body.external_ref = "W-2";
        body.tax = NULL;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert(placed->tax_included);
        cr_assert_eq(placed->tax, 0);
}

static enum problem place_discounted(const struct discount_body *discounts, size_t n) {
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 2 }, { .sku = "B", .quantity = 1 } };
        struct order_body body = basket_of(lines, 2);

        body.discounts = discounts;
        body.n_discounts = n;
        return place(&body);
}

Test(placing_money, discounts_take_a_line_to_nothing_but_not_below) {
        const struct discount_body enough[] = { { .amount = 1500, .line = 0, .has_line = true },
                { .amount = 500, .line = 0, .has_line = true } };
        const struct discount_body too_much[] = { { .amount = 1500, .line = 0, .has_line = true },
                { .amount = 501, .line = 0, .has_line = true } };

        assert_invalid(place_discounted(too_much, 2), "#/discounts", "too-large");
        cr_assert_eq(place_discounted(enough, 2), PROBLEM_NONE);
        cr_assert_eq(placed->balance.total, 2400);
}

Test(placing_money, discounts_take_an_order_to_nothing_but_not_below) {
        const struct discount_body enough[] = { { .amount = 4400 } };
        const struct discount_body too_much[] = { { .amount = 4401 } };
        const struct discount_body together[] = { { .amount = 2401 }, { .amount = 2000, .line = 0, .has_line = true } };

        assert_invalid(place_discounted(too_much, 1), "#/discounts", "too-large");
        assert_invalid(place_discounted(together, 2), "#/discounts", "too-large");
        cr_assert_eq(place_discounted(enough, 1), PROBLEM_NONE);
        cr_assert_eq(placed->balance.total, 0);
}

Test(placing_money, a_tax_included_is_at_most_the_total) {
        struct tax_body tax = { .amount = 1001 };
        struct order_body body = basket_of(one_apple, 1);

        body.tax = &tax;
        assert_invalid(place(&body), "#/tax/amount", "too-large");
        tax.included = false;
        tax.has_included = true;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(placed->balance.total, 2001);
        body.external_ref = "W-2";
        tax = (struct tax_body){ .amount = 1000 };
        cr_assert_eq(place(&body), PROBLEM_NONE);
}

Test(placing_money, the_largest_total_is_the_largest_number_every_reader_keeps) {
        struct order_body body = basket_of(priced("A", MONEY_MAXIMUM, 1), 1);

        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(placed->balance.total, MONEY_MAXIMUM);
}

Test(placing_money, a_line_beyond_it_is_refused) {
        const struct order_body twice = basket_of(priced("A", MONEY_MAXIMUM, 2), 1);
        const struct order_body just = basket_of(priced("A", (MONEY_MAXIMUM + 1) / 2, 2), 1);
        const struct order_body far = basket_of(priced("A", MONEY_MAXIMUM, 1000000), 1);

        assert_invalid(place(&twice), "#/lines", "out-of-range");
        assert_invalid(place(&just), "#/lines", "out-of-range");
        assert_invalid(place(&far), "#/lines", "out-of-range");
}

Test(placing_money, a_sum_beyond_it_is_refused) {
        struct order_line_body lines[] = { *priced("A", MONEY_MAXIMUM, 1), *priced("B", 1, 1) };
        struct order_body body = basket_of(lines, 2);

        assert_invalid(place(&body), "#/lines", "out-of-range");
        body.discounts = &(struct discount_body){ .amount = 1 };
        body.n_discounts = 1;
        assert_invalid(place(&body), "#/lines", "out-of-range");
        body.n_discounts = 0;
        lines[1].unit_price.amount = 0;
        body.shipping = (struct money){ 1, "EUR" };
        body.has_shipping = true;
        assert_invalid(place(&body), "#/lines", "out-of-range");
        body.shipping.amount = 0;
        body.tax = &(struct tax_body){ .amount = 1, .has_included = true };
        assert_invalid(place(&body), "#/lines", "out-of-range");
        body.tax = NULL;
        cr_assert_eq(place(&body), PROBLEM_NONE);
}

Test(placing_money, discounts_beyond_it_are_refused) {
        const struct discount_body discounts[] = { { .amount = MONEY_MAXIMUM }, { .amount = MONEY_MAXIMUM } };

        assert_invalid(place_discounted(discounts, 2), "#/lines", "out-of-range");
}

/* One random order and its expected totals, worked out beside the code. */
struct sale {
        struct order_line_body lines[8];
        struct discount_body discounts[6];
        struct tax_body tax;
        struct payment_body payment;
        struct order_body body;
        int64_t subtotal, discount, worth[8];
};

static int64_t amount_below(uint64_t *dice, int64_t limit) {
        return limit > 0 ? (int64_t) (dice_roll(dice) % (uint64_t) limit) : 0;
}

/* Mostly cents, now and then millions, sometimes nothing. */
static int64_t random_price(uint64_t *dice) {
        static const int64_t limits[] = { 1, 10, 300, 10000, 10000, 100000, INT64_C(1000000000000) };

        return amount_below(dice, limits[dice_below(dice, array_size(limits))]);
}

static void sale_lines(struct sale *sale, uint64_t *dice) {
        static const char *const currencies[] = { "EUR", "JPY", "KWD" };
        static const char *const skus[] = { "A", "B", "C" };

        sale->body = basket_of(sale->lines, 1 + dice_below(dice, array_size(sale->lines)));
        sale->body.currency = currencies[dice_below(dice, array_size(currencies))];
        for (size_t i = 0; i < sale->body.n_lines; i++) {
                struct order_line_body *line = &sale->lines[i];

                *line = (struct order_line_body){ .sku = skus[dice_below(dice, array_size(skus))],
                        .quantity = 1 + amount_below(dice, dice_below(dice, 10) ? 7 : 1000),
                        .unit_price.amount = random_price(dice),
                        .has_unit_price = true };
                memcpy(line->unit_price.currency, sale->body.currency, sizeof(line->unit_price.currency));
                sale->worth[i] = line->unit_price.amount * line->quantity;
                sale->subtotal += sale->worth[i];
        }
}

/* Some of the remaining units of a line, or of the order, now and then all of them. */
static void sale_discounts(struct sale *sale, uint64_t *dice) {
        int64_t left = sale->subtotal;

        sale->body.discounts = sale->discounts;
        sale->body.n_discounts = dice_below(dice, array_size(sale->discounts));
        for (size_t i = 0; i < sale->body.n_discounts; i++) {
                const size_t line = dice_below(dice, sale->body.n_lines);
                const bool has_line = dice_below(dice, 2);
                const int64_t most = has_line && sale->worth[line] < left ? sale->worth[line] : left;
                const int64_t amount = dice_below(dice, 8) ? amount_below(dice, most + 1) : most;

                sale->discounts[i] = (struct discount_body){
                        .amount = amount, .line = has_line ? (int64_t) line : 0, .has_line = has_line
                };
                if (has_line)
                        sale->worth[line] -= amount;
                left -= amount;
                sale->discount += amount;
        }
}

static void sale_rest(struct sale *sale, uint64_t *dice) {
        sale->payment = (struct payment_body){ .status = PAYMENT_CAPTURED, .due_at = TIMESTAMP_NONE };
        sale->body.payment = &sale->payment;
        sale->body.has_shipping = dice_below(dice, 2);
        sale->body.shipping.amount = amount_below(dice, 1000);
        memcpy(sale->body.shipping.currency, sale->body.currency, sizeof(sale->body.shipping.currency));
        if (!sale->body.has_shipping)
                sale->body.shipping.amount = 0;
        sale->tax = (struct tax_body){ .included = dice_below(dice, 2), .has_included = true };
        sale->tax.amount =
                sale->tax.included
                        ? amount_below(dice, sale->subtotal - sale->discount + sale->body.shipping.amount + 1)
                        : random_price(dice);
        if (dice_below(dice, 3))
                sale->body.tax = &sale->tax;
}

static int64_t sale_total(const struct sale *sale) {
        const bool on_top = sale->body.tax && !sale->tax.included;

        return sale->subtotal - sale->discount + sale->body.shipping.amount + (on_top ? sale->tax.amount : 0);
}

/* Random groups of the units of a line each have their value, and the values add up. */
static int64_t value_in_heaps(const struct order_line *line, uint64_t *dice) {
        int64_t sum = 0, done = 0;

        while (done < line->quantity) {
                const int64_t units = 1 + amount_below(dice, line->quantity - done);
                const int64_t value = order_line_value(line, done, units);

                cr_assert_geq(value, 0);
                cr_assert_geq(order_line_value(line, done, units + (done + units < line->quantity)), value);
                sum += value;
                done += units;
        }
        cr_assert_eq(sum, order_line_value(line, 0, line->quantity));
        return sum;
}

static void assert_values_add_up(const struct order *order, uint64_t *dice) {
        int64_t sum = order->shipping;

        for (size_t i = 0; i < order->n_lines; i++)
                sum += value_in_heaps(&order->lines[i], dice);
        cr_assert_eq(sum, order->balance.total);
}

static int64_t open_units(const struct order *order) {
        int64_t units = 0;

        for (size_t i = 0; i < order->n_lines; i++)
                units += order_line_open(&order->lines[i]);
        return units;
}

/* A random part of random lines, in random order. */
static size_t random_part(const struct order *order, uint64_t *dice, struct cancel_line *some) {
        size_t n = 0;

        for (size_t i = order->n_lines; i-- > 0;) {
                const int64_t open = order_line_open(&order->lines[i]);

                if (open && dice_below(dice, 2))
                        some[n++] = (struct cancel_line){ order->lines[i].id, 1 + amount_below(dice, open) };
        }
        return n;
}

/* Random parts are cancelled until no unit is left: the refund due never falls, and ends at the total. */
static void assert_refunds_add_up(struct order *order, uint64_t *dice) {
        while (open_units(order)) {
                struct cancel_line some[8];
                const size_t n = random_part(order, dice, some);
                const bool all = !dice_below(dice, 6);
                const int64_t before = order->balance.refund_due;

                if (!n && !all)
                        continue;
                cr_assert_lt(before, order->balance.total + 1);
                cr_assert_eq(order_cancel(order, all ? NULL : some, n, "no", &shop.command), PROBLEM_NONE);
                cr_assert_geq(order->balance.refund_due, before);
                cr_assert_eq(order->status == ORDER_CANCELLED, !open_units(order));
        }
        cr_assert_eq(order->balance.refund_due, order->balance.total);
}

static void assert_nothing_reserved(void) {
        for (size_t i = 0; i < array_size(shop.rows); i++)
                cr_assert_eq(shop.rows[i].reserved, 0);
}

Test(placing_money, random_sales_and_cancellations_lose_or_make_no_cent) {
        uint64_t dice = 20261121;

        for (size_t i = 0; i < array_size(shop.rows); i++)
                shop.rows[i].on_hand = 100000;
        for (size_t i = 0; i < RANDOM_SALES; i++) {
                struct sale sale = { 0 };

                sale_lines(&sale, &dice);
                sale_discounts(&sale, &dice);
                sale_rest(&sale, &dice);
                cr_assert_eq(check(&sale.body), PROBLEM_NONE);
                cr_assert_eq(place(&sale.body), PROBLEM_NONE, "sale %zu", i);
                cr_assert_eq(placed->subtotal, sale.subtotal);
                cr_assert_eq(placed->discount, sale.discount);
                cr_assert_eq(placed->balance.total, sale_total(&sale));
                assert_values_add_up(placed, &dice);
                assert_refunds_add_up(placed, &dice);
                assert_nothing_reserved();
                shop.placing.n_orders = shop.placing.n_placed = 0;
                arena_reset(&shop.arena);
                events_init(&shop.told, &shop.arena);
        }
}

/* ---- reservations ---- */

static void reserve(size_t i, const char *location, size_t first, size_t n) {
        reservations[i] = (struct reservation){ .id = { { (uint8_t) (i + 1) } },
                .location = location,
                .expires_at = SHOP_NOW + MINUTE,
                .version = 1,
                .lines = &held[first],
                .n_lines = n };
        for (size_t j = first; j < first + n; j++) {
                held[j].held = true;
                held[j].stock = shop_row(location, held[j].sku);
                stock_reserve(held[j].stock, held[j].quantity);
                held[j].stock->changed = false;
        }
        shop.placing.reservations.rows = reservations;
        shop.placing.reservations.n_rows = i + 1;
}

/* Reservation 1 holds eight A and one B at alpha. */
static void reserve_a_basket(void) {
        held[0] = (struct reservation_line){ .sku = "A", .quantity = 8 };
        held[1] = (struct reservation_line){ .sku = "B", .quantity = 1 };
        reserve(0, "alpha", 0, 2);
}

static struct order_body claim_of(const struct order_line_body *lines, size_t n) {
        struct order_body body = basket_of(lines, n);

        body.reservation_id = (struct uuid){ { 1 } };
        body.has_reservation_id = true;
        return body;
}

static void assert_claimed(void) {
        cr_assert_eq(shop.placing.n_claimed, 1);
        cr_assert_eq(shop.placing.claimed[0], &reservations[0]);
        cr_assert_eq(reservations[0].status, RESERVATION_CLAIMED);
        cr_assert(uuid_equal(&reservations[0].order_id, &placed->id));
        cr_assert(uuid_equal(&placed->reservation_id, &reservations[0].id));
        cr_assert(reservations[0].changed);
        cr_assert_eq(reservations[0].version, 2);
        cr_assert_not(held[0].held || held[1].held);
}

Test(placing_reservation, reserved_units_are_not_reserved_twice) {
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 8 }, { .sku = "B", .quantity = 1 } };
        const struct order_body body = claim_of(lines, 2);

        reserve_a_basket();
        cr_assert_eq(place(&body), PROBLEM_NONE);
        assert_claimed();
        cr_assert_eq(shop_row("alpha", "A")->reserved, 8);
        cr_assert_eq(shop_row("alpha", "B")->reserved, 1);
}

Test(placing_reservation, units_missing_in_the_reservation_are_reserved) {
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 10 }, { .sku = "B", .quantity = 4 },
                { .sku = "D", .quantity = 2 } };
        struct order_body body = claim_of(lines, 3);

        body.channel = "app";
        reserve_a_basket();
        cr_assert_eq(place(&body), PROBLEM_NONE);
        assert_claimed();
        cr_assert_eq(shop_row("alpha", "A")->reserved, 10);
        cr_assert_eq(shop_row("alpha", "B")->reserved, 4);
        cr_assert_eq(shop_row("alpha", "D")->reserved, 2);
}

Test(placing_reservation, surplus_units_of_the_reservation_are_released) {
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 3 } };
        const struct order_body body = claim_of(lines, 1);

        reserve_a_basket();
        cr_assert_eq(place(&body), PROBLEM_NONE);
        assert_claimed();
        cr_assert_eq(shop_row("alpha", "A")->reserved, 3);
        cr_assert_eq(shop_row("alpha", "B")->reserved, 0);
}

Test(placing_reservation, a_reservation_covers_only_its_location) {
        static const struct fulfillment_choice beta = { BY_PICKUP, "beta", TIMESTAMP_NONE };
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 8, .fulfillment = &beta } };
        const struct order_body body = claim_of(lines, 1);

        reserve_a_basket();
        shop_row("beta", "A")->reserved = 3;
        assert_refused(place(&body), PROBLEM_INSUFFICIENT_STOCK, "#/lines/0/quantity", "insufficient-stock");
        shop_row("beta", "A")->reserved = 2;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(shop_row("alpha", "A")->reserved, 0);
        cr_assert_eq(shop_row("beta", "A")->reserved, 10);
}

Test(placing_reservation, units_beyond_reservation_and_stock_are_refused) {
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 10 } };
        const struct order_body body = claim_of(lines, 1);

        reserve_a_basket();
        shop_row("alpha", "A")->reserved = 9; /* one is another order's */
        assert_refused(place(&body), PROBLEM_INSUFFICIENT_STOCK, "#/lines/0/quantity", "insufficient-stock");
        cr_assert_eq(shop.refusal.violations->available, 9);
        cr_assert_eq(reservations[0].status, RESERVATION_ACTIVE);
        cr_assert(held[0].held && held[1].held);
        cr_assert_eq(shop_row("alpha", "A")->reserved, 9);
}

Test(placing_reservation, an_unknown_reservation_is_refused) {
        struct order_body body = claim_of(one_apple, 1);

        assert_invalid(place(&body), "#/reservation_id", "unknown-reservation");
        reserve_a_basket();
        body.reservation_id = (struct uuid){ { 9 } };
        assert_invalid(place(&body), "#/reservation_id", "unknown-reservation");
}

Test(placing_reservation, a_reservation_of_another_channel_is_unknown) {
        const struct order_body body = claim_of(one_apple, 1);

        reserve_a_basket();
        reservations[0].channel = "app";
        assert_invalid(place(&body), "#/reservation_id", "unknown-reservation");
        reservations[0].channel = "web";
        cr_assert_eq(place(&body), PROBLEM_NONE);
}

static void assert_over(const char *status) {
        const struct order_body body = claim_of(one_apple, 1);

        cr_assert_eq(place(&body), PROBLEM_RESERVATION_EXPIRED);
        cr_assert_str_eq(shop.refusal.current_status, status);
        cr_assert_eq(shop.placing.n_claimed, 0);
        cr_assert_null(shop.told.first);
}

Test(placing_reservation, an_expired_reservation_is_refused) {
        reserve_a_basket();
        reservations[0].expires_at = SHOP_NOW;
        assert_over("expired");
        reservations[0].expires_at = SHOP_NOW + 1;
        held[1].held = false; /* another command with its row has freed the line */
        assert_over("expired");
}

Test(placing_reservation, a_released_or_claimed_reservation_is_refused) {
        reserve_a_basket();
        reservations[0].status = RESERVATION_RELEASED;
        assert_over("released");
        reservations[0].status = RESERVATION_CLAIMED;
        assert_over("claimed");
        reservations[0].status = RESERVATION_EXPIRED;
        assert_over("expired");
}

Test(placing_reservation, two_orders_of_one_batch_cannot_claim_the_same) {
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 1 } };
        struct order_body body = claim_of(lines, 1);

        reserve_a_basket();
        cr_assert_eq(place(&body), PROBLEM_NONE);
        body.external_ref = "W-2";
        cr_assert_eq(place(&body), PROBLEM_RESERVATION_EXPIRED);
        cr_assert_str_eq(shop.refusal.current_status, "claimed");
        cr_assert_eq(shop.placing.n_claimed, 1);
        cr_assert_eq(shop_row("alpha", "A")->reserved, 1);
}

/* ---- stock ---- */

static void assert_short(enum problem p, const char *pointer, int64_t available) {
        cr_assert_eq(p, PROBLEM_INSUFFICIENT_STOCK, "%s", problem_slug(p));
        cr_assert_eq(violation_of(pointer, "insufficient-stock")->available, available);
        cr_assert(violation_of(pointer, "insufficient-stock")->has_available);
}

Test(placing_stock, the_last_unit_is_sold_and_not_one_more) {
        const struct order_line_body all[] = { { .sku = "A", .quantity = SHOP_ON_HAND } };
        const struct order_line_body more[] = { { .sku = "A", .quantity = SHOP_ON_HAND + 1 } };
        struct order_body body = basket_of(more, 1);

        assert_refused(place(&body), PROBLEM_INSUFFICIENT_STOCK, "#/lines/0/quantity", "insufficient-stock");
        assert_short(place(&body), "#/lines/0/quantity", SHOP_ON_HAND);
        cr_assert_str_eq(shop.refusal.violations->detail, "A at alpha: 10 available, 11 requested.");
        body.lines = all;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        body.external_ref = "W-2";
        body.lines = one_apple;
        assert_short(place(&body), "#/lines/0/quantity", 0);
}

Test(placing_stock, every_short_line_is_named) {
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 11 }, { .sku = "B", .quantity = 10 },
                { .sku = "A", .quantity = 12, .fulfillment = &ship_from_depot } };
        struct order_body body = basket_of(lines, 3);

        body.ship_to = &shop_home;
        assert_short(place(&body), "#/lines/0/quantity", 10);
        assert_short(place(&body), "#/lines/2/quantity", 10);
        cr_assert_eq(shop.refusal.n_violations, 2);
        cr_assert_eq(shop_row("alpha", "B")->reserved, 0);
}

Test(placing_stock, lines_of_one_shelf_are_added_up) {
        static const struct fulfillment_choice curbside = { BY_CURBSIDE, "alpha", TIMESTAMP_NONE };
        struct order_line_body lines[] = { { .sku = "B", .quantity = 1 }, { .sku = "A", .quantity = 6 },
                { .sku = "A", .quantity = 5, .fulfillment = &curbside } };
        const struct order_body body = basket_of(lines, 3);

        assert_short(place(&body), "#/lines/1/quantity", 10);
        cr_assert_eq(shop.refusal.n_violations, 1);
        cr_assert_str_eq(shop.refusal.violations->detail, "A at alpha: 10 available, 11 requested.");
        lines[2].quantity = 4;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(shop_row("alpha", "A")->reserved, 10);
}

Test(placing_stock, safety_stock_is_not_sold) {
        const struct order_line_body lines[] = { { .sku = "A", .quantity = 5 } };
        const struct order_body body = basket_of(lines, 1);
        struct stock_row *row = shop_row("alpha", "A");

        row->safety_stock = 3;
        row->unsellable = 2;
        row->reserved = 1;
        assert_short(place(&body), "#/lines/0/quantity", 4);
        row->safety_stock = 2;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(row->reserved, 6);
}

Test(placing_stock, a_shelf_that_was_never_filled_is_empty) {
        const struct order_body body = basket_of(one_apple, 1);
        struct stock_row *row = shop_row("alpha", "A");

        *row = (struct stock_row){ .location = "alpha", .sku = "A", .location_known = true, .sku_known = true };
        assert_short(place(&body), "#/lines/0/quantity", 0);
}

Test(placing_stock, orders_of_one_batch_see_the_stock_taken_by_earlier_ones) {
        const struct order_line_body six[] = { { .sku = "A", .quantity = 6 } },
                                     four[] = { { .sku = "A", .quantity = 4 } };
        struct order_body body = basket_of(six, 1);

        cr_assert_eq(place(&body), PROBLEM_NONE);
        body.external_ref = "W-2";
        assert_short(place(&body), "#/lines/0/quantity", 4);
        body.external_ref = "W-3";
        body.lines = four;
        cr_assert_eq(place(&body), PROBLEM_NONE);
        cr_assert_eq(shop.placing.n_placed, 2);
        cr_assert_eq(shop.placing.orders[1], placed);
        cr_assert_eq(shop_row("alpha", "A")->reserved, 10);
}
