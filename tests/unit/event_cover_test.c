#include "events/events.h"

#include "base/arena.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define MEMORY ((size_t) 8 * 1024 * 1024)

static struct arena arena;
static struct events events;
static struct uuid order, payment;
static int64_t version;

static void set_up(void) {
        arena_init(&arena, MEMORY);
        events_init(&events, &arena);
        order = uuid_new();
        payment = uuid_new();
        version = 1;
}

static void tear_down(void) {
        arena_clear(&arena);
}

TestSuite(event_cover, .init = set_up, .fini = tear_down);

/* An event of the order that gets the version at the end of the command. */
static void tell(enum event_type type) {
        event_about(event_add(&events, type, "ada"), SUBJECT_ORDER, &order, &version);
}

static void raise(void) {
        version++;
        event_cover(&events, EVENT_ORDER_UPDATED, &order, version, NULL, "web", "ada");
}

static void assert_list(const char *expected) {
        char list[512] = "";

        for (const struct event *event = events.first; event; event = event->next)
                (void) snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s %d", *list ? ", " : "",
                        event_types[event->type].name, (int) event->version);
        cr_assert_str_eq(list, expected);
        cr_assert_null(*events.last);
        cr_assert_eq(events.unsettled, events.last);
}

Test(event_cover, goes_when_the_command_names_the_change) {
        tell(EVENT_ORDER_CHANGED);
        raise();
        events_settle(&events);
        assert_list("order.changed 2");
        raise();
        tell(EVENT_ORDER_CANCELLED);
        events_settle(&events);
        assert_list("order.changed 2, order.cancelled 3");
}

Test(event_cover, stays_when_no_event_names_the_change) {
        raise();
        events_settle(&events);
        raise();
        events_settle(&events);
        assert_list("order.updated 2, order.updated 3");
}

Test(event_cover, of_an_earlier_version_stands_before_the_later_one) {
        tell(EVENT_ORDER_CHANGED);
        raise();
        tell(EVENT_REFUND_DUE);
        raise();
        raise();
        events_settle(&events);
        assert_list("order.updated 2, order.updated 3, order.changed 4, refund.due 4");
}

Test(event_cover, of_another_subject_is_not_touched) {
        event_cover(&events, EVENT_PAYMENT_UPDATED, &payment, 2, NULL, "web", "ada");
        tell(EVENT_ORDER_CHANGED);
        raise();
        event_cover(&events, EVENT_PAYMENT_UPDATED, &payment, 2, NULL, "web", "ada");
        events_settle(&events);
        assert_list("payment.updated 2, order.changed 2");
}

Test(event_cover, of_an_earlier_command_counts_no_more) {
        tell(EVENT_ORDER_CREATED);
        events_settle(&events);
        event_cover(&events, EVENT_ORDER_UPDATED, &order, 1, NULL, "web", "ada");
        events_settle(&events);
        assert_list("order.created 1, order.updated 1");
}
