#include "dice.h"
#include "payments/provider.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NOW    (INT64_C(1795256130) * SECOND)
#define MEMORY ((size_t) 4 * 1024 * 1024)

/* Two lines, 2 x 30.00 and 4 x 10.00, 5.00 shipping: 105.00. All units are shipped by the depot. */
static struct arena arena;
static struct events events;
static struct told_events heard; /* events of the provider so far */
static struct refusal refusal;
static struct stock stock;
static struct stock_row rows[2];
static struct order order;
static struct order_line lines[2];
static struct fulfillment fulfillment, *fulfillments[] = { &fulfillment };
static struct fulfillment_line allocations[2];

static void line_set(size_t i, int64_t quantity, int64_t price) {
        rows[i] = (struct stock_row){ .location = "depot", .sku = "A", .on_hand = 100, .reserved = quantity };
        lines[i] = (struct order_line){ .id = { { (uint8_t) (i + 1) } },
                .number = (int64_t) i,
                .sku = "A",
                .quantity = quantity,
                .unit_price = price,
                .order = &order,
                .allocations = &allocations[i] };
        allocations[i] = (struct fulfillment_line){
                .order_line = &lines[i], .fulfillment = &fulfillment, .stock = &rows[i], .quantity = quantity
        };
}

static void open_till(void) {
        arena_init(&arena, MEMORY);
        events_init(&events, &arena);
        heard = (struct told_events){ .arena = &arena };
        stock_init(&stock, &arena);
        refusal = (struct refusal){ 0 };
        line_set(0, 2, 3000);
        line_set(1, 4, 1000);
        fulfillment = (struct fulfillment){ .order = &order,
                .method = BY_SHIPPING,
                .location = "depot",
                .lines = allocations,
                .n_lines = 2,
                .version = 1 };
        order = (struct order){ .id = uuid_new(),
                .currency = "EUR",
                .subtotal = 10000,
                .shipping = 500,
                .tax_included = true,
                .total = 10500,
                .payment_due_at = TIMESTAMP_NONE,
                .version = 1,
                .lines = lines,
                .n_lines = 2,
                .fulfillments = fulfillments,
                .n_fulfillments = 1,
                .fulfillments_capacity = 1 };
}

static void close_till(void) {
        arena_clear(&arena);
}

TestSuite(payments, .init = open_till, .fini = close_till);

/* ---- shorthands ---- */

static struct payment *pay(enum funds_state state, int64_t amount) {
        const struct payment_request request = { .status = (int) state, .amount = amount };
        struct payment *payment = order_add_payment(&order, &request, "ada", NOW, &arena);

        cr_assert_not_null(payment);
        payment->is_new = false;
        order_project_money(&order);
        return payment;
}

static int events_told;

static struct provider_event word(enum provider_event_type type, int64_t amount) {
        return (struct provider_event){ .event_id = arena_format(&arena, "e-%d", events_told++),
                .type = (int) type,
                .amount = amount,
                .has_amount = amount > 0,
                .occurred_at = TIMESTAMP_NONE };
}

/* Amount 0: the event has none. */
static enum problem tell(struct payment *payment, enum provider_event_type type, int64_t amount) {
        const struct provider_event told = word(type, amount);

        refusal = (struct refusal){ 0 };
        return provider_tells(payment, &told, &heard, "psp", &events, NOW + 1, &arena, &refusal);
}

/* The same event, with an occurred_at some seconds after NOW. */
static enum problem tell_of(struct payment *payment, enum provider_event_type type, int64_t amount, int64_t second) {
        struct provider_event told = word(type, amount);

        told.occurred_at = NOW + second * SECOND;
        refusal = (struct refusal){ 0 };
        return provider_tells(payment, &told, &heard, "psp", &events, NOW + HOUR, &arena, &refusal);
}

static enum problem tell_refund(struct refund *refund, enum provider_event_type type) {
        struct provider_event told = word(type, 0);

        told.refund_id = refund->id;
        told.has_refund_id = true;
        refusal = (struct refusal){ 0 };
        return provider_tells(refund->payment ? refund->payment : order.payments[0], &told, &heard, "psp", &events,
                NOW + 1, &arena, &refusal);
}

static enum problem give_back_to(int64_t amount, enum refund_to to) {
        const struct refund_request request = { .amount = amount, .to = to, .reason = "it was late" };

        refusal = (struct refusal){ 0 };
        return order_give_back(&order, &request, "ada", &events, NOW, &arena, &refusal);
}

static enum problem give_back(int64_t amount) {
        return give_back_to(amount, REFUND_TO_ORIGINAL);
}

static void ship(size_t line, int64_t units) {
        const struct stock_cause cause = { .reason = "sale", .document = "d", .actor = "ada" };

        fulfillment_line_fulfill(&allocations[line], units, &stock, &cause);
        order_ask_capture(&order, &fulfillment, &events, "ada");
        order_settle(&order, &events, "ada", NOW);
}

static void cancel(size_t line, int64_t units) {
        const struct cancel_line some = { lines[line].id, units };

        refusal = (struct refusal){ 0 };
        cr_assert_eq(order_cancel(&order, &some, 1, "no", "ada", &events, NOW, &arena, &refusal), PROBLEM_NONE);
}

static void cancel_all(void) {
        refusal = (struct refusal){ 0 };
        cr_assert_eq(order_cancel(&order, NULL, 0, "no", "ada", &events, NOW, &arena, &refusal), PROBLEM_NONE);
}

static size_t told(const char *type) {
        size_t n = 0;

        for (const struct event *event = events.first; event; event = event->next)
                n += text_equal(event_types[event->type].name, type);
        return n;
}

static void assert_state(const struct payment *payment, enum funds_state state) {
        cr_assert_eq(payment->state, state, "it is %s", payment_lifecycle.states[payment->state]);
}

static void assert_same_money(const struct payment *payment, const struct payment *was) {
        cr_assert(payment->state == was->state && payment->authorized == was->authorized &&
                  payment->captured == was->captured && payment->voided == was->voided &&
                  payment->failed == was->failed && payment->void_due == was->void_due &&
                  payment->capture_due == was->capture_due);
}

static void assert_status(enum payment_status status) {
        cr_assert_eq(order.payment_status, status, "it is %s", payment_status_text(order.payment_status));
}

/* ---- events of the provider ---- */

Test(payments, an_authorized_amount_is_requested_when_units_leave_and_captured_by_the_provider) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        assert_status(PAYMENT_PENDING);
        cr_assert_eq(tell(card, PROVIDER_AUTHORIZED, 0), PROBLEM_NONE);
        assert_status(PAYMENT_AUTHORIZED);
        ship(0, 1);
        cr_assert_eq(card->capture_due, 3000 + 500, "the shipping goes with the first units");
        ship(0, 1);
        ship(1, 1);
        cr_assert_eq(card->capture_due, 7500);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 7500), PROBLEM_NONE);
        assert_state(card, FUNDS_PARTIALLY_CAPTURED);
        assert_status(PAYMENT_AUTHORIZED);
        ship(1, 3);
        cr_assert_eq(card->capture_due, 3000);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 0), PROBLEM_NONE);
        assert_state(card, FUNDS_CAPTURED);
        assert_status(PAYMENT_CAPTURED);
        cr_assert_eq(order_balance(&order), 0);
        cr_assert_eq(told("payment.capture_due"), 4);
        cr_assert_eq(told("payment.void_due"), 0);
}

Test(payments, captures_are_requested_in_the_order_of_the_payments) {
        struct payment *gift_card = pay(FUNDS_CAPTURED, 2000), *card = pay(FUNDS_AUTHORIZED, 5000);
        struct payment *invoice = pay(FUNDS_AUTHORIZED, 3500);

        assert_status(PAYMENT_AUTHORIZED);
        ship(0, 2);
        cr_assert_eq(gift_card->capture_due, 0);
        cr_assert_eq(card->capture_due, 6500 - 2000);
        ship(1, 4);
        cr_assert_eq(card->capture_due, 5000);
        cr_assert_eq(invoice->capture_due, 3500);
}

Test(payments, a_failed_capture_is_requested_from_another_payment) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500), *other;

        ship(0, 2);
        cr_assert_eq(tell(card, PROVIDER_FAILED, 0), PROBLEM_NONE);
        assert_state(card, FUNDS_FAILED);
        assert_status(PAYMENT_PENDING);
        cr_assert_eq(card->capture_due, 0);
        other = pay(FUNDS_AUTHORIZED, 10500);
        order_settle(&order, &events, "ada", NOW);
        cr_assert_eq(other->capture_due, 6500);
        cr_assert_eq(tell(card, PROVIDER_AUTHORIZED, 0), PROBLEM_NONE, "another try");
        assert_state(card, FUNDS_AUTHORIZED);
}

Test(payments, provider_events_may_arrive_late_and_in_another_order) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 4000), PROBLEM_NONE);
        assert_state(card, FUNDS_PARTIALLY_CAPTURED);
        cr_assert_eq(tell(card, PROVIDER_AUTHORIZED, 10500), PROBLEM_NONE);
        assert_state(card, FUNDS_PARTIALLY_CAPTURED);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 6500), PROBLEM_NONE);
        assert_state(card, FUNDS_CAPTURED);
        cr_assert_eq(tell(card, PROVIDER_AUTHORIZED, 0), PROBLEM_NONE);
        cr_assert_eq(card->captured, 10500);
        cr_assert_eq(card->authorized, 10500);
        cr_assert_eq(tell(card, PROVIDER_FAILED, 0), PROBLEM_NONE);
        cr_assert_eq(tell(card, PROVIDER_VOIDED, 0), PROBLEM_NONE);
}

Test(payments, more_than_a_payment_holds_is_refused) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cr_assert_eq(tell(card, PROVIDER_AUTHORIZED, 10501), PROBLEM_OVER_CAPTURE);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 10501), PROBLEM_OVER_CAPTURE);
        assert_state(card, FUNDS_PENDING);
        cr_assert_eq(tell(card, PROVIDER_AUTHORIZED, 8000), PROBLEM_NONE);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 8001), PROBLEM_OVER_CAPTURE);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 5000), PROBLEM_NONE);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 3001), PROBLEM_OVER_CAPTURE);
        cr_assert_eq(tell(card, PROVIDER_VOIDED, 3001), PROBLEM_OVER_CAPTURE);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 3000), PROBLEM_NONE);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 0), PROBLEM_OVER_CAPTURE, "nothing is left");
        cr_assert_eq(card->captured, 8000);
}

Test(payments, a_partial_void_leaves_the_rest_held) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500);

        cr_assert_eq(tell(card, PROVIDER_VOIDED, 500), PROBLEM_NONE);
        assert_state(card, FUNDS_AUTHORIZED);
        cr_assert_eq(payment_held(card), 10000);
        assert_status(PAYMENT_PENDING);
        cr_assert_eq(tell(card, PROVIDER_VOIDED, 0), PROBLEM_NONE);
        assert_state(card, FUNDS_VOIDED);
        assert_status(PAYMENT_PENDING);
}

/* A voucher over 90.00 was granted before anything left. */
Test(payments, no_more_than_the_charge_is_requested) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500);

        order_credit(&order, 9000, 0);
        ship(0, 1);
        cr_assert_eq(card->capture_due, 1500);
        ship(0, 1);
        cr_assert_eq(card->capture_due, 1500);
}

/* ---- cancels ---- */

Test(payments, a_cancelled_order_requests_voids_of_uncaptured_payments) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 8000), *invoice = pay(FUNDS_PENDING, 2500);

        cancel_all();
        assert_state(card, FUNDS_VOIDED);
        assert_state(invoice, FUNDS_VOIDED);
        cr_assert(card->void_due == 8000 && card->voided == 0, "the provider has not reported the void yet");
        cr_assert_eq(told("payment.void_due"), 1);
        cr_assert_eq(told("payment.voided"), 1, "of the invoice, for which nothing was held");
        assert_status(PAYMENT_VOIDED);
        cr_assert_eq(tell(card, PROVIDER_VOIDED, 0), PROBLEM_NONE, "the answer");
        cr_assert(card->void_due == 0 && card->voided == 8000);
        cr_assert_eq(told("payment.voided"), 2);
        cr_assert_eq(order_balance(&order), 0);
}

Test(payments, a_capture_after_a_cancel_comes_due_as_a_refund) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cancel_all();
        cr_assert_eq(told("refund.due"), 0);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 0), PROBLEM_NONE);
        assert_state(card, FUNDS_CAPTURED);
        cr_assert_eq(order.refund_due, 10500);
        cr_assert_eq(told("refund.due"), 1);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        assert_status(PAYMENT_REFUNDED);
}

Test(payments, a_part_captured_after_a_cancel_comes_due_and_the_rest_is_voided) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cancel_all();
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 5000), PROBLEM_NONE);
        assert_state(card, FUNDS_CAPTURED);
        cr_assert_eq(order.refund_due, 5000);
        cr_assert_eq(told("payment.void_due"), 1);
        cr_assert_eq(payment_held(card), 0);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 500), PROBLEM_NONE, "in parts");
        cr_assert_eq(order.refund_due, 5500);
}

Test(payments, a_failed_payment_may_be_captured_in_parts_after_a_cancel) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cr_assert_eq(tell(card, PROVIDER_FAILED, 0), PROBLEM_NONE);
        cancel_all();
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 5000), PROBLEM_NONE);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 500), PROBLEM_NONE);
        assert_state(card, FUNDS_CAPTURED);
        cr_assert_eq(order.refund_due, 5500);
}

Test(payments, a_part_of_the_amount_still_held_is_captured_later) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cr_assert_eq(tell(card, PROVIDER_AUTHORIZED, 5000), PROBLEM_NONE);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 5000), PROBLEM_NONE);
        assert_state(card, FUNDS_CAPTURED);
        cr_assert_eq(tell(card, PROVIDER_AUTHORIZED, 10500), PROBLEM_NONE);
        assert_state(card, FUNDS_PARTIALLY_CAPTURED);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 500), PROBLEM_NONE);
        assert_state(card, FUNDS_PARTIALLY_CAPTURED);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 0), PROBLEM_NONE);
        assert_state(card, FUNDS_CAPTURED);
        cr_assert_eq(card->captured, 10500);
}

Test(payments, a_void_of_an_authorization_after_a_cancel_is_requested_at_once) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cancel_all();
        cr_assert_eq(tell(card, PROVIDER_AUTHORIZED, 0), PROBLEM_NONE);
        assert_state(card, FUNDS_VOIDED);
        cr_assert_eq(payment_held(card), 0);
        cr_assert_eq(told("payment.void_due"), 1);
}

/* ---- order of events ---- */

Test(payments, a_late_failure_changes_nothing_and_is_recorded) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cr_assert_eq(tell_of(card, PROVIDER_AUTHORIZED, 0, 300), PROBLEM_NONE);
        cr_assert_eq(tell_of(card, PROVIDER_FAILED, 0, 0), PROBLEM_NONE);
        assert_state(card, FUNDS_AUTHORIZED);
        cr_assert(card->voided == 0 && card->failed == 0 && payment_held(card) == 10500);
        cr_assert_eq(told("payment.failed"), 0);
        cr_assert_eq(told("payment.event_late"), 1);
        cr_assert_eq(heard.n, 2);
        ship(0, 2);
        cr_assert_eq(card->capture_due, 6500, "the capture is asked for");
        cr_assert_eq(tell_of(card, PROVIDER_CAPTURED, 6500, 400), PROBLEM_NONE);
        cr_assert_eq(tell_of(card, PROVIDER_FAILED, 0, 350), PROBLEM_NONE);
        cr_assert_eq(tell_of(card, PROVIDER_FAILED, 0, 500), PROBLEM_NONE, "the rest cannot be captured");
        assert_state(card, FUNDS_CAPTURED);
        cr_assert(card->failed == 4000 && card->voided == 0);
}

/* A provider repeats a refused event for ever. */
Test(payments, an_event_that_the_others_do_not_lead_to_is_recorded_without_effect) {
        static const struct {
                enum provider_event_type type;
                int64_t amount;
        } told_after[] = { { PROVIDER_VOIDED, 0 }, { PROVIDER_VOIDED, 500 }, { PROVIDER_VOIDED, 10500 },
                { PROVIDER_FAILED, 0 }, { PROVIDER_AUTHORIZED, 0 }, { PROVIDER_AUTHORIZED, 500 } };

        for (size_t i = 0; i < array_size(told_after); i++) {
                struct payment *card, was;
                size_t known;

                close_till();
                open_till();
                card = pay(FUNDS_AUTHORIZED, 10500);
                cr_assert_eq(tell_of(card, PROVIDER_CAPTURED, 10500, 1), PROBLEM_NONE);
                was = *card;
                known = heard.n;
                cr_assert_eq(tell_of(card, told_after[i].type, told_after[i].amount, 2), PROBLEM_NONE, "case %zu", i);
                assert_same_money(card, &was);
                assert_status(PAYMENT_CAPTURED);
                cr_assert_eq(heard.n, known + 1, "case %zu: it is not recorded", i);
                if (told_after[i].type != PROVIDER_AUTHORIZED)
                        cr_assert_eq(told("payment.event_late"), 1, "case %zu", i);
                cr_assert_eq(told("payment.voided") + told("payment.failed"), 0, "case %zu", i);
        }
}

Test(payments, a_settled_refund_does_not_fail) {
        (void) pay(FUNDS_CAPTURED, 10500);
        cr_assert_eq(give_back(1000), PROBLEM_NONE);
        cr_assert_eq(tell_refund(order.refunds[0], PROVIDER_REFUND_SETTLED), PROBLEM_NONE);
        cr_assert_eq(tell_refund(order.refunds[0], PROVIDER_REFUND_FAILED), PROBLEM_NONE);
        cr_assert_eq(order.refunds[0]->state, REFUND_SETTLED);
        cr_assert_eq(order.refund_due, 0);
        cr_assert_eq(told("payment.event_late"), 1);
        cr_assert_eq(told("refund.failed"), 0);
}

Test(payments, a_failed_amount_is_neither_voided_nor_to_be_voided) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500);

        cr_assert_eq(tell(card, PROVIDER_FAILED, 0), PROBLEM_NONE);
        cr_assert(card->voided == 0 && card->void_due == 0 && card->failed == 10500);
        cancel_all();
        cr_assert_eq(told("payment.void_due"), 0);
}

Test(payments, an_event_without_a_moment_counts_from_when_it_is_recorded) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cr_assert_eq(tell_of(card, PROVIDER_AUTHORIZED, 0, -60), PROBLEM_NONE);
        cr_assert_eq(tell(card, PROVIDER_FAILED, 0), PROBLEM_NONE);
        assert_state(card, FUNDS_FAILED);
        cr_assert_eq(tell(card, PROVIDER_AUTHORIZED, 0), PROBLEM_NONE, "in the same moment, and after it");
        assert_state(card, FUNDS_AUTHORIZED);
}

/* The clock of some providers has no fractions of a second. */
Test(payments, of_two_events_of_one_moment_the_failure_came_first_and_the_void_last) {
        static const enum provider_event_type sorted[] = { PROVIDER_FAILED, PROVIDER_AUTHORIZED, PROVIDER_CAPTURED,
                PROVIDER_VOIDED };

        for (size_t i = 0; i < array_size(sorted); i++)
                for (size_t j = 0; j < i; j++) {
                        struct payment *card, there;

                        close_till();
                        open_till();
                        card = pay(FUNDS_AUTHORIZED, 10500);
                        (void) tell_of(card, sorted[j], sorted[j] == PROVIDER_CAPTURED ? 4000 : 0, 5);
                        (void) tell_of(card, sorted[i], sorted[i] == PROVIDER_CAPTURED ? 4000 : 0, 5);
                        there = *card;
                        close_till();
                        open_till();
                        card = pay(FUNDS_AUTHORIZED, 10500);
                        (void) tell_of(card, sorted[i], sorted[i] == PROVIDER_CAPTURED ? 4000 : 0, 5);
                        (void) tell_of(card, sorted[j], sorted[j] == PROVIDER_CAPTURED ? 4000 : 0, 5);
                        assert_state(card, there.state);
                        cr_assert(card->captured == there.captured && card->voided == there.voided &&
                                  card->failed == there.failed);
                }
}

Test(payments, a_recorded_capture_is_not_undone_by_an_earlier_event) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cr_assert_eq(tell_of(card, PROVIDER_CAPTURED, 9000, 10), PROBLEM_NONE);
        cr_assert_eq(tell_of(card, PROVIDER_AUTHORIZED, 8000, 5), PROBLEM_OVER_CAPTURE);
        cr_assert(card->captured == 9000 && card->authorized == 10500 && heard.n == 1);
}

Test(payments, a_payment_has_a_limit_of_events) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        for (size_t i = 0; i < PAYMENT_EVENTS_MAX; i++) {
                struct told_event event = { .payment_id = card->id, .event_id = "e", .number = (int64_t) i + 1 };

                cr_assert(told_events_add(&heard, &event));
        }
        cr_assert_eq(tell(card, PROVIDER_AUTHORIZED, 0), PROBLEM_TOO_MANY);
        cr_assert_str_eq(refusal.violations->code, "too-many");
        assert_state(card, FUNDS_PENDING);
}

Test(payments, a_refund_settled_after_a_failure_is_settled_in_every_order_of_arrival) {
        struct payment *card = pay(FUNDS_CAPTURED, 10500);

        for (int late = 0; late < 2; late++) {
                struct provider_event words[2] = { word(PROVIDER_REFUND_FAILED, 0), word(PROVIDER_REFUND_SETTLED, 0) };

                cancel(1, 1);
                cr_assert_eq(give_back(0), PROBLEM_NONE);
                for (size_t i = 0; i < 2; i++) {
                        words[i].refund_id = order.refunds[late]->id;
                        words[i].has_refund_id = true;
                        words[i].occurred_at = NOW + (int64_t) i * SECOND;
                }
                for (size_t i = 0; i < 2; i++)
                        cr_assert_eq(provider_tells(card, &words[late ? 1 - i : i], &heard, "psp", &events, NOW + HOUR,
                                             &arena, &refusal),
                                PROBLEM_NONE);
                cr_assert_eq(order.refunds[late]->state, REFUND_SETTLED);
                cr_assert_eq(order.refund_due, 0);
                cr_assert_eq(card->refunded, 1000 * (late + 1));
        }
}

Test(payments, a_failed_refund_is_not_sent_once_another_refund_has_paid) {
        struct payment *card = pay(FUNDS_CAPTURED, 10500);

        cancel_all();
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(tell_refund(order.refunds[0], PROVIDER_REFUND_FAILED), PROBLEM_NONE);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(tell_refund(order.refunds[0], PROVIDER_REFUND_SETTLED), PROBLEM_INVALID_TRANSITION);
        cr_assert(card->refunded == 10500 && order.refunds[0]->state == REFUND_FAILED);
}

/* ---- every order of arrival leads to the same state ---- */

#define HISTORIES   4000
#define HISTORY_MAX 5
#define ARRIVALS    12

static struct payment *till_for(int context, enum funds_state opened) {
        struct payment *card;

        close_till();
        open_till();
        card = pay(opened, 10500);
        if (context == 1)
                ship(0, 2);
        if (context == 2)
                cancel_all();
        return card;
}

/* Like the route: a known event is not applied again. */
static bool is_taken_in(struct payment *payment, const struct provider_event *told) {
        bool is_known = false;
        enum problem p;

        refusal = (struct refusal){ 0 };
        cr_assert_eq(told_events_find(&heard, &payment->id, told, &arena, &refusal, &is_known), PROBLEM_NONE);
        p = is_known ? PROBLEM_NONE
                     : provider_tells(payment, told, &heard, "psp", &events, NOW + HOUR, &arena, &refusal);
        return p == PROBLEM_NONE;
}

/* The provider repeats refused events until a round applies none of them. */
static void tell_all(struct payment *payment, const struct provider_event *const *told, size_t n) {
        size_t before;

        do {
                before = heard.n;
                for (size_t i = 0; i < n; i++) {
                        (void) is_taken_in(payment, told[i]);
                        (void) is_taken_in(payment, told[i]);
                }
        } while (heard.n > before);
}

static struct provider_event random_event(uint64_t *dice, size_t place) {
        static const enum provider_event_type types[] = { PROVIDER_AUTHORIZED, PROVIDER_CAPTURED, PROVIDER_FAILED,
                PROVIDER_VOIDED };
        static const int64_t amounts[] = { 0, 1000, 4000, 6500, 10500 };
        static char ids[HISTORY_MAX][8];
        struct provider_event told = { .type = (int) types[dice_below(dice, array_size(types))],
                .occurred_at = NOW + (int64_t) place * SECOND };

        (void) snprintf(ids[place], sizeof(ids[place]), "h-%zu", place);
        told.event_id = ids[place];
        told.amount = told.type == PROVIDER_FAILED ? 0 : amounts[dice_below(dice, array_size(amounts))];
        told.has_amount = told.amount > 0;
        return told;
}

static void shuffle(uint64_t *dice, const struct provider_event **list, size_t n) {
        for (size_t i = n; i > 1; i--) {
                const size_t j = dice_below(dice, i);
                const struct provider_event *other = list[j];

                list[j] = list[i - 1];
                list[i - 1] = other;
        }
}

static const char *spell(const struct provider_event *const *told, size_t n) {
        const char *text = "";

        for (size_t i = 0; i < n; i++)
                text = arena_format(&arena, "%s %s %" PRId64 " at %" PRId64 ";", text,
                        provider_event_texts[told[i]->type], told[i]->amount, (told[i]->occurred_at - NOW) / SECOND);
        return text;
}

static void assert_same(const struct payment *payment, const struct payment *there, const char *how) {
        cr_assert_eq(payment->state, there->state, "%s: %s, not %s", how, payment_lifecycle.states[payment->state],
                payment_lifecycle.states[there->state]);
        cr_assert(payment->authorized == there->authorized && payment->captured == there->captured &&
                          payment->voided == there->voided && payment->failed == there->failed &&
                          payment->void_due == there->void_due && payment->capture_due == there->capture_due,
                "%s: %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 ", not %" PRId64 " %" PRId64
                " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64,
                how, payment->authorized, payment->captured, payment->voided, payment->failed, payment->void_due,
                payment->capture_due, there->authorized, there->captured, there->voided, there->failed, there->void_due,
                there->capture_due);
}

/* The possible events of a random history: each is taken in when it arrives in its turn. */
static size_t possible_history(uint64_t *dice, struct payment *payment, struct provider_event *told) {
        const size_t wanted = 2 + dice_below(dice, HISTORY_MAX - 1);
        size_t n = 0;

        for (size_t i = 0; i < wanted; i++) {
                told[n] = random_event(dice, i);
                n += is_taken_in(payment, &told[n]);
        }
        return n;
}

Test(payments, the_events_of_a_payment_lead_to_the_same_state_in_every_order_of_arrival) {
        static const enum funds_state opened[] = { FUNDS_PENDING, FUNDS_AUTHORIZED, FUNDS_CAPTURED };
        uint64_t dice = 20261130;

        for (size_t history = 0; history < HISTORIES; history++) {
                const int context = (int) dice_below(&dice, 3);
                const enum funds_state first = opened[dice_below(&dice, 3)];
                struct provider_event told[HISTORY_MAX];
                const struct provider_event *list[HISTORY_MAX];
                struct payment *card = till_for(context, first), there;
                enum payment_status status;
                const size_t n = possible_history(&dice, card, told);

                there = *card;
                status = order.payment_status;
                for (size_t i = 0; i < n; i++)
                        list[i] = &told[i];
                for (size_t arrival = 0; arrival < ARRIVALS; arrival++) {
                        shuffle(&dice, list, n);
                        card = till_for(context, first);
                        tell_all(card, list, n);
                        assert_same(card, &there, spell(list, n));
                        assert_status(status);
                }
        }
}

/* Every pair of kinds, with and without amounts, for every first status of the payment. */
Test(payments, two_events_of_any_kinds_lead_to_the_same_state_in_either_order) {
        static const struct {
                enum provider_event_type type;
                int64_t amount;
        } kinds[] = { { PROVIDER_AUTHORIZED, 0 }, { PROVIDER_AUTHORIZED, 9000 }, { PROVIDER_CAPTURED, 0 },
                { PROVIDER_CAPTURED, 4000 }, { PROVIDER_FAILED, 0 }, { PROVIDER_VOIDED, 0 },
                { PROVIDER_VOIDED, 3000 } };

        for (size_t first = 0; first < array_size(kinds); first++)
                for (size_t second = 0; second < array_size(kinds); second++)
                        for (int context = 0; context < 9; context++) {
                                const struct provider_event told[] = {
                                        { .event_id = "1",
                                                .type = (int) kinds[first].type,
                                                .amount = kinds[first].amount,
                                                .has_amount = kinds[first].amount > 0,
                                                .occurred_at = NOW },
                                        { .event_id = "2",
                                                .type = (int) kinds[second].type,
                                                .amount = kinds[second].amount,
                                                .has_amount = kinds[second].amount > 0,
                                                .occurred_at = NOW + SECOND },
                                };
                                const struct provider_event *list[] = { &told[0], &told[1] };
                                const struct provider_event *back[] = { &told[1], &told[0] };
                                struct payment *card = till_for(context / 3, (enum funds_state)(context % 3)), there;

                                tell_all(card, list, 2);
                                there = *card;
                                card = till_for(context / 3, (enum funds_state)(context % 3));
                                tell_all(card, back, 2);
                                assert_same(card, &there, spell(back, 2));
                        }
}

/* ---- amounts no longer needed ---- */

/* Of 105.00 held, units of 35.00 leave the location and the customer cancels the rest. */
Test(payments, a_void_of_the_amount_held_for_cancelled_units_is_requested) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500);

        fulfillment.status = FULFILLMENT_PACKED;
        ship(0, 1);
        cancel_all();
        cr_assert_eq(order.status, ORDER_FULFILLED);
        cr_assert_eq(card->capture_due, 3500);
        cr_assert(card->void_due == 7000 && card->voided == 0);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 3500), PROBLEM_NONE);
        assert_state(card, FUNDS_CAPTURED);
        assert_status(PAYMENT_CAPTURED);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 1000), PROBLEM_NONE, "of the released authorization");
        cr_assert_eq(order.refund_due, 1000);
}

Test(payments, a_due_date_ends_when_the_order_is_covered) {
        struct payment *card = pay(FUNDS_PENDING, 8500);

        order.payment_due_at = NOW + HOUR;
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 0), PROBLEM_NONE);
        assert_status(PAYMENT_PENDING);
        cr_assert_eq(order.payment_due_at, NOW + HOUR, "20.00 are not covered");
        cr_assert_eq(tell(pay(FUNDS_PENDING, 2000), PROVIDER_AUTHORIZED, 0), PROBLEM_NONE);
        assert_status(PAYMENT_AUTHORIZED);
        cr_assert_eq(order.payment_due_at, TIMESTAMP_NONE);
}

static void given_a_free_order(void) {
        order.total = 0;
        order.discounts = arena_new(&arena, struct order_discount);
        order.discounts[0] = (struct order_discount){ .amount = 10000, .line = -1 };
        order.n_discounts = 1;
        order.shipping = 0;
        order.discount = 10000;
        order.payment_due_at = NOW + HOUR;
}

Test(payments, an_order_that_costs_nothing_is_paid_from_the_beginning) {
        static const enum funds_state states[] = { FUNDS_PENDING, FUNDS_AUTHORIZED, FUNDS_CAPTURED };

        for (size_t i = 0; i < array_size(states); i++) {
                close_till();
                open_till();
                given_a_free_order();
                (void) pay(states[i], 0);
                assert_status(PAYMENT_CAPTURED);
                cr_assert_eq(order.payment_due_at, TIMESTAMP_NONE);
                ship(0, 2);
                ship(1, 4);
                cr_assert_eq(order.status, ORDER_FULFILLED);
                assert_status(PAYMENT_CAPTURED);
        }
}

Test(payments, an_order_that_costs_nothing_and_is_cancelled_is_void) {
        given_a_free_order();
        (void) pay(FUNDS_AUTHORIZED, 0);
        cancel_all();
        assert_status(PAYMENT_VOIDED);
}

Test(payments, an_order_without_payments_that_costs_nothing_is_paid) {
        given_a_free_order();
        order_project_money(&order);
        assert_status(PAYMENT_CAPTURED);
}

/* ---- refunds ---- */

Test(payments, the_refund_due_goes_back_to_the_payments) {
        struct payment *gift_card = pay(FUNDS_CAPTURED, 2000), *card = pay(FUNDS_CAPTURED, 8500);

        cr_assert_eq(give_back(0), PROBLEM_OVER_REFUND, "nothing is due");
        cancel(0, 1);
        cr_assert_eq(order.refund_due, 3000);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(order.n_refunds, 2);
        cr_assert_eq(gift_card->refunded, 2000);
        cr_assert_eq(card->refunded, 1000);
        cr_assert_eq(order.refund_due, 0);
        cr_assert_eq(order.credited, 3000, "the amount due is not credited again");
        cr_assert_eq(told("refund.requested"), 2);
        cr_assert_eq(told("order.appeased"), 0);
        assert_status(PAYMENT_PARTIALLY_REFUNDED);
        cr_assert_eq(give_back(0), PROBLEM_OVER_REFUND);
}

Test(payments, a_refund_beyond_the_amount_due_is_an_appeasement_up_to_the_paid_amount) {
        (void) pay(FUNDS_CAPTURED, 10500);
        cancel(1, 1);
        cr_assert_eq(give_back(10501), PROBLEM_OVER_REFUND);
        cr_assert_eq(order.n_refunds, 0);
        cr_assert_eq(give_back(1500), PROBLEM_NONE);
        cr_assert_eq(order.credited, 1500);
        cr_assert_eq(order.adjusted, 500);
        cr_assert_eq(order_balance(&order), 0);
        cr_assert_eq(give_back(9001), PROBLEM_OVER_REFUND);
        cr_assert_eq(give_back(9000), PROBLEM_NONE);
        cancel_all();
        cr_assert_eq(order.credited, 10500, "never more than the total");
        cr_assert_eq(order.refund_due, 0, "it was given back before");
        assert_status(PAYMENT_REFUNDED);
}

Test(payments, store_credit_is_settled_at_once_and_counts_like_any_refund) {
        (void) pay(FUNDS_CAPTURED, 10500);
        cr_assert_eq(give_back_to(4000, REFUND_TO_STORE_CREDIT), PROBLEM_NONE);
        cr_assert_eq(order.refunds[0]->state, REFUND_SETTLED);
        cr_assert_null(order.refunds[0]->payment);
        cr_assert_eq(order.payments[0]->refunded, 0);
        cr_assert_eq(order.refunded, 4000);
        cr_assert_eq(give_back(6501), PROBLEM_OVER_REFUND);
        cr_assert_eq(give_back(6500), PROBLEM_NONE);
}

Test(payments, store_credit_is_given_only_from_captured_amounts) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500);

        ship(0, 2);
        cr_assert_eq(give_back_to(1000, REFUND_TO_STORE_CREDIT), PROBLEM_OVER_REFUND);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 2000), PROBLEM_NONE);
        cr_assert_eq(give_back(500), PROBLEM_NONE);
        cr_assert_eq(give_back_to(1501, REFUND_TO_STORE_CREDIT), PROBLEM_OVER_REFUND);
        cr_assert_eq(give_back_to(1500, REFUND_TO_STORE_CREDIT), PROBLEM_NONE);
        cr_assert_eq(tell(card, PROVIDER_FAILED, 0), PROBLEM_NONE);
        cr_assert_eq(order.refunded, order.paid);
}

/* Two units have left and came back before the provider has answered. */
Test(payments, a_refund_without_an_amount_is_the_refund_due) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500);

        ship(0, 2);
        (void) order_credit_units(&lines[0], 2);
        lines[0].returned = 2;
        order_settle(&order, &events, "ada", NOW);
        cr_assert_eq(order.refund_due, 0);
        cr_assert_eq(give_back(0), PROBLEM_OVER_REFUND);
        cr_assert_eq(order.n_refunds, 0);
        cr_assert_eq(give_back(2000), PROBLEM_NONE, "on the capture that was asked for, by its amount");
        cr_assert_eq(order.credited, 6000, "which is no appeasement");
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 6500), PROBLEM_NONE);
        cr_assert_eq(order.refund_due, 0, "the surplus is for units still to be sent");
}

Test(payments, a_refund_that_failed_is_due_again_and_can_be_tried_again) {
        struct payment *card = pay(FUNDS_CAPTURED, 10500);

        cancel(0, 2);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(tell_refund(order.refunds[0], PROVIDER_REFUND_ISSUED), PROBLEM_NONE);
        cr_assert_eq(tell_refund(order.refunds[0], PROVIDER_REFUND_FAILED), PROBLEM_NONE);
        cr_assert_eq(card->refunded, 0);
        cr_assert_eq(order.refund_due, 6000);
        assert_status(PAYMENT_CAPTURED);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(tell_refund(order.refunds[1], PROVIDER_REFUND_SETTLED), PROBLEM_NONE);
        cr_assert_eq(tell_refund(order.refunds[1], PROVIDER_REFUND_ISSUED), PROBLEM_NONE, "a late event");
        cr_assert_eq(order.refunds[1]->state, REFUND_SETTLED);
        cr_assert_eq(tell_refund(order.refunds[1], PROVIDER_REFUND_FAILED), PROBLEM_NONE);
        cr_assert_eq(order.refunds[0]->state, REFUND_FAILED);
}

Test(payments, a_refund_on_a_requested_capture_is_issued_after_the_capture) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500);

        ship(0, 2);
        cr_assert_eq(give_back(6501), PROBLEM_OVER_REFUND);
        cr_assert_eq(give_back(1000), PROBLEM_NONE);
        cr_assert_eq(tell_refund(order.refunds[0], PROVIDER_REFUND_ISSUED), PROBLEM_INVALID_TRANSITION);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 6500), PROBLEM_NONE);
        cr_assert_eq(tell_refund(order.refunds[0], PROVIDER_REFUND_ISSUED), PROBLEM_NONE);
}

Test(payments, a_refund_fails_with_the_capture_that_it_was_to_be_paid_from) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500);

        ship(0, 2);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 500), PROBLEM_NONE);
        cr_assert_eq(give_back(300), PROBLEM_NONE);
        cr_assert_eq(give_back(2000), PROBLEM_NONE);
        cr_assert_eq(order.n_refunds, 3, "of captured payments first");
        cr_assert_eq(tell(card, PROVIDER_FAILED, 0), PROBLEM_NONE);
        assert_state(card, FUNDS_CAPTURED);
        cr_assert_eq(order.refunds[2]->state, REFUND_FAILED);
        cr_assert_eq(order.refunds[1]->state, REFUND_PENDING);
        cr_assert_eq(card->refunded, 500);
        cr_assert_eq(told("refund.failed"), 1);
}

Test(payments, an_event_about_another_refund_or_amount_is_refused) {
        struct payment *card = pay(FUNDS_CAPTURED, 8500), *other = pay(FUNDS_CAPTURED, 2000);
        struct provider_event told = word(PROVIDER_REFUND_ISSUED, 0);

        cr_assert_eq(give_back(100), PROBLEM_NONE);
        told.has_refund_id = true;
        told.refund_id = order.refunds[0]->id;
        cr_assert_eq(
                provider_tells(other, &told, &heard, "psp", &events, NOW, &arena, &refusal), PROBLEM_VALIDATION_FAILED);
        cr_assert_str_eq(refusal.violations->code, "unknown-refund");
        refusal = (struct refusal){ 0 };
        told.amount = 99;
        told.has_amount = true;
        cr_assert_eq(
                provider_tells(card, &told, &heard, "psp", &events, NOW, &arena, &refusal), PROBLEM_VALIDATION_FAILED);
        cr_assert_str_eq(refusal.violations->pointer, "#/amount");
        cr_assert_eq(order.refunds[0]->state, REFUND_PENDING);
}

Test(payments, an_event_is_checked_before_anything_is_looked_up) {
        struct provider_event told = word(PROVIDER_REFUND_ISSUED, 0);

        cr_assert_eq(provider_check(&told, &arena, &refusal), PROBLEM_VALIDATION_FAILED);
        cr_assert_str_eq(refusal.violations->code, "required");
        refusal = (struct refusal){ 0 };
        told = word(PROVIDER_CAPTURED, 5);
        told.has_refund_id = true;
        cr_assert_eq(provider_check(&told, &arena, &refusal), PROBLEM_VALIDATION_FAILED);
        cr_assert_str_eq(refusal.violations->code, "not-allowed");
        refusal = (struct refusal){ 0 };
        told = word(PROVIDER_FAILED, 5);
        cr_assert_eq(provider_check(&told, &arena, &refusal), PROBLEM_VALIDATION_FAILED);
        cr_assert_str_eq(refusal.violations->pointer, "#/amount");
        refusal = (struct refusal){ 0 };
        told = word(PROVIDER_FAILED, 0);
        cr_assert_eq(provider_check(&told, &arena, &refusal), PROBLEM_NONE);
}

Test(payments, an_event_id_belongs_to_one_event) {
        struct told_events before = { .arena = &arena };
        const struct payment card = { .id = { { 1 } }, .order = &order };
        const struct uuid payment = card.id, other = { { 2 } };
        struct told_event event;
        struct provider_event told = word(PROVIDER_CAPTURED, 5);
        bool known = true;

        cr_assert_eq(told_events_find(&before, &payment, &told, &arena, &refusal, &known), PROBLEM_NONE);
        cr_assert_not(known);
        event = told_event_of(&before, &card, &told, NOW);
        cr_assert(told_events_add(&before, &event));
        cr_assert_eq(told_events_find(&before, &payment, &told, &arena, &refusal, &known), PROBLEM_NONE);
        cr_assert(known);
        told.amount = 6;
        cr_assert_eq(told_events_find(&before, &other, &told, &arena, &refusal, &known), PROBLEM_NONE);
        cr_assert_not(known);
        cr_assert_eq(told_events_find(&before, &payment, &told, &arena, &refusal, &known), PROBLEM_EVENT_ID_REUSED);
}

/* Two events of the provider and one command: of 65.00 requested, 20.00 were refunded as store credit. */
Test(payments, refunds_of_the_whole_order_are_never_more_than_its_captures_when_one_fails) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500);

        ship(0, 2);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 2000), PROBLEM_NONE);
        cr_assert_eq(give_back_to(2000, REFUND_TO_STORE_CREDIT), PROBLEM_NONE);
        cr_assert_eq(give_back(1500), PROBLEM_NONE);
        cr_assert_eq(tell_refund(order.refunds[1], PROVIDER_REFUND_ISSUED), PROBLEM_INVALID_TRANSITION);
        cr_assert_eq(tell(card, PROVIDER_FAILED, 0), PROBLEM_NONE);
        cr_assert_eq(order.refunds[1]->state, REFUND_FAILED);
        cr_assert_eq(order.refunded, 2000);
}

/* ---- refunds for returns ---- */

/* Two units of the first line come back, each in another return, and one unit of the second is cancelled. */
static struct return_claim claims[2];

static void given_two_returns(void) {
        ship(0, 2);
        for (size_t i = 0; i < 2; i++) {
                claims[i] = (struct return_claim){ .return_id = { { (uint8_t) (i + 1) } },
                        .amount = order_credit_units(&lines[0], 1) };
                lines[0].returned++;
        }
        order.claims = claims;
        order.n_claims = 2;
        cancel(1, 1);
}

static int64_t refunded_for(size_t claim) {
        return order_refunded_for(&order, &claims[claim].return_id);
}

static enum problem give_back_for(size_t claim, int64_t amount) {
        const struct refund_request request = { .amount = amount,
                .to = REFUND_TO_ORIGINAL,
                .reason = "it was late",
                .return_id = claims[claim].return_id };

        refusal = (struct refusal){ 0 };
        return order_give_back(&order, &request, "ada", &events, NOW, &arena, &refusal);
}

static void assert_available(int64_t available) {
        cr_assert_not_null(refusal.violations);
        cr_assert_str_eq(refusal.violations->pointer, "#/amount");
        cr_assert(refusal.violations->has_available);
        cr_assert_eq(refusal.violations->available, available, "it is %" PRId64, refusal.violations->available);
}

Test(payments, a_refund_pays_the_returns_first_and_the_oldest_before_the_others) {
        (void) pay(FUNDS_CAPTURED, 10500);
        given_two_returns();
        cr_assert_eq(order.refund_due, 7000);
        cr_assert_eq(give_back(4000), PROBLEM_NONE);
        cr_assert_eq(refunded_for(0), 3000);
        cr_assert_eq(refunded_for(1), 1000);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(refunded_for(1), 3000);
        cr_assert_eq(order.n_refunds, 4);
        cr_assert(uuid_is_nil(&order.refunds[3]->return_id), "the cancelled unit is of no return");
        cr_assert_eq(order.refunds[3]->amount, 1000);
        cr_assert_eq(order.refund_due, 0);
        cr_assert_eq(told("order.appeased"), 0);
}

Test(payments, a_refund_for_one_return_pays_only_its_claim) {
        (void) pay(FUNDS_CAPTURED, 10500);
        given_two_returns();
        cr_assert_eq(give_back_for(1, 3001), PROBLEM_OVER_REFUND);
        assert_available(3000);
        cr_assert_eq(give_back_for(1, 0), PROBLEM_NONE);
        cr_assert_eq(refunded_for(1), 3000);
        cr_assert_eq(refunded_for(0), 0);
        cr_assert_eq(give_back_for(1, 0), PROBLEM_OVER_REFUND);
        assert_available(0);
        order.n_claims = 1;
        cr_assert_eq(give_back_for(1, 0), PROBLEM_VALIDATION_FAILED);
        cr_assert_str_eq(refusal.violations->code, "unknown-return");
}

Test(payments, an_appeasement_pays_no_return_without_a_due_amount) {
        (void) pay(FUNDS_CAPTURED, 10500);
        given_two_returns();
        order_settle_values(&order);
        lines[1].quantity += 7;
        lines[1].value += 7000;
        order.total += 7000; /* an exchange takes all that was due */
        order_settle(&order, &events, "ada", NOW);
        cr_assert_eq(order.refund_due, 0);
        cr_assert_eq(give_back(500), PROBLEM_NONE);
        cr_assert_eq(refunded_for(0) + refunded_for(1), 0);
        cr_assert_eq(told("order.appeased"), 1);
}

Test(payments, a_refund_that_failed_is_due_again_for_its_return) {
        (void) pay(FUNDS_CAPTURED, 10500);
        given_two_returns();
        cr_assert_eq(give_back_for(0, 0), PROBLEM_NONE);
        cr_assert_eq(tell_refund(order.refunds[0], PROVIDER_REFUND_FAILED), PROBLEM_NONE);
        cr_assert_eq(refunded_for(0), 0);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(refunded_for(0), 3000);
}

Test(payments, a_refused_amount_names_the_available_amount) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500);
        const struct payment_request more = { .status = FUNDS_CAPTURED, .amount = 1, .has_amount = true };
        struct payment *none = NULL;
        const struct cancel_line some = { lines[1].id, 5 };

        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 10501), PROBLEM_OVER_CAPTURE);
        assert_available(10500);
        cr_assert_eq(tell(card, PROVIDER_AUTHORIZED, 10501), PROBLEM_OVER_CAPTURE);
        assert_available(10500);
        cr_assert_eq(tell(card, PROVIDER_VOIDED, 10501), PROBLEM_OVER_CAPTURE);
        assert_available(10500);
        refusal = (struct refusal){ 0 };
        cr_assert_eq(order_pay(&order, &more, "ada", &events, NOW, &arena, &refusal, &none), PROBLEM_OVER_PAYMENT);
        assert_available(0);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 4000), PROBLEM_NONE);
        cr_assert_eq(give_back(4001), PROBLEM_OVER_REFUND);
        assert_available(4000);
        cr_assert_eq(give_back(0), PROBLEM_OVER_REFUND);
        assert_available(4000);
        refusal = (struct refusal){ 0 };
        cr_assert_eq(order_cancel(&order, &some, 1, "no", "ada", &events, NOW, &arena, &refusal),
                PROBLEM_INVALID_TRANSITION);
        cr_assert(refusal.violations->has_available && refusal.violations->available == 4);
}

/* ---- a further payment ---- */

static enum problem order_paid_more(enum funds_state state, int64_t amount) {
        const struct payment_request request = { .status = (int) state, .amount = amount, .has_amount = amount > 0 };
        struct payment *payment = NULL;

        refusal = (struct refusal){ 0 };
        return order_pay(&order, &request, "ada", &events, NOW, &arena, &refusal, &payment);
}

Test(payments, a_further_payment_covers_the_amount_neither_paid_nor_held) {
        (void) pay(FUNDS_CAPTURED, 2000);
        (void) pay(FUNDS_AUTHORIZED, 3000);
        cr_assert_eq(order_paid_more(FUNDS_CAPTURED, 5501), PROBLEM_OVER_PAYMENT);
        cr_assert_eq(order_paid_more(FUNDS_PENDING, 5500), PROBLEM_NONE);
        cr_assert_eq(order_paid_more(FUNDS_AUTHORIZED, 0), PROBLEM_NONE, "in place of the one that is pending");
        cr_assert_eq(order.payments[3]->amount, 5500);
        assert_status(PAYMENT_AUTHORIZED);
        cr_assert_eq(order_paid_more(FUNDS_PENDING, 1), PROBLEM_OVER_PAYMENT);
        cr_assert_eq(tell(order.payments[2], PROVIDER_CAPTURED, 0), PROBLEM_NONE, "both came");
        cr_assert_eq(order_balance(&order), 3000);
}

Test(payments, an_order_has_a_limit_of_payments) {
        for (size_t i = 0; i < ORDER_PAYMENTS_MAX; i++)
                cr_assert_eq(order_paid_more(FUNDS_PENDING, 10), PROBLEM_NONE);
        cr_assert_eq(order_paid_more(FUNDS_PENDING, 10), PROBLEM_TOO_MANY);
        cr_assert_str_eq(refusal.violations->code, "too-many");
        cr_assert_eq(order.n_payments, ORDER_PAYMENTS_MAX);
}

Test(payments, an_order_has_a_limit_of_refunds) {
        (void) pay(FUNDS_CAPTURED, 10500);
        while (order.n_refunds + 2 <= ORDER_REFUNDS_MAX) {
                cr_assert_eq(give_back(1), PROBLEM_NONE);
                events_init(&events, &arena);
        }
        cr_assert_eq(give_back(1), PROBLEM_TOO_MANY);
        cr_assert_str_eq(refusal.violations->code, "too-many");
        cr_assert_eq(order.n_refunds, ORDER_REFUNDS_MAX - 1);
}

/* ---- crediting ---- */

Test(payments, a_fee_is_withheld_from_the_credit_of_a_return) {
        (void) pay(FUNDS_CAPTURED, 10500);
        ship(0, 2);
        cr_assert_eq(order_credit_units(&lines[0], 1), 3000);
        lines[0].returned++;
        order_credit(&order, -450, 0);
        order_settle(&order, &events, "ada", NOW);
        cr_assert_eq(order.refund_due, 2550);
        cr_assert_eq(order.adjusted, -450);
}

/* ---- random sales lose or make no cent ---- */

#define RANDOM_ORDERS 12000
#define STEPS_MAX     24

static int64_t random_amount(uint64_t *dice, int64_t most) {
        return most > 0 ? (int64_t) dice_below(dice, (size_t) most) + 1 : 0;
}

/* Two lines with a discount each way, maybe a tax on top. */
static void random_order(uint64_t *dice) {
        static struct order_discount discounts[2];
        int64_t gross[2];

        for (size_t i = 0; i < 2; i++) {
                const int64_t quantity = 1 + (int64_t) dice_below(dice, 7);

                line_set(i, quantity, (int64_t) dice_below(dice, 5000));
                gross[i] = quantity * lines[i].unit_price;
        }
        discounts[0] =
                (struct order_discount){ .amount = (int64_t) dice_below(dice, (size_t) gross[0] + 1), .line = 0 };
        discounts[1] = (struct order_discount){ .amount = (int64_t) dice_below(
                                                        dice, (size_t) (gross[0] + gross[1] - discounts[0].amount) + 1),
                .line = -1 };
        fulfillment.status = FULFILLMENT_PACKED;
        order.discounts = discounts;
        order.n_discounts = 2;
        order.subtotal = gross[0] + gross[1];
        order.discount = discounts[0].amount + discounts[1].amount;
        order.shipping = (int64_t) dice_below(dice, 900);
        order.tax = (int64_t) dice_below(dice, 900);
        order.tax_included = !dice_below(dice, 2);
        order.total = order.subtotal - order.discount + order.shipping + (order.tax_included ? 0 : order.tax);
}

static void random_payments(uint64_t *dice) {
        int64_t left = order.total;

        for (size_t n = 1 + dice_below(dice, 3); n && left; n--) {
                const int64_t amount = n == 1 ? left : random_amount(dice, left);

                (void) pay((enum funds_state) dice_below(dice, 3), amount);
                left -= amount;
        }
}

static void random_word(uint64_t *dice) {
        static const enum provider_event_type types[] = { PROVIDER_AUTHORIZED, PROVIDER_CAPTURED, PROVIDER_CAPTURED,
                PROVIDER_CAPTURED, PROVIDER_FAILED, PROVIDER_VOIDED };
        struct payment *payment;
        enum provider_event_type type;

        if (!order.n_payments)
                return;
        payment = order.payments[dice_below(dice, order.n_payments)];
        type = types[dice_below(dice, array_size(types))];
        (void) tell(payment, type,
                type == PROVIDER_FAILED || dice_below(dice, 2) ? 0 : random_amount(dice, payment->amount));
}

static void random_refund_word(uint64_t *dice) {
        static const enum provider_event_type types[] = { PROVIDER_REFUND_FAILED, PROVIDER_REFUND_ISSUED,
                PROVIDER_REFUND_SETTLED };
        struct refund *refund;

        if (!order.n_refunds)
                return;
        refund = order.refunds[dice_below(dice, order.n_refunds)];
        if (refund->payment)
                (void) tell_refund(refund, types[dice_below(dice, array_size(types))]);
}

static void random_return(uint64_t *dice) {
        struct order_line *line = &lines[dice_below(dice, 2)];
        const int64_t units = random_amount(dice, line->fulfilled - line->returned);

        if (!units)
                return;
        (void) order_credit_units(line, units);
        line->returned += units;
        order_settle(&order, &events, "ada", NOW);
}

static void random_give_back(uint64_t *dice) {
        const enum refund_to to = dice_below(dice, 4) ? REFUND_TO_ORIGINAL : REFUND_TO_STORE_CREDIT;

        (void) give_back_to(dice_below(dice, 2) ? 0 : random_amount(dice, order.total), to);
}

static int64_t kept; /* of returned goods: fees, and withheld amounts */

/* As a return withholds its refundable amount. */
static void random_withholding(uint64_t *dice) {
        const int64_t due = order_refund_expected(&order);
        const int64_t amount = random_amount(dice, due < order.credited ? due : order.credited);

        order_credit(&order, -amount, 0);
        kept += amount;
        order_settle(&order, &events, "ada", NOW);
}

/* As an exchange does: units more of a line, at its price. */
static void random_addition(uint64_t *dice) {
        const size_t i = dice_below(dice, 2);
        const int64_t units = 1 + (int64_t) dice_below(dice, 3), price = units * lines[i].unit_price;

        if (order.status == ORDER_CANCELLED)
                return;
        order_settle_values(&order);
        lines[i].quantity += units;
        lines[i].value += price;
        allocations[i].quantity += units;
        rows[i].reserved += units;
        order.subtotal += price;
        order.total += price;
        order_settle(&order, &events, "ada", NOW);
}

/* As a fulfillment that is reinstated: cancelled units are charged and reserved again, also of a cancelled order. */
static void random_revival(uint64_t *dice) {
        const size_t i = dice_below(dice, 2);
        const int64_t units = random_amount(dice, lines[i].cancelled);

        if (!units || kept) /* fees are kept of returned goods only */
                return;
        order_charge_units(&lines[i], units);
        lines[i].cancelled -= units;
        allocations[i].cancelled -= units;
        rows[i].reserved += units;
        order_settle(&order, &events, "ada", NOW);
}

static void random_payment(uint64_t *dice) {
        static const enum funds_state states[] = { FUNDS_PENDING, FUNDS_AUTHORIZED, FUNDS_CAPTURED };

        (void) order_paid_more(states[dice_below(dice, 3)], dice_below(dice, 2) ? 0 : random_amount(dice, order.total));
}

static void random_step(uint64_t *dice) {
        const size_t line = dice_below(dice, 2);
        const int64_t open = order_line_open(&lines[line]);

        switch (dice_below(dice, 11)) {
        case 0:
                if (open)
                        cancel(line, random_amount(dice, open));
                break;
        case 1:
                if (open)
                        ship(line, random_amount(dice, open));
                break;
        case 2:
                random_return(dice);
                break;
        case 3:
                random_give_back(dice);
                break;
        case 4:
                random_refund_word(dice);
                break;
        case 5:
                random_withholding(dice);
                break;
        case 6:
                random_addition(dice);
                break;
        case 7:
                random_payment(dice);
                break;
        case 8:
                random_revival(dice);
                break;
        default:
                random_word(dice);
        }
}

static int64_t share_given_up(const struct order_line *line) {
        return order_line_value(line, 0, line->cancelled + line->returned);
}

/* The invariants after every step, computed here independently. */
static void assert_money(size_t sale) {
        int64_t paid = 0, asked_for = 0, refunded = 0, sent = 0, to_payments = 0, given_up = order.adjusted;

        for (size_t i = 0; i < order.n_payments; i++) {
                const struct payment *payment = order.payments[i];

                paid += payment->captured;
                asked_for += payment->capture_due;
                to_payments += payment->refunded;
                cr_assert(payment->captured >= 0 && payment->voided >= 0 && payment->capture_due >= 0 &&
                                  payment->refunded >= 0 && payment->void_due >= 0 && payment->failed >= 0,
                        "sale %zu", sale);
                cr_assert_geq(payment_held(payment), 0, "sale %zu", sale);
                cr_assert(!payment_held(payment) || payment->state == FUNDS_AUTHORIZED ||
                                  payment->state == FUNDS_PARTIALLY_CAPTURED,
                        "sale %zu: %s", sale, payment_lifecycle.states[payment->state]);
                cr_assert_leq(payment->authorized, payment->amount);
                cr_assert_leq(payment->refunded, payment->captured + payment->capture_due, "sale %zu", sale);
        }
        for (size_t i = 0; i < order.n_refunds; i++) {
                if (order.refunds[i]->state == REFUND_FAILED)
                        continue;
                refunded += order.refunds[i]->amount;
                sent += order.refunds[i]->state == REFUND_PENDING ? 0 : order.refunds[i]->amount;
                to_payments -= order.refunds[i]->payment ? order.refunds[i]->amount : 0;
        }
        for (size_t i = 0; i < 2; i++)
                given_up += share_given_up(&lines[i]);
        cr_assert_eq(to_payments, 0, "sale %zu: a payment knows other refunds than there are", sale);
        cr_assert_leq(refunded, paid + asked_for, "sale %zu: more is given back than there is", sale);
        cr_assert_leq(sent, paid, "sale %zu: more is on its way than was paid", sale);
        cr_assert_eq(order.paid, paid);
        cr_assert_eq(order.refunded, refunded);
        cr_assert_eq(
                order.credited, given_up + (order.status == ORDER_CANCELLED ? order.shipping : 0), "sale %zu", sale);
        cr_assert(order.credited >= 0 && order.credited <= order.total);
        cr_assert_eq(order.refund_due,
                paid - refunded > order.total - order.credited ? paid - refunded - (order.total - order.credited) : 0);
}

/* The status says that the order is covered exactly if the payments cover what it owes now. */
static void assert_status_tells_the_sum(size_t sale) {
        int64_t covered = order.paid - order.refunded;
        const int64_t charge = order.total - order.credited;

        for (size_t i = 0; i < order.n_payments; i++)
                covered += order.payments[i]->capture_due + payment_held(order.payments[i]);
        if (order.status == ORDER_CANCELLED)
                return;
        cr_assert_eq(order.payment_status == PAYMENT_PENDING, covered < charge,
                "sale %zu: %s, but %" PRId64 " of %" PRId64 " are covered", sale,
                payment_status_text(order.payment_status), covered, charge);
        if (order.payment_status == PAYMENT_REFUNDED)
                cr_assert_eq(charge, 0, "sale %zu: refunded, but the customer owes %" PRId64, sale, charge);
}

/* The tax in credits and refunds is never more than that of the order, and its parts add up. */
static void assert_tax(size_t sale) {
        int64_t dealt = order_shipping_tax(&order), refunded = 0;

        for (size_t i = 0; i < 2; i++) {
                dealt += order_line_tax(&lines[i], 0, lines[i].quantity);
                cr_assert_geq(lines[i].tax, 0);
                cr_assert_geq(lines[i].cancelled_value, lines[i].tax ? 0 : lines[i].cancelled_tax);
        }
        for (size_t i = 0; i < order.n_refunds; i++)
                refunded += order.refunds[i]->state == REFUND_FAILED ? 0 : order.refunds[i]->tax;
        cr_assert_eq(dealt, order.tax, "sale %zu", sale);
        cr_assert_leq(order_credited_tax(&order), order.tax, "sale %zu", sale);
        cr_assert_leq(refunded, order.tax, "sale %zu", sale);
}

static void give_back_all(size_t sale) {
        if (order.refund_due && order_refundable(&order, REFUND_TO_ORIGINAL) >= order.refund_due)
                cr_assert_eq(give_back(order.refund_due), PROBLEM_NONE, "sale %zu", sale);
        cr_assert_eq(order.refund_due, 0, "sale %zu", sale);
}

/* All remaining units are returned or cancelled, and every refund is settled. */
static void undo_the_rest(void) {
        for (size_t i = 0; i < 2; i++) {
                const int64_t away = lines[i].fulfilled - lines[i].returned;

                (void) order_credit_units(&lines[i], away);
                lines[i].returned += away;
        }
        if (order.status != ORDER_CANCELLED)
                order_credit(&order, order.shipping, order_shipping_tax(&order));
        order_settle(&order, &events, "ada", NOW);
}

Test(payments, random_payments_cancellations_returns_and_refunds_lose_or_make_no_cent) {
        uint64_t dice = 20261127;

        for (size_t sale = 0; sale < RANDOM_ORDERS; sale++) {
                close_till();
                open_till();
                random_order(&dice);
                random_payments(&dice);
                kept = 0;
                order_project_money(&order);
                for (size_t step = dice_below(&dice, STEPS_MAX); step; step--) {
                        random_step(&dice);
                        assert_money(sale);
                        assert_status_tells_the_sum(sale);
                        assert_tax(sale);
                }
                for (size_t i = 0; i < 2; i++)
                        if (order_line_open(&lines[i]))
                                cancel(i, order_line_open(&lines[i]));
                undo_the_rest();
                assert_money(sale);
                give_back_all(sale);
                assert_money(sale);
                if (told("order.appeased"))
                        cr_assert_geq(order.credited, order.total - kept, "sale %zu", sale);
                else
                        cr_assert_eq(order.credited, order.total - kept, "sale %zu", sale);
                cr_assert_leq(order.paid - order.refunded, order_charge(&order),
                        "sale %zu: all that was paid is given back", sale);
                cr_assert_leq(
                        order.refunded, order.paid + order_money(&order).capture_due, "sale %zu: and no more", sale);
        }
}

/* ---- amounts for a credit note ---- */

static struct cancel_quote quote_of(size_t line, int64_t units) {
        const struct cancel_line some = { lines[line].id, units };
        struct cancel_quote quote = { 0 };

        refusal = (struct refusal){ 0 };
        cr_assert_eq(order_cancel_quote(
                             &order, units ? &some : NULL, units ? 1 : 0, "no", "ada", NOW, &arena, &refusal, &quote),
                PROBLEM_NONE);
        return quote;
}

Test(payments, a_cancellation_quote_has_the_values_of_the_lines_and_the_tax_in_them) {
        struct cancel_quote quote;

        order.tax_included = false;
        order.tax = 2000;
        order.total += 2000;
        (void) pay(FUNDS_AUTHORIZED, 12500);
        quote = quote_of(0, 1);
        cr_assert_eq(quote.n_lines, 1);
        cr_assert_eq(quote.lines[0].line, &lines[0]);
        cr_assert(quote.lines[0].quantity == 1 && quote.lines[0].value == 3600 && quote.lines[0].tax == 600);
        cr_assert(quote.shipping == 0 && quote.void_due == 0);
        cr_assert_null(events.first, "no event is written");
        quote = quote_of(0, 0);
        cr_assert_eq(quote.n_lines, 2);
        cr_assert(quote.value == 3600 + 4800 && quote.tax == 600 + 800, "the rest");
        cr_assert(quote.shipping == 500 && quote.shipping_tax == 0 && quote.void_due == 12500);
}

Test(payments, a_quote_refuses_like_the_cancellation) {
        const struct cancel_line some = { lines[1].id, 5 };
        struct cancel_quote quote = { 0 };

        (void) pay(FUNDS_AUTHORIZED, 10500);
        cr_assert_eq(order_cancel_quote(&order, &some, 1, "no", "ada", NOW, &arena, &refusal, &quote),
                PROBLEM_INVALID_TRANSITION);
        cr_assert(refusal.violations->has_available && refusal.violations->available == 4);
}

Test(payments, the_event_of_a_cancellation_has_the_value_of_its_units_and_the_tax_in_it) {
        const struct event *event = NULL;

        order.tax = 1050;
        (void) pay(FUNDS_CAPTURED, 10500);
        cancel(0, 1);
        for (const struct event *other = events.first; other; other = other->next)
                if (other->type == EVENT_ORDER_UNITS_CANCELLED)
                        event = other;
        cr_assert_not_null(event);
        cr_assert_not_null(strstr(buffer_text(&event->data), "\"value\":3000,\"tax\":300"));
        cr_assert(lines[0].cancelled_value == 3000 && lines[0].cancelled_tax == 300);
        cr_assert_eq(order_shipping_tax(&order), 50);
        cr_assert_eq(order_credited_tax(&order), 300);
        cr_assert_eq(give_back(1000), PROBLEM_NONE);
        cr_assert_eq(order.refunds[0]->tax, 100);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(order.refunds[1]->tax, 200);
        cancel_all();
        cr_assert_eq(order_credited_tax(&order), 1050);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(order.refunds[2]->tax, 750);
}

/* The sum of all cancellations and returns. */
struct credit_notes {
        int64_t value, tax;
};

static void cancel_some(uint64_t *dice, struct credit_notes *notes) {
        struct order_line *line = &lines[dice_below(dice, 2)];
        const int64_t units = random_amount(dice, order_line_open(line));
        const int64_t value = line->cancelled_value, tax = line->cancelled_tax;

        if (!units)
                return;
        cancel((size_t) (line - lines), units);
        notes->value += line->cancelled_value - value;
        notes->tax += line->cancelled_tax - tax;
        if (order.status == ORDER_CANCELLED) {
                notes->value += order.shipping;
                notes->tax += order_shipping_tax(&order);
        }
}

static void return_some(uint64_t *dice, struct credit_notes *notes) {
        struct order_line *line = &lines[dice_below(dice, 2)];
        const int64_t units = random_amount(dice, line->fulfilled - line->returned);
        const int64_t before = line->cancelled + line->returned;

        if (!units)
                return;
        notes->tax += order_line_tax(line, before, units);
        notes->value += order_credit_units(line, units);
        line->returned += units;
        order_settle(&order, &events, "ada", NOW);
}

static bool is_all_given_up(void) {
        for (size_t i = 0; i < 2; i++)
                if (lines[i].cancelled + lines[i].returned < lines[i].quantity)
                        return false;
        return true;
}

Test(payments, the_parts_add_up_to_the_order_and_its_tax_in_every_order_of_cancels_and_returns) {
        uint64_t dice = 20261202;

        for (size_t sale = 0; sale < RANDOM_ORDERS / 2; sale++) {
                struct credit_notes notes = { 0 };
                int64_t refunded = 0, refunded_tax = 0;

                close_till();
                open_till();
                random_order(&dice);
                if (order.tax_included && order.tax > order.total)
                        order.tax = order.total;
                (void) pay(FUNDS_CAPTURED, order.total);
                while (!is_all_given_up()) {
                        const size_t line = dice_below(&dice, 2);
                        const int64_t open = order_line_open(&lines[line]);

                        if (!dice_below(&dice, 3))
                                cancel_some(&dice, &notes);
                        else if (dice_below(&dice, 2) && open)
                                ship(line, random_amount(&dice, open));
                        else
                                return_some(&dice, &notes);
                        if (order.refund_due && !dice_below(&dice, 3))
                                cr_assert_eq(give_back(random_amount(&dice, order.refund_due)), PROBLEM_NONE);
                }
                if (order.status != ORDER_CANCELLED) {
                        const int64_t tax = order_shipping_tax(&order);

                        notes.value += order.shipping;
                        notes.tax += tax;
                        order_credit(&order, order.shipping, tax);
                        order_settle(&order, &events, "ada", NOW);
                }
                if (order.refund_due)
                        cr_assert_eq(give_back(0), PROBLEM_NONE);
                for (size_t i = 0; i < order.n_refunds; i++) {
                        refunded += order.refunds[i]->amount;
                        refunded_tax += order.refunds[i]->tax;
                }
                cr_assert_eq(notes.value, order.total, "sale %zu", sale);
                cr_assert_eq(notes.tax, order.tax, "sale %zu", sale);
                cr_assert_eq(refunded, order.total, "sale %zu", sale);
                cr_assert_eq(refunded_tax, order.total ? order.tax : 0, "sale %zu", sale);
                cr_assert_eq(order_credited_tax(&order), order.total ? order.tax : 0, "sale %zu", sale);
        }
}
