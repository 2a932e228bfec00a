/*
 * The outbox of one endpoint: examples of each rule, and a property test in which a receiver answers at random while
 * the deliverer crashes again and again.
 */
#include "webhooks/outbox.h"

#include "dice.h"

#include <criterion/criterion.h>
#include <string.h>

static struct outbox outbox;

static struct outbox_event event_at(int64_t position, uint64_t subject) {
        return (struct outbox_event){ .position = position, .subject = subject };
}

static void add(int64_t position, uint64_t subject) {
        const struct outbox_event event = event_at(position, subject);

        cr_assert(outbox_add(&outbox, &event));
        outbox.read_up_to = position;
}

/* The position of the next event, which is then under way; 0: none. */
static int64_t send(timestamp now) {
        size_t place;

        if (!outbox_next(&outbox, 8, now, &place))
                return 0;
        outbox_begin(&outbox, place);
        return outbox.items[place].event.position;
}

static timestamp answer_after(int64_t position, enum outbox_answer answer, duration retry_after, timestamp now) {
        timestamp next_at;

        (void) outbox_answered(&outbox, position, answer, retry_after, now, 1000, &next_at);
        return next_at;
}

static timestamp answer(int64_t position, enum outbox_answer answer_, timestamp now) {
        return answer_after(position, answer_, 0, now);
}

static void ordered(void) {
        outbox_init(&outbox, true, 0);
}

TestSuite(outbox, .init = ordered);

Test(outbox, a_status_of_2xx_is_a_success_and_410_ends_the_endpoint) {
        static const unsigned failed[] = { 0, 100, 199, 300, 301, 304, 400, 404, 409, 429, 500, 503, 599 };

        cr_expect_eq(answer_of_status(200), ANSWER_OK);
        cr_expect_eq(answer_of_status(204), ANSWER_OK);
        cr_expect_eq(answer_of_status(299), ANSWER_OK);
        cr_expect_eq(answer_of_status(410), ANSWER_GONE);
        for (size_t i = 0; i < array_size(failed); i++)
                cr_expect_eq(answer_of_status(failed[i]), ANSWER_FAILED, "%u", failed[i]);
}

Test(outbox, pauses_grow_and_vary_by_a_tenth) {
        static const duration delays[] = { 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR,
                14 * HOUR, 20 * HOUR, 24 * HOUR };

        for (unsigned attempts = 1; attempts < ATTEMPTS_MAX; attempts++) {
                const duration delay = delays[attempts - 1];

                cr_expect_eq(retry_delay(attempts, 0), delay - delay / 10);
                cr_expect_eq(retry_delay(attempts, 1000), delay);
                cr_expect_eq(retry_delay(attempts, 2000), delay + delay / 10);
                cr_expect_eq(retry_delay(attempts, 2001), delay - delay / 10);
        }
}

Test(outbox, events_of_one_subject_wait_for_each_other_and_others_do_not) {
        add(1, 7);
        add(2, 7);
        add(3, 8);
        cr_expect_eq(send(0), 1);
        cr_expect_eq(send(0), 3);
        cr_expect_eq(send(0), 0);
        (void) answer(1, ANSWER_OK, 0);
        cr_expect_eq(send(0), 2);
}

Test(outbox, a_later_event_waits_while_the_earlier_one_is_tried_again) {
        add(1, 7);
        add(2, 7);
        cr_expect_eq(send(0), 1);
        cr_expect_eq(answer(1, ANSWER_FAILED, 0), 5 * SECOND);
        cr_expect_eq(send(5 * SECOND - 1), 0);
        cr_expect_eq(outbox_due(&outbox, 0), 5 * SECOND);
        cr_expect_eq(send(5 * SECOND), 1);
        (void) answer(1, ANSWER_OK, 5 * SECOND);
        cr_expect_eq(send(5 * SECOND), 2);
}

Test(outbox, an_event_that_is_sent_again_has_a_row_and_goes_before_later_ones_of_its_subject) {
        const struct outbox_event again = event_at(1, 7);

        outbox_init(&outbox, true, 2);
        add(3, 7);
        cr_expect(outbox_add_again(&outbox, &again));
        cr_expect_not(outbox_add_again(&outbox, &again));
        cr_expect_eq(outbox_save(&outbox), 3);
        cr_expect(outbox.items[0].row_changed && outbox.items[1].row_changed);
        outbox_saved(&outbox);
        cr_expect_eq(send(0), 1);
        cr_expect_eq(send(0), 0);
        (void) answer(1, ANSWER_OK, 0);
        cr_expect_eq(outbox.n_ended, 1);
        cr_expect_not(outbox.ended[0].is_dead);
        cr_expect_eq(send(0), 3);
}

Test(outbox, in_parallel_no_event_waits) {
        outbox_init(&outbox, false, 0);
        add(1, 7);
        add(2, 7);
        cr_expect_eq(send(0), 1);
        cr_expect_eq(send(0), 2);
}

Test(outbox, no_more_requests_are_under_way_than_the_limit) {
        for (int64_t i = 1; i <= 10; i++)
                add(i, (uint64_t) i);
        for (int64_t i = 1; i <= 8; i++)
                cr_expect_eq(send(0), i);
        cr_expect_eq(send(0), 0);
        (void) answer(5, ANSWER_OK, 0);
        cr_expect_eq(send(0), 9);
}

Test(outbox, an_event_is_dead_after_its_last_attempt_and_lets_the_next_one_go) {
        timestamp now = 0;

        add(1, 7);
        add(2, 7);
        for (unsigned i = 1; i < ATTEMPTS_MAX; i++) {
                cr_assert_eq(send(now), 1);
                now = answer(1, ANSWER_FAILED, now);
                cr_assert_neq(now, TIMESTAMP_NONE);
        }
        cr_assert_eq(send(now), 1);
        cr_expect_eq(answer(1, ANSWER_FAILED, now), TIMESTAMP_NONE);
        cr_expect_eq(outbox.n_ended, 1);
        cr_expect(outbox.ended[0].is_dead);
        cr_expect_eq(outbox.ended[0].attempts, ATTEMPTS_MAX);
        cr_expect_eq(send(now), 2);
}

Test(outbox, retry_after_holds_the_whole_endpoint_for_an_hour_at_most) {
        add(1, 7);
        add(2, 8);
        cr_expect_eq(send(0), 1);
        cr_expect_eq(answer_after(1, ANSWER_FAILED, MINUTE, 0), MINUTE);
        cr_expect_eq(send(MINUTE - 1), 0);
        cr_expect_eq(outbox_due(&outbox, 0), MINUTE);
        cr_expect_eq(send(MINUTE), 1);
        cr_expect_eq(answer_after(1, ANSWER_FAILED, DAY, MINUTE), MINUTE + HOUR);
}

/* Fail events of different subjects one after another, until the breaker opens. */
static void break_it(timestamp now) {
        for (int64_t i = 1; i <= BREAKER_IN_A_ROW; i++) {
                add(i, (uint64_t) i);
                cr_assert_eq(send(now), i);
                cr_assert_not(outbox.breaker.is_open);
                (void) answer(i, ANSWER_FAILED, now);
        }
        cr_assert(outbox.breaker.is_open);
}

Test(outbox, an_open_breaker_sends_single_probes_with_growing_pauses_that_are_no_attempts) {
        timestamp now = 0;
        duration pause = BREAKER_PAUSE_MIN;

        break_it(0);
        for (int i = 0; i < 8; i++) {
                cr_expect_eq(send(now + pause - 1), 0);
                cr_expect_eq(outbox_due(&outbox, now), now + pause);
                now += pause;
                cr_expect_eq(send(now), 1);
                cr_expect_eq(send(now), 0);
                (void) answer(1, ANSWER_FAILED, now);
                cr_expect_eq(outbox.items[0].attempts, 1);
                pause = 2 * pause < BREAKER_PAUSE_MAX ? 2 * pause : BREAKER_PAUSE_MAX;
        }
        cr_expect_eq(pause, BREAKER_PAUSE_MAX);
}

Test(outbox, a_probe_that_succeeds_closes_the_breaker) {
        break_it(0);
        cr_assert_eq(send(BREAKER_PAUSE_MIN), 1);
        (void) answer(1, ANSWER_OK, BREAKER_PAUSE_MIN);
        cr_expect_not(outbox.breaker.is_open);
        cr_expect_eq(send(BREAKER_PAUSE_MIN), 2);
        cr_expect_eq(send(BREAKER_PAUSE_MIN), 3);
        cr_expect_eq(outbox.failing_since, TIMESTAMP_NONE);
        cr_expect_eq(outbox.last_success_at, BREAKER_PAUSE_MIN);
}

Test(outbox, more_than_half_of_the_last_hundred_failures_open_the_breaker) {
        for (int64_t i = 1; i <= BREAKER_WINDOW; i++) {
                cr_assert_not(outbox.breaker.is_open, "%ld", (long) i);
                add(i, (uint64_t) i);
                cr_assert_eq(send(0), i);
                (void) answer(i, i % 2 && i < BREAKER_WINDOW ? ANSWER_OK : ANSWER_FAILED, 0);
        }
        cr_expect_eq(outbox.breaker.failures, BREAKER_WINDOW / 2);
        cr_expect_not(outbox.breaker.is_open);
        add(BREAKER_WINDOW + 1, 1000);
        cr_assert_eq(send(0), BREAKER_WINDOW + 1);
        (void) answer(BREAKER_WINDOW + 1, ANSWER_FAILED, 0);
        cr_expect(outbox.breaker.is_open);
}

Test(outbox, a_request_that_could_not_be_made_changes_nothing) {
        add(1, 1);
        cr_assert_eq(send(0), 1);
        outbox_withdraw(&outbox, 1);
        cr_expect_eq(outbox.items[0].attempts, 0);
        cr_expect_eq(send(0), 1);
}

Test(outbox, the_cursor_stays_before_an_event_without_an_answer) {
        add(4, 1);
        add(5, 2);
        cr_expect_eq(outbox_save(&outbox), 3);
        cr_assert_eq(send(0), 4);
        cr_assert_eq(send(0), 5);
        (void) answer(5, ANSWER_OK, 0);
        cr_expect_eq(outbox_save(&outbox), 3);
        (void) answer(4, ANSWER_OK, 0);
        cr_expect_eq(outbox_save(&outbox), 5);
}

Test(outbox, the_cursor_passes_a_failed_event_and_those_behind_it_with_their_rows) {
        add(4, 1);
        add(5, 2);
        add(6, 1);
        add(7, 3);
        cr_assert_eq(send(0), 4);
        (void) answer(4, ANSWER_FAILED, 0);
        cr_assert_eq(send(0), 5);
        (void) answer(5, ANSWER_OK, 0);
        cr_expect_eq(outbox_save(&outbox), 6);
        cr_expect(outbox.items[0].row_changed);
        cr_expect(outbox.items[1].row_changed);
        cr_expect_not(outbox.items[2].row_changed);
}

/* After a crash the log is read again from the cursor, which may be before the event. */
Test(outbox, an_event_that_came_from_its_row_is_not_added_again) {
        const struct outbox_event event = event_at(5, 1);

        cr_assert(outbox_restore(&outbox, &event, 3, MINUTE));
        cr_expect_not(outbox_add(&outbox, &event));
        cr_expect_eq(outbox.n, 1);
        cr_expect_eq(outbox.items[0].attempts, 3);
        cr_expect_eq(send(MINUTE - 1), 0);
        cr_expect_eq(send(MINUTE), 5);
}

Test(outbox, a_full_outbox_takes_no_event) {
        const struct outbox_event event = event_at(OUTBOX_MAX + 1, 1);

        for (int64_t i = 1; i <= OUTBOX_MAX; i++)
                add(i, 1);
        cr_expect_not(outbox_has_room(&outbox));
        cr_expect_not(outbox_add(&outbox, &event));
        cr_assert_eq(send(0), 1);
        (void) answer(1, ANSWER_OK, 0);
        cr_expect(outbox_has_room(&outbox));
}

/* ---- the property ---- */

#define EVENTS   600
#define SUBJECTS 12

/* The rows of the database, and the events that the receiver has seen. */
static struct row {
        bool exists, is_dead;
        unsigned attempts;
        timestamp due_at;
} rows[EVENTS + 1];
static bool delivered[EVENTS + 1], died[EVENTS + 1];
static uint64_t subjects[EVENTS + 1];
static int64_t stored_cursor;

static bool is_settled(int64_t position) {
        return delivered[position] || died[position];
}

/* All events of the subject before this one are settled. */
static bool is_next_of_its_subject(int64_t position) {
        for (int64_t i = 1; i < position; i++)
                if (subjects[i] == subjects[position] && !is_settled(i))
                        return false;
        return true;
}

static void store(void) {
        const int64_t cursor = outbox_save(&outbox);

        for (size_t i = 0; i < outbox.n; i++)
                if (outbox.items[i].row_changed)
                        rows[outbox.items[i].event.position] = (struct row){
                                .exists = true, .attempts = outbox.items[i].attempts, .due_at = outbox.items[i].due_at
                        };
        for (size_t i = 0; i < outbox.n_ended; i++)
                rows[outbox.ended[i].event.position] =
                        (struct row){ .exists = outbox.ended[i].is_dead, .is_dead = outbox.ended[i].is_dead };
        if (cursor > stored_cursor)
                stored_cursor = cursor;
        for (int64_t i = 1; i <= stored_cursor; i++)
                cr_assert(is_settled(i) || rows[i].exists, "the cursor %ld has passed %ld", (long) stored_cursor,
                        (long) i);
        outbox_saved(&outbox);
}

static void crash(bool is_ordered) {
        outbox_init(&outbox, is_ordered, stored_cursor);
        for (int64_t i = 1; i <= EVENTS; i++) {
                const struct outbox_event event = event_at(i, subjects[i]);

                if (rows[i].exists && !rows[i].is_dead)
                        cr_assert(outbox_restore(&outbox, &event, rows[i].attempts, rows[i].due_at));
        }
}

static void read_on(uint64_t *dice) {
        for (size_t left = dice_below(dice, 20); left && outbox.read_up_to < EVENTS && outbox_has_room(&outbox);
                left--) {
                const int64_t position = outbox.read_up_to + 1;
                const struct outbox_event event = event_at(position, subjects[position]);

                (void) outbox_add(&outbox, &event);
                outbox.read_up_to = position;
        }
}

static void send_some(uint64_t *dice, timestamp now, bool is_ordered) {
        size_t place;

        for (size_t left = dice_below(dice, 10); left && outbox_next(&outbox, 8, now, &place); left--) {
                const int64_t position = outbox.items[place].event.position;

                cr_assert(!is_ordered || is_next_of_its_subject(position) || is_settled(position),
                        "%ld overtakes an earlier event", (long) position);
                outbox_begin(&outbox, place);
        }
}

static void answer_some(uint64_t *dice, timestamp now, size_t failures_of_ten) {
        for (size_t left = dice_below(dice, 10); left && outbox.n_sending; left--) {
                const size_t place = dice_below(dice, outbox.n);
                const int64_t position = outbox.items[place].event.position;
                const bool fails = dice_below(dice, 10) < failures_of_ten;
                timestamp next_at;

                if (!outbox.items[place].is_sending)
                        continue;
                delivered[position] = delivered[position] || !fails;
                (void) outbox_answered(
                        &outbox, position, fails ? ANSWER_FAILED : ANSWER_OK, 0, now, dice_roll(dice), &next_at);
                died[position] = died[position] || (fails && !outbox_holds(&outbox, position));
        }
}

static bool all_settled(void) {
        for (int64_t i = 1; i <= EVENTS; i++)
                if (!is_settled(i))
                        return false;
        return true;
}

static void live(uint64_t seed, bool is_ordered, size_t failures_of_ten) {
        uint64_t dice = seed;
        timestamp now = 0;

        memset(rows, 0, sizeof(rows));
        memset(delivered, 0, sizeof(delivered));
        memset(died, 0, sizeof(died));
        stored_cursor = 0;
        for (size_t i = 1; i <= EVENTS; i++)
                subjects[i] = dice_below(&dice, SUBJECTS);
        outbox_init(&outbox, is_ordered, 0);
        for (size_t step = 0; step < 200000 && (!all_settled() || outbox.n || stored_cursor < EVENTS); step++) {
                read_on(&dice);
                send_some(&dice, now, is_ordered);
                answer_some(&dice, now, failures_of_ten);
                if (dice_below(&dice, 4) == 0)
                        store();
                if (step < 100000 && dice_below(&dice, 50) == 0)
                        crash(is_ordered);
                now += (duration) dice_below(&dice, (size_t) (2 * HOUR));
        }
        cr_assert(all_settled(), "an event is lost");
        cr_assert_eq(stored_cursor, EVENTS);
        cr_assert_eq(outbox.n, 0);
}

Test(outbox, whatever_a_receiver_answers_no_event_is_lost_and_subjects_keep_their_order) {
        for (uint64_t seed = 1; seed <= 12; seed++) {
                live(seed, true, seed % 10);
                live(seed, false, seed % 10);
        }
}
