/* Goods that wait for their customer: the check-in, the alternate pickup person, the hold, and its end. */
#include "fulfillment/fulfillment.h"

#include "base/digest.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <string.h>

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

static void tell_check_in(const struct fulfillment *fulfillment, const struct command *command) {
        const bool arrived = fulfillment->check_in.state == CHECK_IN_ARRIVED;
        struct event *event = fulfillment_tell(
                fulfillment, arrived ? EVENT_PICKUP_CUSTOMER_ARRIVED : EVENT_PICKUP_CUSTOMER_ON_THE_WAY, command);

        if (fulfillment->check_in.eta_minutes >= 0)
                event_integer(event, "eta_minutes", fulfillment->check_in.eta_minutes);
}

enum problem fulfillment_check_in(
        struct fulfillment *fulfillment, const struct check_in_word *word, const struct command *command) {
        struct check_in *check_in = &fulfillment->check_in;
        enum problem p;

        if (!fulfillment_is_awaited(fulfillment->method, fulfillment->status))
                return fulfillment_refuse_state(fulfillment, command, "collected");
        if (!is_news(check_in, word))
                return PROBLEM_NONE;
        p = check_in_advance(fulfillment, word->event, command->arena, command->refusal);
        if (p)
                return p;
        note_times(check_in, word, command->now);
        if (word->bay)
                check_in->bay = word->bay;
        if (word->vehicle.make)
                check_in->vehicle = word->vehicle;
        tell_check_in(fulfillment, command);
        order_settle(fulfillment->order, command);
        return PROBLEM_NONE;
}

/* After a partial hand-over, or a missed hold, the customer has left; the rest is another visit. */
void fulfillment_end_visit(struct fulfillment *fulfillment, const struct command *command) {
        struct check_in *check_in = &fulfillment->check_in;
        struct refusal ignored = { 0 };

        if (check_in->state == CHECK_IN_NONE || check_in_advance(fulfillment, CHECK_IN_LEAVE, command->arena, &ignored))
                return;
        *check_in = (struct check_in){ .eta_minutes = -1,
                .on_the_way_at = TIMESTAMP_NONE,
                .arrived_at = TIMESTAMP_NONE,
                .waited_s = check_in->waited_s,
                .changed = true };
}

int64_t fulfillment_note_wait(struct fulfillment *fulfillment, bool last, const struct command *command) {
        struct check_in *check_in = &fulfillment->check_in;
        int64_t waited_s = -1;

        if (check_in->state == CHECK_IN_ARRIVED) {
                waited_s = (command->now - check_in->arrived_at) / SECOND;
                check_in->waited_s = waited_s;
                check_in->changed = true;
        }
        if (!last)
                fulfillment_end_visit(fulfillment, command);
        return waited_s;
}

/* ---- the link ---- */

enum problem fulfillment_issue_link(
        struct fulfillment *fulfillment, const uint8_t *digest, const struct command *command) {
        if (!fulfillment_is_awaited(fulfillment->method, fulfillment->status))
                return fulfillment_refuse_state(fulfillment, command, "collected");
        fulfillment->link = (struct link){ digest, command->now + LINK_TIME_MAX, .changed = true };
        fulfillment->touched = true;
        (void) fulfillment_tell(fulfillment, EVENT_FULFILLMENT_LINK_ISSUED, command);
        order_settle(fulfillment->order, command);
        return PROBLEM_NONE;
}

bool fulfillment_link_opens(const struct fulfillment *fulfillment, const uint8_t *digest, timestamp now) {
        return fulfillment_is_awaited(fulfillment->method, fulfillment->status) && fulfillment->link.digest &&
               now < fulfillment->link.expires_at && CRYPTO_memcmp(fulfillment->link.digest, digest, DIGEST_SIZE) == 0;
}

/* A character may have several bytes. */
static size_t character_size(const char *text) {
        size_t size = *text ? 1 : 0;

        while (((unsigned char) text[size] & 0xc0) == 0x80)
                size++;
        return size;
}

const char *customer_short_name(const char *name, struct arena *arena) {
        const size_t first = strcspn(name, " ");
        const char *last = strrchr(name, ' ');

        last = last ? last + 1 : "";
        if (!*last)
                return arena_text_sized(arena, name, first);
        return arena_format(arena, "%.*s %.*s.", (int) first, name, (int) character_size(last), last);
}

/* ---- the alternate pickup person ---- */

enum problem fulfillment_name_recipient(
        struct fulfillment *fulfillment, const char *name, int relation, const struct command *command) {
        const char *text = recipient_text(name, relation, command->arena);

        if (!fulfillment_is_awaited(fulfillment->method, fulfillment->status))
                return fulfillment_refuse_state(fulfillment, command, "collected");
        if (!text)
                return refuse(command->refusal, command->arena, PROBLEM_CONTENT_TOO_LARGE,
                        "The fulfillment has no room for the text of this name.");
        fulfillment->recipient = text;
        fulfillment->touched = true;
        (void) fulfillment_tell(fulfillment, EVENT_FULFILLMENT_RECIPIENT_NAMED, command);
        order_settle(fulfillment->order, command);
        return PROBLEM_NONE;
}

/* ---- codes ---- */

enum problem fulfillment_unlock(struct fulfillment *fulfillment, const struct command *command) {
        const enum problem p = fulfillment_allows(fulfillment, FULFILLMENT_HAND_OVER, command);

        if (p || !fulfillment->wrong_codes)
                return p;
        fulfillment_forget_wrong_codes(fulfillment);
        fulfillment->touched = true;
        (void) fulfillment_tell(fulfillment, EVENT_FULFILLMENT_HANDOVER_UNLOCKED, command);
        order_settle(fulfillment->order, command);
        return PROBLEM_NONE;
}

enum problem fulfillment_reissue_code(struct fulfillment *fulfillment, const struct command *command) {
        if (!fulfillment_is_awaited(fulfillment->method, fulfillment->status))
                return fulfillment_refuse_state(fulfillment, command, "collected");
        fulfillment->pickup_serial++;
        fulfillment_forget_wrong_codes(fulfillment);
        fulfillment->touched = true;
        (void) fulfillment_tell(fulfillment, EVENT_FULFILLMENT_CODE_REISSUED, command);
        order_settle(fulfillment->order, command);
        return PROBLEM_NONE;
}

/* ---- the hold ---- */

/* A customer with a slot is not expected before it begins. */
static timestamp hold_begin(const struct fulfillment *fulfillment, timestamp now) {
        return fulfillment->has_slot && fulfillment->slot_at > now ? fulfillment->slot_at : now;
}

/* A slot that the calendar no longer has ends when it begins. */
static timestamp slot_end(const struct fulfillment *fulfillment) {
        if (!fulfillment->has_slot)
                return TIMESTAMP_NONE;
        return fulfillment->slot_ends_at > fulfillment->slot_at ? fulfillment->slot_ends_at : fulfillment->slot_at;
}

timestamp fulfillment_hold_end(const struct fulfillment *fulfillment, duration hold_for, timestamp now) {
        const timestamp until = hold_begin(fulfillment, now) + hold_for, slot_ends = slot_end(fulfillment);

        return until > slot_ends ? until : slot_ends;
}

void fulfillment_hold(struct fulfillment *fulfillment, timestamp until, timestamp now) {
        const timestamp remind_at = until - REMINDER_BEFORE;

        fulfillment->hold_until = until - until % MILLISECOND; /* as clients see it, so that they can repeat it */
        fulfillment->remind_at = remind_at > now ? remind_at : TIMESTAMP_NONE;
}

static enum problem refuse_until(
        const struct fulfillment *fulfillment, const char *pointer, const struct command *command) {
        if (fulfillment->has_slot)
                (void) refuse_because(command->refusal, command->arena, pointer, "out-of-range",
                        "The hold ends in the future, not before its slot ends, and at most %d days after the slot begins.",
                        (int) (HOLD_MAX / DAY));
        else
                (void) refuse_because(command->refusal, command->arena, pointer, "out-of-range",
                        "The hold ends in the future, and at most %d days from now.", (int) (HOLD_MAX / DAY));
        return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                "The hold cannot end at that time; see `errors`.");
}

enum problem fulfillment_check_hold(
        const struct fulfillment *fulfillment, timestamp until, const char *pointer, const struct command *command) {
        if (until <= command->now || until < slot_end(fulfillment) ||
                until > hold_begin(fulfillment, command->now) + HOLD_MAX)
                return refuse_until(fulfillment, pointer, command);
        return PROBLEM_NONE;
}

static void tell_hold(const struct fulfillment *fulfillment, enum event_type type, const struct command *command) {
        char hold_until[TIMESTAMP_TEXT_SIZE];

        timestamp_format(fulfillment->hold_until, hold_until);
        event_text(fulfillment_tell(fulfillment, type, command), "hold_until", hold_until);
}

enum problem fulfillment_extend_hold(struct fulfillment *fulfillment, timestamp until, const struct command *command) {
        enum problem p;

        if (fulfillment->method == BY_SHIPPING || fulfillment->status != FULFILLMENT_READY)
                return fulfillment_refuse_state(fulfillment, command, "held for longer");
        p = fulfillment_check_hold(fulfillment, until, "#/until", command);
        if (p)
                return p;
        if (until == fulfillment->hold_until)
                return PROBLEM_NONE;
        fulfillment_hold(fulfillment, until, command->now);
        fulfillment->touched = true;
        tell_hold(fulfillment, EVENT_FULFILLMENT_HOLD_EXTENDED, command);
        order_settle(fulfillment->order, command);
        return PROBLEM_NONE;
}

static bool is_overdue(const struct fulfillment *fulfillment, timestamp now) {
        const timestamp held_until = fulfillment_held_until(fulfillment);

        return fulfillment->status == FULFILLMENT_READY && held_until != TIMESTAMP_NONE && held_until <= now;
}

bool fulfillment_expire(struct fulfillment *fulfillment, const struct command *command) {
        static const char reason[] = "not_collected";
        struct line_units lines[ORDER_LINES_MAX];
        struct event *event;
        size_t n_lines = 0;

        if (!is_overdue(fulfillment, command->now) ||
                fulfillment_advance(fulfillment, FULFILLMENT_EXPIRE, command->arena, command->refusal))
                return false;
        for (size_t i = 0; i < fulfillment->n_lines; i++) {
                struct fulfillment_line *line = &fulfillment->lines[i];
                const int64_t open = fulfillment_line_open(line);

                if (!open)
                        continue;
                fulfillment_line_expire(line);
                lines[n_lines++] = (struct line_units){ line->order_line->id, open };
        }
        fulfillment->reason = reason;
        event = fulfillment_tell(fulfillment, EVENT_FULFILLMENT_EXPIRED, command);
        event_text(event, "reason", reason);
        event_lines(event, lines, n_lines);
        return !order_after_units(fulfillment->order, reason, command);
}

bool fulfillment_remind(struct fulfillment *fulfillment, const struct command *command) {
        if (fulfillment->status != FULFILLMENT_READY || fulfillment->remind_at == TIMESTAMP_NONE ||
                fulfillment->remind_at > command->now)
                return false;
        fulfillment->remind_at = TIMESTAMP_NONE;
        fulfillment->touched = true;
        tell_hold(fulfillment, EVENT_PICKUP_REMINDER, command);
        order_settle(fulfillment->order, command);
        return true;
}

/* ---- ready ---- */

static void tell_ready(const struct fulfillment *fulfillment, const struct command *command) {
        struct event *event = fulfillment_tell(fulfillment, EVENT_FULFILLMENT_READY, command);
        char hold_until[TIMESTAMP_TEXT_SIZE];

        timestamp_format(fulfillment->hold_until, hold_until);
        event_text(event, "hold_until", hold_until);
}

/* Nothing is lost when another associate says again that the fulfillment is ready, so every associate may. */
static enum problem move_staged(
        struct fulfillment *fulfillment, const char *staging_location, const struct command *command) {
        if (!staging_location || text_equal(staging_location, fulfillment->staging_location))
                return PROBLEM_NONE;
        fulfillment->staging_location = staging_location;
        fulfillment->touched = true;
        event_text(
                fulfillment_tell(fulfillment, EVENT_FULFILLMENT_STAGED, command), "staging_location", staging_location);
        order_settle(fulfillment->order, command);
        return PROBLEM_NONE;
}

enum problem fulfillment_make_ready(struct fulfillment *fulfillment, const char *staging_location, duration hold_for,
        const struct command *command) {
        const int64_t remaining = fulfillment_remaining(fulfillment);
        enum problem p;

        if (fulfillment->status == FULFILLMENT_READY)
                return move_staged(fulfillment, staging_location, command);
        p = fulfillment_allows(fulfillment, FULFILLMENT_MAKE_READY, command);
        if (p)
                return p;
        if (remaining) {
                command->refusal->current_status = fulfillment_shown_status(fulfillment);
                return refuse(command->refusal, command->arena, PROBLEM_INVALID_TRANSITION,
                        "%" PRId64 " units are neither picked nor short.", remaining);
        }
        p = fulfillment_advance(fulfillment, FULFILLMENT_MAKE_READY, command->arena, command->refusal);
        if (p)
                return p;
        fulfillment_hold(fulfillment, fulfillment_hold_end(fulfillment, hold_for, command->now), command->now);
        if (staging_location)
                fulfillment->staging_location = staging_location;
        tell_ready(fulfillment, command);
        order_settle(fulfillment->order, command);
        return PROBLEM_NONE;
}
