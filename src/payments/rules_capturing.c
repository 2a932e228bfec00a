/* Captures and voids: the requests to the payment provider when units have left or are cancelled. */
#include "payments/payments.h"

/* ---- captures ---- */

/* Never more than the customer owes. */
static int64_t capture_needed(const struct balance *balance, int64_t earned) {
        const struct balance_sums sums = balance_sums(balance);
        const int64_t owed = balance_charge(balance) - (sums.paid + sums.capture_due - sums.refunded);

        if (balance->stage == BALANCE_COMPLETE)
                return owed;
        return money_smaller(earned - sums.paid - sums.capture_due, owed);
}

static void capture_request(
        struct payment *payment, int64_t amount, const struct uuid *fulfillment_id, const struct command *command) {
        struct event *event;
        char id[UUID_TEXT_SIZE];

        payment->capture_due += amount;
        payment->touched = true;
        event = payment_tell(payment, EVENT_PAYMENT_CAPTURE_DUE, amount, command);
        if (!fulfillment_id)
                return;
        uuid_format(fulfillment_id, id);
        event_text(event, "of_fulfillment", id);
}

void balance_request_captures(
        struct balance *balance, int64_t earned, const struct uuid *fulfillment_id, const struct command *command) {
        int64_t needed = capture_needed(balance, earned);

        for (size_t i = 0; i < balance->n_payments && needed > 0; i++) {
                const int64_t part = money_smaller(payment_held(balance->payments[i]), needed);

                if (!part)
                        continue;
                capture_request(balance->payments[i], part, fulfillment_id, command);
                needed -= part;
        }
}

/* ---- voids ---- */

/* Close a payment without held or requested amounts: it is captured or void. The provider confirms a requested void;
 * where nothing was held, no event follows. */
static void payment_close(struct payment *payment, const struct command *command) {
        const bool waits = payment->state == FUNDS_PENDING && payment->balance->stage == BALANCE_CANCELLED;
        struct refusal ignored = { 0 };
        struct arena none;

        if (payment->capture_due ||
                !(waits || payment->state == FUNDS_AUTHORIZED || payment->state == FUNDS_PARTIALLY_CAPTURED))
                return;
        arena_init(&none, 0);
        if (!payment_advance(payment, FUNDS_VOID, &none, &ignored) && payment->state == FUNDS_VOIDED &&
                !payment->void_due)
                (void) payment_tell(payment, EVENT_PAYMENT_VOIDED, payment->amount, command);
}

/* The order no longer needs the payment: request a void of the amount that the provider still holds. */
static void payment_release(struct payment *payment, const struct command *command) {
        const int64_t held = payment_held(payment);

        if (held) {
                payment->void_due += held;
                payment->void_asked += held;
                payment->touched = true;
                (void) payment_tell(payment, EVENT_PAYMENT_VOID_DUE, held, command);
        }
        payment_close(payment, command);
}

void balance_reopen(struct balance *balance, const struct command *command) {
        struct refusal ignored = { 0 };
        struct arena none;

        arena_init(&none, 0);
        balance->payment_due_at = balance->unpaid_since = TIMESTAMP_NONE;
        for (size_t i = 0; i < balance->n_payments; i++) {
                struct payment *payment = balance->payments[i];

                /* A released authorization is gone: the order needs another payment. */
                if (payment->authorized || payment->state != FUNDS_VOIDED ||
                        payment_advance(payment, FUNDS_REOPEN, &none, &ignored))
                        continue;
                (void) payment_tell(payment, EVENT_PAYMENT_REOPENED, payment->amount, command);
        }
}

/* ---- settling ---- */

/* A document that the command made begins with version 1, and its time stays. */
static void payment_settle(struct payment *payment, const struct command *command) {
        if (!payment->touched && payment->version)
                return;
        if (payment->version++)
                payment->updated_at = command->now;
        payment->touched = false;
        payment->changed = true;
        event_cover(command->events, EVENT_PAYMENT_UPDATED, &payment->id, payment->version, NULL,
                payment->balance->channel, command->actor);
}

static void refund_settle(struct refund *refund, const struct command *command) {
        if (!refund->touched && refund->version)
                return;
        if (refund->version++)
                refund->updated_at = command->now;
        refund->touched = false;
        refund->changed = true;
}

static void raise_versions(struct balance *balance, const struct command *command) {
        for (size_t i = 0; i < balance->n_payments; i++)
                payment_settle(balance->payments[i], command);
        for (size_t i = 0; i < balance->n_refunds; i++)
                refund_settle(balance->refunds[i], command);
}

static void tell_refund_due(const struct balance *balance, int64_t before, const struct command *command) {
        struct event *event;

        if (balance->refund_due <= before)
                return;
        event = balance_tell(balance, EVENT_REFUND_DUE, command);
        event_integer(event, "amount", balance->refund_due - before);
        event_text(event, "currency", balance->currency);
}

void balance_settle(struct balance *balance, int64_t earned, const struct command *command) {
        const int64_t due_before = balance->refund_due;

        balance_request_captures(balance, earned, NULL, command);
        for (size_t i = 0; i < balance->n_payments; i++)
                if (balance->stage != BALANCE_OPEN)
                        payment_release(balance->payments[i], command);
        if (balance->stage == BALANCE_CANCELLED && !balance->n_payments && balance->payment_status != PAYMENT_VOIDED)
                (void) balance_tell(balance, EVENT_PAYMENT_VOIDED, command);
        balance_project(balance);
        raise_versions(balance, command);
        tell_refund_due(balance, due_before, command);
}
