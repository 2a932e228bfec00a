/*
 * The events of the provider about one payment or refund, in the order in which they happened. Their sum does not
 * depend on the order of arrival.
 */
#include "payments/provider.h"

#include <string.h>

/* ---- the order of events ---- */

/* Of two events of the same moment, a failure comes before a success, and a void after a capture. */
static const int same_moment_rank[] = {
        [PROVIDER_FAILED] = 0,
        [PROVIDER_AUTHORIZED] = 1,
        [PROVIDER_CAPTURED] = 2,
        [PROVIDER_VOIDED] = 3,
        [PROVIDER_REFUND_FAILED] = 4,
        [PROVIDER_REFUND_ISSUED] = 5,
        [PROVIDER_REFUND_SETTLED] = 6,
};

static timestamp moment_of(const struct told_event *event) {
        return event->occurred_at == TIMESTAMP_NONE ? event->recorded_at : event->occurred_at;
}

static int by_moment(const struct told_event *a, const struct told_event *b) {
        const bool a_told = a->occurred_at != TIMESTAMP_NONE, b_told = b->occurred_at != TIMESTAMP_NONE;

        if (moment_of(a) != moment_of(b))
                return moment_of(a) < moment_of(b) ? -1 : 1;
        if (a_told != b_told)
                return a_told ? -1 : 1;
        if (!a_told)
                return a->number < b->number ? -1 : a->number > b->number;
        if (same_moment_rank[a->type] != same_moment_rank[b->type])
                return same_moment_rank[a->type] - same_moment_rank[b->type];
        return strcmp(a->event_id, b->event_id);
}

static bool is_of(const struct told_event *event, const struct payment *payment, const struct uuid *refund_id) {
        if (!event->counts || !uuid_equal(&event->payment_id, &payment->id))
                return false;
        return refund_id ? event->has_refund_id && uuid_equal(&event->refund_id, refund_id) : !event->has_refund_id;
}

bool told_history(const struct told_events *told, const struct payment *payment, const struct uuid *refund_id,
        const struct told_event *added, struct arena *arena, struct told_history *ret_history) {
        const struct told_event **list = arena_new_array(arena, const struct told_event *, told->n + 1);
        size_t n = 0;

        if (!list)
                return false;
        for (size_t i = 0; i <= told->n; i++) {
                const struct told_event *event = i < told->n ? &told->at[i] : added;
                size_t place = n;

                if (!event || !is_of(event, payment, refund_id))
                        continue;
                for (; place && by_moment(event, list[place - 1]) < 0; place--)
                        list[place] = list[place - 1];
                list[place] = event;
                n++;
        }
        *ret_history = (struct told_history){ list, n };
        return true;
}

/* ---- the money behind a payment ---- */

static enum problem funds_advance(struct funds *funds, enum funds_event event) {
        int next;

        if (!lifecycle_next(&payment_lifecycle, (int) funds->state, (int) event, &next))
                return PROBLEM_INVALID_TRANSITION;
        funds->state = (enum funds_state) next;
        return PROBLEM_NONE;
}

static int64_t funds_held(const struct funds *funds) {
        return funds->authorized - funds->captured - funds->voided - funds->failed;
}

/* Another try begins anew. After a void only an event with occurred_at is another try; else it is a late event of the
 * first one. */
static bool is_another_try(const struct funds *funds, const struct told_event *event) {
        return funds->state == FUNDS_PENDING || funds->state == FUNDS_FAILED ||
               (funds->state == FUNDS_VOIDED && event->occurred_at != TIMESTAMP_NONE);
}

/* The amount is the total, not an addition to earlier events. */
static enum problem authorized(struct funds *funds, const struct told_event *event, struct told_amount *amount) {
        const bool another = is_another_try(funds, event);
        bool anew;

        amount->most = funds->amount;
        amount->told = event->has_amount ? event->amount : funds->amount;
        if (amount->told > amount->most)
                return PROBLEM_OVER_CAPTURE;
        if (another)
                funds->authorized = funds->voided = 0;
        funds->failed = 0;
        funds->authorized = money_larger(funds->authorized, amount->told);
        anew = funds->state == FUNDS_VOIDED ? another : funds->state == FUNDS_CAPTURED && funds_held(funds);
        return funds_advance(funds, anew ? FUNDS_AUTHORIZE_ANEW : FUNDS_AUTHORIZE);
}

/* A captured amount was authorized, even without an event; and an earlier failure did not happen. */
static void assume_authorized(struct funds *funds, const struct told_event *event) {
        const bool more = funds->state == FUNDS_FAILED && event->has_amount && event->amount > funds->authorized;

        if (!funds->authorized || more)
                funds->authorized = funds->amount;
        funds->failed = 0;
}

/* Without an amount: the held amount less the requested voids; all of it when nothing else is left. */
static enum problem captured(struct funds *funds, const struct told_event *event, struct told_amount *amount) {
        assume_authorized(funds, event);
        amount->most = funds->authorized - funds->captured;
        amount->told = amount->most - money_smaller(money_larger(funds->voided, event->voids_asked), amount->most);
        if (!amount->told && !funds->captured)
                amount->told = amount->most;
        if (event->has_amount)
                amount->told = event->amount;
        if (amount->told > amount->most || (!amount->told && funds->amount))
                return PROBLEM_OVER_CAPTURE;
        funds->captured += amount->told;
        funds->captures++;
        funds->voided = money_smaller(funds->voided, funds->authorized - funds->captured);
        return funds_advance(funds, funds_held(funds) ? FUNDS_CAPTURE_PART : FUNDS_CAPTURE_ALL);
}

/* The client that placed the payment as authorized or captured knew more than an earlier failure says. The second in
 * which it was placed counts as later: clocks of some providers have no fractions. */
static bool is_before_placing(const struct funds *funds, const struct told_event *event) {
        return funds->placed_at != TIMESTAMP_NONE && moment_of(event) < funds->placed_at - funds->placed_at % SECOND;
}

static enum problem failed(struct funds *funds, const struct told_event *event, struct told_amount *amount) {
        const enum problem p =
                is_before_placing(funds, event) ? PROBLEM_INVALID_TRANSITION : funds_advance(funds, FUNDS_FAIL);

        if (p)
                return p;
        amount->told = funds_held(funds);
        funds->failed += funds_held(funds);
        return PROBLEM_NONE;
}

/* The amount is the total; without an amount, the whole uncaptured rest. */
static enum problem voided(struct funds *funds, const struct told_event *event, struct told_amount *amount) {
        enum problem p = PROBLEM_NONE;

        amount->most = funds->authorized - funds->captured;
        amount->told = event->has_amount ? event->amount : amount->most;
        if (funds->state == FUNDS_CAPTURED && !amount->most)
                return PROBLEM_INVALID_TRANSITION;
        if (amount->told > amount->most)
                return PROBLEM_OVER_CAPTURE;
        if (amount->told == amount->most)
                p = funds_advance(funds, FUNDS_VOID);
        if (p)
                return p;
        funds->voided = money_larger(funds->voided, amount->told);
        funds->failed = money_smaller(funds->failed, amount->most - funds->voided);
        return PROBLEM_NONE;
}

static enum problem funds_apply(struct funds *funds, const struct told_event *event, struct told_amount *amount) {
        switch (event->type) {
        case PROVIDER_AUTHORIZED:
                return authorized(funds, event, amount);
        case PROVIDER_CAPTURED:
                return captured(funds, event, amount);
        case PROVIDER_FAILED:
                return failed(funds, event, amount);
        default:
                return voided(funds, event, amount);
        }
}

struct funds funds_told(const struct payment *payment, const struct told_history *history,
        const struct told_event *asked, struct told_amount *ret_amount) {
        struct funds funds = { .state = payment->opened, .amount = payment->amount, .placed_at = TIMESTAMP_NONE };

        if (payment->opened != FUNDS_PENDING) {
                funds.authorized = payment->amount;
                funds.placed_at = payment->created_at;
        }
        if (payment->opened == FUNDS_CAPTURED)
                funds.captured = payment->amount;
        for (size_t i = 0; i < history->n; i++) {
                struct told_amount amount = { 0 };
                struct funds next = funds;

                amount.problem = funds_apply(&next, history->list[i], &amount);
                if (!amount.problem)
                        funds = next;
                if (history->list[i] == asked && ret_amount)
                        *ret_amount = amount;
        }
        return funds;
}

/* ---- refunds ---- */

enum refund_state refund_told(const struct refund *refund, const struct told_history *history,
        const struct told_event *asked, enum problem *ret_problem) {
        static const enum refund_event steps[] = {
                [PROVIDER_REFUND_FAILED] = REFUND_FAIL,
                [PROVIDER_REFUND_ISSUED] = REFUND_ISSUE,
                [PROVIDER_REFUND_SETTLED] = REFUND_SETTLE,
        };
        const bool first = history->n == 1 && history->list[0] == asked;
        int state = first ? (int) refund->state : (int) REFUND_PENDING;

        for (size_t i = 0; i < history->n; i++) {
                const bool possible =
                        lifecycle_next(&refund_lifecycle, state, (int) steps[history->list[i]->type], &state);

                if (history->list[i] == asked)
                        *ret_problem = possible ? PROBLEM_NONE : PROBLEM_INVALID_TRANSITION;
        }
        return (enum refund_state) state;
}
