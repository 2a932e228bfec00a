#include "webhooks/outbox.h"

#include <string.h>

#define JITTER_PARTS 1000 /* of a tenth, in both directions */

/* ---- one attempt ---- */

enum outbox_answer answer_of_status(unsigned status) {
        if (status >= 200 && status < 300)
                return ANSWER_OK;
        return status == 410 ? ANSWER_GONE : ANSWER_FAILED;
}

duration retry_delay(unsigned attempts, uint64_t random) {
        static const duration delays[ATTEMPTS_MAX - 1] = { 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR,
                10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR };
        const duration delay = delays[attempts - 1];
        const duration part = (duration) (random % (2 * JITTER_PARTS + 1)) - JITTER_PARTS;

        return delay + delay / 10 * part / JITTER_PARTS;
}

/* ---- the breaker ---- */

static void breaker_count(struct breaker *breaker, bool failed) {
        breaker->failures -= breaker->n == BREAKER_WINDOW && breaker->failed[breaker->next];
        breaker->failed[breaker->next] = failed;
        breaker->failures += failed;
        breaker->next = (breaker->next + 1) % BREAKER_WINDOW;
        breaker->n += breaker->n < BREAKER_WINDOW;
        breaker->in_a_row = failed ? breaker->in_a_row + 1 : 0;
}

static void breaker_open(struct breaker *breaker, timestamp now) {
        breaker->pause = breaker->is_open ? 2 * breaker->pause : BREAKER_PAUSE_MIN;
        if (breaker->pause > BREAKER_PAUSE_MAX)
                breaker->pause = BREAKER_PAUSE_MAX;
        breaker->is_open = true;
        breaker->probe_at = now + breaker->pause;
}

static bool breaker_should_open(const struct breaker *breaker) {
        return breaker->in_a_row >= BREAKER_IN_A_ROW ||
               (breaker->n == BREAKER_WINDOW && 2 * breaker->failures > BREAKER_WINDOW);
}

/* ---- items ---- */

/* The place of the first item at this position or behind it. */
static size_t item_place(const struct outbox *outbox, int64_t position) {
        size_t from = 0, to = outbox->n;

        while (from < to) {
                const size_t middle = from + (to - from) / 2;

                if (outbox->items[middle].event.position < position)
                        from = middle + 1;
                else
                        to = middle;
        }
        return from;
}

static bool is_at(const struct outbox *outbox, size_t place, int64_t position) {
        return place < outbox->n && outbox->items[place].event.position == position;
}

bool outbox_holds(const struct outbox *outbox, int64_t position) {
        return is_at(outbox, item_place(outbox, position), position);
}

void outbox_init(struct outbox *outbox, bool is_ordered, int64_t cursor) {
        *outbox = (struct outbox){ .is_ordered = is_ordered,
                .read_up_to = cursor,
                .failing_since = TIMESTAMP_NONE,
                .last_success_at = TIMESTAMP_NONE };
}

bool outbox_has_room(const struct outbox *outbox) {
        return outbox->n + outbox->n_ended < OUTBOX_MAX;
}

static struct outbox_item *item_insert(struct outbox *outbox, const struct outbox_event *event) {
        const size_t place = item_place(outbox, event->position);

        if (is_at(outbox, place, event->position) || !outbox_has_room(outbox))
                return NULL;
        memmove(&outbox->items[place + 1], &outbox->items[place], (outbox->n - place) * sizeof(outbox->items[0]));
        outbox->items[place] = (struct outbox_item){ .event = *event, .due_at = TIMESTAMP_NONE };
        outbox->n++;
        return &outbox->items[place];
}

bool outbox_add(struct outbox *outbox, const struct outbox_event *event) {
        return item_insert(outbox, event) != NULL;
}

bool outbox_add_again(struct outbox *outbox, const struct outbox_event *event) {
        struct outbox_item *item = item_insert(outbox, event);

        if (!item)
                return false;
        item->has_row = item->row_changed = true;
        outbox->changed = true;
        return true;
}

bool outbox_restore(struct outbox *outbox, const struct outbox_event *event, unsigned attempts, timestamp due_at) {
        struct outbox_item *item = item_insert(outbox, event);

        if (!item)
                return false;
        item->attempts = attempts;
        item->due_at = due_at;
        item->has_row = true;
        return true;
}

static void item_remove(struct outbox *outbox, size_t place, bool is_dead) {
        const struct outbox_item *item = &outbox->items[place];

        if (item->has_row || is_dead)
                outbox->ended[outbox->n_ended++] =
                        (struct outbox_end){ .event = item->event, .attempts = item->attempts, .is_dead = is_dead };
        outbox->n--;
        memmove(&outbox->items[place], &outbox->items[place + 1], (outbox->n - place) * sizeof(outbox->items[0]));
}

/* ---- sending ---- */

/* Whether an earlier event of the subject is still here. */
static bool is_behind_another(const struct outbox *outbox, size_t place) {
        for (size_t i = 0; outbox->is_ordered && i < place; i++)
                if (outbox->items[i].event.subject == outbox->items[place].event.subject)
                        return true;
        return false;
}

static bool may_go(const struct outbox *outbox, size_t place) {
        return !outbox->items[place].is_sending && !is_behind_another(outbox, place);
}

/* An open breaker asks with whatever event is first, due or not. */
bool outbox_next(const struct outbox *outbox, size_t limit, timestamp now, size_t *ret_place) {
        const bool is_probe = outbox->breaker.is_open;

        if (outbox->n_sending >= (is_probe ? 1 : limit) || now < outbox->hold_until ||
                (is_probe && now < outbox->breaker.probe_at))
                return false;
        for (size_t place = 0; place < outbox->n; place++)
                if ((is_probe || outbox->items[place].due_at <= now) && may_go(outbox, place)) {
                        *ret_place = place;
                        return true;
                }
        return false;
}

void outbox_begin(struct outbox *outbox, size_t place) {
        outbox->items[place].is_sending = true;
        outbox->items[place].is_probe = outbox->breaker.is_open;
        outbox->n_sending++;
}

void outbox_withdraw(struct outbox *outbox, int64_t position) {
        const size_t place = item_place(outbox, position);

        if (!is_at(outbox, place, position) || !outbox->items[place].is_sending)
                return;
        outbox->items[place].is_sending = false;
        outbox->n_sending--;
}

timestamp outbox_due(const struct outbox *outbox, timestamp now) {
        const struct breaker *breaker = &outbox->breaker;
        timestamp due = INT64_MAX;

        for (size_t place = 0; place < outbox->n; place++)
                if (may_go(outbox, place) && outbox->items[place].due_at < due)
                        due = outbox->items[place].due_at;
        if (due == INT64_MAX)
                return due;
        if (breaker->is_open)
                return breaker->probe_at > now ? breaker->probe_at : now;
        return due > outbox->hold_until ? due : outbox->hold_until;
}

/* ---- answers ---- */

static void item_fail(struct outbox *outbox, size_t place, duration retry_after, timestamp now, uint64_t random) {
        struct outbox_item *item = &outbox->items[place];
        const duration asked = retry_after < RETRY_AFTER_MAX ? retry_after : RETRY_AFTER_MAX;
        duration delay;

        if (asked > 0 && outbox->hold_until < now + asked)
                outbox->hold_until = now + asked;
        if (item->is_probe)
                return;
        item->attempts++;
        if (item->attempts >= ATTEMPTS_MAX) {
                item_remove(outbox, place, true);
                return;
        }
        delay = retry_delay(item->attempts, random);
        item->due_at = now + (delay > asked ? delay : asked);
        item->row_changed = true;
}

static void outbox_fail(struct outbox *outbox, size_t place, duration retry_after, timestamp now, uint64_t random) {
        const bool was_probe = outbox->items[place].is_probe;

        if (outbox->failing_since == TIMESTAMP_NONE)
                outbox->failing_since = now;
        item_fail(outbox, place, retry_after, now, random);
        breaker_count(&outbox->breaker, true);
        if (was_probe || (!outbox->breaker.is_open && breaker_should_open(&outbox->breaker)))
                breaker_open(&outbox->breaker, now);
}

static void outbox_succeed(struct outbox *outbox, size_t place, timestamp now) {
        outbox->failing_since = TIMESTAMP_NONE;
        outbox->last_success_at = now;
        if (outbox->breaker.is_open)
                outbox->breaker = (struct breaker){ 0 };
        breaker_count(&outbox->breaker, false);
        item_remove(outbox, place, false);
}

unsigned outbox_answered(struct outbox *outbox, int64_t position, enum outbox_answer answer, duration retry_after,
        timestamp now, uint64_t random, timestamp *ret_next_at) {
        const size_t place = item_place(outbox, position);
        unsigned attempts;

        *ret_next_at = TIMESTAMP_NONE;
        if (!is_at(outbox, place, position) || !outbox->items[place].is_sending)
                return 0;
        outbox->items[place].is_sending = false;
        outbox->n_sending--;
        outbox->changed = true;
        attempts = outbox->items[place].attempts + 1;
        if (answer == ANSWER_OK)
                outbox_succeed(outbox, place, now);
        else
                outbox_fail(outbox, place, retry_after, now, random);
        if (is_at(outbox, place, position))
                *ret_next_at = outbox->breaker.is_open ? outbox->breaker.probe_at : outbox->items[place].due_at;
        return attempts;
}

/* ---- saving ---- */

/* An event that waits for a failed one of its subject gets a row, so that the cursor can pass both. */
static bool waits_for_a_row(const struct outbox *outbox, size_t place) {
        for (size_t i = 0; outbox->is_ordered && i < place; i++)
                if (outbox->items[i].event.subject == outbox->items[place].event.subject &&
                        (outbox->items[i].has_row || outbox->items[i].row_changed))
                        return true;
        return false;
}

int64_t outbox_save(struct outbox *outbox) {
        int64_t cursor = outbox->read_up_to;

        for (size_t place = 0; place < outbox->n; place++) {
                struct outbox_item *item = &outbox->items[place];

                if (!item->has_row && !item->row_changed && waits_for_a_row(outbox, place))
                        item->row_changed = true;
        }
        for (size_t place = outbox->n; place-- > 0;)
                if (!outbox->items[place].has_row && !outbox->items[place].row_changed)
                        cursor = outbox->items[place].event.position - 1;
        return cursor;
}

void outbox_saved(struct outbox *outbox) {
        for (size_t place = 0; place < outbox->n; place++) {
                outbox->items[place].has_row = outbox->items[place].has_row || outbox->items[place].row_changed;
                outbox->items[place].row_changed = false;
        }
        outbox->n_ended = 0;
        outbox->changed = false;
}
