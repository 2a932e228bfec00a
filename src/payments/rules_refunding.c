/*
 * Refunds of a balance: to its payments or as store credit, for returns or for the rest. balance_give_back decides the
 * refund of an order; returns/rules_refund.c decides that of a return, and makes it by balance_refund.
 */
#include "payments/payments.h"

#include <inttypes.h>

/* ---- refunds ---- */

/* The tax in the first part of the amount due, rounded down: all parts together have all of it. */
static int64_t tax_in(const struct refund_request *request, int64_t amount) {
        return amount >= request->due.amount ? request->due.tax
                                             : money_portion(request->due.tax, amount, request->due.amount);
}

/* In proportion to the amount due, within the tax that the refunds so far have left of the credited part. */
static int64_t refund_tax(
        const struct balance *balance, const struct refund_request *request, int64_t before, int64_t amount) {
        const struct taxed refunded = balance_refunded(balance, NULL);
        const struct taxed left = { request->credited.amount - refunded.amount, request->credited.tax - refunded.tax };

        return tax_of_part(left, amount, tax_in(request, before + amount) - tax_in(request, before));
}

/* `before`: sum of the earlier refunds of the same request. */
static struct refund *refund_add(struct balance *balance, struct payment *payment, int64_t before, int64_t amount,
        const struct refund_request *request, const struct command *command) {
        struct refund *refund = arena_new(command->arena, struct refund);
        struct refund **list = arena_grow(command->arena, balance->refunds, balance->n_refunds,
                &balance->refunds_capacity, sizeof(struct refund *));
        const int64_t tax = refund_tax(balance, request, before, amount);

        if (!refund || !list)
                return NULL;
        balance->refunds = list;
        balance->refunds[balance->n_refunds++] = refund;
        *refund = (struct refund){
                .id = uuid_new(),
                .balance = balance,
                .payment = payment,
                .return_id = request->return_id,
                .number = (int64_t) balance->n_refunds,
                .amount = amount,
                .tax = tax,
                .to = request->to,
                .reason = request->reason,
                .actor = command->actor,
                .created_at = command->now,
                .updated_at = command->now,
                .version = 0, /* until the balance settles */
                .is_new = true,
        };
        if (payment) {
                payment->refunded += amount;
                payment->touched = true;
        }
        return refund;
}

/* Store credit needs no provider: the refund is settled at once. */
static enum problem refund_to_store_credit(
        struct balance *balance, const struct refund_request *request, const struct command *command) {
        struct refund *refund = refund_add(balance, NULL, 0, request->amount, request, command);
        enum problem p = refund ? PROBLEM_NONE : FAULT_BUSY;

        if (!p)
                p = refund_advance(refund, REFUND_SETTLE, command->arena, command->refusal);
        if (!p)
                (void) refund_tell(refund, EVENT_REFUND_SETTLED, command);
        return p;
}

/* Refund to each payment up to its captured amount (`asked_for`: also its requested captures). *left: the rest. */
static enum problem refund_to_payments(struct balance *balance, const struct refund_request *request, bool asked_for,
        int64_t *left, const struct command *command) {
        for (size_t i = 0; i < balance->n_payments && *left; i++) {
                struct payment *payment = balance->payments[i];
                const int64_t room = payment->captured + (asked_for ? payment->capture_due : 0) - payment->refunded;
                struct refund *refund;

                if (room <= 0)
                        continue;
                refund = refund_add(
                        balance, payment, request->amount - *left, money_smaller(room, *left), request, command);
                if (!refund)
                        return FAULT_BUSY;
                *left -= refund->amount;
                event_text(refund_tell(refund, EVENT_REFUND_REQUESTED, command), "reason", request->reason);
        }
        return PROBLEM_NONE;
}

static enum problem refuse_over(int64_t most, const struct command *command, const char *detail) {
        refuse_beyond(command->refusal, command->arena, "#/amount", "over-refund", most, "%" PRId64 " can be refunded.",
                most);
        return refuse(command->refusal, command->arena, PROBLEM_OVER_REFUND, "%s", detail);
}

/* Each of the parts may need two refunds for each payment. */
static enum problem check_refund(const struct balance *balance, const struct refund_request *request, size_t n_parts,
        const struct command *command) {
        const int64_t most = balance_refundable(balance, request->to);

        if (request->amount > most)
                return refuse_over(most, command, "The refund exceeds the refundable amount.");
        if (balance->n_refunds + n_parts * 2 * balance->n_payments <= ORDER_REFUNDS_MAX)
                return PROBLEM_NONE;
        (void) refuse_because(command->refusal, command->arena, "#", "too-many", "An order has %d refunds at most.",
                ORDER_REFUNDS_MAX);
        return refuse(command->refusal, command->arena, PROBLEM_TOO_MANY, "The order has no room for more refunds.");
}

enum problem balance_refund(
        struct balance *balance, const struct refund_request *request, const struct command *command) {
        int64_t left = request->amount;
        enum problem p = check_refund(balance, request, /* n_parts= */ 1, command);

        if (p)
                return p;
        if (request->to == REFUND_TO_STORE_CREDIT)
                return refund_to_store_credit(balance, request, command);
        p = refund_to_payments(balance, request, /* asked_for= */ false, &left, command);
        return p ? p : refund_to_payments(balance, request, /* asked_for= */ true, &left, command);
}

/* ---- refunds for returns ---- */

/* The part of a refund beyond the expected one is an appeasement. It has tax in proportion to the charge that is left.
 */
static struct taxed beyond_expected(const struct balance *balance, const struct refund_request *request, int64_t tax) {
        const struct taxed charge = { balance_charge(balance), tax - request->credited.tax };
        const int64_t amount = money_larger(request->amount - balance_refund_expected(balance), 0);

        return (struct taxed){ amount, tax_of_part(charge, amount, money_portion(charge.tax, amount, charge.amount)) };
}

/* The amount that a refund without a return pays: cancelled units and appeasements. */
static struct taxed rest_due(const struct balance *balance, const struct refund_request *whole) {
        const struct uuid none = { { 0 } };
        const struct taxed refunded = balance_refunded(balance, &none);
        struct taxed due = { whole->credited.amount - refunded.amount, whole->credited.tax - refunded.tax };

        for (size_t i = 0; i < balance->n_claims; i++) {
                due.amount -= balance->claims[i].amount;
                due.tax -= balance->claims[i].tax;
        }
        return due;
}

/* The undecided part of a claim; nothing of other returns than the named one. */
static struct taxed claim_left(
        const struct balance *balance, const struct return_claim *claim, const struct refund_request *request) {
        const struct taxed refunded = balance_refunded(balance, &claim->return_id);

        if (!uuid_is_nil(&request->return_id) && !uuid_equal(&request->return_id, &claim->return_id))
                return (struct taxed){ 0 };
        return (struct taxed){ money_larger(claim->amount - refunded.amount, 0), claim->tax - refunded.tax };
}

static const struct return_claim *claim_find(const struct balance *balance, const struct uuid *return_id) {
        for (size_t i = 0; i < balance->n_claims; i++)
                if (uuid_equal(&balance->claims[i].return_id, return_id))
                        return &balance->claims[i];
        return NULL;
}

/* One part for each return that the amount pays, the oldest first, each up to its amount due; and one for the rest. */
static size_t parts_of(
        const struct balance *balance, const struct refund_request *request, struct refund_request *parts) {
        int64_t left = request->amount, due = balance_refund_expected(balance);
        size_t n = 0;

        for (size_t i = 0; i < balance->n_claims; i++) {
                const struct taxed claim = claim_left(balance, &balance->claims[i], request);
                const int64_t amount = money_smaller(claim.amount, money_smaller(left, due));

                if (!amount)
                        continue;
                parts[n] = *request;
                parts[n].return_id = balance->claims[i].return_id;
                parts[n].due = claim;
                parts[n++].amount = amount;
                left -= amount;
                due -= amount;
        }
        if (!left)
                return n;
        parts[n] = *request;
        parts[n].return_id = (struct uuid){ { 0 } };
        parts[n].due = rest_due(balance, request);
        parts[n++].amount = left;
        return n;
}

static enum problem refund_in_parts(
        struct balance *balance, const struct refund_request *request, const struct command *command) {
        struct refund_request *parts = arena_new_array(command->arena, struct refund_request, balance->n_claims + 1);
        const size_t n = parts ? parts_of(balance, request, parts) : 0;
        enum problem p = parts ? check_refund(balance, request, n, command) : FAULT_BUSY;

        for (size_t i = 0; i < n && !p; i++)
                p = balance_refund(balance, &parts[i], command);
        return p;
}

/* Without an amount: the refund due, or the refundable amount of the return now. */
static enum problem amount_decide(
        const struct balance *balance, struct refund_request *request, const struct command *command) {
        const int64_t due = balance_due(balance);
        const struct return_claim *claim = claim_find(balance, &request->return_id);
        int64_t most;

        if (uuid_is_nil(&request->return_id)) {
                if (!request->amount && due < 0)
                        request->amount = -due;
                return request->amount ? PROBLEM_NONE
                                       : refuse_over(balance_refundable(balance, request->to), command,
                                                 "No refund is due; name an amount to refund more.");
        }
        if (!claim) {
                (void) refuse_because(command->refusal, command->arena, "#/return_id", "unknown-return",
                        "The order has no such return.");
                return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                        "The return does not belong to the order.");
        }
        most = money_smaller(claim_left(balance, claim, request).amount,
                money_smaller(balance_refund_expected(balance), balance_refundable(balance, request->to)));
        if (!request->amount)
                request->amount = most;
        return request->amount && request->amount <= most
                       ? PROBLEM_NONE
                       : refuse_over(most, command, "The refund exceeds the refundable amount of the return.");
}

enum problem balance_give_back(struct balance *balance, const struct refund_request *request, int64_t tax,
        const struct command *command, struct taxed *ret_beyond) {
        struct refund_request whole = *request;
        enum problem p = amount_decide(balance, &whole, command);
        struct taxed beyond;

        if (p)
                return p;
        beyond = beyond_expected(balance, &whole, tax);
        whole.credited.amount += beyond.amount;
        whole.credited.tax += beyond.tax;
        p = refund_in_parts(balance, &whole, command);
        if (!p)
                *ret_beyond = beyond;
        return p;
}
