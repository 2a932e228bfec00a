#include "orders/changing.h"

#include "dice.h"
#include "shop.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define EVENT_TEXT 2048

static const struct slot slots_of_alpha[] = { { .day = 2, .begins = 600, .ends = 660, .capacity = 1 },
        { .day = 3, .begins = 600, .ends = 660, .capacity = 1 } };

/* 2023-11-15 is a Wednesday. */
#define WEDNESDAY_SLOT (1700042400 * SECOND)
#define THURSDAY_SLOT  (WEDNESDAY_SLOT + DAY)

static struct order *order;
static struct slot_row slot_rows[2];
static struct changing changing;

/* Bread costs 3.33, so that its parts do not come out even. Alpha has a slot on Wednesday and one on Thursday. */
static void set_up(void) {
        shop_open();
        shop.listings[SHOP_LISTED_BREAD].price.amount = 333;
        shop.locations[SHOP_ALPHA].slots = slots_of_alpha;
        shop.locations[SHOP_ALPHA].n_slots = array_size(slots_of_alpha);
        slot_rows[0] = (struct slot_row){ .location = "alpha", .begins = WEDNESDAY_SLOT };
        slot_rows[1] = (struct slot_row){ .location = "alpha", .begins = THURSDAY_SLOT };
        shop.placing.slots = (struct slot_set){ .arena = &shop.arena, .rows = slot_rows, .n_rows = 2 };
        changing = (struct changing){ &shop.arena, &shop.placing.catalog, &shop.placing.slots, &shop.placing.stock };
}

TestSuite(changing, .init = set_up, .fini = shop_close);
TestSuite(changing_amounts, .init = set_up, .fini = shop_close);
TestSuite(changing_check, .init = set_up, .fini = shop_close);
TestSuite(changing_random, .init = set_up, .fini = shop_close, .timeout = 300);

/* ---- the order that changes ---- */

static const struct fulfillment_choice curbside_at_alpha = { BY_CURBSIDE, "alpha", TIMESTAMP_NONE };
static const struct fulfillment_choice curbside_at_beta = { BY_CURBSIDE, "beta", TIMESTAMP_NONE };
static const struct fulfillment_choice pickup_at_beta = { BY_PICKUP, "beta", TIMESTAMP_NONE };
static const struct fulfillment_choice pickup_nowhere = { BY_PICKUP, "nowhere", TIMESTAMP_NONE };
static const struct fulfillment_choice on_wednesday = { BY_PICKUP, "alpha", WEDNESDAY_SLOT };
static const struct fulfillment_choice on_thursday = { BY_PICKUP, "alpha", THURSDAY_SLOT };

enum { APPLES, BREAD, PARCEL };

/* Three A and two B to be picked up at alpha, two A to be shipped from the depot. */
static void given_with(const struct fulfillment_choice *choice, const struct discount_body *discounts, size_t n) {
        static const struct order_line_body lines[] = {
                { .sku = "A", .quantity = 3 },
                { .sku = "B", .quantity = 2 },
                { .sku = "A", .quantity = 2, .fulfillment = &ship_from_depot },
        };
        const struct payment_body payment = { PAYMENT_CAPTURED, NULL, TIMESTAMP_NONE };
        const struct order_body body = { .channel = "web",
                .external_ref = "W-1",
                .currency = "EUR",
                .customer = &shop_ada,
                .lines = lines,
                .n_lines = 3,
                .fulfillment = choice,
                .ship_to = &shop_home,
                .discounts = discounts,
                .n_discounts = n,
                .shipping = { 490, "EUR" },
                .has_shipping = true,
                .payment = &payment };

        cr_assert_eq(placing_decide(&shop.placing, &body, &shop.command, &order), PROBLEM_NONE);
        events_init(&shop.told, &shop.arena);
        order->is_new = false;
        for (size_t i = 0; i < order->n_fulfillments; i++)
                order->fulfillments[i]->is_new = false;
}

static void given_order(void) {
        given_with(&pickup_at_alpha, NULL, 0);
}

static struct line_change units_of(size_t line, int64_t quantity) {
        return (struct line_change){ .order_line_id = order->lines[line].id,
                .has_order_line_id = true,
                .quantity = quantity,
                .has_quantity = true };
}

static struct line_change move_of(size_t line, const struct fulfillment_choice *choice) {
        return (struct line_change){
                .order_line_id = order->lines[line].id, .has_order_line_id = true, .fulfillment = choice
        };
}

static struct line_change removal_of(size_t line) {
        return (struct line_change){
                .order_line_id = order->lines[line].id, .has_order_line_id = true, .remove = true, .has_remove = true
        };
}

static struct line_change more(const char *sku, int64_t quantity, const struct fulfillment_choice *choice) {
        return (struct line_change){ .sku = sku, .quantity = quantity, .has_quantity = true, .fulfillment = choice };
}

static enum problem change_with(struct change_body body) {
        shop.refusal = (struct refusal){ 0 };
        body.reason = "the customer called";
        return order_change(order, &body, &changing, &shop.command);
}

static enum problem change(const struct line_change *lines, size_t n) {
        return change_with((struct change_body){ .lines = lines, .n_lines = n });
}

static enum problem change_one(struct line_change line) {
        return change(&line, 1);
}

static void assert_done(enum problem p) {
        cr_assert_eq(p, PROBLEM_NONE, "%s: %s", problem_slug(p),
                shop.refusal.violations ? shop.refusal.violations->code : "");
}

static void assert_reserved(const char *location, const char *sku, int64_t units) {
        cr_assert_eq(shop_row(location, sku)->reserved, units, "%s of %s at %s, not %ld", "another number is reserved",
                sku, location, (long) units);
}

static void pick(size_t fulfillment, const char *sku, int64_t units) {
        struct fulfillment *f = order->fulfillments[fulfillment];

        for (size_t i = 0; i < f->n_lines; i++)
                if (!strcmp(f->lines[i].order_line->sku, sku))
                        f->lines[i].picked += units;
        if (f->status == FULFILLMENT_ALLOCATED)
                f->status = FULFILLMENT_PICKING;
}

static void leave(size_t fulfillment, const char *sku, int64_t units) {
        struct fulfillment *f = order->fulfillments[fulfillment];
        const struct stock_cause cause = { .reason = "sale", .actor = "bob" };

        for (size_t i = 0; i < f->n_lines; i++)
                if (!strcmp(f->lines[i].order_line->sku, sku))
                        fulfillment_line_fulfill(&f->lines[i], units, &shop.placing.stock, &cause);
}

static void assert_told(const char *expected) {
        char told[EVENT_TEXT] = "";

        for (const struct event *event = shop.told.first; event; event = event->next)
                if (!event->is_cover)
                        (void) snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s%s", *told ? " " : "",
                                event_types[event->type].name);
        cr_assert_str_eq(told, expected);
}

static const struct violation *violation_of(const char *pointer, const char *code) {
        const struct violation *v = shop.refusal.violations;

        while (v && (strcmp(v->pointer, pointer) != 0 || strcmp(v->code, code) != 0))
                v = v->next;
        cr_assert_not_null(v, "no violation %s at %s", code, pointer);
        return v;
}

static int64_t version_before;

/* The change is refused for these parts, and nothing has changed. */
static void assert_refused(enum problem p, enum problem expected, const char *pointer, const char *code) {
        cr_assert_eq(p, expected, "%s", problem_slug(p));
        cr_assert_eq(shop.refusal.problem, expected);
        (void) violation_of(pointer, code);
        cr_assert_null(shop.told.first);
        cr_assert_not(order->rewritten);
        cr_assert_eq(order->n_lines, 3);
        cr_assert_eq(order->n_fulfillments, 2);
        cr_assert_eq(order->version, 1);
        for (size_t i = 0; i < 3; i++)
                cr_assert_eq(order->lines[i].cancelled, 0);
        (void) version_before;
}

/* ---- fewer units ---- */

Test(changing, removed_units_are_cancelled_and_available_again) {
        given_order();
        assert_done(change_one(units_of(APPLES, 1)));
        cr_assert_eq(order->lines[APPLES].quantity, 3);
        cr_assert_eq(order->lines[APPLES].cancelled, 2);
        assert_reserved("alpha", "A", 1);
        cr_assert_eq(order->version, 2);
        assert_told("order.changed fulfillment.units_cancelled order.units_cancelled refund.due");
}

Test(changing, a_removed_line_is_cancelled_whole) {
        given_order();
        assert_done(change_one(removal_of(BREAD)));
        cr_assert_eq(order->lines[BREAD].cancelled, 2);
        assert_reserved("alpha", "B", 0);
        cr_assert_eq(order->status, ORDER_OPEN);
}

Test(changing, an_order_is_cancelled_when_its_last_unit_is_removed) {
        given_order();
        const struct line_change all[] = { removal_of(0), removal_of(1), removal_of(2) };

        assert_done(change(all, 3));
        cr_assert_eq(order->status, ORDER_CANCELLED);
        cr_assert_eq(order->fulfillments[0]->status, FULFILLMENT_CANCELLED);
        cr_assert_str_eq(order->cancel_reason, "the customer called");
}

Test(changing, units_that_have_left_cannot_be_removed) {
        given_order();
        pick(0, "A", 2);
        leave(0, "A", 2);
        assert_refused(
                change_one(units_of(APPLES, 1)), PROBLEM_INVALID_TRANSITION, "#/lines/0/quantity", "not-changeable");
        assert_refused(
                change_one(removal_of(APPLES)), PROBLEM_INVALID_TRANSITION, "#/lines/0/remove", "not-changeable");
        cr_assert_str_eq(shop.refusal.current_status, "open");
}

Test(changing, picked_units_can_be_removed) {
        given_order();
        pick(0, "A", 3);
        assert_done(change_one(units_of(APPLES, 1)));
        cr_assert_eq(order->lines[APPLES].allocations->picked, 1);
}

Test(changing, a_change_to_the_present_values_changes_nothing) {
        given_order();
        assert_done(change_one(units_of(APPLES, 3)));
        assert_done(change_one(move_of(APPLES, &pickup_at_alpha)));
        cr_assert_eq(order->version, 1);
        assert_told("");
}

/* ---- more units ---- */

Test(changing, more_units_join_a_fulfillment_that_is_not_wholly_picked) {
        given_order();
        pick(0, "A", 1);
        assert_done(change_one(units_of(APPLES, 5)));
        cr_assert_eq(order->lines[APPLES].quantity, 5);
        cr_assert_eq(order->lines[APPLES].allocations->quantity, 5);
        cr_assert_eq(order->n_fulfillments, 2);
        cr_assert_eq(order->balance.total, 3 * 1000 + 2 * 333 + 2 * 1000 + 490 + 2000);
        assert_reserved("alpha", "A", 5);
        assert_told("order.changed order.units_added fulfillment.units_added");
}

Test(changing, more_units_get_a_new_fulfillment_when_the_old_one_is_ready) {
        given_order();
        pick(0, "A", 3);
        order->fulfillments[0]->status = FULFILLMENT_READY;
        assert_done(change_one(units_of(APPLES, 4)));
        cr_assert_eq(order->n_fulfillments, 3);
        cr_assert_str_eq(order->fulfillments[2]->location, "alpha");
        cr_assert_eq(order->fulfillments[2]->promised_at, SHOP_NOW + 2 * HOUR);
        cr_assert_eq(order->lines[APPLES].allocations->quantity, 1);
        cr_assert_eq(order->lines[APPLES].allocations->older->quantity, 3);
}

Test(changing, more_units_than_available_are_refused_with_the_available_number) {
        given_order();
        assert_refused(change_one(units_of(APPLES, 11)), PROBLEM_INSUFFICIENT_STOCK, "#/lines/0/quantity",
                "insufficient-stock");
        cr_assert_eq(shop.refusal.violations->available, 7);
        assert_done(change_one(units_of(APPLES, 10)));
}

Test(changing, a_line_whose_units_have_left_cannot_grow) {
        given_order();
        pick(1, "A", 2);
        leave(1, "A", 2);
        assert_refused(
                change_one(units_of(PARCEL, 3)), PROBLEM_INVALID_TRANSITION, "#/lines/0/quantity", "not-changeable");
}

/* ---- lines that are added ---- */

Test(changing, a_line_is_added_at_the_price_of_the_catalogue) {
        given_order();
        assert_done(change_one(more("B", 3, &pickup_at_beta)));
        cr_assert_eq(order->n_lines, 4);
        cr_assert_eq(order->lines[3].number, 3);
        cr_assert_eq(order->lines[3].unit_price, 333);
        cr_assert_str_eq(order->lines[3].title, "Rye bread");
        cr_assert_eq(order->subtotal, 5000 + 666 + 999);
        cr_assert_eq(order->balance.total, order->subtotal + 490);
        cr_assert_eq(order->n_fulfillments, 3);
        assert_reserved("beta", "B", 3);
        assert_told("order.changed order.line_added fulfillment.allocated");
}

Test(changing, an_added_line_joins_an_existing_fulfillment) {
        given_order();
        assert_done(
                change_one(more("D", 1, &pickup_at_beta)) == PROBLEM_VALIDATION_FAILED ? PROBLEM_NONE : FAULT_BROKEN);
        assert_done(change_one(more("B", 1, &ship_from_depot)));
        cr_assert_eq(order->n_fulfillments, 2);
        cr_assert_eq(order->fulfillments[1]->n_lines, 2);
        cr_assert_eq(order->lines[3].allocations, &order->fulfillments[1]->lines[1]);
        cr_assert_eq(order->lines[PARCEL].allocations, &order->fulfillments[1]->lines[0]);
        for (size_t i = 0; i < order->n_lines; i++)
                cr_assert_eq(order->lines[i].allocations->order_line, &order->lines[i]);
}

Test(changing, lines_added_together_share_a_fulfillment) {
        given_order();
        const struct line_change two[] = { more("A", 1, &pickup_at_beta), more("B", 1, &pickup_at_beta) };

        assert_done(change(two, 2));
        cr_assert_eq(order->n_fulfillments, 3);
        cr_assert_eq(order->fulfillments[2]->n_lines, 2);
}

Test(changing, an_added_fulfillment_has_version_1_and_a_later_command_raises_it) {
        given_order();
        assert_done(change_one(more("A", 1, &pickup_at_beta)));
        cr_assert_eq(order->fulfillments[2]->version, 1);
        assert_done(change_one(more("B", 1, &pickup_at_beta)));
        cr_assert_eq(order->fulfillments[2]->version, 2);
        assert_done(change_one(more("B", 1, &ship_from_depot)));
        cr_assert_eq(order->fulfillments[2]->version, 2);
}

Test(changing, an_added_line_may_have_an_agreed_price) {
        struct line_change coat = more("C", 1, &pickup_at_beta);

        given_order();
        assert_refused(change_one(coat), PROBLEM_VALIDATION_FAILED, "#/lines/0/unit_price", "price-missing");
        coat.unit_price = (struct money){ 4200, "EUR" };
        coat.has_unit_price = true;
        assert_done(change_one(coat));
        cr_assert_eq(order->lines[3].unit_price, 4200);
}

Test(changing, a_refusal_names_every_impossible_part) {
        given_order();
        struct line_change dollars = more("C", 1, &pickup_at_alpha);
        dollars.unit_price = (struct money){ 4200, "USD" };
        dollars.has_unit_price = true;
        const struct line_change lines[] = { more("gone", 1, &pickup_at_alpha), more("D", 1, &pickup_at_alpha),
                more("A", 1, &pickup_nowhere), more("A", 1, &curbside_at_beta), dollars,
                { .order_line_id = { { 9 } }, .has_order_line_id = true, .quantity = 1, .has_quantity = true } };

        assert_refused(change(lines, 6), PROBLEM_VALIDATION_FAILED, "#/lines/0/sku", "unknown-sku");
        (void) violation_of("#/lines/1/sku", "not-published");
        (void) violation_of("#/lines/2/fulfillment/location", "unknown-location");
        (void) violation_of("#/lines/3/fulfillment/method", "not-capable");
        (void) violation_of("#/lines/4/unit_price", "currency-mismatch");
        (void) violation_of("#/lines/5/order_line_id", "unknown-line");
        cr_assert_eq(shop.refusal.n_violations, 6);
}

Test(changing, additions_to_one_stock_row_are_added_up) {
        given_order();
        const struct line_change lines[] = { more("A", 4, &pickup_at_alpha), more("A", 4, &curbside_at_alpha) };

        assert_refused(change(lines, 2), PROBLEM_INSUFFICIENT_STOCK, "#/lines/0/quantity", "insufficient-stock");
        cr_assert_eq(shop.refusal.n_violations, 1);
        cr_assert_eq(shop.refusal.violations->available, 7);
}

Test(changing, removed_units_are_available_for_added_lines) {
        given_order();
        shop_row("alpha", "A")->on_hand = 3;
        const struct line_change lines[] = { units_of(APPLES, 2), more("A", 1, &curbside_at_alpha) };

        assert_done(change(lines, 2));
        assert_reserved("alpha", "A", 3);
}

Test(changing, a_part_that_is_too_late_refuses_all_and_shortages_are_named_with_it) {
        given_order();
        pick(0, "A", 1);
        const struct line_change lines[] = { move_of(APPLES, &pickup_at_beta), more("B", 11, &pickup_at_beta) };

        assert_refused(change(lines, 2), PROBLEM_INVALID_TRANSITION, "#/lines/0/fulfillment", "already-picked");
        (void) violation_of("#/lines/1/quantity", "insufficient-stock");
}

Test(changing, an_added_shipped_line_needs_an_address) {
        given_order();
        order->ship_to = NULL;
        assert_refused(change_one(more("A", 1, &ship_from_depot)), PROBLEM_VALIDATION_FAILED,
                "#/lines/0/fulfillment/method", "address-missing");
        const struct line_change line = more("A", 1, &ship_from_depot);

        assert_done(change_with((struct change_body){ .lines = &line, .n_lines = 1, .ship_to = &shop_home }));
        cr_assert_not_null(order->ship_to);
}

/* ---- moving ---- */

Test(changing, units_move_to_another_location) {
        given_order();
        assert_done(change_one(move_of(APPLES, &pickup_at_beta)));
        assert_reserved("alpha", "A", 0);
        assert_reserved("beta", "A", 3);
        cr_assert_eq(order->lines[APPLES].quantity, 3);
        cr_assert_eq(order->lines[APPLES].cancelled, 0);
        cr_assert_eq(order->lines[APPLES].allocations->older->cancelled, 3);
        cr_assert_eq(order->lines[APPLES].allocations->older->moved, 3);
        cr_assert_eq(order->balance.total, 5000 + 666 + 490);
        cr_assert_eq(order->balance.refund_due, 0);
        assert_told("order.changed fulfillment.units_cancelled fulfillment.allocated");
}

Test(changing, a_fulfillment_is_closed_when_all_its_units_moved_away) {
        given_order();
        assert_done(change_one(move_of(PARCEL, &pickup_at_beta)));
        cr_assert_eq(order->fulfillments[1]->status, FULFILLMENT_CANCELLED);
        cr_assert_str_eq(order->fulfillments[1]->reason, "the customer called");
}

Test(changing, the_alternate_pickup_person_follows_moved_units) {
        given_order();
        order->fulfillments[0]->recipient = "{\"name\":\"Bob\"}";
        assert_done(change_one(move_of(APPLES, &pickup_at_beta)));
        cr_assert_str_eq(order->fulfillments[2]->recipient, "{\"name\":\"Bob\"}");
}

Test(changing, units_change_their_method_at_a_location_without_available_units) {
        given_order();
        shop_row("alpha", "A")->on_hand = 3;
        assert_done(change_one(move_of(APPLES, &curbside_at_alpha)));
        assert_reserved("alpha", "A", 3);
}

Test(changing, picked_units_do_not_move) {
        given_order();
        pick(0, "A", 1);
        assert_refused(change_one(move_of(APPLES, &pickup_at_beta)), PROBLEM_INVALID_TRANSITION,
                "#/lines/0/fulfillment", "already-picked");
        assert_done(change_one(move_of(BREAD, &pickup_at_beta)));
}

Test(changing, units_move_and_become_fewer_or_more_at_once) {
        given_order();
        struct line_change fewer = units_of(APPLES, 1), greater = units_of(BREAD, 5);

        fewer.fulfillment = greater.fulfillment = &pickup_at_beta;
        const struct line_change lines[] = { fewer, greater };

        assert_done(change(lines, 2));
        assert_reserved("beta", "A", 1);
        assert_reserved("beta", "B", 5);
        assert_reserved("alpha", "A", 0);
        assert_reserved("alpha", "B", 0);
        cr_assert_eq(order->lines[BREAD].quantity, 5);
        cr_assert_eq(order->lines[APPLES].cancelled, 2);
}

Test(changing, units_may_move_back) {
        given_order();
        assert_done(change_one(move_of(APPLES, &pickup_at_beta)));
        assert_done(change_one(move_of(APPLES, &pickup_at_alpha)));
        assert_reserved("alpha", "A", 3);
        cr_assert_eq(order->lines[APPLES].allocations->older->quantity, 6);
        cr_assert_eq(fulfillment_line_open(order->lines[APPLES].allocations->older), 3);
}

/* ---- slots ---- */

Test(changing, a_slot_is_changed_by_moving_to_another_one) {
        given_with(&on_wednesday, NULL, 0);
        cr_assert_eq(slot_rows[0].booked, 1);
        const struct line_change both[] = { move_of(APPLES, &on_thursday), move_of(BREAD, &on_thursday) };

        assert_done(change(both, 2));
        cr_assert_eq(slot_rows[1].booked, 1);
        cr_assert(order->fulfillments[0]->gives_slot_back);
        cr_assert_eq(order->fulfillments[2]->promised_at, THURSDAY_SLOT);
}

Test(changing, a_full_slot_refuses) {
        given_order();
        slot_rows[0].booked = 1;
        assert_refused(change_one(move_of(APPLES, &on_wednesday)), PROBLEM_SLOT_FULL, "#/lines/0/fulfillment/slot",
                "slot-full");
}

Test(changing, an_unknown_slot_refuses) {
        const struct fulfillment_choice never = { BY_PICKUP, "alpha", WEDNESDAY_SLOT + 1 };

        given_order();
        assert_refused(change_one(move_of(APPLES, &never)), PROBLEM_VALIDATION_FAILED, "#/lines/0/fulfillment/slot",
                "unknown-slot");
}

/* ---- people ---- */

Test(changing, customer_and_address_are_replaced) {
        const struct customer_body bob = { .name = "Bob" };
        struct address_body work = shop_home;

        given_order();
        work.line1 = "There 2";
        assert_done(change_with((struct change_body){ .customer = &bob, .ship_to = &work }));
        cr_assert_not_null(strstr(order->customer, "Bob"));
        cr_assert_not_null(strstr(order->ship_to, "There 2"));
        cr_assert(order->rewritten);
        assert_told("order.changed");
        cr_assert_null(strstr(buffer_text(&shop.told.first->data), "Bob"), "no person is named in an event");
        cr_assert_null(strstr(buffer_text(&shop.told.first->data), "There"), "no place is named in an event");
        cr_assert_not_null(strstr(buffer_text(&shop.told.first->data), "\"members\":[\"customer\",\"ship_to\"]"));
}

Test(changing, a_packed_parcel_keeps_its_address) {
        given_order();
        pick(1, "A", 2);
        order->fulfillments[1]->status = FULFILLMENT_PACKED;
        assert_refused(change_with((struct change_body){ .ship_to = &shop_home }), PROBLEM_INVALID_TRANSITION,
                "#/ship_to", "already-packed");
}

Test(changing, an_alternate_pickup_person_is_set_on_every_open_pickup) {
        const struct collector_body bob = { "Bob", 2 };

        given_order();
        order->fulfillments[0]->status = FULFILLMENT_READY;
        assert_done(change_with((struct change_body){ .recipient = &bob }));
        cr_assert_str_eq(order->fulfillments[0]->recipient, "{\"name\":\"Bob\",\"relation\":\"friend\"}");
        cr_assert_null(order->fulfillments[1]->recipient);
}

Test(changing, a_shipped_order_takes_no_alternate_pickup_person) {
        const struct collector_body bob = { "Bob", -1 };

        given_order();
        order->fulfillments[0]->status = FULFILLMENT_HANDED_OVER;
        assert_refused(change_with((struct change_body){ .recipient = &bob }), PROBLEM_INVALID_TRANSITION,
                "#/recipient", "nothing-to-collect");
}

Test(changing, a_closed_order_does_not_change) {
        given_order();
        order->status = ORDER_FULFILLED;
        cr_assert_eq(change_one(units_of(APPLES, 1)), PROBLEM_INVALID_TRANSITION);
        cr_assert_str_eq(shop.refusal.current_status, "fulfilled");
}

/* ---- the request alone ---- */

static enum problem check(struct change_body body) {
        shop.refusal = (struct refusal){ 0 };
        return changing_check(&body, &shop.arena, &shop.refusal);
}

static void assert_invalid(struct line_change line, const char *pointer, const char *code) {
        cr_assert_eq(check((struct change_body){ .lines = &line, .n_lines = 1 }), PROBLEM_VALIDATION_FAILED);
        (void) violation_of(pointer, code);
        cr_assert_eq(shop.refusal.n_violations, 1);
}

Test(changing_check, an_empty_change_is_refused) {
        cr_assert_eq(check((struct change_body){ .reason = "none" }), PROBLEM_VALIDATION_FAILED);
        (void) violation_of("#", "required");
}

Test(changing_check, a_change_names_either_an_existing_or_an_added_line) {
        given_order();
        struct line_change both = units_of(APPLES, 1), neither = { .quantity = 1, .has_quantity = true };

        both.sku = "A";
        assert_invalid(both, "#/lines/0/order_line_id", "conflict");
        assert_invalid(neither, "#/lines/0/order_line_id", "required");
}

Test(changing_check, an_added_line_needs_quantity_method_and_location) {
        static const struct fulfillment_choice pickup_where = { BY_PICKUP, NULL, TIMESTAMP_NONE };
        static const struct fulfillment_choice slot_by_mail = { BY_SHIPPING, "depot", SHOP_NOW };
        struct line_change removed = more("A", 1, &pickup_at_alpha);

        removed.remove = removed.has_remove = true;
        assert_invalid(more("A", 0, &pickup_at_alpha), "#/lines/0/quantity", "required");
        assert_invalid(more("A", 1, NULL), "#/lines/0/fulfillment", "required");
        assert_invalid(removed, "#/lines/0/remove", "not-allowed");
        assert_invalid(more("A", 1, &pickup_where), "#/lines/0/fulfillment/location", "required");
        assert_invalid(more("A", 1, &slot_by_mail), "#/lines/0/fulfillment/slot", "not-allowed");
}

Test(changing_check, a_change_of_an_existing_line_must_be_consistent) {
        given_order();
        struct line_change removed = removal_of(APPLES), nothing = removal_of(APPLES), priced = units_of(APPLES, 1);

        removed.fulfillment = &pickup_at_beta;
        nothing.remove = false;
        priced.has_unit_price = true;
        assert_invalid(removed, "#/lines/0/remove", "conflict");
        assert_invalid(nothing, "#/lines/0/quantity", "required");
        assert_invalid(priced, "#/lines/0/unit_price", "not-allowed");
}

Test(changing_check, a_line_is_named_once) {
        given_order();
        const struct line_change twice[] = { units_of(APPLES, 1), units_of(APPLES, 2) };

        cr_assert_eq(check((struct change_body){ .lines = twice, .n_lines = 2 }), PROBLEM_VALIDATION_FAILED);
        (void) violation_of("#/lines/1/order_line_id", "repeated");
}

Test(changing_check, customer_and_address_are_checked) {
        const struct customer_body nobody = { .name = "Ada", .email = "nowhere" };
        struct address_body nowhere = shop_home;

        nowhere.country = "XX";
        cr_assert_eq(
                check((struct change_body){ .customer = &nobody, .ship_to = &nowhere }), PROBLEM_VALIDATION_FAILED);
        (void) violation_of("#/customer/email", "malformed");
        (void) violation_of("#/ship_to/country", "malformed");
}

/* ---- amounts ---- */

static int64_t charge(void) {
        return order->balance.total - order->balance.credited;
}

static int64_t left_of_all(void) {
        int64_t left = order->status == ORDER_CANCELLED ? 0 : order->shipping;

        for (size_t i = 0; i < order->n_lines; i++)
                left += order_line_left(&order->lines[i]);
        return left;
}

static void assert_amounts(int64_t total, int64_t credited) {
        cr_assert_eq(order->balance.total, total, "total %ld", (long) order->balance.total);
        cr_assert_eq(order->balance.credited, credited, "credited %ld", (long) order->balance.credited);
        cr_assert_eq(charge(), left_of_all());
}

Test(changing_amounts, credits_stay_when_units_are_added) {
        const struct discount_body ten = { .amount = 1000 };

        given_with(&pickup_at_alpha, &ten, 1);
        cr_assert_eq(order->balance.total, 5000 + 666 + 490 - 1000);
        assert_done(change_one(units_of(APPLES, 2)));
        assert_amounts(5156, 823); /* a third of 3000 less its part of the discount, 530, rounded down */
        assert_done(change_one(units_of(APPLES, 4)));
        assert_amounts(5156 + 2000, 823);
        assert_done(change_one(units_of(APPLES, 0)));
        assert_amounts(7156, 2471 + 2000); /* every cent of the line */
}

Test(changing_amounts, a_discount_of_the_order_is_dealt_over_the_remaining_values) {
        const struct discount_body some = { .amount = 600 };

        given_order();
        assert_done(change_one(removal_of(APPLES)));
        assert_amounts(6156, 3000);
        assert_done(change_with((struct change_body){ .discounts = &some, .n_discounts = 1 }));
        assert_amounts(5556, 3000);
        cr_assert_eq(order->lines[APPLES].value, 3000, "units given back keep their value");
        cr_assert_eq(order_line_left(&order->lines[BREAD]), 666 - 150);
        cr_assert_eq(order_line_left(&order->lines[PARCEL]), 2000 - 450);
}

Test(changing_amounts, a_discount_of_a_line_takes_from_that_line) {
        const struct discount_body some = { .amount = 100, .line = BREAD, .has_line = true };

        given_order();
        assert_done(change_with((struct change_body){ .discounts = &some, .n_discounts = 1 }));
        cr_assert_eq(order_line_left(&order->lines[BREAD]), 566);
        assert_amounts(6056, 0);
        assert_done(change_with((struct change_body){ .discounts = &some, .n_discounts = 0 }));
        assert_amounts(6156, 0);
}

Test(changing_amounts, a_discount_beyond_the_remaining_value_is_refused) {
        const struct discount_body line = { .amount = 667, .line = BREAD, .has_line = true };
        const struct discount_body whole = { .amount = 5667 };
        const struct discount_body nowhere = { .amount = 1, .line = 3, .has_line = true };

        given_order();
        assert_refused(change_with((struct change_body){ .discounts = &line, .n_discounts = 1 }),
                PROBLEM_VALIDATION_FAILED, "#/discounts", "too-large");
        assert_refused(change_with((struct change_body){ .discounts = &whole, .n_discounts = 1 }),
                PROBLEM_VALIDATION_FAILED, "#/discounts", "too-large");
        assert_refused(change_with((struct change_body){ .discounts = &nowhere, .n_discounts = 1 }),
                PROBLEM_VALIDATION_FAILED, "#/discounts/0/line", "out-of-range");
}

Test(changing_amounts, a_total_below_the_credited_amount_is_refused) {
        given_order();
        (void) order_credit(order, (struct taxed){ 6000, 0 });
        assert_refused(change_with((struct change_body){ .shipping = { 0, "EUR" }, .has_shipping = true }),
                PROBLEM_VALIDATION_FAILED, "#/shipping", "too-large");
}

Test(changing_amounts, a_tax_on_top_and_a_shipping_change_the_total) {
        const struct tax_body on_top = { .amount = 900, .has_included = true }, included = { .amount = 900 };
        const struct tax_body too_much = { .amount = 6667 };

        given_order();
        assert_done(change_with((struct change_body){ .tax = &on_top }));
        assert_amounts(6156 + 900, 0);
        assert_done(change_with((struct change_body){ .shipping = { 990, "EUR" }, .has_shipping = true }));
        assert_amounts(6156 + 900 + 500, 0);
        assert_done(change_with((struct change_body){ .tax = &included }));
        assert_amounts(6656, 0);
        cr_assert(order->tax_included);
        cr_assert_eq(change_with((struct change_body){ .tax = &too_much }), PROBLEM_VALIDATION_FAILED);
        (void) violation_of("#/tax/amount", "too-large");
}

Test(changing_amounts, amounts_beyond_the_largest_number_are_refused) {
        struct line_change dear = more("A", 2, &pickup_at_alpha);

        given_order();
        dear.unit_price = (struct money){ MONEY_MAXIMUM, "EUR" };
        dear.has_unit_price = true;
        assert_refused(change_one(dear), PROBLEM_VALIDATION_FAILED, "#/lines/0/quantity", "out-of-range");
        assert_refused(change_with((struct change_body){ .shipping = { MONEY_MAXIMUM, "EUR" }, .has_shipping = true }),
                PROBLEM_VALIDATION_FAILED, "#/shipping", "out-of-range");
}

/* ---- everything at random ---- */

#define RANDOM_ORDERS 12000
#define RANDOM_STEPS  6

static const struct fulfillment_choice *const choices[] = { &pickup_at_alpha, &curbside_at_alpha, &pickup_at_beta,
        &ship_from_depot, &on_wednesday, &on_thursday };

static void given_at_random(uint64_t *dice) {
        const struct discount_body discounts[] = {
                { .amount = (int64_t) dice_below(dice, 900) },
                { .amount = (int64_t) dice_below(dice, 300), .line = (int64_t) dice_below(dice, 3), .has_line = true }
        };

        given_with(&pickup_at_alpha, discounts, dice_below(dice, 3));
}

static struct line_change line_at_random(uint64_t *dice, size_t line) {
        struct line_change change = units_of(line, (int64_t) dice_below(dice, 7));

        if (dice_below(dice, 5) == 0)
                return more(dice_below(dice, 2) ? "A" : "B", 1 + (int64_t) dice_below(dice, 4),
                        choices[dice_below(dice, array_size(choices))]);
        if (dice_below(dice, 6) == 0)
                return removal_of(line);
        if (dice_below(dice, 3) == 0) {
                change.fulfillment = choices[dice_below(dice, array_size(choices))];
                change.has_quantity = dice_below(dice, 2) != 0;
        }
        return change;
}

static void change_at_random(uint64_t *dice) {
        const struct discount_body discounts[] = { { .amount = (int64_t) dice_below(dice, 1500) },
                { .amount = (int64_t) dice_below(dice, 500),
                        .line = (int64_t) dice_below(dice, order->n_lines),
                        .has_line = true } };
        const struct tax_body tax = { (int64_t) dice_below(dice, 700), dice_below(dice, 2) != 0, true };
        struct line_change lines[3];
        struct change_body body = { .lines = lines };
        size_t from = dice_below(dice, order->n_lines);

        for (; body.n_lines < 1 + dice_below(dice, 3) && from < order->n_lines && body.n_lines < 3; from++)
                lines[body.n_lines++] = line_at_random(dice, from);
        if (dice_below(dice, 4) == 0) {
                body.discounts = discounts;
                body.n_discounts = dice_below(dice, 3);
        }
        if (dice_below(dice, 6) == 0)
                body.tax = &tax;
        if (dice_below(dice, 6) == 0) {
                body.shipping = (struct money){ (int64_t) dice_below(dice, 900), "EUR" };
                body.has_shipping = true;
        }
        (void) change_with(body);
}

static void cancel_at_random(uint64_t *dice) {
        const struct order_line *line = &order->lines[dice_below(dice, order->n_lines)];
        const struct cancel_line some = { line->id, 1 + (int64_t) dice_below(dice, 2) };

        shop.refusal = (struct refusal){ 0 };
        (void) order_cancel(order, &some, 1, "changed her mind", &shop.command);
}

/* Some units are picked and leave the location. */
static void leave_at_random(uint64_t *dice) {
        struct fulfillment *f = order->fulfillments[dice_below(dice, order->n_fulfillments)];
        const struct stock_cause cause = { .reason = "sale", .actor = "bob" };
        struct fulfillment_line *line = &f->lines[dice_below(dice, f->n_lines)];

        if (!fulfillment_line_remaining(line))
                return;
        line->picked++;
        if (f->status == FULFILLMENT_ALLOCATED)
                f->status = FULFILLMENT_PICKING;
        if (dice_below(dice, 2))
                fulfillment_line_fulfill(line, 1, &shop.placing.stock, &cause);
        order_settle(order, &shop.command);
}

static void return_at_random(uint64_t *dice) {
        struct order_line *line = &order->lines[dice_below(dice, order->n_lines)];

        if (line->returned == line->fulfilled)
                return;
        (void) order_credit_units(line, 1);
        line->returned++;
}

static void assert_conserved(uint64_t seed) {
        int64_t values = order->shipping;

        for (size_t i = 0; i < order->n_lines; i++) {
                const struct order_line *line = &order->lines[i];
                int64_t allocated = 0, lost = 0;

                values += order_line_value(line, 0, line->quantity);
                for (const struct fulfillment_line *at = line->allocations; at; at = at->older) {
                        cr_assert_eq(at->order_line, line);
                        allocated += at->quantity - at->moved;
                        lost += at->cancelled - at->moved;
                }
                cr_assert_eq(allocated, line->quantity, "seed %lu", (unsigned long) seed);
                cr_assert_eq(lost, line->cancelled, "seed %lu", (unsigned long) seed);
        }
        cr_assert_eq(values, order->balance.total, "seed %lu: the lines are worth %ld of %ld", (unsigned long) seed,
                (long) values, (long) order->balance.total);
        cr_assert_eq(charge(), left_of_all(), "seed %lu: %ld is owed, %ld is left", (unsigned long) seed,
                (long) charge(), (long) left_of_all());
}

static void assert_stock_conserved(uint64_t seed) {
        int64_t reserved[array_size(shop.rows)] = { 0 }, gone = 0, missing = 0;

        for (size_t j = 0; j < order->n_fulfillments; j++)
                for (size_t k = 0; k < order->fulfillments[j]->n_lines; k++) {
                        const struct fulfillment_line *line = &order->fulfillments[j]->lines[k];

                        reserved[line->stock - shop.rows] += fulfillment_line_open(line);
                        gone += line->fulfilled;
                }
        for (size_t i = 0; i < array_size(shop.rows); i++) {
                cr_assert_eq(shop.rows[i].reserved, reserved[i], "seed %lu", (unsigned long) seed);
                cr_assert_geq(shop.rows[i].on_hand, shop.rows[i].reserved, "seed %lu", (unsigned long) seed);
                missing += SHOP_ON_HAND - shop.rows[i].on_hand;
        }
        cr_assert_eq(gone, missing, "seed %lu", (unsigned long) seed);
}

static void live_at_random(uint64_t seed) {
        uint64_t dice = seed;

        given_at_random(&dice);
        for (size_t step = 0; step < RANDOM_STEPS; step++) {
                switch (dice_below(&dice, 6)) {
                case 0:
                        cancel_at_random(&dice);
                        break;
                case 1:
                        leave_at_random(&dice);
                        break;
                case 2:
                        return_at_random(&dice);
                        break;
                default:
                        change_at_random(&dice);
                }
                assert_conserved(seed);
                assert_stock_conserved(seed);
        }
}

Test(changing_random, random_changes_lose_no_cent_and_no_unit) {
        for (uint64_t seed = 1; seed <= RANDOM_ORDERS; seed++) {
                live_at_random(seed);
                shop_close();
                set_up();
        }
}
