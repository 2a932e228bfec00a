/* The last step of each command on an order: its status, its money, its versions and their events. */
#include "orders/order.h"

#include "base/writer.h"

/* ---- the status ---- */

enum order_status order_project(const struct order *order) {
        bool fulfilled = false, open = false;

        for (size_t i = 0; i < order->n_lines; i++) {
                fulfilled = fulfilled || order->lines[i].fulfilled > 0;
                open = open || order->lines[i].fulfilled + order->lines[i].cancelled < order->lines[i].quantity;
        }
        if (open)
                return fulfilled ? ORDER_PARTIALLY_FULFILLED : ORDER_OPEN;
        return fulfilled ? ORDER_FULFILLED : ORDER_CANCELLED;
}

static void tell_status(const struct order *order, const struct command *command) {
        static const enum event_type types[] = {
                [ORDER_CANCELLED] = EVENT_ORDER_CANCELLED,
                [ORDER_FULFILLED] = EVENT_ORDER_FULFILLED,
                [ORDER_OPEN] = EVENT_ORDER_REOPENED,
                [ORDER_PARTIALLY_FULFILLED] = EVENT_ORDER_PARTIALLY_FULFILLED,
        };
        struct event *event = order_tell(order, types[order->status], command);

        if (order->status == ORDER_CANCELLED)
                event_text(event, "reason", order->cancel_reason);
}

static void write_dropped(struct event *event, const struct order *order) {
        struct writer json = { .buffer = &event->data, .comma = event->data.size > 0 };

        write_name(&json, "lines");
        write_list_begin(&json);
        for (size_t i = 0; i < order->n_lines; i++) {
                const struct order_line *line = &order->lines[i];

                if (!line->dropped)
                        continue;
                write_object_begin(&json);
                write_uuid_member(&json, "order_line_id", &line->id);
                write_integer_member(&json, "quantity", line->dropped);
                write_integer_member(&json, "value", line->dropped_value);
                write_integer_member(&json, "tax", line->dropped_tax);
                write_object_end(&json);
        }
        write_list_end(&json);
}

/* Event for a credit note: the units that the command has cancelled, with the amount credited for them and the tax in
 * it, and the shipping if the last unit is cancelled. */
static void tell_dropped(struct order *order, struct taxed shipping, const struct command *command) {
        int64_t units = 0, value = shipping.amount, tax = shipping.tax;
        struct event *event;

        for (size_t i = 0; i < order->n_lines; i++) {
                units += order->lines[i].dropped;
                value += order->lines[i].dropped_value;
                tax += order->lines[i].dropped_tax;
        }
        if (!units)
                return;
        event = order_tell(order, EVENT_ORDER_UNITS_CANCELLED, command);
        event_integer(event, "amount", value);
        event_integer(event, "tax", tax);
        event_integer(event, "shipping", shipping.amount);
        event_text(event, "currency", order->balance.currency);
        write_dropped(event, order);
        for (size_t i = 0; i < order->n_lines; i++)
                order->lines[i].dropped = order->lines[i].dropped_value = order->lines[i].dropped_tax = 0;
}

/* ---- slots ---- */

/* A customer who does not come, or came before the slot, frees the place for another order. */
static void give_slot_back(struct fulfillment *fulfillment, timestamp now) {
        const enum fulfillment_status status = fulfillment->status;
        const bool early = status == FULFILLMENT_HANDED_OVER && now < fulfillment->slot_at;

        if (!fulfillment->has_slot || !(early || status == FULFILLMENT_REJECTED || status == FULFILLMENT_CANCELLED ||
                                              status == FULFILLMENT_EXPIRED))
                return;
        fulfillment->has_slot = false;
        fulfillment->gives_slot_back = true;
}

/* ---- the money ---- */

static enum balance_stage balance_stage_of(enum order_status status) {
        static const enum balance_stage stages[] = {
                [ORDER_CANCELLED] = BALANCE_CANCELLED,
                [ORDER_FULFILLED] = BALANCE_COMPLETE,
                [ORDER_OPEN] = BALANCE_OPEN,
                [ORDER_PARTIALLY_FULFILLED] = BALANCE_OPEN,
        };

        return stages[status];
}

void order_open_balance(struct order *order) {
        order->balance.order_id = order->id;
        order->balance.order_version = &order->version;
        order->balance.channel = order->channel;
        order->balance.stage = balance_stage_of(order->status);
}

/* The share of the units that have left, and the shipping with the first of them. */
static int64_t earned_by(const struct order *order) {
        int64_t earned = order->shipping;
        bool any = false;

        for (size_t i = 0; i < order->n_lines; i++) {
                any = any || order->lines[i].fulfilled;
                earned += order_line_value(&order->lines[i], 0, order->lines[i].fulfilled);
        }
        return any ? earned : 0;
}

void order_request_captures(struct order *order, const struct fulfillment *from, const struct command *command) {
        order->balance.stage = balance_stage_of(order_project(order));
        balance_request_captures(&order->balance, earned_by(order), &from->id, command);
}

void order_project_balance(struct order *order) {
        order->balance.stage = balance_stage_of(order_project(order));
        balance_project(&order->balance);
}

/* A cancelled order has units again: payments that were never secured are open. */
static void order_revive(struct order *order, const struct command *command) {
        order->cancel_reason = NULL;
        balance_reopen(&order->balance, command);
}

/* ---- settling ---- */

static void fulfillment_settle(struct fulfillment *fulfillment, const struct command *command) {
        if (!fulfillment->touched && fulfillment->version)
                return;
        if (fulfillment->moved)
                fulfillment->moved_by = command->actor;
        fulfillment->moved = fulfillment->touched = false;
        fulfillment->changed = true;
        fulfillment->version++;
        fulfillment->updated_at = command->now;
        event_cover(command->events, EVENT_FULFILLMENT_UPDATED, &fulfillment->id, fulfillment->version,
                fulfillment->location, fulfillment->order->channel, command->actor);
        give_slot_back(fulfillment, command->now);
}

/* A cancelled order does not cost its shipping. Returns the shipping that is credited now. */
static struct taxed order_move_to(struct order *order, enum order_status next) {
        struct taxed shipping = { 0 };

        if (next == ORDER_CANCELLED && order->status != ORDER_CANCELLED)
                shipping = order_credit_shipping(order);
        if (next != ORDER_CANCELLED && order->status == ORDER_CANCELLED)
                order_charge_shipping(order);
        order->status = next;
        order->balance.stage = balance_stage_of(next);
        return shipping;
}

void order_settle(struct order *order, const struct command *command) {
        const enum order_status before = order->status;
        const struct taxed shipping = order_move_to(order, order_project(order));

        if (order->status != ORDER_CANCELLED && before == ORDER_CANCELLED)
                order_revive(order, command);
        tell_dropped(order, shipping, command);
        balance_settle(&order->balance, earned_by(order), command);
        order_project_open(order);
        order->changed = true;
        order->version++;
        order->updated_at = command->now;
        event_cover(
                command->events, EVENT_ORDER_UPDATED, &order->id, order->version, NULL, order->channel, command->actor);
        for (size_t i = 0; i < order->n_fulfillments; i++)
                fulfillment_settle(order->fulfillments[i], command);
        if (order->status != before)
                tell_status(order, command);
}
