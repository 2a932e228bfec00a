/* What the payment provider tells of a payment or a refund. */
#include "orders/provider.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const provider_event_texts[] = { "authorized", "captured", "failed", "refund_failed", "refund_issued",
        "refund_settled", "voided", NULL };

static int64_t larger(int64_t a, int64_t b) {
        return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b) {
        return a < b ? a : b;
}

/* ---- what the request alone tells ---- */

static bool is_of_refund(enum provider_event_type type) {
        return type == PROVIDER_REFUND_FAILED || type == PROVIDER_REFUND_ISSUED || type == PROVIDER_REFUND_SETTLED;
}

enum problem provider_check(const struct provider_event *told, struct arena *arena, struct refusal *refusal) {
        if (is_of_refund(told->type) && !told->has_refund_id)
                (void) refuse_because(refusal, arena, "#/refund_id", "required", "%s", "Name the refund.");
        if (!is_of_refund(told->type) && told->has_refund_id)
                (void) refuse_because(
                        refusal, arena, "#/refund_id", "not-allowed", "%s", "This is about the payment, not a refund.");
        if (told->type == PROVIDER_FAILED && told->has_amount)
                (void) refuse_because(refusal, arena, "#/amount", "not-allowed", "%s",
                        "A payment fails as a whole; what was captured stays captured.");
        if (!refusal->n_violations)
                return PROBLEM_NONE;
        return refuse(refusal, arena, PROBLEM_VALIDATION_FAILED, "The event is not valid.");
}

/* ---- one word of the provider ---- */

/* What every rule here works with. */
struct word {
        const struct provider_event *told;
        struct payment *payment;
        const char *actor;
        struct events *events;
        struct arena *arena;
        struct refusal *refusal;
};

static enum problem refuse_too_much(const struct word *word, int64_t amount, int64_t most) {
        refuse_beyond(word->refusal, word->arena, "#/amount", "over-capture", most,
                "Of this payment it can be %" PRId64 " at most.", most);
        return refuse(word->refusal, word->arena, PROBLEM_OVER_CAPTURE,
                "The event tells of %" PRId64 "; of this payment it can be %" PRId64 " at most.", amount, most);
}

static void tell(const struct word *word, const char *type, int64_t amount) {
        (void) payment_tell(word->events, word->payment, type, amount, word->actor);
}

/* In all, not on top of what was told before. */
static enum problem authorized(const struct word *word) {
        struct payment *payment = word->payment;
        const bool again = payment->state == FUNDS_PENDING || payment->state == FUNDS_FAILED;
        const int64_t amount = word->told->has_amount ? word->told->amount : payment->amount;
        enum problem p;

        if (amount > payment->amount)
                return refuse_too_much(word, amount, payment->amount);
        p = payment_advance(payment, FUNDS_AUTHORIZE, word->arena, word->refusal);
        if (p)
                return p;
        if (again)
                payment->authorized = payment->voided = 0;
        payment->authorized = larger(payment->authorized, amount);
        if (payment->state == FUNDS_VOIDED && payment_held(payment)) {
                tell(word, "payment.void_due", payment_held(payment));
                payment->voided = payment->authorized;
        }
        tell(word, "payment.authorized", amount);
        return PROBLEM_NONE;
}

/* What is taken had been authorized, be it that nobody told. */
static void assume_authorized(struct payment *payment) {
        const bool untold = payment->state == FUNDS_PENDING || payment->state == FUNDS_FAILED || !payment->authorized;

        if (!untold)
                return;
        payment->authorized = payment->amount;
        payment->voided = 0;
}

/* First what was asked for, then what is held, then what was let go. */
static void note_captured(struct payment *payment, int64_t amount) {
        const int64_t answered = smaller(payment->capture_due, amount);

        payment->capture_due -= answered;
        payment->captured += amount;
        payment->voided = smaller(payment->voided, payment->authorized - payment->captured - payment->capture_due);
}

static enum problem captured(const struct word *word) {
        struct payment *payment = word->payment;
        struct payment after = *payment;
        int64_t amount, most;
        enum problem p;

        assume_authorized(&after);
        most = after.authorized - after.captured;
        amount = after.state == FUNDS_VOIDED ? most : most - after.voided;
        if (word->told->has_amount)
                amount = word->told->amount;
        if (amount > most || (!amount && payment->amount))
                return refuse_too_much(word, amount, most);
        note_captured(&after, amount);
        p = payment_advance(&after, payment_held(&after) || after.capture_due ? FUNDS_CAPTURE_PART : FUNDS_CAPTURE_ALL,
                word->arena, word->refusal);
        if (p)
                return p;
        *payment = after;
        tell(word, "payment.captured", amount);
        return PROBLEM_NONE;
}

/* ---- what is not to be had ---- */

static enum problem fail_refund(const struct word *word, struct refund *refund) {
        const enum problem p = refund_advance(refund, REFUND_FAIL, word->arena, word->refusal);

        if (p)
                return p;
        refund->payment->refunded -= refund->amount;
        refund->payment->changed = true;
        event_text(refund_tell(word->events, refund, "refund.failed", word->actor), "reason", "not_captured");
        return PROBLEM_NONE;
}

/* More is on its way back than there is: by the payment alone, or by all of the order, store credit included. */
static bool is_uncovered(const struct payment *payment) {
        const struct order_money money = order_money(payment->order);

        return payment->refunded > payment->captured + payment->capture_due ||
               money.refunded > money.paid + money.capture_due;
}

/* Refunds that would have been paid from what is not taken after all fail with it, the newest first. */
static enum problem fail_uncovered(const struct word *word) {
        struct order *order = word->payment->order;
        enum problem p = PROBLEM_NONE;

        for (size_t i = order->n_refunds; !p && i-- > 0 && is_uncovered(word->payment);)
                if (order->refunds[i]->payment == word->payment && order->refunds[i]->state == REFUND_PENDING)
                        p = fail_refund(word, order->refunds[i]);
        for (size_t i = order->n_refunds; !p && i-- > 0 && is_uncovered(word->payment);)
                if (order->refunds[i]->payment && order->refunds[i]->state == REFUND_PENDING)
                        p = fail_refund(word, order->refunds[i]);
        return p;
}

/* In all; what was not captured, when no amount is told. */
static enum problem voided(const struct word *word) {
        struct payment *payment = word->payment;
        const int64_t most = payment->authorized - payment->captured;
        const int64_t amount = word->told->has_amount ? word->told->amount : most;
        enum problem p = PROBLEM_NONE;

        if (amount > most)
                return refuse_too_much(word, amount, most);
        if (payment->state == FUNDS_CAPTURED && !payment->voided)
                return refuse(word->refusal, word->arena, PROBLEM_INVALID_TRANSITION,
                        "The payment is captured; nothing of it can be let go.");
        if (amount == most)
                p = payment_advance(payment, FUNDS_VOID, word->arena, word->refusal);
        if (p)
                return p;
        payment->voided = larger(payment->voided, amount);
        payment->capture_due = smaller(payment->capture_due, most - payment->voided);
        payment->changed = true;
        tell(word, "payment.voided", amount);
        return fail_uncovered(word);
}

static enum problem failed(const struct word *word) {
        struct payment *payment = word->payment;
        const int64_t lost = payment->authorized - payment->captured - payment->voided;
        enum problem p = payment_advance(payment, FUNDS_FAIL, word->arena, word->refusal);

        if (p)
                return p;
        payment->capture_due = 0;
        payment->voided = payment->authorized - payment->captured;
        tell(word, "payment.failed", lost ? lost : payment->amount);
        return fail_uncovered(word);
}

/* ---- refunds ---- */

/* What has been sent already: of a payment, or of the whole order (NULL). */
static int64_t sent(const struct order *order, const struct payment *payment) {
        int64_t sum = 0;

        for (size_t i = 0; i < order->n_refunds; i++) {
                const struct refund *refund = order->refunds[i];

                if ((!payment || refund->payment == payment) &&
                        (refund->state == REFUND_ISSUED || refund->state == REFUND_SETTLED))
                        sum += refund->amount;
        }
        return sum;
}

static enum problem check_covered(const struct word *word, const struct refund *refund) {
        const struct payment *payment = word->payment;

        if (refund->state != REFUND_PENDING ||
                (sent(payment->order, payment) + refund->amount <= payment->captured &&
                        sent(payment->order, NULL) + refund->amount <= order_money(payment->order).paid))
                return PROBLEM_NONE;
        word->refusal->current_status = refund_lifecycle.states[refund->state];
        return refuse(word->refusal, word->arena, PROBLEM_INVALID_TRANSITION,
                "The capture that this refund is paid from has not been told yet.");
}

static enum problem find_refund(const struct word *word, struct refund **ret_refund) {
        struct refund *refund = refund_find(word->payment->order, &word->told->refund_id);

        if (!refund || refund->payment != word->payment) {
                (void) refuse_because(word->refusal, word->arena, "#/refund_id", "unknown-refund", "%s",
                        "The payment has no such refund.");
                return refuse(word->refusal, word->arena, PROBLEM_VALIDATION_FAILED, "There is no such refund.");
        }
        if (word->told->has_amount && word->told->amount != refund->amount) {
                (void) refuse_because(word->refusal, word->arena, "#/amount", "mismatch",
                        "The refund is of %" PRId64 ".", refund->amount);
                return refuse(word->refusal, word->arena, PROBLEM_VALIDATION_FAILED,
                        "A refund is issued, settled or failed as a whole.");
        }
        *ret_refund = refund;
        return PROBLEM_NONE;
}

static enum problem refund_told(const struct word *word) {
        static const struct {
                enum refund_event event;
                const char *type;
        } steps[] = {
                [PROVIDER_REFUND_FAILED] = { REFUND_FAIL, "refund.failed" },
                [PROVIDER_REFUND_ISSUED] = { REFUND_ISSUE, "refund.issued" },
                [PROVIDER_REFUND_SETTLED] = { REFUND_SETTLE, "refund.settled" },
        };
        struct refund *refund = NULL;
        enum refund_state before;
        enum problem p = find_refund(word, &refund);

        if (p)
                return p;
        before = refund->state;
        if (word->told->type != PROVIDER_REFUND_FAILED)
                p = check_covered(word, refund);
        if (!p)
                p = refund_advance(refund, steps[word->told->type].event, word->arena, word->refusal);
        if (p)
                return p;
        if (word->told->reference)
                refund->reference = word->told->reference;
        if (before != REFUND_FAILED && refund->state == REFUND_FAILED) {
                word->payment->refunded -= refund->amount;
                word->payment->changed = true;
        }
        if (before != refund->state)
                (void) refund_tell(word->events, refund, steps[word->told->type].type, word->actor);
        return PROBLEM_NONE;
}

/* ---- deciding ---- */

static enum problem apply(const struct word *word) {
        switch (word->told->type) {
        case PROVIDER_AUTHORIZED:
                return authorized(word);
        case PROVIDER_CAPTURED:
                return captured(word);
        case PROVIDER_FAILED:
                return failed(word);
        case PROVIDER_VOIDED:
                return voided(word);
        default:
                return refund_told(word);
        }
}

enum problem provider_tells(struct payment *payment, const struct provider_event *told, const char *actor,
        struct events *events, timestamp now, struct arena *arena, struct refusal *refusal) {
        const struct word word = { told, payment, actor, events, arena, refusal };
        const enum problem p = apply(&word);

        if (p)
                return p;
        if (told->reference && !is_of_refund(told->type)) {
                payment->reference = told->reference;
                payment->changed = true;
        }
        order_settle(payment->order, events, actor, now);
        return PROBLEM_NONE;
}

/* ---- what was told before ---- */

void provider_event_digest(const struct provider_event *told, uint8_t *ret_digest) {
        char numbers[64], refund[UUID_TEXT_SIZE] = "";

        (void) snprintf(numbers, sizeof(numbers), "%" PRId64 " %" PRId64, told->has_amount ? told->amount : -1,
                told->occurred_at);
        if (told->has_refund_id)
                uuid_format(&told->refund_id, refund);
        digest_parts(
                (const struct digest_part[]){
                        digest_text(provider_event_texts[told->type]),
                        digest_text(numbers),
                        digest_text(refund),
                        digest_text(told->reference ? told->reference : ""),
                },
                /* n= */ 4, ret_digest);
}

enum problem told_events_find(const struct told_events *events, const struct uuid *payment_id,
        const struct provider_event *told, struct arena *arena, struct refusal *refusal, bool *ret_known) {
        uint8_t content[DIGEST_SIZE];

        *ret_known = false;
        for (size_t i = 0; i < events->n; i++) {
                const struct told_event *event = &events->at[i];

                if (!uuid_equal(&event->payment_id, payment_id) || !text_equal(event->event_id, told->event_id))
                        continue;
                *ret_known = true;
                provider_event_digest(told, content);
                if (memcmp(content, event->content, DIGEST_SIZE) != 0)
                        return refuse(refusal, arena, PROBLEM_EVENT_ID_REUSED,
                                "The payment was told another thing under this event_id.");
        }
        return PROBLEM_NONE;
}

void told_events_add(struct told_events *events, const struct uuid *payment_id, const struct provider_event *told) {
        struct told_event *event = &events->at[events->n++];

        *event = (struct told_event){ .payment_id = *payment_id,
                .event_id = told->event_id,
                .type = provider_event_texts[told->type],
                .is_new = true };
        provider_event_digest(told, event->content);
}
