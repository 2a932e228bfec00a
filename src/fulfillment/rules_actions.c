/* The commands that a fulfillment allows now: the lifecycle's answer, and the further needs of each command. */
#include "fulfillment/fulfillment.h"

#include <assert.h>

const char *const fulfillment_action_texts[] = {
#define X(name, text) [ACTION_##name] = text,
        FULFILLMENT_ACTIONS(X)
#undef X
                NULL,
};

static_assert(ACTION_COUNT <= 32, "an action_set has a bit for every action");

/* The need of a command. */
enum need {
        NEEDS_NOTHING,
        NEEDS_REMAINING,      /* units still to be picked */
        NEEDS_NONE_REMAINING, /* all is picked or short */
        NEEDS_AT_HAND,        /* picked units that are still here */
        NEEDS_EXPIRED,        /* units that nobody collected in time */
        NEEDS_LOCK,           /* wrong codes that can be forgiven */
};

/* Instead of an event of the lifecycle. */
enum { WHILE_IN_THE_HOUSE = -1, WHILE_AWAITED = -2 };

struct action_rule {
        int event; /* of the fulfillment's lifecycle, or one of the above */
        enum need need;
        unsigned powers; /* any of them is enough */
};

static const struct action_rule rules[] = {
        [ACTION_ASSIGN] = { WHILE_IN_THE_HOUSE, NEEDS_NOTHING, MAY_FULFILL },
        [ACTION_CANCEL] = { FULFILLMENT_CANCEL, NEEDS_NOTHING, MAY_FULFILL },
        [ACTION_CHECK_IN] = { WHILE_AWAITED, NEEDS_NOTHING, MAY_FULFILL | MAY_ORDER },
        [ACTION_DELIVER] = { FULFILLMENT_DELIVER, NEEDS_NOTHING, MAY_FULFILL },
        [ACTION_EXTEND_HOLD] = { FULFILLMENT_HAND_OVER, NEEDS_NOTHING, MAY_FULFILL | MAY_ORDER },
        [ACTION_HANDOVER] = { FULFILLMENT_HAND_OVER, NEEDS_AT_HAND, MAY_FULFILL },
        [ACTION_LINK] = { WHILE_AWAITED, NEEDS_NOTHING, MAY_FULFILL | MAY_ORDER },
        [ACTION_PICK] = { FULFILLMENT_PICK, NEEDS_REMAINING, MAY_FULFILL },
        [ACTION_READY] = { FULFILLMENT_MAKE_READY, NEEDS_NONE_REMAINING, MAY_FULFILL },
        [ACTION_RECIPIENT] = { WHILE_AWAITED, NEEDS_NOTHING, MAY_FULFILL | MAY_ORDER },
        [ACTION_REINSTATE] = { FULFILLMENT_REINSTATE, NEEDS_EXPIRED, MAY_FULFILL | MAY_ORDER },
        [ACTION_REISSUE_CODE] = { WHILE_AWAITED, NEEDS_NOTHING, MAY_OVERRIDE },
        [ACTION_REJECT] = { FULFILLMENT_REJECT, NEEDS_NOTHING, MAY_FULFILL },
        [ACTION_SHIP] = { FULFILLMENT_SHIP, NEEDS_AT_HAND, MAY_FULFILL },
        [ACTION_SHORT] = { FULFILLMENT_PICK, NEEDS_REMAINING, MAY_FULFILL },
        [ACTION_UNDO_PICK] = { FULFILLMENT_UNDO_PICK, NEEDS_AT_HAND, MAY_FULFILL },
        [ACTION_UNLOCK] = { FULFILLMENT_HAND_OVER, NEEDS_LOCK, MAY_OVERRIDE },
};

struct action_facts fulfillment_facts(const struct fulfillment *fulfillment) {
        struct action_facts facts = {
                .method = fulfillment->method,
                .status = fulfillment->status,
                .remaining = fulfillment_remaining(fulfillment),
                .locked = fulfillment->wrong_codes > 0,
        };

        for (size_t i = 0; i < fulfillment->n_lines; i++) {
                facts.at_hand += fulfillment->lines[i].picked - fulfillment->lines[i].fulfilled;
                facts.expired += fulfillment->lines[i].expired;
        }
        return facts;
}

static bool state_allows(const struct action_facts *facts, int event) {
        int next;

        if (event == WHILE_IN_THE_HOUSE)
                return fulfillment_is_at_location(facts->status);
        if (event == WHILE_AWAITED)
                return fulfillment_is_awaited(facts->method, facts->status);
        return lifecycle_next(fulfillment_lifecycle(facts->method), (int) facts->status, event, &next);
}

static bool has_what_it_needs(const struct action_facts *facts, enum need need) {
        switch (need) {
        case NEEDS_NOTHING:
                return true;
        case NEEDS_REMAINING:
                return facts->remaining > 0;
        case NEEDS_NONE_REMAINING:
                return facts->remaining == 0;
        case NEEDS_AT_HAND:
                return facts->at_hand > 0;
        case NEEDS_EXPIRED:
                return facts->expired > 0;
        case NEEDS_LOCK:
                return facts->locked;
        }
        return false;
}

action_set fulfillment_allowed_actions(const struct action_facts *facts, unsigned powers) {
        action_set allowed = 0;

        for (int action = 0; action < ACTION_COUNT; action++)
                if (rules[action].powers & powers && state_allows(facts, rules[action].event) &&
                        has_what_it_needs(facts, rules[action].need))
                        allowed |= (action_set) 1 << action;
        return allowed;
}
