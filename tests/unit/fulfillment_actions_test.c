/* The list of allowed actions is held against the commands themselves: at every stage of every life each command is
 * tried, and it is listed exactly when it does something. */
#include "fulfillment_scene.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(fulfillment_actions, .fini = scene_clear);

/* ---- stages: how far it has come ---- */

static void untouched(void) {
}

static void part_picked(void) {
        assert_done(pick_line(FIRST, 1));
}

static void all_picked(void) {
        pick_all();
}

static void made_ready(void) {
        ready();
}

static void lied_to(void) {
        ready();
        assert_refused(hand_over_by("ABCDEFGH"), PROBLEM_HANDOVER_PROOF_INVALID);
}

static void expired(void) {
        ready();
        scene.command.now += 7 * DAY;
        cr_assert(fulfillment_expire(it, &scene.command));
        scene.command.now = NOW;
}

static void partly_collected(void) {
        const struct line_units part[] = { units(FIRST, 1) };
        struct handover handover = by_code(right_code(SECRET));

        ready();
        handover.lines = part;
        handover.n_lines = 1;
        assert_done(fulfillment_hand_over(it, &handover, &scene.command));
}

static void collected(void) {
        ready();
        assert_done(hand_over_by(right_code(SECRET)));
}

static void partly_shipped(void) {
        const struct line_units part[] = { units(FIRST, 1) };

        pick_all();
        assert_done(ship(part, 1));
}

static void shipped(void) {
        pick_all();
        assert_done(ship(NULL, 0));
}

static void delivered(void) {
        shipped();
        assert_done(fulfillment_deliver(it, &scene.command));
}

static void rejected(void) {
        assert_done(fulfillment_reject(it, SHORT_CLOSED, scene.search, &scene.command));
}

static void cancelled(void) {
        assert_done(fulfillment_cancel(it, "not wanted", &scene.command));
}

static void all_short(void) {
        assert_done(short_of(FIRST, 2, SHORT_CLOSED));
        assert_done(short_of(SECOND_LINE, 1, SHORT_CLOSED));
        assert_done(short_of(THIRD, 3, SHORT_CLOSED));
}

struct stage {
        const char *name;
        void (*reach)(void);
};

#define STAGE(reach)                                                                                                   \
        { #reach, reach }

static const struct stage collecting[] = { STAGE(untouched), STAGE(part_picked), STAGE(all_picked), STAGE(made_ready),
        STAGE(lied_to), STAGE(partly_collected), STAGE(collected), STAGE(expired), STAGE(rejected), STAGE(cancelled),
        STAGE(all_short) };
static const struct stage shipping[] = { STAGE(untouched), STAGE(part_picked), STAGE(all_picked), STAGE(partly_shipped),
        STAGE(shipped), STAGE(delivered), STAGE(rejected), STAGE(cancelled), STAGE(all_short) };

/* ---- commands, each in its mildest form ---- */

static enum problem pick_one(void) {
        for (size_t i = 0; i < LINES; i++)
                if (fulfillment_line_remaining(&scene.lines[i]) > 0)
                        return pick_line(i, 1);
        return pick_line(FIRST, 1);
}

static enum problem short_one(void) {
        for (size_t i = 0; i < LINES; i++)
                if (fulfillment_line_remaining(&scene.lines[i]) > 0)
                        return short_of(i, 1, SHORT_CLOSED);
        return short_of(FIRST, 1, SHORT_CLOSED);
}

static enum problem undo_one(void) {
        for (size_t i = 0; i < LINES; i++)
                if (scene.lines[i].picked > scene.lines[i].fulfilled)
                        return undo_line(i, 1);
        return undo_line(FIRST, 1);
}

static enum problem arrive(void) {
        const struct check_in_word word = { .event = CHECK_IN_ARRIVE, .eta_minutes = -1 };

        return fulfillment_check_in(it, &word, &scene.command);
}

static enum problem run(enum fulfillment_action action) {
        switch (action) {
        case ACTION_ASSIGN:
                return fulfillment_assign(it, "ben", false, &scene.command);
        case ACTION_CANCEL:
                return fulfillment_cancel(it, "not wanted", &scene.command);
        case ACTION_CHECK_IN:
                return arrive();
        case ACTION_DELIVER:
                return fulfillment_deliver(it, &scene.command);
        case ACTION_EXTEND_HOLD:
                return fulfillment_extend_hold(it, NOW + 8 * DAY, &scene.command);
        case ACTION_HANDOVER:
                return hand_over_by(right_code(SECRET));
        case ACTION_LINK:
                return fulfillment_issue_link(it, (const uint8_t *) "0123456789abcdef0123456789abcdef", &scene.command);
        case ACTION_PICK:
                return pick_one();
        case ACTION_READY:
                return make_ready();
        case ACTION_RECIPIENT:
                return fulfillment_name_recipient(it, "Grace", -1, &scene.command);
        case ACTION_REINSTATE:
                return fulfillment_reinstate(it, TIMESTAMP_NONE, 7 * DAY, &scene.command);
        case ACTION_REISSUE_CODE:
                return fulfillment_reissue_code(it, &scene.command);
        case ACTION_REJECT:
                return fulfillment_reject(it, SHORT_CLOSED, scene.search, &scene.command);
        case ACTION_SHIP:
                return ship(NULL, 0);
        case ACTION_SHORT:
                return short_one();
        case ACTION_UNDO_PICK:
                return undo_one();
        case ACTION_UNLOCK:
                return fulfillment_unlock(it, &scene.command);
        case ACTION_COUNT:
                break;
        }
        cr_assert_fail("nobody has said how to run action %d", (int) action);
        return PROBLEM_INTERNAL;
}

static const unsigned everything = MAY_FULFILL | MAY_ORDER | MAY_OVERRIDE;

static action_set allowed_now(unsigned powers) {
        const struct action_facts facts = fulfillment_facts(it);

        return fulfillment_allowed_actions(&facts, powers);
}

static void try(enum fulfillment_method method, const struct stage *stage, enum fulfillment_action action) {
        bool listed, done;
        int64_t before;

        given(method);
        stage->reach();
        before = it->version;
        listed = allowed_now(everything) & (action_set) 1 << action;
        done = run(action) == PROBLEM_NONE && it->version > before;
        cr_expect_eq(listed, done, "%s, %s, %s: listed %d, done %d", fulfillment_method_texts[method], stage->name,
                fulfillment_action_texts[action], listed, done);
}

static void try_all(enum fulfillment_method method, const struct stage *stages, size_t n_stages) {
        for (size_t i = 0; i < n_stages; i++)
                for (int action = 0; action < ACTION_COUNT; action++)
                        try(method, &stages[i], (enum fulfillment_action) action);
}

Test(fulfillment_actions, what_is_listed_is_what_can_be_done_with_a_pickup) {
        try_all(BY_PICKUP, collecting, array_size(collecting));
}

Test(fulfillment_actions, what_is_listed_is_what_can_be_done_at_the_curb) {
        try_all(BY_CURBSIDE, collecting, array_size(collecting));
}

Test(fulfillment_actions, what_is_listed_is_what_can_be_done_with_a_parcel) {
        try_all(BY_SHIPPING, shipping, array_size(shipping));
}

/* ---- powers and names ---- */

Test(fulfillment_actions, who_may_nothing_is_offered_nothing, .init = given_pickup) {
        cr_assert_eq(allowed_now(0), 0);
}

Test(fulfillment_actions, a_shop_front_is_offered_what_the_customer_may_do, .init = given_pickup) {
        cr_assert_eq(allowed_now(MAY_ORDER),
                (action_set) 1 << ACTION_CHECK_IN | (action_set) 1 << ACTION_LINK | (action_set) 1 << ACTION_RECIPIENT);
        cr_assert_neq(allowed_now(MAY_FULFILL) & (action_set) 1 << ACTION_PICK, 0);
}

/* Time plays no part, so that a list of actions stays true until something happens. */
Test(fulfillment_actions, a_lock_takes_nothing_off_the_list, .init = given_pickup) {
        ready();
        for (int i = 0; i < WRONG_CODES_MAX; i++)
                assert_refused(hand_over_by("ABCDEFGH"), PROBLEM_HANDOVER_PROOF_INVALID);
        cr_assert_neq(allowed_now(MAY_FULFILL) & (action_set) 1 << ACTION_HANDOVER, 0);
}

Test(fulfillment_actions, they_are_named_as_the_routes_and_sorted) {
        for (int action = 1; action < ACTION_COUNT; action++)
                cr_assert_lt(strcmp(fulfillment_action_texts[action - 1], fulfillment_action_texts[action]), 0);
        cr_assert_null(fulfillment_action_texts[ACTION_COUNT]);
        cr_assert_str_eq(fulfillment_action_texts[ACTION_CHECK_IN], "check-in");
}
