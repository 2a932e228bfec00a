/*
 * Promises with the time zones of PostgreSQL.
 */
#include "../promise_cases.h"
#include "catalog/records.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define ZONES_KEPT  64 /* as catalog/store_zones.c has it */
#define CODE_FORMAT "case-%zu"

TestSuite(promise, .init = store_open, .fini = store_close);

static struct catalog_set *set_of(const char *const *codes, size_t n) {
        struct catalog_set *set = arena_new(&store_arena, struct catalog_set);

        catalog_init(set, &store_arena);
        for (size_t i = 0; i < n; i++)
                catalog_want_location(set, codes[i]);
        cr_assert_eq(catalog_load(store_database, set), PROBLEM_NONE);
        return set;
}

static void put(const struct location *location) {
        struct catalog_set *set = arena_new(&store_arena, struct catalog_set);
        struct location *place;

        catalog_init(set, &store_arena);
        catalog_want_location(set, location->code);
        cr_assert_eq(catalog_lock(store_database, set), PROBLEM_NONE);
        store_trip();
        place = catalog_location(set, location->code);
        *place = *location;
        place->record = (struct record){ 0 };
        record_put(&place->record, /* same= */ false, STORE_NOW);
        cr_assert_eq(catalog_save(store_database, set), PROBLEM_NONE);
        store_trip();
}

/* Locations that share their codes with the zones they are in. */
static void put_zones(const char *condition) {
        char sql[512];

        (void) snprintf(sql, sizeof(sql),
                "insert into locations (code, name, kind, time_zone, country, capabilities, opening_hours, closures,"
                " lead_time_s, hold_for_s, created_at, updated_at)"
                " select name, name, 'store', name, 'DE', '{}', '[]', '[]', 0, 0, now(), now()"
                " from pg_timezone_names where name !~ '^(posix/|right/|posixrules$|localtime$|Factory$)' and %s",
                condition);
        store_execute(sql);
}

static timestamp at(const char *text) {
        timestamp instant;

        cr_assert(timestamp_parse(text, &instant), "%s", text);
        return instant;
}

/* ---- the table ---- */

static bool promise_of(const struct promise_case *promise, const char *code, timestamp *ret_promised_at) {
        const timestamp placed_at = at(promise->placed_at);
        struct location location;
        struct catalog_set *set;

        cr_assert(promise_case_location(promise, &store_arena, &location));
        location.code = code;
        put(&location);
        set = set_of(&code, 1);
        zones_read(store_database, set, placed_at);
        store_trip();
        cr_assert(catalog_zones_fit(set));
        return promise_time(
                catalog_find_location(set, code), catalog_find_zone(set, promise->zone), placed_at, ret_promised_at);
}

Test(promise, is_what_the_table_says_with_zones_and_hours_from_the_database) {
        for (size_t i = 0; i < n_promise_cases; i++) {
                const struct promise_case *promise = &promise_cases[i];
                char text[TIMESTAMP_TEXT_SIZE] = "nothing";
                timestamp promised_at = 0;
                bool possible;

                possible = promise_of(promise, arena_format(&store_arena, CODE_FORMAT, i), &promised_at);
                if (possible)
                        timestamp_format(promised_at, text);
                cr_expect_eq(possible, promise->promised_at != NULL, "%s: %s", promise->says, text);
                if (possible && promise->promised_at)
                        cr_expect_eq(promised_at, at(promise->promised_at), "%s: %s", promise->says, text);
        }
}

/* ---- the zones ---- */

static enum problem codes_read(struct rows *rows, void *into) {
        struct catalog_set *set = into;

        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);

                catalog_want_location(set, arena_text(&store_arena, row_text(&row)));
        }
        return PROBLEM_NONE;
}

static struct catalog_set *set_of_all(void) {
        struct catalog_set *set = arena_new(&store_arena, struct catalog_set);

        catalog_init(set, &store_arena);
        database_ask_text(store_database, "select code from locations", codes_read, set);
        store_trip();
        cr_assert_eq(catalog_load(store_database, set), PROBLEM_NONE);
        return set;
}

static enum problem wall_times_check(struct rows *rows, void *into) {
        const struct catalog_set *set = into;

        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                const char *name = row_text(&row);
                const timestamp instant = row_time(&row), wall_time = row_time(&row);
                const struct zone *zone = catalog_find_zone(set, name);

                cr_assert_not_null(zone, "%s", name);
                cr_assert_eq(zone_wall_time(zone, instant), wall_time, "%s at row %zu", name, i);
        }
        return PROBLEM_NONE;
}

/* Every two days and five hours, and on both sides of each change. */
static void expect_wall_times(struct catalog_set *set, const char *from) {
        char sql[512];

        (void) snprintf(sql, sizeof(sql),
                "select l.time_zone, moment, (moment at time zone l.time_zone) at time zone 'UTC' from locations l"
                " cross join generate_series(timestamptz '%s', timestamptz '%s' + interval '368 days',"
                " interval '53 hours') as moment",
                from, from);
        database_ask_text(store_database, sql, wall_times_check, set);
        for (size_t i = 0; i < set->n_zones; i++) {
                for (size_t j = 1; j < set->zones[i].n_spans; j++) {
                        char text[TIMESTAMP_TEXT_SIZE];

                        timestamp_format(set->zones[i].spans[j].begins, text);
                        (void) snprintf(sql, sizeof(sql),
                                "select '%s'::text, moment, (moment at time zone '%s') at time zone 'UTC' from unnest(array["
                                "timestamptz '%s', timestamptz '%s' - interval '1 us']) as moment",
                                set->zones[i].name, set->zones[i].name, text, text);
                        database_ask_text(store_database, sql, wall_times_check, set);
                }
                store_trip();
        }
}

Test(promise, the_clocks_of_every_zone_are_as_postgresql_computes_with_them) {
        static const char *const years[] = { "1985-01-01T00:00:00Z", "2026-11-23T12:00:00Z", "2030-07-01T00:00:00Z" };

        put_zones("true");
        for (size_t i = 0; i < array_size(years); i++) {
                struct catalog_set *set = set_of_all();

                zones_read(store_database, set, at(years[i]));
                store_trip();
                cr_assert_gt(set->n_zones, 300);
                cr_assert(catalog_zones_fit(set));
                expect_wall_times(set, years[i]);
        }
}

Test(promise, locations_of_one_zone_share_it) {
        static const char *const codes[] = { "a", "b", "nowhere" };
        struct location location = { .name = "A", .time_zone = "Europe/Berlin", .country = "DE" };
        struct catalog_set *set;

        location.code = "a";
        put(&location);
        location.code = "b";
        put(&location);
        set = set_of(codes, array_size(codes));
        zones_read(store_database, set, at("2026-11-23T10:00:00Z"));
        store_trip();
        cr_assert_eq(set->n_zones, 1);
        cr_assert_eq(set->zones[0].n_spans, 3);
        cr_assert_eq(set->zones[0].spans[0].begins, TIMESTAMP_NONE);
        cr_assert_eq(set->zones[0].spans[0].ahead, HOUR);
        cr_assert_eq(set->zones[0].spans[1].begins, at("2027-03-28T01:00:00Z"));
        cr_assert_eq(set->zones[0].spans[1].ahead, 2 * HOUR);
        cr_assert_eq(set->zones[0].spans[2].begins, at("2027-10-31T01:00:00Z"));
        cr_assert(catalog_zones_fit(set));
}

Test(promise, a_zone_that_was_read_is_known_the_next_time) {
        static const char *const berlin[] = { "Europe/Berlin" }, *const both[] = { "Asia/Tokyo", "Europe/Berlin" };
        struct catalog_set *set;

        put_zones("name in ('Europe/Berlin', 'Asia/Tokyo')");
        set = set_of(berlin, 1);
        cr_assert_eq(catalog_load_zones(store_database, set), PROBLEM_NONE);
        cr_assert_eq(set->n_zones, 0);
        store_trip();
        cr_assert(catalog_zones_fit(set));
        set = set_of(both, 2);
        cr_assert_eq(catalog_load_zones(store_database, set), PROBLEM_NONE);
        cr_assert_eq(set->n_zones, 1, "before anything is asked");
        store_trip();
        cr_assert_eq(set->n_zones, 2);
        cr_assert(catalog_zones_fit(set));
}

Test(promise, zones_beyond_the_kept_ones_are_read_each_time) {
        put_zones("name ~ '^(Africa|America)/'");
        for (size_t i = 0; i < 3; i++) {
                struct catalog_set *set = set_of_all();

                cr_assert_eq(catalog_load_zones(store_database, set), PROBLEM_NONE);
                cr_assert_eq(set->n_zones, i ? ZONES_KEPT : 0);
                store_trip();
                cr_assert_gt(set->n_zones, ZONES_KEPT + 1);
                cr_assert(catalog_zones_fit(set));
        }
}

/* Both look-ups are separate statements, and another PUT may commit between them. */
Test(promise, a_location_that_moves_to_another_zone_in_between_does_not_fit) {
        static const char *const codes[] = { "Europe/Berlin" };
        struct catalog_set *set;

        put_zones("name = 'Europe/Berlin'");
        set = set_of(codes, 1);
        store_trip();
        store_execute("update locations set time_zone = 'Asia/Kathmandu'");
        cr_assert_eq(catalog_load_zones(store_database, set), PROBLEM_NONE);
        store_trip();
        cr_assert_not(catalog_zones_fit(set));
}
