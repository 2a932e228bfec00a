#include "catalog/records.h"
#include "engine/cursor.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(catalog, .init = store_open, .fini = store_close);

/* ---- help: records as decide leaves them ---- */

static struct catalog_set *new_set(void) {
        struct catalog_set *set = arena_new(&store_arena, struct catalog_set);

        catalog_init(set, &store_arena);
        return set;
}

static void lock(struct catalog_set *set) {
        cr_assert_eq(catalog_lock(store_database, set), PROBLEM_NONE);
        store_trip();
}

static void save(struct catalog_set *set) {
        cr_assert_eq(catalog_save(store_database, set), PROBLEM_NONE);
        store_trip();
}

static struct catalog_set *locked_product(const char *sku) {
        struct catalog_set *set = new_set();

        catalog_want_product(set, sku);
        lock(set);
        return set;
}

static void put_product(const char *sku, const char *title) {
        struct catalog_set *set = locked_product(sku);
        struct product *product = catalog_product(set, sku);

        product->title = title;
        product->attributes = "{}";
        record_put(&product->record, /* same= */ false, STORE_NOW);
        save(set);
}

static void put_channel(const char *code, enum channel_kind kind) {
        struct catalog_set *set = new_set();
        struct channel *channel;

        catalog_want_channel(set, code);
        lock(set);
        channel = catalog_channel(set, code);
        channel->name = "Channel";
        channel->kind = kind;
        record_put(&channel->record, /* same= */ false, STORE_NOW);
        save(set);
}

static struct location *locked_location(struct catalog_set **ret_set, const char *code) {
        struct catalog_set *set = new_set();

        catalog_want_location(set, code);
        lock(set);
        *ret_set = set;
        return catalog_location(set, code);
}

static void put_location(const char *code, enum location_kind kind, unsigned capabilities) {
        struct catalog_set *set = NULL;
        struct location *location = locked_location(&set, code);

        location->name = code;
        location->kind = kind;
        location->time_zone = "UTC";
        location->country = "DE";
        location->capabilities = capabilities;
        record_put(&location->record, /* same= */ false, STORE_NOW);
        save(set);
}

/* ---- round trips ---- */

Test(catalog, a_channel_reads_as_it_was_saved) {
        struct catalog_set *set = new_set();
        const struct channel *channel;

        put_channel("web", CHANNEL_WEB);
        catalog_want_channel(set, "web");
        catalog_want_channel(set, "nowhere");
        cr_assert_eq(catalog_load(store_database, set), PROBLEM_NONE);
        store_trip();
        channel = catalog_find_channel(set, "web");
        cr_assert_not_null(channel);
        cr_assert_str_eq(channel->name, "Channel");
        cr_assert_eq(channel->kind, CHANNEL_WEB);
        cr_assert_eq(channel->record.version, 1);
        cr_assert_eq(channel->record.created_at, STORE_NOW);
        cr_assert_null(catalog_find_channel(set, "nowhere"));
        cr_assert_not_null(catalog_channel(set, "nowhere"), "a place that holds nothing yet");
        cr_assert_null(catalog_find_channel(set, "unasked"));
}

static void fill(struct location *location) {
        static const struct slot slots[] = { { 0, 600, 720, 3 }, { 6, 1380, 1440, SLOT_CAPACITY_MAX } };
        static const struct opening openings[] = { { 0, 540, 1440 }, { 4, 1200, 120 } };
        static const struct closure closures[] = { { { 2026, 12, 24 }, true, 540, 780 },
                { { 2026, 12, 25 }, false, 0, 0 } };

        location->name = "Mitte";
        location->kind = LOCATION_WAREHOUSE;
        location->has_position = true;
        location->latitude = 52.520008;
        location->longitude = -13.1;
        location->time_zone = "Europe/Berlin";
        location->country = "DE";
        location->capabilities = CAN_PICKUP | CAN_SHIP;
        location->opening_hours = openings;
        location->n_opening_hours = array_size(openings);
        location->closures = closures;
        location->n_closures = array_size(closures);
        location->lead_time = 0;
        location->hold_for = 60 * DAY;
        location->slots = slots;
        location->n_slots = array_size(slots);
        location->has_cut_off = true;
        location->cut_off = 0;
        location->handover_methods = 2;
        record_put(&location->record, /* same= */ false, STORE_NOW);
}

Test(catalog, a_location_reads_as_it_was_saved) {
        struct catalog_set *set = NULL, *again = NULL;
        struct location *location = locked_location(&set, "mitte");

        cr_assert_not(location->record.exists);
        fill(location);
        save(set);
        cr_assert(location_equal(locked_location(&again, "mitte"), location));
}

Test(catalog, a_location_without_position_hours_or_capabilities_reads_so) {
        struct catalog_set *set = NULL;
        const struct location *location;

        put_location("lager", LOCATION_STORE, 0);
        location = locked_location(&set, "lager");
        cr_assert_not(location->has_position);
        cr_assert_eq(location->capabilities, 0);
        cr_assert_eq(location->n_opening_hours, 0);
        cr_assert_eq(location->n_closures, 0);
        cr_assert_not(location->has_cut_off);
}

Test(catalog, hours_written_by_another_program_are_a_fault_and_not_an_open_shop) {
        struct catalog_set *set = new_set();

        put_location("odd", LOCATION_STORE, 0);
        store_execute("update locations set opening_hours = '[{\"day\":\"mon\"}]' where code = 'odd'");
        catalog_want_location(set, "odd");
        cr_assert_eq(catalog_load(store_database, set), PROBLEM_NONE);
        store_trip_expecting(FAULT_BROKEN);
}

Test(catalog, a_product_reads_as_it_was_saved) {
        struct catalog_set *set = locked_product("SKU-1");
        struct product *product = catalog_product(set, "SKU-1");

        product->title = "Kettle";
        product->gtin = "06291041500213";
        product->price = (struct money){ .amount = 1999, .currency = "EUR" };
        product->image_url = "https://img.example/";
        product->description = "Boils \xe2\x82\xac.";
        product->attributes = "{\"a\": [1, null]}";
        product->returnable = true;
        record_put(&product->record, /* same= */ false, STORE_NOW);
        save(set);
        cr_assert(product_equal(catalog_product(locked_product("SKU-1"), "SKU-1"), product));
}

Test(catalog, a_product_without_the_rest_reads_so) {
        const struct product *product;

        put_product("SKU-1", "Kettle");
        product = catalog_product(locked_product("SKU-1"), "SKU-1");
        cr_assert_null(product->gtin);
        cr_assert_null(product->description);
        cr_assert_null(product->image_url);
        cr_assert_str_empty(product->price.currency);
        cr_assert_not(product->returnable);
        cr_assert_str_eq(product->attributes, "{}");
}

Test(catalog, an_order_reads_only_the_product_columns_it_needs) {
        struct catalog_set *set = new_set();
        const struct product *product;

        put_product("SKU-1", "Kettle");
        catalog_want_product(set, "SKU-1");
        catalog_want_product(set, "SKU-1");
        cr_assert_eq(catalog_load(store_database, set), PROBLEM_NONE);
        store_trip();
        cr_assert_eq(set->n_products, 1);
        product = catalog_find_product(set, "SKU-1");
        cr_assert_str_eq(product->title, "Kettle");
        cr_assert_null(product->attributes);
}

Test(catalog, an_update_raises_the_version_and_keeps_the_beginning) {
        struct catalog_set *set;
        struct product *product;

        put_product("SKU-1", "Kettle");
        set = locked_product("SKU-1");
        product = catalog_product(set, "SKU-1");
        product->title = "Kettle, red";
        record_put(&product->record, /* same= */ false, STORE_NOW + HOUR);
        save(set);
        product = catalog_product(locked_product("SKU-1"), "SKU-1");
        cr_assert_str_eq(product->title, "Kettle, red");
        cr_assert_eq(product->record.version, 2);
        cr_assert_eq(product->record.created_at, STORE_NOW);
        cr_assert_eq(product->record.updated_at, STORE_NOW + HOUR);
}

Test(catalog, an_unchanged_record_is_not_written) {
        struct catalog_set *set;

        put_product("SKU-1", "Kettle");
        set = locked_product("SKU-1");
        catalog_product(set, "SKU-1")->title = "Not to be seen";
        record_put(&catalog_product(set, "SKU-1")->record, /* same= */ true, STORE_NOW);
        save(set);
        cr_assert_str_eq(catalog_product(locked_product("SKU-1"), "SKU-1")->title, "Kettle");
}

/* A rival's earlier insert causes a unique violation, so that the batch runs again and finds its row. */
Test(catalog, two_that_insert_the_same_code_do_not_overwrite_each_other) {
        struct catalog_set *set = locked_product("SKU-1");
        struct product *product = catalog_product(set, "SKU-1");

        put_product("SKU-1", "The rival's");
        product->title = "Ours";
        product->attributes = "{}";
        record_put(&product->record, /* same= */ false, STORE_NOW);
        cr_assert_eq(catalog_save(store_database, set), PROBLEM_NONE);
        store_trip_expecting(FAULT_RIVAL);
}

static struct listing *locked_listing(struct catalog_set **ret_set, const char *channel, const char *sku) {
        struct catalog_set *set = new_set();

        catalog_want_listing(set, channel, sku);
        lock(set);
        *ret_set = set;
        return catalog_listing(set, channel, sku);
}

Test(catalog, a_listing_knows_whether_its_parents_exist) {
        struct catalog_set *set = NULL;
        const struct listing *listing;

        put_product("SKU-1", "Kettle");
        put_channel("web", CHANNEL_WEB);
        listing = locked_listing(&set, "web", "SKU-1");
        cr_assert(listing->channel_known && listing->sku_known && !listing->record.exists);
        listing = locked_listing(&set, "app", "SKU-1");
        cr_assert(!listing->channel_known && listing->sku_known);
        listing = locked_listing(&set, "web", "SKU-2");
        cr_assert(listing->channel_known && !listing->sku_known);
}

static void put_listing(const char *channel, const char *sku) {
        struct catalog_set *set = NULL;
        struct listing *listing = locked_listing(&set, channel, sku);

        listing->title = "The kettle";
        listing->price = (struct money){ .amount = 0, .currency = "JPY" };
        listing->external_sku = "EXT";
        listing->published = true;
        record_put(&listing->record, /* same= */ false, STORE_NOW);
        save(set);
}

Test(catalog, a_listing_reads_as_it_was_saved) {
        struct catalog_set *set = NULL;
        const struct listing *listing;

        put_product("SKU-1", "Kettle");
        put_channel("web", CHANNEL_WEB);
        put_listing("web", "SKU-1");
        listing = locked_listing(&set, "web", "SKU-1");
        cr_assert_str_eq(listing->title, "The kettle");
        cr_assert_str_eq(listing->price.currency, "JPY");
        cr_assert_str_eq(listing->external_sku, "EXT");
        cr_assert(listing->published);
        cr_assert_eq(listing->record.version, 1);
}

/* Sorted as strcmp sorts, whatever the database's collation: a look-up searches the rows by halving. */
Test(catalog, every_record_of_a_large_set_is_found) {
        static const char *const codes[] = { "a", "B", "_not-first", "a-b", "a.b", "aB", "Z", "z", "a~", "0", "a0",
                "A" };
        struct catalog_set *set = new_set();

        for (size_t i = 0; i < array_size(codes); i++) {
                put_product(codes[i], codes[i]);
                catalog_want_product(set, codes[i]);
        }
        for (size_t i = 0; i < 200; i++)
                catalog_want_product(set, arena_format(&store_arena, "missing-%zu", i));
        cr_assert_eq(catalog_load(store_database, set), PROBLEM_NONE);
        store_trip();
        cr_assert_eq(set->n_products, 200 + array_size(codes));
        for (size_t i = 0; i < array_size(codes); i++)
                cr_assert_str_eq(catalog_find_product(set, codes[i])->title, codes[i]);
        cr_assert_null(catalog_find_product(set, "missing-0"));
}

Test(catalog, without_named_records_no_statement_is_queued) {
        struct catalog_set *set = new_set();

        cr_assert_eq(catalog_load(store_database, set), PROBLEM_NONE);
        cr_assert_null(catalog_find_location(set, "mitte"));
        cr_assert_null(catalog_find_listing(set, "web", "SKU-1"));
}

Test(catalog, a_set_that_ran_out_of_memory_says_so) {
        struct arena small;
        struct catalog_set set;

        arena_init(&small, 0);
        catalog_init(&set, &small);
        catalog_want_channel(&set, "web");
        cr_assert_eq(catalog_load(store_database, &set), FAULT_BUSY);
        arena_clear(&small);
}

/* ---- time zones and JSON texts from PostgreSQL ---- */

Test(catalog, existing_zones_are_found_by_their_exact_names) {
        static const char *const names[] = { "Europe/Berlin", "europe/berlin", "UTC", "posix/Europe/Berlin", "Factory",
                "localtime", "CEST", "XYZ-3", "America/Argentina/Buenos_Aires", "" };
        struct location berlin = { .time_zone = "Europe/Berlin" }, posix = { .time_zone = "posix/Europe/Berlin" };
        struct refusal refusal = { 0 };
        struct zones zones;

        zones_ask(store_database, names, array_size(names), &store_arena, &zones);
        store_trip();
        cr_assert_eq(zones.n, 3);
        cr_assert(location_zone_known(&berlin, zones.names, zones.n, &store_arena, &refusal));
        cr_assert_not(location_zone_known(&posix, zones.names, zones.n, &store_arena, &refusal));
}

Test(catalog, documents_come_back_as_they_will_be_stored_and_in_order) {
        const char *texts[] = { "{\"b\":1e2,\"a\":{}}", NULL, "{}" };

        documents_ask(store_database, texts, array_size(texts), &store_arena);
        store_trip();
        cr_assert_str_eq(texts[0], "{\"a\": {}, \"b\": 100}");
        cr_assert_null(texts[1]);
        cr_assert_str_eq(texts[2], "{}");
}

Test(catalog, the_key_of_the_cursors_is_there) {
        struct batch batch = { .database = store_database, .arena = &store_arena };
        const struct cursor_key *key = NULL;

        cr_assert_eq(pages_load(&batch, &key), PROBLEM_NONE);
        store_trip();
        cr_assert(key->known);
}

/* ---- pages ---- */

static const char *codes_of_locations(const struct catalog_set *set) {
        struct buffer codes;

        buffer_init(&codes, &store_arena, 1024);
        for (size_t i = 0; i < set->n_locations; i++)
                buffer_append_format(&codes, "%s ", set->locations[i].code);
        return buffer_text(&codes);
}

static const char *locations_found(struct catalog_filter filter) {
        struct catalog_set *set = new_set();

        locations_page(store_database, &filter, set);
        store_trip();
        return codes_of_locations(set);
}

Test(catalog, locations_come_by_code_as_far_as_the_filter_goes) {
        static const char *const covered[] = { "b", "d", "x" };

        put_location("a", LOCATION_STORE, CAN_PICKUP);
        put_location("b", LOCATION_WAREHOUSE, CAN_SHIP);
        put_location("c", LOCATION_STORE, CAN_PICKUP | CAN_SHIP);
        put_location("d", LOCATION_STORE, 0);
        cr_assert_str_eq(locations_found((struct catalog_filter){ .limit = 9, .all_codes = true }), "a b c d ");
        cr_assert_str_eq(locations_found((struct catalog_filter){ .limit = 2, .all_codes = true }), "a b ");
        cr_assert_str_eq(
                locations_found((struct catalog_filter){ .limit = 2, .all_codes = true, .after = "b" }), "c d ");
        cr_assert_str_eq(
                locations_found((struct catalog_filter){ .limit = 9, .codes = covered, .n_codes = 3 }), "b d ");
        cr_assert_str_eq(locations_found((struct catalog_filter){ .limit = 9 }), "");
        cr_assert_str_eq(
                locations_found((struct catalog_filter){ .limit = 9, .all_codes = true, .kind = "warehouse" }), "b ");
        cr_assert_str_eq(
                locations_found((struct catalog_filter){ .limit = 9, .all_codes = true, .capability = "ship" }),
                "b c ");
        cr_assert_str_eq(
                locations_found((struct catalog_filter){ .limit = 9, .all_codes = true, .search = "C" }), "c ");
}

static size_t products_found(struct catalog_filter filter) {
        struct catalog_set *set = new_set();

        filter.limit = 9;
        products_page(store_database, &filter, set);
        store_trip();
        return set->n_products;
}

Test(catalog, products_are_found_by_the_beginnings_of_words) {
        put_product("SKU-1", "Rain jacket, l'\xc3\xa9t\xc3\xa9 \\ 'red'");
        put_product("SKU-2", "Rain trousers");
        cr_assert_eq(products_found((struct catalog_filter){ 0 }), 2);
        cr_assert_eq(products_found((struct catalog_filter){ .search = "RAI" }), 2);
        cr_assert_eq(products_found((struct catalog_filter){ .search = "trou rain" }), 1);
        cr_assert_eq(products_found((struct catalog_filter){ .search = "ain" }), 0);
        cr_assert_eq(products_found((struct catalog_filter){ .search = "rain | red" }), 1);
        cr_assert_eq(products_found((struct catalog_filter){ .search = "\xc3\xa9t' \\" }), 1);
        cr_assert_eq(products_found((struct catalog_filter){ .search = "SKU-" }), 2);
        cr_assert_eq(products_found((struct catalog_filter){ .search = "%" }), 0);
        cr_assert_eq(products_found((struct catalog_filter){ .after = "SKU-1" }), 1);
        cr_assert_eq(products_found((struct catalog_filter){ .gtin = "06291041500213" }), 0);
}

Test(catalog, listings_of_a_channel_are_its_own) {
        struct catalog_set *set = new_set();
        const struct catalog_filter filter = { .limit = 9, .channel = "web", .after = "SKU-1" };

        put_product("SKU-1", "Kettle");
        put_product("SKU-2", "Cup");
        put_channel("web", CHANNEL_WEB);
        put_channel("app", CHANNEL_APP);
        put_listing("web", "SKU-1");
        put_listing("web", "SKU-2");
        put_listing("app", "SKU-2");
        listings_page(store_database, &filter, set);
        store_trip();
        cr_assert_eq(set->n_listings, 1);
        cr_assert_str_eq(set->listings[0].channel, "web");
        cr_assert_str_eq(set->listings[0].sku, "SKU-2");
}

Test(catalog, a_token_of_a_channel_lists_it_alone) {
        struct catalog_set *all = new_set(), *one = new_set();
        const struct catalog_filter any = { .limit = 9 }, bound = { .limit = 9, .channel = "web" };

        put_channel("web", CHANNEL_WEB);
        put_channel("app", CHANNEL_APP);
        channels_page(store_database, &any, all);
        channels_page(store_database, &bound, one);
        store_trip();
        cr_assert_eq(all->n_channels, 2);
        cr_assert_eq(one->n_channels, 1);
        cr_assert_str_eq(one->channels[0].code, "web");
}
