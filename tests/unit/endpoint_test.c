/*
 * The endpoints that an instance has leased: what they take from the log.
 */
#include "webhooks/endpoint.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena arena;
static struct endpoints endpoints;
static struct endpoint *endpoint;

static void endpoint_begin(void) {
        const struct webhook row = { .id = uuid_new(),
                .url = "https://erp.example/",
                .types = "order.*",
                .mode = WEBHOOK_ORDERED,
                .max_in_flight = 8,
                .secret = "p" /* base64url of 32 bytes: */
                          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                .version = 1,
                .cursor = 10,
                .failing_since = TIMESTAMP_NONE,
                .last_success_at = TIMESTAMP_NONE };

        arena_init(&arena, 1 << 20);
        endpoint = endpoints_add(&endpoints, &row);
        cr_assert_not_null(endpoint);
        cr_assert(endpoint_describe(endpoint, &row, &(const struct sealing_keys){ NULL, NULL }));
        cr_assert_not(endpoint->is_muted);
}

static void endpoint_end(void) {
        endpoints_clear(&endpoints);
        arena_clear(&arena);
}

TestSuite(endpoint, .init = endpoint_begin, .fini = endpoint_end);

static struct log_event logged(int64_t position, const char *type) {
        return (struct log_event){ .position = position,
                .id = uuid_new(),
                .type = type,
                .subject_kind = "orders",
                .subject_id = "0190a6e2-7b7c-7def-8123-456789abcdef",
                .data = "{}" };
}

/* Offer `n` events from position `first` on, of a page that has looked up to `next`. */
static void offer(int64_t first, size_t n, const char *type, int64_t next) {
        struct log_event events[OUTBOX_MAX + 8];
        struct body *bodies[OUTBOX_MAX + 8] = { NULL };
        const struct log_page page = { .arena = &arena, .events = events, .n = n };

        cr_assert_leq(n, array_size(events));
        for (size_t i = 0; i < n; i++)
                events[i] = logged(first + (int64_t) i, type);
        endpoint_offer(endpoint, &page, next, bodies, &arena);
        for (size_t i = 0; i < n; i++)
                body_drop(bodies[i]);
}

Test(endpoint, reads_up_to_where_the_page_has_looked) {
        offer(11, 2, "order.created", 20);
        cr_expect_eq(endpoint->outbox.n, 2);
        cr_expect_eq(endpoint->outbox.read_up_to, 20);
}

Test(endpoint, passes_over_events_that_its_filter_leaves_out) {
        offer(11, 2, "return.received", 20);
        cr_expect_eq(endpoint->outbox.n, 0);
        cr_expect_eq(endpoint->outbox.read_up_to, 20);
}

/* Bounds that were read before the page end before its last events. An endpoint that went back to them would read
 * delivered events again, and send them twice. */
Test(endpoint, never_goes_back_behind_an_event_that_it_has_taken) {
        offer(11, 5, "order.created", 12);
        cr_expect_eq(endpoint->outbox.read_up_to, 15);
        offer(11, 1, "order.created", 12);
        cr_expect_eq(endpoint->outbox.read_up_to, 15);
}

Test(endpoint, stops_where_there_is_no_room) {
        offer(11, OUTBOX_MAX + 5, "order.created", 1000);
        cr_expect_eq(endpoint->outbox.n, OUTBOX_MAX);
        cr_expect_eq(endpoint->outbox.read_up_to, 10 + OUTBOX_MAX);
}
