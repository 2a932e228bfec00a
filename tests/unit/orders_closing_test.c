/* Why an order is open: over all states that its parts can have. */
#include "orders/order.h"

#include "base/text.h"

#include <criterion/criterion.h>

#define FULFILLMENT_STATES (FULFILLMENT_EXPIRED + 1)
#define NO_REFUND          (-1)

TestSuite(orders_closing);

static struct order order;
static struct fulfillment fulfillments[2], *fulfillment_list[] = { &fulfillments[0], &fulfillments[1] };
static struct payment payment, *payment_list[] = { &payment };
static struct refund refund, *refund_list[] = { &refund };

/* A fulfilled order of two parts, paid, with nothing under way. */
static void given_closed(void) {
        order = (struct order){ .status = ORDER_FULFILLED,
                .fulfillments = fulfillment_list,
                .n_fulfillments = array_size(fulfillment_list),
                .balance = { .payments = payment_list, .n_payments = 1, .refunds = refund_list, .n_refunds = 1 } };
        fulfillments[0] = (struct fulfillment){ .status = FULFILLMENT_HANDED_OVER };
        fulfillments[1] = (struct fulfillment){ .status = FULFILLMENT_SHIPPED };
        payment = (struct payment){ .state = FUNDS_CAPTURED };
        refund = (struct refund){ .state = REFUND_SETTLED };
}

static void given_refund(int state) {
        order.balance.n_refunds = state == NO_REFUND ? 0 : 1;
        refund.state = state == NO_REFUND ? REFUND_SETTLED : (enum refund_state) state;
}

/* ---- the lifecycles tell what may still come ---- */

static bool may_be_cancelled(enum fulfillment_status status) {
        int to;

        return lifecycle_next(&pickup_lifecycle, (int) status, FULFILLMENT_CANCEL, &to) ||
               lifecycle_next(&shipping_lifecycle, (int) status, FULFILLMENT_CANCEL, &to);
}

/* A bank may send settled money back, but no order waits for that: it opens again. */
static bool may_fail(int state) {
        int to;

        return state != NO_REFUND && state != REFUND_SETTLED &&
               lifecycle_next(&refund_lifecycle, state, REFUND_FAIL, &to) && to != state;
}

static bool may_change(void) {
        const bool at_location = may_be_cancelled(fulfillments[0].status) || may_be_cancelled(fulfillments[1].status);
        const bool unfulfilled = order.status == ORDER_OPEN || order.status == ORDER_PARTIALLY_FULFILLED;

        return at_location || unfulfilled || order.returns_awaited || payment.capture_due || order.balance.refund_due ||
               may_fail(order.balance.n_refunds ? (int) refund.state : NO_REFUND);
}

static size_t expect_projection(void) {
        const bool is_open = order_open_reason(&order) != OPEN_FOR_NOTHING;

        cr_assert_eq(is_open, may_change(), "%s and %s, order %s, %ld returns, %ld to capture, %ld due, refund %d",
                enum_column_text(&fulfillment_status_column, (int) fulfillments[0].status),
                enum_column_text(&fulfillment_status_column, (int) fulfillments[1].status),
                order_status_texts[order.status], (long) order.returns_awaited, (long) payment.capture_due,
                (long) order.balance.refund_due, order.balance.n_refunds ? (int) refund.state : NO_REFUND);
        order_project_open(&order);
        cr_assert_eq(order.open_for != NULL, is_open);
        return is_open;
}

/* Each bit of `dues` is something that is awaited. */
static size_t expect_projection_of_money_and_goods(void) {
        size_t n_open = 0;

        for (unsigned dues = 0; dues < 8; dues++)
                for (int state = NO_REFUND; state <= REFUND_FAILED; state++) {
                        order.returns_awaited = dues & 1u;
                        payment.capture_due = dues & 2u;
                        order.balance.refund_due = dues & 4u;
                        given_refund(state);
                        n_open += expect_projection();
                }
        return n_open;
}

Test(orders_closing, an_order_is_open_exactly_while_something_of_it_may_still_come) {
        size_t n_open = 0, n = 0;

        given_closed();
        for (int status = ORDER_OPEN; status <= ORDER_CANCELLED; status++)
                for (int first = 0; first < FULFILLMENT_STATES; first++)
                        for (int second = 0; second < FULFILLMENT_STATES; second++) {
                                order.status = (enum order_status) status;
                                fulfillments[0].status = (enum fulfillment_status) first;
                                fulfillments[1].status = (enum fulfillment_status) second;
                                n_open += expect_projection_of_money_and_goods();
                                n += 40;
                        }
        cr_assert_eq(n, 4 * 100 * 40);
        /* Two of four states of the order, six of ten of a fulfillment, no due, and three of five of a refund are
         * closed. */
        cr_assert_eq(n - n_open, 2 * 6 * 6 * 3);
}

/* ---- the first reason ---- */

static void assert_reason(enum open_reason expected, const char *word) {
        cr_assert_eq(order_open_reason(&order), expected);
        order_project_open(&order);
        cr_assert(text_equal(order.open_for, word));
}

Test(orders_closing, the_reason_is_the_first_that_a_clerk_can_do_something_about) {
        given_closed();
        assert_reason(OPEN_FOR_NOTHING, NULL);
        given_refund(REFUND_ISSUED);
        assert_reason(OPEN_FOR_REFUND, "refund");
        order.balance.refund_due = 1;
        assert_reason(OPEN_FOR_REFUND_DUE, "refund_due");
        payment.capture_due = 1;
        assert_reason(OPEN_FOR_CAPTURE, "capture");
        order.returns_awaited = 1;
        assert_reason(OPEN_FOR_GOODS, "goods");
        order.status = ORDER_PARTIALLY_FULFILLED;
        assert_reason(OPEN_FOR_FULFILLMENT, "unfulfilled");
        fulfillments[1].status = FULFILLMENT_PACKED;
        assert_reason(OPEN_FOR_UNITS, "units");
}
