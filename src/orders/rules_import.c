#include "orders/import.h"
#include "orders/number.h"

#include "base/text.h"

#include <string.h>

#define MINUTE_SIZE 16 /* "2010-12-01 08:26" */

/* ---- checks without the database ---- */

/* Nothing, ":00" or ":00Z". */
static bool are_seconds(const char *text) {
        return !*text || (text[0] == ':' && text[1] >= '0' && text[1] <= '5' && text[2] >= '0' && text[2] <= '9' &&
                                 (!text[3] || text_equal(text + 3, "Z")));
}

static bool is_time(const char *text) {
        char date[11], minute[6];
        struct day day;
        int minutes;

        if (strlen(text) < MINUTE_SIZE || text[10] != ' ')
                return false;
        memcpy(date, text, 10);
        date[10] = '\0';
        memcpy(minute, text + 11, 5);
        minute[5] = '\0';
        return day_parse(date, &day) && time_of_day_parse(minute, &minutes) && are_seconds(text + MINUTE_SIZE);
}

enum problem order_import_check(const struct import_order_body *body, struct arena *arena, struct refusal *refusal) {
        char text[CURRENCY_FAULT_SIZE];
        const char *fault = currency_fault(body->currency, text);

        if (fault)
                (void) refuse_because(refusal, arena, "#/currency", "malformed", "%s", fault);
        if (!is_time(body->placed_at))
                (void) refuse_because(
                        refusal, arena, "#/placed_at", "malformed", "Not a time such as 2010-12-01 08:26.");
        for (size_t i = 0; i < body->n_lines; i++)
                if (!text_equal(body->lines[i].unit_price.currency, body->currency))
                        violation_at(refusal, arena, "#/lines", i, "unit_price", "currency-mismatch",
                                "The currency differs from that of the order.");
        return refusal->n_violations ? refuse(refusal, arena, PROBLEM_VALIDATION_FAILED,
                                               "Some members of the order are invalid; see `errors`.")
                                     : PROBLEM_NONE;
}

/* ---- building ---- */

static struct order *imported_order_new(struct placing *placing, const struct import_order_body *body,
        timestamp placed_at, const struct command *command) {
        struct order *order = arena_new(placing->arena, struct order);

        if (!order)
                return NULL;
        *order = (struct order){
                .id = uuid_new(),
                .number = order_number_new(placing->arena),
                .channel = body->channel,
                .external_ref = body->external_ref,
                .actor = command->actor,
                .customer = order_customer(placing->arena, body->customer),
                .status = ORDER_FULFILLED,
                .balance = { .currency = body->currency,
                        .payment_due_at = TIMESTAMP_NONE,
                        .unpaid_since = TIMESTAMP_NONE },
                .tax_included = true,
                .placed_at = placed_at,
                .updated_at = command->now, /* so that clients find it with updated_since */
                .version = 1,
                .lines = arena_new_array(placing->arena, struct order_line, body->n_lines),
                .is_new = true,
        };
        order_open_balance(order);
        return order->number && order->lines ? order : NULL;
}

static bool fulfillment_add(struct placing *placing, struct order *order, const struct import_order_body *body) {
        struct fulfillment *fulfillment = order_add_fulfillment(
                order, BY_SHIPPING, body->location, order->placed_at, order->placed_at, placing->arena);

        if (!fulfillment)
                return false;
        fulfillment->status = FULFILLMENT_DELIVERED;
        fulfillment->lines = arena_new_array(placing->arena, struct fulfillment_line, body->n_lines);
        return fulfillment->lines;
}

static void imported_line_add(struct order *order, const struct product *product, const struct import_line_body *body) {
        struct fulfillment *fulfillment = order->fulfillments[0];
        struct fulfillment_line *allocation = &fulfillment->lines[fulfillment->n_lines++];
        struct order_line *line = &order->lines[order->n_lines++];

        *line = (struct order_line){ .id = uuid_new(),
                .number = (int64_t) order->n_lines - 1,
                .sku = body->sku,
                .title = body->title ? body->title : product->title,
                .quantity = body->quantity,
                .unit_price = body->unit_price.amount,
                .fulfilled = body->quantity,
                .order = order };
        *allocation = (struct fulfillment_line){ .fulfillment = fulfillment,
                .quantity = body->quantity,
                .picked = body->quantity,
                .fulfilled = body->quantity };
        order_line_allocate(line, allocation);
}

static bool imported_total_set(struct order *order) {
        for (size_t i = 0; i < order->n_lines; i++) {
                int64_t total = 0;

                if (!money_multiply(order->lines[i].unit_price, order->lines[i].quantity, &total) ||
                        !money_add(order->subtotal, total, &order->subtotal))
                        return false;
        }
        order->balance.total = order->subtotal;
        return true;
}

static bool imported_order_pay(const struct placing *placing, struct order *order) {
        const struct payment_request request = { .status = FUNDS_CAPTURED, .amount = order->balance.total };

        if (!payment_add(&order->balance, &request, order->actor, order->placed_at, placing->arena))
                return false;
        order_project_balance(order);
        order_project_open(order);
        return true;
}

/* ---- deciding ---- */

static void check_references(const struct placing *placing, const struct import_order_body *body, timestamp placed_at,
        const struct command *command) {
        struct refusal *refusal = command->refusal;
        struct arena *arena = command->arena;

        if (!catalog_find_channel(&placing->catalog, body->channel))
                (void) refuse_because(
                        refusal, arena, "#/channel", "unknown-channel", "%s", "There is no such channel.");
        if (placed_at == TIMESTAMP_NONE)
                (void) refuse_because(
                        refusal, arena, "#/location", "unknown-location", "%s", "There is no such location.");
        else if (placed_at > command->now)
                (void) refuse_because(refusal, arena, "#/placed_at", "out-of-range", "%s",
                        "The time is in the future; import orders to be fulfilled as open orders.");
        for (size_t i = 0; i < body->n_lines; i++)
                if (!catalog_find_product(&placing->catalog, body->lines[i].sku))
                        violation_at(refusal, arena, "#/lines", i, "sku", "unknown-sku", "There is no such product.");
}

static void imported_order_tell(const struct order *order, const char *country, const struct command *command) {
        struct event *created = order_tell(order, EVENT_ORDER_CREATED, command);
        struct event *fulfilled = order_tell(order, EVENT_ORDER_FULFILLED, command);

        created->occurred_at = fulfilled->occurred_at = order->placed_at;
        event_text(created, "order_number", order->number);
        event_text(created, "channel", order->channel);
        event_integer(created, "total", order->balance.total);
        event_text(created, "currency", order->balance.currency);
        event_text(created, "country", country);
        event_text(created, "source", "import");
        event_text(fulfilled, "source", "import");
}

enum problem order_import_decide(struct placing *placing, const struct import_order_body *body, timestamp placed_at,
        const struct command *command, struct order **ret_order) {
        struct refusal *refusal = command->refusal;
        struct order *order;
        enum problem p = placing_check_ref(placing, body->channel, body->external_ref, command);

        if (p)
                return p;
        check_references(placing, body, placed_at, command);
        if (refusal->n_violations)
                return refuse(refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                        "The order cannot be imported; see `errors`.");
        order = imported_order_new(placing, body, placed_at, command);
        if (!order || !fulfillment_add(placing, order, body))
                return FAULT_BUSY;
        for (size_t i = 0; i < body->n_lines; i++)
                imported_line_add(order, catalog_find_product(&placing->catalog, body->lines[i].sku), &body->lines[i]);
        if (!imported_total_set(order))
                return refuse(refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                        "The sum of the amounts exceeds 2^53 - 1, the largest amount.");
        if (!imported_order_pay(placing, order))
                return FAULT_BUSY;
        placing->orders[placing->n_orders++] = order;
        placing->n_placed++;
        imported_order_tell(order, body->country, command);
        *ret_order = order;
        return PROBLEM_NONE;
}

bool known_line_match(struct known_order *order, const struct import_line_body *body) {
        for (size_t i = 0; i < order->n_lines; i++) {
                struct known_line *line = &order->lines[i];

                if (line->matched || line->quantity != body->quantity || line->unit_price != body->unit_price.amount ||
                        !text_equal(line->sku, body->sku) || (body->title && !text_equal(line->title, body->title)))
                        continue;
                line->matched = true;
                return true;
        }
        return false;
}

static bool has_unmatched(const struct known_order *order) {
        for (size_t i = 0; i < order->n_lines; i++)
                if (!order->lines[i].matched)
                        return true;
        return false;
}

size_t known_order_differs(const struct known_order *order, const struct import_order_body *body, timestamp placed_at,
        const char *names[KNOWN_NAMES]) {
        const struct {
                const char *name;
                bool differs;
        } compared[KNOWN_NAMES] = {
                { "date", order->placed_at != placed_at },
                { "customer", !order->is_erased && !text_equal(order->customer_id, body->customer->customer_id) },
                { "country", order->tells_country && !text_equal(order->country, body->country) },
                { "currency", !text_equal(order->currency, body->currency) },
                { "location", !text_equal(order->location, body->location) },
                { "lines", has_unmatched(order) },
        };
        size_t n = 0;

        for (size_t i = 0; i < KNOWN_NAMES; i++)
                if (compared[i].differs)
                        names[n++] = compared[i].name;
        return n;
}
