/*
 * The money of a return, which is decided apart from the goods. Accepted lines are credited already: the order owes the
 * credit to the customer, unless it is withheld. These rules decide how it goes back, and make the refund by
 * balance_refund. payments/rules_refunding.c decides the refunds that clients ask of the order.
 */
#include "returns/returns.h"

#include "base/text.h"

#include <inttypes.h>

const char *const refund_choice_texts[] = { "none", "original", "store_credit", NULL };

int64_t rma_refunded(const struct rma *rma) {
        return balance_refunded(&rma->order->balance, &rma->id).amount;
}

static int64_t rma_refunded_tax(const struct rma *rma) {
        return balance_refunded(&rma->order->balance, &rma->id).tax;
}

/* Nothing of it is decided yet. */
static struct taxed undecided(const struct rma *rma) {
        const struct taxed refunded = balance_refunded(&rma->order->balance, &rma->id);

        return (struct taxed){ money_larger(rma_refund(rma) - refunded.amount - rma->withheld, 0),
                rma_tax(rma) - refunded.tax - rma->withheld_tax };
}

/* Money that was not paid, or pays for an exchange, is not refundable. */
int64_t rma_refundable(const struct rma *rma) {
        return money_smaller(undecided(rma).amount, balance_refund_expected(&rma->order->balance));
}

/* The tax in an amount that is withheld: as in a refund of it. */
static int64_t tax_withheld(const struct rma *rma, int64_t amount) {
        const struct taxed due = undecided(rma), credited = order_credited(rma->order),
                           refunded = balance_refunded(&rma->order->balance, NULL),
                           left = { credited.amount - refunded.amount, credited.tax - refunded.tax };

        return tax_of_part(left, amount, money_portion(due.tax, amount, due.amount));
}

static bool is_refund_repeat(
        const struct rma *rma, const struct return_refund *request, const struct command *command) {
        const int64_t left = request->to == CHOICE_NONE ? rma_refundable(rma) : undecided(rma).amount;

        return !left && rma_refund(rma) && !request->has_amount &&
               text_equal(rma->refund_to, refund_choice_texts[request->to]) &&
               text_equal(rma->moved_by, command->actor);
}

/* Store credit is given only for money that the provider has taken. */
static int64_t most_to(const struct rma *rma, enum refund_choice to) {
        const int64_t most = rma_refundable(rma),
                      taken = balance_refundable(&rma->order->balance, REFUND_TO_STORE_CREDIT);

        return to == CHOICE_STORE_CREDIT ? money_smaller(taken, most) : most;
}

static enum problem refuse_over_refund(int64_t most, const struct command *command) {
        refuse_beyond(command->refusal, command->arena, "#/amount", "over-refund", most,
                "Of this return %" PRId64 " can be refunded now.", most);
        return refuse(command->refusal, command->arena, PROBLEM_OVER_REFUND,
                "The refund exceeds the refundable amount; see `errors`.");
}

static void refund_decision_note(struct rma *rma, const struct return_refund *request, const struct command *command) {
        rma->refund_to = refund_choice_texts[request->to];
        rma_settle(rma, command);
        order_settle(rma->order, command);
}

/* The order no longer owes the customer the credit. Money that was refunded already, also by the order, or that pays
 * for an exchange, cannot be withheld: the customer keeps it. */
static enum problem withhold(struct rma *rma, const struct return_refund *request, const struct command *command) {
        const int64_t amount = rma_refundable(rma), tax = tax_withheld(rma, amount);
        struct event *event;

        if (request->has_amount) {
                (void) refuse_because(command->refusal, command->arena, "#/amount", "not-allowed",
                        "The whole remaining amount is withheld.");
                return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                        "A refund to `none` takes no amount.");
        }
        if (!amount)
                return refuse_over_refund(amount, command);
        order_withhold(rma->order, (struct taxed){ amount, tax });
        rma->withheld += amount;
        rma->withheld_tax += tax;
        event = rma_tell(rma, EVENT_RETURN_REFUND_WITHHELD, command);
        event_integer(event, "amount", amount);
        event_integer(event, "tax", tax);
        event_text(event, "currency", rma->order->balance.currency);
        event_text(event, "reason", request->reason);
        refund_decision_note(rma, request, command);
        return PROBLEM_NONE;
}

static enum problem request_order_refund(
        struct rma *rma, const struct return_refund *request, int64_t amount, const struct command *command) {
        const struct refund_request wanted = {
                .amount = amount,
                .to = request->to == CHOICE_ORIGINAL ? REFUND_TO_ORIGINAL : REFUND_TO_STORE_CREDIT,
                .reason = request->reason ? request->reason : rma->number,
                .return_id = rma->id,
                .due = undecided(rma),
                .credited = order_credited(rma->order),
        };
        struct command refunding = *command;

        refunding.arena = command->stock->arena;
        return balance_refund(&rma->order->balance, &wanted, &refunding);
}

enum problem return_decide_refund(struct rma *rma, const struct return_refund *request, const struct command *command) {
        const int64_t most = most_to(rma, request->to);
        const int64_t amount = request->has_amount ? request->amount.amount : most;
        const int64_t tax = rma_refunded_tax(rma);
        struct event *event;
        enum problem p;

        if (is_refund_repeat(rma, request, command))
                return PROBLEM_NONE;
        if (request->to == CHOICE_NONE)
                return withhold(rma, request, command);
        if (request->has_amount && !text_equal(request->amount.currency, rma->order->balance.currency)) {
                (void) refuse_because(command->refusal, command->arena, "#/amount/currency", "currency-mismatch",
                        "The order is in %s.", rma->order->balance.currency);
                return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                        "A refund is in the currency of its order.");
        }
        if (!amount || amount > most)
                return refuse_over_refund(most, command);
        p = request_order_refund(rma, request, amount, command);
        if (p)
                return p;
        event = rma_tell(rma, EVENT_RETURN_REFUNDED, command);
        event_text(event, "to", refund_choice_texts[request->to]);
        event_integer(event, "amount", amount);
        event_integer(event, "tax", rma_refunded_tax(rma) - tax);
        event_text(event, "currency", rma->order->balance.currency);
        refund_decision_note(rma, request, command);
        return PROBLEM_NONE;
}
