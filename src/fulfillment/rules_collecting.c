/* What the customer does on the way to the goods. */
#include "fulfillment/fulfillment.h"

#include "base/text.h"

bool fulfillment_is_awaited(enum fulfillment_method method, enum fulfillment_status status) {
        return method != BY_SHIPPING &&
               (status == FULFILLMENT_ALLOCATED || status == FULFILLMENT_PICKING || status == FULFILLMENT_READY);
}

/* ---- check-in ---- */

static bool is_same_vehicle(const struct vehicle *a, const struct vehicle *b) {
        return text_equal(a->make, b->make) && text_equal(a->color, b->color) && text_equal(a->plate, b->plate);
}

/* An estimate counts from the moment in which it is given, so each one is news. */
static bool is_news(const struct check_in *check_in, const struct check_in_word *word) {
        const enum check_in_state state = word->event == CHECK_IN_ARRIVE ? CHECK_IN_ARRIVED : CHECK_IN_ON_THE_WAY;

        return check_in->state != state || (state == CHECK_IN_ON_THE_WAY && word->eta_minutes >= 0) ||
               (word->bay && !text_equal(word->bay, check_in->bay)) ||
               (word->vehicle.make && !is_same_vehicle(&word->vehicle, &check_in->vehicle));
}

static void note_times(struct check_in *check_in, const struct check_in_word *word, timestamp now) {
        const bool there = check_in->arrived_at != TIMESTAMP_NONE;

        if (word->event == CHECK_IN_ARRIVE) {
                check_in->eta_minutes = -1;
                if (!there)
                        check_in->arrived_at = now;
        } else if (there || check_in->on_the_way_at == TIMESTAMP_NONE || word->eta_minutes >= 0) {
                check_in->eta_minutes = word->eta_minutes;
                check_in->on_the_way_at = now;
                check_in->arrived_at = TIMESTAMP_NONE;
        }
}

static void tell_check_in(const struct fulfillment *fulfillment, const struct act *act) {
        const bool arrived = fulfillment->check_in.state == CHECK_IN_ARRIVED;
        struct event *event = fulfillment_tell(act->events, fulfillment,
                arrived ? "pickup.customer_arrived" : "pickup.customer_on_the_way", act->actor);

        if (fulfillment->check_in.eta_minutes >= 0)
                event_integer(event, "eta_minutes", fulfillment->check_in.eta_minutes);
}

enum problem fulfillment_check_in(
        struct fulfillment *fulfillment, const struct check_in_word *word, const struct act *act) {
        struct check_in *check_in = &fulfillment->check_in;
        enum problem p;

        if (!fulfillment_is_awaited(fulfillment->method, fulfillment->status))
                return fulfillment_refuse_state(fulfillment, act, "collected");
        if (!is_news(check_in, word))
                return PROBLEM_NONE;
        p = check_in_advance(fulfillment, word->event, act->arena, act->refusal);
        if (p)
                return p;
        note_times(check_in, word, act->now);
        if (word->bay)
                check_in->bay = word->bay;
        if (word->vehicle.make)
                check_in->vehicle = word->vehicle;
        tell_check_in(fulfillment, act);
        order_settle(fulfillment->order, act->events, act->actor, act->now);
        return PROBLEM_NONE;
}

/* Whoever took a part has left; the rest is another visit. */
static void end_visit(struct fulfillment *fulfillment, const struct act *act) {
        struct check_in *check_in = &fulfillment->check_in;
        struct refusal ignored = { 0 };

        if (check_in->state == CHECK_IN_NONE || check_in_advance(fulfillment, CHECK_IN_LEAVE, act->arena, &ignored))
                return;
        *check_in = (struct check_in){ .eta_minutes = -1,
                .on_the_way_at = TIMESTAMP_NONE,
                .arrived_at = TIMESTAMP_NONE,
                .waited_s = check_in->waited_s,
                .changed = true };
}

int64_t fulfillment_note_wait(struct fulfillment *fulfillment, bool last, const struct act *act) {
        struct check_in *check_in = &fulfillment->check_in;
        int64_t waited_s = -1;

        if (check_in->state == CHECK_IN_ARRIVED) {
                waited_s = (act->now - check_in->arrived_at) / SECOND;
                check_in->waited_s = waited_s;
                check_in->changed = true;
        }
        if (!last)
                end_visit(fulfillment, act);
        return waited_s;
}
