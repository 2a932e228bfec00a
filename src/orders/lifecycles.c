#include "orders/order.h"

const char *const order_status_texts[] = { "open", "partially_fulfilled", "fulfilled", "cancelled", NULL };
const char *const fulfillment_method_texts[] = { "pickup", "curbside", "ship", NULL };

static const char *const fulfillment_states[] = {
        [FULFILLMENT_ALLOCATED] = "allocated",
        [FULFILLMENT_CANCELLED] = "cancelled",
        [FULFILLMENT_DELIVERED] = "delivered",
        [FULFILLMENT_EXPIRED] = "expired",
        [FULFILLMENT_HANDED_OVER] = "handed_over",
        [FULFILLMENT_PACKED] = "packed",
        [FULFILLMENT_PICKING] = "picking",
        [FULFILLMENT_READY] = "ready",
        [FULFILLMENT_REJECTED] = "rejected",
        [FULFILLMENT_SHIPPED] = "shipped",
};

static const char *const fulfillment_events[] = {
        [FULFILLMENT_CANCEL] = "cancel",
        [FULFILLMENT_CLOSE] = "close",
        [FULFILLMENT_DELIVER] = "deliver",
        [FULFILLMENT_EXPIRE] = "expire",
        [FULFILLMENT_HAND_OVER] = "hand over",
        [FULFILLMENT_MAKE_READY] = "make ready",
        [FULFILLMENT_PACK] = "pack",
        [FULFILLMENT_PICK] = "pick",
        [FULFILLMENT_REJECT] = "reject",
        [FULFILLMENT_SHIP] = "ship",
        [FULFILLMENT_REINSTATE] = "reinstate",
        [FULFILLMENT_UNDO_PICK] = "undo pick",
};

/* In the order in which a fulfillment takes the steps. */
static const struct transition pickup_transitions[] = {
        { FULFILLMENT_ALLOCATED, FULFILLMENT_PICK, FULFILLMENT_PICKING,
                "an associate takes the first unit from the shelf" },
        { FULFILLMENT_PICKING, FULFILLMENT_PICK, FULFILLMENT_PICKING, "the associate takes further units" },
        { FULFILLMENT_PICKING, FULFILLMENT_UNDO_PICK, FULFILLMENT_PICKING, "a wrong unit goes back to the shelf" },
        { FULFILLMENT_PICKING, FULFILLMENT_MAKE_READY, FULFILLMENT_READY,
                "every unit is picked or short; the hold begins" },
        { FULFILLMENT_READY, FULFILLMENT_HAND_OVER, FULFILLMENT_HANDED_OVER, "the customer has the last unit" },
        { FULFILLMENT_PICKING, FULFILLMENT_CLOSE, FULFILLMENT_HANDED_OVER,
                "a part was handed over; the rest is cancelled or missing" },
        { FULFILLMENT_READY, FULFILLMENT_CLOSE, FULFILLMENT_HANDED_OVER,
                "a part was handed over; the rest is cancelled" },
        { FULFILLMENT_READY, FULFILLMENT_EXPIRE, FULFILLMENT_EXPIRED, "the customer did not collect within the hold" },
        { FULFILLMENT_EXPIRED, FULFILLMENT_REINSTATE, FULFILLMENT_READY,
                "the customer comes too late, and the units are available" },
        { FULFILLMENT_ALLOCATED, FULFILLMENT_REJECT, FULFILLMENT_REJECTED, "the location cannot do it" },
        { FULFILLMENT_PICKING, FULFILLMENT_REJECT, FULFILLMENT_REJECTED, "the location cannot do it after all" },
        { FULFILLMENT_ALLOCATED, FULFILLMENT_CANCEL, FULFILLMENT_CANCELLED,
                "the units are cancelled, or all are missing" },
        { FULFILLMENT_PICKING, FULFILLMENT_CANCEL, FULFILLMENT_CANCELLED,
                "the units are cancelled, or all are missing" },
        { FULFILLMENT_READY, FULFILLMENT_CANCEL, FULFILLMENT_CANCELLED,
                "the units are cancelled; picked ones go back to the shelf" },
};

static const struct transition shipping_transitions[] = {
        { FULFILLMENT_ALLOCATED, FULFILLMENT_PICK, FULFILLMENT_PICKING,
                "an associate takes the first unit from the shelf" },
        { FULFILLMENT_PICKING, FULFILLMENT_PICK, FULFILLMENT_PICKING, "the associate takes further units" },
        { FULFILLMENT_PICKING, FULFILLMENT_UNDO_PICK, FULFILLMENT_PICKING, "a wrong unit goes back to the shelf" },
        { FULFILLMENT_PICKING, FULFILLMENT_PACK, FULFILLMENT_PACKED, "every unit is picked or short" },
        { FULFILLMENT_PACKED, FULFILLMENT_UNDO_PICK, FULFILLMENT_PICKING, "the parcel is opened again" },
        { FULFILLMENT_PACKED, FULFILLMENT_SHIP, FULFILLMENT_SHIPPED, "the last package has left" },
        { FULFILLMENT_PICKING, FULFILLMENT_CLOSE, FULFILLMENT_SHIPPED,
                "a package has left; the rest is cancelled or missing" },
        { FULFILLMENT_PACKED, FULFILLMENT_CLOSE, FULFILLMENT_SHIPPED, "a package has left; the rest is cancelled" },
        { FULFILLMENT_SHIPPED, FULFILLMENT_DELIVER, FULFILLMENT_DELIVERED, "the carrier has delivered" },
        { FULFILLMENT_ALLOCATED, FULFILLMENT_REJECT, FULFILLMENT_REJECTED, "the location cannot do it" },
        { FULFILLMENT_PICKING, FULFILLMENT_REJECT, FULFILLMENT_REJECTED, "the location cannot do it after all" },
        { FULFILLMENT_ALLOCATED, FULFILLMENT_CANCEL, FULFILLMENT_CANCELLED,
                "the units are cancelled, or all are missing" },
        { FULFILLMENT_PICKING, FULFILLMENT_CANCEL, FULFILLMENT_CANCELLED,
                "the units are cancelled, or all are missing" },
        { FULFILLMENT_PACKED, FULFILLMENT_CANCEL, FULFILLMENT_CANCELLED,
                "the units are cancelled; the parcel is unpacked" },
};

const struct lifecycle pickup_lifecycle = {
        .name = "fulfillment, pickup and curbside",
        .states = fulfillment_states,
        .n_states = array_size(fulfillment_states),
        .events = fulfillment_events,
        .n_events = array_size(fulfillment_events),
        .transitions = pickup_transitions,
        .n_transitions = array_size(pickup_transitions),
};

const struct lifecycle shipping_lifecycle = {
        .name = "fulfillment, ship",
        .states = fulfillment_states,
        .n_states = array_size(fulfillment_states),
        .events = fulfillment_events,
        .n_events = array_size(fulfillment_events),
        .transitions = shipping_transitions,
        .n_transitions = array_size(shipping_transitions),
};

static const char *const check_in_states[] = {
        [CHECK_IN_ARRIVED] = "arrived",
        [CHECK_IN_NONE] = "none",
        [CHECK_IN_ON_THE_WAY] = "on_the_way",
};

static const char *const check_in_events[] = {
        [CHECK_IN_ARRIVE] = "arrive",
        [CHECK_IN_LEAVE] = "leave",
        [CHECK_IN_SET_OUT] = "set out",
};

static const struct transition check_in_transitions[] = {
        { CHECK_IN_NONE, CHECK_IN_SET_OUT, CHECK_IN_ON_THE_WAY, "the customer has set out" },
        { CHECK_IN_NONE, CHECK_IN_ARRIVE, CHECK_IN_ARRIVED, "the customer is there, without an announcement" },
        { CHECK_IN_ON_THE_WAY, CHECK_IN_SET_OUT, CHECK_IN_ON_THE_WAY, "the customer changes the estimate" },
        { CHECK_IN_ON_THE_WAY, CHECK_IN_ARRIVE, CHECK_IN_ARRIVED, "the customer is there" },
        { CHECK_IN_ON_THE_WAY, CHECK_IN_LEAVE, CHECK_IN_NONE, "a part was handed over" },
        { CHECK_IN_ARRIVED, CHECK_IN_ARRIVE, CHECK_IN_ARRIVED, "the customer changes bay or vehicle" },
        { CHECK_IN_ARRIVED, CHECK_IN_SET_OUT, CHECK_IN_ON_THE_WAY, "the customer was not there yet" },
        { CHECK_IN_ARRIVED, CHECK_IN_LEAVE, CHECK_IN_NONE, "a part was handed over; the rest needs another visit" },
};

const struct lifecycle check_in_lifecycle = {
        .name = "check-in, pickup and curbside",
        .states = check_in_states,
        .n_states = array_size(check_in_states),
        .events = check_in_events,
        .n_events = array_size(check_in_events),
        .transitions = check_in_transitions,
        .n_transitions = array_size(check_in_transitions),
};

const struct lifecycle *fulfillment_lifecycle(enum fulfillment_method method) {
        return method == BY_SHIPPING ? &shipping_lifecycle : &pickup_lifecycle;
}

const char *fulfillment_shown_status(const struct fulfillment *fulfillment) {
        if (fulfillment->status == FULFILLMENT_READY && fulfillment->check_in.state != CHECK_IN_NONE)
                return check_in_states[fulfillment->check_in.state];
        return fulfillment_states[fulfillment->status];
}

/* The end of the wait for a customer after a check-in. Without an estimate the arrival is announced for the moment of
 * the check-in. The sweeper looks for the same in sql/queries/orders.sql. */
static timestamp awaited_until(const struct check_in *check_in) {
        const int64_t minutes = check_in->eta_minutes > 0 ? check_in->eta_minutes : 0;

        switch (check_in->state) {
        case CHECK_IN_ARRIVED:
                return check_in->arrived_at + ARRIVAL_GRACE;
        case CHECK_IN_ON_THE_WAY:
                return check_in->on_the_way_at + minutes * MINUTE + WAY_GRACE;
        case CHECK_IN_NONE:
                break;
        }
        return TIMESTAMP_NONE;
}

timestamp fulfillment_held_until(const struct fulfillment *fulfillment) {
        const timestamp awaited = awaited_until(&fulfillment->check_in);

        if (fulfillment->hold_until == TIMESTAMP_NONE)
                return TIMESTAMP_NONE;
        return awaited > fulfillment->hold_until ? awaited : fulfillment->hold_until;
}

enum problem fulfillment_advance(
        struct fulfillment *fulfillment, enum fulfillment_event event, struct arena *arena, struct refusal *refusal) {
        int next;

        if (!lifecycle_next(
                    fulfillment_lifecycle(fulfillment->method), (int) fulfillment->status, (int) event, &next)) {
                refusal->current_status = fulfillment_shown_status(fulfillment);
                return refuse(refusal, arena, PROBLEM_INVALID_TRANSITION,
                        "The %s fulfillment is %s; that does not allow: %s.",
                        fulfillment_method_texts[fulfillment->method], refusal->current_status,
                        fulfillment_events[event]);
        }
        fulfillment->moved = fulfillment->moved || next != (int) fulfillment->status;
        fulfillment->status = (enum fulfillment_status) next;
        fulfillment->touched = true;
        return PROBLEM_NONE;
}

enum problem check_in_advance(
        struct fulfillment *fulfillment, enum check_in_event event, struct arena *arena, struct refusal *refusal) {
        int next;

        if (!lifecycle_next(&check_in_lifecycle, (int) fulfillment->check_in.state, (int) event, &next)) {
                refusal->current_status = fulfillment_shown_status(fulfillment);
                return refuse(refusal, arena, PROBLEM_INVALID_TRANSITION,
                        "The check-in is %s; that does not allow: %s.", check_in_states[fulfillment->check_in.state],
                        check_in_events[event]);
        }
        fulfillment->check_in.state = (enum check_in_state) next;
        fulfillment->check_in.changed = true;
        fulfillment->touched = true;
        return PROBLEM_NONE;
}

const struct enum_column order_status_column = { "orders", "status", .texts = order_status_texts };
const struct enum_column order_payment_status_column = { "orders", "payment_status", .texts = payment_status_texts };
const struct enum_column fulfillment_check_in_column = { "fulfillments", "check_in", .lifecycle = &check_in_lifecycle };
const struct enum_column fulfillment_method_column = { "fulfillments", "method", .texts = fulfillment_method_texts };
/* Both methods' lifecycles share the states. */
const struct enum_column fulfillment_status_column = { "fulfillments", "status", .lifecycle = &pickup_lifecycle };
