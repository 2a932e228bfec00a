/* Value of the units of a line, to the cent. */
#include "orders/order.h"

#include "base/mark.h"

static int64_t line_discounts(const struct order *order, const struct order_line *line) {
        int64_t sum = 0;

        for (size_t i = 0; i < order->n_discounts; i++)
                if (order->discounts[i].line == line->number)
                        sum += order->discounts[i].amount;
        return sum;
}

static int64_t order_discounts(const struct order *order) {
        int64_t sum = 0;

        for (size_t i = 0; i < order->n_discounts; i++)
                if (order->discounts[i].line < 0)
                        sum += order->discounts[i].amount;
        return sum;
}

/* A tax included in the prices is dealt over lines and shipping, in proportion. */
static void deal_included_tax(struct order *order) {
        int64_t weights[ORDER_LINES_MAX + 1], taxes[ORDER_LINES_MAX + 1];

        for (size_t i = 0; i < order->n_lines; i++)
                weights[i] = order->lines[i].value > 0 ? order->lines[i].value : 0;
        weights[order->n_lines] = order->shipping;
        money_share(order->tax, weights, order->n_lines + 1, taxes);
        for (size_t i = 0; i < order->n_lines; i++)
                order->lines[i].tax = taxes[i];
}

/* The value of all units of each line. The discounts of the whole order, and a tax on top, are dealt over the lines by
 * the largest remainder. So lines and shipping add up to the total. The values stay the same until the order is
 * changed, so all lines are computed once. */
static void value_lines(struct order *order) {
        int64_t weights[ORDER_LINES_MAX], discounts[ORDER_LINES_MAX], taxes[ORDER_LINES_MAX];

        for (size_t i = 0; i < order->n_lines; i++)
                weights[i] =
                        order->lines[i].unit_price * order->lines[i].quantity - line_discounts(order, &order->lines[i]);
        money_share(order_discounts(order), weights, order->n_lines, discounts);
        for (size_t i = 0; i < order->n_lines; i++)
                weights[i] -= discounts[i];
        money_share(order->tax_included ? 0 : order->tax, weights, order->n_lines, taxes);
        for (size_t i = 0; i < order->n_lines; i++) {
                order->lines[i].value = weights[i] + taxes[i];
                order->lines[i].tax = taxes[i];
        }
        if (order->tax_included && order->tax)
                deal_included_tax(order);
        order->valued = true;
}

void order_value_lines(struct order *order) {
        if (!order->valued)
                value_lines(order);
}

/* The part of the first n units in an amount of the line; `settled` is the part of the settled units. Dealt evenly and
 * rounded down for every part but the last, so that the parts add up to the amount. */
static int64_t amount_of_first(const struct order_line *line, int64_t amount, int64_t settled, int64_t n) {
        if (n <= line->settled)
                return money_portion(settled, n, line->settled);
        return settled + money_portion(amount - settled, n - line->settled, line->quantity - line->settled);
}

int64_t order_line_value(const struct order_line *line, int64_t before, int64_t units) {
        order_value_lines(line->order);
        return amount_of_first(line, line->value, line->settled_value, before + units) -
               amount_of_first(line, line->value, line->settled_value, before);
}

int64_t order_line_tax(const struct order_line *line, int64_t before, int64_t units) {
        order_value_lines(line->order);
        return amount_of_first(line, line->tax, line->settled_tax, before + units) -
               amount_of_first(line, line->tax, line->settled_tax, before);
}

struct taxed order_line_share(const struct order_line *line, int64_t before, int64_t units) {
        return (struct taxed){ order_line_value(line, before, units), order_line_tax(line, before, units) };
}

int64_t order_shipping_tax(const struct order *order) {
        int64_t left = order->tax;

        for (size_t i = 0; i < order->n_lines; i++)
                left -= order_line_tax(&order->lines[i], 0, order->lines[i].quantity);
        return left > 0 ? left : 0;
}

/* ---- when the order changes ---- */

/* Units of a line that were given back. */
static int64_t given_back(const struct order_line *line) {
        return line->cancelled + line->returned;
}

/* The rest of a sum of cancelled units; 0 when none is left. */
static int64_t less(int64_t sum, int64_t share, bool any) {
        return any && sum > share ? sum - share : 0;
}

struct taxed order_line_take_back(struct order_line *line, int64_t units) {
        const int64_t left = given_back(line) - units;
        const struct taxed share = order_line_share(line, left, units);
        const bool any = line->cancelled > units;

        line->cancelled_value = less(line->cancelled_value, share.amount, any);
        line->cancelled_tax = less(line->cancelled_tax, share.tax, any);
        if (line->settled > left) {
                line->settled_value = amount_of_first(line, line->value, line->settled_value, left);
                line->settled_tax = amount_of_first(line, line->tax, line->settled_tax, left);
                line->settled = left;
        }
        return share;
}

void order_line_settle_value(struct order_line *line) {
        const int64_t units = given_back(line);

        line->settled_value = amount_of_first(line, line->value, line->settled_value, units);
        line->settled_tax = amount_of_first(line, line->tax, line->settled_tax, units);
        line->settled = units;
        line->changed = true;
}

int64_t order_line_left(const struct order_line *line) {
        const int64_t before = given_back(line);

        return order_line_value(line, before, line->quantity - before);
}

/* ---- figures that returns show ---- */

static uint64_t mark_line(uint64_t mark, const struct order_line *line) {
        const int64_t figures[] = { line->quantity, line->cancelled, line->returned, line->value, line->settled,
                line->settled_value, line->tax, line->settled_tax };

        return mark_bytes(mark, figures, sizeof(figures));
}

uint64_t order_worth_mark(const struct order *order) {
        const struct balance *balance = &order->balance;
        const int64_t figures[] = { balance->total, order->shipping, balance->credited, order->adjusted, balance->paid,
                balance->refunded, balance->refund_due, order->tax, order->adjusted_tax };
        uint64_t mark = mark_bytes(MARK_BEGIN, figures, sizeof(figures));

        for (size_t i = 0; i < order->n_lines; i++)
                mark = mark_line(mark, &order->lines[i]);
        return balance_mark(balance, mark);
}
