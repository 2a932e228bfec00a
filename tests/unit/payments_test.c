#include "dice.h"
#include "money_scene.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A balance of 105.00 without any order: the tests say how much of it is earned. */
static struct balance balance;
static int64_t earned, version;

static void open_till(void) {
        money_open();
        earned = 0;
        version = 1;
        balance = (struct balance){ .order_id = uuid_new(),
                .order_version = &version,
                .currency = "EUR",
                .total = 10500,
                .payment_due_at = TIMESTAMP_NONE,
                .unpaid_since = TIMESTAMP_NONE };
}

TestSuite(payments, .init = open_till, .fini = money_close);

/* ---- shorthands ---- */

static struct payment *pay(enum funds_state state, int64_t amount) {
        const struct payment_request request = { .status = (int) state, .amount = amount };
        struct payment *payment = payment_add(&balance, &request, "ada", NOW, &arena);

        cr_assert_not_null(payment);
        payment->is_new = false;
        balance_project(&balance);
        return payment;
}

static enum problem pay_more(enum funds_state state, int64_t amount) {
        const struct payment_request request = { .status = (int) state, .amount = amount, .has_amount = amount > 0 };
        struct payment *payment = NULL;
        enum problem p;

        refusal = (struct refusal){ 0 };
        p = balance_pay(&balance, &request, &command, &payment);
        if (!p)
                balance_settle(&balance, earned, &command);
        return p;
}

/* The provider reports an event that is recorded at that time. In no test does an event lower a known capture. */
static enum problem provider_tells(struct payment *payment, const struct provider_event *told, timestamp now) {
        const struct command psp = provider_command(now);
        const int64_t captured = payment->captured, paid = balance_sums(&balance).paid;
        enum problem p;

        refusal = (struct refusal){ 0 };
        p = provider_event_apply(payment, told, &heard, &psp);
        if (!p)
                balance_settle(&balance, earned, &psp);
        cr_assert_geq(payment->captured, captured, "%s lowers %" PRId64 " to %" PRId64,
                provider_event_texts[told->type], captured, payment->captured);
        cr_assert_geq(balance_sums(&balance).paid, paid);
        return p;
}

static enum problem tell(struct payment *payment, enum provider_event_type type, int64_t amount) {
        const struct provider_event told = event_of_type(type, amount);

        return provider_tells(payment, &told, NOW + 1);
}

/* The same event, with an occurred_at some seconds after NOW. */
static enum problem tell_of(struct payment *payment, enum provider_event_type type, int64_t amount, int64_t second) {
        struct provider_event told = event_of_type(type, amount);

        told.occurred_at = NOW + second * SECOND;
        return provider_tells(payment, &told, NOW + HOUR);
}

static enum problem tell_refund(const struct refund *refund, enum provider_event_type type) {
        struct provider_event told = event_of_type(type, 0);

        told.refund_id = refund->id;
        told.has_refund_id = true;
        return provider_tells(refund->payment ? refund->payment : balance.payments[0], &told, NOW + 1);
}

/* What the order does with the part beyond the amount due: it credits it. */
static enum problem give_back_as(const struct refund_request *request) {
        struct taxed beyond = { 0 };
        struct refund_request whole = *request;
        enum problem p;

        refusal = (struct refusal){ 0 };
        whole.credited.amount = balance.credited;
        p = balance_give_back(&balance, &whole, /* tax= */ 0, &command, &beyond);
        if (p)
                return p;
        balance.credited += beyond.amount;
        balance_settle(&balance, earned, &command);
        return PROBLEM_NONE;
}

static enum problem give_back_to(int64_t amount, enum refund_to to) {
        return give_back_as(&(struct refund_request){ .amount = amount, .to = to, .reason = "it was late" });
}

static enum problem give_back(int64_t amount) {
        return give_back_to(amount, REFUND_TO_ORIGINAL);
}

/* Units have left: so much of the charge is earned, 105.00 with the last of them. */
static void earn(int64_t amount) {
        earned = amount;
        if (earned == balance.total)
                balance.stage = BALANCE_COMPLETE;
        balance_settle(&balance, earned, &command);
}

static void credit(int64_t amount) {
        balance.credited += amount;
        balance_settle(&balance, earned, &command);
}

static void cancel_all(void) {
        balance.stage = BALANCE_CANCELLED;
        balance.credited = balance.total;
        balance_settle(&balance, earned, &command);
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

static void assert_status(enum payment_status status) {
        cr_assert_eq(balance.payment_status, status, "it is %s", payment_status_texts[balance.payment_status]);
}

static void assert_available(int64_t available) {
        cr_assert_not_null(refusal.violations);
        cr_assert_str_eq(refusal.violations->pointer, "#/amount");
        cr_assert(refusal.violations->has_available);
        cr_assert_eq(refusal.violations->available, available, "it is %" PRId64, refusal.violations->available);
}

/* ---- events of the provider ---- */

Test(payments, captures_are_requested_in_the_order_of_the_payments) {
        struct payment *gift_card = pay(FUNDS_CAPTURED, 2000), *card = pay(FUNDS_AUTHORIZED, 5000);
        struct payment *invoice = pay(FUNDS_AUTHORIZED, 3500);

        assert_status(PAYMENT_AUTHORIZED);
        earn(6500);
        cr_assert_eq(gift_card->capture_due, 0);
        cr_assert_eq(card->capture_due, 6500 - 2000);
        earn(10500);
        cr_assert_eq(card->capture_due, 5000);
        cr_assert_eq(invoice->capture_due, 3500);
}

Test(payments, a_failed_capture_is_requested_from_another_payment) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500), *other;

        earn(6500);
        cr_assert_eq(tell(card, PROVIDER_FAILED, 0), PROBLEM_NONE);
        assert_state(card, FUNDS_FAILED);
        assert_status(PAYMENT_PENDING);
        cr_assert_eq(card->capture_due, 0);
        other = pay(FUNDS_AUTHORIZED, 10500);
        balance_settle(&balance, earned, &command);
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

        credit(9000);
        earn(3500);
        cr_assert_eq(card->capture_due, 1500);
        earn(3500);
        cr_assert_eq(card->capture_due, 1500);
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

/* ---- versions ---- */

static int64_t version_of_last(enum event_type type) {
        int64_t last = -1;

        events_settle(&events);
        for (const struct event *event = events.first; event; event = event->next)
                if (event->type == type)
                        last = event->version;
        return last;
}

/* Two commands of one batch: the payment is inserted with the version of the second. */
Test(payments, a_new_payment_has_version_1_and_a_later_command_raises_it) {
        const struct payment *card;

        cr_assert_eq(pay_more(FUNDS_AUTHORIZED, 0), PROBLEM_NONE);
        card = balance.payments[0];
        cr_assert(card->version == 1 && card->is_new);
        cr_assert_eq(version_of_last(EVENT_PAYMENT_ADDED), 1);
        earn(6500);
        cr_assert(card->version == 2 && card->is_new);
        cr_assert_eq(version_of_last(EVENT_PAYMENT_CAPTURE_DUE), 2);
        earn(6500);
        cr_assert_eq(card->version, 2, "the command did not change it");
        cr_assert_eq(money_told("payment.updated"), 0, "other events tell its versions");
}

Test(payments, a_new_refund_has_version_1_and_a_later_command_raises_it) {
        const struct refund *refund;

        (void) pay(FUNDS_CAPTURED, 10500);
        cr_assert_eq(give_back(1000), PROBLEM_NONE);
        refund = balance.refunds[0];
        cr_assert(refund->version == 1 && refund->is_new);
        cr_assert_eq(give_back(1000), PROBLEM_NONE);
        cr_assert(refund->version == 1 && balance.refunds[1]->version == 1);
        cr_assert_eq(tell_refund(refund, PROVIDER_REFUND_SETTLED), PROBLEM_NONE);
        cr_assert(refund->version == 2 && balance.refunds[1]->version == 1);
}

/* ---- cancelled balances ---- */

Test(payments, a_cancelled_order_requests_voids_of_uncaptured_payments) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 8000), *invoice = pay(FUNDS_PENDING, 2500);

        cancel_all();
        assert_state(card, FUNDS_VOIDED);
        assert_state(invoice, FUNDS_VOIDED);
        cr_assert(card->void_due == 8000 && card->voided == 0, "the provider has not reported the void yet");
        cr_assert_eq(money_told("payment.void_due"), 1);
        cr_assert_eq(money_told("payment.voided"), 1, "of the invoice, for which nothing was held");
        assert_status(PAYMENT_VOIDED);
        cr_assert_eq(tell(card, PROVIDER_VOIDED, 0), PROBLEM_NONE, "the answer");
        cr_assert(card->void_due == 0 && card->voided == 8000);
        cr_assert_eq(money_told("payment.voided"), 2);
        cr_assert_eq(balance_due(&balance), 0);
}

Test(payments, a_capture_after_a_cancel_comes_due_as_a_refund) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cancel_all();
        cr_assert_eq(money_told("refund.due"), 0);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 0), PROBLEM_NONE);
        assert_state(card, FUNDS_CAPTURED);
        cr_assert_eq(balance.refund_due, 10500);
        cr_assert_eq(money_told("refund.due"), 1);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        assert_status(PAYMENT_REFUNDED);
}

Test(payments, a_part_captured_after_a_cancel_comes_due_and_the_rest_is_voided) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cancel_all();
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 5000), PROBLEM_NONE);
        assert_state(card, FUNDS_CAPTURED);
        cr_assert_eq(balance.refund_due, 5000);
        cr_assert_eq(money_told("payment.void_due"), 1);
        cr_assert_eq(payment_held(card), 0);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 500), PROBLEM_NONE, "in parts");
        cr_assert_eq(balance.refund_due, 5500);
}

Test(payments, a_failed_payment_may_be_captured_in_parts_after_a_cancel) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cr_assert_eq(tell(card, PROVIDER_FAILED, 0), PROBLEM_NONE);
        cancel_all();
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 5000), PROBLEM_NONE);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 500), PROBLEM_NONE);
        assert_state(card, FUNDS_CAPTURED);
        cr_assert_eq(balance.refund_due, 5500);
}

Test(payments, a_void_of_an_authorization_after_a_cancel_is_requested_at_once) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cancel_all();
        cr_assert_eq(tell(card, PROVIDER_AUTHORIZED, 0), PROBLEM_NONE);
        assert_state(card, FUNDS_VOIDED);
        cr_assert_eq(payment_held(card), 0);
        cr_assert_eq(money_told("payment.void_due"), 1);
}

/* ---- order of events ---- */

Test(payments, a_late_failure_changes_nothing_and_is_recorded) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cr_assert_eq(tell_of(card, PROVIDER_AUTHORIZED, 0, 300), PROBLEM_NONE);
        cr_assert_eq(tell_of(card, PROVIDER_FAILED, 0, 0), PROBLEM_NONE);
        assert_state(card, FUNDS_AUTHORIZED);
        cr_assert(card->voided == 0 && card->failed == 0 && payment_held(card) == 10500);
        cr_assert_eq(money_told("payment.failed"), 0);
        cr_assert_eq(money_told("payment.event_late"), 1);
        cr_assert_eq(heard.n, 2);
        earn(6500);
        cr_assert_eq(card->capture_due, 6500, "the capture is asked for");
        cr_assert_eq(tell_of(card, PROVIDER_CAPTURED, 6500, 400), PROBLEM_NONE);
        cr_assert_eq(tell_of(card, PROVIDER_FAILED, 0, 350), PROBLEM_NONE);
        cr_assert_eq(tell_of(card, PROVIDER_FAILED, 0, 500), PROBLEM_NONE, "the rest cannot be captured");
        assert_state(card, FUNDS_CAPTURED);
        cr_assert(card->failed == 4000 && card->voided == 0);
}

Test(payments, a_failure_before_the_payment_was_placed_does_not_end_its_authorization) {
        for (int later = 0; later < 2; later++) {
                struct payment *card;

                money_close();
                open_till();
                card = pay(FUNDS_AUTHORIZED, 10500);
                cr_assert_eq(tell_of(card, PROVIDER_FAILED, 0, later ? 0 : -3600), PROBLEM_NONE);
                assert_state(card, later ? FUNDS_FAILED : FUNDS_AUTHORIZED);
                cr_assert_eq(card->failed, later ? 10500 : 0);
                cr_assert_eq(money_told("payment.event_late"), later ? 0 : 1);
                cr_assert_eq(money_told("payment.failed"), later ? 1 : 0);
                earn(6500);
                cr_assert_eq(card->capture_due, later ? 0 : 6500);
        }
}

/* Its client knew nothing yet: the failure tells how the try ended. */
Test(payments, a_failure_before_a_pending_payment_was_placed_fails_it) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cr_assert_eq(tell_of(card, PROVIDER_FAILED, 0, -3600), PROBLEM_NONE);
        assert_state(card, FUNDS_FAILED);
}

Test(payments, a_capture_or_void_before_the_payment_was_placed_counts) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500);

        cr_assert_eq(tell_of(card, PROVIDER_FAILED, 0, -7200), PROBLEM_NONE);
        cr_assert_eq(tell_of(card, PROVIDER_CAPTURED, 4000, -3600), PROBLEM_NONE);
        cr_assert_eq(tell_of(card, PROVIDER_VOIDED, 500, -1800), PROBLEM_NONE);
        cr_assert(card->captured == 4000 && card->voided == 500 && card->failed == 0);
        cr_assert_eq(payment_held(card), 6000);
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

                money_close();
                open_till();
                card = pay(FUNDS_AUTHORIZED, 10500);
                cr_assert_eq(tell_of(card, PROVIDER_CAPTURED, 10500, 1), PROBLEM_NONE);
                was = *card;
                known = heard.n;
                cr_assert_eq(tell_of(card, told_after[i].type, told_after[i].amount, 2), PROBLEM_NONE, "case %zu", i);
                assert_same(card, &was, "afterwards");
                assert_status(PAYMENT_CAPTURED);
                cr_assert_eq(heard.n, known + 1, "case %zu: it is not recorded", i);
                if (told_after[i].type != PROVIDER_AUTHORIZED)
                        cr_assert_eq(money_told("payment.event_late"), 1, "case %zu", i);
                cr_assert_eq(money_told("payment.voided") + money_told("payment.failed"), 0, "case %zu", i);
        }
}

/* The card was closed: the bank sends the money back. */
Test(payments, a_refund_that_fails_after_it_was_settled_is_due_again) {
        struct payment *card = pay(FUNDS_CAPTURED, 10500);

        credit(1000);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(tell_refund(balance.refunds[0], PROVIDER_REFUND_SETTLED), PROBLEM_NONE);
        cr_assert_eq(tell_refund(balance.refunds[0], PROVIDER_REFUND_FAILED), PROBLEM_NONE);
        cr_assert_eq(balance.refunds[0]->state, REFUND_FAILED);
        cr_assert_eq(balance.refund_due, 1000);
        cr_assert_eq(card->refunded, 0);
        cr_assert(money_told("refund.failed") == 1 && money_told("refund.due") == 2 &&
                  money_told("payment.event_late") == 0);
        cr_assert_eq(give_back(0), PROBLEM_NONE, "another refund pays it");
        cr_assert_eq(balance.refund_due, 0);
}

Test(payments, a_failed_amount_is_neither_voided_nor_to_be_voided) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500);

        cr_assert_eq(tell(card, PROVIDER_FAILED, 0), PROBLEM_NONE);
        cr_assert(card->voided == 0 && card->void_due == 0 && card->failed == 10500);
        cancel_all();
        cr_assert_eq(money_told("payment.void_due"), 0);
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

                        money_close();
                        open_till();
                        card = pay(FUNDS_AUTHORIZED, 10500);
                        (void) tell_of(card, sorted[j], sorted[j] == PROVIDER_CAPTURED ? 4000 : 0, 5);
                        (void) tell_of(card, sorted[i], sorted[i] == PROVIDER_CAPTURED ? 4000 : 0, 5);
                        there = *card;
                        money_close();
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

Test(payments, a_recorded_capture_is_not_replaced_by_an_earlier_one) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cr_assert_eq(tell_of(card, PROVIDER_CAPTURED, 9000, 10), PROBLEM_NONE);
        cr_assert_eq(tell_of(card, PROVIDER_CAPTURED, 8000, 5), PROBLEM_OVER_CAPTURE, "both are more than there is");
        assert_available(1500);
        cr_assert(card->captured == 9000 && heard.n == 1);
        cr_assert_eq(tell_of(card, PROVIDER_CAPTURED, 1500, 5), PROBLEM_NONE);
        cr_assert_eq(card->captured, 10500);
}

/* Both cannot be true: the second to arrive is refused, whatever their times. */
Test(payments, of_two_captures_beyond_the_authorization_the_second_to_arrive_is_refused) {
        for (int late = 0; late < 2; late++)
                for (int part = 0; part < 2; part++) {
                        struct payment *card;

                        money_close();
                        open_till();
                        card = pay(FUNDS_AUTHORIZED, 10500);
                        cr_assert_eq(tell_of(card, PROVIDER_CAPTURED, part ? 300 : 10500, late ? 5 : 10), PROBLEM_NONE);
                        cr_assert_eq(tell_of(card, PROVIDER_CAPTURED, part ? 10500 : 300, late ? 10 : 5),
                                PROBLEM_OVER_CAPTURE);
                        assert_available(part ? 10200 : 0);
                        cr_assert(card->captured == (part ? 300 : 10500) && heard.n == 1);
                }
}

/* A capture without an amount is that of 105.00, and pays 90.00 of store credit. */
Test(payments, an_earlier_event_does_not_lower_a_capture_that_paid_store_credit) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        cr_assert_eq(tell_of(card, PROVIDER_CAPTURED, 0, 10), PROBLEM_NONE);
        cr_assert_eq(give_back_to(9000, REFUND_TO_STORE_CREDIT), PROBLEM_NONE);
        cr_assert_eq(tell_of(card, PROVIDER_AUTHORIZED, 8000, 5), PROBLEM_OVER_CAPTURE);
        cr_assert_eq(card->captured, 10500);
        cr_assert_eq(tell_of(card, PROVIDER_AUTHORIZED, 9500, 5), PROBLEM_OVER_CAPTURE);
        cr_assert_eq(card->captured, 10500);
        cr_assert_eq(balance.refunded, 9000);
}

/* The capture without an amount would take all that is held at its time, and leave nothing to the known one. */
Test(payments, an_earlier_capture_without_an_amount_does_not_take_the_place_of_a_known_one) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500);

        cr_assert_eq(tell_of(card, PROVIDER_CAPTURED, 10500, 6), PROBLEM_NONE);
        cr_assert_eq(tell_of(card, PROVIDER_CAPTURED, 0, 5), PROBLEM_OVER_CAPTURE);
        assert_available(0);
        cr_assert_eq(tell_of(card, PROVIDER_VOIDED, 8000, 3), PROBLEM_NONE, "the capture outweighs it");
        cr_assert(card->captured == 10500 && card->voided == 0);
}

Test(payments, an_earlier_authorization_does_not_lower_a_capture_without_an_amount) {
        struct payment *card = pay(FUNDS_PENDING, 10500);
        int64_t known;

        cr_assert_eq(tell_of(card, PROVIDER_CAPTURED, 0, 6), PROBLEM_NONE);
        known = card->captured;
        cr_assert_eq(tell_of(card, PROVIDER_AUTHORIZED, 2500, 0), PROBLEM_OVER_CAPTURE);
        cr_assert_eq(card->captured, known);
        cr_assert_eq(balance.paid, known);
        cr_assert_not_null(strstr(refusal.detail, "known as captured"));
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

/* The events of a refund by their moments: the last of them counts, in every order of arrival. */
static void assert_refund_ends(const enum provider_event_type *types, size_t n, enum refund_state end) {
        static const size_t arrivals[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 },
                { 2, 1, 0 } };

        for (size_t arrival = 0; arrival < array_size(arrivals); arrival++) {
                struct payment *card;
                const struct refund *refund;

                money_close();
                open_till();
                card = pay(FUNDS_CAPTURED, 10500);
                credit(1000);
                cr_assert_eq(give_back(0), PROBLEM_NONE);
                refund = balance.refunds[0];
                for (size_t i = 0; i < array_size(arrivals[0]); i++) {
                        const size_t place = arrivals[arrival][i];
                        struct provider_event told = event_of_type(types[place % n], 0);

                        if (place >= n)
                                continue;
                        told.refund_id = refund->id;
                        told.has_refund_id = true;
                        told.occurred_at = NOW + (int64_t) place * SECOND;
                        cr_assert_eq(provider_tells(card, &told, NOW + HOUR), PROBLEM_NONE);
                }
                cr_assert_eq(refund->state, end, "arrival %zu: %s", arrival, refund_lifecycle.states[refund->state]);
                cr_assert_eq(balance.refund_due, end == REFUND_FAILED ? 1000 : 0, "arrival %zu", arrival);
                cr_assert_eq(card->refunded, end == REFUND_FAILED ? 0 : 1000, "arrival %zu", arrival);
        }
}

Test(payments, the_last_event_of_a_refund_counts_in_every_order_of_arrival) {
        static const enum provider_event_type sent_back[] = { PROVIDER_REFUND_ISSUED, PROVIDER_REFUND_SETTLED,
                PROVIDER_REFUND_FAILED };
        static const enum provider_event_type another_try[] = { PROVIDER_REFUND_FAILED, PROVIDER_REFUND_ISSUED,
                PROVIDER_REFUND_SETTLED };

        assert_refund_ends(sent_back, 3, REFUND_FAILED);
        assert_refund_ends(another_try, 3, REFUND_SETTLED);
        assert_refund_ends(&sent_back[1], 2, REFUND_FAILED);
        assert_refund_ends((const enum provider_event_type[]){ PROVIDER_REFUND_FAILED, PROVIDER_REFUND_SETTLED }, 2,
                REFUND_SETTLED);
}

Test(payments, a_failed_refund_is_not_sent_once_another_refund_has_paid) {
        struct payment *card = pay(FUNDS_CAPTURED, 10500);

        cancel_all();
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(tell_refund(balance.refunds[0], PROVIDER_REFUND_FAILED), PROBLEM_NONE);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(tell_refund(balance.refunds[0], PROVIDER_REFUND_SETTLED), PROBLEM_INVALID_TRANSITION);
        cr_assert(card->refunded == 10500 && balance.refunds[0]->state == REFUND_FAILED);
}

/* ---- every order of arrival leads to the same state ---- */

#define HISTORIES   4000
#define HISTORY_MAX 5
#define ARRIVALS    12

static struct payment *till_for(int context, enum funds_state opened) {
        struct payment *card;

        money_close();
        open_till();
        card = pay(opened, 10500);
        if (context == 1)
                earn(6500);
        if (context == 2)
                cancel_all();
        return card;
}

/* Like the route: a known event is not applied again. */
static bool is_taken_in(struct payment *payment, const struct provider_event *told) {
        bool is_known = false;
        enum problem p;

        cr_assert_eq(told_events_find(&heard, &payment->id, told, &arena, &refusal, &is_known), PROBLEM_NONE);
        p = is_known ? PROBLEM_NONE : provider_tells(payment, told, NOW + HOUR);
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

static bool is_open_capture(const struct provider_event *told) {
        return told->type == PROVIDER_CAPTURED && !told->has_amount;
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

/* A capture without an amount takes the amount that is known when it arrives. Events that would lower it later are
 * refused for ever, so the state may depend on the order of arrival. */
static bool may_refuse_for_ever(const struct provider_event *told, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (is_open_capture(&told[i]))
                        return true;
        return false;
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
                status = balance.payment_status;
                for (size_t i = 0; i < n; i++)
                        list[i] = &told[i];
                for (size_t arrival = 0; arrival < ARRIVALS; arrival++) {
                        shuffle(&dice, list, n);
                        card = till_for(context, first);
                        tell_all(card, list, n);
                        if (heard.n < n && may_refuse_for_ever(told, n))
                                continue;
                        assert_same(card, &there, spell(list, n));
                        assert_status(status);
                }
        }
}

/* ---- sets of events that contradict each other ---- */

#define SETS    3000
#define SET_MAX 4

static void swap(size_t *a, size_t *b) {
        const size_t other = *a;

        *a = *b;
        *b = other;
}

/* The next permutation in alphabetical order; false after the last. */
static bool permute(size_t *order, size_t n) {
        size_t i = n - 1, j = n - 1;

        while (i && order[i - 1] > order[i])
                i--;
        if (!i)
                return false;
        while (order[j] < order[i - 1])
                j--;
        swap(&order[i - 1], &order[j]);
        for (j = n - 1; i < j; i++, j--)
                swap(&order[i], &order[j]);
        return true;
}

static bool is_same_money(const struct payment *a, const struct payment *b) {
        return a->state == b->state && a->authorized == b->authorized && a->captured == b->captured &&
               a->voided == b->voided && a->failed == b->failed;
}

static const char *spell_set(const struct provider_event *told, size_t n) {
        const struct provider_event *list[SET_MAX];

        for (size_t i = 0; i < n; i++)
                list[i] = &told[i];
        return spell(list, n);
}

/* Captures have amounts: one without an amount takes the amount that is left when it arrives. */
Test(payments, events_lead_to_the_same_state_in_every_order_of_arrival_or_one_is_refused_in_each) {
        static const enum funds_state opened[] = { FUNDS_PENDING, FUNDS_AUTHORIZED };
        uint64_t dice = 20261206;
        size_t contradictory = 0;

        for (size_t round = 0; round < SETS; round++) {
                const enum funds_state first = opened[dice_below(&dice, 2)];
                const size_t n = 2 + dice_below(&dice, SET_MAX - 1);
                struct provider_event told[SET_MAX];
                size_t order[SET_MAX];
                struct payment there = { 0 };
                bool all_same = true, each_refuses = true, some = false;

                for (size_t i = 0; i < n; i++)
                        told[i] = random_event(&dice, i);
                if (may_refuse_for_ever(told, n))
                        continue;
                for (size_t i = 0; i < n; i++)
                        order[i] = i;
                do {
                        const struct provider_event *list[SET_MAX];
                        const struct payment *card = till_for(/* context= */ 0, first);

                        for (size_t i = 0; i < n; i++)
                                list[i] = &told[order[i]];
                        tell_all((struct payment *) card, list, n);
                        all_same = all_same && (!some || is_same_money(card, &there));
                        each_refuses = each_refuses && heard.n < n;
                        if (!some)
                                there = *card;
                        some = true;
                } while (permute(order, n));
                contradictory += !all_same;
                cr_assert(all_same || each_refuses, "%s", spell_set(told, n));
        }
        cr_assert_gt(contradictory, 0);
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
                                size_t taken;

                                tell_all(card, list, 2);
                                there = *card;
                                taken = heard.n;
                                card = till_for(context / 3, (enum funds_state)(context % 3));
                                tell_all(card, back, 2);
                                if (taken + heard.n < 4 && may_refuse_for_ever(told, 2))
                                        continue;
                                assert_same(card, &there, spell(back, 2));
                        }
}

#define ARRIVING 12

/* Captures, voids and authorizations of any moments, with and without amounts. provider_tells asserts the property. */
Test(payments, no_event_in_any_order_of_arrival_lowers_a_known_capture) {
        static const enum provider_event_type types[] = { PROVIDER_CAPTURED, PROVIDER_CAPTURED, PROVIDER_VOIDED,
                PROVIDER_AUTHORIZED, PROVIDER_FAILED };
        uint64_t dice = 20261203;

        for (size_t walk = 0; walk < 20000; walk++) {
                struct payment *card = till_for((int) dice_below(&dice, 3), (enum funds_state) dice_below(&dice, 2));

                for (size_t i = 0; i < ARRIVING; i++) {
                        const enum provider_event_type type = types[dice_below(&dice, array_size(types))];
                        const bool has_amount = type != PROVIDER_FAILED && dice_below(&dice, 2);

                        (void) tell_of(card, type, has_amount ? 500 * (1 + (int64_t) dice_below(&dice, 21)) : 0,
                                (int64_t) dice_below(&dice, 10));
                }
        }
}

/* ---- deadlines ---- */

Test(payments, a_due_date_ends_when_the_order_is_covered) {
        struct payment *card = pay(FUNDS_PENDING, 8500);

        balance.payment_due_at = NOW + HOUR;
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 0), PROBLEM_NONE);
        assert_status(PAYMENT_PENDING);
        cr_assert_eq(balance.payment_due_at, NOW + HOUR, "20.00 are not covered");
        cr_assert_eq(tell(pay(FUNDS_PENDING, 2000), PROVIDER_AUTHORIZED, 0), PROBLEM_NONE);
        assert_status(PAYMENT_AUTHORIZED);
        cr_assert_eq(balance.payment_due_at, TIMESTAMP_NONE);
}

static void given_a_policy(void) {
        balance.unpaid_since = NOW;
        balance.unpaid_ttl_s = 2 * HOUR / SECOND;
}

Test(payments, the_policy_of_the_channel_ends_when_the_order_is_covered) {
        struct payment *card = pay(FUNDS_PENDING, 10500);

        given_a_policy();
        cr_assert_eq(balance_due_at(&balance), NOW + 2 * HOUR);
        cr_assert_eq(tell(card, PROVIDER_AUTHORIZED, 0), PROBLEM_NONE);
        assert_status(PAYMENT_AUTHORIZED);
        cr_assert_eq(balance_due_at(&balance), TIMESTAMP_NONE);
        cr_assert_eq(tell(card, PROVIDER_VOIDED, 0), PROBLEM_NONE);
        cr_assert_eq(balance_due_at(&balance), TIMESTAMP_NONE, "it was paid once");
}

Test(payments, a_later_policy_does_not_move_the_deadline_of_a_cancelled_order) {
        (void) pay(FUNDS_PENDING, 10500);
        given_a_policy();
        cancel_all();
        assert_status(PAYMENT_VOIDED);
        balance.unpaid_ttl_s = 1;
        cr_assert_eq(balance_due_at(&balance), NOW + 2 * HOUR);
}

/* ---- refunds ---- */

Test(payments, the_refund_due_goes_back_to_the_payments) {
        struct payment *gift_card = pay(FUNDS_CAPTURED, 2000), *card = pay(FUNDS_CAPTURED, 8500);

        cr_assert_eq(give_back(0), PROBLEM_OVER_REFUND, "nothing is due");
        credit(3000);
        cr_assert_eq(balance.refund_due, 3000);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(balance.n_refunds, 2);
        cr_assert_eq(gift_card->refunded, 2000);
        cr_assert_eq(card->refunded, 1000);
        cr_assert_eq(balance.refund_due, 0);
        cr_assert_eq(balance.credited, 3000, "the amount due is not credited again");
        cr_assert_eq(money_told("refund.requested"), 2);
        cr_assert_eq(balance_due(&balance), 0, "no appeasement");
        assert_status(PAYMENT_PARTIALLY_REFUNDED);
        cr_assert_eq(give_back(0), PROBLEM_OVER_REFUND);
}

Test(payments, store_credit_is_settled_at_once_and_counts_like_any_refund) {
        (void) pay(FUNDS_CAPTURED, 10500);
        cr_assert_eq(give_back_to(4000, REFUND_TO_STORE_CREDIT), PROBLEM_NONE);
        cr_assert_eq(balance.refunds[0]->state, REFUND_SETTLED);
        cr_assert_null(balance.refunds[0]->payment);
        cr_assert_eq(balance.payments[0]->refunded, 0);
        cr_assert_eq(balance.refunded, 4000);
        cr_assert_eq(give_back(6501), PROBLEM_OVER_REFUND);
        cr_assert_eq(give_back(6500), PROBLEM_NONE);
}

Test(payments, store_credit_is_given_only_from_captured_amounts) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500);

        earn(6500);
        cr_assert_eq(give_back_to(1000, REFUND_TO_STORE_CREDIT), PROBLEM_OVER_REFUND);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 2000), PROBLEM_NONE);
        cr_assert_eq(give_back(500), PROBLEM_NONE);
        cr_assert_eq(give_back_to(1501, REFUND_TO_STORE_CREDIT), PROBLEM_OVER_REFUND);
        cr_assert_eq(give_back_to(1500, REFUND_TO_STORE_CREDIT), PROBLEM_NONE);
        cr_assert_eq(tell(card, PROVIDER_FAILED, 0), PROBLEM_NONE);
        cr_assert_eq(balance.refunded, balance.paid);
}

Test(payments, a_refund_that_failed_is_due_again_and_can_be_tried_again) {
        struct payment *card = pay(FUNDS_CAPTURED, 10500);

        credit(6000);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(tell_refund(balance.refunds[0], PROVIDER_REFUND_ISSUED), PROBLEM_NONE);
        cr_assert_eq(tell_refund(balance.refunds[0], PROVIDER_REFUND_FAILED), PROBLEM_NONE);
        cr_assert_eq(card->refunded, 0);
        cr_assert_eq(balance.refund_due, 6000);
        assert_status(PAYMENT_CAPTURED);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(tell_refund(balance.refunds[1], PROVIDER_REFUND_SETTLED), PROBLEM_NONE);
        cr_assert_eq(tell_refund(balance.refunds[1], PROVIDER_REFUND_ISSUED), PROBLEM_NONE, "a late event");
        cr_assert_eq(balance.refunds[1]->state, REFUND_SETTLED);
        cr_assert_eq(tell_refund(balance.refunds[1], PROVIDER_REFUND_FAILED), PROBLEM_NONE);
        cr_assert_eq(balance.refunds[0]->state, REFUND_FAILED);
}

Test(payments, a_refund_on_a_requested_capture_is_issued_after_the_capture) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500);

        earn(6500);
        cr_assert_eq(give_back(6501), PROBLEM_OVER_REFUND);
        cr_assert_eq(give_back(1000), PROBLEM_NONE);
        cr_assert_eq(tell_refund(balance.refunds[0], PROVIDER_REFUND_ISSUED), PROBLEM_INVALID_TRANSITION);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 6500), PROBLEM_NONE);
        cr_assert_eq(tell_refund(balance.refunds[0], PROVIDER_REFUND_ISSUED), PROBLEM_NONE);
}

Test(payments, a_refund_fails_with_the_capture_that_it_was_to_be_paid_from) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500);

        earn(6500);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 500), PROBLEM_NONE);
        cr_assert_eq(give_back(300), PROBLEM_NONE);
        cr_assert_eq(give_back(2000), PROBLEM_NONE);
        cr_assert_eq(balance.n_refunds, 3, "of captured payments first");
        cr_assert_eq(tell(card, PROVIDER_FAILED, 0), PROBLEM_NONE);
        assert_state(card, FUNDS_CAPTURED);
        cr_assert_eq(balance.refunds[2]->state, REFUND_FAILED);
        cr_assert_eq(balance.refunds[1]->state, REFUND_PENDING);
        cr_assert_eq(card->refunded, 500);
        cr_assert_eq(money_told("refund.failed"), 1);
}

Test(payments, an_event_about_another_refund_or_amount_is_refused) {
        struct payment *card = pay(FUNDS_CAPTURED, 8500), *other = pay(FUNDS_CAPTURED, 2000);
        struct provider_event told = event_of_type(PROVIDER_REFUND_ISSUED, 0);

        cr_assert_eq(give_back(100), PROBLEM_NONE);
        told.has_refund_id = true;
        told.refund_id = balance.refunds[0]->id;
        cr_assert_eq(provider_tells(other, &told, NOW), PROBLEM_VALIDATION_FAILED);
        cr_assert_str_eq(refusal.violations->code, "unknown-refund");
        refusal = (struct refusal){ 0 };
        told.amount = 99;
        told.has_amount = true;
        cr_assert_eq(provider_tells(card, &told, NOW), PROBLEM_VALIDATION_FAILED);
        cr_assert_str_eq(refusal.violations->pointer, "#/amount");
        cr_assert_eq(balance.refunds[0]->state, REFUND_PENDING);
}

Test(payments, an_event_is_checked_before_anything_is_looked_up) {
        struct provider_event told = event_of_type(PROVIDER_REFUND_ISSUED, 0);

        cr_assert_eq(provider_check(&told, &arena, &refusal), PROBLEM_VALIDATION_FAILED);
        cr_assert_str_eq(refusal.violations->code, "required");
        refusal = (struct refusal){ 0 };
        told = event_of_type(PROVIDER_CAPTURED, 5);
        told.has_refund_id = true;
        cr_assert_eq(provider_check(&told, &arena, &refusal), PROBLEM_VALIDATION_FAILED);
        cr_assert_str_eq(refusal.violations->code, "not-allowed");
        refusal = (struct refusal){ 0 };
        told = event_of_type(PROVIDER_FAILED, 5);
        cr_assert_eq(provider_check(&told, &arena, &refusal), PROBLEM_VALIDATION_FAILED);
        cr_assert_str_eq(refusal.violations->pointer, "#/amount");
        refusal = (struct refusal){ 0 };
        told = event_of_type(PROVIDER_FAILED, 0);
        cr_assert_eq(provider_check(&told, &arena, &refusal), PROBLEM_NONE);
}

Test(payments, an_event_id_belongs_to_one_event) {
        struct told_events before = { .arena = &arena };
        const struct payment card = { .id = { { 1 } }, .balance = &balance };
        const struct uuid payment = card.id, other = { { 2 } };
        struct told_event event;
        struct provider_event told = event_of_type(PROVIDER_CAPTURED, 5);
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

        earn(6500);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 2000), PROBLEM_NONE);
        cr_assert_eq(give_back_to(2000, REFUND_TO_STORE_CREDIT), PROBLEM_NONE);
        cr_assert_eq(give_back(1500), PROBLEM_NONE);
        cr_assert_eq(tell_refund(balance.refunds[1], PROVIDER_REFUND_ISSUED), PROBLEM_INVALID_TRANSITION);
        cr_assert_eq(tell(card, PROVIDER_FAILED, 0), PROBLEM_NONE);
        cr_assert_eq(balance.refunds[1]->state, REFUND_FAILED);
        cr_assert_eq(balance.refunded, 2000);
}

/* ---- refunds for returns ---- */

/* Two returns of 30.00, and 10.00 for a unit of no return. */
static struct return_claim claims[2];

static void given_two_returns(void) {
        earn(6500);
        for (size_t i = 0; i < 2; i++) {
                claims[i] = (struct return_claim){ .return_id = { { (uint8_t) (i + 1) } }, .amount = 3000 };
                credit(3000);
        }
        balance.claims = claims;
        balance.n_claims = 2;
        credit(1000);
}

static int64_t refunded_for(size_t claim) {
        return balance_refunded(&balance, &claims[claim].return_id).amount;
}

static enum problem give_back_for(size_t claim, int64_t amount) {
        return give_back_as(&(struct refund_request){ .amount = amount,
                .to = REFUND_TO_ORIGINAL,
                .reason = "it was late",
                .return_id = claims[claim].return_id });
}

Test(payments, a_refund_pays_the_returns_first_and_the_oldest_before_the_others) {
        (void) pay(FUNDS_CAPTURED, 10500);
        given_two_returns();
        cr_assert_eq(balance.refund_due, 7000);
        cr_assert_eq(give_back(4000), PROBLEM_NONE);
        cr_assert_eq(refunded_for(0), 3000);
        cr_assert_eq(refunded_for(1), 1000);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(refunded_for(1), 3000);
        cr_assert_eq(balance.n_refunds, 4);
        cr_assert(uuid_is_nil(&balance.refunds[3]->return_id), "the cancelled unit is of no return");
        cr_assert_eq(balance.refunds[3]->amount, 1000);
        cr_assert_eq(balance.refund_due, 0);
        cr_assert_eq(balance_due(&balance), 0, "no appeasement");
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
        balance.n_claims = 1;
        cr_assert_eq(give_back_for(1, 0), PROBLEM_VALIDATION_FAILED);
        cr_assert_str_eq(refusal.violations->code, "unknown-return");
}

Test(payments, a_refund_that_failed_is_due_again_for_its_return) {
        (void) pay(FUNDS_CAPTURED, 10500);
        given_two_returns();
        cr_assert_eq(give_back_for(0, 0), PROBLEM_NONE);
        cr_assert_eq(tell_refund(balance.refunds[0], PROVIDER_REFUND_FAILED), PROBLEM_NONE);
        cr_assert_eq(refunded_for(0), 0);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(refunded_for(0), 3000);
}

/* ---- further payments and limits ---- */

Test(payments, a_further_payment_covers_the_amount_neither_paid_nor_held) {
        (void) pay(FUNDS_CAPTURED, 2000);
        (void) pay(FUNDS_AUTHORIZED, 3000);
        cr_assert_eq(pay_more(FUNDS_CAPTURED, 5501), PROBLEM_OVER_PAYMENT);
        cr_assert_eq(pay_more(FUNDS_PENDING, 5500), PROBLEM_NONE);
        cr_assert_eq(pay_more(FUNDS_AUTHORIZED, 0), PROBLEM_NONE, "in place of the one that is pending");
        cr_assert_eq(balance.payments[3]->amount, 5500);
        assert_status(PAYMENT_AUTHORIZED);
        cr_assert_eq(pay_more(FUNDS_PENDING, 1), PROBLEM_OVER_PAYMENT);
        cr_assert_eq(tell(balance.payments[2], PROVIDER_CAPTURED, 0), PROBLEM_NONE, "both came");
        cr_assert_eq(balance_due(&balance), 3000);
}

Test(payments, an_order_has_a_limit_of_payments) {
        for (size_t i = 0; i < ORDER_PAYMENTS_MAX; i++)
                cr_assert_eq(pay_more(FUNDS_PENDING, 10), PROBLEM_NONE);
        cr_assert_eq(pay_more(FUNDS_PENDING, 10), PROBLEM_TOO_MANY);
        cr_assert_str_eq(refusal.violations->code, "too-many");
        cr_assert_eq(balance.n_payments, ORDER_PAYMENTS_MAX);
}

Test(payments, an_order_has_a_limit_of_refunds) {
        (void) pay(FUNDS_CAPTURED, 10500);
        while (balance.n_refunds + 2 <= ORDER_REFUNDS_MAX) {
                cr_assert_eq(give_back(1), PROBLEM_NONE);
                events_init(&events, &arena);
        }
        cr_assert_eq(give_back(1), PROBLEM_TOO_MANY);
        cr_assert_str_eq(refusal.violations->code, "too-many");
        cr_assert_eq(balance.n_refunds, ORDER_REFUNDS_MAX - 1);
}

/* ---- random balances lose or make no cent ---- */

#define BALANCES  8000
#define STEPS_MAX 24

static int64_t random_amount(uint64_t *dice, int64_t most) {
        return most > 0 ? (int64_t) dice_below(dice, (size_t) most) + 1 : 0;
}

static void random_event_of_payment(uint64_t *dice) {
        struct payment *payment;
        struct provider_event told;

        if (!balance.n_payments)
                return;
        payment = balance.payments[dice_below(dice, balance.n_payments)];
        told = random_event(dice, 0);
        told.event_id = event_of_type((enum provider_event_type) told.type, 0).event_id;
        told.amount = told.has_amount ? random_amount(dice, payment->amount) : 0;
        told.has_amount = told.amount > 0;
        told.occurred_at = dice_below(dice, 2) ? TIMESTAMP_NONE : NOW + (int64_t) dice_below(dice, 100) * SECOND;
        (void) provider_tells(payment, &told, NOW + HOUR);
}

static void random_event_of_refund(uint64_t *dice) {
        static const enum provider_event_type types[] = { PROVIDER_REFUND_FAILED, PROVIDER_REFUND_ISSUED,
                PROVIDER_REFUND_SETTLED };

        if (balance.n_refunds)
                (void) tell_refund(balance.refunds[dice_below(dice, balance.n_refunds)],
                        types[dice_below(dice, array_size(types))]);
}

/* With a return or without, of the amount due or of a given one. No return gets more than its claim, but by a failed
 * refund that the provider sends after all. */
static void random_refund(uint64_t *dice) {
        const size_t claim = dice_below(dice, 3);
        const int64_t before[] = { refunded_for(0), refunded_for(1) };

        (void) give_back_as(&(struct refund_request){ .amount = dice_below(dice, 2) ? 0 : random_amount(dice, 12000),
                .to = claim == 2 && !dice_below(dice, 4) ? REFUND_TO_STORE_CREDIT : REFUND_TO_ORIGINAL,
                .reason = "at random",
                .return_id = claim < balance.n_claims ? claims[claim].return_id : (struct uuid){ { 0 } } });
        for (size_t i = 0; i < balance.n_claims; i++)
                cr_assert(refunded_for(i) == before[i] || refunded_for(i) <= claims[i].amount);
}

/* Goods come back: the credit is a claim of their return. */
static void random_return(uint64_t *dice) {
        const size_t claim = dice_below(dice, 2);
        const int64_t amount = random_amount(dice, balance.total - balance.credited);

        claims[claim].amount += amount;
        credit(amount);
}

/* All is cancelled; or a part of the charge is owed again. */
static void random_stage(uint64_t *dice) {
        if (balance.stage == BALANCE_OPEN) {
                cancel_all();
                return;
        }
        balance.stage = BALANCE_OPEN;
        credit(-random_amount(dice, balance.credited - claims[0].amount - claims[1].amount));
        balance_reopen(&balance, &command);
}

static void random_step(uint64_t *dice) {
        static const enum funds_state states[] = { FUNDS_PENDING, FUNDS_AUTHORIZED, FUNDS_CAPTURED };

        switch (dice_below(dice, 10)) {
        case 0:
                (void) pay_more(states[dice_below(dice, 3)], dice_below(dice, 2) ? 0 : random_amount(dice, 10500));
                break;
        case 1:
                earn(earned + random_amount(dice, 3000));
                break;
        case 2:
                random_return(dice);
                break;
        case 3:
                random_refund(dice);
                break;
        case 4:
                random_event_of_refund(dice);
                break;
        case 5:
                if (!dice_below(dice, 3))
                        random_stage(dice);
                break;
        case 6:
                credit(random_amount(dice, (balance.total - balance.credited) / 4));
                break;
        default:
                random_event_of_payment(dice);
        }
}

/* The invariants of payments.h, computed here independently. */
static void assert_payment_adds_up(const struct payment *payment, size_t walk) {
        int64_t refunded = 0;

        cr_assert(payment->captured >= 0 && payment->voided >= 0 && payment->failed >= 0 && payment->void_due >= 0 &&
                          payment->capture_due >= 0 && payment->refunded >= 0,
                "walk %zu", walk);
        cr_assert_leq(payment->captured + payment->voided + payment->failed + payment->void_due + payment->capture_due,
                payment->authorized, "walk %zu", walk);
        cr_assert_leq(payment->authorized, payment->amount, "walk %zu", walk);
        cr_assert_leq(payment->refunded, payment->captured + payment->capture_due, "walk %zu", walk);
        for (size_t i = 0; i < balance.n_refunds; i++)
                if (balance.refunds[i]->payment == payment && balance.refunds[i]->state != REFUND_FAILED)
                        refunded += balance.refunds[i]->amount;
        cr_assert_eq(payment->refunded, refunded, "walk %zu", walk);
}

static void assert_balance_adds_up(size_t walk) {
        int64_t paid = 0, asked_for = 0, refunded = 0, sent = 0;

        for (size_t i = 0; i < balance.n_payments; i++) {
                assert_payment_adds_up(balance.payments[i], walk);
                paid += balance.payments[i]->captured;
                asked_for += balance.payments[i]->capture_due;
        }
        for (size_t i = 0; i < balance.n_refunds; i++) {
                const struct refund *refund = balance.refunds[i];

                refunded += refund->state == REFUND_FAILED ? 0 : refund->amount;
                sent += refund->state == REFUND_ISSUED || refund->state == REFUND_SETTLED ? refund->amount : 0;
        }
        cr_assert_leq(refunded, paid + asked_for, "walk %zu: more is given back than there is", walk);
        cr_assert_leq(sent, paid, "walk %zu: more is on its way than was paid", walk);
        cr_assert(balance.paid == paid && balance.refunded == refunded, "walk %zu", walk);
        cr_assert(balance.credited >= 0 && balance.credited <= balance.total, "walk %zu", walk);
        cr_assert_eq(balance_due(&balance), balance.total - balance.credited - paid + refunded, "walk %zu", walk);
        cr_assert_eq(balance.refund_due, balance_due(&balance) < 0 ? -balance_due(&balance) : 0, "walk %zu", walk);
}

Test(payments, random_commands_on_a_balance_lose_or_make_no_cent) {
        uint64_t dice = 20261201;

        for (size_t walk = 0; walk < BALANCES; walk++) {
                money_close();
                open_till();
                for (size_t i = 0; i < 2; i++)
                        claims[i] = (struct return_claim){ .return_id = { { (uint8_t) (i + 1) } } };
                balance.claims = claims;
                balance.n_claims = 2;
                for (size_t step = dice_below(&dice, STEPS_MAX); step; step--) {
                        random_step(&dice);
                        assert_balance_adds_up(walk);
                }
                if (balance.refund_due && balance_refundable(&balance, REFUND_TO_ORIGINAL) >= balance.refund_due)
                        cr_assert_eq(give_back(0), PROBLEM_NONE, "walk %zu", walk);
                assert_balance_adds_up(walk);
        }
}
