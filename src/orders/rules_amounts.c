/* Discounts, shipping and tax of an order that change after it was placed. */
#include "orders/changing.h"

static int64_t sum_of(const int64_t *amounts, size_t n) {
        int64_t sum = 0;

        for (size_t i = 0; i < n; i++)
                sum += amounts[i];
        return sum;
}

static void amount_violation_add(
        struct arena *arena, struct refusal *refusal, const char *pointer, const char *code, const char *detail) {
        (void) refuse_because(refusal, arena, pointer, code, "%s", detail);
}

/* ---- discounts ---- */

static int64_t placed_discount(const struct order *order, int64_t line) {
        int64_t sum = 0;

        for (size_t i = 0; i < order->n_discounts; i++)
                if (order->discounts[i].line == line)
                        sum += order->discounts[i].amount;
        return sum;
}

static int64_t discount_line(const struct discount_body *discount) {
        return discount->has_line ? discount->line : -1;
}

/* The sum is in range, because there are few discounts. */
static int64_t named_discount(const struct change_body *body, int64_t line) {
        int64_t sum = 0;

        for (size_t i = 0; i < body->n_discounts; i++)
                if (discount_line(&body->discounts[i]) == line)
                        sum += body->discounts[i].amount;
        return sum;
}

static bool lines_exist(
        const struct change_body *body, const struct amounts *amounts, struct arena *arena, struct refusal *refusal) {
        bool exist = true;

        for (size_t i = 0; i < body->n_discounts; i++) {
                if (discount_line(&body->discounts[i]) < (int64_t) amounts->n)
                        continue;
                exist = false;
                violation_at(refusal, arena, "#/discounts", i, "line", "out-of-range", "The order has no such line.");
        }
        return exist;
}

/* Deal an amount over the remaining values, in proportion; over the remaining units if their value is 0. False when the
 * rest would become negative, or no unit remains to bear the amount. */
static bool deal(struct amounts *amounts, int64_t amount, struct arena *arena) {
        const int64_t left = sum_of(amounts->left, amounts->n);
        const int64_t *weights = left ? amounts->left : amounts->units;
        int64_t *shares = arena_new_array(arena, int64_t, amounts->n);

        if (!shares || left + amount < 0 || (amount && !sum_of(weights, amounts->n)))
                return false;
        money_share(amount, weights, amounts->n, shares);
        for (size_t i = 0; i < amounts->n; i++)
                amounts->left[i] += shares[i];
        amounts->total += amount;
        return true;
}

/* A discount of a line lowers its remaining value; a discount of the order then lowers the remaining values of all
 * lines. Returns the code of the violation, or NULL. */
static const char *deal_discounts(
        const struct order *order, const struct change_body *body, struct amounts *amounts, struct arena *arena) {
        for (size_t i = 0; i < amounts->n; i++) {
                const int64_t discount = named_discount(body, (int64_t) i);
                const int64_t extra = discount - placed_discount(order, (int64_t) i);

                if (extra && !amounts->units[i])
                        return "not-changeable";
                if (extra > amounts->left[i] || discount > amounts->gross[i])
                        return "too-large";
                amounts->left[i] -= extra;
                amounts->total -= extra;
        }
        return deal(amounts, placed_discount(order, -1) - named_discount(body, -1), arena) ? NULL : "too-large";
}

/* ---- tax ---- */

static bool is_included(const struct tax_body *tax) {
        return !tax->has_included || tax->included;
}

static bool deal_tax(
        const struct order *order, const struct tax_body *tax, struct amounts *amounts, struct arena *arena) {
        const int64_t before = order->tax_included ? 0 : order->tax;
        const int64_t after = is_included(tax) ? 0 : tax->amount;

        return deal(amounts, after - before, arena);
}

/* ---- all of them ---- */

void amounts_deal(const struct order *order, const struct change_body *body, struct amounts *amounts,
        struct arena *arena, struct refusal *refusal) {
        const int64_t shipping = body->has_shipping ? body->shipping.amount : order->shipping;
        const bool included = body->tax ? is_included(body->tax) : order->tax_included;
        const int64_t tax = body->tax ? body->tax->amount : order->tax;

        const char *wrong = NULL;

        if (body->discounts && !lines_exist(body, amounts, arena, refusal))
                return;
        if (body->discounts)
                wrong = deal_discounts(order, body, amounts, arena);
        if (wrong)
                amount_violation_add(arena, refusal, "#/discounts", wrong,
                        "The discounts do not fit the remaining value of the lines.");
        if (body->tax && !deal_tax(order, body->tax, amounts, arena))
                amount_violation_add(arena, refusal, "#/tax/amount", "not-changeable",
                        "The tax does not fit the remaining value of the lines.");
        if (body->tax && amounts->credited.tax && included != order->tax_included)
                amount_violation_add(arena, refusal, "#/tax/included", "not-changeable",
                        "Part of the tax was refunded; included cannot change any more.");
        if (body->tax && body->tax->amount < amounts->credited.tax)
                amount_violation_add(arena, refusal, "#/tax/amount", "not-changeable",
                        "The tax is less than the tax already refunded.");
        amounts->total += shipping - order->shipping;
        if (amounts->total < amounts->credited.amount)
                amount_violation_add(arena, refusal, body->discounts ? "#/discounts" : "#/shipping", "too-large",
                        "The new total is less than the amount already credited.");
        if (!money_in_range(amounts->total))
                amount_violation_add(arena, refusal, body->tax ? "#/tax/amount" : "#/shipping", "out-of-range",
                        "The sum of the amounts exceeds 2^53 - 1, the largest amount.");
        if (included && tax > amounts->total)
                amount_violation_add(arena, refusal, body->tax ? "#/tax/amount" : "#/discounts", "too-large",
                        "The included tax exceeds the total.");
        else if (tax - amounts->credited.tax > amounts->total - amounts->credited.amount)
                amount_violation_add(arena, refusal,
                        body->tax         ? "#/tax/amount"
                        : body->discounts ? "#/discounts"
                                          : "#/shipping",
                        "too-large", "The tax that is left exceeds the amount that is left.");
}

static enum problem discounts_replace(struct order *order, const struct change_body *body, struct arena *arena) {
        struct order_discount *discounts = arena_new_array(arena, struct order_discount, body->n_discounts);

        if (!discounts)
                return FAULT_BUSY;
        order->discount = 0;
        for (size_t i = 0; i < body->n_discounts; i++) {
                const struct discount_body *discount = &body->discounts[i];

                discounts[i] = (struct order_discount){ discount->amount, discount_line(discount), discount->reason };
                order->discount += discount->amount;
        }
        order->discounts = discounts;
        order->n_discounts = body->n_discounts;
        return PROBLEM_NONE;
}

/* Deal the remaining tax over the remaining value of the lines, and over the shipping when prices include the tax. */
static bool tax_deal_again(struct order *order, const int64_t *left, struct arena *arena) {
        const size_t n = order->n_lines + (order->tax_included ? 1 : 0);
        int64_t *weights = arena_new_array(arena, int64_t, order->n_lines + 1);
        int64_t *shares = arena_new_array(arena, int64_t, order->n_lines + 1);
        int64_t tax = order->tax;

        if (!weights || !shares)
                return false;
        for (size_t i = 0; i < order->n_lines; i++) {
                weights[i] = left[i];
                tax -= order->lines[i].settled_tax;
        }
        weights[order->n_lines] = order->shipping;
        money_share(tax, weights, n, shares);
        for (size_t i = 0; i < order->n_lines; i++)
                order->lines[i].tax = order->lines[i].settled_tax + shares[i];
        return true;
}

enum problem amounts_apply(struct order *order, const struct change_body *body, struct arena *arena) {
        int64_t *left = arena_new_array(arena, int64_t, order->n_lines);
        int64_t *gross = arena_new_array(arena, int64_t, order->n_lines);
        int64_t *units = arena_new_array(arena, int64_t, order->n_lines);
        struct amounts amounts = { left, gross, units, order->n_lines, order->balance.total, order_credited(order) };
        struct refusal never = { 0 };

        if (!left || !gross || !units)
                return FAULT_BUSY;
        order_settle_values(order);
        for (size_t i = 0; i < order->n_lines; i++) {
                left[i] = order_line_left(&order->lines[i]);
                gross[i] = order->lines[i].unit_price * order->lines[i].quantity;
                units[i] = order->lines[i].quantity - order->lines[i].settled;
                order->lines[i].value -= left[i];
        }
        amounts_deal(order, body, &amounts, arena, &never);
        for (size_t i = 0; i < order->n_lines; i++)
                order->lines[i].value += left[i];
        if (body->has_shipping)
                order->shipping = body->shipping.amount;
        if (body->tax) {
                order->tax = body->tax->amount;
                order->tax_included = is_included(body->tax);
        }
        order->balance.total = amounts.total;
        order->rewritten = true;
        if (!tax_deal_again(order, left, arena))
                return FAULT_BUSY;
        return body->discounts ? discounts_replace(order, body, arena) : PROBLEM_NONE;
}
