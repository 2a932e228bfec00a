#include "orders/order.h"

#include "dice.h"
#include "money_scene.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Two lines, 2 x 30.00 and 4 x 10.00, 5.00 shipping: 105.00. All units are shipped by the depot. */
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
        money_open();
        stock_init(&stock, &arena);
        line_set(0, 2, 3000);
        line_set(1, 4, 1000);
        fulfillment = (struct fulfillment){ .order = &order,
                .method = BY_SHIPPING,
                .location = "depot",
                .lines = allocations,
                .n_lines = 2,
                .version = 1 };
        order = (struct order){ .id = uuid_new(),
                .balance.currency = "EUR",
                .subtotal = 10000,
                .shipping = 500,
                .tax_included = true,
                .balance.total = 10500,
                .balance.payment_due_at = TIMESTAMP_NONE,
                .version = 1,
                .lines = lines,
                .n_lines = 2,
                .fulfillments = fulfillments,
                .n_fulfillments = 1,
                .fulfillments_capacity = 1 };
        order_open_balance(&order);
}

TestSuite(order_payments, .init = open_till, .fini = money_close);

/* ---- shorthands ---- */

static struct payment *pay(enum funds_state state, int64_t amount) {
        const struct payment_request request = { .status = (int) state, .amount = amount };
        struct payment *payment = payment_add(&order.balance, &request, "ada", NOW, &arena);

        cr_assert_not_null(payment);
        payment->is_new = false;
        order_project_balance(&order);
        return payment;
}

/* The provider reports an event that is recorded at that time. */
static enum problem provider_tells(struct payment *payment, const struct provider_event *told, timestamp now) {
        const struct command psp = provider_command(now);

        return order_provider_event(&order, payment, told, &heard, &psp);
}

/* Amount 0: the event has none. */
static enum problem tell(struct payment *payment, enum provider_event_type type, int64_t amount) {
        const struct provider_event told = event_of_type(type, amount);

        refusal = (struct refusal){ 0 };
        return provider_tells(payment, &told, NOW + 1);
}

static enum problem tell_refund(struct refund *refund, enum provider_event_type type) {
        struct provider_event told = event_of_type(type, 0);

        told.refund_id = refund->id;
        told.has_refund_id = true;
        refusal = (struct refusal){ 0 };
        return provider_tells(refund->payment ? refund->payment : order.balance.payments[0], &told, NOW + 1);
}

static enum problem give_back_to(int64_t amount, enum refund_to to) {
        const struct refund_request request = { .amount = amount, .to = to, .reason = "it was late" };

        refusal = (struct refusal){ 0 };
        return order_give_back(&order, &request, &command);
}

static enum problem give_back(int64_t amount) {
        return give_back_to(amount, REFUND_TO_ORIGINAL);
}

static void ship(size_t line, int64_t units) {
        const struct stock_cause cause = { .reason = "sale", .document = "d", .actor = "ada" };

        fulfillment_line_fulfill(&allocations[line], units, &stock, &cause);
        order_request_captures(&order, &fulfillment, &command);
        order_settle(&order, &command);
}

static void cancel(size_t line, int64_t units) {
        const struct cancel_line some = { lines[line].id, units };

        refusal = (struct refusal){ 0 };
        cr_assert_eq(order_cancel(&order, &some, 1, "no", &command), PROBLEM_NONE);
}

static void cancel_all(void) {
        refusal = (struct refusal){ 0 };
        cr_assert_eq(order_cancel(&order, NULL, 0, "no", &command), PROBLEM_NONE);
}

static void assert_status(enum payment_status status) {
        cr_assert_eq(
                order.balance.payment_status, status, "it is %s", payment_status_texts[order.balance.payment_status]);
}

/* ---- events of the provider ---- */

Test(order_payments, an_authorized_amount_is_requested_when_units_leave_and_captured_by_the_provider) {
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
        cr_assert_eq(balance_due(&order.balance), 0);
        cr_assert_eq(money_told("payment.capture_due"), 4);
        cr_assert_eq(money_told("payment.void_due"), 0);
}

/* ---- amounts no longer needed ---- */

/* Of 105.00 held, units of 35.00 leave the location and the customer cancels the rest. */
Test(order_payments, a_void_of_the_amount_held_for_cancelled_units_is_requested) {
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
        cr_assert_eq(order.balance.refund_due, 1000);
}

static void given_a_free_order(void) {
        order.balance.total = 0;
        order.discounts = arena_new(&arena, struct order_discount);
        order.discounts[0] = (struct order_discount){ .amount = 10000, .line = -1 };
        order.n_discounts = 1;
        order.shipping = 0;
        order.discount = 10000;
        order.balance.payment_due_at = NOW + HOUR;
}

Test(order_payments, an_order_that_costs_nothing_is_paid_from_the_beginning) {
        static const enum funds_state states[] = { FUNDS_PENDING, FUNDS_AUTHORIZED, FUNDS_CAPTURED };

        for (size_t i = 0; i < array_size(states); i++) {
                money_close();
                open_till();
                given_a_free_order();
                (void) pay(states[i], 0);
                assert_status(PAYMENT_CAPTURED);
                cr_assert_eq(order.balance.payment_due_at, TIMESTAMP_NONE);
                ship(0, 2);
                ship(1, 4);
                cr_assert_eq(order.status, ORDER_FULFILLED);
                assert_status(PAYMENT_CAPTURED);
        }
}

Test(order_payments, an_order_that_costs_nothing_and_is_cancelled_is_void) {
        given_a_free_order();
        (void) pay(FUNDS_AUTHORIZED, 0);
        cancel_all();
        assert_status(PAYMENT_VOIDED);
}

Test(order_payments, an_order_without_payments_that_costs_nothing_is_paid) {
        given_a_free_order();
        order_project_balance(&order);
        assert_status(PAYMENT_CAPTURED);
}

/* ---- refunds ---- */

Test(order_payments, a_refund_beyond_the_amount_due_is_an_appeasement_up_to_the_paid_amount) {
        (void) pay(FUNDS_CAPTURED, 10500);
        cancel(1, 1);
        cr_assert_eq(give_back(10501), PROBLEM_OVER_REFUND);
        cr_assert_eq(order.balance.n_refunds, 0);
        cr_assert_eq(give_back(1500), PROBLEM_NONE);
        cr_assert_eq(order.balance.credited, 1500);
        cr_assert_eq(order.adjusted, 500);
        cr_assert_eq(balance_due(&order.balance), 0);
        cr_assert_eq(give_back(9001), PROBLEM_OVER_REFUND);
        cr_assert_eq(give_back(9000), PROBLEM_NONE);
        cancel_all();
        cr_assert_eq(order.balance.credited, 10500, "never more than the total");
        cr_assert_eq(order.balance.refund_due, 0, "it was given back before");
        assert_status(PAYMENT_REFUNDED);
}

/* Two units have left and came back before the provider has answered. */
Test(order_payments, a_refund_without_an_amount_is_the_refund_due) {
        struct payment *card = pay(FUNDS_AUTHORIZED, 10500);

        ship(0, 2);
        (void) order_credit_units(&lines[0], 2);
        lines[0].returned = 2;
        order_settle(&order, &command);
        cr_assert_eq(order.balance.refund_due, 0);
        cr_assert_eq(give_back(0), PROBLEM_OVER_REFUND);
        cr_assert_eq(order.balance.n_refunds, 0);
        cr_assert_eq(give_back(2000), PROBLEM_NONE, "on the capture that was asked for, by its amount");
        cr_assert_eq(order.balance.credited, 6000, "which is no appeasement");
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 6500), PROBLEM_NONE);
        cr_assert_eq(order.balance.refund_due, 0, "the surplus is for units still to be sent");
}

/* ---- refunds for returns ---- */

/* Two units of the first line come back, each in another return, and one unit of the second is cancelled. */
static struct return_claim claims[2];

static void given_two_returns(void) {
        ship(0, 2);
        for (size_t i = 0; i < 2; i++) {
                claims[i] = (struct return_claim){ .return_id = { { (uint8_t) (i + 1) } },
                        .amount = order_credit_units(&lines[0], 1).amount };
                lines[0].returned++;
        }
        order.balance.claims = claims;
        order.balance.n_claims = 2;
        cancel(1, 1);
}

static int64_t refunded_for(size_t claim) {
        return balance_refunded(&order.balance, &claims[claim].return_id).amount;
}

static void assert_available(int64_t available) {
        cr_assert_not_null(refusal.violations);
        cr_assert_str_eq(refusal.violations->pointer, "#/amount");
        cr_assert(refusal.violations->has_available);
        cr_assert_eq(refusal.violations->available, available, "it is %" PRId64, refusal.violations->available);
}

Test(order_payments, an_appeasement_pays_no_return_without_a_due_amount) {
        (void) pay(FUNDS_CAPTURED, 10500);
        given_two_returns();
        order_settle_values(&order);
        lines[1].quantity += 7;
        lines[1].value += 7000;
        order.balance.total += 7000; /* an exchange takes all that was due */
        order_settle(&order, &command);
        cr_assert_eq(order.balance.refund_due, 0);
        cr_assert_eq(give_back(500), PROBLEM_NONE);
        cr_assert_eq(refunded_for(0) + refunded_for(1), 0);
        cr_assert_eq(money_told("order.appeased"), 1);
}

Test(order_payments, a_refused_amount_names_the_available_amount) {
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
        cr_assert_eq(order_pay(&order, &more, &command, &none), PROBLEM_OVER_PAYMENT);
        assert_available(0);
        cr_assert_eq(tell(card, PROVIDER_CAPTURED, 4000), PROBLEM_NONE);
        cr_assert_eq(give_back(4001), PROBLEM_OVER_REFUND);
        assert_available(4000);
        cr_assert_eq(give_back(0), PROBLEM_OVER_REFUND);
        assert_available(4000);
        refusal = (struct refusal){ 0 };
        cr_assert_eq(order_cancel(&order, &some, 1, "no", &command), PROBLEM_INVALID_TRANSITION);
        cr_assert(refusal.violations->has_available && refusal.violations->available == 4);
}

/* ---- a further payment ---- */

static enum problem order_paid_more(enum funds_state state, int64_t amount) {
        const struct payment_request request = { .status = (int) state, .amount = amount, .has_amount = amount > 0 };
        struct payment *payment = NULL;

        refusal = (struct refusal){ 0 };
        return order_pay(&order, &request, &command, &payment);
}

/* ---- crediting ---- */

Test(order_payments, a_fee_is_withheld_from_the_credit_of_a_return) {
        (void) pay(FUNDS_CAPTURED, 10500);
        ship(0, 2);
        cr_assert_eq(order_credit_return(&lines[0], 1, (struct taxed){ 2550, 0 }).amount, 2550);
        lines[0].returned++;
        order_settle(&order, &command);
        cr_assert_eq(order.balance.refund_due, 2550);
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
        order.balance.total = order.subtotal - order.discount + order.shipping + (order.tax_included ? 0 : order.tax);
}

static void random_payments(uint64_t *dice) {
        int64_t left = order.balance.total;

        for (size_t n = 1 + dice_below(dice, 3); n && left; n--) {
                const int64_t amount = n == 1 ? left : random_amount(dice, left);

                (void) pay((enum funds_state) dice_below(dice, 3), amount);
                left -= amount;
        }
}

static void random_event_told(uint64_t *dice) {
        static const enum provider_event_type types[] = { PROVIDER_AUTHORIZED, PROVIDER_CAPTURED, PROVIDER_CAPTURED,
                PROVIDER_CAPTURED, PROVIDER_FAILED, PROVIDER_VOIDED };
        struct payment *payment;
        enum provider_event_type type;

        if (!order.balance.n_payments)
                return;
        payment = order.balance.payments[dice_below(dice, order.balance.n_payments)];
        type = types[dice_below(dice, array_size(types))];
        (void) tell(payment, type,
                type == PROVIDER_FAILED || dice_below(dice, 2) ? 0 : random_amount(dice, payment->amount));
}

static void random_refund_event(uint64_t *dice) {
        static const enum provider_event_type types[] = { PROVIDER_REFUND_FAILED, PROVIDER_REFUND_ISSUED,
                PROVIDER_REFUND_SETTLED };
        struct refund *refund;

        if (!order.balance.n_refunds)
                return;
        refund = order.balance.refunds[dice_below(dice, order.balance.n_refunds)];
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
        order_settle(&order, &command);
}

static void random_give_back(uint64_t *dice) {
        const enum refund_to to = dice_below(dice, 4) ? REFUND_TO_ORIGINAL : REFUND_TO_STORE_CREDIT;

        (void) give_back_to(dice_below(dice, 2) ? 0 : random_amount(dice, order.balance.total), to);
}

static int64_t kept; /* of returned goods: fees, and withheld amounts */

/* As a return withholds its refundable amount. */
static void random_withholding(uint64_t *dice) {
        const int64_t due = balance_refund_expected(&order.balance);
        const int64_t amount = random_amount(dice, due < order.balance.credited ? due : order.balance.credited);

        order_withhold(&order, (struct taxed){ amount, 0 });
        kept += amount;
        order_settle(&order, &command);
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
        order.balance.total += price;
        order_settle(&order, &command);
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
        order_settle(&order, &command);
}

static void random_payment(uint64_t *dice) {
        static const enum funds_state states[] = { FUNDS_PENDING, FUNDS_AUTHORIZED, FUNDS_CAPTURED };

        (void) order_paid_more(
                states[dice_below(dice, 3)], dice_below(dice, 2) ? 0 : random_amount(dice, order.balance.total));
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
                random_refund_event(dice);
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
                random_event_told(dice);
        }
}

static int64_t share_given_up(const struct order_line *line) {
        return order_line_value(line, 0, line->cancelled + line->returned);
}

/* The invariants after every step, computed here independently. */
static void assert_money(size_t sale) {
        int64_t paid = 0, asked_for = 0, refunded = 0, sent = 0, to_payments = 0, given_up = order.adjusted;

        for (size_t i = 0; i < order.balance.n_payments; i++) {
                const struct payment *payment = order.balance.payments[i];

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
        for (size_t i = 0; i < order.balance.n_refunds; i++) {
                if (order.balance.refunds[i]->state == REFUND_FAILED)
                        continue;
                refunded += order.balance.refunds[i]->amount;
                sent += order.balance.refunds[i]->state == REFUND_PENDING ? 0 : order.balance.refunds[i]->amount;
                to_payments -= order.balance.refunds[i]->payment ? order.balance.refunds[i]->amount : 0;
        }
        for (size_t i = 0; i < 2; i++)
                given_up += share_given_up(&lines[i]);
        given_up += order.status == ORDER_CANCELLED ? order.shipping : 0;
        cr_assert_eq(to_payments, 0, "sale %zu: a payment knows other refunds than there are", sale);
        cr_assert_leq(refunded, paid + asked_for, "sale %zu: more is given back than there is", sale);
        cr_assert_leq(sent, paid, "sale %zu: more is on its way than was paid", sale);
        cr_assert_eq(order.balance.paid, paid);
        cr_assert_eq(order.balance.refunded, refunded);
        cr_assert_eq(order.balance.credited, money_smaller(given_up, order.balance.total), "sale %zu", sale);
        cr_assert(order.balance.credited >= 0 && order.balance.credited <= order.balance.total);
        cr_assert_eq(
                order.balance.refund_due, paid - refunded > order.balance.total - order.balance.credited
                                                  ? paid - refunded - (order.balance.total - order.balance.credited)
                                                  : 0);
}

/* The status says that the order is covered exactly if the payments cover what it owes now. */
static void assert_status_tells_the_sum(size_t sale) {
        const struct balance *balance = &order.balance;
        const int64_t charge = balance->total - balance->credited;
        int64_t covered = balance->paid - balance->refunded;

        for (size_t i = 0; i < balance->n_payments; i++)
                covered += balance->payments[i]->capture_due + payment_held(balance->payments[i]);
        if (order.status == ORDER_CANCELLED)
                return;
        cr_assert_eq(balance->payment_status == PAYMENT_PENDING, covered < charge,
                "sale %zu: %s, but %" PRId64 " of %" PRId64 " are covered", sale,
                payment_status_texts[balance->payment_status], covered, charge);
        if (balance->payment_status == PAYMENT_REFUNDED)
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
        for (size_t i = 0; i < order.balance.n_refunds; i++)
                refunded += order.balance.refunds[i]->state == REFUND_FAILED ? 0 : order.balance.refunds[i]->tax;
        cr_assert_eq(dealt, order.tax, "sale %zu", sale);
        cr_assert_leq(order_credited(&order).tax, order.tax, "sale %zu", sale);
        cr_assert_leq(refunded, order.tax, "sale %zu", sale);
}

static void give_back_all(size_t sale) {
        if (order.balance.refund_due &&
                balance_refundable(&order.balance, REFUND_TO_ORIGINAL) >= order.balance.refund_due)
                cr_assert_eq(give_back(order.balance.refund_due), PROBLEM_NONE, "sale %zu", sale);
        cr_assert_eq(order.balance.refund_due, 0, "sale %zu", sale);
}

/* All remaining units are returned or cancelled, and every refund is settled. */
static void undo_the_rest(void) {
        for (size_t i = 0; i < 2; i++) {
                const int64_t away = lines[i].fulfilled - lines[i].returned;

                (void) order_credit_units(&lines[i], away);
                lines[i].returned += away;
        }
        if (order.status != ORDER_CANCELLED)
                (void) order_credit(&order, (struct taxed){ order.shipping, order_shipping_tax(&order) });
        order_settle(&order, &command);
}

Test(order_payments, random_payments_cancellations_returns_and_refunds_lose_or_make_no_cent) {
        uint64_t dice = 20261127;

        for (size_t sale = 0; sale < RANDOM_ORDERS; sale++) {
                money_close();
                open_till();
                random_order(&dice);
                random_payments(&dice);
                kept = 0;
                order_project_balance(&order);
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
                if (money_told("order.appeased"))
                        cr_assert_geq(order.balance.credited, order.balance.total - kept, "sale %zu", sale);
                else
                        cr_assert_eq(order.balance.credited, order.balance.total - kept, "sale %zu", sale);
                cr_assert_leq(order.balance.paid - order.balance.refunded, balance_charge(&order.balance),
                        "sale %zu: all that was paid is given back", sale);
                cr_assert_leq(order.balance.refunded, order.balance.paid + balance_sums(&order.balance).capture_due,
                        "sale %zu: and no more", sale);
        }
}

/* ---- amounts for a credit note ---- */

static struct cancel_quote quote_of(size_t line, int64_t units) {
        const struct cancel_line some = { lines[line].id, units };
        struct cancel_quote quote = { 0 };

        refusal = (struct refusal){ 0 };
        cr_assert_eq(
                order_cancel_quote(&order, units ? &some : NULL, units ? 1 : 0, "no", &command, &quote), PROBLEM_NONE);
        return quote;
}

Test(order_payments, a_cancellation_quote_has_the_values_of_the_lines_and_the_tax_in_them) {
        struct cancel_quote quote;

        order.tax_included = false;
        order.tax = 2000;
        order.balance.total += 2000;
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

Test(order_payments, a_quote_refuses_like_the_cancellation) {
        const struct cancel_line some = { lines[1].id, 5 };
        struct cancel_quote quote = { 0 };

        (void) pay(FUNDS_AUTHORIZED, 10500);
        cr_assert_eq(order_cancel_quote(&order, &some, 1, "no", &command, &quote), PROBLEM_INVALID_TRANSITION);
        cr_assert(refusal.violations->has_available && refusal.violations->available == 4);
}

Test(order_payments, the_event_of_a_cancellation_has_the_value_of_its_units_and_the_tax_in_it) {
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
        cr_assert_eq(order_credited(&order).tax, 300);
        cr_assert_eq(give_back(1000), PROBLEM_NONE);
        cr_assert_eq(order.balance.refunds[0]->tax, 100);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(order.balance.refunds[1]->tax, 200);
        cancel_all();
        cr_assert_eq(order_credited(&order).tax, 1050);
        cr_assert_eq(give_back(0), PROBLEM_NONE);
        cr_assert_eq(order.balance.refunds[2]->tax, 750);
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
        struct taxed credited;

        if (!units)
                return;
        credited = order_credit_units(line, units);
        notes->tax += credited.tax;
        notes->value += credited.amount;
        line->returned += units;
        order_settle(&order, &command);
}

static bool is_all_given_up(void) {
        for (size_t i = 0; i < 2; i++)
                if (lines[i].cancelled + lines[i].returned < lines[i].quantity)
                        return false;
        return true;
}

Test(order_payments, the_parts_add_up_to_the_order_and_its_tax_in_every_order_of_cancels_and_returns) {
        uint64_t dice = 20261202;

        for (size_t sale = 0; sale < RANDOM_ORDERS / 2; sale++) {
                struct credit_notes notes = { 0 };
                int64_t refunded = 0, refunded_tax = 0;

                money_close();
                open_till();
                random_order(&dice);
                if (order.tax_included && order.tax > order.balance.total)
                        order.tax = order.balance.total;
                (void) pay(FUNDS_CAPTURED, order.balance.total);
                while (!is_all_given_up()) {
                        const size_t line = dice_below(&dice, 2);
                        const int64_t open = order_line_open(&lines[line]);

                        if (!dice_below(&dice, 3))
                                cancel_some(&dice, &notes);
                        else if (dice_below(&dice, 2) && open)
                                ship(line, random_amount(&dice, open));
                        else
                                return_some(&dice, &notes);
                        if (order.balance.refund_due && !dice_below(&dice, 3))
                                cr_assert_eq(give_back(random_amount(&dice, order.balance.refund_due)), PROBLEM_NONE);
                }
                if (order.status != ORDER_CANCELLED) {
                        const int64_t tax = order_shipping_tax(&order);

                        notes.value += order.shipping;
                        notes.tax += tax;
                        (void) order_credit(&order, (struct taxed){ order.shipping, tax });
                        order_settle(&order, &command);
                }
                if (order.balance.refund_due)
                        cr_assert_eq(give_back(0), PROBLEM_NONE);
                for (size_t i = 0; i < order.balance.n_refunds; i++) {
                        refunded += order.balance.refunds[i]->amount;
                        refunded_tax += order.balance.refunds[i]->tax;
                }
                cr_assert_eq(notes.value, order.balance.total, "sale %zu", sale);
                cr_assert_eq(notes.tax, order.tax, "sale %zu", sale);
                cr_assert_eq(refunded, order.balance.total, "sale %zu", sale);
                cr_assert_eq(refunded_tax, order.balance.total ? order.tax : 0, "sale %zu", sale);
                cr_assert_eq(order_credited(&order).tax, order.balance.total ? order.tax : 0, "sale %zu", sale);
        }
}
