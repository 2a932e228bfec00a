#include "events/log.h"

#include <criterion/criterion.h>
#include <string.h>

Test(event_log, a_client_resumes_while_the_events_it_missed_are_kept) {
        const struct log_bounds bounds = { .position = 9, .first = 5 }, empty = { 0 },
                                pruned = { .position = 9, .first = 0 };

        cr_expect(event_log_can_resume(&bounds, 9));
        cr_expect(event_log_can_resume(&bounds, 4));
        cr_expect_not(event_log_can_resume(&bounds, 3));
        cr_expect_not(event_log_can_resume(&bounds, 10));
        cr_expect(event_log_can_resume(&empty, 0));
        cr_expect_not(event_log_can_resume(&empty, 1));
        cr_expect(event_log_can_resume(&pruned, 9));
        cr_expect_not(event_log_can_resume(&pruned, 8));
}

static size_t matched(const char *pattern, enum event_type *types) {
        size_t n = 0;
        const bool any = event_types_match(pattern, strlen(pattern), types, &n);

        cr_assert_eq(any, n > 0, "%s", pattern);
        return n;
}

Test(event_log, a_pattern_names_a_type_a_family_or_all_types) {
        enum event_type types[EVENT_TYPE_COUNT];

        cr_expect_eq(matched("*", types), EVENT_TYPE_COUNT);
        cr_expect_eq(matched("order.created", types), 1);
        cr_expect_eq(types[0], EVENT_ORDER_CREATED);
        cr_expect_eq(matched("pickup.*", types), 3);
        cr_expect_eq(types[0], EVENT_PICKUP_CUSTOMER_ARRIVED);
}

Test(event_log, a_pattern_that_names_no_type_is_noticed) {
        static const char *const patterns[] = { "", ".*", "order", "order.", "order*", "order.create", "order.c*", "**",
                "*.created", "orders.*", "ORDER.CREATED" };
        enum event_type types[EVENT_TYPE_COUNT];

        for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
                cr_expect_eq(matched(patterns[i], types), 0, "'%s'", patterns[i]);
}

Test(event_log, patterns_that_overlap_name_each_type_once) {
        enum event_type types[EVENT_TYPE_COUNT];
        size_t n = 0;

        cr_assert(event_types_match("pickup.reminder", 15, types, &n));
        cr_assert(event_types_match("pickup.*", 8, types, &n));
        cr_assert(event_types_match("*", 1, types, &n));
        cr_expect_eq(n, EVENT_TYPE_COUNT);
}

static struct log_event events[] = { { .position = 12 }, { .position = 17 } };

static int64_t next_of(struct log_filter filter, size_t n, int64_t position, bool *ret_has_more) {
        const struct log_page page = { .bounds = { .position = position, .first = 1 }, .events = events, .n = n };

        return event_log_next(&filter, &page, ret_has_more);
}

Test(event_log, a_full_page_goes_on_after_its_last_event) {
        bool more;

        cr_expect_eq(next_of((struct log_filter){ .after = 10, .limit = 2 }, 2, 40, &more), 17);
        cr_expect(more);
        cr_expect_eq(next_of((struct log_filter){ .after = 10, .limit = 2 }, 2, 17, &more), 17);
        cr_expect_not(more);
}

Test(event_log, a_page_that_is_not_full_has_looked_at_its_positions) {
        bool more;

        cr_expect_eq(next_of((struct log_filter){ .after = 10, .limit = 3 }, 2, 40, &more), 40);
        cr_expect_not(more);
        cr_expect_eq(next_of((struct log_filter){ .after = 10, .limit = 3 }, 0, 50000, &more), 10 + LOG_LOOKED);
        cr_expect(more);
}

Test(event_log, an_index_leads_to_the_events_of_a_subject_and_of_a_location) {
        static const enum event_type type = EVENT_ORDER_CREATED;
        bool more;

        cr_expect_eq(
                next_of((struct log_filter){ .after = 10, .limit = 3, .subject = "orders/1" }, 1, 50000, &more), 50000);
        cr_expect_not(more);
        cr_expect_eq(
                next_of((struct log_filter){ .after = 10, .limit = 3, .location = "berlin" }, 1, 50000, &more), 50000);
        cr_expect_not(more);
        cr_expect_eq(next_of(
                             (struct log_filter){
                                     .after = 10, .limit = 3, .location = "berlin", .types = &type, .n_types = 1 },
                             1, 50000, &more),
                10 + LOG_LOOKED);
        cr_expect(more);
}

Test(event_log, a_pattern_may_have_the_prefix_of_types) {
        enum event_type types[EVENT_TYPE_COUNT];
        size_t n = 0;

        event_type_prefix = "com.example.";
        cr_expect(event_types_match("com.example.pickup.reminder", 27, types, &n) && n == 1);
        cr_expect(event_types_match("pickup.reminder", 15, types, &n) && n == 1, "and may lack it");
        cr_expect(event_types_match("com.example.*", 13, types, &n) && n == EVENT_TYPE_COUNT);
        cr_expect_not(event_types_match("com.example.", 12, types, &n));
        cr_expect_not(event_types_match("com.example", 11, types, &n));
        cr_expect_not(event_types_match("com.example.pickup.reminder", 11, types, &n),
                "the size ends before the prefix does");
        cr_expect_not(event_types_match("org.example.pickup.reminder", 27, types, &n));
}
