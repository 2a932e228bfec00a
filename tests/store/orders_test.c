#include "db/session.h"
#include "orders/orders.h"
#include "orders/placing.h"
#include "scene.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(orders, .init = store_open, .fini = store_close);

/* ---- help: orders as decide leaves them ---- */

#define LATER (STORE_NOW + HOUR)

static void stock_up(void) {
        location_given("alpha", "null, null", "");
        location_given("depot", "null, null", "");
        products_given("{A,B,C}");
        store_execute(
                "insert into stock (location, sku, on_hand, reserved, unsellable, safety_stock, movements)"
                " values ('alpha', 'A', 10, 5, 1, 2, 3), ('alpha', 'B', 10, 3, 0, 0, 0), ('depot', 'A', 9, 4, 0, 0, 0)");
}

static void fulfillments_fill(struct order *order) {
        for (size_t i = 0; i < 2; i++) {
                struct fulfillment *fulfillment = order_add_fulfillment(order, i ? BY_SHIPPING : BY_CURBSIDE,
                        i ? "depot" : "alpha", STORE_NOW + (timestamp) (i + 1) * HOUR, STORE_NOW, &store_arena);

                cr_assert_not_null(fulfillment);
        }
}

/* Line 1 is shipped, the others are collected: lines of a fulfillment need not stand together in the order. */
static void lines_fill(struct order *order) {
        static const char *const skus[] = { "A", "A", "B" };
        static const int64_t quantities[] = { 5, 4, 3 };
        static const size_t places[] = { 0, 2, 1 };
        struct fulfillment_line *allocations = arena_new_array(&store_arena, struct fulfillment_line, order->n_lines);

        for (size_t i = 0; i < order->n_lines; i++) {
                struct fulfillment *fulfillment = order->fulfillments[i == 1];
                struct fulfillment_line *allocation = &allocations[places[i]];

                order->lines[i] = (struct order_line){ .id = uuid_new(),
                        .number = (int64_t) i,
                        .sku = skus[i],
                        .title = "Title with \"quotes\" and \xe2\x82\xac",
                        .quantity = quantities[i],
                        .unit_price = 1000 + (int64_t) i,
                        .order = order };
                *allocation = (struct fulfillment_line){ .fulfillment = fulfillment, .quantity = quantities[i] };
                order_line_allocate(&order->lines[i], allocation);
                if (!fulfillment->n_lines++)
                        fulfillment->lines = allocation;
        }
}

static struct order *new_order(const char *number, const char *external_ref) {
        struct order *order = arena_new(&store_arena, struct order);

        *order = (struct order){ .id = uuid_new(),
                .number = number,
                .channel = "web",
                .external_ref = external_ref,
                .balance.currency = "EUR",
                .actor = "ada",
                .customer = "{\"name\": \"Ada\", \"email\": null}",
                .ship_to = "{\"city\": \"Berlin\", \"latitude\": 52.5}",
                .payment_reference = "pay-7",
                .status = ORDER_OPEN,
                .balance.payment_status = PAYMENT_AUTHORIZED,
                .reservation_id = { { 1, 2, 3 } },
                .subtotal = 12006,
                .discount = 700,
                .shipping = 490,
                .tax = 1900,
                .tax_included = true,
                .balance.total = 11796,
                .balance.payment_due_at = STORE_NOW + DAY,
                .balance.unpaid_since = STORE_NOW - DAY,
                .placed_at = STORE_NOW,
                .updated_at = STORE_NOW + 1,
                .version = 1,
                .lines = arena_new_array(&store_arena, struct order_line, 3),
                .n_lines = 3,
                .discounts = arena_new_array(&store_arena, struct order_discount, 2),
                .n_discounts = 2,
                .is_new = true };
        order->discounts[0] = (struct order_discount){ .amount = 200, .line = 2, .reason = "welcome" };
        order->discounts[1] = (struct order_discount){ .amount = 500, .line = -1 };
        fulfillments_fill(order);
        lines_fill(order);
        return order;
}

static void insert(struct order *order) {
        cr_assert_eq(orders_insert(store_database, &store_arena, &order, 1), PROBLEM_NONE);
}

static struct order *inserted(const char *number, const char *external_ref) {
        struct order *order = new_order(number, external_ref);

        insert(order);
        store_trip();
        return order;
}

static struct order_set *new_set(bool locked) {
        struct order_set *set = arena_new(&store_arena, struct order_set);
        struct stock *stock = arena_new(&store_arena, struct stock);

        stock_init(stock, &store_arena);
        orders_init(set, &store_arena, locked ? stock : NULL);
        return set;
}

static void load(struct order_set *set) {
        cr_assert_eq(set->stock ? orders_lock(store_database, set) : orders_read(store_database, set), PROBLEM_NONE);
        store_trip();
}

static struct order *loaded(const struct uuid *id, bool locked, struct order_set **ret_set) {
        struct order_set *set = new_set(locked);

        orders_want(set, id);
        load(set);
        cr_assert_eq(set->n_rows, 1);
        *ret_set = set;
        return &set->rows[0];
}

static void update(struct order_set *set) {
        cr_assert_eq(orders_update(store_database, set), PROBLEM_NONE);
        store_trip();
}

/* ---- comparing ---- */

static void assert_same_text(const char *a, const char *b) {
        cr_assert_eq(a == NULL, b == NULL, "%s instead of %s", a, b);
        if (a)
                cr_assert_str_eq(a, b);
}

static void assert_same_header(const struct order *a, const struct order *b) {
        cr_assert(uuid_equal(&a->id, &b->id));
        assert_same_text(a->number, b->number);
        assert_same_text(a->channel, b->channel);
        assert_same_text(a->external_ref, b->external_ref);
        assert_same_text(a->balance.currency, b->balance.currency);
        assert_same_text(a->actor, b->actor);
        assert_same_text(a->ship_to, b->ship_to);
        assert_same_text(a->payment_reference, b->payment_reference);
        assert_same_text(a->cancel_reason, b->cancel_reason);
        cr_assert_eq(a->status, b->status);
        cr_assert_eq(a->balance.payment_status, b->balance.payment_status);
        cr_assert(uuid_equal(&a->reservation_id, &b->reservation_id));
        cr_assert_eq(a->subtotal, b->subtotal);
        cr_assert_eq(a->discount, b->discount);
        cr_assert_eq(a->shipping, b->shipping);
        cr_assert_eq(a->tax, b->tax);
        cr_assert_eq(a->tax_included, b->tax_included);
        cr_assert_eq(a->balance.total, b->balance.total);
        cr_assert_eq(a->balance.refunded, b->balance.refunded);
        cr_assert_eq(a->balance.refund_due, b->balance.refund_due);
        cr_assert_eq(a->balance.payment_due_at, b->balance.payment_due_at);
        cr_assert_eq(a->balance.unpaid_since, b->balance.unpaid_since);
        cr_assert_eq(a->placed_at, b->placed_at);
        cr_assert_eq(a->updated_at, b->updated_at);
        cr_assert_eq(a->version, b->version);
}

static void assert_same_line(const struct order_line *a, const struct order_line *b) {
        const struct fulfillment_line *x = a->allocations, *y = b->allocations;

        cr_assert(uuid_equal(&a->id, &b->id));
        cr_assert_eq(a->number, b->number);
        assert_same_text(a->sku, b->sku);
        assert_same_text(a->title, b->title);
        cr_assert_eq(a->quantity, b->quantity);
        cr_assert_eq(a->unit_price, b->unit_price);
        cr_assert_eq(a->cancelled, b->cancelled);
        cr_assert_eq(a->fulfilled, b->fulfilled);
        cr_assert_eq(a->returned, b->returned);
        cr_assert_eq(x->order_line, a);
        cr_assert(uuid_equal(&x->fulfillment->id, &y->fulfillment->id));
        cr_assert_eq(x->quantity, y->quantity);
        cr_assert_eq(x->picked, y->picked);
        cr_assert_eq(x->shorted, y->shorted);
        cr_assert_eq(x->cancelled, y->cancelled);
        cr_assert_eq(x->fulfilled, y->fulfilled);
}

static void assert_same_check_in(const struct check_in *a, const struct check_in *b) {
        cr_assert_eq(a->state, b->state);
        cr_assert_eq(a->eta_minutes, b->eta_minutes);
        assert_same_text(a->bay, b->bay);
        assert_same_text(a->vehicle.make, b->vehicle.make);
        assert_same_text(a->vehicle.color, b->vehicle.color);
        assert_same_text(a->vehicle.plate, b->vehicle.plate);
        cr_assert_eq(a->on_the_way_at, b->on_the_way_at);
        cr_assert_eq(a->arrived_at, b->arrived_at);
        cr_assert_eq(a->waited_s, b->waited_s);
}

static void assert_same_fulfillment(const struct fulfillment *a, const struct fulfillment *b) {
        cr_assert(uuid_equal(&a->id, &b->id));
        cr_assert(uuid_equal(&a->order->id, &b->order->id));
        cr_assert_eq(a->number, b->number);
        cr_assert_eq(a->method, b->method);
        cr_assert_eq(a->status, b->status);
        assert_same_text(a->location, b->location);
        assert_same_text(a->reason, b->reason);
        assert_same_text(a->assignee, b->assignee);
        assert_same_text(a->staging_location, b->staging_location);
        assert_same_text(a->handover, b->handover);
        assert_same_text(a->packages, b->packages);
        assert_same_text(a->recipient, b->recipient);
        cr_assert_eq(a->remind_at, b->remind_at);
        cr_assert_eq(a->link.expires_at, b->link.expires_at);
        cr_assert_eq(!a->link.digest, !b->link.digest);
        if (a->link.digest)
                cr_assert_arr_eq(a->link.digest, b->link.digest, 32);
        cr_assert_eq(a->promised_at, b->promised_at);
        cr_assert_eq(a->hold_until, b->hold_until);
        cr_assert_eq(a->locked_until, b->locked_until);
        cr_assert_eq(a->created_at, b->created_at);
        cr_assert_eq(a->updated_at, b->updated_at);
        cr_assert_eq(a->pickup_serial, b->pickup_serial);
        cr_assert_eq(a->wrong_codes, b->wrong_codes);
        cr_assert_eq(a->version, b->version);
        assert_same_check_in(&a->check_in, &b->check_in);
        cr_assert_eq(a->n_lines, b->n_lines);
        for (size_t i = 0; i < a->n_lines; i++)
                cr_assert_eq(a->lines[i].order_line->number, b->lines[i].order_line->number);
}

static void assert_same(const struct order *a, const struct order *b) {
        assert_same_header(a, b);
        cr_assert_eq(a->n_lines, b->n_lines);
        for (size_t i = 0; i < a->n_lines; i++)
                assert_same_line(&a->lines[i], &b->lines[i]);
        cr_assert_eq(a->n_fulfillments, b->n_fulfillments);
        for (size_t i = 0; i < a->n_fulfillments; i++)
                assert_same_fulfillment(a->fulfillments[i], b->fulfillments[i]);
        cr_assert_eq(a->n_discounts, b->n_discounts);
        for (size_t i = 0; i < a->n_discounts; i++) {
                cr_assert_eq(a->discounts[i].amount, b->discounts[i].amount);
                cr_assert_eq(a->discounts[i].line, b->discounts[i].line);
                assert_same_text(a->discounts[i].reason, b->discounts[i].reason);
        }
}

/* ---- asking the database ---- */

static int64_t held_at_alpha(void) {
        return store_integer(
                "select sum(reserved)::bigint from fulfillment_lines where location = 'alpha' and sku = 'A'");
}

static int64_t held_at_the_depot(void) {
        return store_integer("select sum(reserved)::bigint from fulfillment_lines where location = 'depot'");
}

/* ---- round trips ---- */

Test(orders, an_order_reads_as_it_was_placed) {
        const struct order *order = inserted("AAA-BBB-CCC", "W-1");
        struct order_set *set = NULL;
        const struct order *read = loaded(&order->id, /* locked= */ false, &set);

        assert_same(read, order);
        assert_same_text(read->customer, "{\"name\": \"Ada\", \"email\": null}");
        cr_assert_null(read->lines[0].allocations->stock);
}

Test(orders, an_order_without_the_rest_reads_so) {
        struct order *order = new_order("AAA-BBB-CCC", "W-1");
        struct order_set *set = NULL;

        order->ship_to = order->payment_reference = NULL;
        order->balance.payment_due_at = TIMESTAMP_NONE;
        order->reservation_id = (struct uuid){ 0 };
        order->n_discounts = 0;
        insert(order);
        store_trip();
        assert_same(loaded(&order->id, /* locked= */ false, &set), order);
        cr_assert_eq(store_integer("select count(*) from orders where reservation_id is null and ship_to is null"), 1);
}

Test(orders, an_order_of_the_past_is_fulfilled_from_the_start) {
        struct order *order = new_order("AAA-BBB-CCC", "W-1");
        struct order_set *set = NULL;

        order->status = ORDER_FULFILLED;
        for (size_t i = 0; i < 3; i++) {
                order->lines[i].fulfilled = order->lines[i].quantity;
                order->lines[i].allocations->picked = order->lines[i].allocations->fulfilled = order->lines[i].quantity;
        }
        order->fulfillments[0]->status = FULFILLMENT_HANDED_OVER;
        order->fulfillments[1]->status = FULFILLMENT_DELIVERED;
        insert(order);
        store_trip();
        assert_same(loaded(&order->id, /* locked= */ false, &set), order);
}

Test(orders, a_locked_order_holds_its_stock_rows) {
        struct order_set *set = NULL;
        const struct order *order, *locked;

        stock_up();
        order = inserted("AAA-BBB-CCC", "W-1");
        locked = loaded(&order->id, /* locked= */ true, &set);
        assert_same(locked, order);
        cr_assert_eq(set->stock->n_rows, 3);
        cr_assert_eq(locked->lines[0].allocations->stock, stock_find(set->stock, "alpha", "A"));
        cr_assert_eq(locked->lines[1].allocations->stock, stock_find(set->stock, "depot", "A"));
        cr_assert_eq(locked->lines[2].allocations->stock, stock_find(set->stock, "alpha", "B"));
        cr_assert_eq(locked->lines[0].allocations->stock->on_hand, 10);
        cr_assert_eq(locked->lines[0].allocations->stock->reserved, 5);
        cr_assert_eq(locked->lines[0].allocations->stock->unsellable, 1);
        cr_assert_eq(locked->lines[0].allocations->stock->safety_stock, 2);
        cr_assert_eq(locked->lines[0].allocations->stock->movements, 3);
        cr_assert(locked->lines[0].allocations->stock->exists);
}

Test(orders, an_order_is_found_by_its_fulfillments_too) {
        const struct order *order = inserted("AAA-BBB-CCC", "W-1"), *other = inserted("AAA-BBB-DDD", "W-2");
        struct order_set *set = new_set(/* locked= */ false);

        orders_want_fulfillment(set, &order->fulfillments[1]->id);
        orders_want_fulfillment(set, &order->fulfillments[0]->id);
        orders_want(set, &order->id);
        load(set);
        cr_assert_eq(set->n_rows, 1);
        assert_same(&set->rows[0], order);
        cr_assert_eq(fulfillment_find(set, &order->fulfillments[1]->id), set->fulfillments[1]);
        cr_assert_null(order_find(set, &other->id));
        cr_assert_null(fulfillment_find(set, &other->fulfillments[0]->id));
}

static void assert_sorted_and_apart(const struct order_set *set, const struct order *const *orders, size_t n) {
        cr_assert_eq(set->n_rows, n);
        cr_assert_eq(set->n_fulfillments, 2 * n);
        for (size_t i = 0; i < n; i++) {
                assert_same(&set->rows[i], orders[i]);
                cr_assert_eq(order_find(set, &orders[i]->id), &set->rows[i]);
        }
}

/* Their numbers run against their ids. */
Test(orders, many_orders_come_sorted_and_apart) {
        struct order_set *sets[] = { new_set(/* locked= */ false), new_set(/* locked= */ true) };
        const struct order *orders[50];
        const size_t n = array_size(orders);

        stock_up();
        for (size_t i = 0; i < n; i++)
                orders[i] =
                        inserted(arena_format(&store_arena, "%zu", n - i), arena_format(&store_arena, "W-%zu", n - i));
        for (size_t i = 0; i < array_size(sets); i++) {
                for (size_t j = n; j-- > 0;)
                        orders_want(sets[i], &orders[j]->id);
                load(sets[i]);
                assert_sorted_and_apart(sets[i], orders, n);
        }
        cr_assert_eq(sets[1]->stock->n_rows, 3);
}

Test(orders, what_does_not_exist_is_not_found) {
        const struct uuid unknown = { { 9 } };

        for (int locked = 0; locked < 2; locked++) {
                struct order_set *set = new_set(locked);

                orders_want(set, &unknown);
                orders_want_fulfillment(set, &unknown);
                load(set);
                cr_assert_eq(set->n_rows, 0);
                cr_assert_null(order_find(set, &unknown));
                cr_assert_null(fulfillment_find(set, &unknown));
                update(set);
        }
}

/* ---- changes ---- */

static void change_header(struct order *order) {
        order->status = ORDER_PARTIALLY_FULFILLED;
        order->balance.payment_status = PAYMENT_PARTIALLY_REFUNDED;
        order->balance.refunded = 100;
        order->balance.refund_due = 2000;
        order->cancel_reason = "changed her mind";
        order->version = 7;
        order->updated_at = LATER;
        order->changed = true;
}

static void change_fulfillment(struct fulfillment *fulfillment) {
        fulfillment->status = FULFILLMENT_READY;
        fulfillment->reason = "closed";
        fulfillment->assignee = "bob";
        fulfillment->staging_location = "shelf 3";
        fulfillment->handover = "{\"method\": \"code\"}";
        fulfillment->packages = "[{\"carrier\": \"DHL\"}]";
        fulfillment->recipient = "{\"name\": \"Joan\"}";
        fulfillment->link = (struct link){ (const uint8_t *) "0123456789abcdef0123456789abcdef", LATER + 3, true };
        fulfillment->hold_until = LATER;
        fulfillment->remind_at = LATER - DAY;
        fulfillment->locked_until = LATER + 1;
        fulfillment->pickup_serial = 2;
        fulfillment->wrong_codes = 4;
        fulfillment->check_in = (struct check_in){ .state = CHECK_IN_ARRIVED,
                .eta_minutes = 0,
                .bay = "4",
                .vehicle = { "Volvo", "red", "B-XY 12" },
                .on_the_way_at = LATER - 2,
                .arrived_at = LATER - 1,
                .waited_s = 300,
                .changed = true };
        fulfillment->version = 3;
        fulfillment->updated_at = LATER;
        fulfillment->changed = true;
}

static void change_line(struct order_line *line) {
        line->cancelled = 2;
        line->fulfilled = 3;
        line->returned = 1;
        line->changed = true;
        line->allocations->picked = 3;
        line->allocations->shorted = 1;
        line->allocations->cancelled = 1;
        line->allocations->fulfilled = 3;
        line->allocations->changed = true;
}

Test(orders, every_change_reads_as_it_was_saved) {
        const struct order *order = inserted("AAA-BBB-CCC", "W-1");
        struct order_set *set = NULL, *again = NULL;
        struct order *changed = loaded(&order->id, /* locked= */ true, &set);

        change_header(changed);
        change_fulfillment(changed->fulfillments[0]);
        change_line(&changed->lines[0]);
        update(set);
        assert_same(loaded(&order->id, /* locked= */ false, &again), changed);
}

Test(orders, what_is_not_marked_as_changed_stays) {
        const struct order *order = inserted("AAA-BBB-CCC", "W-1"), *other = inserted("AAA-BBB-DDD", "W-2");
        struct order_set *set = new_set(/* locked= */ true), *again = NULL;

        orders_want(set, &order->id);
        orders_want(set, &other->id);
        load(set);
        for (size_t i = 0; i < 2; i++) {
                change_header(&set->rows[i]);
                change_fulfillment(set->rows[i].fulfillments[0]);
                change_line(&set->rows[i].lines[0]);
                set->rows[i].changed = set->rows[i].fulfillments[0]->changed = false;
                set->rows[i].lines[0].changed = set->rows[i].lines[0].allocations->changed = false;
                set->rows[i].fulfillments[0]->check_in.changed = false;
                set->rows[i].fulfillments[0]->link.changed = false;
        }
        change_line(&set->rows[1].lines[0]);
        update(set);
        assert_same(loaded(&order->id, /* locked= */ false, &again), order);
        assert_same_header(loaded(&other->id, /* locked= */ false, &again), other);
        cr_assert_eq(again->rows[0].lines[0].cancelled, 2);
        cr_assert_eq(again->rows[0].fulfillments[0]->version, 1);
}

Test(orders, what_a_line_still_holds_is_counted_by_the_database) {
        const struct order *order = inserted("AAA-BBB-CCC", "W-1");
        struct order_set *set = NULL;
        struct order *changed;

        cr_assert_eq(held_at_alpha(), 5);
        cr_assert_eq(held_at_the_depot(), 4);
        changed = loaded(&order->id, /* locked= */ true, &set);
        change_line(&changed->lines[0]);
        changed->lines[1].allocations->picked = 4;
        changed->lines[1].allocations->changed = true;
        update(set);
        cr_assert_eq(held_at_alpha(), 0);
        cr_assert_eq(held_at_the_depot(), 4);
}

/* ---- invariants ---- */

static void insert_expecting(struct order *order, enum problem expected) {
        insert(order);
        store_trip_expecting(expected);
}

Test(orders, an_external_ref_is_used_once_by_a_channel) {
        struct order *elsewhere = new_order("AAA-BBB-DDD", "W-1");

        (void) inserted("AAA-BBB-CCC", "W-1");
        elsewhere->channel = "app";
        insert_expecting(elsewhere, PROBLEM_NONE);
        insert_expecting(new_order("AAA-BBB-EEE", "W-1"), FAULT_RIVAL);
}

Test(orders, an_order_number_is_given_once) {
        (void) inserted("AAA-BBB-CCC", "W-1");
        insert_expecting(new_order("AAA-BBB-CCC", "W-2"), FAULT_RIVAL);
}

Test(orders, two_orders_of_one_batch_meet_in_the_database_as_well) {
        struct order *const list[] = { new_order("AAA-BBB-CCC", "W-1"), new_order("AAA-BBB-DDD", "W-1") };

        cr_assert_eq(orders_insert(store_database, &store_arena, list, 2), PROBLEM_NONE);
        store_trip_expecting(FAULT_RIVAL);
}

Test(orders, inserting_none_asks_nothing) {
        const uint64_t trips = database_trips(store_database);

        cr_assert_eq(orders_insert(store_database, &store_arena, NULL, 0), PROBLEM_NONE);
        cr_assert_eq(database_trips(store_database), trips);
}

/* Each would make units or states out of nothing. The database refuses it from any client. */
Test(orders, impossible_figures_are_refused) {
        static const char *const wrong[] = {
                "update fulfillment_lines set cancelled = 6, reserved = -1",
                "update fulfillment_lines set picked = 6",
                "update fulfillment_lines set picked = -1",
                "update fulfillment_lines set quantity = 0, reserved = 0",
                "update fulfillment_lines set reserved = reserved - 1",
                "update fulfillment_lines set short = -1, reserved = reserved + 1",
                "update fulfillment_lines set short = 1, picked = quantity, reserved = reserved - 1",
                "update fulfillment_lines set fulfilled = 1",
                "update fulfillments set method = 'drone'",
                "update order_lines set cancelled = -1",
                "update order_lines set cancelled = 3, fulfilled = 3",
                "update order_lines set fulfilled = 1, returned = 2",
                "update order_lines set quantity = 0",
                "update orders set payment_status = 'paid'",
                "update orders set status = 'lost'",
                "update orders set total = null",
        };

        for (size_t i = 0; i < array_size(wrong); i++) {
                (void) inserted("AAA-BBB-CCC", "W-1");
                database_ask_text(store_database, wrong[i], NULL, NULL);
                cr_assert_eq(database_trip(store_database, clock_monotonic() + MINUTE), FAULT_POISON, "%s", wrong[i]);
                cr_assert_eq(database_connect(store_database), PROBLEM_NONE);
                database_begin(store_database);
        }
}

Test(orders, a_batch_that_gives_back_too_much_is_refused_by_the_stock) {
        struct order_set *set = NULL;
        struct order *order;

        stock_up();
        order = inserted("AAA-BBB-CCC", "W-1");
        order = loaded(&order->id, /* locked= */ true, &set);
        fulfillment_line_cancel(order->lines[0].allocations, 5);
        stock_release(order->lines[0].allocations->stock, 1);
        cr_assert_eq(stock_save(store_database, set->stock, &store_events, STORE_NOW), PROBLEM_NONE);
        store_trip_expecting(FAULT_POISON);
}

Test(orders, a_line_cannot_be_cancelled_beyond_its_units) {
        const struct order *order = inserted("AAA-BBB-CCC", "W-1");
        struct order_set *set = NULL;
        struct order *changed = loaded(&order->id, /* locked= */ true, &set);

        changed->lines[0].allocations->cancelled = 6;
        changed->lines[0].allocations->changed = true;
        cr_assert_eq(orders_update(store_database, set), PROBLEM_NONE);
        store_trip_expecting(FAULT_POISON);
}

/* ---- placing ---- */

static struct placing *new_placing(void) {
        struct placing *placing = arena_new(&store_arena, struct placing);

        placing->arena = &store_arena;
        stock_init(&placing->stock, &store_arena);
        reservations_init(&placing->reservations, &store_arena, &placing->stock);
        placing->orders = arena_new_array(&store_arena, struct order *, 16);
        placing->refs = arena_new_array(&store_arena, struct order_ref, 16);
        return placing;
}

Test(orders, references_that_are_taken_are_found) {
        const struct order *order = inserted("AAA-BBB-CCC", "W-1");
        struct placing *placing = new_placing();

        (void) inserted("AAA-BBB-DDD", "W-2");
        placing->refs[placing->n_refs++] = (struct order_ref){ "app", "W-1" };
        placing->refs[placing->n_refs++] = (struct order_ref){ "web", "w-1" };
        placing->refs[placing->n_refs++] = (struct order_ref){ "web", "W-1" };
        placing->refs[placing->n_refs++] = (struct order_ref){ "web", "W-3" };
        cr_assert_eq(placing_find_known(store_database, placing), PROBLEM_NONE);
        store_trip();
        cr_assert_eq(placing->n_orders, 1);
        cr_assert_eq(placing->n_placed, 0);
        cr_assert(uuid_equal(&placing->orders[0]->id, &order->id));
        assert_same_text(placing->orders[0]->channel, "web");
        assert_same_text(placing->orders[0]->external_ref, "W-1");
}

static void reserve_elsewhere(void) {
        store_execute("insert into reservations (id, location, status, expires_at, actor, created_at, updated_at)"
                      " values ('01000000-0000-0000-0000-000000000000', 'alpha', 'active', now() + interval '1 hour',"
                      " 'ada', now(), now())");
        store_execute("insert into reservation_lines (reservation_id, line, location, sku, quantity, held, expires_at)"
                      " values ('01000000-0000-0000-0000-000000000000', 0, 'alpha', 'B', 3, true,"
                      " now() + interval '1 hour')");
}

Test(orders, placing_locks_what_it_wants_and_what_it_claims_in_one_order) {
        static const struct {
                const char *location, *sku;
                bool exists, location_known, sku_known;
        } expected[] = {
                { "alpha", "A", true, false, false },
                { "alpha", "B", true, false, false }, /* of the reservation */
                { "alpha", "C", false, true, true },
                { "alpha", "Z", false, true, false },
                { "depot", "A", true, false, false },
                { "nowhere", "A", false, false, true },
        };
        struct placing *placing = new_placing();
        const struct uuid reservation = { { 1 } };

        stock_up();
        reserve_elsewhere();
        stock_want(&placing->stock, "nowhere", "A");
        stock_want(&placing->stock, "depot", "A");
        stock_want(&placing->stock, "alpha", "Z");
        stock_want(&placing->stock, "alpha", "C");
        stock_want(&placing->stock, "alpha", "A");
        stock_want(&placing->stock, "alpha", "A");
        reservations_want(&placing->reservations, &reservation);
        cr_assert_eq(reservations_lock(store_database, &placing->reservations), PROBLEM_NONE);
        cr_assert_eq(placing_lock_stock(store_database, placing), PROBLEM_NONE);
        cr_assert_eq(reservations_free_lapsed(store_database, &placing->stock), PROBLEM_NONE);
        cr_assert_eq(reservations_read_lines(store_database, &placing->reservations), PROBLEM_NONE);
        store_trip();
        cr_assert_eq(placing->stock.n_rows, array_size(expected));
        for (size_t i = 0; i < array_size(expected); i++) {
                const struct stock_row *row = &placing->stock.rows[i];

                cr_assert_str_eq(row->location, expected[i].location);
                cr_assert_str_eq(row->sku, expected[i].sku);
                cr_assert_eq(row->exists, expected[i].exists, "%zu", i);
                cr_assert_eq(row->location_known, expected[i].location_known, "%zu", i);
                cr_assert_eq(row->sku_known, expected[i].sku_known, "%zu", i);
        }
        cr_assert_eq(placing->reservations.rows[0].lines[0].stock, &placing->stock.rows[1]);
}

Test(orders, a_line_that_has_lapsed_is_free_before_the_order_is_decided) {
        struct placing *placing = new_placing();

        stock_up();
        reserve_elsewhere();
        store_execute("update reservation_lines set expires_at = clock_timestamp()");
        stock_want(&placing->stock, "alpha", "B");
        stock_want(&placing->stock, "alpha", "B");
        cr_assert_eq(placing_lock_stock(store_database, placing), PROBLEM_NONE);
        cr_assert_eq(reservations_free_lapsed(store_database, &placing->stock), PROBLEM_NONE);
        store_trip();
        cr_assert_eq(placing->stock.rows[0].reserved, 0);
        cr_assert(placing->stock.rows[0].changed);
}
