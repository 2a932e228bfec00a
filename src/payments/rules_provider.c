/* Events of the payment provider about a payment or a refund. */
#include "payments/provider.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const provider_event_texts[] = { "authorized", "captured", "failed", "refund_failed", "refund_issued",
        "refund_settled", "voided", NULL };

const struct enum_column provider_event_type_column = { "payment_events", "type", .texts = provider_event_texts };

/* ---- checks without the database ---- */

static bool is_of_refund(enum provider_event_type type) {
        return type == PROVIDER_REFUND_FAILED || type == PROVIDER_REFUND_ISSUED || type == PROVIDER_REFUND_SETTLED;
}

enum problem provider_check(const struct provider_event *told, struct arena *arena, struct refusal *refusal) {
        if (is_of_refund(told->type) && !told->has_refund_id)
                (void) refuse_because(
                        refusal, arena, "#/refund_id", "required", "%s", "An event of a refund needs refund_id.");
        if (!is_of_refund(told->type) && told->has_refund_id)
                (void) refuse_because(refusal, arena, "#/refund_id", "not-allowed", "%s",
                        "An event of the payment has no refund_id.");
        if (told->type == PROVIDER_FAILED && told->has_amount)
                (void) refuse_because(refusal, arena, "#/amount", "not-allowed", "%s",
                        "A payment fails as a whole; omit the amount. Captured amounts stay captured.");
        if (!refusal->n_violations)
                return PROBLEM_NONE;
        return refuse(
                refusal, arena, PROBLEM_VALIDATION_FAILED, "Some members of the event are invalid; see `errors`.");
}

/* ---- one event ---- */

/* The arguments of every rule here. */
struct provider_update {
        const struct provider_event *told;
        struct told_event event; /* the same, as it will be recorded */
        struct told_events *before;
        struct payment *payment;
        const struct command *command;
};

static enum problem refuse_event_amount(const struct provider_update *update, int64_t amount, int64_t most) {
        refuse_beyond(update->command->refusal, update->command->arena, "#/amount", "over-capture", most,
                "The payment allows %" PRId64 " at most.", most);
        return refuse(update->command->refusal, update->command->arena, PROBLEM_OVER_CAPTURE,
                "The event has an amount of %" PRId64 "; the payment allows %" PRId64 " at most.", amount, most);
}

static void payment_event_tell(const struct provider_update *update, enum event_type type, int64_t amount) {
        (void) payment_tell(update->payment, type, amount, update->command);
}

/* The event comes late, or contradicts what is known, and changes nothing: record it without effect. */
static void tell_without_effect(const struct provider_update *update) {
        struct event *event = balance_tell(update->payment->balance, EVENT_PAYMENT_EVENT_LATE, update->command);
        char id[UUID_TEXT_SIZE];

        event_about(event, SUBJECT_PAYMENT, &update->payment->id, &update->payment->version);
        uuid_format(&update->payment->id, id);
        event_text(event, "payment_id", id);
        event_text(event, "type", provider_event_texts[update->told->type]);
        event_text(event, "event_id", update->told->event_id);
        if (!update->told->has_refund_id)
                return;
        uuid_format(&update->told->refund_id, id);
        event_text(event, "refund_id", id);
}

/* ---- amounts that cannot be captured ---- */

static enum problem fail_refund(const struct provider_update *update, struct refund *refund) {
        const enum problem p = refund_advance(refund, REFUND_FAIL, update->command->arena, update->command->refusal);

        if (p)
                return p;
        refund->payment->refunded -= refund->amount;
        refund->payment->touched = true;
        event_text(refund_tell(refund, EVENT_REFUND_FAILED, update->command), "reason", "not_captured");
        return PROBLEM_NONE;
}

/* Whether refunds exceed captured and requested amounts: of the payment, or of the whole order, store credit
 * included. */
static bool is_uncovered(const struct payment *payment) {
        const struct balance_sums sums = balance_sums(payment->balance);

        return payment->refunded > payment->captured + payment->capture_due ||
               sums.refunded > sums.paid + sums.capture_due;
}

/* When a capture fails, the pending refunds it should have paid fail, too, the newest first. */
static enum problem fail_uncovered(const struct provider_update *update) {
        const struct balance *balance = update->payment->balance;
        enum problem p = PROBLEM_NONE;

        for (size_t i = balance->n_refunds; !p && i-- > 0 && is_uncovered(update->payment);)
                if (balance->refunds[i]->payment == update->payment && balance->refunds[i]->state == REFUND_PENDING)
                        p = fail_refund(update, balance->refunds[i]);
        for (size_t i = balance->n_refunds; !p && i-- > 0 && is_uncovered(update->payment);)
                if (balance->refunds[i]->payment && balance->refunds[i]->state == REFUND_PENDING)
                        p = fail_refund(update, balance->refunds[i]);
        return p;
}

static bool is_sent(enum refund_state state) {
        return state == REFUND_ISSUED || state == REFUND_SETTLED;
}

/* The sum of sent refunds: of a payment, or of the whole balance (NULL). */
static int64_t sent(const struct balance *balance, const struct payment *payment) {
        int64_t sum = 0;

        for (size_t i = 0; i < balance->n_refunds; i++) {
                const struct refund *refund = balance->refunds[i];

                if ((!payment || refund->payment == payment) && is_sent(refund->state))
                        sum += refund->amount;
        }
        return sum;
}

/* ---- payments ---- */

/* The amount that would be captured is smaller than the known one. */
static enum problem refuse_lower(const struct provider_update *update, const struct funds *after) {
        const int64_t known = update->payment->captured, left = after->authorized - known;

        if (update->told->type != PROVIDER_AUTHORIZED)
                return refuse_event_amount(update, update->event.amount, left > 0 ? left : 0);
        (void) refuse_because(update->command->refusal, update->command->arena, "#/amount", "over-capture",
                "An amount of %" PRId64 " is known as captured.", known);
        return refuse(update->command->refusal, update->command->arena, PROBLEM_OVER_CAPTURE,
                "The event would lower the captured amount; %" PRId64 " is known as captured.", known);
}

/* Money that is known as captured was taken, whatever an earlier event says that arrives later. So each known capture
 * still counts, and one without an amount keeps at least the amount that it had when it arrived. */
static enum problem check_captures(const struct provider_update *update, const struct funds *before,
        const struct funds *after, const struct told_amount *amount) {
        const bool captures = update->told->type == PROVIDER_CAPTURED && !amount->problem;

        return after->captured < update->payment->captured || after->captures < before->captures + captures
                       ? refuse_lower(update, after)
                       : PROBLEM_NONE;
}

/* Reduce our requests by the answers of the provider: first requested captures, then the held amount, then requested
 * voids. */
static void ask_less(struct payment *payment, const struct funds *after) {
        const int64_t room = after->authorized - after->captured - after->voided - after->failed;

        if (after->captured > payment->captured)
                payment->capture_due -= money_smaller(payment->capture_due, after->captured - payment->captured);
        if (after->voided > payment->voided)
                payment->void_due -= money_smaller(payment->void_due, after->voided - payment->voided);
        payment->capture_due = after->state == FUNDS_VOIDED ? 0 : money_smaller(payment->capture_due, room);
        payment->void_due = money_smaller(payment->void_due, room - payment->capture_due);
}

/* The state that the provider's events lead to, unless we have closed the payment meanwhile. The only place where it
 * changes but payment_advance. */
static enum problem follow_state(
        const struct provider_update *update, const struct funds *before, const struct funds *after) {
        struct payment *payment = update->payment;
        const bool unwanted = payment->balance->stage == BALANCE_CANCELLED || before->state != FUNDS_VOIDED;
        const bool open = after->state == FUNDS_AUTHORIZED || after->state == FUNDS_PARTIALLY_CAPTURED;

        if (payment->state == FUNDS_VOIDED && unwanted &&
                (after->state == FUNDS_PENDING || after->state == FUNDS_FAILED))
                return PROBLEM_NONE;
        payment->state = after->state;
        if (!open || payment_held(payment) || payment->capture_due || !payment->void_due)
                return PROBLEM_NONE;
        return payment_advance(payment, FUNDS_VOID, update->command->arena, update->command->refusal);
}

static enum problem follow(
        const struct provider_update *update, const struct funds *before, const struct funds *after) {
        struct payment *payment = update->payment;
        enum problem p;

        ask_less(payment, after);
        payment->authorized = after->authorized;
        payment->captured = after->captured;
        payment->voided = after->voided;
        payment->failed = after->failed;
        p = follow_state(update, before, after);
        if (p || payment->state != FUNDS_VOIDED || !payment_held(payment))
                return p;
        payment_event_tell(update, EVENT_PAYMENT_VOID_DUE, payment_held(payment));
        payment->void_asked += payment_held(payment);
        payment->void_due += payment_held(payment);
        return PROBLEM_NONE;
}

static bool is_same(const struct payment *a, const struct payment *b) {
        return a->state == b->state && a->authorized == b->authorized && a->captured == b->captured &&
               a->voided == b->voided && a->failed == b->failed && a->void_due == b->void_due &&
               a->capture_due == b->capture_due;
}

static void tell_funds(const struct provider_update *update, const struct told_amount *amount) {
        static const enum event_type types[] = {
                [PROVIDER_AUTHORIZED] = EVENT_PAYMENT_AUTHORIZED,
                [PROVIDER_CAPTURED] = EVENT_PAYMENT_CAPTURED,
                [PROVIDER_FAILED] = EVENT_PAYMENT_FAILED,
                [PROVIDER_VOIDED] = EVENT_PAYMENT_VOIDED,
        };
        const bool nothing_held = update->told->type == PROVIDER_FAILED && !amount->told;

        payment_event_tell(update, types[update->told->type], nothing_held ? update->payment->amount : amount->told);
}

static enum problem payment_told(const struct provider_update *update) {
        const struct payment was = *update->payment;
        struct told_history history, known;
        struct told_amount amount = { 0 };
        struct funds before, after;
        bool changes;
        enum problem p;

        if (!told_history(update->before, update->payment, NULL, NULL, update->command->arena, &known) ||
                !told_history(update->before, update->payment, NULL, &update->event, update->command->arena, &history))
                return FAULT_BUSY;
        before = funds_told(update->payment, &known, NULL, NULL);
        after = funds_told(update->payment, &history, &update->event, &amount);
        if (amount.problem == PROBLEM_OVER_CAPTURE)
                return refuse_event_amount(update, amount.told, amount.most);
        p = check_captures(update, &before, &after, &amount);
        if (!p)
                p = follow(update, &before, &after);
        if (p)
                return p;
        changes = !is_same(&was, update->payment);
        update->payment->touched = update->payment->touched || changes;
        if (amount.problem || (!changes && history.list[history.n - 1] != &update->event))
                tell_without_effect(update);
        else
                tell_funds(update, &amount);
        return fail_uncovered(update);
}

/* ---- refunds ---- */

/* A refund needs captured money that was not sent already; nor promised again, if the refund had failed. */
static bool is_covered(const struct payment *payment, const struct refund *refund) {
        const struct balance_sums sums = balance_sums(payment->balance);
        const int64_t again = refund->state == REFUND_FAILED ? refund->amount : 0;

        return sent(payment->balance, payment) + refund->amount <= payment->captured &&
               sent(payment->balance, NULL) + refund->amount <= sums.paid &&
               payment->refunded + again <= payment->captured + payment->capture_due &&
               sums.refunded + again <= sums.paid + sums.capture_due;
}

static enum problem check_covered(
        const struct provider_update *update, const struct refund *refund, enum refund_state next) {
        if (!is_sent(next) || is_sent(refund->state) || is_covered(update->payment, refund))
                return PROBLEM_NONE;
        update->command->refusal->current_status = refund_lifecycle.states[refund->state];
        return refuse(update->command->refusal, update->command->arena, PROBLEM_INVALID_TRANSITION, "%s",
                refund->state == REFUND_FAILED ? "The refund has failed, and another refund has paid the money back."
                                               : "The capture that pays this refund has not been reported yet.");
}

static enum problem find_refund(const struct provider_update *update, struct refund **ret_refund) {
        struct refund *refund = refund_find(update->payment->balance, &update->told->refund_id);

        if (!refund || refund->payment != update->payment) {
                (void) refuse_because(update->command->refusal, update->command->arena, "#/refund_id", "unknown-refund",
                        "%s", "The payment has no such refund.");
                return refuse(update->command->refusal, update->command->arena, PROBLEM_VALIDATION_FAILED,
                        "The refund does not belong to the payment.");
        }
        if (update->told->has_amount && update->told->amount != refund->amount) {
                (void) refuse_because(update->command->refusal, update->command->arena, "#/amount", "mismatch",
                        "The amount of the refund is %" PRId64 ".", refund->amount);
                return refuse(update->command->refusal, update->command->arena, PROBLEM_VALIDATION_FAILED,
                        "A refund is issued, settled or failed as a whole; omit the amount or repeat it.");
        }
        *ret_refund = refund;
        return PROBLEM_NONE;
}

/* The only place where its state changes but refund_advance. */
static void refund_follow(const struct provider_update *update, struct refund *refund, enum refund_state next) {
        static const enum event_type types[] = {
                [REFUND_FAILED] = EVENT_REFUND_FAILED,
                [REFUND_ISSUED] = EVENT_REFUND_ISSUED,
                [REFUND_SETTLED] = EVENT_REFUND_SETTLED,
        };
        const enum refund_state before = refund->state;

        if (update->told->reference)
                refund->reference = update->told->reference;
        refund->touched = refund->touched || update->told->reference || next != before;
        refund->state = next;
        if (next == before)
                return;
        if (next == REFUND_FAILED)
                update->payment->refunded -= refund->amount;
        if (before == REFUND_FAILED)
                update->payment->refunded += refund->amount;
        update->payment->touched = update->payment->touched || next == REFUND_FAILED || before == REFUND_FAILED;
        (void) refund_tell(refund, types[next], update->command);
}

static enum problem refund_event_told(const struct provider_update *update) {
        struct told_history history;
        struct refund *refund = NULL;
        enum refund_state next;
        enum problem p = find_refund(update, &refund), passed_over = PROBLEM_NONE;
        bool changes;

        if (p)
                return p;
        if (!told_history(
                    update->before, update->payment, &refund->id, &update->event, update->command->arena, &history))
                return FAULT_BUSY;
        next = refund_told(refund, &history, &update->event, &passed_over);
        p = check_covered(update, refund, next);
        if (p)
                return p;
        changes = next != refund->state;
        refund_follow(update, refund, next);
        if (passed_over || (!changes && history.list[history.n - 1] != &update->event))
                tell_without_effect(update);
        return PROBLEM_NONE;
}

/* ---- deciding ---- */

static enum problem check_event_room(const struct provider_update *update) {
        if (update->event.number <= PAYMENT_EVENTS_MAX)
                return PROBLEM_NONE;
        (void) refuse_because(update->command->refusal, update->command->arena, "#", "too-many",
                "A payment has %d events at most.", PAYMENT_EVENTS_MAX);
        return refuse(update->command->refusal, update->command->arena, PROBLEM_TOO_MANY,
                "The payment has no room for more events.");
}

/* An event of the future would outweigh every event until then. */
static enum problem check_event_time(const struct provider_update *update) {
        if (update->told->occurred_at == TIMESTAMP_NONE ||
                update->told->occurred_at <= update->command->now + PROVIDER_CLOCK_AHEAD)
                return PROBLEM_NONE;
        (void) refuse_because(update->command->refusal, update->command->arena, "#/occurred_at", "out-of-range",
                "The time is more than %d hours ahead.", (int) (PROVIDER_CLOCK_AHEAD / HOUR));
        return refuse(update->command->refusal, update->command->arena, PROBLEM_VALIDATION_FAILED,
                "occurred_at is in the future; check the clock of the sender.");
}

enum problem provider_event_apply(struct payment *payment, const struct provider_event *told,
        struct told_events *before, const struct command *command) {
        const struct provider_update update = { told, told_event_of(before, payment, told, command->now), before,
                payment, command };
        enum problem p = check_event_room(&update);

        if (!p)
                p = check_event_time(&update);
        if (!p)
                p = is_of_refund((enum provider_event_type) told->type) ? refund_event_told(&update)
                                                                        : payment_told(&update);
        if (p)
                return p;
        if (!told_events_add(before, &update.event))
                return FAULT_BUSY;
        if (told->reference && !is_of_refund((enum provider_event_type) told->type)) {
                payment->reference = told->reference;
                payment->touched = true;
        }
        return PROBLEM_NONE;
}

/* ---- known events ---- */

void provider_event_digest(const struct provider_event *told, uint8_t *ret_digest) {
        char numbers[64], refund[UUID_TEXT_SIZE] = "";

        (void) snprintf(numbers, sizeof(numbers), "%" PRId64 " %" PRId64, told->has_amount ? told->amount : -1,
                told->occurred_at);
        if (told->has_refund_id)
                uuid_format(&told->refund_id, refund);
        digest_parts(
                (const struct digest_part[]){
                        digest_text(provider_event_texts[told->type]),
                        digest_text(numbers),
                        digest_text(refund),
                        digest_text(told->reference ? told->reference : ""),
                },
                /* n= */ 4, ret_digest);
}

enum problem told_events_find(const struct told_events *events, const struct uuid *payment_id,
        const struct provider_event *told, struct arena *arena, struct refusal *refusal, bool *ret_known) {
        uint8_t content[DIGEST_SIZE];

        *ret_known = false;
        for (size_t i = 0; i < events->n; i++) {
                const struct told_event *event = &events->at[i];

                if (!uuid_equal(&event->payment_id, payment_id) || !text_equal(event->event_id, told->event_id))
                        continue;
                *ret_known = true;
                provider_event_digest(told, content);
                if (memcmp(content, event->content, DIGEST_SIZE) != 0)
                        return refuse(refusal, arena, PROBLEM_EVENT_ID_REUSED,
                                "The payment has another event with this event_id; use a new id.");
        }
        return PROBLEM_NONE;
}

/* While the order wants a part of the payment, a capture without an amount leaves out the requested voids. */
static int64_t voids_left_out(const struct payment *payment) {
        return payment->balance->stage == BALANCE_CANCELLED ? 0 : payment->void_asked;
}

struct told_event told_event_of(const struct told_events *events, const struct payment *payment,
        const struct provider_event *told, timestamp now) {
        struct told_event event = { .payment_id = payment->id,
                .event_id = told->event_id,
                .type = told->type,
                .number = 1,
                .amount = told->amount,
                .has_amount = told->has_amount,
                .voids_asked = voids_left_out(payment),
                .refund_id = told->refund_id,
                .has_refund_id = told->has_refund_id,
                .occurred_at = told->occurred_at,
                .recorded_at = now,
                .counts = true,
                .is_new = true };

        for (size_t i = 0; i < events->n; i++)
                event.number += uuid_equal(&events->at[i].payment_id, &payment->id);
        provider_event_digest(told, event.content);
        return event;
}

bool told_events_add(struct told_events *events, const struct told_event *event) {
        struct told_event *list =
                arena_grow(events->arena, events->at, events->n, &events->capacity, sizeof(struct told_event));

        if (!list)
                return false;
        events->at = list;
        list[events->n++] = *event;
        return true;
}
