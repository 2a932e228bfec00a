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
                .order = order,
                .number = 1,
                .state = state,
                .amount = order->total,
                .authorized = state == FUNDS_PENDING ? 0 : order->total,
                .captured = state == FUNDS_CAPTURED ? order->total : 0,
                .version = 1 };
        till->list[0] = &till->payment;
        order->payments = till->list;
        order->n_payments = order->payments_capacity = 1;
        order_project_money(order);
}
