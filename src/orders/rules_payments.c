/* Commands on the money of an order: the balance decides (payments/payments.h), then the order settles. */
#include "orders/order.h"
#include "payments/provider.h"

enum problem order_pay(struct order *order, const struct payment_request *request, const struct command *command,
        struct payment **ret_payment) {
        const enum problem p = balance_pay(&order->balance, request, command, ret_payment);

        if (!p)
                order_settle(order, command);
        return p;
}

/* Money beyond the refund due is credited: the customer owes that much less. */
static void appease(struct order *order, struct taxed beyond, const char *reason, const struct command *command) {
        struct event *event = order_tell(order, EVENT_ORDER_APPEASED, command);
        const struct taxed credited = order_credit(order, beyond);

        event_integer(event, "amount", credited.amount);
        event_integer(event, "tax", credited.tax);
        event_text(event, "currency", order->balance.currency);
        event_text(event, "reason", reason);
}

enum problem order_give_back(struct order *order, const struct refund_request *request, const struct command *command) {
        struct refund_request whole = *request;
        struct taxed beyond = { 0 };
        enum problem p;

        whole.credited = order_credited(order);
        p = balance_give_back(&order->balance, &whole, order->tax, command, &beyond);
        if (p)
                return p;
        if (beyond.amount)
                appease(order, beyond, request->reason, command);
        order_settle(order, command);
        return PROBLEM_NONE;
}

enum problem order_provider_event(struct order *order, struct payment *payment, const struct provider_event *told,
        struct told_events *before, const struct command *command) {
        const enum problem p = provider_event_apply(payment, told, before, command);

        if (!p)
                order_settle(order, command);
        return p;
}
