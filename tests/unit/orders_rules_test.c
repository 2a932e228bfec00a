#include "till.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define MEMORY     ((size_t) 1024 * 1024)
#define NOW        (1700000000 * SECOND)
#define EARLIER    (NOW - HOUR)
#define EVENT_TEXT 1024

/* Five A and three B to be picked up at alpha, four A to be shipped from the depot. */
static struct arena arena;
static struct events events;
static struct refusal refusal;
static struct command command; /* of ada, now */
static struct stock stock;
static struct stock_row rows[] = {
        { .location = "alpha", .sku = "A", .on_hand = 10, .reserved = 5, .exists = true },
        { .location = "alpha", .sku = "B", .on_hand = 10, .reserved = 3, .exists = true },
        { .location = "depot", .sku = "A", .on_hand = 10, .reserved = 4, .exists = true },
};
static struct order order;
static struct till till;
static struct order_line lines[3];
static struct order_discount discounts[] = { { .amount = 100, .line = 1 }, { .amount = 900, .line = -1 } };
static struct fulfillment_line allocations[3];
static struct fulfillment fulfillments[2];
static struct fulfillment *list[] = { &fulfillments[0], &fulfillments[1] };

static void line_set(size_t i, struct fulfillment *fulfillment, const char *sku, int64_t quantity, int64_t price) {
        lines[i] = (struct order_line){ .id = { { (uint8_t) (i + 1) } },
                .number = (int64_t) i,
                .sku = sku,
                .title = sku,
                .quantity = quantity,
                .unit_price = price,
                .order = &order,
                .allocations = &allocations[i] };
        allocations[i] = (struct fulfillment_line){
                .order_line = &lines[i], .fulfillment = fulfillment, .stock = &rows[i], .quantity = quantity
        };
        if (!fulfillment->n_lines++)
                fulfillment->lines = &allocations[i];
}

static void set_up(void) {
        arena_init(&arena, MEMORY);
        events_init(&events, &arena);
        stock_init(&stock, &arena);
        fulfillments[0] = (struct fulfillment){
                .order = &order, .method = BY_PICKUP, .location = "alpha", .version = 1, .updated_at = EARLIER
        };
        fulfillments[1] = (struct fulfillment){
                .order = &order, .method = BY_SHIPPING, .location = "depot", .version = 1, .updated_at = EARLIER
        };
        line_set(0, &fulfillments[0], "A", 5, 1000);
        line_set(1, &fulfillments[0], "B", 3, 200);
        line_set(2, &fulfillments[1], "A", 4, 1000);
        order = (struct order){ .balance.currency = "EUR",
                .subtotal = 9600,
                .discount = 1000,
                .shipping = 490,
                .tax_included = true,
                .balance.total = 9090,
                .version = 1,
                .updated_at = EARLIER,
                .lines = lines,
                .n_lines = 3,
                .discounts = discounts,
                .n_discounts = 2,
                .fulfillments = list,
                .n_fulfillments = 2 };
        till_pay(&till, &order, FUNDS_CAPTURED);
        command =
                (struct command){ .actor = "ada", .now = NOW, .events = &events, .arena = &arena, .refusal = &refusal };
}

static void tear_down(void) {
        arena_clear(&arena);
}

TestSuite(order_rules, .init = set_up, .fini = tear_down);

/* Types of the events so far, in order. */
static void assert_told(const char *expected) {
        char told[EVENT_TEXT] = "";

        for (const struct event *event = events.first; event; event = event->next)
                if (!event->is_cover)
                        (void) snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s%s", *told ? " " : "",
                                event_types[event->type].name);
        cr_assert_str_eq(told, expected);
}

static const struct event *event_of(const char *type) {
        const struct event *event = events.first;

        while (event && strcmp(event_types[event->type].name, type) != 0)
                event = event->next;
        cr_assert_not_null(event, "no event %s", type);
        return event;
}

static void assert_violation(const char *pointer, const char *code) {
        const struct violation *v = refusal.violations;

        while (v && (strcmp(v->pointer, pointer) != 0 || strcmp(v->code, code) != 0))
                v = v->next;
        cr_assert_not_null(v, "no violation %s at %s", code, pointer);
}

static enum problem cancel_all(void) {
        return order_cancel(&order, NULL, 0, "changed her mind", &command);
}

static enum problem cancel_some(const struct cancel_line *some, size_t n) {
        return order_cancel(&order, some, n, "changed her mind", &command);
}

static enum problem cancel_of(size_t line, int64_t quantity) {
        const struct cancel_line some = { .order_line_id = lines[line].id, .quantity = quantity };

        return cancel_some(&some, 1);
}

/* All units of a line are picked and have left the location. */
static void fulfill(size_t line, int64_t quantity) {
        const struct stock_cause cause = { .reason = "sale", .document = "fulfillment/1", .actor = "bob" };

        allocations[line].picked += quantity;
        fulfillment_line_fulfill(&allocations[line], quantity, &stock, &cause);
        allocations[line].fulfillment->touched = false;
}

static void assert_untouched(void) {
        cr_assert_eq(order.version, 1);
        cr_assert_not(order.changed);
        cr_assert_null(order.cancel_reason);
        cr_assert_eq(order.balance.refund_due, 0);
        for (size_t i = 0; i < 3; i++) {
                cr_assert_eq(lines[i].cancelled, 0);
                cr_assert_not(lines[i].changed);
                cr_assert_not(rows[i].changed);
        }
        assert_told("");
}

/* ---- units ---- */

Test(order_rules, units_are_open_until_they_are_short_cancelled_or_fulfilled) {
        const struct fulfillment_line line = {
                .quantity = 10, .picked = 4, .shorted = 1, .cancelled = 2, .fulfilled = 3
        };

        cr_assert_eq(fulfillment_line_open(&line), 4);
        cr_assert_eq(fulfillment_line_remaining(&line), 3);
}

Test(order_rules, cancelled_units_are_free_again_and_stay_on_hand) {
        fulfillment_line_cancel(&allocations[0], 2);
        cr_assert_eq(allocations[0].cancelled, 2);
        cr_assert_eq(lines[0].cancelled, 2);
        cr_assert_eq(rows[0].reserved, 3);
        cr_assert_eq(rows[0].on_hand, 10);
        cr_assert(allocations[0].changed && lines[0].changed && rows[0].changed && fulfillments[0].touched);
        cr_assert_null(stock.movements);
}

Test(order_rules, short_units_are_cancelled_for_the_customer) {
        fulfillment_line_short(&allocations[0], 2);
        cr_assert_eq(allocations[0].shorted, 2);
        cr_assert_eq(allocations[0].cancelled, 0);
        cr_assert_eq(lines[0].cancelled, 2);
        cr_assert_eq(rows[0].reserved, 3);
        cr_assert_gt(order.balance.credited, 0);
}

Test(order_rules, picked_units_are_cancelled_last) {
        allocations[0].picked = 3;
        fulfillment_line_cancel(&allocations[0], 2);
        cr_assert_eq(allocations[0].picked, 3);
        cr_assert_eq(fulfillment_line_remaining(&allocations[0]), 0);
        fulfillment_line_cancel(&allocations[0], 1);
        cr_assert_eq(allocations[0].picked, 2);
        fulfillment_line_short(&allocations[0], 2);
        cr_assert_eq(allocations[0].picked, 0);
        cr_assert_eq(fulfillment_line_open(&allocations[0]), 0);
}

/* Two units of the first line are not at alpha after all, and the depot has them in a fulfillment made later. */
static struct fulfillment_line ask_elsewhere(void) {
        fulfillments[0].number = 1;
        fulfillments[1].number = 2;
        allocations[0].shorted = 2;
        rows[0].reserved -= 2;
        rows[2].reserved += 2;
        return (struct fulfillment_line){ .fulfillment = &fulfillments[1], .stock = &rows[2], .quantity = 2 };
}

Test(order_rules, allocations_of_a_line_stand_with_the_newest_first) {
        struct fulfillment newest = { .number = 3 }, oldest = { .number = 0 };
        struct fulfillment_line third = { .fulfillment = &newest }, second = ask_elsewhere();
        struct fulfillment_line none = { .fulfillment = &oldest };

        order_line_allocate(&lines[0], &third);
        order_line_allocate(&lines[0], &none);
        order_line_allocate(&lines[0], &second);
        cr_assert_eq(lines[0].allocations, &third);
        cr_assert_eq(third.older, &second);
        cr_assert_eq(second.older, &allocations[0]);
        cr_assert_eq(allocations[0].older, &none);
        cr_assert_null(none.older);
        cr_assert_eq(second.order_line, &lines[0]);
}

Test(order_rules, a_line_is_open_wherever_its_units_are_held) {
        struct fulfillment_line second = ask_elsewhere();

        order_line_allocate(&lines[0], &second);
        cr_assert_eq(order_line_open(&lines[0]), 5);
        second.fulfilled = 2;
        cr_assert_eq(order_line_open(&lines[0]), 3);
}

Test(order_rules, the_newest_allocation_is_cancelled_first_and_picked_units_last) {
        struct fulfillment_line second = ask_elsewhere();

        order_line_allocate(&lines[0], &second);
        allocations[0].picked = second.picked = 1;
        order_line_cancel(&lines[0], 1);
        cr_assert_eq(second.cancelled, 1, "it is unpicked, and the newest");
        order_line_cancel(&lines[0], 2);
        cr_assert_eq(allocations[0].cancelled, 2, "they are unpicked");
        cr_assert_eq(second.cancelled, 1);
        order_line_cancel(&lines[0], 1);
        cr_assert_eq(second.cancelled, 2, "all are picked, and it is the newest");
        cr_assert_eq(second.picked, 0);
        order_line_cancel(&lines[0], 1);
        cr_assert_eq(allocations[0].cancelled, 3);
        cr_assert_eq(order_line_open(&lines[0]), 0);
        cr_assert_eq(rows[0].reserved, 0);
        cr_assert_eq(rows[2].reserved, 4);
        cr_assert_eq(lines[0].cancelled, 5);
}

Test(order_rules, all_allocations_of_a_line_are_cancelled_with_their_order) {
        struct fulfillment_line second = ask_elsewhere();

        order_line_allocate(&lines[0], &second);
        cr_assert_eq(cancel_of(0, 6), PROBLEM_INVALID_TRANSITION, "five are open");
        refusal = (struct refusal){ 0 };
        cr_assert_eq(cancel_all(), PROBLEM_NONE);
        cr_assert_eq(lines[0].cancelled, 5);
        cr_assert_eq(order.status, ORDER_CANCELLED);
        for (size_t i = 0; i < 3; i++)
                cr_assert_eq(rows[i].reserved, 0);
}

Test(order_rules, fulfilled_units_leave_the_shelf_and_the_promise_at_once) {
        fulfill(0, 2);
        cr_assert_eq(allocations[0].fulfilled, 2);
        cr_assert_eq(lines[0].fulfilled, 2);
        cr_assert_eq(rows[0].reserved, 3);
        cr_assert_eq(rows[0].on_hand, 8);
        cr_assert_eq(stock.movements->on_hand_change, -2);
        cr_assert_eq(stock.movements->on_hand_after, 8);
        cr_assert_str_eq(stock.movements->document, "fulfillment/1");
        cr_assert_null(stock.movements->next);
        cr_assert_eq(order.balance.refund_due, 0);
}

/* ---- money ---- */

/* 9500 after the discount of line 1; 900 more dealt by the largest remainder are 474, 47 and 379. */
Test(order_rules, discounts_of_the_whole_order_are_dealt_over_its_lines) {
        cr_assert_eq(order_line_value(&lines[0], 0, 5), 4526);
        cr_assert_eq(order_line_value(&lines[1], 0, 3), 453);
        cr_assert_eq(order_line_value(&lines[2], 0, 4), 3621);
}

/* 1000 over 4526, 453 and 3621 are 526, 53 and 421. */
Test(order_rules, a_tax_on_top_is_dealt_over_the_values_of_the_lines) {
        order.tax_included = false;
        order.tax = 1000;
        cr_assert_eq(order_line_value(&lines[0], 0, 5), 4526 + 526);
        cr_assert_eq(order_line_value(&lines[1], 0, 3), 453 + 53);
        cr_assert_eq(order_line_value(&lines[2], 0, 4), 3621 + 421);
}

Test(order_rules, a_tax_included_changes_no_value) {
        order.tax = 1000;
        cr_assert_eq(order_line_value(&lines[0], 0, 5), 4526);
}

Test(order_rules, shares_of_units_add_up_to_an_indivisible_amount) {
        cr_assert_eq(order_line_value(&lines[0], 0, 2), 1810);
        cr_assert_eq(order_line_value(&lines[0], 2, 1), 905);
        cr_assert_eq(order_line_value(&lines[0], 3, 2), 1811);
        cr_assert_eq(order_line_value(&lines[0], 3, 0), 0);
}

/* A value times its units leaves 64 bits on the way. */
Test(order_rules, the_largest_amounts_keep_their_last_unit) {
        order.discounts = NULL;
        order.n_discounts = 0;
        order.n_lines = 1;
        lines[0].unit_price = MONEY_MAXIMUM;
        lines[0].quantity = 1;
        cr_assert_eq(order_line_value(&lines[0], 0, 1), MONEY_MAXIMUM);
        order.valued = false; /* its prices change, as those of no real order do */
        lines[0].unit_price = MONEY_MAXIMUM / 1000000;
        lines[0].quantity = 1000000;
        cr_assert_eq(order_line_value(&lines[0], 999999, 1), lines[0].unit_price);
        cr_assert_eq(order_line_value(&lines[0], 0, 1000000), lines[0].unit_price * 1000000);
}

/* ---- the status of an order ---- */

Test(order_rules, the_status_follows_from_the_units) {
        static const struct {
                int64_t fulfilled[3], cancelled[3];
                enum order_status expected;
        } cases[] = {
                { { 0, 0, 0 }, { 0, 0, 0 }, ORDER_OPEN },
                { { 0, 0, 0 }, { 5, 3, 3 }, ORDER_OPEN },
                { { 1, 0, 0 }, { 0, 0, 0 }, ORDER_PARTIALLY_FULFILLED },
                { { 1, 0, 0 }, { 4, 3, 3 }, ORDER_PARTIALLY_FULFILLED },
                { { 5, 3, 4 }, { 0, 0, 0 }, ORDER_FULFILLED },
                { { 0, 1, 0 }, { 5, 2, 4 }, ORDER_FULFILLED },
                { { 0, 0, 0 }, { 5, 3, 4 }, ORDER_CANCELLED },
        };

        for (size_t i = 0; i < array_size(cases); i++) {
                for (size_t j = 0; j < 3; j++) {
                        lines[j].fulfilled = cases[i].fulfilled[j];
                        lines[j].cancelled = cases[i].cancelled[j];
                }
                order_settle(&order, &command);
                cr_assert_eq(order.status, cases[i].expected, "case %zu", i);
        }
        assert_told("order.partially_fulfilled order.fulfilled refund.due order.cancelled");
}

Test(order_rules, settling_raises_the_versions_of_touched_documents) {
        fulfillments[1].touched = true;
        order_settle(&order, &command);
        cr_assert_eq(order.version, 2);
        cr_assert_eq(order.updated_at, NOW);
        cr_assert(order.changed);
        cr_assert_eq(fulfillments[0].version, 1);
        cr_assert_eq(fulfillments[0].updated_at, EARLIER);
        cr_assert_not(fulfillments[0].changed);
        cr_assert_eq(fulfillments[1].version, 2);
        cr_assert_eq(fulfillments[1].updated_at, NOW);
        cr_assert(fulfillments[1].changed);
        cr_assert_not(fulfillments[1].touched);
        assert_told("");
}

/* ---- cancelling ---- */

Test(order_rules, cancelling_all_frees_every_unit_and_ends_every_fulfillment) {
        cr_assert_eq(cancel_all(), PROBLEM_NONE);
        cr_assert_eq(order.status, ORDER_CANCELLED);
        cr_assert_str_eq(order.cancel_reason, "changed her mind");
        cr_assert_eq(order.version, 2);
        for (size_t i = 0; i < 3; i++) {
                cr_assert_eq(lines[i].cancelled, lines[i].quantity);
                cr_assert_eq(rows[i].reserved, 0);
                cr_assert_eq(rows[i].on_hand, 10);
        }
        for (size_t i = 0; i < 2; i++) {
                cr_assert_eq(fulfillments[i].status, FULFILLMENT_CANCELLED);
                cr_assert_str_eq(fulfillments[i].reason, "changed her mind");
                cr_assert_eq(fulfillments[i].version, 2);
        }
        assert_told("fulfillment.cancelled fulfillment.cancelled order.units_cancelled refund.due order.cancelled");
        cr_assert_eq(event_of("fulfillment.cancelled")->subject_id, &fulfillments[0].id);
        cr_assert_str_eq(event_of("fulfillment.cancelled")->location, "alpha");
        cr_assert_str_eq(event_of("order.cancelled")->actor, "ada");
        cr_assert_str_eq(buffer_text(&event_of("order.cancelled")->data), "\"reason\":\"changed her mind\"");
}

Test(order_rules, the_whole_paid_amount_is_due_when_no_unit_is_left) {
        cr_assert_eq(cancel_all(), PROBLEM_NONE);
        cr_assert_eq(order.balance.refund_due, 9090);
        cr_assert_eq(order.balance.payment_status, PAYMENT_CAPTURED);
        cr_assert_str_eq(buffer_text(&event_of("refund.due")->data), "\"amount\":9090,\"currency\":\"EUR\"");
}

Test(order_rules, the_shipping_is_due_back_only_with_the_last_unit) {
        cr_assert_eq(cancel_of(0, 5), PROBLEM_NONE);
        cr_assert_eq(order.balance.refund_due, 4526);
        cr_assert_eq(cancel_of(1, 3), PROBLEM_NONE);
        cr_assert_eq(order.balance.refund_due, 4526 + 453);
        cr_assert_eq(cancel_of(2, 4), PROBLEM_NONE);
        cr_assert_eq(order.balance.refund_due, 9090);
        assert_told("fulfillment.units_cancelled order.units_cancelled refund.due fulfillment.cancelled "
                    "order.units_cancelled refund.due fulfillment.cancelled "
                    "order.units_cancelled refund.due order.cancelled");
}

Test(order_rules, a_refund_in_part_leaves_the_rest_due) {
        const struct refund_request request = { .amount = 453, .reason = "it was late" };

        (void) order_credit(&order, (struct taxed){ 453, 0 });
        cr_assert_eq(balance_refund(&order.balance, &request, &command), PROBLEM_NONE);
        cr_assert_eq(cancel_of(0, 5), PROBLEM_NONE);
        cr_assert_eq(order.balance.refunded, 453);
        cr_assert_eq(order.balance.refund_due, 4526);
        cr_assert_eq(order.balance.payment_status, PAYMENT_PARTIALLY_REFUNDED);
}

Test(order_rules, a_payment_that_was_never_taken_is_void) {
        static const enum funds_state untaken[] = { FUNDS_PENDING, FUNDS_AUTHORIZED };

        for (size_t i = 0; i < array_size(untaken); i++) {
                set_up();
                for (size_t j = 0; j < 3; j++)
                        rows[j].reserved = lines[j].quantity;
                till_pay(&till, &order, untaken[i]);
                cr_assert_eq(cancel_all(), PROBLEM_NONE);
                cr_assert_eq(order.balance.payment_status, PAYMENT_VOIDED);
                cr_assert_eq(order.balance.refund_due, 0);
                assert_told(
                        i ? "fulfillment.cancelled fulfillment.cancelled order.units_cancelled payment.void_due order.cancelled"
                          : "fulfillment.cancelled fulfillment.cancelled order.units_cancelled payment.voided order.cancelled");
                cr_assert_eq(till.payment.state, FUNDS_VOIDED);
                cr_assert(till.payment.void_due == till.payment.authorized && !till.payment.voided);
                arena_clear(&arena);
        }
}

Test(order_rules, cancelling_a_part_leaves_the_payment_and_the_rest_alone) {
        till_pay(&till, &order, FUNDS_AUTHORIZED);
        cr_assert_eq(cancel_of(0, 2), PROBLEM_NONE);
        cr_assert_eq(order.status, ORDER_OPEN);
        cr_assert_eq(order.balance.payment_status, PAYMENT_AUTHORIZED);
        cr_assert_eq(order.balance.refund_due, 0);
        cr_assert_eq(order.version, 2);
        cr_assert_eq(fulfillments[0].status, FULFILLMENT_ALLOCATED);
        cr_assert_eq(fulfillments[0].version, 2);
        cr_assert_eq(fulfillments[1].version, 1);
        cr_assert_eq(rows[0].reserved, 3);
        cr_assert_eq(rows[1].reserved, 3);
        cr_assert_eq(rows[2].reserved, 4);
        assert_told("fulfillment.units_cancelled order.units_cancelled");
}

Test(order_rules, one_request_may_name_several_lines) {
        const struct cancel_line some[] = { { lines[2].id, 1 }, { lines[0].id, 5 } };

        cr_assert_eq(cancel_some(some, 2), PROBLEM_NONE);
        cr_assert_eq(lines[0].cancelled, 5);
        cr_assert_eq(lines[1].cancelled, 0);
        cr_assert_eq(lines[2].cancelled, 1);
}

Test(order_rules, cancelling_a_cancelled_order_changes_nothing) {
        int64_t due;

        cr_assert_eq(cancel_all(), PROBLEM_NONE);
        events_init(&events, &arena);
        due = order.balance.refund_due;
        cr_assert_eq(order_cancel(&order, NULL, 0, "again", &command), PROBLEM_NONE);
        cr_assert_eq(order.version, 2);
        cr_assert_eq(order.balance.refund_due, due);
        cr_assert_str_eq(order.cancel_reason, "changed her mind");
        assert_told("");
}

Test(order_rules, lines_of_a_cancelled_order_cannot_be_cancelled_again) {
        cr_assert_eq(cancel_all(), PROBLEM_NONE);
        cr_assert_eq(cancel_of(0, 1), PROBLEM_INVALID_TRANSITION);
        cr_assert_str_eq(refusal.current_status, "cancelled");
        cr_assert_eq(order.version, 2);
}

Test(order_rules, more_units_than_are_left_cannot_be_cancelled) {
        cr_assert_eq(cancel_of(0, 6), PROBLEM_INVALID_TRANSITION);
        assert_violation("#/lines/0/quantity", "not-cancellable");
        cr_assert_str_eq(refusal.current_status, "open");
        assert_untouched();
        refusal = (struct refusal){ 0 };
        cr_assert_eq(cancel_of(0, 4), PROBLEM_NONE);
        cr_assert_eq(cancel_of(0, 2), PROBLEM_INVALID_TRANSITION);
        cr_assert_eq(lines[0].cancelled, 4);
        refusal = (struct refusal){ 0 };
        cr_assert_eq(cancel_of(0, 1), PROBLEM_NONE);
}

Test(order_rules, a_line_that_the_order_does_not_have_cannot_be_cancelled) {
        const struct cancel_line some[] = { { lines[0].id, 1 }, { { { 9 } }, 1 } };

        cr_assert_eq(cancel_some(some, 2), PROBLEM_VALIDATION_FAILED);
        assert_violation("#/lines/1/order_line_id", "unknown-line");
        cr_assert_eq(refusal.n_violations, 1);
        assert_untouched();
}

Test(order_rules, a_line_is_named_once) {
        const struct cancel_line some[] = { { lines[0].id, 3 }, { lines[1].id, 1 }, { lines[0].id, 3 },
                { lines[0].id, 1 } };

        cr_assert_eq(cancel_some(some, 4), PROBLEM_VALIDATION_FAILED);
        assert_violation("#/lines/2/order_line_id", "repeated");
        assert_violation("#/lines/3/order_line_id", "repeated");
        cr_assert_eq(refusal.n_violations, 2);
        assert_untouched();
}

Test(order_rules, fulfilled_units_stay_fulfilled) {
        fulfillments[1].status = FULFILLMENT_SHIPPED;
        fulfill(2, 4);
        cr_assert_eq(cancel_all(), PROBLEM_NONE);
        cr_assert_eq(order.status, ORDER_FULFILLED);
        cr_assert_eq(lines[2].cancelled, 0);
        cr_assert_eq(fulfillments[0].status, FULFILLMENT_CANCELLED);
        cr_assert_eq(fulfillments[1].status, FULFILLMENT_SHIPPED);
        cr_assert_eq(fulfillments[1].version, 1);
        cr_assert_eq(order.balance.refund_due, 4526 + 453);
        assert_told("fulfillment.cancelled order.units_cancelled refund.due order.fulfilled");
}

Test(order_rules, an_order_that_has_left_whole_cannot_be_cancelled) {
        fulfillments[0].status = FULFILLMENT_HANDED_OVER;
        fulfillments[1].status = FULFILLMENT_SHIPPED;
        for (size_t i = 0; i < 3; i++)
                fulfill(i, lines[i].quantity);
        order.status = ORDER_FULFILLED;
        cr_assert_eq(cancel_all(), PROBLEM_INVALID_TRANSITION);
        cr_assert_str_eq(refusal.current_status, "fulfilled");
        cr_assert_eq(order.version, 1);
        refusal = (struct refusal){ 0 };
        cr_assert_eq(cancel_of(0, 1), PROBLEM_INVALID_TRANSITION);
        assert_told("");
}

/* Two of five A were handed over when the customer declines the rest. */
Test(order_rules, the_rest_of_a_hand_over_may_be_cancelled) {
        fulfillments[0].status = FULFILLMENT_READY;
        fulfill(0, 2);
        cr_assert_eq(cancel_of(0, 4), PROBLEM_INVALID_TRANSITION);
        refusal = (struct refusal){ 0 };
        cr_assert_eq(cancel_all(), PROBLEM_NONE);
        cr_assert_eq(lines[0].cancelled, 3);
        cr_assert_eq(fulfillments[0].status, FULFILLMENT_HANDED_OVER);
        cr_assert_null(fulfillments[0].reason);
        cr_assert_eq(fulfillments[1].status, FULFILLMENT_CANCELLED);
        cr_assert_eq(order.status, ORDER_FULFILLED);
        cr_assert_eq(rows[0].reserved, 0);
        cr_assert_eq(rows[0].on_hand, 8);
        cr_assert_eq(order.balance.refund_due, order_line_value(&lines[0], 0, 3) + 453 + 3621);
        assert_told("fulfillment.handed_over fulfillment.cancelled order.units_cancelled refund.due order.fulfilled");
}

Test(order_rules, the_rest_of_a_parcel_may_be_cancelled) {
        fulfillments[1].status = FULFILLMENT_PACKED;
        fulfill(2, 1);
        cr_assert_eq(cancel_of(2, 3), PROBLEM_NONE);
        cr_assert_eq(fulfillments[1].status, FULFILLMENT_SHIPPED);
        cr_assert_eq(order.status, ORDER_PARTIALLY_FULFILLED);
        assert_told("fulfillment.shipped order.units_cancelled refund.due order.partially_fulfilled");
}

/* Two of four are picked; when the customer cancels the others, no unit remains to be picked. */
Test(order_rules, a_parcel_is_packed_when_its_unpicked_rest_is_cancelled) {
        fulfillments[1].status = FULFILLMENT_PICKING;
        allocations[2].picked = 2;
        cr_assert_eq(cancel_of(2, 1), PROBLEM_NONE);
        cr_assert_eq(fulfillments[1].status, FULFILLMENT_PICKING);
        cr_assert_eq(cancel_of(2, 1), PROBLEM_NONE);
        cr_assert_eq(fulfillments[1].status, FULFILLMENT_PACKED);
        cr_assert_eq(order.status, ORDER_OPEN);
        assert_told(
                "fulfillment.units_cancelled order.units_cancelled refund.due fulfillment.units_cancelled fulfillment.packed order.units_cancelled refund.due");
}

Test(order_rules, an_order_without_units_has_a_cancel_reason) {
        fulfillment_line_short(&allocations[0], 5);
        cr_assert_eq(order_after_units(&order, "theft", &command), PROBLEM_NONE);
        cr_assert_null(order.cancel_reason);
        fulfillment_line_short(&allocations[1], 3);
        fulfillment_line_short(&allocations[2], 4);
        cr_assert_eq(order_after_units(&order, "damaged", &command), PROBLEM_NONE);
        cr_assert_eq(order.status, ORDER_CANCELLED);
        cr_assert_str_eq(order.cancel_reason, "damaged");
        cr_assert_eq(order.balance.refund_due, 9090);
}

Test(order_rules, a_line_without_a_location_has_nothing_to_cancel) {
        lines[1].allocations = NULL;
        cr_assert_eq(cancel_of(1, 1), PROBLEM_INVALID_TRANSITION);
        refusal = (struct refusal){ 0 };
        cr_assert_eq(cancel_all(), PROBLEM_NONE);
        cr_assert_eq(lines[1].cancelled, 0);
}

Test(order_rules, a_line_is_found_by_its_id) {
        const struct uuid unknown = { { 9 } };

        cr_assert_eq(order_line_find(&order, &lines[2].id), &lines[2]);
        cr_assert_null(order_line_find(&order, &unknown));
}

/* ---- pickup codes ---- */

#define SECRET "another-secret-for-tests-32-bytes-long"

static struct uuid known_id(void) {
        struct uuid id;

        cr_assert(uuid_parse("0190a6e2-7b7c-7def-8123-456789abcdef", &id));
        return id;
}

/*
 * Computed with Python:
 *     id = bytes.fromhex("0190a6e27b7c7def8123456789abcdef")
 *     digest = hmac.new(SECRET, id + serial.to_bytes(8, "big"), "sha256").digest()
 *     letters = "ABCDEFGHJKMNPQRSTUVWXYZ"
 *     "".join(letters[int.from_bytes(digest[2 * i:2 * i + 2], "big") % 23] for i in range(8))
 */
Test(pickup_code, is_the_hmac_of_id_and_serial) {
        const struct uuid id = known_id();
        char code[PICKUP_CODE_SIZE];

        cr_assert(pickup_code(SECRET, &id, 1, code));
        cr_assert_str_eq(code, "KGRQAKKS");
        cr_assert(pickup_code(SECRET, &id, 2, code));
        cr_assert_str_eq(code, "ATUVGSEU");
}

Test(pickup_code, is_the_same_each_time_and_another_for_each_id_serial_and_secret) {
        const struct uuid id = known_id();
        struct uuid other = id;
        char first[PICKUP_CODE_SIZE], again[PICKUP_CODE_SIZE];

        other.bytes[15]++;
        cr_assert(pickup_code(SECRET, &id, 1, first));
        cr_assert(pickup_code(SECRET, &id, 1, again));
        cr_assert_str_eq(first, again);
        cr_assert(pickup_code(SECRET, &other, 1, again));
        cr_assert_str_neq(first, again);
        cr_assert(pickup_code(SECRET, &id, INT64_C(1) << 56 | 1, again));
        cr_assert_str_neq(first, again);
        cr_assert(pickup_code("a secret of another shop", &id, 1, again));
        cr_assert_str_neq(first, again);
}

Test(pickup_code, has_eight_letters_without_look_alikes) {
        struct uuid id = known_id();
        bool seen[128] = { false };
        char code[PICKUP_CODE_SIZE];
        size_t n = 0;

        for (int64_t serial = 1; serial <= 1000; serial++) {
                cr_assert(pickup_code(SECRET, &id, serial, code));
                cr_assert_eq(strlen(code), 8);
                for (const char *c = code; *c; c++)
                        seen[(unsigned char) *c] = true;
        }
        for (size_t c = 0; c < sizeof(seen); c++)
                n += seen[c];
        cr_assert_eq(n, 23);
        for (const char *c = "ABCDEFGHJKMNPQRSTUVWXYZ"; *c; c++)
                cr_assert(seen[(unsigned char) *c], "%c", *c);
}

Test(pickup_code, needs_a_secret) {
        const struct uuid id = known_id();
        char code[PICKUP_CODE_SIZE] = "";

        cr_assert_not(pickup_code(NULL, &id, 1, code));
        cr_assert_str_eq(code, "");
}

/* ---- slots ---- */

static bool slot_is_given_back(enum fulfillment_status status, timestamp slot_at) {
        fulfillments[0].status = status;
        fulfillments[0].has_slot = fulfillments[0].touched = true;
        fulfillments[0].gives_slot_back = false;
        fulfillments[0].slot_at = slot_at;
        order_settle(&order, &command);
        cr_assert_neq(fulfillments[0].has_slot, fulfillments[0].gives_slot_back);
        cr_assert_eq(fulfillments[0].slot_at, slot_at, "the fulfillment keeps the time of the freed slot");
        return fulfillments[0].gives_slot_back;
}

Test(order_rules, a_slot_is_freed_when_the_customer_does_not_come_or_came_early) {
        const timestamp later = NOW + 1;

        cr_assert_not(slot_is_given_back(FULFILLMENT_ALLOCATED, later));
        cr_assert_not(slot_is_given_back(FULFILLMENT_PICKING, later));
        cr_assert_not(slot_is_given_back(FULFILLMENT_READY, EARLIER));
        cr_assert_not(slot_is_given_back(FULFILLMENT_HANDED_OVER, EARLIER));
        cr_assert_not(slot_is_given_back(FULFILLMENT_HANDED_OVER, NOW));
        cr_assert(slot_is_given_back(FULFILLMENT_HANDED_OVER, later));
        cr_assert(slot_is_given_back(FULFILLMENT_CANCELLED, EARLIER));
        cr_assert(slot_is_given_back(FULFILLMENT_REJECTED, later));
        cr_assert(slot_is_given_back(FULFILLMENT_EXPIRED, EARLIER));
}
