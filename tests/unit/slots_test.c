#include "catalog/slots.h"

#include "base/text.h"

#include <criterion/criterion.h>

#define MONDAY (1795392000 * SECOND) /* 2026-11-23T00:00:00Z */
#define ROOM   8

static const struct zone_span utc_spans[] = { { TIMESTAMP_NONE, 0 } };
static const struct zone utc = { .name = "UTC", .spans = utc_spans, .n_spans = 1 };

/* Berlin in 2027: an hour ahead, from the 28th of March two, from the 31st of October one again. */
static const struct zone_span berlin_spans[] = { { TIMESTAMP_NONE, HOUR }, { 1806195600 * SECOND, 2 * HOUR },
        { 1824944400 * SECOND, HOUR } };
static const struct zone berlin = { .name = "Europe/Berlin", .spans = berlin_spans, .n_spans = 3 };

static timestamp at(const char *text) {
        timestamp instant;

        cr_assert(timestamp_parse(text, &instant), "%s", text);
        return instant;
}

static struct location location_with(const struct slot *slots, size_t n) {
        return (struct location){ .code = "place", .slots = slots, .n_slots = n };
}

Test(slots, come_every_week_in_the_order_of_their_beginnings) {
        static const struct slot slots[] = { { 0, 600, 720, 3 }, { 0, 720, 840, 2 }, { 5, 1320, 1440, 1 } };
        const struct location location = location_with(slots, array_size(slots));
        struct slot_time found[ROOM];

        cr_assert_eq(slots_between(&location, &utc, MONDAY, MONDAY + 14 * DAY, found, ROOM), 6);
        cr_assert_eq(found[0].begins, at("2026-11-23T10:00:00Z"));
        cr_assert_eq(found[0].ends, at("2026-11-23T12:00:00Z"));
        cr_assert_eq(found[0].capacity, 3);
        cr_assert_eq(found[2].ends, at("2026-11-29T00:00:00Z"));
        cr_assert_eq(found[3].begins, found[0].begins + 7 * DAY);
        cr_assert_eq(slots_between(&location, &utc, MONDAY, MONDAY + 14 * DAY, found, 4), 4, "as there is room for");
}

Test(slots, begin_from_an_instant_on_and_before_another) {
        static const struct slot slots[] = { { 0, 600, 720, 3 } };
        const struct location location = location_with(slots, 1);
        const timestamp ten = MONDAY + 10 * HOUR;
        struct slot_time found[ROOM];

        cr_assert_eq(slots_between(&location, &utc, ten, ten + 1, found, ROOM), 1);
        cr_assert_eq(slots_between(&location, &utc, ten + 1, ten + HOUR, found, ROOM), 0);
        cr_assert_eq(slots_between(&location, &utc, ten - HOUR, ten, found, ROOM), 0);
        cr_assert(slot_find(&location, &utc, ten, found));
        cr_assert_not(slot_find(&location, &utc, ten + MINUTE, found));
        cr_assert_not(slot_find(&location, &utc, ten + DAY, found));
}

Test(slots, on_the_date_of_a_closure_lie_within_its_hours) {
        static const struct slot slots[] = { { 0, 600, 720, 1 }, { 0, 720, 840, 1 }, { 0, 1320, 1440, 1 } };
        const struct closure none[] = { { .date = { 2026, 11, 23 } } };
        const struct closure two[] = { { { 2026, 11, 23 }, true, 540, 720 }, { { 2026, 11, 23 }, true, 1200, 60 } };
        struct location location = location_with(slots, array_size(slots));
        struct slot_time found[ROOM];

        location.closures = none;
        location.n_closures = 1;
        cr_assert_eq(slots_between(&location, &utc, MONDAY, MONDAY + DAY, found, ROOM), 0);
        location.closures = two;
        location.n_closures = 2;
        cr_assert_eq(slots_between(&location, &utc, MONDAY, MONDAY + DAY, found, ROOM), 2);
        cr_assert_eq(found[0].begins, MONDAY + 10 * HOUR);
        cr_assert_eq(found[1].begins, MONDAY + 22 * HOUR, "these hours run past midnight");
}

Test(slots, in_the_missing_hour_are_missing_and_of_two_at_one_instant_the_first_counts) {
        static const struct slot slots[] = { { 6, 120, 150, 1 }, { 6, 150, 240, 2 }, { 6, 180, 240, 3 } };
        const struct location location = location_with(slots, array_size(slots));
        struct slot_time found[ROOM];

        cr_assert_eq(
                slots_between(&location, &berlin, at("2027-03-28T00:00:00Z"), at("2027-03-28T12:00:00Z"), found, ROOM),
                1);
        cr_assert_eq(found[0].begins, at("2027-03-28T03:00:00+02:00"));
        cr_assert_eq(found[0].ends, at("2027-03-28T04:00:00+02:00"));
        cr_assert_eq(found[0].capacity, 2);
}

Test(slots, in_the_doubled_hour_come_once) {
        static const struct slot slots[] = { { 6, 120, 150, 1 }, { 6, 150, 240, 2 } };
        const struct location location = location_with(slots, array_size(slots));
        struct slot_time found[ROOM];

        cr_assert_eq(
                slots_between(&location, &berlin, at("2027-10-30T23:00:00Z"), at("2027-10-31T12:00:00Z"), found, ROOM),
                2);
        cr_assert_eq(found[0].begins, at("2027-10-31T02:00:00+02:00"));
        cr_assert_eq(found[1].begins, at("2027-10-31T02:30:00+02:00"));
        cr_assert_eq(found[1].ends, at("2027-10-31T04:00:00+01:00"));
}
