#include "base/lifecycle.h"

#include <criterion/criterion.h>

enum { CLOSED, OPEN, BROKEN };
enum { PUSH, PULL };

static const char *const states[] = { "closed", "open", "broken" };
static const char *const events[] = { "push", "pull" };
static const struct transition transitions[] = {
        { CLOSED, PUSH, OPEN, "a customer comes in" },
        { OPEN, PULL, CLOSED, "it falls shut" },
        { OPEN, PUSH, BROKEN, "too far" },
};
static const struct lifecycle door = {
        .name = "door",
        .states = states,
        .n_states = array_size(states),
        .events = events,
        .n_events = array_size(events),
        .transitions = transitions,
        .n_transitions = array_size(transitions),
};

Test(lifecycle, a_listed_transition_leads_on) {
        int to = -1;

        cr_assert(lifecycle_next(&door, CLOSED, PUSH, &to));
        cr_assert_eq(to, OPEN);
        cr_assert(lifecycle_next(&door, OPEN, PULL, &to));
        cr_assert_eq(to, CLOSED);
        cr_assert(lifecycle_next(&door, OPEN, PUSH, &to));
        cr_assert_eq(to, BROKEN);
}

Test(lifecycle, an_unlisted_transition_is_not_allowed) {
        int to = -1;

        cr_assert_not(lifecycle_next(&door, CLOSED, PULL, &to));
        cr_assert_not(lifecycle_next(&door, BROKEN, PUSH, &to));
        cr_assert_not(lifecycle_next(&door, BROKEN, PULL, &to));
        cr_assert_eq(to, -1);
}

Test(lifecycle, states_are_known_by_name) {
        int state = -1;

        cr_assert(lifecycle_state(&door, "closed", &state));
        cr_assert_eq(state, CLOSED);
        cr_assert(lifecycle_state(&door, "broken", &state));
        cr_assert_eq(state, BROKEN);
        cr_assert_not(lifecycle_state(&door, "Open", &state));
        cr_assert_not(lifecycle_state(&door, "", &state));
        cr_assert_eq(state, BROKEN);
}
