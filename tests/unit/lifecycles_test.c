#include "orders/orders.h"
#include "reservations/reservations.h"
#include "returns/returns.h"

#include <criterion/criterion.h>
#include <string.h>

#define MEMORY ((size_t) 64 * 1024)

struct step {
        int from, event, to;
};

static bool is_listed(const struct step *steps, size_t n, int from, int event, int *ret_to) {
        for (size_t i = 0; i < n; i++)
                if (steps[i].from == from && steps[i].event == event) {
                        *ret_to = steps[i].to;
                        return true;
                }
        return false;
}

/* Every pair of state and event: the listed ones lead where they should, the others nowhere. */
static void assert_exactly(const struct lifecycle *lifecycle, const struct step *steps, size_t n) {
        cr_assert_eq(lifecycle->n_transitions, n, "%s", lifecycle->name);
        for (int from = 0; from < (int) lifecycle->n_states; from++)
                for (int event = 0; event < (int) lifecycle->n_events; event++) {
                        int to = -1, wanted = -1;
                        const bool allowed = lifecycle_next(lifecycle, from, event, &to);

                        cr_assert_eq(allowed, is_listed(steps, n, from, event, &wanted), "%s: %s in %s",
                                lifecycle->name, lifecycle->events[event], lifecycle->states[from]);
                        cr_assert_eq(to, wanted, "%s: %s in %s", lifecycle->name, lifecycle->events[event],
                                lifecycle->states[from]);
                }
}

static void assert_states(const struct lifecycle *lifecycle, const char *const *names, size_t n) {
        int state = -1;

        cr_assert_eq(lifecycle->n_states, n);
        for (size_t i = 0; i < n; i++) {
                cr_assert_str_eq(lifecycle->states[i], names[i]);
                cr_assert(lifecycle_state(lifecycle, names[i], &state));
                cr_assert_eq(state, i);
        }
        cr_assert_not(lifecycle_state(lifecycle, "nowhere", &state));
        for (size_t i = 0; i < lifecycle->n_transitions; i++)
                cr_assert(strlen(lifecycle->transitions[i].comment) > 0);
}

static const struct step pickup_steps[] = {
        { FULFILLMENT_ALLOCATED, FULFILLMENT_PICK, FULFILLMENT_PICKING },
        { FULFILLMENT_ALLOCATED, FULFILLMENT_REJECT, FULFILLMENT_REJECTED },
        { FULFILLMENT_ALLOCATED, FULFILLMENT_CANCEL, FULFILLMENT_CANCELLED },
        { FULFILLMENT_PICKING, FULFILLMENT_PICK, FULFILLMENT_PICKING },
        { FULFILLMENT_PICKING, FULFILLMENT_UNDO_PICK, FULFILLMENT_PICKING },
        { FULFILLMENT_PICKING, FULFILLMENT_MAKE_READY, FULFILLMENT_READY },
        { FULFILLMENT_PICKING, FULFILLMENT_REJECT, FULFILLMENT_REJECTED },
        { FULFILLMENT_PICKING, FULFILLMENT_CANCEL, FULFILLMENT_CANCELLED },
        { FULFILLMENT_READY, FULFILLMENT_HAND_OVER, FULFILLMENT_HANDED_OVER },
        { FULFILLMENT_READY, FULFILLMENT_EXPIRE, FULFILLMENT_EXPIRED },
        { FULFILLMENT_EXPIRED, FULFILLMENT_REINSTATE, FULFILLMENT_READY },
        { FULFILLMENT_PICKING, FULFILLMENT_CLOSE, FULFILLMENT_HANDED_OVER },
        { FULFILLMENT_READY, FULFILLMENT_CLOSE, FULFILLMENT_HANDED_OVER },
        { FULFILLMENT_READY, FULFILLMENT_CANCEL, FULFILLMENT_CANCELLED },
};

static const struct step shipping_steps[] = {
        { FULFILLMENT_ALLOCATED, FULFILLMENT_PICK, FULFILLMENT_PICKING },
        { FULFILLMENT_ALLOCATED, FULFILLMENT_REJECT, FULFILLMENT_REJECTED },
        { FULFILLMENT_ALLOCATED, FULFILLMENT_CANCEL, FULFILLMENT_CANCELLED },
        { FULFILLMENT_PICKING, FULFILLMENT_PICK, FULFILLMENT_PICKING },
        { FULFILLMENT_PICKING, FULFILLMENT_UNDO_PICK, FULFILLMENT_PICKING },
        { FULFILLMENT_PACKED, FULFILLMENT_UNDO_PICK, FULFILLMENT_PICKING },
        { FULFILLMENT_PICKING, FULFILLMENT_PACK, FULFILLMENT_PACKED },
        { FULFILLMENT_PICKING, FULFILLMENT_REJECT, FULFILLMENT_REJECTED },
        { FULFILLMENT_PICKING, FULFILLMENT_CANCEL, FULFILLMENT_CANCELLED },
        { FULFILLMENT_PACKED, FULFILLMENT_SHIP, FULFILLMENT_SHIPPED },
        { FULFILLMENT_PACKED, FULFILLMENT_CANCEL, FULFILLMENT_CANCELLED },
        { FULFILLMENT_PICKING, FULFILLMENT_CLOSE, FULFILLMENT_SHIPPED },
        { FULFILLMENT_PACKED, FULFILLMENT_CLOSE, FULFILLMENT_SHIPPED },
        { FULFILLMENT_SHIPPED, FULFILLMENT_DELIVER, FULFILLMENT_DELIVERED },
};

static const struct step check_in_steps[] = {
        { CHECK_IN_NONE, CHECK_IN_SET_OUT, CHECK_IN_ON_THE_WAY },
        { CHECK_IN_NONE, CHECK_IN_ARRIVE, CHECK_IN_ARRIVED },
        { CHECK_IN_ON_THE_WAY, CHECK_IN_SET_OUT, CHECK_IN_ON_THE_WAY },
        { CHECK_IN_ON_THE_WAY, CHECK_IN_ARRIVE, CHECK_IN_ARRIVED },
        { CHECK_IN_ON_THE_WAY, CHECK_IN_LEAVE, CHECK_IN_NONE },
        { CHECK_IN_ARRIVED, CHECK_IN_ARRIVE, CHECK_IN_ARRIVED },
        { CHECK_IN_ARRIVED, CHECK_IN_SET_OUT, CHECK_IN_ON_THE_WAY },
        { CHECK_IN_ARRIVED, CHECK_IN_LEAVE, CHECK_IN_NONE },
};

static const struct step payment_steps[] = {
        { FUNDS_PENDING, FUNDS_AUTHORIZE, FUNDS_AUTHORIZED },
        { FUNDS_PENDING, FUNDS_CAPTURE_PART, FUNDS_PARTIALLY_CAPTURED },
        { FUNDS_PENDING, FUNDS_CAPTURE_ALL, FUNDS_CAPTURED },
        { FUNDS_PENDING, FUNDS_VOID, FUNDS_VOIDED },
        { FUNDS_PENDING, FUNDS_FAIL, FUNDS_FAILED },
        { FUNDS_AUTHORIZED, FUNDS_AUTHORIZE, FUNDS_AUTHORIZED },
        { FUNDS_AUTHORIZED, FUNDS_CAPTURE_PART, FUNDS_PARTIALLY_CAPTURED },
        { FUNDS_AUTHORIZED, FUNDS_CAPTURE_ALL, FUNDS_CAPTURED },
        { FUNDS_AUTHORIZED, FUNDS_VOID, FUNDS_VOIDED },
        { FUNDS_AUTHORIZED, FUNDS_FAIL, FUNDS_FAILED },
        { FUNDS_PARTIALLY_CAPTURED, FUNDS_AUTHORIZE, FUNDS_PARTIALLY_CAPTURED },
        { FUNDS_PARTIALLY_CAPTURED, FUNDS_CAPTURE_PART, FUNDS_PARTIALLY_CAPTURED },
        { FUNDS_PARTIALLY_CAPTURED, FUNDS_CAPTURE_ALL, FUNDS_CAPTURED },
        { FUNDS_PARTIALLY_CAPTURED, FUNDS_VOID, FUNDS_CAPTURED },
        { FUNDS_PARTIALLY_CAPTURED, FUNDS_FAIL, FUNDS_CAPTURED },
        { FUNDS_CAPTURED, FUNDS_AUTHORIZE, FUNDS_CAPTURED },
        { FUNDS_CAPTURED, FUNDS_AUTHORIZE_ANEW, FUNDS_PARTIALLY_CAPTURED },
        { FUNDS_CAPTURED, FUNDS_CAPTURE_PART, FUNDS_PARTIALLY_CAPTURED },
        { FUNDS_CAPTURED, FUNDS_CAPTURE_ALL, FUNDS_CAPTURED },
        { FUNDS_CAPTURED, FUNDS_VOID, FUNDS_CAPTURED },
        { FUNDS_VOIDED, FUNDS_AUTHORIZE, FUNDS_VOIDED },
        { FUNDS_VOIDED, FUNDS_AUTHORIZE_ANEW, FUNDS_AUTHORIZED },
        { FUNDS_VOIDED, FUNDS_CAPTURE_PART, FUNDS_PARTIALLY_CAPTURED },
        { FUNDS_VOIDED, FUNDS_CAPTURE_ALL, FUNDS_CAPTURED },
        { FUNDS_VOIDED, FUNDS_VOID, FUNDS_VOIDED },
        { FUNDS_VOIDED, FUNDS_FAIL, FUNDS_VOIDED },
        { FUNDS_VOIDED, FUNDS_REOPEN, FUNDS_PENDING },
        { FUNDS_FAILED, FUNDS_AUTHORIZE, FUNDS_AUTHORIZED },
        { FUNDS_FAILED, FUNDS_CAPTURE_PART, FUNDS_PARTIALLY_CAPTURED },
        { FUNDS_FAILED, FUNDS_CAPTURE_ALL, FUNDS_CAPTURED },
        { FUNDS_FAILED, FUNDS_VOID, FUNDS_VOIDED },
        { FUNDS_FAILED, FUNDS_FAIL, FUNDS_FAILED },
};

static const struct step refund_steps[] = {
        { REFUND_PENDING, REFUND_ISSUE, REFUND_ISSUED },
        { REFUND_PENDING, REFUND_SETTLE, REFUND_SETTLED },
        { REFUND_PENDING, REFUND_FAIL, REFUND_FAILED },
        { REFUND_ISSUED, REFUND_ISSUE, REFUND_ISSUED },
        { REFUND_ISSUED, REFUND_SETTLE, REFUND_SETTLED },
        { REFUND_ISSUED, REFUND_FAIL, REFUND_FAILED },
        { REFUND_SETTLED, REFUND_ISSUE, REFUND_SETTLED },
        { REFUND_SETTLED, REFUND_SETTLE, REFUND_SETTLED },
        { REFUND_SETTLED, REFUND_FAIL, REFUND_FAILED },
        { REFUND_FAILED, REFUND_ISSUE, REFUND_ISSUED },
        { REFUND_FAILED, REFUND_SETTLE, REFUND_SETTLED },
        { REFUND_FAILED, REFUND_FAIL, REFUND_FAILED },
};

static const struct step reservation_steps[] = {
        { RESERVATION_ACTIVE, RESERVATION_CLAIM, RESERVATION_CLAIMED },
        { RESERVATION_ACTIVE, RESERVATION_RELEASE, RESERVATION_RELEASED },
        { RESERVATION_ACTIVE, RESERVATION_EXPIRE, RESERVATION_EXPIRED },
};

Test(lifecycles, a_pickup_is_picked_made_ready_and_handed_over) {
        assert_exactly(&pickup_lifecycle, pickup_steps, array_size(pickup_steps));
}

Test(lifecycles, a_shipment_is_picked_packed_shipped_and_delivered) {
        assert_exactly(&shipping_lifecycle, shipping_steps, array_size(shipping_steps));
}

Test(lifecycles, a_customer_sets_out_and_arrives) {
        assert_exactly(&check_in_lifecycle, check_in_steps, array_size(check_in_steps));
}

Test(lifecycles, a_check_in_shows_once_it_is_ready) {
        static const enum check_in_state states[] = { CHECK_IN_NONE, CHECK_IN_ON_THE_WAY, CHECK_IN_ARRIVED };
        static const char *const shown[] = { "ready", "on_the_way", "arrived" };

        for (size_t i = 0; i < array_size(states); i++) {
                struct fulfillment fulfillment = { .status = FULFILLMENT_READY, .check_in.state = states[i] };

                cr_assert_str_eq(fulfillment_shown_status(&fulfillment), shown[i]);
                fulfillment.status = FULFILLMENT_PICKING;
                cr_assert_str_eq(fulfillment_shown_status(&fulfillment), "picking");
                fulfillment.status = FULFILLMENT_HANDED_OVER;
                cr_assert_str_eq(fulfillment_shown_status(&fulfillment), "handed_over");
        }
}

Test(lifecycles, a_captured_payment_stays_captured) {
        assert_exactly(&payment_lifecycle, payment_steps, array_size(payment_steps));
}

Test(lifecycles, a_refund_follows_every_event) {
        assert_exactly(&refund_lifecycle, refund_steps, array_size(refund_steps));
}

Test(lifecycles, a_reservation_ends_once) {
        assert_exactly(&reservation_lifecycle, reservation_steps, array_size(reservation_steps));
}

Test(lifecycles, states_are_named_as_on_the_wire) {
        static const char *const fulfillment[] = { "allocated", "picking", "ready", "handed_over", "packed", "shipped",
                "delivered", "rejected", "cancelled", "expired" };
        static const char *const check_in[] = { "none", "on_the_way", "arrived" };
        static const char *const payment[] = { "pending", "authorized", "captured", "partially_captured", "voided",
                "failed" };
        static const char *const refund[] = { "pending", "issued", "settled", "failed" };
        static const char *const of_order[] = { "pending", "authorized", "captured", "partially_refunded", "refunded",
                "voided" };

        assert_states(&pickup_lifecycle, fulfillment, array_size(fulfillment));
        assert_states(&shipping_lifecycle, fulfillment, array_size(fulfillment));
        assert_states(&payment_lifecycle, payment, array_size(payment));
        assert_states(&refund_lifecycle, refund, array_size(refund));
        assert_states(&check_in_lifecycle, check_in, array_size(check_in));
        for (int i = 0; i < (int) array_size(fulfillment); i++)
                cr_assert_str_eq(enum_column_text(&fulfillment_status_column, i), fulfillment[i]);
        for (int i = 0; i < (int) array_size(of_order); i++)
                cr_assert_str_eq(payment_status_texts[i], of_order[i]);
}

Test(lifecycles, orders_and_methods_are_named_as_on_the_wire) {
        cr_assert_str_eq(order_status_texts[ORDER_OPEN], "open");
        cr_assert_str_eq(order_status_texts[ORDER_PARTIALLY_FULFILLED], "partially_fulfilled");
        cr_assert_str_eq(order_status_texts[ORDER_FULFILLED], "fulfilled");
        cr_assert_str_eq(order_status_texts[ORDER_CANCELLED], "cancelled");
        cr_assert_str_eq(fulfillment_method_texts[BY_PICKUP], "pickup");
        cr_assert_str_eq(fulfillment_method_texts[BY_CURBSIDE], "curbside");
        cr_assert_str_eq(fulfillment_method_texts[BY_SHIPPING], "ship");
}

Test(lifecycles, the_method_decides_the_lifecycle_of_a_fulfillment) {
        static const struct {
                enum fulfillment_method method;
                enum fulfillment_event event;
                enum problem expected;
        } cases[] = {
                { BY_CURBSIDE, FULFILLMENT_MAKE_READY, PROBLEM_NONE },
                { BY_CURBSIDE, FULFILLMENT_PACK, PROBLEM_INVALID_TRANSITION },
                { BY_PICKUP, FULFILLMENT_MAKE_READY, PROBLEM_NONE },
                { BY_PICKUP, FULFILLMENT_PACK, PROBLEM_INVALID_TRANSITION },
                { BY_SHIPPING, FULFILLMENT_MAKE_READY, PROBLEM_INVALID_TRANSITION },
                { BY_SHIPPING, FULFILLMENT_PACK, PROBLEM_NONE },
        };

        for (size_t i = 0; i < array_size(cases); i++) {
                struct fulfillment fulfillment = { .method = cases[i].method, .status = FULFILLMENT_PICKING };
                struct refusal refusal = { 0 };
                struct arena arena;

                arena_init(&arena, MEMORY);
                cr_assert_eq(fulfillment_advance(&fulfillment, cases[i].event, &arena, &refusal), cases[i].expected,
                        "case %zu", i);
                arena_clear(&arena);
        }
}

Test(lifecycles, an_allowed_step_marks_the_changed_document) {
        struct fulfillment fulfillment = { .status = FULFILLMENT_READY };
        struct payment payment = { .state = FUNDS_AUTHORIZED };
        struct refund refund = { .state = REFUND_PENDING };
        struct refusal refusal = { 0 };
        struct arena arena;

        arena_init(&arena, MEMORY);
        cr_assert_eq(fulfillment_advance(&fulfillment, FULFILLMENT_HAND_OVER, &arena, &refusal), PROBLEM_NONE);
        cr_assert_eq(fulfillment.status, FULFILLMENT_HANDED_OVER);
        cr_assert(fulfillment.touched);
        cr_assert_eq(payment_advance(&payment, FUNDS_CAPTURE_ALL, &arena, &refusal), PROBLEM_NONE);
        cr_assert_eq(payment.state, FUNDS_CAPTURED);
        cr_assert_eq(refund_advance(&refund, REFUND_ISSUE, &arena, &refusal), PROBLEM_NONE);
        cr_assert_eq(refund.state, REFUND_ISSUED);
        cr_assert(payment.touched && refund.touched);
        cr_assert_eq(refusal.problem, PROBLEM_NONE);
        arena_clear(&arena);
}

Test(lifecycles, a_refused_step_names_the_state_and_changes_nothing) {
        struct fulfillment fulfillment = { .status = FULFILLMENT_CANCELLED };
        struct payment payment = { .state = FUNDS_CAPTURED };
        struct refusal refusal = { 0 }, other = { 0 };
        struct arena arena;

        arena_init(&arena, MEMORY);
        cr_assert_eq(fulfillment_advance(&fulfillment, FULFILLMENT_PICK, &arena, &refusal), PROBLEM_INVALID_TRANSITION);
        cr_assert_str_eq(refusal.current_status, "cancelled");
        cr_assert_str_eq(refusal.detail, "The pickup fulfillment is cancelled; that does not allow: pick.");
        cr_assert_eq(fulfillment.status, FULFILLMENT_CANCELLED);
        cr_assert_not(fulfillment.touched);
        cr_assert_eq(payment_advance(&payment, FUNDS_FAIL, &arena, &other), PROBLEM_INVALID_TRANSITION);
        cr_assert_str_eq(other.current_status, "captured");
        cr_assert_str_eq(other.detail, "The payment is captured; that does not allow: fail.");
        cr_assert_eq(payment.state, FUNDS_CAPTURED);
        cr_assert_not(payment.touched);
        arena_clear(&arena);
}

static const struct step reception_steps[] = {
        { RECEPTION_AWAITING, RECEPTION_RECEIVE, RECEPTION_RECEIVED },
        { RECEPTION_AWAITING, RECEPTION_LOSE, RECEPTION_LOST },
        { RECEPTION_AWAITING, RECEPTION_CALL_OFF, RECEPTION_CANCELLED },
};

static const struct step acceptance_steps[] = {
        { ACCEPTANCE_PENDING, ACCEPTANCE_ACCEPT, ACCEPTANCE_ACCEPTED },
        { ACCEPTANCE_PENDING, ACCEPTANCE_REJECT, ACCEPTANCE_REJECTED },
};

static const struct step bucket_steps[] = {
        { BUCKET_NONE, BUCKET_RESTOCK, BUCKET_SELLABLE },
        { BUCKET_NONE, BUCKET_SET_ASIDE, BUCKET_UNSELLABLE },
        { BUCKET_NONE, BUCKET_TAKE_OUT, BUCKET_GONE },
        { BUCKET_UNSELLABLE, BUCKET_RESTOCK, BUCKET_SELLABLE },
        { BUCKET_UNSELLABLE, BUCKET_SET_ASIDE, BUCKET_UNSELLABLE },
        { BUCKET_UNSELLABLE, BUCKET_TAKE_OUT, BUCKET_GONE },
};

Test(lifecycles, goods_come_back_along_three_axes) {
        assert_exactly(&reception_lifecycle, reception_steps, array_size(reception_steps));
        assert_exactly(&acceptance_lifecycle, acceptance_steps, array_size(acceptance_steps));
        assert_exactly(&bucket_lifecycle, bucket_steps, array_size(bucket_steps));
}
