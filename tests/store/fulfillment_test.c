/* Rows that the commands of the room leave in the database. One order: two of A and one of B, at "alpha". */
#include "fulfillment/fulfillment.h"
#include "scene.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(fulfillment, .init = store_open, .fini = store_close);

#define SECRET "a secret of the tests, 32 bytes or more"

static void place(const char *method, const char *status, bool picked) {
        order_given(&(struct given_order){ .method = method, .status = status, .picked = picked, .on_hand_a = 2 });
}

static struct scene *lock(void) {
        struct scene *scene = arena_new(&store_arena, struct scene);

        scene_begin(scene);
        cr_assert_eq(orders_lock(store_database, &scene->set), PROBLEM_NONE);
        store_trip();
        scene_found(scene);
        return scene;
}

static void save_done(struct scene *work, enum problem p) {
        cr_assert_eq(p, PROBLEM_NONE, "%s: %s", problem_slug(p), work->refusal.detail ? work->refusal.detail : "");
        scene_save(work);
}

/* sku: on_hand unsellable reserved movements */
static void assert_stock(const char *expected) {
        assert_text(
                "select string_agg(concat_ws(' ', sku || ':', on_hand, unsellable, reserved, movements), ', ' order by"
                " sku) from stock",
                expected);
}

static void assert_ledger(const char *expected) {
        assert_text("select coalesce(string_agg(concat_ws(' ', sku, number, reason, on_hand_change, unsellable_change,"
                    " on_hand_after, unsellable_after, actor), ', ' order by sku, number), '') from ledger"
                    " where document = 'fulfillment/" SCENE_FULFILLMENT "'",
                expected);
}

static void assert_events(const char *expected) {
        assert_text("select coalesce(string_agg(type, ', ' order by id), '') from events where order_id = '" SCENE_ORDER
                    "' and actor = 'ben'",
                expected);
}

static enum problem hand_over(struct scene *work, const char *code) {
        const struct handover handover = { .method = PROOF_CODE,
                .value = code,
                .recipient = "Ada \"L\" \xe2\x82\xac",
                .relation = 0,
                .secret = SECRET };
        const enum problem p = fulfillment_hand_over(work->fulfillment, &handover, &work->command);

        if (p) /* as the route does */
                fulfillment_count_wrong_code(work->fulfillment, &handover, &work->command);
        return p;
}

static const char *code_of(const struct scene *work) {
        char *code = arena_alloc(&store_arena, PICKUP_CODE_SIZE);

        cr_assert(pickup_code(SECRET, &work->fulfillment->id, work->fulfillment->pickup_serial, code));
        return code;
}

Test(fulfillment, what_was_handed_over_has_left_the_books) {
        struct scene *work;

        place("pickup", "ready", true);
        work = lock();
        save_done(work, hand_over(work, code_of(work)));
        assert_stock("A: 0 0 0 5, B: 6 0 0 1");
        assert_ledger("A 5 sale -2 0 0 0 ben, B 1 sale -1 0 6 0 ben");
        assert_events("fulfillment.handed_over, order.fulfilled");
        assert_text("select concat_ws(' ', f.status, f.version, o.status, o.version) from fulfillments f"
                    " join orders o on o.id = f.order_id",
                "handed_over 2 fulfilled 2");
        assert_text("select sum(reserved)::text from fulfillment_lines", "0");
}

Test(fulfillment, a_proof_reads_as_it_was_noted) {
        struct scene *work;

        place("pickup", "ready", true);
        work = lock();
        save_done(work, hand_over(work, code_of(work)));
        assert_text("select handover ->> 'method' from fulfillments", "code");
        assert_text("select handover -> 'recipient' ->> 'name' from fulfillments", "Ada \"L\" \xe2\x82\xac");
        assert_text("select handover -> 'recipient' ->> 'relation' from fulfillments", "self");
        cr_assert_not_null(strstr(lock()->fulfillment->handover, "\"verified\": true"));
}

Test(fulfillment, each_wrong_code_is_saved_and_makes_a_new_version) {
        struct scene *work;

        place("pickup", "ready", true);
        for (int i = 0; i < WRONG_CODES_MAX; i++) {
                work = lock();
                cr_assert_eq(work->fulfillment->wrong_codes, i);
                cr_assert_eq(hand_over(work, "ZZZZZZZZ"), PROBLEM_HANDOVER_PROOF_INVALID);
                scene_save(work);
        }
        work = lock();
        cr_assert_eq(work->fulfillment->locked_until, STORE_NOW + HANDOVER_LOCK);
        cr_assert_eq(work->fulfillment->version, 1 + WRONG_CODES_MAX);
        cr_assert_eq(work->fulfillment->order->version, 1 + WRONG_CODES_MAX);
        cr_assert_eq(hand_over(work, code_of(work)), PROBLEM_HANDOVER_LOCKED);
        assert_stock("A: 2 0 2 4, B: 7 0 1 0");
        assert_events("fulfillment.handover_locked");
}

/* The shelf holds just the promised units: the database's own check sees only possible figures. */
Test(fulfillment, what_was_stolen_is_off_the_books) {
        const struct line_units stolen[] = { { scene_id(SCENE_LINE_A), 2 } };
        struct scene *work;

        place("pickup", "allocated", false);
        work = lock();
        save_done(work, fulfillment_short(work->fulfillment, stolen, 1, SHORT_THEFT, NULL, &work->command));
        assert_stock("A: 0 0 0 5, B: 7 0 1 0");
        assert_ledger("A 5 theft -2 0 0 0 ben");
        assert_events("fulfillment.short_picked, order.units_cancelled, refund.due");
        assert_text("select string_agg(concat_ws(' ', short, cancelled, reserved), ', ' order by line)"
                    " from fulfillment_lines",
                "2 0 0, 0 0 1");
        assert_text("select refund_due::text from orders", "200");
}

Test(fulfillment, what_was_damaged_is_there_and_cannot_be_sold) {
        struct scene *work;

        place("ship", "picking", false);
        work = lock();
        save_done(work, fulfillment_reject(work->fulfillment, SHORT_DAMAGED, NULL, &work->command));
        assert_stock("A: 2 2 0 5, B: 7 1 0 1");
        assert_ledger("A 5 damage 0 2 2 2 ben, B 1 damage 0 1 7 1 ben");
        assert_events("fulfillment.rejected, order.units_cancelled, refund.due, order.cancelled");
        assert_text("select concat_ws(' ', status, reason) from fulfillments", "rejected damaged");
        assert_text("select concat_ws(' ', status, cancel_reason) from orders", "cancelled damaged");
}

static void ship(const char *tracking_number, const struct line_units *lines, size_t n_lines) {
        const struct package package = {
                .carrier = "D\"HL]", .tracking_number = tracking_number, .lines = lines, .n_lines = n_lines
        };
        struct scene *work = lock();

        save_done(work, fulfillment_ship(work->fulfillment, &package, 1, &work->command));
}

Test(fulfillment, packages_of_several_days_stand_in_their_order) {
        const struct line_units one[] = { { scene_id(SCENE_LINE_A), 1 } };

        place("ship", "packed", true);
        ship("first", one, 1);
        ship("second", one, 1);
        assert_text("select status from fulfillments", "packed");
        ship("third", NULL, 0);
        assert_text("select status from fulfillments", "shipped");
        assert_text(
                "select string_agg(p ->> 'tracking_number', ' ') from fulfillments, jsonb_array_elements(packages) p",
                "first second third");
        assert_text("select packages -> 0 -> 'lines' -> 0 ->> 'order_line_id' from fulfillments", SCENE_LINE_A);
        assert_stock("A: 0 0 0 6, B: 6 0 0 1");
}

/* As two calls of one batch, which are saved together. */
Test(fulfillment, a_later_command_sees_what_the_one_before_has_done) {
        const struct pick_item items[] = { { .sku = "A", .quantity = 2 }, { .sku = "B", .quantity = 1 } };
        struct scene *work;

        place("curbside", "allocated", false);
        work = lock();
        cr_assert_eq(fulfillment_assign(work->fulfillment, "cleo", false, &work->command), PROBLEM_NONE);
        cr_assert_eq(fulfillment_pick(work->fulfillment, items, 2, "#/lines", NULL, &work->command), PROBLEM_NONE);
        save_done(work, fulfillment_make_ready(work->fulfillment, "shelf C3", DAY, &work->command));
        work = lock();
        cr_assert_eq(work->fulfillment->status, FULFILLMENT_READY);
        cr_assert_eq(work->fulfillment->version, 4);
        cr_assert_eq(work->fulfillment->hold_until, STORE_NOW + DAY);
        cr_assert_str_eq(work->fulfillment->assignee, "cleo");
        cr_assert_str_eq(work->fulfillment->staging_location, "shelf C3");
        cr_assert_eq(fulfillment_remaining(work->fulfillment), 0);
        assert_events("fulfillment.assigned, fulfillment.picking, fulfillment.picked, fulfillment.ready");
}
