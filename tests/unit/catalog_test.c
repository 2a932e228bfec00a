#include "base/country.h"
#include "base/text.h"
#include "catalog/records.h"

#include <criterion/criterion.h>
#include <string.h>

#define ARENA_MAX ((size_t) 4 * 1024 * 1024)
#define NOW       (1000 * DAY)

static struct arena arena;
static struct refusal refusal;

static void open_arena(void) {
        arena_init(&arena, ARENA_MAX);
        refusal = (struct refusal){ 0 };
}

static void close_arena(void) {
        arena_clear(&arena);
}

TestSuite(catalog, .init = open_arena, .fini = close_arena);

/* ---- help ---- */

/* A body as a client writes it, with ' for ". */
static void *body_of(const struct shape *shape, const char *json) {
        char *text = arena_text(&arena, json);
        void *body = NULL;

        for (char *quote = strchr(text, '\''); quote; quote = strchr(quote, '\''))
                *quote = '"';
        refusal = (struct refusal){ 0 };
        if (shape_read(shape, text, strlen(text), &arena, &refusal, &body))
                return NULL;
        return body;
}

#define STORE "'name':'Mitte','kind':'store','time_zone':'Europe/Berlin','country':'DE'"

/* The store with these members more; NULL when it was refused, by the shape or by a rule. */
static struct location *location_of(const char *more) {
        const struct location_body *body = body_of(&location_shape, arena_format(&arena, "{" STORE "%s}", more));
        struct location *location = arena_new(&arena, struct location);

        return body && location_from(body, &arena, &refusal, location) ? location : NULL;
}

static struct product *product_of(const char *more) {
        const struct product_body *body = body_of(&product_shape, arena_format(&arena, "{'title':'Kettle'%s}", more));
        struct product *product = arena_new(&arena, struct product);

        return body && product_from(body, &arena, &refusal, product) ? product : NULL;
}

/* Refused for this reason alone. */
static void assert_refused_at(const char *pointer, const char *code) {
        cr_assert_eq(refusal.problem, PROBLEM_VALIDATION_FAILED);
        cr_assert_eq(refusal.n_violations, 1, "%zu violations, first %s", refusal.n_violations,
                refusal.violations ? refusal.violations->pointer : "none");
        cr_assert_str_eq(refusal.violations->pointer, pointer);
        cr_assert_str_eq(refusal.violations->code, code);
}

static void assert_location_refused(const char *more, const char *pointer, const char *code) {
        cr_assert_null(location_of(more), "%s", more);
        assert_refused_at(pointer, code);
}

static void assert_product_refused(const char *more, const char *pointer, const char *code) {
        cr_assert_null(product_of(more), "%s", more);
        assert_refused_at(pointer, code);
}

static void assert_location_fine(const char *more) {
        cr_assert_not_null(
                location_of(more), "%s: %s", more, refusal.violations ? refusal.violations->pointer : refusal.detail);
}

/* ---- GTIN ---- */

Test(catalog, a_gtin_of_each_length_is_padded_to_fourteen_digits) {
        cr_assert_str_eq(gtin_from("96385074", "#/gtin", &arena, &refusal), "00000096385074");
        cr_assert_str_eq(gtin_from("614141000036", "#/gtin", &arena, &refusal), "00614141000036");
        cr_assert_str_eq(gtin_from("6291041500213", "#/gtin", &arena, &refusal), "06291041500213");
        cr_assert_str_eq(gtin_from("10614141000415", "#/gtin", &arena, &refusal), "10614141000415");
        cr_assert_eq(refusal.n_violations, 0);
}

Test(catalog, a_wrong_check_digit_differs_from_a_text_that_is_no_gtin) {
        assert_product_refused(",'gtin':'6291041500214'", "#/gtin", "check-digit");
        assert_product_refused(",'gtin':'96385075'", "#/gtin", "check-digit");
        assert_product_refused(",'gtin':''", "#/gtin", "malformed");
        assert_product_refused(",'gtin':'629104150021'", "#/gtin", "check-digit");
        assert_product_refused(",'gtin':'963850741'", "#/gtin", "malformed");
        assert_product_refused(",'gtin':'9638507'", "#/gtin", "malformed");
        assert_product_refused(",'gtin':'062910415002130'", "#/gtin", "malformed");
        assert_product_refused(",'gtin':'629104150021E'", "#/gtin", "malformed");
        assert_product_refused(",'gtin':' 96385074'", "#/gtin", "malformed");
}

/* ---- products ---- */

Test(catalog, a_product_needs_no_more_than_a_title) {
        const struct product *product = product_of("");

        cr_assert_str_eq(product->title, "Kettle");
        cr_assert_null(product->gtin);
        cr_assert_str_empty(product->price.currency);
        cr_assert_str_eq(product->attributes, "{}");
        cr_assert(product->returnable);
}

Test(catalog, a_product_that_cannot_be_returned_says_so) {
        cr_assert_not(product_of(",'returnable':false")->returnable);
}

Test(catalog, a_price_is_not_negative_and_in_a_currency_that_exists) {
        cr_assert_eq(product_of(",'price':{'amount':0,'currency':'JPY'}")->price.amount, 0);
        assert_product_refused(",'price':{'amount':-1,'currency':'EUR'}", "#/price/amount", "out-of-range");
        assert_product_refused(",'price':{'amount':1,'currency':'EUX'}", "#/price/currency", "malformed");
        assert_product_refused(",'price':{'amount':1,'currency':'eur'}", "#/price/currency", "malformed");
}

Test(catalog, an_image_has_an_http_or_https_address) {
        cr_assert_not_null(product_of(",'image_url':'http://img.example/a.png'"));
        cr_assert_not_null(product_of(",'image_url':'https://img.example:8443/a.png?w=1#x'"));
        assert_product_refused(",'image_url':'ftp://img.example/a.png'", "#/image_url", "malformed");
        assert_product_refused(",'image_url':'javascript:alert(1)'", "#/image_url", "malformed");
        assert_product_refused(",'image_url':'https://'", "#/image_url", "malformed");
        assert_product_refused(",'image_url':'https:///a.png'", "#/image_url", "malformed");
        assert_product_refused(",'image_url':'//img.example/a.png'", "#/image_url", "malformed");
        assert_product_refused(",'image_url':'https://img.example/a b.png'", "#/image_url", "malformed");
        assert_product_refused(",'image_url':'https://img.example/<script>'", "#/image_url", "malformed");
        assert_product_refused(",'image_url':'https://img.example/\\u00e4.png'", "#/image_url", "malformed");
}

Test(catalog, attributes_are_an_object_of_16_KiB_at_most) {
        char *large = arena_alloc(&arena, ATTRIBUTES_SIZE_MAX);

        memset(large, 'x', ATTRIBUTES_SIZE_MAX - 9); /* {"a":""} has 8 bytes, and a NUL */
        cr_assert_not_null(product_of(arena_format(&arena, ",'attributes':{'a':'%s'}", large)));
        memset(large, 'x', ATTRIBUTES_SIZE_MAX - 7);
        assert_product_refused(arena_format(&arena, ",'attributes':{'a':'%s'}", large), "#/attributes", "too-long");
        assert_product_refused(",'attributes':['a']", "#/attributes", "wrong-type");
}

Test(catalog, attributes_that_grow_when_they_are_stored_are_refused) {
        char *large = arena_alloc(&arena, ATTRIBUTES_STORED_MAX + 2);
        struct product product = { 0 };

        memset(large, 'x', ATTRIBUTES_STORED_MAX);
        cr_assert(product_attributes_from(large, &arena, &refusal, &product));
        cr_assert_eq(product.attributes, large);
        large[ATTRIBUTES_STORED_MAX] = 'x';
        cr_assert_not(product_attributes_from(large, &arena, &refusal, &product));
        assert_refused_at("#/attributes", "too-long");
}

Test(catalog, attributes_that_were_not_sent_stay_as_they_are) {
        struct product product = { .attributes = "{}" };

        cr_assert(product_attributes_from(NULL, &arena, &refusal, &product));
        cr_assert_str_eq(product.attributes, "{}");
}

Test(catalog, each_member_of_a_product_makes_a_difference) {
        const struct product *plain = product_of("");

        cr_assert(product_equal(plain, product_of("")));
        cr_assert_not(product_equal(plain, product_of(",'gtin':'96385074'")));
        cr_assert_not(product_equal(plain, product_of(",'price':{'amount':0,'currency':'EUR'}")));
        cr_assert_not(product_equal(product_of(",'price':{'amount':0,'currency':'USD'}"),
                product_of(",'price':{'amount':0,'currency':'EUR'}")));
        cr_assert_not(product_equal(plain, product_of(",'description':''")));
        cr_assert_not(product_equal(plain, product_of(",'image_url':'https://img.example/'")));
        cr_assert_not(product_equal(plain, product_of(",'returnable':false")));
        cr_assert_not(product_equal(plain, product_of(",'attributes':{'a':1}")));
}

/* ---- locations ---- */

Test(catalog, a_location_has_defaults_for_what_it_leaves_out) {
        const struct location *location = location_of("");

        cr_assert_eq(location->kind, LOCATION_STORE);
        cr_assert_not(location->has_position);
        cr_assert_eq(location->capabilities, 0);
        cr_assert_eq(location->lead_time, 2 * HOUR);
        cr_assert_eq(location->hold_for, 7 * DAY);
        cr_assert_eq(location->n_opening_hours, 0);
        cr_assert_eq(location->n_closures, 0);
}

Test(catalog, a_position_has_both_coordinates_or_none) {
        cr_assert(location_of(",'latitude':-90,'longitude':180")->has_position);
        assert_location_refused(",'latitude':1", "#/longitude", "required");
        assert_location_refused(",'longitude':1", "#/latitude", "required");
        assert_location_refused(",'latitude':90.001,'longitude':0", "#/latitude", "out-of-range");
        assert_location_refused(",'latitude':0,'longitude':-180.001", "#/longitude", "out-of-range");
}

Test(catalog, a_country_is_one_of_ISO_3166_1) {
        cr_assert(country_exists("AD"));
        cr_assert(country_exists("ZW"));
        cr_assert_not(country_exists("de"));
        cr_assert_not(country_exists("UK"));
        cr_assert_not(country_exists("D "));
        cr_assert_not(country_exists(" D"));
        cr_assert_not(country_exists("DEU"));
        cr_assert_not(country_exists("D"));
        cr_assert_not(country_exists(""));
        cr_assert_null(body_of(&location_shape, "{'name':'a','kind':'store','time_zone':'UTC','country':'DEU'}"));
        assert_refused_at("#/country", "too-long");
}

Test(catalog, a_country_that_does_not_exist_is_refused) {
        struct location location = { 0 };
        const struct location_body *body =
                body_of(&location_shape, "{'name':'a','kind':'store','time_zone':'UTC','country':'XX'}");

        cr_assert_not(location_from(body, &arena, &refusal, &location));
        assert_refused_at("#/country", "malformed");
}

Test(catalog, capabilities_are_not_repeated) {
        cr_assert_eq(location_of(",'capabilities':['ship','pickup']")->capabilities, CAN_PICKUP | CAN_SHIP);
        cr_assert_eq(location_of(",'capabilities':['returns','curbside']")->capabilities, CAN_CURBSIDE | CAN_RETURNS);
        assert_location_refused(",'capabilities':['ship','pickup','ship']", "#/capabilities/2", "repeated");
        assert_location_refused(",'capabilities':['fly']", "#/capabilities/0", "not-allowed");
}

Test(catalog, the_times_of_a_pickup_have_bounds) {
        const struct location *location = location_of(",'pickup':{'lead_time':'PT0S','hold_for':'PT1H'}");

        cr_assert_eq(location->lead_time, 0);
        cr_assert_eq(location->hold_for, HOUR);
        assert_location_fine(",'pickup':{'lead_time':'P30D','hold_for':'P60D'}");
        assert_location_refused(",'pickup':{'lead_time':'P30DT1S'}", "#/pickup/lead_time", "out-of-range");
        assert_location_refused(",'pickup':{'hold_for':'PT59M59S'}", "#/pickup/hold_for", "out-of-range");
        assert_location_refused(",'pickup':{'hold_for':'P60DT1S'}", "#/pickup/hold_for", "out-of-range");
        cr_assert_eq(location_of(",'pickup':{}")->hold_for, HOLD_FOR_DEFAULT);
}

Test(catalog, a_cut_off_is_a_time_of_day_or_none) {
        cr_assert_not(location_of("")->has_cut_off);
        cr_assert_not(location_of(",'pickup':{'cut_off':null}")->has_cut_off);
        cr_assert(location_of(",'pickup':{'cut_off':'00:00'}")->has_cut_off);
        cr_assert_eq(location_of(",'pickup':{'cut_off':'23:59'}")->cut_off, CUT_OFF_MAX);
        assert_location_refused(",'pickup':{'cut_off':'24:00'}", "#/pickup/cut_off", "malformed");
        assert_location_refused(",'pickup':{'cut_off':'4 pm'}", "#/pickup/cut_off", "malformed");
        assert_location_refused(",'pickup':{'cut_off':'16:00:00.0'}", "#/pickup/cut_off", "too-long");
        assert_location_refused(",'pickup':{'cut_off':16}", "#/pickup/cut_off", "wrong-type");
}

Test(catalog, a_weekday_may_have_a_cut_off) {
        const struct location *location =
                location_of(",'pickup':{'cut_off':'16:00','cut_offs':{'sun':'00:00','fri':'14:30'}}");

        cr_assert_eq(location->cut_off_days, 1u << 4 | 1u << 6);
        cr_assert_eq(location->cut_offs[4], 14 * 60 + 30);
        cr_assert_eq(location->cut_offs[6], 0);
        cr_assert_eq(location->cut_off, 16 * 60);
        cr_assert_eq(location_of(",'pickup':{'cut_offs':{'mon':null}}")->cut_off_days, 0);
        cr_assert_eq(location_of(",'pickup':{'cut_offs':null}")->cut_off_days, 0);
        assert_location_refused(",'pickup':{'cut_offs':{'fri':'24:00'}}", "#/pickup/cut_offs/fri", "malformed");
        assert_location_refused(",'pickup':{'cut_offs':{'tue':'noon'}}", "#/pickup/cut_offs/tue", "malformed");
        assert_location_refused(
                ",'pickup':{'cut_offs':{'friday':'14:00'}}", "#/pickup/cut_offs/friday", "unknown-member");
        assert_location_refused(",'pickup':{'cut_offs':['14:00']}", "#/pickup/cut_offs", "wrong-type");
}

#define SLOTS(...)                  ",'pickup':{'slots':[" __VA_ARGS__ "]}"
#define SLOT(day, from, to, places) "{'day':'" day "','from':'" from "','to':'" to "','capacity':" places "}"

Test(catalog, slots_come_by_day_and_beginning) {
        const struct location *location = location_of(SLOTS(SLOT("tue", "10:00", "24:00", "1") "," SLOT(
                "mon", "12:00", "13:00", "10000") "," SLOT("mon", "10:00", "12:30", "2")));

        cr_assert_eq(location->n_slots, 3);
        cr_assert_eq(location->slots[0].begins, 10 * 60);
        cr_assert_eq(location->slots[1].capacity, SLOT_CAPACITY_MAX);
        cr_assert_eq(location->slots[2].ends, 24 * 60);
        cr_assert_eq(location_of("")->n_slots, 0);
        assert_location_refused(SLOTS(SLOT("mon", "12:00", "12:00", "1")), "#/pickup/slots/0/to", "out-of-range");
        assert_location_fine(SLOTS(SLOT("sat", "10:00", "12:00", "8") "," SLOT("sat", "11:00", "13:00", "8")));
        assert_location_refused(SLOTS(SLOT("mon", "12:00", "12:60", "1")), "#/pickup/slots/0/to", "malformed");
        assert_location_refused(SLOTS(SLOT("mon", "12:00", "13:00", "0")), "#/pickup/slots/0/capacity", "out-of-range");
        assert_location_refused(SLOTS(SLOT("mon", "12:00", "13:00", "1") "," SLOT("mon", "12:00", "14:00", "1")),
                "#/pickup/slots/1/from", "repeated");
}

Test(catalog, slots_make_a_difference_down_to_the_place) {
        static const char *const slots[] = {
                SLOTS(SLOT("mon", "12:00", "13:00", "1")),
                SLOTS(SLOT("tue", "12:00", "13:00", "1")),
                SLOTS(SLOT("mon", "12:01", "13:00", "1")),
                SLOTS(SLOT("mon", "12:00", "13:01", "1")),
                SLOTS(SLOT("mon", "12:00", "13:00", "2")),
                "",
        };

        for (size_t i = 0; i < array_size(slots); i++)
                for (size_t j = 0; j < array_size(slots); j++)
                        cr_assert_eq(location_equal(location_of(slots[i]), location_of(slots[j])), i == j);
}

Test(catalog, a_time_zone_is_one_of_those_that_were_found) {
        static const char *const names[] = { "UTC", "Europe/Berlin" };
        const struct location *location = location_of("");

        cr_assert(location_zone_known(location, names, 2, &arena, &refusal));
        cr_assert_not(location_zone_known(location, names, 1, &arena, &refusal));
        assert_refused_at("#/time_zone", "unknown-time-zone");
}

Test(catalog, every_fault_is_named_at_once) {
        cr_assert_null(location_of(",'latitude':1,'capabilities':['ship','ship'],'closures':[{'date':'2026-02-30'}],"
                                   "'opening_hours':[{'day':'mon','opens':'9','closes':'10:00'}]"));
        cr_assert_eq(refusal.n_violations, 4);
}

Test(catalog, each_member_of_a_location_makes_a_difference) {
        static const char *const others[] = {
                ",'latitude':0,'longitude':0",
                ",'capabilities':['ship']",
                ",'pickup':{'lead_time':'PT1H'}",
                ",'pickup':{'hold_for':'PT1H'}",
                ",'pickup':{'cut_off':'00:00'}",
                ",'opening_hours':[{'day':'mon','opens':'09:00','closes':'10:00'}]",
                ",'closures':[{'date':'2026-12-24'}]",
        };
        const struct location *plain = location_of("");

        cr_assert(location_equal(plain, location_of("")));
        for (size_t i = 0; i < array_size(others); i++)
                cr_assert_not(location_equal(plain, location_of(others[i])), "%s", others[i]);
}

Test(catalog, hours_make_a_difference_down_to_the_minute) {
        static const char *const hours[] = {
                ",'opening_hours':[{'day':'mon','opens':'09:00','closes':'10:00'}]",
                ",'opening_hours':[{'day':'tue','opens':'09:00','closes':'10:00'}]",
                ",'opening_hours':[{'day':'mon','opens':'09:01','closes':'10:00'}]",
                ",'opening_hours':[{'day':'mon','opens':'09:00','closes':'10:01'}]",
                ",'closures':[{'date':'2026-12-24'}]",
                ",'closures':[{'date':'2026-12-25'}]",
                ",'closures':[{'date':'2026-12-24','opens':'09:00','closes':'10:00'}]",
                ",'closures':[{'date':'2026-12-24','opens':'09:00','closes':'11:00'}]",
        };

        for (size_t i = 0; i < array_size(hours); i++)
                for (size_t j = 0; j < array_size(hours); j++)
                        cr_assert_eq(location_equal(location_of(hours[i]), location_of(hours[j])), i == j);
}

/* ---- hours ---- */

#define OPEN(day, opens, closes) "{'day':'" day "','opens':'" opens "','closes':'" closes "'}"
#define HOURS(...)               ",'opening_hours':[" __VA_ARGS__ "]"

Test(catalog, hours_are_sorted_by_day_and_time) {
        const struct location *location = location_of(HOURS(
                OPEN("sun", "10:00", "12:00") "," OPEN("mon", "14:00", "18:00") "," OPEN("mon", "09:00", "13:00")));

        cr_assert_eq(location->n_opening_hours, 3);
        cr_assert_eq(location->opening_hours[0].opens, 9 * 60);
        cr_assert_eq(location->opening_hours[1].opens, 14 * 60);
        cr_assert_eq(location->opening_hours[2].day, 6);
}

Test(catalog, a_shop_may_close_at_midnight_or_after) {
        assert_location_fine(HOURS(OPEN("mon", "09:00", "24:00")));
        assert_location_fine(HOURS(OPEN("mon", "09:00", "00:00")));
        assert_location_fine(HOURS(OPEN("fri", "20:00", "04:00") "," OPEN("sat", "20:00", "04:00")));
        assert_location_fine(HOURS(OPEN("mon", "00:00", "24:00") "," OPEN("tue", "00:00", "24:00")));
        assert_location_fine(HOURS(OPEN("mon", "00:00", "00:00")));
}

Test(catalog, one_opening_may_begin_when_another_ends) {
        assert_location_fine(HOURS(OPEN("mon", "09:00", "12:00") "," OPEN("mon", "12:00", "18:00")));
        assert_location_fine(HOURS(OPEN("sun", "20:00", "02:00") "," OPEN("mon", "02:00", "18:00")));
}

Test(catalog, openings_do_not_overlap) {
        assert_location_refused(
                HOURS(OPEN("mon", "09:00", "12:00") "," OPEN("mon", "11:59", "18:00")), "#/opening_hours/1", "overlap");
        assert_location_refused(
                HOURS(OPEN("mon", "09:00", "12:00") "," OPEN("mon", "09:00", "12:00")), "#/opening_hours/1", "overlap");
        assert_location_refused(
                HOURS(OPEN("tue", "01:00", "05:00") "," OPEN("mon", "22:00", "01:01")), "#/opening_hours/1", "overlap");
        assert_location_refused(
                HOURS(OPEN("sun", "22:00", "02:00") "," OPEN("mon", "01:00", "05:00")), "#/opening_hours/1", "overlap");
}

Test(catalog, a_time_of_day_is_one_and_only_closing_may_be_midnight_at_the_end) {
        assert_location_refused(HOURS(OPEN("mon", "24:00", "02:00")), "#/opening_hours/0/opens", "malformed");
        assert_location_refused(HOURS(OPEN("mon", "09:00", "24:01")), "#/opening_hours/0/closes", "malformed");
        assert_location_refused(HOURS(OPEN("mon", "9:00", "12:00")), "#/opening_hours/0/opens", "malformed");
        assert_location_refused(HOURS(OPEN("mon", "09:60", "12:00")), "#/opening_hours/0/opens", "malformed");
        assert_location_refused(HOURS("{'day':'mon','opens':'09:00'}"), "#/opening_hours/0/closes", "required");
        assert_location_refused(HOURS(OPEN("day", "09:00", "12:00")), "#/opening_hours/0/day", "not-allowed");
}

#define CLOSED(...) ",'closures':[" __VA_ARGS__ "]"

Test(catalog, a_closure_is_on_a_day_that_exists) {
        assert_location_fine(CLOSED("{'date':'2028-02-29'}"));
        assert_location_refused(CLOSED("{'date':'2026-02-29'}"), "#/closures/0/date", "malformed");
        assert_location_refused(CLOSED("{'date':'24.12.2026'}"), "#/closures/0/date", "malformed");
        assert_location_refused(CLOSED("{'opens':'09:00','closes':'10:00'}"), "#/closures/0/date", "required");
}

Test(catalog, other_hours_have_a_beginning_and_an_end) {
        const struct location *location = location_of(CLOSED("{'date':'2026-12-24','opens':'09:00','closes':'13:00'}"));

        cr_assert(location->closures[0].has_hours);
        cr_assert_eq(location->closures[0].closes, 13 * 60);
        cr_assert_not(location_of(CLOSED("{'date':'2026-12-24'}"))->closures[0].has_hours);
        assert_location_refused(CLOSED("{'date':'2026-12-24','opens':'09:00'}"), "#/closures/0/closes", "required");
        assert_location_refused(CLOSED("{'date':'2026-12-24','closes':'09:00'}"), "#/closures/0/opens", "required");
}

Test(catalog, a_day_is_closed_or_has_hours_that_do_not_overlap) {
        const struct location *location = location_of(CLOSED("{'date':'2026-12-24','opens':'14:00','closes':'16:00'},"
                                                             "{'date':'2026-12-24','opens':'09:00','closes':'13:00'},"
                                                             "{'date':'2025-12-25'}"));

        cr_assert_eq(location->closures[0].date.year, 2025);
        cr_assert_eq(location->closures[1].opens, 9 * 60);
        assert_location_refused(CLOSED("{'date':'2026-12-24'},{'date':'2026-12-24'}"), "#/closures/1", "overlap");
        assert_location_refused(CLOSED("{'date':'2026-12-24'},{'date':'2026-12-24','opens':'09:00','closes':'13:00'}"),
                "#/closures/1", "overlap");
        assert_location_refused(CLOSED("{'date':'2026-12-24','opens':'09:00','closes':'13:00'},"
                                       "{'date':'2026-12-24','opens':'12:00','closes':'14:00'}"),
                "#/closures/1", "overlap");
}

static const char *text_of(void (*write)(struct writer *, const struct location *), const struct location *location) {
        struct buffer *buffer = arena_new(&arena, struct buffer);
        struct writer json;

        buffer_init(buffer, &arena, ARENA_MAX);
        writer_init(&json, buffer);
        write(&json, location);
        return buffer_text(buffer);
}

static void write_both(struct writer *json, const struct location *location) {
        write_list_begin(json);
        write_openings(json, location->opening_hours, location->n_opening_hours);
        write_closures(json, location->closures, location->n_closures);
        write_list_end(json);
}

Test(catalog, hours_read_back_as_they_were_written) {
        const char *openings = "[{\"day\":\"mon\",\"opens\":\"09:05\",\"closes\":\"24:00\"}]";
        const char *closures =
                "[{\"date\":\"0999-01-02\"},{\"date\":\"2026-12-24\",\"opens\":\"00:00\",\"closes\":\"01:00\"}]";
        struct location location = { 0 };

        location.opening_hours = openings_read(openings, &arena, &location.n_opening_hours);
        location.closures = closures_read(closures, &arena, &location.n_closures);
        cr_assert_not_null(location.opening_hours);
        cr_assert_not_null(location.closures);
        cr_assert_str_eq(text_of(write_both, &location), arena_format(&arena, "[%s,%s]", openings, closures));
}

Test(catalog, a_stored_list_of_another_program_is_not_read) {
        size_t n = 0;

        cr_assert_null(openings_read("{}", &arena, &n));
        cr_assert_null(openings_read("[{}]", &arena, &n));
        cr_assert_null(openings_read("[1]", &arena, &n));
        cr_assert_null(openings_read(NULL, &arena, &n));
        cr_assert_null(closures_read("[{\"date\":\"2026-13-01\"}]", &arena, &n));
}

/* ---- channels and listings ---- */

static struct channel *channel_named(const char *json) {
        const struct channel_body *body = body_of(&channel_shape, json);
        struct channel *channel = arena_new(&arena, struct channel);

        return body && channel_from(body, &arena, &refusal, channel) ? channel : NULL;
}

/* The channel with these members more; NULL when it was refused, by the shape or by a rule. */
static struct channel *channel_of(const char *more) {
        return channel_named(arena_format(&arena, "{'name':'a','kind':'web'%s}", more));
}

static void assert_channel_refused(const char *more, const char *pointer, const char *code) {
        cr_assert_null(channel_of(more), "%s", more);
        assert_refused_at(pointer, code);
}

Test(catalog, a_channel_has_a_name_and_one_of_the_kinds) {
        const struct channel *web = channel_of(""), *pos = channel_named("{'name':'a','kind':'pos'}");

        cr_assert_str_eq(channel_kinds[web->kind], "web");
        cr_assert_eq(web->kind, CHANNEL_WEB);
        cr_assert_eq(pos->kind, CHANNEL_POS);
        cr_assert(channel_equal(web, web));
        cr_assert_not(channel_equal(web, pos));
        cr_assert_not(channel_equal(web, channel_named("{'name':'b','kind':'web'}")));
        cr_assert_null(body_of(&channel_shape, "{'name':'a','kind':'fax'}"));
        assert_refused_at("#/kind", "not-allowed");
}

Test(catalog, a_channel_states_only_the_policy_that_its_body_has) {
        const struct channel_policy silent = channel_of("")->policy;
        const struct channel_policy empty = channel_of(",'resourcing':{},'unpaid_ttl':null")->policy;
        const struct channel_policy off = channel_of(",'resourcing':{'enabled':false}")->policy;
        const struct channel_policy near = channel_of(",'resourcing':{'radius_km':5}")->policy;

        cr_assert(!silent.has_resourcing && !silent.has_resourcing_radius_km && !silent.has_unpaid_ttl_s);
        cr_assert(!empty.has_resourcing && !empty.has_resourcing_radius_km && !empty.has_unpaid_ttl_s);
        cr_assert(off.has_resourcing && !off.resourcing && !off.has_resourcing_radius_km);
        cr_assert(!near.has_resourcing && near.has_resourcing_radius_km && near.resourcing_radius_km == 5);
}

Test(catalog, the_time_that_an_order_may_stay_unpaid_has_bounds_or_is_never) {
        cr_assert_eq(channel_of(",'unpaid_ttl':'PT1S'")->policy.unpaid_ttl_s, 1);
        cr_assert_eq(channel_of(",'unpaid_ttl':'P366D'")->policy.unpaid_ttl_s, 366 * DAY / SECOND);
        cr_assert(channel_of(",'unpaid_ttl':'never'")->policy.has_unpaid_ttl_s);
        cr_assert_eq(channel_of(",'unpaid_ttl':'never'")->policy.unpaid_ttl_s, 0);
        assert_channel_refused(",'unpaid_ttl':'PT0S'", "#/unpaid_ttl", "out-of-range");
        assert_channel_refused(",'unpaid_ttl':'P367D'", "#/unpaid_ttl", "out-of-range");
        assert_channel_refused(",'unpaid_ttl':'2 hours'", "#/unpaid_ttl", "malformed");
        assert_channel_refused(",'unpaid_ttl':'Never'", "#/unpaid_ttl", "malformed");
        assert_channel_refused(",'unpaid_ttl':''", "#/unpaid_ttl", "too-short");
        assert_channel_refused(",'resourcing':{'radius_km':-1}", "#/resourcing/radius_km", "out-of-range");
        assert_channel_refused(",'resourcing':{'radius_km':20001}", "#/resourcing/radius_km", "out-of-range");
}

Test(catalog, channels_that_state_another_policy_are_not_equal) {
        const char *const policies[] = { "", ",'resourcing':{'enabled':true}", ",'resourcing':{'enabled':false}",
                ",'resourcing':{'radius_km':0}", ",'resourcing':{'radius_km':9}", ",'unpaid_ttl':'never'",
                ",'unpaid_ttl':'PT9S'", ",'notifications':{'from':'a@b','locale':'de','kinds':[]}",
                ",'notifications':{'from':'a@c','locale':'de','kinds':[]}",
                ",'notifications':{'from':'a@b','locale':'en','kinds':[]}",
                ",'notifications':{'from':'a@b','locale':'de','kinds':['ready']}",
                ",'notifications':{'from':'a@b','locale':'de','kinds':['shipped']}",
                ",'notifications':{'from':'a@b','reply_to':'c@d','locale':'de','kinds':[]}" };

        for (size_t i = 0; i < array_size(policies); i++)
                for (size_t j = 0; j < array_size(policies); j++)
                        cr_assert_eq(channel_equal(channel_of(policies[i]), channel_of(policies[j])), i == j,
                                "%s and %s", policies[i], policies[j]);
}

static struct listing listing_of(const char *json) {
        struct listing listing = { 0 };

        listing_from(body_of(&listing_shape, json), &listing);
        return listing;
}

Test(catalog, a_listing_is_published_unless_it_says_no) {
        cr_assert(listing_of("{}").published);
        cr_assert(listing_of("{'published':null}").published);
        cr_assert_not(listing_of("{'published':false}").published);
}

Test(catalog, each_member_of_a_listing_makes_a_difference) {
        static const char *const others[] = { "{'title':'a'}", "{'price':{'amount':0,'currency':'EUR'}}",
                "{'external_sku':'a'}", "{'published':false}" };
        const struct listing plain = listing_of("{}");

        cr_assert(listing_equal(&plain, &plain));
        for (size_t i = 0; i < array_size(others); i++) {
                const struct listing other = listing_of(others[i]);

                cr_assert_not(listing_equal(&plain, &other), "%s", others[i]);
        }
}

/* ---- versions ---- */

Test(catalog, a_record_begins_with_version_1) {
        struct record record = { 0 };

        record_put(&record, /* same= */ false, NOW);
        cr_assert_eq(record.version, 1);
        cr_assert_eq(record.created_at, NOW);
        cr_assert(record.exists && record.is_new && !record.changed);
}

Test(catalog, a_new_record_that_is_put_again_before_it_is_saved_is_inserted_once) {
        struct record record = { 0 };

        record_put(&record, /* same= */ false, NOW);
        record_put(&record, /* same= */ false, NOW + SECOND);
        cr_assert_eq(record.version, 2);
        cr_assert(record.is_new);
}

Test(catalog, an_equal_record_keeps_its_version) {
        struct record record = { .exists = true, .version = 7, .updated_at = NOW };

        record_put(&record, /* same= */ true, NOW + SECOND);
        cr_assert_eq(record.version, 7);
        cr_assert_eq(record.updated_at, NOW);
        cr_assert_not(record.changed);
        record_put(&record, /* same= */ false, NOW + SECOND);
        cr_assert_eq(record.version, 8);
        cr_assert_eq(record.updated_at, NOW + SECOND);
        cr_assert(record.changed && !record.is_new);
}

Test(catalog, a_body_that_takes_all_memory_is_refused_as_too_large) {
        const struct location_body *body = body_of(&location_shape, "{" STORE HOURS(OPEN("mon", "09:00", "10:00")) "}");
        struct location location = { 0 };
        struct arena none;

        arena_init(&none, 0);
        cr_assert_not(location_from(body, &none, &refusal, &location));
        cr_assert_eq(refusal.problem, PROBLEM_CONTENT_TOO_LARGE);
        arena_clear(&none);
}
