/* States of payments and refunds. */
#include "payments/payments.h"

const char *const payment_status_texts[] = { "pending", "authorized", "captured", "partially_refunded", "refunded",
        "voided", NULL };
const char *const payment_opening_texts[] = { "pending", "authorized", "captured", NULL };
const char *const refund_to_texts[] = { "original", "store_credit", NULL };

static const char *const payment_states[] = {
        [FUNDS_AUTHORIZED] = "authorized",
        [FUNDS_CAPTURED] = "captured",
        [FUNDS_FAILED] = "failed",
        [FUNDS_PARTIALLY_CAPTURED] = "partially_captured",
        [FUNDS_PENDING] = "pending",
        [FUNDS_VOIDED] = "voided",
};

static const char *const payment_events[] = {
        [FUNDS_AUTHORIZE] = "authorize",
        [FUNDS_AUTHORIZE_ANEW] = "authorize anew",
        [FUNDS_CAPTURE_ALL] = "capture all",
        [FUNDS_CAPTURE_PART] = "capture a part",
        [FUNDS_FAIL] = "fail",
        [FUNDS_REOPEN] = "reopen",
        [FUNDS_VOID] = "void",
};

/* Events of the provider may arrive late, twice, or in another order. */
static const struct transition payment_transitions[] = {
        { FUNDS_PENDING, FUNDS_AUTHORIZE, FUNDS_AUTHORIZED, "the provider holds the amount" },
        { FUNDS_PENDING, FUNDS_CAPTURE_PART, FUNDS_PARTIALLY_CAPTURED, "a part is taken at once" },
        { FUNDS_PENDING, FUNDS_CAPTURE_ALL, FUNDS_CAPTURED, "paid at once" },
        { FUNDS_PENDING, FUNDS_VOID, FUNDS_VOIDED, "the order was cancelled unpaid" },
        { FUNDS_PENDING, FUNDS_FAIL, FUNDS_FAILED, "the provider refused" },
        { FUNDS_AUTHORIZED, FUNDS_AUTHORIZE, FUNDS_AUTHORIZED, "a repeated event, or a further amount is held" },
        { FUNDS_AUTHORIZED, FUNDS_CAPTURE_PART, FUNDS_PARTIALLY_CAPTURED, "a part is taken, the rest stays held" },
        { FUNDS_AUTHORIZED, FUNDS_CAPTURE_ALL, FUNDS_CAPTURED, "everything but the voided amount is taken" },
        { FUNDS_AUTHORIZED, FUNDS_VOID, FUNDS_VOIDED, "nothing was taken, and the order needs nothing" },
        { FUNDS_AUTHORIZED, FUNDS_FAIL, FUNDS_FAILED, "it cannot be taken any more" },
        { FUNDS_PARTIALLY_CAPTURED, FUNDS_AUTHORIZE, FUNDS_PARTIALLY_CAPTURED,
                "a late event, or a further amount is held" },
        { FUNDS_PARTIALLY_CAPTURED, FUNDS_CAPTURE_PART, FUNDS_PARTIALLY_CAPTURED, "a further part is taken" },
        { FUNDS_PARTIALLY_CAPTURED, FUNDS_CAPTURE_ALL, FUNDS_CAPTURED, "the rest is taken" },
        { FUNDS_PARTIALLY_CAPTURED, FUNDS_VOID, FUNDS_CAPTURED, "the rest is voided" },
        { FUNDS_PARTIALLY_CAPTURED, FUNDS_FAIL, FUNDS_CAPTURED, "the rest cannot be taken any more" },
        { FUNDS_CAPTURED, FUNDS_AUTHORIZE, FUNDS_CAPTURED, "a late event" },
        { FUNDS_CAPTURED, FUNDS_AUTHORIZE_ANEW, FUNDS_PARTIALLY_CAPTURED, "more is held than was captured" },
        { FUNDS_CAPTURED, FUNDS_CAPTURE_PART, FUNDS_PARTIALLY_CAPTURED,
                "a part of the failed amount is taken nevertheless" },
        { FUNDS_CAPTURED, FUNDS_CAPTURE_ALL, FUNDS_CAPTURED, "a part of the voided amount is taken nevertheless" },
        { FUNDS_CAPTURED, FUNDS_VOID, FUNDS_CAPTURED, "the provider confirms the void of the rest" },
        { FUNDS_VOIDED, FUNDS_AUTHORIZE, FUNDS_VOIDED, "a late event; the amount is to be voided at once" },
        { FUNDS_VOIDED, FUNDS_AUTHORIZE_ANEW, FUNDS_AUTHORIZED, "another try, which happened after the void" },
        { FUNDS_VOIDED, FUNDS_CAPTURE_PART, FUNDS_PARTIALLY_CAPTURED, "a part is taken nevertheless" },
        { FUNDS_VOIDED, FUNDS_CAPTURE_ALL, FUNDS_CAPTURED, "taken nevertheless; it is due back" },
        { FUNDS_VOIDED, FUNDS_VOID, FUNDS_VOIDED, "the provider confirms the void" },
        { FUNDS_VOIDED, FUNDS_FAIL, FUNDS_VOIDED, "nothing was held" },
        { FUNDS_VOIDED, FUNDS_REOPEN, FUNDS_PENDING, "the order is reinstated, and nothing was held" },
        { FUNDS_FAILED, FUNDS_AUTHORIZE, FUNDS_AUTHORIZED, "another try" },
        { FUNDS_FAILED, FUNDS_CAPTURE_PART, FUNDS_PARTIALLY_CAPTURED, "another try, a part at once" },
        { FUNDS_FAILED, FUNDS_CAPTURE_ALL, FUNDS_CAPTURED, "another try, paid at once" },
        { FUNDS_FAILED, FUNDS_VOID, FUNDS_VOIDED, "there will be no other try" },
        { FUNDS_FAILED, FUNDS_FAIL, FUNDS_FAILED, "another try has failed" },
};

const struct lifecycle payment_lifecycle = {
        .name = "payment",
        .states = payment_states,
        .n_states = array_size(payment_states),
        .events = payment_events,
        .n_events = array_size(payment_events),
        .transitions = payment_transitions,
        .n_transitions = array_size(payment_transitions),
};

static const char *const refund_states[] = {
        [REFUND_FAILED] = "failed",
        [REFUND_ISSUED] = "issued",
        [REFUND_PENDING] = "pending",
        [REFUND_SETTLED] = "settled",
};

static const char *const refund_events[] = {
        [REFUND_FAIL] = "fail",
        [REFUND_ISSUE] = "issue",
        [REFUND_SETTLE] = "settle",
};

static const struct transition refund_transitions[] = {
        { REFUND_PENDING, REFUND_ISSUE, REFUND_ISSUED, "the provider has sent the money" },
        { REFUND_PENDING, REFUND_SETTLE, REFUND_SETTLED,
                "the customer has it: store credit, or the event between came late" },
        { REFUND_PENDING, REFUND_FAIL, REFUND_FAILED, "the provider refused; it is due again" },
        { REFUND_ISSUED, REFUND_ISSUE, REFUND_ISSUED, "a repeated event" },
        { REFUND_ISSUED, REFUND_SETTLE, REFUND_SETTLED, "the customer has it" },
        { REFUND_ISSUED, REFUND_FAIL, REFUND_FAILED, "the money came back; it is due again" },
        { REFUND_SETTLED, REFUND_ISSUE, REFUND_SETTLED, "a late event" },
        { REFUND_SETTLED, REFUND_SETTLE, REFUND_SETTLED, "a repeated event" },
        { REFUND_SETTLED, REFUND_FAIL, REFUND_FAILED, "the bank sent the money back; it is due again" },
        { REFUND_FAILED, REFUND_ISSUE, REFUND_ISSUED, "another try: the money is sent after all" },
        { REFUND_FAILED, REFUND_SETTLE, REFUND_SETTLED, "another try: the customer has it after all" },
        { REFUND_FAILED, REFUND_FAIL, REFUND_FAILED, "a repeated event" },
};

const struct lifecycle refund_lifecycle = {
        .name = "refund",
        .states = refund_states,
        .n_states = array_size(refund_states),
        .events = refund_events,
        .n_events = array_size(refund_events),
        .transitions = refund_transitions,
        .n_transitions = array_size(refund_transitions),
};

enum problem payment_advance(
        struct payment *payment, enum funds_event event, struct arena *arena, struct refusal *refusal) {
        int next;

        if (!lifecycle_next(&payment_lifecycle, (int) payment->state, (int) event, &next)) {
                refusal->current_status = payment_states[payment->state];
                return refuse(refusal, arena, PROBLEM_INVALID_TRANSITION, "The payment is %s; that does not allow: %s.",
                        refusal->current_status, payment_events[event]);
        }
        payment->state = (enum funds_state) next;
        payment->touched = true;
        return PROBLEM_NONE;
}

enum problem refund_advance(
        struct refund *refund, enum refund_event event, struct arena *arena, struct refusal *refusal) {
        int next;

        if (!lifecycle_next(&refund_lifecycle, (int) refund->state, (int) event, &next)) {
                refusal->current_status = refund_states[refund->state];
                return refuse(refusal, arena, PROBLEM_INVALID_TRANSITION, "The refund is %s; that does not allow: %s.",
                        refusal->current_status, refund_events[event]);
        }
        refund->state = (enum refund_state) next;
        refund->touched = true;
        return PROBLEM_NONE;
}

const struct enum_column payment_opened_column = { "payments", "opened", .lifecycle = &payment_lifecycle };
const struct enum_column payment_status_column = { "payments", "status", .lifecycle = &payment_lifecycle };
const struct enum_column refund_destination_column = { "refunds", "destination", .texts = refund_to_texts };
const struct enum_column refund_status_column = { "refunds", "status", .lifecycle = &refund_lifecycle };
