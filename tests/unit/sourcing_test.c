/* The plan for any needs and candidates: properties of the choice, over worlds at random. */
#include "dice.h"
#include "sourcing/sourcing.h"

#include "base/snapshot.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define NOW        (INT64_C(1795256130) * SECOND)
#define WORLDS     20000
#define PLACES_MAX 7
#define SKUS_MAX   3
#define NEEDS_MAX  5

static const char *const codes[PLACES_MAX] = { "alpha", "beta", "delta", "depot", "gamma", "omega", "zeta" };
static const char *const skus[SKUS_MAX] = { "SKU-A", "SKU-B", "SKU-C" };
static const struct zone_span always[] = { { .begins = TIMESTAMP_NONE } };
static const struct zone utc = { .name = "UTC", .spans = always, .n_spans = 1 };
static const struct opening mondays[] = { { .day = 0, .opens = 540, .closes = 600 } };

/* Locations, their shelves, and the needs. */
static struct world {
        struct arena arena;
        uint64_t dice;
        struct location locations[PLACES_MAX];
        struct candidate candidates[PLACES_MAX];
        struct stock_row rows[PLACES_MAX * SKUS_MAX];
        int64_t reserved[PLACES_MAX * SKUS_MAX]; /* before the choice */
        const char *excluded[NEEDS_MAX][PLACES_MAX];
        struct sourcing_need needs[NEEDS_MAX];
        size_t n_needs;
        struct stock stock;
        struct sourcing_search search;
        struct sourcing_plan plan;
} world;

static void given_nothing(void) {
        arena_init(&world.arena, 1024 * 1024);
        stock_init(&world.stock, &world.arena);
        world.stock.rows = world.rows;
        world.search = (struct sourcing_search){ .capability = CAN_PICKUP, .candidates = world.candidates };
        world.n_needs = 0;
}

static void world_clear(void) {
        arena_clear(&world.arena);
}

TestSuite(sourcing, .init = given_nothing, .fini = world_clear);

/* ---- a world in words ---- */

/* Call it in the order of the codes. */
static void location_add(const char *code, double distance) {
        const size_t n = world.search.n_candidates++;

        world.locations[n] = (struct location){ .code = code, .capabilities = CAN_PICKUP | CAN_RETURNS };
        world.candidates[n] =
                (struct candidate){ .code = code, .location = &world.locations[n], .zone = &utc, .distance = distance };
}

static void shelf_put(const char *code, const char *sku, int64_t on_hand) {
        world.rows[world.stock.n_rows++] =
                (struct stock_row){ .location = code, .sku = sku, .on_hand = on_hand, .exists = true };
}

static void need_add(const char *sku, int64_t quantity) {
        world.needs[world.n_needs++] = (struct sourcing_need){ .sku = sku, .quantity = quantity };
}

static void plan_make(void) {
        for (size_t i = 0; i < world.stock.n_rows; i++)
                world.reserved[i] = world.rows[i].reserved;
        candidates_promise(&world.search, NOW);
        cr_assert_eq(
                sourcing_choose(&world.search, world.needs, world.n_needs, &world.stock, &world.plan), PROBLEM_NONE);
}

static void assert_part(size_t place, size_t need, const char *code, int64_t quantity) {
        const struct sourcing_part *part = &world.plan.parts[place];

        cr_assert_lt(place, world.plan.n_parts);
        cr_assert_eq(part->need, need);
        cr_assert_str_eq(part->candidate->code, code);
        cr_assert_eq(part->quantity, quantity, "%ld", (long) part->quantity);
}

/* ---- a world at random ---- */

static int64_t roll(size_t limit) {
        return (int64_t) dice_below(&world.dice, limit);
}

static void location_at_random(size_t place) {
        struct location *location = &world.locations[place];

        location_add(codes[place], roll(6) ? (double) roll(4) : INFINITY);
        if (!roll(5))
                location->capabilities = CAN_SHIP | CAN_CURBSIDE;
        if (roll(8))
                return;
        location->opening_hours = mondays;
        location->n_opening_hours = array_size(mondays);
        location->lead_time = 90 * DAY; /* of opening hours: closed for good */
}

static void shelves_at_random(const char *code) {
        for (size_t i = 0; i < SKUS_MAX; i++) {
                struct stock_row *row = &world.rows[world.stock.n_rows];

                if (!roll(4))
                        continue;
                shelf_put(code, skus[i], roll(12));
                row->unsellable = roll((size_t) row->on_hand / 2 + 1);
                row->reserved = roll((size_t) (row->on_hand - row->unsellable) + 1);
                row->safety_stock = roll(3);
        }
}

static void need_at_random(void) {
        struct sourcing_need *need = &world.needs[world.n_needs];
        const char **excluded = world.excluded[world.n_needs];

        need_add(skus[dice_below(&world.dice, SKUS_MAX)], 1 + roll(6));
        need->excluded = excluded;
        for (size_t i = 0; i < PLACES_MAX; i++)
                if (!roll(8))
                        excluded[need->n_excluded++] = codes[i];
}

static void given_at_random(uint64_t seed) {
        world_clear();
        given_nothing();
        world.dice = seed;
        for (size_t i = 0, n = 1 + dice_below(&world.dice, PLACES_MAX); i < n; i++) {
                location_at_random(i);
                shelves_at_random(codes[i]);
        }
        for (size_t i = 0, n = 1 + dice_below(&world.dice, NEEDS_MAX); i < n; i++)
                need_at_random();
        world.search.near = roll(2) ? codes[dice_below(&world.dice, PLACES_MAX)] : NULL;
        world.search.elsewhere = world.search.near && roll(2);
        candidates_sort(world.candidates, world.search.n_candidates);
}

/* ---- properties ---- */

#define expect(condition, seed) cr_assert(condition, "seed %lu", (unsigned long) (seed))

static int64_t available_before(const struct stock_row *row) {
        struct stock_row before = *row;

        before.reserved = world.reserved[row - world.rows];
        return stock_available(&before);
}

static bool may_supply(const struct candidate *candidate, const struct sourcing_need *need) {
        bool may = candidate->promised_at != TIMESTAMP_NONE && candidate->location->capabilities & CAN_PICKUP &&
                   !candidate->location->n_opening_hours;

        may = may && !(world.search.elsewhere && text_equal(world.search.near, candidate->code));
        for (size_t i = 0; i < need->n_excluded; i++)
                may = may && !text_equal(need->excluded[i], candidate->code);
        return may;
}

/* Units that the plan takes off a row for needs before this one. */
static int64_t taken_before(const struct stock_row *row, size_t need) {
        int64_t units = 0;

        for (size_t i = 0; i < world.plan.n_parts; i++)
                if (world.plan.parts[i].row == row && world.plan.parts[i].need < need)
                        units += world.plan.parts[i].quantity;
        return units;
}

/* Units that the candidate had for a need when it was its turn. */
static int64_t units_at_turn(const struct candidate *candidate, size_t need) {
        const struct stock_row *row = stock_find(&world.stock, candidate->code, world.needs[need].sku);

        return row && may_supply(candidate, &world.needs[need]) ? available_before(row) - taken_before(row, need) : 0;
}

static const struct sourcing_part *part_of(size_t need, const struct candidate *candidate) {
        for (size_t i = 0; i < world.plan.n_parts; i++)
                if (world.plan.parts[i].need == need && world.plan.parts[i].candidate == candidate)
                        return &world.plan.parts[i];
        return NULL;
}

static void expect_no_more_than_available(uint64_t seed) {
        for (size_t i = 0; i < world.stock.n_rows; i++) {
                const struct stock_row *row = &world.rows[i];
                const int64_t taken = taken_before(row, world.n_needs);

                expect(row->reserved == world.reserved[i] + taken, seed);
                expect(taken <= available_before(row), seed);
        }
}

static void expect_no_more_than_needed(uint64_t seed) {
        int64_t left = 0;

        for (size_t need = 0; need < world.n_needs; need++) {
                int64_t units = world.needs[need].left;

                expect(units >= 0, seed);
                left += units;
                for (size_t i = 0; i < world.plan.n_parts; i++)
                        units += world.plan.parts[i].need == need ? world.plan.parts[i].quantity : 0;
                expect(units == world.needs[need].quantity, seed);
        }
        expect(world.plan.left == left, seed);
}

static void expect_only_those_that_may(uint64_t seed) {
        for (size_t i = 0; i < world.plan.n_parts; i++) {
                const struct sourcing_part *part = &world.plan.parts[i];

                expect(part->quantity > 0, seed);
                expect(may_supply(part->candidate, &world.needs[part->need]), seed);
                expect(text_equal(part->row->location, part->candidate->code), seed);
                expect(text_equal(part->row->sku, world.needs[part->need].sku), seed);
                expect(part_of(part->need, part->candidate) == part, seed);
        }
}

static bool has_everything(const struct candidate *candidate) {
        for (size_t need = 0; need < world.n_needs; need++) {
                const struct stock_row *row = stock_find(&world.stock, candidate->code, world.needs[need].sku);
                int64_t wanted = 0;

                for (size_t i = 0; i < world.n_needs; i++)
                        wanted += text_equal(world.needs[i].sku, world.needs[need].sku) ? world.needs[i].quantity : 0;
                if (!row || !may_supply(candidate, &world.needs[need]) || available_before(row) < wanted)
                        return false;
        }
        return true;
}

static const struct candidate *nearest_with_everything(void) {
        for (size_t i = 0; i < world.search.n_candidates; i++)
                if (has_everything(&world.candidates[i]))
                        return &world.candidates[i];
        return NULL;
}

/* True when one location supplies everything. */
static bool expect_one_location_before_a_split(uint64_t seed) {
        const struct candidate *one = nearest_with_everything();

        for (size_t i = 0; one && i < world.plan.n_parts; i++)
                expect(world.plan.parts[i].candidate == one, seed);
        expect(!one || (world.plan.left == 0 && world.plan.n_parts == world.n_needs), seed);
        return one != NULL;
}

/* The nearest that has all of the need supplies it. False when no location has. */
static bool expect_nearest_with_all_of(size_t need, uint64_t seed) {
        for (size_t i = 0; i < world.search.n_candidates; i++) {
                const struct candidate *candidate = &world.candidates[i];
                const struct sourcing_part *part = part_of(need, candidate);

                if (units_at_turn(candidate, need) < world.needs[need].quantity)
                        continue;
                expect(part && part->quantity == world.needs[need].quantity, seed);
                return true;
        }
        return false;
}

/* The nearest few supply all their units, and the last of them the missing rest. */
static void expect_nearest_parts_of(size_t need, uint64_t seed) {
        int64_t missing = world.needs[need].quantity;
        size_t parts = 0;

        for (size_t i = 0; i < world.search.n_candidates; i++) {
                const struct candidate *candidate = &world.candidates[i];
                const struct sourcing_part *part = part_of(need, candidate);
                const int64_t units = units_at_turn(candidate, need);
                const bool wanted = units && missing && parts < SOURCING_SPLIT_MAX;

                expect((part != NULL) == wanted, seed);
                if (!part)
                        continue;
                expect(part->quantity == (units < missing ? units : missing), seed);
                missing -= part->quantity;
                parts++;
        }
        expect(missing == world.needs[need].left, seed);
}

static void expect_nearest_first(uint64_t seed) {
        for (size_t i = 1; i < world.search.n_candidates; i++) {
                const struct candidate *a = &world.candidates[i - 1], *b = &world.candidates[i];

                expect(a->distance < b->distance || (a->distance <= b->distance && strcmp(a->code, b->code) < 0), seed);
        }
        for (size_t need = 0; need < world.n_needs; need++)
                if (!expect_nearest_with_all_of(need, seed))
                        expect_nearest_parts_of(need, seed);
}

Test(sourcing, any_plan_keeps_to_the_stock_the_needs_and_the_order_of_the_candidates, .timeout = 300) {
        size_t whole = 0, short_plans = 0, splits = 0;

        for (uint64_t seed = 0; seed < WORLDS; seed++) {
                given_at_random(seed);
                plan_make();
                expect_no_more_than_available(seed);
                expect_no_more_than_needed(seed);
                expect_only_those_that_may(seed);
                if (expect_one_location_before_a_split(seed))
                        whole++;
                else
                        expect_nearest_first(seed);
                short_plans += world.plan.left > 0;
                splits += world.plan.n_parts > world.n_needs;
        }
        cr_assert_gt(whole, WORLDS / 100, "the worlds are too poor: %zu", whole);
        cr_assert_gt(short_plans, WORLDS / 10);
        cr_assert_gt(splits, WORLDS / 100, "%zu", splits);
}

Test(sourcing, the_same_needs_get_the_same_plan_in_any_order_of_the_candidates, .timeout = 300) {
        for (uint64_t seed = 0; seed < WORLDS / 10; seed++) {
                struct sourcing_plan first;
                size_t n;

                given_at_random(seed);
                n = world.search.n_candidates;
                plan_make();
                first = world.plan;
                for (size_t i = 0; i < world.stock.n_rows; i++)
                        world.rows[i].reserved = world.reserved[i];
                for (size_t i = n - 1; i > 0; i--) {
                        const size_t other = dice_below(&world.dice, i + 1);
                        const struct candidate moved = world.candidates[i];

                        world.candidates[i] = world.candidates[other];
                        world.candidates[other] = moved;
                }
                candidates_sort(world.candidates, n);
                plan_make();
                expect(first.n_parts == world.plan.n_parts && first.left == world.plan.left, seed);
                for (size_t i = 0; i < first.n_parts; i++)
                        expect(first.parts[i].row == world.plan.parts[i].row &&
                                        first.parts[i].need == world.plan.parts[i].need &&
                                        first.parts[i].quantity == world.plan.parts[i].quantity,
                                seed);
        }
}

/* ---- single cases ---- */

Test(sourcing, one_location_with_everything_beats_two_nearer_ones) {
        location_add("alpha", 1);
        location_add("beta", 2);
        location_add("delta", 9);
        shelf_put("alpha", "SKU-A", 5);
        shelf_put("beta", "SKU-B", 5);
        shelf_put("delta", "SKU-A", 2);
        shelf_put("delta", "SKU-B", 1);
        need_add("SKU-A", 2);
        need_add("SKU-B", 1);
        plan_make();
        cr_assert_eq(world.plan.n_parts, 2);
        assert_part(0, 0, "delta", 2);
        assert_part(1, 1, "delta", 1);
        cr_assert_eq(world.plan.left, 0);
}

/* Two and two units of one SKU: each need alone would fit. */
Test(sourcing, needs_of_one_sku_do_not_count_on_the_same_units) {
        location_add("alpha", 1);
        location_add("beta", 2);
        shelf_put("alpha", "SKU-A", 3);
        shelf_put("beta", "SKU-A", 2);
        need_add("SKU-A", 2);
        need_add("SKU-A", 2);
        plan_make();
        assert_part(0, 0, "alpha", 2);
        assert_part(1, 1, "beta", 2);
}

Test(sourcing, the_location_itself_is_a_candidate_unless_the_search_goes_elsewhere) {
        location_add("alpha", 0);
        location_add("beta", 3);
        shelf_put("alpha", "SKU-A", 5);
        shelf_put("beta", "SKU-A", 5);
        need_add("SKU-A", 1);
        world.search.near = "alpha";
        plan_make();
        assert_part(0, 0, "alpha", 1);
        world.search.elsewhere = true;
        plan_make();
        assert_part(0, 0, "beta", 1);
}

Test(sourcing, a_promise_counts_the_lead_time_of_the_location) {
        location_add("alpha", 0);
        world.locations[0].lead_time = 3 * HOUR;
        candidates_promise(&world.search, NOW);
        cr_assert_eq(world.candidates[0].promised_at, NOW + 3 * HOUR);
        world.search.capability = CAN_SHIP;
        candidates_promise(&world.search, NOW);
        cr_assert_eq(world.candidates[0].promised_at, TIMESTAMP_NONE);
}

Test(sourcing, without_candidates_every_unit_is_left) {
        need_add("SKU-A", 2);
        need_add("SKU-B", 3);
        plan_make();
        cr_assert_eq(world.plan.n_parts, 0);
        cr_assert_eq(world.plan.left, 5);
}

Test(sourcing, fewer_units_than_before_the_locks_start_the_batch_over) {
        location_add("alpha", 1);
        shelf_put("alpha", "SKU-A", 1);
        need_add("SKU-A", 3);
        world.search.left = 2;
        cr_assert_eq(sourcing_confirm(&world.search, world.needs, 1, &world.stock, NOW, &world.plan), PROBLEM_NONE);
        assert_part(0, 0, "alpha", 1);
        world.rows[0].reserved = 0;
        world.search.left = 1;
        cr_assert_eq(sourcing_confirm(&world.search, world.needs, 1, &world.stock, NOW, &world.plan), FAULT_STALE);
}

Test(sourcing, without_memory_no_unit_is_reserved) {
        location_add("alpha", 1);
        shelf_put("alpha", "SKU-A", 1);
        need_add("SKU-A", 1);
        candidates_promise(&world.search, NOW);
        world.arena.ceiling = 1;
        cr_assert_eq(sourcing_choose(&world.search, world.needs, 1, &world.stock, &world.plan), FAULT_BUSY);
        cr_assert_eq(world.rows[0].reserved, 0);
}

Test(sourcing, a_snapshot_restores_the_promises_of_a_search) {
        struct snapshot snapshot;

        location_add("alpha", 1);
        snapshot_init(&snapshot, &world.arena);
        snapshot_begin(&snapshot);
        sourcing_snapshot(&snapshot, &world.search);
        sourcing_snapshot(&snapshot, NULL);
        candidates_promise(&world.search, NOW);
        cr_assert_eq(world.candidates[0].promised_at, NOW);
        snapshot_restore(&snapshot);
        cr_assert_eq(world.candidates[0].promised_at, 0);
}
