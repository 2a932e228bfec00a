/* Credits: the part of the total that the customer no longer owes, and its part that belongs to no line. */
#include "orders/order.h"

int64_t order_credit_units(struct order_line *line, int64_t units) {
        const int64_t share = order_line_value(line, line->cancelled + line->returned, units);

        line->order->adjusted -= balance_credit(&line->order->balance, share);
        return share;
}

void order_charge_units(struct order_line *line, int64_t units) {
        line->order->adjusted -= balance_credit(&line->order->balance, -order_line_take_back(line, units));
}

void order_credit_shipping(struct order *order) {
        order->adjusted -= balance_credit(&order->balance, order->shipping);
}

void order_charge_shipping(struct order *order) {
        order->adjusted -= balance_credit(&order->balance, -order->shipping);
}

void order_credit(struct order *order, int64_t amount, int64_t tax) {
        order->adjusted_tax += tax;
        order->adjusted += amount - balance_credit(&order->balance, amount);
}
