/* Random sales: the taxes of all refunds add up to the tax of the credited amount, and quotes are kept to the cent. */
#include "dice.h"
#include "fulfillment_scene.h"
#include "orders/placing.h"
#include "payments/provider.h"
#include "returns/returns.h"

#include "base/snapshot.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#define SALES     4000
#define STEPS_MAX 24
#define ITEMS_MAX 3

static struct order *const order = &scene.order;
static struct return_set set;
static struct catalog_set catalog;
static struct channel web;
static struct return_policy policy;
static struct condition_terms damaged;
static struct condition_matrix matrix;
static struct location store;
static struct product products[2];
static struct stock_row shelves[2];
static struct told_events heard;
static struct snapshot before;
static size_t sale;
static uint64_t dice;

static const struct zone_span utc[] = { { TIMESTAMP_NONE, 0 } };
static struct zone zones[] = { { .name = "UTC", .spans = utc, .n_spans = array_size(utc) } };
static const struct fulfillment_choice at_the_store = { BY_PICKUP, "store", TIMESTAMP_NONE };

/* ---- the sale ---- */

static size_t roll(size_t limit) {
        return dice_below(&dice, limit);
}

static int64_t up_to(int64_t most) {
        return most > 0 ? (int64_t) roll((size_t) most) + 1 : 0;
}

static void given_policy(void) {
        damaged = (struct condition_terms){ .refund_per_mille = (int64_t) roll(1001), .has_refund_per_mille = true };
        matrix = (struct condition_matrix){ .damaged = &damaged };
        policy = (struct return_policy){ .conditions = &matrix,
                .refund_shipping = roll(2) ? REFUND_SHIPPING_FULL_RETURN : REFUND_SHIPPING_NEVER,
                .restocking_fee_per_mille = roll(2) ? 0 : (int64_t) roll(300),
                .has_restocking_fee_per_mille = true };
        web = (struct channel){ .code = "web", .record.exists = true, .return_policy = roll(2) ? &policy : NULL };
}

static void given_shop(void) {
        store = (struct location){
                .code = "store", .record.exists = true, .capabilities = CAN_RETURNS | CAN_PICKUP, .time_zone = "UTC"
        };
        for (size_t i = 0; i < 2; i++) {
                const char *sku = i ? "SKU-B" : "SKU-A";

                products[i] = (struct product){ .sku = sku, .record.exists = true, .returnable = true };
                products[i].price = (struct money){ 1 + (int64_t) roll(3000), "EUR" };
                shelves[i] = (struct stock_row){ .location = "store", .sku = sku, .on_hand = 10000, .exists = true };
        }
        given_policy();
        catalog = (struct catalog_set){ .channels = &web,
                .n_channels = 1,
                .locations = &store,
                .n_locations = 1,
                .products = products,
                .n_products = 2,
                .zones = zones,
                .n_zones = array_size(zones) };
        scene.stock.rows = shelves;
        scene.stock.n_rows = 2;
}

static void given_amounts(void) {
        static struct order_discount discounts[2];

        order->subtotal = 0;
        for (size_t i = 0; i < LINES; i++) {
                scene.order_lines[i].unit_price = roll(3) ? (int64_t) roll(3000) : (int64_t) roll(3);
                order->subtotal += scene.order_lines[i].unit_price * scene.order_lines[i].quantity;
        }
        discounts[0] = (struct order_discount){ .line = THIRD };
        discounts[0].amount = (int64_t) roll((size_t) (3 * scene.order_lines[THIRD].unit_price) + 1);
        discounts[1] = (struct order_discount){ .line = -1 };
        discounts[1].amount = (int64_t) roll((size_t) (order->subtotal - discounts[0].amount) + 1);
        order->discounts = discounts;
        order->n_discounts = roll(3);
        order->discount = 0;
        for (size_t i = 0; i < order->n_discounts; i++)
                order->discount += discounts[i].amount;
        order->shipping = roll(2) ? (int64_t) roll(900) : 0;
        order->balance.total = order->subtotal - order->discount + order->shipping;
        order->tax_included = roll(2);
        order->tax = (int64_t) roll((size_t) (order->tax_included ? order->balance.total : 900) + 1);
        if (roll(2))
                order->tax = order->tax_included ? order->balance.total * 19 / 119 : order->balance.total * 19 / 100;
        order->balance.total += order->tax_included ? 0 : order->tax;
        till_pay(&scene.till, order, FUNDS_CAPTURED);
}

static void given_sale(void) {
        scene_clear();
        given_pickup();
        order->channel = "web";
        given_shop();
        given_amounts();
        returns_init(&set, &scene.arena);
        heard = (struct told_events){ .arena = &scene.arena };
        snapshot_init(&before, &scene.arena);
        scene.refusal = (struct refusal){ 0 };
}

/* ---- invariants ---- */

/* Neither the credited part nor the rest has more tax than amount. */
static void assert_credit_is_sound(void) {
        const struct taxed credited = order_credited(order);

        cr_assert_eq(credited.amount, order->balance.credited, "sale %zu", sale);
        cr_assert(credited.tax >= 0 && credited.tax <= credited.amount, "sale %zu: %" PRId64 " of %" PRId64, sale,
                credited.tax, credited.amount);
        cr_assert_leq(order->tax - credited.tax, order->balance.total - credited.amount, "sale %zu", sale);
}

static void assert_refunds_share_the_tax(void) {
        const struct taxed credited = order_credited(order), refunded = balance_refunded(&order->balance, NULL);

        for (size_t i = 0; i < order->balance.n_refunds; i++) {
                const struct refund *refund = order->balance.refunds[i];

                cr_assert(refund->tax >= 0 && refund->tax <= refund->amount, "sale %zu: %" PRId64 " of %" PRId64, sale,
                        refund->tax, refund->amount);
        }
        if (refunded.amount <= credited.amount)
                cr_assert_leq(refunded.tax, credited.tax, "sale %zu", sale);
        if (refunded.amount == credited.amount)
                cr_assert_eq(refunded.tax, credited.tax,
                        "sale %zu: all %" PRId64 " are refunded with %" PRId64 " of %" PRId64 " tax", sale,
                        refunded.amount, refunded.tax, credited.tax);
}

static struct event *event_of(enum event_type type) {
        struct event *last = NULL;

        for (struct event *event = scene.events.first; event; event = event->next)
                if (event->type == type)
                        last = event;
        return last;
}

/* The amount, and the tax, that the last event of a type names. */
static void assert_told(enum event_type type, const char *name, struct taxed expected) {
        const struct event *event = event_of(type);
        const char *text =
                arena_format(&scene.arena, "\"%s\":%" PRId64 ",\"tax\":%" PRId64, name, expected.amount, expected.tax);

        cr_assert_not_null(event);
        cr_assert_not_null(strstr(buffer_text(&event->data), text), "sale %zu: %s is not in %s", sale, text,
                buffer_text(&event->data));
}

/* ---- steps ---- */

static void hand_over_some(void) {
        struct order_line *line = &order->lines[roll(order->n_lines)];

        for (struct fulfillment_line *at = line->allocations; at; at = at->older) {
                const int64_t units = fulfillment_line_open(at) ? up_to(fulfillment_line_open(at)) : 0;

                at->fulfillment->status = FULFILLMENT_READY;
                at->fulfilled += units;
                line->fulfilled += units;
        }
        order_settle(order, &scene.command);
}

static void assert_quote_is_kept(const struct cancel_quote *quote, struct taxed was) {
        const struct taxed now = order_credited(order),
                           amount = { quote->value + quote->shipping, quote->tax + quote->shipping_tax };

        cr_assert_eq(now.amount - was.amount, amount.amount, "sale %zu", sale);
        cr_assert_eq(now.tax - was.tax, amount.tax, "sale %zu", sale);
        assert_told(EVENT_ORDER_UNITS_CANCELLED, "amount", amount);
        for (size_t i = 0; i < quote->n_lines; i++)
                assert_told(EVENT_ORDER_UNITS_CANCELLED, "value",
                        (struct taxed){ quote->lines[i].value, quote->lines[i].tax });
}

static void cancel_some(void) {
        const struct order_line *line = &order->lines[roll(order->n_lines)];
        const struct cancel_line some = { line->id, up_to(order_line_open(line)) };
        const bool whole = !roll(6);
        struct cancel_quote quote = { 0 };
        struct taxed was = order_credited(order);
        int64_t refund_due;

        if (!some.quantity)
                return;
        snapshot_begin(&before);
        order_snapshot(&before, order);
        assert_done(order_cancel_quote(order, whole ? NULL : &some, whole ? 0 : 1, "no", &scene.command, &quote));
        refund_due = order->balance.refund_due;
        snapshot_restore(&before);
        assert_done(order_cancel(order, whole ? NULL : &some, whole ? 0 : 1, "no", &scene.command));
        assert_quote_is_kept(&quote, was);
        cr_assert_eq(order->balance.refund_due, refund_due, "sale %zu", sale);
}

static struct return_request request_of(const struct return_item *items, size_t n) {
        static const struct left_days days;

        return (struct return_request){ .order = order,
                .location = "store",
                .items = items,
                .n_items = n,
                .set = &set,
                .catalog = &catalog,
                .days = &days };
}

/* Everything that can come back is returned in one parcel, or some units. */
static size_t random_items(struct return_item *items, int condition) {
        size_t n = 0;

        for (size_t i = 1 + roll(ITEMS_MAX); i; i--) {
                const struct order_line *line = &order->lines[roll(order->n_lines)];
                int64_t left = order_line_returnable(&set, line);

                for (size_t j = 0; j < n; j++)
                        left -= uuid_equal(&items[j].order_line_id, &line->id) ? items[j].quantity : 0;
                if (left <= 0)
                        continue;
                items[n++] = (struct return_item){ .order_line_id = line->id,
                        .quantity = roll(2) ? left : up_to(left),
                        .reason = "too small",
                        .condition = condition < 0 ? condition
                                     : roll(3)     ? GOODS_SELLABLE
                                                   : GOODS_DAMAGED,
                        .disposition = -1 };
        }
        return n;
}

static void assert_verdicts_are_kept(
        const struct verdict *verdicts, size_t n, struct taxed shipping, const struct rma *rma) {
        for (size_t i = 0; i < n; i++) {
                cr_assert_eq(rma->lines[i]->value, verdicts[i].worth.value, "sale %zu", sale);
                cr_assert_eq(rma->lines[i]->fee, verdicts[i].worth.fee, "sale %zu", sale);
                cr_assert_eq(rma->lines[i]->refund, verdicts[i].worth.refund.amount, "sale %zu", sale);
                cr_assert_eq(rma->lines[i]->tax, verdicts[i].worth.refund.tax, "sale %zu", sale);
        }
        cr_assert(rma->shipping == shipping.amount && rma->shipping_tax == shipping.tax, "sale %zu", sale);
        assert_told(EVENT_RETURN_RECEIVED, "refund", (struct taxed){ rma_refund(rma), rma_tax(rma) });
}

static enum problem receive_all(struct rma *rma) {
        static const struct left_days days;
        const struct return_reception reception = {
                .rma = rma, .location = "store", .set = &set, .catalog = &catalog, .days = &days
        };

        return return_receive(&reception, &scene.command);
}

/* At the counter, or by post and received at once. The quote is kept, and the credit is the sum that it states. */
static void bring(struct addition *additions, size_t n_additions) {
        const bool by_post = roll(2);
        struct return_item items[ITEMS_MAX];
        const size_t n = random_items(items, by_post ? -1 : GOODS_SELLABLE);
        struct return_request request = request_of(items, n);
        struct verdict verdicts[ITEMS_MAX];
        struct order_line offers[1] = { 0 };
        const struct taxed was = order_credited(order);
        struct taxed shipping;
        struct rma *rma = NULL;

        if (!n)
                return;
        request.additions = additions;
        request.n_additions = n_additions;
        assert_done(return_judge(&request, verdicts, &scene.command));
        assert_done(return_quote_exchange(&request, verdicts, offers, &scene.command));
        shipping = return_quote_credits(&request, verdicts);
        assert_done(return_authorize(&request, &scene.command, &rma));
        if (by_post && n_additions)
                return;
        if (by_post)
                assert_done(receive_all(rma));
        assert_verdicts_are_kept(verdicts, n, shipping, rma);
        cr_assert_eq(order_credited(order).amount - was.amount, rma_refund(rma), "sale %zu", sale);
        cr_assert_eq(order_credited(order).tax - was.tax, rma_tax(rma), "sale %zu", sale);
}

static void exchange_some(void) {
        struct addition addition = { .requested = { .sku = roll(2) ? "SKU-A" : "SKU-B",
                                             .quantity = 1 + (int64_t) roll(2),
                                             .choice = &at_the_store,
                                             .list = "#/exchange/lines" } };

        bring(&addition, 1);
}

/* Goods whose exchange was made at once and that come later by post. */
static void receive_some(void) {
        for (size_t i = 0; i < set.n_rows; i++)
                if (return_is_awaited(set.rows[i]->status))
                        assert_done(receive_all(set.rows[i]));
}

static void decide_some(void) {
        static const enum refund_choice choices[] = { CHOICE_NONE, CHOICE_ORIGINAL, CHOICE_ORIGINAL,
                CHOICE_STORE_CREDIT };
        struct return_refund wanted = { .to = (int) choices[roll(array_size(choices))], .reason = "as agreed" };
        struct rma *rma = set.n_rows ? set.rows[roll(set.n_rows)] : NULL;
        const int64_t most = rma ? rma_refundable(rma) : 0;
        const struct taxed were = balance_refunded(&order->balance, NULL);

        if (!most)
                return;
        wanted.has_amount = wanted.to != CHOICE_NONE && roll(2);
        wanted.amount = (struct money){ up_to(most), "EUR" };
        assert_done(return_decide_refund(rma, &wanted, &scene.command));
        if (wanted.to != CHOICE_NONE)
                assert_told(EVENT_RETURN_REFUNDED, "amount",
                        (struct taxed){ balance_refunded(&order->balance, NULL).amount - were.amount,
                                balance_refunded(&order->balance, NULL).tax - were.tax });
}

static void claims_set(void) {
        struct return_claim *claims = arena_new_array(&scene.arena, struct return_claim, set.n_rows);

        cr_assert_not_null(claims);
        for (size_t i = 0; i < set.n_rows; i++)
                claims[i] = (struct return_claim){ .return_id = set.rows[i]->id,
                        .amount = rma_refund(set.rows[i]) - set.rows[i]->withheld,
                        .tax = rma_tax(set.rows[i]) - set.rows[i]->withheld_tax };
        order->balance.claims = claims;
        order->balance.n_claims = set.n_rows;
}

static enum problem give_back(int64_t amount) {
        const struct refund_request wanted = { .amount = amount, .to = REFUND_TO_ORIGINAL, .reason = "it was late" };

        claims_set();
        return order_give_back(order, &wanted, &scene.command);
}

static void give_back_some(void) {
        const int64_t due = order->balance.refund_due;

        if (due)
                assert_done(give_back(roll(2) ? 0 : up_to(due)));
}

static void appease(void) {
        const int64_t charge = balance_charge(&order->balance);
        const struct taxed was = order_credited(order);
        int64_t most = balance_refundable(&order->balance, REFUND_TO_ORIGINAL);

        most = money_smaller(most, balance_refund_expected(&order->balance) + (roll(3) ? charge / 3 : charge));
        if (!most)
                return;
        assert_done(give_back(up_to(most)));
        if (order_credited(order).amount > was.amount)
                assert_told(EVENT_ORDER_APPEASED, "amount",
                        (struct taxed){
                                order_credited(order).amount - was.amount, order_credited(order).tax - was.tax });
}

static void pay_due(void) {
        const struct payment_request request = { .status = FUNDS_CAPTURED };
        struct payment *payment = NULL;

        if (balance_due(&order->balance) > 0 && order->balance.n_payments < ORDER_PAYMENTS_MAX)
                assert_done(order_pay(order, &request, &scene.command, &payment));
}

/* The provider fails a refund: its tax is due again with its amount. */
static void fail_refund(void) {
        struct refund *refund =
                order->balance.n_refunds ? order->balance.refunds[roll(order->balance.n_refunds)] : NULL;
        struct provider_event told = { .type = PROVIDER_REFUND_FAILED, .occurred_at = TIMESTAMP_NONE };

        if (!refund || !refund->payment || refund->state != REFUND_PENDING)
                return;
        told.event_id = arena_format(&scene.arena, "e-%zu", heard.n);
        told.refund_id = refund->id;
        told.has_refund_id = true;
        assert_done(order_provider_event(order, refund->payment, &told, &heard, &scene.command));
}

static void random_step(void) {
        switch (roll(11)) {
        case 0:
        case 1:
                hand_over_some();
                break;
        case 2:
                cancel_some();
                break;
        case 3:
        case 4:
                bring(NULL, 0);
                break;
        case 5:
                exchange_some();
                break;
        case 6:
                receive_some();
                break;
        case 7:
                decide_some();
                break;
        case 8:
                give_back_some();
                break;
        case 9:
                appease();
                break;
        default:
                roll(2) ? pay_due() : fail_refund();
        }
}

/* Cancel or return every unit, and refund all that is due. */
static void end_sale(void) {
        receive_some();
        pay_due();
        for (size_t i = 0; i < order->n_lines; i++) {
                const struct cancel_line rest = { order->lines[i].id, order_line_open(&order->lines[i]) };

                if (rest.quantity)
                        assert_done(order_cancel(order, &rest, 1, "no", &scene.command));
        }
        for (size_t i = 0; i < order->n_lines; i++) {
                struct return_item rest = { .order_line_id = order->lines[i].id,
                        .quantity = order_line_returnable(&set, &order->lines[i]),
                        .reason = "the rest",
                        .condition = GOODS_SELLABLE,
                        .disposition = -1 };
                const struct return_request request = request_of(&rest, 1);
                struct rma *rma;

                if (rest.quantity)
                        assert_done(return_authorize(&request, &scene.command, &rma));
        }
        if (order->balance.refund_due)
                assert_done(give_back(0));
}

Test(returns_credits, refunds_have_the_tax_of_the_credited_amount_and_quotes_are_kept, .fini = scene_clear) {
        dice = 20261205;
        for (sale = 0; sale < SALES; sale++) {
                given_sale();
                for (size_t step = roll(STEPS_MAX); step; step--) {
                        random_step();
                        assert_credit_is_sound();
                        assert_refunds_share_the_tax();
                }
                end_sale();
                assert_credit_is_sound();
                assert_refunds_share_the_tax();
                if (order->balance.credited == order->balance.total)
                        cr_assert_eq(order_credited(order).tax, order->tax, "sale %zu", sale);
        }
}

/* ---- the sale that lost a cent ---- */

/* One unit of 11.90 with 1.90 tax included. */
static void given_one_coat(void) {
        given_sale();
        web.return_policy = NULL;
        order->n_lines = 1;
        it->n_lines = 1;
        order->lines[0].quantity = scene.lines[0].quantity = 1;
        order->lines[0].unit_price = order->subtotal = order->balance.total = 1190;
        order->n_discounts = 0;
        order->discount = order->shipping = 0;
        order->tax = 190;
        order->tax_included = true;
        till_pay(&scene.till, order, FUNDS_CAPTURED);
}

static struct rma *coat_returned(void) {
        const struct return_item coat = { .order_line_id = order->lines[0].id,
                .quantity = 1,
                .reason = "too small",
                .condition = GOODS_SELLABLE,
                .disposition = -1 };
        const struct return_request request = request_of(&coat, 1);
        struct rma *rma = NULL;

        order->lines[0].fulfilled = scene.lines[0].fulfilled = 1;
        assert_done(return_authorize(&request, &scene.command, &rma));
        return rma;
}

Test(returns_credits, a_return_after_an_appeasement_refunds_the_rest_with_the_rest_of_the_tax, .fini = scene_clear) {
        const struct return_refund all = { .to = CHOICE_ORIGINAL };
        struct rma *rma;

        given_one_coat();
        assert_done(give_back(500));
        cr_assert_eq(order->balance.refunds[0]->tax, 79);
        rma = coat_returned();
        cr_assert(rma_refund(rma) == 690 && rma_tax(rma) == 111);
        cr_assert_eq(rma->lines[0]->value, 1190);
        assert_told(EVENT_RETURN_RECEIVED, "refund", (struct taxed){ 690, 111 });
        assert_done(return_decide_refund(rma, &all, &scene.command));
        cr_assert(order->balance.refunds[1]->amount == 690 && order->balance.refunds[1]->tax == 111);
}

Test(returns_credits, a_return_withheld_after_an_appeasement_leaves_the_tax_of_the_appeasement, .fini = scene_clear) {
        const struct return_refund none = { .to = CHOICE_NONE, .reason = "a gift" };
        struct rma *rma;

        given_one_coat();
        assert_done(give_back(500));
        rma = coat_returned();
        assert_done(return_decide_refund(rma, &none, &scene.command));
        cr_assert(rma->withheld == 690 && rma->withheld_tax == 111);
        assert_told(EVENT_RETURN_REFUND_WITHHELD, "amount", (struct taxed){ 690, 111 });
        cr_assert(order_credited(order).amount == 500 && order_credited(order).tax == 79);
}

Test(returns_credits, a_cancel_after_an_appeasement_credits_the_rest, .fini = scene_clear) {
        struct cancel_quote quote = { 0 };

        given_one_coat();
        assert_done(give_back(500));
        snapshot_begin(&before);
        order_snapshot(&before, order);
        assert_done(order_cancel_quote(order, NULL, 0, "no", &scene.command, &quote));
        cr_assert(quote.value == 690 && quote.tax == 111 && quote.lines[0].value == 690);
        cr_assert_eq(order->balance.refund_due, 690);
        snapshot_restore(&before);
        assert_done(order_cancel(order, NULL, 0, "no", &scene.command));
        assert_told(EVENT_ORDER_UNITS_CANCELLED, "amount", (struct taxed){ 690, 111 });
        cr_assert_eq(order->balance.refund_due, 690);
}

/* The appeasement stays credited, so the customer owes the price less the appeasement as before. */
Test(returns_credits, units_that_are_wanted_again_leave_the_appeasement_credited, .fini = scene_clear) {
        given_one_coat();
        assert_done(give_back(500));
        assert_done(order_cancel(order, NULL, 0, "no", &scene.command));
        order_charge_units(&order->lines[0], 1);
        order->lines[0].cancelled = scene.lines[0].cancelled = 0;
        order_settle(order, &scene.command);
        cr_assert(order_credited(order).amount == 500 && order_credited(order).tax == 79);
        cr_assert_eq(balance_due(&order->balance), 0);
}

Test(returns_credits, an_exchange_after_an_appeasement_does_not_change_the_balance, .fini = scene_clear) {
        const struct return_item coat = {
                .reason = "too small", .quantity = 1, .condition = GOODS_SELLABLE, .disposition = -1
        };
        struct return_item items[1] = { coat };
        struct return_request request = request_of(items, 1);
        struct addition addition = {
                .requested = { .sku = "SKU-B", .quantity = 1, .choice = &at_the_store, .list = "#/exchange/lines" }
        };
        struct rma *rma = NULL;

        given_one_coat();
        products[1].price.amount = 1190;
        assert_done(give_back(500));
        items[0].order_line_id = order->lines[0].id;
        order->lines[0].fulfilled = scene.lines[0].fulfilled = 1;
        request.additions = &addition;
        request.n_additions = 1;
        assert_done(return_authorize(&request, &scene.command, &rma));
        cr_assert(rma_refund(rma) == 1190 && rma_tax(rma) == 190);
        cr_assert_eq(rma_refundable(rma), 0);
        cr_assert_eq(balance_due(&order->balance), 0);
}
