/*
 * tests/unit/till: one payment of the whole of an order, made by hand.
 */
#pragma once

#include "orders/orders.h"

struct till {
        struct payment payment;
        struct payment *list[1];
};

/* The state is one that a payment may begin with. */
static inline void till_pay(struct till *till, struct order *order, enum funds_state state) {
        till->payment = (struct payment){ .id = uuid_new(),
                .balance = &order->balance,
                .number = 1,
                .state = state,
                .amount = order->balance.total,
                .authorized = state == FUNDS_PENDING ? 0 : order->balance.total,
                .captured = state == FUNDS_CAPTURED ? order->balance.total : 0,
                .version = 1 };
        till->list[0] = &till->payment;
        order->balance.payments = till->list;
        order->balance.n_payments = order->balance.payments_capacity = 1;
        order_open_balance(order);
        order_project_balance(order);
}
