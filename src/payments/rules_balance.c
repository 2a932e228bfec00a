/* Sums and projections of a balance. */
#include "payments/payments.h"

#include "base/mark.h"

/* ---- amounts ---- */

int64_t payment_held(const struct payment *payment) {
        return payment->authorized - payment->captured - payment->voided - payment->failed - payment->void_due -
               payment->capture_due;
}

int64_t tax_of_part(struct taxed whole, int64_t part, int64_t tax) {
        const int64_t amount = money_larger(whole.amount, 0);
        const int64_t all = money_larger(money_smaller(whole.tax, amount), 0);
        const int64_t least = all - money_larger(amount - part, 0);

        return money_larger(money_smaller(money_larger(tax, least), money_smaller(all, part)), 0);
}

struct taxed balance_refunded(const struct balance *balance, const struct uuid *return_id) {
        struct taxed sum = { 0 };

        for (size_t i = 0; i < balance->n_refunds; i++) {
                const struct refund *refund = balance->refunds[i];

                if (refund->state == REFUND_FAILED || (return_id && !uuid_equal(&refund->return_id, return_id)))
                        continue;
                sum.amount += refund->amount;
                sum.tax += refund->tax;
        }
        return sum;
}

struct balance_sums balance_sums(const struct balance *balance) {
        struct balance_sums sums = { .refunded = balance_refunded(balance, NULL).amount };

        for (size_t i = 0; i < balance->n_payments; i++) {
                sums.held += payment_held(balance->payments[i]);
                sums.capture_due += balance->payments[i]->capture_due;
                sums.paid += balance->payments[i]->captured;
        }
        return sums;
}

int64_t balance_charge(const struct balance *balance) {
        return balance->total - balance->credited;
}

static int64_t due_of(const struct balance *balance, const struct balance_sums *sums) {
        return balance_charge(balance) - (sums->paid - sums->refunded);
}

int64_t balance_due(const struct balance *balance) {
        const struct balance_sums sums = balance_sums(balance);

        return due_of(balance, &sums);
}

int64_t balance_refundable(const struct balance *balance, enum refund_to to) {
        const struct balance_sums sums = balance_sums(balance);
        const int64_t asked_for = to == REFUND_TO_ORIGINAL ? sums.capture_due : 0;

        return money_larger(sums.paid + asked_for - sums.refunded, 0);
}

int64_t balance_refund_expected(const struct balance *balance) {
        return money_larger(balance_refundable(balance, REFUND_TO_ORIGINAL) - balance_charge(balance), 0);
}

/* ---- finding ---- */

struct payment *payment_find(const struct balance *balance, const struct uuid *id) {
        for (size_t i = 0; i < balance->n_payments; i++)
                if (uuid_equal(&balance->payments[i]->id, id))
                        return balance->payments[i];
        return NULL;
}

struct refund *refund_find(const struct balance *balance, const struct uuid *id) {
        for (size_t i = 0; i < balance->n_refunds; i++)
                if (uuid_equal(&balance->refunds[i]->id, id))
                        return balance->refunds[i];
        return NULL;
}

/* ---- the payment status ---- */

static bool all_are(const struct balance *balance, enum funds_state state) {
        for (size_t i = 0; i < balance->n_payments; i++)
                if (balance->payments[i]->state != state)
                        return false;
        return balance->n_payments > 0;
}

/* Nothing else counts while payments do not cover the charge: a refund or a void of earlier days says nothing about
 * units that the customer owes now. A cancelled balance charges nothing, and a total of nothing needs no cover. */
static enum payment_status payment_status_of(const struct balance *balance, const struct balance_sums *sums) {
        const int64_t charge = balance_charge(balance), asked = sums->capture_due + sums->held;
        const bool cancelled = balance->stage == BALANCE_CANCELLED;

        if (!cancelled && sums->paid - sums->refunded + asked < charge)
                return PAYMENT_PENDING;
        if (sums->paid && sums->refunded)
                return sums->refunded < sums->paid ? PAYMENT_PARTIALLY_REFUNDED
                       : charge && !cancelled      ? PAYMENT_AUTHORIZED
                                                   : PAYMENT_REFUNDED;
        if ((balance->total && all_are(balance, FUNDS_VOIDED)) || (cancelled && !sums->paid && !sums->capture_due))
                return PAYMENT_VOIDED;
        return sums->paid >= charge && (sums->paid || !asked) ? PAYMENT_CAPTURED : PAYMENT_AUTHORIZED;
}

timestamp balance_due_at(const struct balance *balance) {
        if (balance->payment_due_at != TIMESTAMP_NONE)
                return balance->payment_due_at;
        if (balance->unpaid_since == TIMESTAMP_NONE || !balance->unpaid_ttl_s)
                return TIMESTAMP_NONE;
        return balance->unpaid_since + balance->unpaid_ttl_s * SECOND;
}

/* A later policy does not move the deadline of a cancelled balance. */
static void deadline_project(struct balance *balance) {
        const bool is_void = balance->payment_status == PAYMENT_VOIDED;

        if (balance->payment_status == PAYMENT_PENDING || (is_void && balance->stage != BALANCE_CANCELLED))
                return;
        balance->payment_due_at = is_void ? balance_due_at(balance) : TIMESTAMP_NONE;
        balance->unpaid_since = TIMESTAMP_NONE;
}

void balance_project(struct balance *balance) {
        const struct balance_sums sums = balance_sums(balance);

        balance->paid = sums.paid;
        balance->refunded = sums.refunded;
        balance->refund_due = money_larger(-due_of(balance, &sums), 0);
        balance->payment_status = payment_status_of(balance, &sums);
        deadline_project(balance);
}

/* ---- the mark ---- */

static uint64_t mark_payment(uint64_t mark, const struct payment *payment) {
        const int64_t figures[] = { (int64_t) payment->state, payment->amount, payment->authorized, payment->captured,
                payment->voided, payment->void_due, payment->failed, payment->capture_due, payment->refunded };

        return mark_bytes(mark, figures, sizeof(figures));
}

static uint64_t mark_refund(uint64_t mark, const struct refund *refund) {
        const int64_t figures[] = { (int64_t) refund->state, (int64_t) refund->to, refund->amount, refund->tax };

        mark = mark_bytes(mark, &refund->id, sizeof(refund->id));
        mark = mark_bytes(mark, &refund->return_id, sizeof(refund->return_id));
        return mark_bytes(mark, figures, sizeof(figures));
}

uint64_t balance_mark(const struct balance *balance, uint64_t mark) {
        for (size_t i = 0; i < balance->n_payments; i++)
                mark = mark_payment(mark, balance->payments[i]);
        for (size_t i = 0; i < balance->n_refunds; i++)
                mark = mark_refund(mark, balance->refunds[i]);
        return mark;
}
