/*
 * Refunds of a balance: to its payments or as store credit, for returns or for the rest. balance_give_back decides the
 * refund of an order; returns/rules_refund.c decides that of a return, and makes it by balance_refund.
 */
#include "payments/payments.h"

#include <inttypes.h>

/* ---- refunds ---- */

/* The tax in the first part of the amount due, rounded down: all parts together have all of it. */
static int64_t tax_in(const struct refund_request *request, int64_t amount) {
        if (request->due <= 0 || amount <= 0)
                return 0;
        return amount >= request->due ? request->due_tax
                                      : (int64_t) ((__int128) request->due_tax * amount / request->due);
}

/* `before`: sum of the earlier refunds of the same request. */
static struct refund *refund_add(struct balance *balance, struct payment *payment, int64_t before, int64_t amount,
        const struct refund_request *request, const struct command *command) {
        struct refund *refund = arena_new(command->arena, struct refund);
        struct refund **list = arena_grow(command->arena, balance->refunds, balance->n_refunds,
                &balance->refunds_capacity, sizeof(struct refund *));

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
                .tax = tax_in(request, before + amount) - tax_in(request, before),
                .to = request->to,
                .reason = request->reason,
                .actor = command->actor,
                .created_at = command->now,
                .updated_at = command->now,
                .version = 1,
                .is_new = true,
        };
        if (payment) {
                payment->refunded += amount;
                payment->changed = true;
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
                        balance, payment, request->amount - *left, amount_smaller(room, *left), request, command);
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

int64_t balance_refunded_for(const struct balance *balance, const struct uuid *return_id) {
        int64_t sum = 0;

        for (size_t i = 0; i < balance->n_refunds; i++)
                if (balance->refunds[i]->state != REFUND_FAILED &&
                        uuid_equal(&balance->refunds[i]->return_id, return_id))
                        sum += balance->refunds[i]->amount;
        return sum;
}

int64_t balance_refunded_tax_for(const struct balance *balance, const struct uuid *return_id) {
        int64_t sum = 0;

        for (size_t i = 0; i < balance->n_refunds; i++)
                if (balance->refunds[i]->state != REFUND_FAILED &&
                        uuid_equal(&balance->refunds[i]->return_id, return_id))
                        sum += balance->refunds[i]->tax;
        return sum;
}

/* The tax in an appeasement: in proportion to the charge that is left. */
static int64_t tax_beyond(const struct balance *balance, const struct balance_tax *tax, int64_t amount) {
        const int64_t charge = balance_charge(balance);

        if (amount <= 0 || charge <= 0)
                return 0;
        return amount >= charge ? tax->left : (int64_t) ((__int128) tax->left * amount / charge);
}

/* The amount that a refund without a return pays: cancelled units and appeasements. */
static void rest_due(
        const struct balance *balance, const struct balance_tax *tax, int64_t beyond, struct refund_request *rest) {
        const struct uuid none = { { 0 } };

        rest->return_id = none;
        rest->due = balance->credited - balance_refunded_for(balance, &none) + beyond;
        rest->due_tax = tax->credited - balance_refunded_tax_for(balance, &none) + tax_beyond(balance, tax, beyond);
        for (size_t i = 0; i < balance->n_claims; i++) {
                rest->due -= balance->claims[i].amount;
                rest->due_tax -= balance->claims[i].tax;
        }
        if (rest->due_tax < 0)
                rest->due_tax = 0;
}

/* The undecided part of a claim; 0 of other returns than the named one. */
static int64_t claim_left(
        const struct balance *balance, const struct return_claim *claim, const struct refund_request *request) {
        const int64_t left = claim->amount - balance_refunded_for(balance, &claim->return_id);

        if (!uuid_is_nil(&request->return_id) && !uuid_equal(&request->return_id, &claim->return_id))
                return 0;
        return left > 0 ? left : 0;
}

static const struct return_claim *claim_find(const struct balance *balance, const struct uuid *return_id) {
        for (size_t i = 0; i < balance->n_claims; i++)
                if (uuid_equal(&balance->claims[i].return_id, return_id))
                        return &balance->claims[i];
        return NULL;
}

/* One part for each return that the amount pays, the oldest first, each up to its amount due; and one for the rest. */
static size_t parts_of(const struct balance *balance, const struct refund_request *request,
        const struct balance_tax *tax, struct refund_request *parts) {
        const int64_t expected = balance_refund_expected(balance);
        int64_t left = request->amount, due = expected;
        size_t n = 0;

        for (size_t i = 0; i < balance->n_claims; i++) {
                const int64_t amount =
                        amount_smaller(claim_left(balance, &balance->claims[i], request), amount_smaller(left, due));

                if (!amount)
                        continue;
                parts[n] = *request;
                parts[n].return_id = balance->claims[i].return_id;
                parts[n].due = claim_left(balance, &balance->claims[i], request);
                parts[n].due_tax =
                        balance->claims[i].tax - balance_refunded_tax_for(balance, &balance->claims[i].return_id);
                parts[n++].amount = amount;
                left -= amount;
                due -= amount;
        }
        if (!left)
                return n;
        parts[n] = *request;
        rest_due(balance, tax, request->amount > expected ? request->amount - expected : 0, &parts[n]);
        parts[n++].amount = left;
        return n;
}

static enum problem refund_in_parts(struct balance *balance, const struct refund_request *request,
        const struct balance_tax *tax, const struct command *command) {
        struct refund_request *parts = arena_new_array(command->arena, struct refund_request, balance->n_claims + 1);
        const size_t n = parts ? parts_of(balance, request, tax, parts) : 0;
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
        most = amount_smaller(claim_left(balance, claim, request),
                amount_smaller(balance_refund_expected(balance), balance_refundable(balance, request->to)));
        if (!request->amount)
                request->amount = most;
        return request->amount && request->amount <= most
                       ? PROBLEM_NONE
                       : refuse_over(most, command, "The refund exceeds the refundable amount of the return.");
}

enum problem balance_give_back(struct balance *balance, const struct refund_request *request,
        const struct balance_tax *tax, const struct command *command, int64_t *ret_beyond, int64_t *ret_tax) {
        const int64_t expected = balance_refund_expected(balance);
        struct refund_request whole = *request;
        enum problem p = amount_decide(balance, &whole, command);

        if (!p)
                p = refund_in_parts(balance, &whole, tax, command);
        if (p)
                return p;
        *ret_beyond = whole.amount > expected ? whole.amount - expected : 0;
        *ret_tax = tax_beyond(balance, tax, *ret_beyond);
        return PROBLEM_NONE;
}
