#include "queue/queue.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NOON INT64_C(1800000000000000)

static struct arena arena;

static void setup(void) {
        arena_init(&arena, (size_t) 1024 * 1024);
}

static void teardown(void) {
        arena_clear(&arena);
}

TestSuite(queue, .init = setup, .fini = teardown);

Test(queue, a_promise_is_at_risk_in_its_last_half_hour_and_then_overdue) {
        static const struct {
                duration before;
                enum sla sla;
        } cases[] = {
                { AT_RISK_BEFORE + 1, SLA_ON_TIME },
                { AT_RISK_BEFORE, SLA_AT_RISK },
                { 1, SLA_AT_RISK },
                { 0, SLA_OVERDUE },
                { -DAY, SLA_OVERDUE },
        };
        static const enum fulfillment_status open[] = { FULFILLMENT_ALLOCATED, FULFILLMENT_PICKING,
                FULFILLMENT_PACKED };

        for (size_t i = 0; i < array_size(cases); i++)
                for (size_t j = 0; j < array_size(open); j++)
                        cr_expect_eq(queue_sla(open[j], NOON, NOON - cases[i].before), cases[i].sla, "case %zu", i);
}

Test(queue, once_it_is_ready_its_promise_is_kept) {
        cr_expect_eq(queue_sla(FULFILLMENT_READY, NOON, NOON + DAY), SLA_ON_TIME);
        cr_expect_eq(queue_sla_changes_at(FULFILLMENT_READY, NOON, NOON - DAY), TIMESTAMP_NONE);
}

Test(queue, the_next_change_by_the_clock_is_known) {
        const timestamp risk = NOON - AT_RISK_BEFORE;

        cr_expect_eq(queue_sla_changes_at(FULFILLMENT_ALLOCATED, NOON, risk - 1), risk);
        cr_expect_eq(queue_sla_changes_at(FULFILLMENT_ALLOCATED, NOON, risk), NOON);
        cr_expect_eq(queue_sla_changes_at(FULFILLMENT_ALLOCATED, NOON, NOON - 1), NOON);
        cr_expect_eq(queue_sla_changes_at(FULFILLMENT_ALLOCATED, NOON, NOON), TIMESTAMP_NONE);
}

/* What is shown changes at that instant, and not before it. */
Test(queue, no_state_changes_before_its_announced_time) {
        for (timestamp now = NOON - HOUR; now < NOON + HOUR; now += MINUTE) {
                const timestamp next = queue_sla_changes_at(FULFILLMENT_PICKING, NOON, now);
                const enum sla sla = queue_sla(FULFILLMENT_PICKING, NOON, now);

                if (next == TIMESTAMP_NONE)
                        continue;
                cr_expect_eq(queue_sla(FULFILLMENT_PICKING, NOON, next - 1), sla);
                cr_expect_neq(queue_sla(FULFILLMENT_PICKING, NOON, next), sla);
        }
}

Test(queue, a_tag_holds_for_its_location_revision_and_view_alone) {
        const char *tag = queue_tag(&arena, "berlin", 17, "abc", TIMESTAMP_NONE);
        timestamp changes_at = 0;

        cr_expect_str_eq(tag, "W/\"q-berlin-17-abc-0\"");
        cr_expect(queue_tag_holds(tag, "berlin", 17, "abc", NOON, &changes_at));
        cr_expect_eq(changes_at, TIMESTAMP_NONE);
        cr_expect_not(queue_tag_holds(tag, "berlin", 18, "abc", NOON, &changes_at));
        cr_expect_not(queue_tag_holds(tag, "berlin", 1, "abc", NOON, &changes_at));
        cr_expect_not(queue_tag_holds(tag, "paris", 17, "abc", NOON, &changes_at));
        cr_expect_not(queue_tag_holds(tag, "berlin", 17, "abd", NOON, &changes_at));
        cr_expect_not(queue_tag_holds(NULL, "berlin", 17, "abc", NOON, &changes_at));
}

Test(queue, a_tag_holds_until_the_clock_changes_its_view) {
        const char *tag = queue_tag(&arena, "berlin", 17, "abc", NOON);
        timestamp changes_at = 0;

        cr_expect(queue_tag_holds(tag, "berlin", 17, "abc", NOON - 1, &changes_at));
        cr_expect_eq(changes_at, NOON);
        cr_expect_not(queue_tag_holds(tag, "berlin", 17, "abc", NOON, &changes_at));
}

Test(queue, one_of_several_tags_is_enough) {
        timestamp changes_at = 0;

        cr_expect(queue_tag_holds("\"x\", W/\"q-berlin-17-abc-0\" , \"y\"", "berlin", 17, "abc", NOON, &changes_at));
}

Test(queue, a_foreign_tag_never_matches) {
        static const char *const tags[] = { "", "*", "W/\"q-berlin-17-abc-\"x", "W/\"q-berlin-17-abc-0-47\"",
                "W/\"q-berlin-17-abc-99999999999999999999999999\"", "W/\"q-berlin-17-abc-0", "q-berlin-17-abc-",
                "q-berlin-17-abc-x\"" };
        timestamp changes_at = 0;

        for (size_t i = 0; i < array_size(tags); i++)
                cr_expect_not(queue_tag_holds(tags[i], "berlin", 17, "abc", NOON, &changes_at), "%s", tags[i]);
}
