#include "http/quota.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define LIMIT 5

static timestamp now = 1000 * SECOND;

/* How many of `n` requests get through. */
static int taken(struct quota *quota, const char *subject, int n, struct quota_state *ret_state) {
        int allowed = 0;

        for (int i = 0; i < n; i++)
                allowed += quota_take(quota, subject, now, ret_state);
        return allowed;
}

Test(quota, a_window_holds_as_many_requests_as_the_limit) {
        _cleanup_(quota_cleanup) struct quota *quota = quota_new(LIMIT);
        struct quota_state state;

        cr_expect_eq(taken(quota, "ana", 2, &state), 2);
        cr_expect_eq(state.remaining, LIMIT - 2);
        cr_expect_eq(taken(quota, "ana", 10, &state), LIMIT - 2);
        cr_expect_eq(state.remaining, 0);
}

Test(quota, subjects_do_not_share) {
        _cleanup_(quota_cleanup) struct quota *quota = quota_new(LIMIT);
        struct quota_state state;

        cr_expect_eq(taken(quota, "ana", 10, &state), LIMIT);
        cr_expect_eq(taken(quota, "ben", 10, &state), LIMIT);
}

Test(quota, window_ends_a_minute_after_its_first_request) {
        _cleanup_(quota_cleanup) struct quota *quota = quota_new(LIMIT);
        struct quota_state state;

        cr_expect_eq(taken(quota, "ana", 1, &state), 1);
        cr_expect_eq(state.reset_s, 60);
        now += QUOTA_WINDOW - 1;
        cr_expect_eq(taken(quota, "ana", 10, &state), LIMIT - 1);
        cr_expect_eq(state.reset_s, 1, "a started second counts whole: %u", state.reset_s);
        now += 1;
        cr_expect_eq(taken(quota, "ana", 10, &state), LIMIT);
        cr_expect_eq(state.reset_s, 60);
}

Test(quota, a_refused_request_is_not_counted) {
        _cleanup_(quota_cleanup) struct quota *quota = quota_new(LIMIT);
        struct quota_state state;

        cr_expect_eq(taken(quota, "ana", 100, &state), LIMIT);
        quota_give_back(quota, "ana", now);
        quota_give_back(quota, "ana", now);
        cr_expect_eq(taken(quota, "ana", 100, &state), 1);
}

Test(quota, ten_answers_not_modified_cost_one_request) {
        _cleanup_(quota_cleanup) struct quota *quota = quota_new(LIMIT);
        struct quota_state state;

        for (int i = 0; i < 20; i++) {
                cr_assert_eq(taken(quota, "ana", 1, &state), 1);
                quota_give_back(quota, "ana", now);
        }
        cr_expect_eq(taken(quota, "ana", 100, &state), LIMIT - 2);
}

Test(quota, giving_back_to_an_unknown_subject_changes_nothing) {
        _cleanup_(quota_cleanup) struct quota *quota = quota_new(LIMIT);
        struct quota_state state;

        quota_give_back(quota, "ana", now);
        cr_expect_eq(taken(quota, "ana", 10, &state), LIMIT);
        now += QUOTA_WINDOW;
        quota_give_back(quota, "ana", now);
        cr_expect_eq(taken(quota, "ana", 10, &state), LIMIT);
}

Test(quota, a_check_of_the_quota_counts_no_request) {
        _cleanup_(quota_cleanup) struct quota *quota = quota_new(LIMIT);
        struct quota_state state = { 0 };

        cr_expect_not(quota_is_spent(quota, "ana", now, &state));
        cr_assert_eq(taken(quota, "ana", LIMIT - 1, &state), LIMIT - 1);
        cr_expect_not(quota_is_spent(quota, "ana", now, &state));
        cr_assert_eq(taken(quota, "ana", 1, &state), 1);
        now += QUOTA_WINDOW / 2;
        cr_expect(quota_is_spent(quota, "ana", now, &state));
        cr_expect_eq(state.remaining, 0);
        cr_expect_eq(state.reset_s, 30);
        cr_expect_not(quota_is_spent(quota, "ben", now, &state));
        now += QUOTA_WINDOW / 2;
        cr_expect_not(quota_is_spent(quota, "ana", now, &state));
}

/* Four times as many subjects as places: each is let in, and the newest is still counted. */
Test(quota, a_full_table_forgets_the_oldest_and_refuses_no_request) {
        _cleanup_(quota_cleanup) struct quota *quota = quota_new(LIMIT);
        struct quota_state state;
        char subject[32];

        for (int i = 0; i < 4 * QUOTA_SUBJECTS_MAX; i++) {
                (void) snprintf(subject, sizeof(subject), "subject-%d", i);
                now++;
                cr_assert_eq(taken(quota, subject, 1, &state), 1);
        }
        cr_expect_eq(taken(quota, subject, 10, &state), LIMIT - 1);
        cr_expect_eq(taken(quota, "subject-0", 10, &state), LIMIT, "it was forgotten");
}
