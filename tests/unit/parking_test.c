#include "engine/parking.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define SOON  INT64_C(1000)
#define LATER INT64_C(2000)

/* Who has asked since it was last looked at, as "a b", followers in brackets. */
static char asked[1024];
static char watched[256];
static struct parking *parking;

static const char *name_of(const struct spot *spot) {
        return spot->call->target;
}

static void on_ask(void *context, struct spot *spot) {
        size_t size = strlen(asked);

        (void) context;
        size += (size_t) snprintf(asked + size, sizeof(asked) - size, "%s%s", size ? " " : "", name_of(spot));
        for (const struct spot *follower = spot->followers; follower; follower = follower->after)
                size += (size_t) snprintf(asked + size, sizeof(asked) - size, "(%s)", name_of(follower));
        spot->followers = NULL;
}

static void on_watch(const char *topic) {
        const size_t size = strlen(watched);

        (void) snprintf(watched + size, sizeof(watched) - size, "+%s ", topic);
}

static void on_unwatch(const char *topic) {
        const size_t size = strlen(watched);

        (void) snprintf(watched + size, sizeof(watched) - size, "-%s ", topic);
}

static void setup(void) {
        const struct parking_settings settings = { .ask = on_ask, .watch = on_watch, .unwatch = on_unwatch };

        *asked = *watched = '\0';
        parking = parking_new(&settings);
        cr_assert(parking);
}

static void teardown(void) {
        parking = parking_free(parking);
}

TestSuite(parking, .init = setup, .fini = teardown);

static const char *who_asked(void) {
        static char text[sizeof(asked)];

        (void) snprintf(text, sizeof(text), "%s", asked);
        *asked = '\0';
        return text;
}

/* A call that waits under a key, and its spot. */
struct waiter {
        struct call call;
        struct token_claims claims;
        struct spot spot;
};

static void enter(struct waiter *waiter, const char *name, const char *topic, const char *key) {
        *waiter = (struct waiter){ .call = { .target = name, .may_wait = true, .park.key = key },
                .claims = { .subject = "tester" } };
        waiter->call.claims = &waiter->claims;
        cr_assert_eq(parking_enter(parking, &waiter->spot, &waiter->call, topic), PARKING_ENTERED);
}

static void park(struct waiter *waiter, const char *name, const char *topic, const char *key, timestamp until) {
        enter(waiter, name, topic, key);
        parking_wait(parking, &waiter->spot, until);
}

Test(parking, a_change_wakes_the_calls_that_wait_for_its_topic) {
        struct waiter a, b, c;

        park(&a, "a", "queue/berlin", "x", SOON);
        park(&b, "b", "queue/paris", "x", SOON);
        park(&c, "c", "events/berlin", "x", SOON);
        cr_assert_eq(parking_count(parking), 3);
        parking_wake(parking, "queue/berlin");
        cr_expect_str_eq(who_asked(), "a");
        cr_expect_eq(parking_count(parking), 2);
        parking_wake(parking, "queue/rome");
        cr_expect_str_eq(who_asked(), "");
}

Test(parking, of_calls_with_equal_keys_only_one_asks) {
        struct waiter a, b, c, d;

        park(&a, "a", "queue/berlin", "x", SOON);
        park(&b, "b", "queue/berlin", "y", SOON);
        park(&c, "c", "queue/berlin", "x", SOON);
        park(&d, "d", "queue/berlin", "x", SOON);
        parking_wake(parking, "queue/berlin");
        cr_expect_str_eq(who_asked(), "a(d)(c) b");
}

Test(parking, a_change_while_a_call_asks_makes_it_ask_once_more) {
        struct waiter a;

        enter(&a, "a", "queue/berlin", "x");
        parking_wake(parking, "queue/berlin");
        cr_assert_str_eq(who_asked(), "", "it is asking already");
        parking_wait(parking, &a.spot, SOON);
        cr_expect_str_eq(who_asked(), "a");
        cr_expect(a.spot.woken);
        parking_wait(parking, &a.spot, SOON);
        cr_expect_str_eq(who_asked(), "");
        cr_expect_eq(parking_count(parking), 1);
}

Test(parking, only_calls_that_are_due_ask) {
        struct waiter a, b;

        park(&a, "a", "queue/berlin", "x", SOON);
        park(&b, "b", "queue/berlin", "x", LATER);
        parking_expire(parking, SOON - 1);
        cr_expect_str_eq(who_asked(), "");
        parking_expire(parking, SOON);
        cr_expect_str_eq(who_asked(), "a");
        cr_expect(!a.spot.woken);
        parking_expire(parking, LATER);
        cr_expect_str_eq(who_asked(), "b");
}

Test(parking, a_call_that_left_is_not_woken) {
        struct waiter a, b;

        park(&a, "a", "queue/berlin", "x", SOON);
        park(&b, "b", "queue/berlin", "x", SOON);
        parking_leave(parking, &a.spot);
        parking_leave(parking, &a.spot);
        parking_wake(parking, "queue/berlin");
        cr_expect_str_eq(who_asked(), "b");
}

Test(parking, a_topic_is_watched_while_a_call_waits_for_it) {
        struct waiter a, b;

        park(&a, "a", "queue/berlin", "x", SOON);
        park(&b, "b", "queue/berlin", "x", SOON);
        cr_expect_str_eq(watched, "+queue/berlin ");
        parking_leave(parking, &a.spot);
        cr_expect_str_eq(watched, "+queue/berlin ");
        parking_leave(parking, &b.spot);
        cr_expect_str_eq(watched, "+queue/berlin -queue/berlin ");
}

Test(parking, one_bearer_has_so_many_spots_and_others_have_theirs) {
        static struct waiter many[PARKED_PER_SUBJECT_MAX];
        struct waiter one, other;

        for (size_t i = 0; i < PARKED_PER_SUBJECT_MAX; i++)
                park(&many[i], "m", "queue/berlin", "x", SOON);
        one = many[0];
        cr_expect_eq(parking_enter(parking, &one.spot, &one.call, "queue/paris"), PARKING_FULL);
        parking_leave(parking, &one.spot);
        other = (struct waiter){ .claims.subject = "another associate" };
        other.call.claims = &other.claims;
        cr_expect_eq(parking_enter(parking, &other.spot, &other.call, "queue/berlin"), PARKING_ENTERED);
        parking_leave(parking, &many[0].spot);
        cr_expect_eq(parking_enter(parking, &one.spot, &one.call, "queue/paris"), PARKING_ENTERED);
}

Test(parking, at_shutdown_every_call_asks_for_the_last_time) {
        struct waiter a, b;

        park(&a, "a", "queue/berlin", "x", SOON);
        park(&b, "b", "events/paris", "y", SOON);
        parking_wake_all(parking);
        cr_expect(!a.call.may_wait && !b.call.may_wait);
        cr_expect_eq(parking_count(parking), 0);
        cr_expect_eq(strlen(who_asked()), strlen("a b"));
}

/* Comparing every call with every other one would let many different views stall the loop. */
Test(parking, a_crowd_of_different_keys_still_asks_to_the_last_one) {
        enum { CROWD = 3 * LEADERS_COMPARED_MAX };
        static struct waiter crowd[CROWD];
        static char keys[CROWD][8];

        for (size_t i = 0; i < CROWD; i++) {
                (void) snprintf(keys[i], sizeof(keys[i]), "%zu", i);
                park(&crowd[i], "x", "queue/berlin", keys[i], SOON);
        }
        parking_wake(parking, "queue/berlin");
        cr_expect_eq(strlen(who_asked()), 2 * CROWD - 1);
        cr_expect_eq(parking_count(parking), 0);
}
