/*
 * Credits: the part of the total that the customer no longer owes.
 *
 * The credits of units, shipping and appeasements add up. The total caps them: no more than it is credited. So an
 * appeasement lowers the credit of the last units, in whatever order they are cancelled and returned. The tax in the
 * credited part is the tax of the credits, within two limits: neither the credited part nor the charge that is left has
 * more tax than amount. So the last credit takes all tax that is left.
 */
#include "orders/order.h"

/* ---- a trial ---- */

/* The credited part of the total: so much of the credits counts. */
static struct taxed credited_of(const struct credit_trial *trial) {
        const int64_t amount = money_larger(money_smaller(trial->credits.amount, trial->total), 0);
        const struct taxed whole = { trial->total, trial->tax };

        return (struct taxed){ amount, tax_of_part(whole, amount, trial->credits.tax) };
}

/* Shares are rounded apart for amount and tax, so the tax of a few units may exceed their value by a cent. */
static struct taxed bounded(struct taxed share) {
        const bool charges = share.amount < 0;

        return (struct taxed){ share.amount,
                charges ? money_larger(share.tax, share.amount) : money_smaller(share.tax, share.amount) };
}

struct taxed credit_try(struct credit_trial *trial, struct taxed credit) {
        const struct taxed before = credited_of(trial), more = bounded(credit);
        struct taxed after;

        trial->credits.amount += more.amount;
        trial->credits.tax += more.tax;
        after = credited_of(trial);
        return (struct taxed){ after.amount - before.amount, after.tax - before.tax };
}

/* The credits that lines, shipping and adjustments add up to, uncapped. */
static struct taxed credits_of(const struct order *order) {
        const bool cancelled = order->status == ORDER_CANCELLED;
        struct taxed sum = { order->adjusted + (cancelled ? order->shipping : 0),
                order->adjusted_tax + (cancelled ? order_shipping_tax(order) : 0) };

        for (size_t i = 0; i < order->n_lines; i++) {
                const struct order_line *line = &order->lines[i];

                sum.amount += order_line_value(line, 0, line->cancelled + line->returned);
                sum.tax += order_line_tax(line, 0, line->cancelled + line->returned);
        }
        return sum;
}

struct credit_trial credit_trial_of(const struct order *order) {
        return (struct credit_trial){ .credits = order->has_credits ? order->credits : credits_of(order),
                .total = order->balance.total,
                .tax = order->tax };
}

struct taxed order_credited(const struct order *order) {
        const struct credit_trial trial = credit_trial_of(order);

        return credited_of(&trial);
}

/* ---- crediting ---- */

/* The only place where credited changes. `told`: the part of the credit that the lines or the shipping tell from now
 * on; the rest is an adjustment. Returns what was credited. */
static struct taxed credit(struct order *order, struct taxed more, struct taxed told) {
        struct credit_trial trial = credit_trial_of(order);
        const struct taxed before = trial.credits, credited = credit_try(&trial, more);

        order->credits = trial.credits;
        order->has_credits = true;
        order->adjusted += trial.credits.amount - before.amount - told.amount;
        order->adjusted_tax += trial.credits.tax - before.tax - told.tax;
        order->balance.credited = credited_of(&trial).amount;
        return credited;
}

static struct taxed negative(struct taxed share) {
        return (struct taxed){ -share.amount, -share.tax };
}

struct taxed order_credit_units(struct order_line *line, int64_t units) {
        const struct taxed share = order_line_share(line, line->cancelled + line->returned, units);

        return credit(line->order, share, share);
}

struct taxed order_credit_return(struct order_line *line, int64_t units, struct taxed refund) {
        return credit(line->order, refund, order_line_share(line, line->cancelled + line->returned, units));
}

/* The credits are summed first: taking units back may round the share of the others anew. */
void order_charge_units(struct order_line *line, int64_t units) {
        struct order *order = line->order;
        struct taxed share;

        order->credits = credit_trial_of(order).credits;
        order->has_credits = true;
        share = order_line_take_back(line, units);
        (void) credit(order, negative(share), negative(share));
}

static struct taxed shipping_of(const struct order *order) {
        return (struct taxed){ order->shipping, order_shipping_tax(order) };
}

struct taxed order_credit_shipping(struct order *order) {
        return credit(order, shipping_of(order), shipping_of(order));
}

void order_charge_shipping(struct order *order) {
        (void) credit(order, negative(shipping_of(order)), negative(shipping_of(order)));
}

void order_keep_credited(struct order *order) {
        const struct credit_trial trial = credit_trial_of(order);
        const struct taxed credited = credited_of(&trial);

        order->adjusted += credited.amount - trial.credits.amount;
        order->adjusted_tax += credited.tax - trial.credits.tax;
        order->credits = credited;
        order->has_credits = true;
}

void order_settle_values(struct order *order) {
        order_value_lines(order);
        order_keep_credited(order);
        for (size_t i = 0; i < order->n_lines; i++)
                order_line_settle_value(&order->lines[i]);
}

struct taxed order_credit(struct order *order, struct taxed more) {
        const struct taxed none = { 0 };

        return credit(order, more, none);
}

void order_withhold(struct order *order, struct taxed kept) {
        const struct taxed none = { 0 };

        order_keep_credited(order);
        (void) credit(order, negative(kept), none);
}
