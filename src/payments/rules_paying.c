/* Payments that are added to a balance. */
#include "payments/payments.h"

#include <inttypes.h>

struct payment *payment_add(struct balance *balance, const struct payment_request *request, const char *actor,
        timestamp now, struct arena *arena) {
        const enum funds_state state = request->status < 0 ? FUNDS_PENDING : (enum funds_state) request->status;
        struct payment *payment = arena_new(arena, struct payment);
        struct payment **list = arena_grow(
                arena, balance->payments, balance->n_payments, &balance->payments_capacity, sizeof(struct payment *));

        if (!payment || !list)
                return NULL;
        balance->payments = list;
        balance->payments[balance->n_payments++] = payment;
        *payment = (struct payment){
                .id = uuid_new(),
                .balance = balance,
                .number = (int64_t) balance->n_payments,
                .provider = request->provider,
                .reference = request->reference,
                .state = state,
                .opened = state,
                .amount = request->amount,
                .authorized = state == FUNDS_PENDING ? 0 : request->amount,
                .captured = state == FUNDS_CAPTURED ? request->amount : 0,
                .actor = actor,
                .created_at = now,
                .updated_at = now,
                .version = 1,
                .is_new = true,
        };
        return payment;
}

static int64_t not_secured(const struct balance *balance) {
        const struct balance_sums sums = balance_sums(balance);
        const int64_t owed = balance_charge(balance) - (sums.paid + sums.capture_due + sums.held - sums.refunded);

        return owed > 0 ? owed : 0;
}

static void tell_paid(const struct payment *payment, const struct command *command) {
        (void) payment_tell(payment, EVENT_PAYMENT_ADDED, payment->amount, command);
        if (payment->state == FUNDS_AUTHORIZED)
                (void) payment_tell(payment, EVENT_PAYMENT_AUTHORIZED, payment->amount, command);
        if (payment->state == FUNDS_CAPTURED)
                (void) payment_tell(payment, EVENT_PAYMENT_CAPTURED, payment->amount, command);
}

enum problem balance_pay(struct balance *balance, const struct payment_request *request, const struct command *command,
        struct payment **ret_payment) {
        const int64_t owed = not_secured(balance);
        struct payment_request whole = *request;

        if (!whole.has_amount)
                whole.amount = owed;
        if (!owed || whole.amount > owed) {
                refuse_beyond(command->refusal, command->arena, "#/amount", "over-payment", owed,
                        "%" PRId64 " of the order are neither paid nor held.", owed);
                return refuse(command->refusal, command->arena, PROBLEM_OVER_PAYMENT,
                        "%" PRId64 " of the order are neither paid nor held.", owed);
        }
        if (balance->n_payments >= ORDER_PAYMENTS_MAX) {
                (void) refuse_because(command->refusal, command->arena, "#", "too-many",
                        "An order has %d payments at most.", ORDER_PAYMENTS_MAX);
                return refuse(
                        command->refusal, command->arena, PROBLEM_TOO_MANY, "The order has no room for more payments.");
        }
        *ret_payment = payment_add(balance, &whole, command->actor, command->now, command->arena);
        if (!*ret_payment)
                return FAULT_BUSY;
        (*ret_payment)->version = 0;
        tell_paid(*ret_payment, command);
        return PROBLEM_NONE;
}
