#include "inventory/lists.h"
#include "inventory/lookup.h"
#include "inventory/settings.h"
#include "scene.h"

#include <criterion/criterion.h>
#include <string.h>

/* alpha has A and B, beta (without coordinates) has A; C lies nowhere. */
static void stock_up(void) {
        store_open();
        location_given("alpha", "52.5, 13.25", "");
        location_given("beta", "null, null", "");
        products_given("{A,B,C}");
        store_execute("insert into stock (location, sku, on_hand, unsellable, reserved, safety_stock, movements)"
                      " values ('beta', 'A', 7, 0, 7, 0, 1), ('alpha', 'B', 5, 0, 0, 0, 1),"
                      " ('alpha', 'A', 10, 1, 2, 3, 4)");
}

TestSuite(inventory, .init = stock_up, .fini = store_close);

static struct stock *locked(const struct stock_key *keys, size_t n) {
        struct stock *stock = arena_new(&store_arena, struct stock);

        stock_init(stock, &store_arena);
        for (size_t i = 0; i < n; i++)
                stock_want(stock, keys[i].location, keys[i].sku);
        cr_assert_eq(stock_lock(store_database, stock), PROBLEM_NONE);
        store_trip();
        return stock;
}

static struct stock_row *locked_row(const char *location, const char *sku, struct stock **ret_stock) {
        const struct stock_key key = { location, sku };

        *ret_stock = locked(&key, 1);
        return stock_find(*ret_stock, location, sku);
}

/* ---- locking and saving ---- */

Test(inventory, rows_are_locked_once_and_in_the_order_of_their_keys) {
        const struct stock_key keys[] = { { "beta", "A" }, { "alpha", "B" }, { "beta", "A" }, { "alpha", "A" } };
        const struct stock *stock = locked(keys, array_size(keys));

        cr_assert_eq(stock->n_rows, 3);
        cr_assert_str_eq(stock->rows[0].sku, "A");
        cr_assert_str_eq(stock->rows[1].sku, "B");
        cr_assert_str_eq(stock->rows[2].location, "beta");
        cr_assert_eq(stock->rows[0].on_hand, 10);
        cr_assert_eq(stock->rows[0].unsellable, 1);
        cr_assert_eq(stock->rows[0].reserved, 2);
        cr_assert_eq(stock->rows[0].safety_stock, 3);
        cr_assert_eq(stock->rows[0].movements, 4);
        cr_assert(stock->rows[0].exists);
}

Test(inventory, a_missing_row_knows_the_missing_parent) {
        struct stock *stock;
        const struct stock_row *row = locked_row("alpha", "C", &stock);

        cr_assert_not(row->exists);
        cr_assert(row->location_known && row->sku_known);
        row = locked_row("nowhere", "C", &stock);
        cr_assert(!row->location_known && row->sku_known);
        row = locked_row("alpha", "NONE", &stock);
        cr_assert(row->location_known && !row->sku_known);
}

static void move(const char *location, const char *sku, int64_t on_hand, int64_t unsellable) {
        const struct stock_cause cause = { "count", "adjustment/1", "slip 7", "ana" };
        struct stock *stock;
        struct stock_row *row = locked_row(location, sku, &stock);

        stock_move(stock, row, on_hand, unsellable, &cause);
        cr_assert_eq(stock_save(store_database, stock, &store_events, STORE_NOW), PROBLEM_NONE);
        store_trip();
}

static struct ledger_page *ledger_of(const char *location, const char *sku, int64_t before, int64_t limit) {
        struct ledger_page *page = arena_new(&store_arena, struct ledger_page);

        page->arena = &store_arena;
        ledger_page_ask(store_database, page, location, sku, before, limit);
        store_trip();
        return page;
}

Test(inventory, a_movement_is_saved_with_its_ledger_row) {
        const struct ledger_page *ledger;
        const struct stock_row *row;
        struct stock *stock;

        move("alpha", "A", -3, 1);
        row = locked_row("alpha", "A", &stock);
        cr_assert_eq(row->on_hand, 7);
        cr_assert_eq(row->unsellable, 2);
        cr_assert_eq(row->movements, 5);
        cr_assert_eq(row->safety_stock, 3, "what movements do not touch stays");
        ledger = ledger_of("alpha", "A", 0, 10);
        cr_assert_eq(ledger->n_rows, 1);
        cr_assert_eq(ledger->rows[0].number, 5);
        cr_assert_eq(ledger->rows[0].on_hand_change, -3);
        cr_assert_eq(ledger->rows[0].unsellable_after, 2);
        cr_assert_str_eq(ledger->rows[0].reason, "count");
        cr_assert_str_eq(ledger->rows[0].document, "adjustment/1");
        cr_assert_str_eq(ledger->rows[0].reference, "slip 7");
        cr_assert_str_eq(ledger->rows[0].actor, "ana");
        cr_assert_eq(ledger->rows[0].recorded_at, STORE_NOW);
}

Test(inventory, the_first_movement_makes_the_row) {
        const struct stock_row *row;
        struct stock *stock;

        move("alpha", "C", 8, 0);
        row = locked_row("alpha", "C", &stock);
        cr_assert(row->exists);
        cr_assert_eq(row->on_hand, 8);
        cr_assert_eq(row->movements, 1);
}

Test(inventory, an_unchanged_row_is_not_written) {
        struct stock *stock;

        (void) locked_row("alpha", "C", &stock);
        cr_assert_eq(stock_save(store_database, stock, &store_events, STORE_NOW), PROBLEM_NONE);
        store_trip();
        cr_assert_not(locked_row("alpha", "C", &stock)->exists);
}

Test(inventory, promising_more_than_is_there_is_refused_by_the_database_as_well) {
        struct stock *stock;
        struct stock_row *row = locked_row("alpha", "B", &stock);

        stock_reserve(row, 6);
        cr_assert_eq(stock_save(store_database, stock, &store_events, STORE_NOW), PROBLEM_NONE);
        store_trip_expecting(FAULT_POISON);
}

Test(inventory, stock_of_an_unknown_product_is_a_rival) {
        const struct stock_cause cause = { .reason = "receipt", .actor = "ana" };
        struct stock *stock;

        (void) locked_row("alpha", "NONE", &stock);
        stock_move(stock, &stock->rows[0], 1, 0, &cause);
        cr_assert_eq(stock_save(store_database, stock, &store_events, STORE_NOW), PROBLEM_NONE);
        store_trip_expecting(FAULT_RIVAL);
}

/* ---- reading ---- */

Test(inventory, rows_are_found_by_product_and_by_key) {
        struct lookup lookup;
        const struct shelf *shelves;
        size_t n;

        lookup_init(&lookup, &store_arena);
        lookup_want_everywhere(&lookup, "C");
        lookup_want_everywhere(&lookup, "nobody");
        lookup_want_everywhere(&lookup, "A");
        lookup_want_everywhere(&lookup, "A");
        lookup_want_row(&lookup, "beta", "A");
        lookup_want_row(&lookup, "alpha", "B");
        lookup_want_row(&lookup, "beta", "B");
        cr_assert_eq(lookup_read(store_database, &lookup), PROBLEM_NONE);
        store_trip();

        shelves = lookup_everywhere(&lookup, "A", &n);
        cr_assert_eq(n, 2);
        cr_assert_str_eq(shelves[0].row.location, "alpha");
        cr_assert_eq(shelves[0].row.safety_stock, 3);
        cr_assert(shelves[0].has_position);
        cr_assert_eq(shelves[0].longitude, 13.25);
        cr_assert_not(shelves[1].has_position);
        cr_assert(lookup_knows(&lookup, "A"));
        (void) lookup_everywhere(&lookup, "C", &n);
        cr_assert_eq(n, 0);
        cr_assert(lookup_knows(&lookup, "C"));
        cr_assert_not(lookup_knows(&lookup, "nobody"));

        cr_assert_eq(lookup_row(&lookup, "beta", "A")->row.reserved, 7);
        cr_assert_eq(lookup_row(&lookup, "alpha", "B")->row.on_hand, 5);
        cr_assert_null(lookup_row(&lookup, "beta", "B"));
}

static struct stock_page *page_of(const char *location, const char *after, int64_t limit) {
        struct stock_page *page = arena_new(&store_arena, struct stock_page);

        page->arena = &store_arena;
        stock_page_ask(store_database, page, location, after, limit);
        store_trip();
        return page;
}

Test(inventory, a_page_goes_on_after_the_last_one) {
        const struct stock_page *page = page_of("alpha", NULL, 1);

        cr_assert_eq(page->n_rows, 1);
        cr_assert_str_eq(page->rows[0].sku, "A");
        cr_assert_eq(page->rows[0].unsellable, 1);
        page = page_of("alpha", "A", 5);
        cr_assert_eq(page->n_rows, 1);
        cr_assert_str_eq(page->rows[0].sku, "B");
        cr_assert_eq(page_of("alpha", "B", 5)->n_rows, 0);
        cr_assert_eq(page_of("nowhere", NULL, 5)->n_rows, 0);
}

Test(inventory, movements_come_newest_first_and_go_on_before_the_last_one) {
        const struct ledger_page *page;

        for (int i = 0; i < 3; i++)
                move("alpha", "B", 1, 0);
        page = ledger_of("alpha", "B", 0, 2);
        cr_assert_eq(page->n_rows, 2);
        cr_assert_eq(page->rows[0].number, 4);
        cr_assert_eq(page->rows[1].number, 3);
        page = ledger_of("alpha", "B", 3, 2);
        cr_assert_eq(page->n_rows, 1);
        cr_assert_eq(page->rows[0].number, 2);
}

/* ---- safety stock ---- */

static struct stock_settings *locked_settings(void) {
        struct stock_settings *settings = arena_new(&store_arena, struct stock_settings);

        stock_settings_init(settings, &store_arena);
        stock_settings_want(settings, "beta", "A");
        stock_settings_want(settings, "alpha", "C");
        stock_settings_want(settings, "alpha", "C");
        stock_settings_want(settings, "nowhere", "A");
        cr_assert_eq(stock_settings_lock(store_database, settings), PROBLEM_NONE);
        store_trip();
        return settings;
}

Test(inventory, safety_stock_reads_as_it_was_saved) {
        struct stock_settings *settings = locked_settings();
        struct stock_setting *beta = stock_setting_find(settings, "beta", "A");
        struct stock_setting *alpha = stock_setting_find(settings, "alpha", "C");

        cr_assert_eq(settings->n_rows, 3);
        cr_assert_eq(beta->record.version, 1);
        cr_assert_eq(beta->figures.reserved, 7);
        cr_assert(!alpha->record.exists && alpha->figures.location_known && alpha->figures.sku_known);
        cr_assert_not(stock_setting_find(settings, "nowhere", "A")->figures.location_known);
        beta->record.version = 2;
        beta->record.changed = true;
        beta->figures.safety_stock = 4;
        alpha->record = (struct record){ .version = 1, .exists = true, .is_new = true };
        alpha->figures.safety_stock = 9;
        cr_assert_eq(stock_settings_save(store_database, settings), PROBLEM_NONE);
        store_trip();

        settings = locked_settings();
        beta = stock_setting_find(settings, "beta", "A");
        alpha = stock_setting_find(settings, "alpha", "C");
        cr_assert_eq(beta->record.version, 2);
        cr_assert_eq(beta->figures.safety_stock, 4);
        cr_assert_eq(beta->figures.reserved, 7, "figures are not touched");
        cr_assert(alpha->record.exists);
        cr_assert_eq(alpha->figures.safety_stock, 9);
}
