/*
 * Exchanging: the goods that the customer gets instead are added to the same order, and reserved in the transaction of
 * the return. The balance of the order does the rest: the difference is due, or owed.
 */
#include "orders/placing.h"
#include "returns/returns.h"

#include "base/writer.h"

#define EXCHANGE_SIZE_MAX ((size_t) 16 * 1024)

struct offer_context return_offer_context(const struct return_request *request, const struct command *command) {
        return (struct offer_context){
                .catalog = request->catalog,
                .now = command->now,
                .channel = request->order->channel,
                .currency = request->order->balance.currency,
                .arena = command->arena,
                .refusal = command->refusal,
        };
}

/* ---- its price ---- */

/* The part of an amount that belongs to further units of `of`, when `before` of them have theirs. */
static int64_t part_of(int64_t amount, int64_t before, int64_t units, int64_t of) {
        return money_portion(amount, before + units, of) - money_portion(amount, before, of);
}

static int64_t tax_on_top(const struct return_request *request, const struct verdict *verdict) {
        return request->order->tax_included ? 0 : verdict->paid_tax;
}

/* Units of the same price take over the discounts and the tax of the units that they replace. Returns
 * the units that replace none of them. */
static int64_t take_over(const struct return_request *request, const struct verdict *verdicts, int64_t *taken,
        int64_t price, struct addition *addition) {
        int64_t left = addition->requested.quantity;

        for (size_t i = 0; i < request->n_items && left; i++) {
                const struct verdict *verdict = &verdicts[i];
                const int64_t all = request->items[i].quantity, there = all - taken[i];
                const int64_t units = there < left ? there : left;
                const int64_t discount = price * all - (verdict->worth.value - tax_on_top(request, verdict));

                if (verdict->line->unit_price != price || discount < 0)
                        continue;
                addition->discount += part_of(discount, taken[i], units, all);
                addition->tax += part_of(verdict->paid_tax, taken[i], units, all);
                taken[i] += units;
                left -= units;
        }
        return left;
}

/* Of other goods the tax has the same part as in all that comes back, rounded to the nearest. */
static int64_t tax_in_proportion(const struct return_request *request, const struct verdict *verdicts, int64_t amount) {
        int64_t tax = 0, paid = 0;

        for (size_t i = 0; i < request->n_items; i++) {
                tax += verdicts[i].paid_tax;
                paid += verdicts[i].worth.value - tax_on_top(request, &verdicts[i]);
        }
        return (money_portion(2 * amount, tax, paid) + 1) / 2;
}

static int64_t net_of(const struct addition *addition, int64_t price) {
        return price * addition->requested.quantity - addition->discount;
}

static void exchange_violation_add(
        const struct command *command, const char *pointer, const char *code, const char *detail) {
        (void) refuse_because(command->refusal, command->arena, pointer, code, "%s", detail);
}

/* Deal the tax of the request over the additions by their cost. */
static void deal_exchange_tax(
        const struct return_request *request, const int64_t *prices, const struct command *command) {
        const struct tax_body *tax = request->exchange_tax;
        int64_t weights[EXCHANGE_LINES_MAX], shares[EXCHANGE_LINES_MAX], sum = 0;

        for (size_t i = 0; i < request->n_additions; i++)
                sum += weights[i] = net_of(&request->additions[i], prices[i]);
        if (tax->has_included && tax->included != request->order->tax_included)
                exchange_violation_add(
                        command, "#/exchange/tax/included", "mismatch", "An exchange has its tax as the order has it.");
        if (request->order->tax_included && tax->amount > sum)
                exchange_violation_add(command, "#/exchange/tax/amount", "too-large",
                        "The tax included is more than the exchange costs.");
        money_share(tax->amount, weights, request->n_additions, shares);
        for (size_t i = 0; i < request->n_additions; i++)
                request->additions[i].tax = shares[i];
}

/* Discount and tax of each addition, and whether the order can state them. */
static void price_exchange(const struct return_request *request, const struct verdict *verdicts, const int64_t *prices,
        const struct command *command) {
        int64_t taken[RETURN_ITEMS_MAX] = { 0 }, total = request->order->balance.total, tax = request->order->tax;

        for (size_t i = 0; i < request->n_additions; i++) {
                struct addition *addition = &request->additions[i];
                int64_t left;

                addition->discount = addition->tax = 0;
                left = take_over(request, verdicts, taken, prices[i], addition);
                addition->tax += tax_in_proportion(request, verdicts, left * prices[i]);
        }
        if (request->exchange_tax)
                deal_exchange_tax(request, prices, command);
        for (size_t i = 0; i < request->n_additions; i++) {
                const struct addition *addition = &request->additions[i];

                if (!money_add(total, net_of(addition, prices[i]) + addition->tax, &total) ||
                        !money_add(tax, addition->tax, &tax))
                        exchange_violation_add(command, "#/exchange/tax/amount", "out-of-range",
                                "The amounts add up to more than can be stated exactly.");
        }
}

enum problem return_quote_exchange(const struct return_request *request, const struct verdict *verdicts,
        struct order_line *lines, const struct command *command) {
        const struct offer_context context = return_offer_context(request, command);
        int64_t prices[EXCHANGE_LINES_MAX] = { 0 };

        for (size_t i = 0; i < request->n_additions; i++) {
                requested_line_check(&context, &request->additions[i].requested);
                requested_line_offer(&context, &request->additions[i].requested, &lines[i]);
                prices[i] = request->additions[i].unit_price = lines[i].unit_price;
        }
        if (!command->refusal->n_violations && request->n_additions)
                price_exchange(request, verdicts, prices, command);
        if (command->refusal->n_violations)
                return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                        "Some lines of the exchange cannot be sold; see `errors`.");
        return PROBLEM_NONE;
}

static size_t n_discounted(const struct return_request *request) {
        size_t n = 0;

        for (size_t i = 0; i < request->n_additions; i++)
                n += request->additions[i].discount > 0;
        return n;
}

enum problem return_check_exchange(
        const struct return_request *request, const struct verdict *verdicts, const struct command *command) {
        const struct offer_context context = return_offer_context(request, command);
        int64_t prices[EXCHANGE_LINES_MAX] = { 0 };
        enum problem p;

        for (size_t i = 0; i < request->n_additions; i++)
                requested_line_check(&context, &request->additions[i].requested);
        if (command->refusal->n_violations)
                return refuse(
                        command->refusal, command->arena, PROBLEM_VALIDATION_FAILED, "The exchange is not valid.");
        p = additions_check(request->order, request->additions, request->n_additions, request->order->ship_to != NULL,
                command->stock, &context);
        if (p)
                return p;
        for (size_t i = 0; i < request->n_additions; i++)
                prices[i] = request->additions[i].unit_price;
        price_exchange(request, verdicts, prices, command);
        if (command->refusal->n_violations)
                return refuse(
                        command->refusal, command->arena, PROBLEM_VALIDATION_FAILED, "The exchange is not valid.");
        if (request->order->n_discounts + n_discounted(request) <= ORDER_DISCOUNTS_MAX)
                return PROBLEM_NONE;
        exchange_violation_add(command, "#/exchange/lines", "too-many",
                "The order has no room for the discounts of the exchanged lines.");
        return refuse(command->refusal, command->arena, PROBLEM_TOO_MANY, "The order has no room for more discounts.");
}

/* The order's lines are elsewhere now, under the same numbers. */
static void find_lines_again(const struct return_set *set, struct order *order) {
        for (size_t i = 0; i < set->n_rows; i++)
                for (size_t j = 0; set->rows[i]->order == order && j < set->rows[i]->n_lines; j++) {
                        struct return_line *line = set->rows[i]->lines[j];

                        line->order_line = &order->lines[line->order_line->number];
                }
}

static const char *exchange_json(const struct addition *additions, size_t n, struct arena *arena) {
        struct buffer text;
        struct writer json;

        buffer_init(&text, arena, EXCHANGE_SIZE_MAX);
        writer_init(&json, &text);
        write_list_begin(&json);
        for (size_t i = 0; i < n; i++) {
                write_object_begin(&json);
                write_uuid_member(&json, "order_line_id", &additions[i].line->id);
                write_text_member(&json, "sku", additions[i].requested.sku);
                write_integer_member(&json, "quantity", additions[i].requested.quantity);
                write_object_end(&json);
        }
        write_list_end(&json);
        return text.failed ? NULL : buffer_text(&text);
}

enum problem return_make_exchange(
        const struct return_request *request, struct rma *rma, const struct command *command) {
        const struct adding adding = { .command = command, .arena = command->stock->arena };
        const enum problem p = additions_make(request->order, request->additions, request->n_additions, &adding);
        struct event *event;

        if (p)
                return p;
        find_lines_again(request->set, request->order);
        rma->exchange = exchange_json(request->additions, request->n_additions, command->stock->arena);
        if (!rma->exchange)
                return FAULT_BUSY;
        event = rma_tell(rma, EVENT_RETURN_EXCHANGED, command);
        event_integer(event, "lines_added", (int64_t) request->n_additions);
        return PROBLEM_NONE;
}
