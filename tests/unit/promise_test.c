#include "catalog/promise.h"

#include "../promise_cases.h"
#include "base/text.h"
#include "dice.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define MEMORY      ((size_t) 16 * 1024 * 1024)
#define SCHEDULES   2000
#define MONDAY      (1795392000 * SECOND) /* 2026-11-23T00:00:00Z */
#define MINUTES_DAY (24 * 60)

static struct arena arena;

static void set_up(void) {
        arena_init(&arena, MEMORY);
}

static void tear_down(void) {
        arena_clear(&arena);
}

TestSuite(promise, .init = set_up, .fini = tear_down);

static const struct zone *zone_named(const char *name) {
        for (size_t i = 0; i < n_promise_zones; i++)
                if (text_equal(promise_zones[i].name, name))
                        return &promise_zones[i];
        cr_assert_fail("the table has no zone %s", name);
        return NULL;
}

static timestamp at(const char *text) {
        timestamp instant;

        cr_assert(timestamp_parse(text, &instant), "%s", text);
        return instant;
}

static const char *text_of(timestamp instant) {
        char *text = arena_alloc(&arena, TIMESTAMP_TEXT_SIZE);

        timestamp_format(instant, text);
        return text;
}

static void expect_case(const struct promise_case *promise) {
        struct location location;
        timestamp promised_at = 0;
        bool possible;

        cr_assert(promise_case_location(promise, &arena, &location), "%s: not well written", promise->says);
        possible = promise_time(&location, zone_named(promise->zone), at(promise->placed_at), &promised_at);
        if (!promise->promised_at)
                cr_expect_not(possible, "%s: %s", promise->says, text_of(promised_at));
        else
                cr_expect(possible && promised_at == at(promise->promised_at), "%s: %s and not %s", promise->says,
                        possible ? text_of(promised_at) : "nothing", text_of(at(promise->promised_at)));
}

Test(promise, is_what_the_table_says) {
        cr_assert_geq(n_promise_cases, 60);
        for (size_t i = 0; i < n_promise_cases; i++)
                expect_case(&promise_cases[i]);
}

/* ---- wall times ---- */

static void expect_wall_time(const char *zone, const char *wall_time, const char *instant) {
        const timestamp found = zone_instant(zone_named(zone), at(wall_time));

        cr_expect_eq(found, at(instant), "%s in %s: %s", wall_time, zone, text_of(found));
}

Test(promise, a_wall_time_is_the_first_instant_at_which_clocks_show_it_or_a_later_one) {
        expect_wall_time("UTC", "2027-03-28T02:30:00Z", "2027-03-28T02:30:00Z");
        expect_wall_time("Europe/Berlin", "2027-03-28T01:59:59Z", "2027-03-28T01:59:59+01:00");
        expect_wall_time("Europe/Berlin", "2027-03-28T02:00:00Z", "2027-03-28T03:00:00+02:00");
        expect_wall_time("Europe/Berlin", "2027-03-28T02:30:00Z", "2027-03-28T03:00:00+02:00");
        expect_wall_time("Europe/Berlin", "2027-03-28T03:00:00Z", "2027-03-28T03:00:00+02:00");
        expect_wall_time("Europe/Berlin", "2027-03-28T03:00:01Z", "2027-03-28T03:00:01+02:00");
        expect_wall_time("Europe/Berlin", "2027-10-31T02:00:00Z", "2027-10-31T02:00:00+02:00");
        expect_wall_time("Europe/Berlin", "2027-10-31T02:59:59Z", "2027-10-31T02:59:59+02:00");
        expect_wall_time("Europe/Berlin", "2027-10-31T03:00:00Z", "2027-10-31T03:00:00+01:00");
        expect_wall_time("Asia/Beirut", "2027-10-31T00:00:00Z", "2027-10-31T00:00:00+02:00");
        expect_wall_time("America/Santiago", "2027-09-05T00:00:00Z", "2027-09-05T01:00:00-03:00");
}

Test(promise, clocks_show_the_new_time_from_the_instant_of_the_change_on) {
        const struct zone *berlin = zone_named("Europe/Berlin");

        cr_assert_eq(zone_wall_time(berlin, at("2027-03-28T00:59:59Z")), at("2027-03-28T01:59:59Z"));
        cr_assert_eq(zone_wall_time(berlin, at("2027-03-28T01:00:00Z")), at("2027-03-28T03:00:00Z"));
        cr_assert_eq(zone_wall_time(berlin, at("2027-10-31T00:59:59Z")), at("2027-10-31T02:59:59Z"));
        cr_assert_eq(zone_wall_time(berlin, at("2027-10-31T01:00:00Z")), at("2027-10-31T02:00:00Z"));
}

/* The clocks of Samoa never showed the 30th of December 2011. */
Test(promise, a_day_that_a_zone_has_skipped_has_no_hours) {
        const struct zone_span spans[] = { { TIMESTAMP_NONE, -10 * HOUR }, { at("2011-12-30T10:00:00Z"), 14 * HOUR } };
        const struct zone apia = { .name = "Pacific/Apia", .spans = spans, .n_spans = array_size(spans) };
        const struct opening openings[] = { { 4, 540, 1080 }, { 5, 540, 1080 } };
        const struct location location = { .opening_hours = openings, .n_opening_hours = 2, .lead_time = HOUR };
        timestamp promised_at;

        cr_assert(promise_time(&location, &apia, at("2011-12-29T20:00:00-10:00"), &promised_at));
        cr_assert_eq(promised_at, at("2011-12-31T10:00:00+14:00"), "%s", text_of(promised_at));
}

/* ---- against counting minutes ---- */

struct schedule {
        struct opening openings[4];
        struct closure closures[4];
        struct location location;
};

static int opening_compare(const void *left, const void *right) {
        const struct opening *a = left, *b = right;

        return a->day != b->day ? a->day - b->day : a->opens - b->opens;
}

static void schedule_roll(struct schedule *schedule, uint64_t *dice) {
        const size_t n = dice_below(dice, 5), n_closures = dice_below(dice, 5);

        for (size_t i = 0; i < n; i++)
                schedule->openings[i] = (struct opening){ (int) dice_below(dice, 7),
                        (int) dice_below(dice, MINUTES_DAY), (int) dice_below(dice, MINUTES_DAY + 1) };
        qsort(schedule->openings, n, sizeof(schedule->openings[0]), opening_compare);
        for (size_t i = 0; i < n_closures; i++)
                schedule->closures[i] =
                        (struct closure){ .date = day_of_number(MONDAY / DAY + (int64_t) (3 * i + dice_below(dice, 3))),
                                .has_hours = dice_below(dice, 2),
                                .opens = (int) dice_below(dice, MINUTES_DAY),
                                .closes = (int) dice_below(dice, MINUTES_DAY + 1) };
        schedule->location = (struct location){ .opening_hours = schedule->openings,
                .n_opening_hours = n,
                .closures = schedule->closures,
                .n_closures = n_closures,
                .lead_time = (duration) dice_below(dice, 40 * 60) * MINUTE };
}

static bool covers(int opens, int closes, int minute) {
        return minute >= opens && minute < (closes > opens ? closes : closes + MINUTES_DAY);
}

/* Whether hours that begin on the day hold at a minute counted from its midnight. */
static bool holds(const struct location *location, int64_t day, int minute) {
        bool open = false, closed = false;

        for (size_t i = 0; i < location->n_closures; i++) {
                const struct closure *closure = &location->closures[i];

                if (day_number(closure->date) != day)
                        continue;
                closed = true;
                open = open || (closure->has_hours && covers(closure->opens, closure->closes, minute));
        }
        if (closed)
                return open;
        if (!location->n_opening_hours)
                return covers(0, MINUTES_DAY, minute);
        for (size_t i = 0; i < location->n_opening_hours; i++)
                open = open ||
                       (location->opening_hours[i].day == (day - MONDAY / DAY) % 7 &&
                               covers(location->opening_hours[i].opens, location->opening_hours[i].closes, minute));
        return open;
}

static timestamp promise_by_minutes(const struct location *location, timestamp placed_at) {
        duration left = location->lead_time;

        for (timestamp now = placed_at;; now += MINUTE) {
                const int64_t day = now / DAY;
                const int minute = (int) (now % DAY / MINUTE);
                const bool open = holds(location, day, minute) || holds(location, day - 1, minute + MINUTES_DAY);

                if (open && left <= 0)
                        return now;
                if (open)
                        left -= MINUTE;
                if (open && left == 0)
                        return now + MINUTE;
        }
}

Test(promise, counting_open_minutes_one_by_one_gives_the_same_promise) {
        const struct zone *utc = zone_named("UTC");
        uint64_t dice = 7;

        for (int i = 0; i < SCHEDULES; i++) {
                const timestamp placed_at =
                        MONDAY + (timestamp) (7 * DAY) + (timestamp) dice_below(&dice, 7 * MINUTES_DAY) * MINUTE;
                struct schedule schedule;
                timestamp promised_at = 0;

                schedule_roll(&schedule, &dice);
                if (!promise_time(&schedule.location, utc, placed_at, &promised_at))
                        continue;
                cr_assert_eq(promised_at, promise_by_minutes(&schedule.location, placed_at), "schedule %d: %s", i,
                        text_of(promised_at));
        }
}
