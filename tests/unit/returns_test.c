#include "dice.h"
#include "fulfillment_scene.h"
#include "orders/placing.h"
#include "returns/returns.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <string.h>

static struct return_set set;
static struct catalog_set catalog;
static struct channel web;
static struct location store;
static struct product products[2];
static struct stock_row shelves[2];
static struct left_day left;
static struct left_days days;

static void given_catalog(void) {
        web = (struct channel){ .code = "web", .record.exists = true };
        store = (struct location){ .code = "store", .record.exists = true, .capabilities = CAN_RETURNS };
        products[0] = (struct product){ .sku = "SKU-A", .record.exists = true, .returnable = true };
        products[1] = (struct product){ .sku = "SKU-B", .record.exists = true, .returnable = true };
        catalog = (struct catalog_set){ .channels = &web,
                .n_channels = 1,
                .locations = &store,
                .n_locations = 1,
                .products = products,
                .n_products = 2 };
}

/* All six units are in the customer's hands since today. */
static void given_bought(void) {
        given_pickup();
        given_catalog();
        scene.order.channel = "web";
        for (size_t i = 0; i < LINES; i++) {
                scene.order_lines[i].fulfilled = scene.lines[i].fulfilled = scene.lines[i].quantity;
                scene.lines[i].fulfillment = it;
        }
        shelves[0] = (struct stock_row){ .location = "store", .sku = "SKU-A", .on_hand = 5, .exists = true };
        shelves[1] =
                (struct stock_row){ .location = "store", .sku = "SKU-B", .location_known = true, .sku_known = true };
        scene.stock.rows = shelves;
        scene.stock.n_rows = 2;
        returns_init(&set, &scene.arena);
        left = (struct left_day){
                .order_id = scene.order.id, .fulfillment_id = it->id, .location = "store", .left = 100, .today = 100
        };
        days = (struct left_days){ .rows = &left, .n_rows = 1 };
}

TestSuite(returns, .init = given_bought, .fini = scene_clear);

static struct return_item item(size_t line, int64_t quantity, int condition) {
        return (struct return_item){ .order_line_id = scene.order_lines[line].id,
                .quantity = quantity,
                .reason = "too small",
                .condition = condition,
                .disposition = -1 };
}

static struct return_request request(const struct return_item *items, size_t n) {
        return (struct return_request){ .order = &scene.order,
                .location = "store",
                .items = items,
                .n_items = n,
                .set = &set,
                .catalog = &catalog,
                .days = &days };
}

static struct rma *made; /* by the last one */

static enum problem bring(const struct return_item *items, size_t n) {
        const struct return_request wanted = request(items, n);

        return return_authorize(&wanted, &scene.command, &made);
}

static enum problem bring_one(size_t line, int64_t quantity, int condition) {
        const struct return_item one = item(line, quantity, condition);

        return bring(&one, 1);
}

static struct arrival arrival_of(size_t line, int64_t quantity, int condition) {
        return (struct arrival){ .order_line_id = scene.order_lines[line].id,
                .has_order_line_id = true,
                .quantity = quantity,
                .condition = condition,
                .disposition = -1,
                .acceptance = -1 };
}

static enum problem receive(const struct arrival *arrivals, size_t n) {
        const struct return_reception reception = { .rma = made,
                .location = "store",
                .arrivals = arrivals,
                .n_arrivals = n,
                .set = &set,
                .catalog = &catalog,
                .days = &days };

        return return_receive(&reception, &scene.command);
}

static void assert_shelf(size_t n, int64_t on_hand, int64_t unsellable) {
        cr_assert_eq(shelves[n].on_hand, on_hand, "on_hand is %ld", (long) shelves[n].on_hand);
        cr_assert_eq(shelves[n].unsellable, unsellable, "unsellable is %ld", (long) shelves[n].unsellable);
}

/* ---- terms ---- */

Test(returns, without_a_policy_everything_comes_back_for_all_it_cost) {
        const struct return_terms terms = return_terms_of(NULL, NULL);

        cr_assert_eq(terms.window_days, -1);
        cr_assert_not(terms.refunds_shipping);
        for (unsigned i = 0; i < GOODS_CONDITIONS; i++) {
                const struct worth worth = return_worth(&terms, (enum goods_condition) i, (struct taxed){ 1234, 0 });

                cr_assert(terms.accepted[i]);
                cr_assert(worth.value == 1234 && worth.fee == 0 && worth.refund.amount == 1234);
        }
}

Test(returns, a_product_goes_before_its_channel_member_by_member) {
        const struct condition_terms half = { .refund_per_mille = 500, .has_refund_per_mille = true };
        const struct condition_terms none = { .has_accepted = true, .accepted = false };
        const struct condition_matrix of_channel = { .damaged = &half, .quarantine = &none };
        const struct condition_matrix of_product = { .damaged = &none };
        const struct return_policy channel = { .conditions = &of_channel,
                .refund_shipping = REFUND_SHIPPING_FULL_RETURN,
                .window_days = 14,
                .has_window_days = true,
                .restocking_fee_per_mille = 10,
                .has_restocking_fee_per_mille = true };
        const struct return_policy product = {
                .conditions = &of_product, .refund_shipping = -1, .window_days = 30, .has_window_days = true
        };
        const struct return_terms terms = return_terms_of(&channel, &product);

        cr_assert_eq(terms.window_days, 30);
        cr_assert_eq(terms.fee_per_mille, 10);
        cr_assert(terms.refunds_shipping);
        cr_assert_not(terms.accepted[GOODS_DAMAGED] || terms.accepted[GOODS_QUARANTINE]);
        cr_assert(terms.accepted[GOODS_SELLABLE]);
        cr_assert_eq(terms.refund_per_mille[GOODS_DAMAGED], 500);
}

Test(returns, condition_and_fee_are_rounded_down_and_no_cent_is_made) {
        struct return_terms terms = return_terms_of(NULL, NULL);
        struct worth worth;

        terms.refund_per_mille[GOODS_DAMAGED] = 333;
        terms.fee_per_mille = 150;
        worth = return_worth(&terms, GOODS_DAMAGED, (struct taxed){ 1000, 0 });
        cr_assert(worth.value == 1000 && worth.fee == 49 && worth.refund.amount == 284);
        worth = return_worth(&terms, GOODS_SELLABLE, (struct taxed){ MONEY_MAXIMUM, 0 });
        cr_assert_eq(worth.fee + worth.refund.amount, MONEY_MAXIMUM);
}

/* ---- numbers ---- */

Test(returns, units_that_came_back_or_are_awaited_cannot_come_again) {
        const struct return_item items[] = { item(FIRST, 1, GOODS_SELLABLE), item(THIRD, 2, -1) };

        assert_done(bring(items, 2));
        cr_assert_eq(order_line_returnable(&set, &scene.order_lines[FIRST]), 1);
        cr_assert_eq(order_line_awaited(&set, &scene.order_lines[THIRD]), 2);
        cr_assert_eq(order_line_returnable(&set, &scene.order_lines[THIRD]), 1);
        cr_assert_eq(bring_one(THIRD, 2, -1), PROBLEM_OVER_RETURN);
        assert_violation("#/lines/0/quantity", "over-return");
        cr_assert(scene.refusal.violations->has_available && scene.refusal.violations->available == 1);
}

Test(returns, what_is_refused_changes_nothing) {
        const struct return_item items[] = { item(FIRST, 1, GOODS_SELLABLE), item(SECOND_LINE, 2, GOODS_SELLABLE) };

        assert_refused(bring(items, 2), PROBLEM_OVER_RETURN);
        cr_assert_eq(set.n_rows, 0);
        cr_assert_null(scene.events.first);
        cr_assert_eq(movements(), 0);
        cr_assert_not(scene.order.changed || scene.order_lines[FIRST].changed || shelves[0].changed);
        cr_assert_eq(scene.order_lines[FIRST].returned, 0);
}

/* ---- the window ---- */

Test(returns, the_window_ends_with_its_last_day) {
        const struct return_policy policy = { .refund_shipping = -1, .window_days = 14, .has_window_days = true };

        web.return_policy = &policy;
        left.today = 114;
        assert_done(bring_one(FIRST, 1, GOODS_SELLABLE));
        left.today = 115;
        cr_assert_eq(bring_one(FIRST, 1, GOODS_SELLABLE), PROBLEM_RETURN_REFUSED);
        assert_violation("#/lines/0", "outside-return-window");
}

Test(returns, every_rule_that_refuses_is_named) {
        const struct condition_terms none = { .has_accepted = true };
        const struct condition_matrix matrix = { .damaged = &none };
        const struct return_policy policy = { .conditions = &matrix, .refund_shipping = -1, .has_window_days = true };
        const struct return_item one = item(FIRST, 3, GOODS_DAMAGED);
        const struct return_request wanted = request(&one, 1);
        struct verdict verdict;

        web.return_policy = &policy;
        products[0].returnable = false;
        left.today = 101;
        assert_done(return_judge(&wanted, &verdict, &scene.command));
        cr_assert_eq(verdict.refused,
                1u << RULE_CONDITION | 1u << RULE_NOT_RETURNABLE | 1u << RULE_OVER_RETURN | 1u << RULE_WINDOW);
        cr_assert_eq(verdict.returnable, 2);
}

Test(returns, a_supervisor_passes_over_the_policy_but_not_over_numbers) {
        const struct return_item one = item(FIRST, 2, GOODS_SELLABLE), more = item(FIRST, 3, GOODS_SELLABLE);
        struct return_request wanted = request(&more, 1);

        products[0].returnable = false;
        wanted.override = true;
        assert_refused(return_authorize(&wanted, &scene.command, &made), PROBLEM_OVER_RETURN);
        wanted.items = &one;
        assert_done(return_authorize(&wanted, &scene.command, &made));
        cr_assert(made->overridden);
        cr_assert_not_null(strstr(data_of("return.authorized"), "\"overridden_by\":\"ana\""));
}

/* ---- at the counter ---- */

Test(returns, goods_at_the_counter_are_shelved_and_worth_something_at_once) {
        const struct return_item items[] = { item(FIRST, 2, GOODS_SELLABLE), item(SECOND_LINE, 1, GOODS_DAMAGED) };

        assert_done(bring(items, 2));
        cr_assert_eq(made->status, RETURN_RECEIVED);
        cr_assert_eq(rma_refund(made), 3000);
        assert_shelf(0, 7, 0);
        assert_shelf(1, 1, 1);
        cr_assert_eq(scene.order_lines[FIRST].returned, 2);
        cr_assert_eq(told("return.authorized"), 1);
        cr_assert_eq(told("return.received"), 1);
        cr_assert(scene.order.version == 2 && made->version == 1 && made->is_new);
}

Test(returns, goods_without_a_shelf_are_refused) {
        shelves[1].sku_known = false;
        cr_assert_eq(bring_one(SECOND_LINE, 1, GOODS_SELLABLE), PROBLEM_VALIDATION_FAILED);
        assert_violation("#/lines/0", "unknown-product");
}

Test(returns, the_shipping_goes_with_the_return_that_leaves_nothing) {
        const struct return_policy policy = { .refund_shipping = REFUND_SHIPPING_FULL_RETURN };
        const struct return_item rest[] = { item(SECOND_LINE, 1, GOODS_SELLABLE), item(THIRD, 3, GOODS_SELLABLE) };

        web.return_policy = &policy;
        scene.order.shipping = 499;
        scene.order.balance.total += 499;
        assert_done(bring_one(FIRST, 2, GOODS_SELLABLE));
        cr_assert_eq(made->shipping, 0);
        assert_done(bring(rest, 2));
        cr_assert_eq(made->shipping, 499);
        cr_assert_eq(rma_refund(made), 4499);
}

/* ---- by post ---- */

Test(returns, a_line_is_split_when_its_units_part) {
        const struct arrival arrivals[] = { arrival_of(THIRD, 1, GOODS_SELLABLE), arrival_of(THIRD, 1, GOODS_DAMAGED) };

        assert_done(bring_one(THIRD, 3, -1));
        assert_done(receive(arrivals, 2));
        cr_assert_eq(made->n_lines, 3);
        cr_assert_eq(made->status, RETURN_PARTIALLY_RECEIVED);
        cr_assert(made->lines[0]->quantity == 1 && made->lines[0]->reception == RECEPTION_AWAITING);
        cr_assert(made->lines[1]->bucket == BUCKET_SELLABLE && made->lines[2]->bucket == BUCKET_UNSELLABLE);
        assert_done(receive(NULL, 0));
        cr_assert_eq(made->status, RETURN_RECEIVED);
        cr_assert_eq(scene.order_lines[THIRD].returned, 3);
        assert_shelf(0, 8, 1);
}

Test(returns, receiving_more_than_can_come_back_receives_nothing) {
        const struct arrival arrivals[] = { arrival_of(FIRST, 1, GOODS_SELLABLE),
                arrival_of(SECOND_LINE, 2, GOODS_SELLABLE) };

        assert_done(bring_one(FIRST, 1, -1));
        cr_assert_eq(receive(arrivals, 2), PROBLEM_OVER_RETURN);
        assert_violation("#/lines/1/quantity", "over-return");
        cr_assert(made->lines[0]->reception == RECEPTION_AWAITING && made->n_lines == 1);
        cr_assert_eq(movements(), 0);
}

Test(returns, a_return_of_too_many_lines_takes_no_more) {
        const struct arrival arrivals[] = { arrival_of(THIRD, 1, GOODS_SELLABLE) };

        assert_done(bring_one(THIRD, 3, -1));
        while (made->n_lines < RETURN_LINES_MAX)
                cr_assert_not_null(
                        return_line_new(made, &scene.order_lines[FIRST], 1, "x", &made->lines[0]->terms, &scene.arena));
        for (size_t i = 1; i < made->n_lines; i++)
                made->lines[i]->reception = RECEPTION_CANCELLED;
        cr_assert_eq(receive(arrivals, 1), PROBLEM_TOO_MANY);
        assert_violation("#/lines", "too-many");
}

Test(returns, unexpected_goods_are_noted_up_to_a_limit) {
        struct arrival foreign = {
                .sku = "OTHER", .quantity = 1, .condition = GOODS_SELLABLE, .disposition = -1, .acceptance = -1
        };

        assert_done(bring_one(FIRST, 1, -1));
        for (size_t i = 0; i < UNEXPECTED_ENTRIES_MAX; i++)
                assert_done(receive(&foreign, 1));
        cr_assert_eq(receive(&foreign, 1), PROBLEM_TOO_MANY);
        assert_violation("#/lines", "too-many");
        cr_assert_eq(made->n_lines, 1);
}

/* ---- moving on ---- */

Test(returns, the_money_of_a_split_line_adds_up) {
        struct return_terms terms = return_terms_of(NULL, NULL);

        terms.fee_per_mille = 77;
        terms.refund_per_mille[GOODS_SELLABLE] = 901;
        for (int64_t value = 0; value < 400; value += 7)
                for (int64_t part = 1; part < 9; part++) {
                        const struct worth worth =
                                return_worth(&terms, GOODS_SELLABLE, (struct taxed){ value, value / 6 });
                        struct return_line line = { .rma = made,
                                .quantity = 9,
                                .value = worth.value,
                                .fee = worth.fee,
                                .refund = worth.refund.amount,
                                .tax = worth.refund.tax };
                        struct rma rma = { .location = "store" };
                        struct return_line *other;

                        line.rma = &rma;
                        other = return_line_split(&line, part, &scene.arena);
                        cr_assert_not_null(other);
                        cr_assert_eq(line.value + other->value, worth.value);
                        cr_assert_eq(line.fee + other->fee, worth.fee);
                        cr_assert_eq(line.refund + other->refund, worth.refund.amount);
                        cr_assert_eq(line.tax + other->tax, worth.refund.tax);
                        cr_assert(line.fee + line.refund <= line.value && other->fee + other->refund <= other->value);
                        cr_assert(line.fee >= 0 && line.refund >= 0 && other->fee >= 0 && other->refund >= 0);
                }
}

Test(returns, what_lies_aside_goes_on_and_no_more_of_it) {
        struct move move = { .quantity = 2, .has_quantity = true };

        assert_done(bring_one(THIRD, 2, GOODS_QUARANTINE));
        move.id = made->lines[0]->id;
        move.quantity = 3;
        assert_refused(return_dispose(made, DISPOSE_RESTOCK, &move, 1, &scene.command), PROBLEM_INSUFFICIENT_STOCK);
        move.quantity = 1;
        assert_done(return_dispose(made, DISPOSE_RESTOCK, &move, 1, &scene.command));
        assert_shelf(0, 7, 1);
        assert_done(return_dispose(made, DISPOSE_DESTROY, &move, 1, &scene.command));
        assert_shelf(0, 6, 0);
        cr_assert_eq(rma_refund(made), 2000);
}

Test(returns, units_that_a_count_did_not_find_cannot_go_on) {
        const struct return_item items[] = { item(THIRD, 1, GOODS_DAMAGED), item(FIRST, 1, GOODS_DAMAGED) };
        struct move moves[2] = { 0 };

        assert_done(bring(items, 2));
        shelves[0].unsellable = 1;
        moves[0].id = made->lines[0]->id;
        moves[1].id = made->lines[1]->id;
        cr_assert_eq(return_dispose(made, DISPOSE_VENDOR, moves, 2, &scene.command), PROBLEM_INSUFFICIENT_STOCK);
        assert_violation("#/lines/1/quantity", "insufficient-stock");
}

/* ---- exchanges ---- */

#define EXCHANGES 3000

static const struct zone_span utc[] = { { TIMESTAMP_NONE, 0 } };
static struct zone zones[] = { { .name = "UTC", .spans = utc, .n_spans = array_size(utc) } };
static const struct fulfillment_choice at_the_store = { BY_PICKUP, "store", TIMESTAMP_NONE };

static void given_for_sale(int64_t price) {
        store.capabilities = CAN_RETURNS | CAN_PICKUP;
        store.time_zone = "UTC";
        for (size_t i = 0; i < 2; i++)
                products[i].price = (struct money){ price, "EUR" };
        catalog.zones = zones;
        catalog.n_zones = array_size(zones);
        shelves[0].on_hand = shelves[1].on_hand = 1000;
        shelves[1].exists = true;
}

static enum problem exchange(
        const struct return_item *items, size_t n, const char *sku, int64_t quantity, const struct tax_body *tax) {
        struct addition addition = {
                .requested = { .sku = sku, .quantity = quantity, .choice = &at_the_store, .list = "#/exchange/lines" }
        };
        struct return_request wanted = request(items, n);

        wanted.additions = &addition;
        wanted.n_additions = 1;
        wanted.exchange_tax = tax;
        scene.refusal = (struct refusal){ 0 };
        return return_authorize(&wanted, &scene.command, &made);
}

/* 60.00 of goods and 12.00 of tax on top. */
static void given_tax_on_top(void) {
        scene.order.tax = 1200;
        scene.order.balance.total += 1200;
        till_pay(&scene.till, &scene.order, FUNDS_CAPTURED);
        given_for_sale(1000);
}

Test(returns, an_even_exchange_under_tax_on_top_leaves_nothing_to_refund) {
        const struct return_item one = item(FIRST, 1, GOODS_SELLABLE);

        given_tax_on_top();
        assert_done(exchange(&one, 1, "SKU-B", 1, NULL));
        cr_assert_eq(made->lines[0]->refund, 1200);
        cr_assert_eq(made->lines[0]->tax, 200);
        cr_assert_eq(rma_refundable(made), 0);
        cr_assert_eq(balance_due(&scene.order.balance), 0);
        cr_assert(scene.order.tax == 1400 && scene.order.balance.total == 8400);
}

Test(returns, other_goods_have_the_tax_in_proportion_unless_it_is_told) {
        const struct return_item one = item(FIRST, 1, GOODS_SELLABLE);
        const struct tax_body told_tax = { .amount = 123 }, otherwise = { .included = true, .has_included = true };

        given_tax_on_top();
        given_for_sale(2500);
        assert_done(exchange(&one, 1, "SKU-A", 1, NULL));
        cr_assert_eq(balance_due(&scene.order.balance), 2500 + 500 - 1200);
        scene_clear();
        given_bought();
        given_tax_on_top();
        {
                const struct return_item again = item(FIRST, 1, GOODS_SELLABLE);

                assert_done(exchange(&again, 1, "SKU-A", 1, &told_tax));
                cr_assert_eq(balance_due(&scene.order.balance), 1000 + 123 - 1200);
                cr_assert_eq(exchange(&again, 1, "SKU-A", 1, &otherwise), PROBLEM_VALIDATION_FAILED);
                assert_violation("#/exchange/tax/included", "mismatch");
        }
}

static void random_amounts(uint64_t *dice) {
        static struct order_discount discounts[2];
        const int64_t price = 1 + (int64_t) dice_below(dice, 5000);
        struct order *order = &scene.order;

        order->subtotal = 0;
        for (size_t i = 0; i < LINES; i++) {
                scene.order_lines[i].unit_price = price;
                order->subtotal += price * scene.order_lines[i].quantity;
        }
        discounts[0] = (struct order_discount){ .line = 0 };
        discounts[0].amount = (int64_t) dice_below(dice, (size_t) (2 * price));
        discounts[1] = (struct order_discount){ .line = -1 };
        discounts[1].amount = (int64_t) dice_below(dice, (size_t) (order->subtotal - discounts[0].amount));
        order->discounts = discounts;
        order->n_discounts = dice_below(dice, 3);
        order->discount = 0;
        for (size_t i = 0; i < order->n_discounts; i++)
                order->discount += discounts[i].amount;
        order->shipping = (int64_t) dice_below(dice, 900);
        order->balance.total = order->subtotal - order->discount + order->shipping;
        order->tax_included = dice_below(dice, 2);
        order->tax = (int64_t) dice_below(dice, (size_t) order->balance.total + 1);
        order->balance.total += order->tax_included ? 0 : order->tax;
        till_pay(&scene.till, order, FUNDS_CAPTURED);
        given_for_sale(price);
}

static void assert_adds_up(size_t round) {
        const struct order *order = &scene.order;
        int64_t value = order->shipping, tax = order_shipping_tax(order);

        for (size_t i = 0; i < order->n_lines; i++) {
                value += order_line_value(&order->lines[i], 0, order->lines[i].quantity);
                tax += order_line_tax(&order->lines[i], 0, order->lines[i].quantity);
        }
        cr_assert_eq(value, order->balance.total, "round %zu", round);
        cr_assert_eq(tax, order->tax, "round %zu", round);
        cr_assert_eq(order->balance.total,
                order->subtotal - order->discount + order->shipping + (order->tax_included ? 0 : order->tax),
                "round %zu", round);
}

Test(returns, an_exchange_for_equal_goods_does_not_change_the_balance) {
        uint64_t dice = 20261201;

        for (size_t round = 0; round < EXCHANGES; round++) {
                struct return_item items[2];
                int64_t before;

                scene_clear();
                given_bought();
                random_amounts(&dice);
                before = balance_due(&scene.order.balance);
                items[0] =
                        item(dice_below(&dice, 2) ? FIRST : THIRD, 1 + (int64_t) dice_below(&dice, 2), GOODS_SELLABLE);
                items[1] = item(SECOND_LINE, 1, GOODS_SELLABLE);
                assert_done(exchange(items, 2, "SKU-A", items[0].quantity + 1, NULL));
                cr_assert_eq(balance_due(&scene.order.balance), before, "round %zu: %ld", round,
                        (long) (balance_due(&scene.order.balance) - before));
                cr_assert_eq(rma_refundable(made), 0);
                assert_adds_up(round);
        }
}

/* ---- goods on their way back ---- */

static size_t returns_with_awaited_goods(void) {
        size_t n = 0;

        for (size_t i = 0; i < set.n_rows; i++)
                n += set.rows[i]->status == RETURN_AUTHORIZED || set.rows[i]->status == RETURN_PARTIALLY_RECEIVED;
        return n;
}

static void assert_awaited(size_t n) {
        cr_assert_eq(returns_with_awaited_goods(), n);
        cr_assert_eq(scene.order.returns_awaited, (int64_t) n);
}

Test(returns, the_order_counts_the_returns_that_await_goods) {
        const struct arrival some = arrival_of(FIRST, 1, GOODS_SELLABLE), rest = some;
        struct rma *second;

        assert_awaited(0);
        assert_done(bring_one(SECOND_LINE, 1, GOODS_SELLABLE));
        assert_awaited(0);
        assert_done(bring_one(THIRD, 1, -1));
        second = made;
        assert_awaited(1);
        assert_done(bring_one(FIRST, 2, -1));
        assert_awaited(2);
        cr_assert_str_eq(scene.order.open_for, "units");
        it->status = FULFILLMENT_HANDED_OVER;
        assert_done(receive(&some, 1));
        assert_awaited(2);
        cr_assert_str_eq(scene.order.open_for, "goods");
        assert_done(receive(&rest, 1));
        assert_awaited(1);
        assert_done(return_cancel(second, "kept", &scene.command));
        assert_awaited(0);
}

/* Two commands of one batch: the return is inserted with the version of the second. */
Test(returns, a_new_return_has_version_1_and_a_later_command_raises_it) {
        const struct arrival some = arrival_of(FIRST, 1, GOODS_SELLABLE);

        assert_done(bring_one(FIRST, 2, -1));
        cr_assert(made->version == 1 && made->is_new);
        assert_done(receive(&some, 1));
        cr_assert(made->version == 2 && made->is_new);
        events_settle(&scene.events);
        for (const struct event *event = scene.events.first; event; event = event->next)
                if (event->type == EVENT_RETURN_AUTHORIZED)
                        cr_assert_eq(event->version, 2);
}

Test(returns, lost_goods_are_not_awaited) {
        const struct awaited_units lost = {
                .order_line_id = scene.order_lines[FIRST].id, .has_order_line_id = true, .quantity = 1
        };

        it->status = FULFILLMENT_HANDED_OVER;
        assert_done(bring_one(FIRST, 1, -1));
        assert_awaited(1);
        assert_done(return_lose(made, &lost, 1, &scene.command));
        assert_awaited(0);
}
