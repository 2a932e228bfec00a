#include "orders/placing.h"
#include "catalog/promise.h"

#include "base/country.h"
#include "base/text.h"
#include "base/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DOCUMENT_SIZE_MAX ((size_t) 16 * 1024) /* of customer or address as JSON */

/* ---- what the request alone tells ---- */

const struct fulfillment_choice *placing_choice(const struct order_body *body, const struct order_line_body *line) {
        return line->fulfillment ? line->fulfillment : body->fulfillment;
}

/* One request being judged: where to put what is wrong with it. */
struct judge {
        const struct order_body *body;
        struct arena *arena;
        struct refusal *refusal;
};

static void object(const struct judge *judge, const char *pointer, const char *code, const char *detail) {
        (void) refuse_because(judge->refusal, judge->arena, pointer, code, "%s", detail);
}

/* What is wrong with the choice for the whole order is said once, where it stands. */
static void object_default(const struct judge *judge, const char *member, const char *code, const char *detail) {
        char pointer[96];

        (void) snprintf(pointer, sizeof(pointer), "#/%s", member);
        for (const struct violation *said = judge->refusal->violations; said; said = said->next)
                if (text_equal(said->pointer, pointer) && text_equal(said->code, code))
                        return;
        object(judge, pointer, code, detail);
}

static void object_line(
        const struct judge *judge, size_t line, const char *member, const char *code, const char *detail) {
        char pointer[96];

        if (text_starts_with(member, "fulfillment") && !judge->body->lines[line].fulfillment &&
                judge->body->fulfillment) {
                object_default(judge, member, code, detail);
                return;
        }
        (void) snprintf(pointer, sizeof(pointer), "#/lines/%zu/%s", line, member);
        object(judge, pointer, code, detail);
}

static bool is_currency(const struct judge *judge, const struct money *money) {
        return text_equal(money->currency, judge->body->currency);
}

static void check_line(const struct judge *judge, size_t i) {
        const struct order_line_body *line = &judge->body->lines[i];
        const struct fulfillment_choice *choice = placing_choice(judge->body, line);

        if (!choice || choice->method < 0)
                object_line(judge, i, "fulfillment", "required",
                        "Say how the line is fulfilled, here or for the whole order.");
        else if (!choice->location)
                object_line(judge, i, "fulfillment/location", "required", "Name the location that fulfils the line.");
        else if (choice->method == BY_SHIPPING && choice->slot != TIMESTAMP_NONE)
                object_line(judge, i, "fulfillment/slot", "not-allowed", "Only what is collected has a slot.");
        if (line->has_unit_price && !is_currency(judge, &line->unit_price))
                object_line(judge, i, "unit_price/currency", "currency-mismatch", "Not the currency of the order.");
}

static bool ships(const struct order_body *body) {
        for (size_t i = 0; i < body->n_lines; i++) {
                const struct fulfillment_choice *choice = placing_choice(body, &body->lines[i]);

                if (choice && choice->method == BY_SHIPPING)
                        return true;
        }
        return false;
}

static void check_discounts(const struct judge *judge) {
        for (size_t i = 0; i < judge->body->n_discounts; i++) {
                const struct discount_body *discount = &judge->body->discounts[i];
                char pointer[64];

                if (!discount->has_line || (discount->line >= 0 && (size_t) discount->line < judge->body->n_lines))
                        continue;
                (void) snprintf(pointer, sizeof(pointer), "#/discounts/%zu/line", i);
                object(judge, pointer, "out-of-range", "The order has no such line.");
        }
}

/* Somebody at some place; more than that only the mail itself can tell. */
static bool is_email(const char *text) {
        const char *at = strchr(text, '@');

        return at && at != text && at[1] && !strchr(at + 1, '@') && !strpbrk(text, " \t\r\n\v\f");
}

static void check_people(const struct judge *judge) {
        const struct customer_body *customer = judge->body->customer;
        const struct address_body *to = judge->body->ship_to;

        if (customer->email && !is_email(customer->email))
                object(judge, "#/customer/email", "malformed", "This is no e-mail address.");
        if (to && !country_exists(to->country))
                object(judge, "#/ship_to/country", "malformed",
                        "This must be a country of ISO 3166-1 by its two letters, such as DE.");
        if (to && to->has_latitude != to->has_longitude)
                object(judge, "#/ship_to", "required", "Latitude and longitude stand together.");
        if (!to && ships(judge->body))
                object(judge, "#/ship_to", "required", "Lines that are shipped need an address.");
}

enum problem placing_check(const struct order_body *body, struct arena *arena, struct refusal *refusal) {
        const struct judge judge = { body, arena, refusal };

        if (currency_exponent(body->currency) < 0)
                object(&judge, "#/currency", "malformed", "Not an active ISO 4217 currency.");
        for (size_t i = 0; i < body->n_lines; i++)
                check_line(&judge, i);
        check_discounts(&judge);
        check_people(&judge);
        if (body->has_shipping && !is_currency(&judge, &body->shipping))
                object(&judge, "#/shipping/currency", "currency-mismatch", "Not the currency of the order.");
        if (body->payment && body->payment->due_at != TIMESTAMP_NONE && body->payment->status > (int) PAYMENT_PENDING)
                object(&judge, "#/payment/due_at", "not-allowed", "Only a pending payment falls due.");
        if (!refusal->n_violations)
                return PROBLEM_NONE;
        return refuse(refusal, arena, PROBLEM_VALIDATION_FAILED, "The order is not valid.");
}

/* ---- documents ---- */

const char *order_customer(struct arena *arena, const struct customer_body *customer) {
        struct buffer buffer;
        struct writer json;

        buffer_init(&buffer, arena, DOCUMENT_SIZE_MAX);
        writer_init(&json, &buffer);
        write_object_begin(&json);
        write_text_member(&json, "name", customer->name);
        write_text_member(&json, "email", customer->email);
        write_text_member(&json, "phone", customer->phone);
        write_text_member(&json, "customer_id", customer->customer_id);
        write_object_end(&json);
        return buffer_text(&buffer);
}

static const char *address_json(struct arena *arena, const struct address_body *address) {
        struct buffer buffer;
        struct writer json;

        if (!address)
                return NULL;
        buffer_init(&buffer, arena, DOCUMENT_SIZE_MAX);
        writer_init(&json, &buffer);
        write_object_begin(&json);
        write_text_member(&json, "name", address->name);
        write_text_member(&json, "line1", address->line1);
        write_text_member(&json, "line2", address->line2);
        write_text_member(&json, "city", address->city);
        write_text_member(&json, "postal_code", address->postal_code);
        write_text_member(&json, "country", address->country);
        if (address->has_latitude) {
                write_number_member(&json, "latitude", address->latitude);
                write_number_member(&json, "longitude", address->longitude);
        }
        write_object_end(&json);
        return buffer_text(&buffer);
}

/* Nine symbols that nobody mistakes for another, in groups that can be read out. */
const char *order_number_new(struct arena *arena) {
        static const char symbols[] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
        const struct uuid random = uuid_random();
        char *number = arena_alloc(arena, ORDER_NUMBER_SIZE);
        size_t n = 0;

        if (!number)
                return NULL;
        for (size_t i = 0; i < 9; i++) {
                if (i && i % 3 == 0)
                        number[n++] = '-';
                number[n++] = symbols[random.bytes[i] % (sizeof(symbols) - 1)];
        }
        return number;
}

/* ---- building ---- */

static struct order *order_new(const struct judge *judge, struct placing *placing, const char *actor) {
        const struct order_body *body = judge->body;
        const struct payment_body *payment = body->payment;
        struct order *order = arena_new(placing->arena, struct order);

        if (!order)
                return NULL;
        *order = (struct order){
                .id = uuid_new_at(placing_choice(body, &body->lines[0])->location),
                .number = order_number_new(placing->arena),
                .channel = body->channel,
                .external_ref = body->external_ref,
                .currency = body->currency,
                .actor = actor,
                .customer = order_customer(placing->arena, body->customer),
                .ship_to = address_json(placing->arena, body->ship_to),
                .payment_reference = payment ? payment->reference : NULL,
                .payment_status =
                        payment && payment->status > 0 ? (enum payment_status) payment->status : PAYMENT_PENDING,
                .payment_due_at = payment ? payment->due_at : TIMESTAMP_NONE,
                .reservation_id = body->reservation_id,
                .placed_at = placing->now,
                .updated_at = placing->now,
                .version = 1,
                .lines = arena_new_array(placing->arena, struct order_line, body->n_lines),
                .discounts = arena_new_array(placing->arena, struct order_discount, body->n_discounts),
                .is_new = true,
        };
        if (order->payment_status == PAYMENT_PENDING && order->payment_due_at == TIMESTAMP_NONE && placing->unpaid_ttl)
                order->payment_due_at = placing->now + placing->unpaid_ttl;
        return order->number && order->lines && order->discounts ? order : NULL;
}

/* The channel's own price, else the product's. */
static struct money price_of(const struct product *product, const struct listing *listing) {
        return listing && *listing->price.currency ? listing->price : product->price;
}

static void price_line(const struct judge *judge, size_t i, const struct product *product,
        const struct listing *listing, struct order_line *line) {
        const struct order_line_body *wanted = &judge->body->lines[i];
        const struct money price = wanted->has_unit_price ? wanted->unit_price : price_of(product, listing);

        if (!*price.currency)
                object_line(
                        judge, i, "unit_price", "price-missing", "Neither the channel nor the product has a price.");
        else if (!is_currency(judge, &price))
                object_line(
                        judge, i, "unit_price", "currency-mismatch", "The price has another currency than the order.");
        line->unit_price = price.amount;
}

static void line_build(const struct judge *judge, const struct placing *placing, size_t i, struct order *order) {
        const struct order_line_body *wanted = &judge->body->lines[i];
        const struct product *product = catalog_find_product(&placing->catalog, wanted->sku);
        const struct listing *listing = catalog_find_listing(&placing->catalog, judge->body->channel, wanted->sku);
        struct order_line *line = &order->lines[order->n_lines++];

        *line = (struct order_line){ .id = uuid_new(),
                .number = (int64_t) i,
                .sku = wanted->sku,
                .quantity = wanted->quantity,
                .order = order };
        if (!product) {
                object_line(judge, i, "sku", "unknown-sku", "There is no such product.");
                return;
        }
        if (listing && !listing->published)
                object_line(judge, i, "sku", "not-published", "The channel does not sell this product.");
        line->title = listing && listing->title ? listing->title : product->title;
        price_line(judge, i, product, listing, line);
}

/* When the location has it ready. */
static timestamp promise_by(
        const struct judge *judge, const struct placing *placing, size_t i, const struct location *location) {
        const struct zone *zone = catalog_find_zone(&placing->catalog, location->time_zone);
        timestamp promised_at = placing->now;

        if (!promise_time(location, zone, placing->now, &promised_at))
                object_line(judge, i, "fulfillment/location", "closed",
                        "The location is not open for long enough within the next year.");
        return promised_at;
}

/* A slot that is named takes the place of the promise, if it does not begin before it. */
static void choose_slot(const struct judge *judge, const struct placing *placing, size_t i,
        const struct location *location, struct fulfillment *fulfillment) {
        const timestamp begins = placing_choice(judge->body, &judge->body->lines[i])->slot;
        const struct zone *zone = catalog_find_zone(&placing->catalog, location->time_zone);
        struct slot_time slot;

        if (begins == TIMESTAMP_NONE)
                return;
        if (begins > placing->now + SLOT_HORIZON || !slot_find(location, zone, begins, &slot) ||
                !slot_row_find(&placing->slots, location->code, begins)) {
                object_line(judge, i, "fulfillment/slot", "unknown-slot",
                        "The location has no slot that begins then, or it is too far ahead to be named yet.");
                return;
        }
        if (begins < fulfillment->promised_at)
                object_line(judge, i, "fulfillment/slot", "too-soon", "The order will not be ready by then.");
        fulfillment->has_slot = true;
        fulfillment->slot_at = fulfillment->promised_at = begins;
}

static void check_same_slot(const struct judge *judge, size_t i, const struct fulfillment *fulfillment) {
        const timestamp begins = placing_choice(judge->body, &judge->body->lines[i])->slot;

        if (begins != (fulfillment->has_slot ? fulfillment->slot_at : TIMESTAMP_NONE))
                object_line(judge, i, "fulfillment/slot", "conflict",
                        "Lines that are collected together name the same slot.");
}

/* The fulfillment for method and location: lines that share both are one unit of work. NULL without memory. */
static struct fulfillment *fulfillment_for(
        const struct judge *judge, const struct placing *placing, size_t i, struct order *order) {
        const struct fulfillment_choice *choice = placing_choice(judge->body, &judge->body->lines[i]);
        const struct location *location = catalog_find_location(&placing->catalog, choice->location);
        const enum fulfillment_method method = (enum fulfillment_method) choice->method;
        struct fulfillment *fulfillment;

        for (size_t j = 0; j < order->n_fulfillments; j++)
                if (order->fulfillments[j]->method == method &&
                        text_equal(order->fulfillments[j]->location, choice->location)) {
                        check_same_slot(judge, i, order->fulfillments[j]);
                        return order->fulfillments[j];
                }
        if (!location)
                object_line(judge, i, "fulfillment/location", "unknown-location", "There is no such location.");
        else if (!(location->capabilities & fulfillment_capability(method)))
                object_line(judge, i, "fulfillment/method", "not-capable", "The location does not offer this.");
        fulfillment = order_add_fulfillment(order, method, choice->location,
                location ? promise_by(judge, placing, i, location) : placing->now, placing->now, placing->arena);
        if (fulfillment && location)
                choose_slot(judge, placing, i, location, fulfillment);
        return fulfillment;
}

/* Lines of one fulfillment stand together in memory, as they do when they are loaded. */
static bool allocate_lines(const struct judge *judge, struct placing *placing, struct order *order) {
        struct fulfillment_line *allocations = arena_new_array(placing->arena, struct fulfillment_line, order->n_lines);
        struct fulfillment **chosen = arena_new_array(placing->arena, struct fulfillment *, order->n_lines);
        size_t n = 0;

        if (!allocations || !chosen)
                return false;
        for (size_t i = 0; i < order->n_lines; i++) {
                chosen[i] = fulfillment_for(judge, placing, i, order);
                if (!chosen[i])
                        return false;
        }
        for (size_t j = 0; j < order->n_fulfillments; j++) {
                struct fulfillment *fulfillment = order->fulfillments[j];

                fulfillment->lines = &allocations[n];
                for (size_t i = 0; i < order->n_lines; i++) {
                        struct order_line *line = &order->lines[i];

                        if (chosen[i] != fulfillment)
                                continue;
                        allocations[n] = (struct fulfillment_line){ .fulfillment = fulfillment,
                                .stock = stock_find(&placing->stock, fulfillment->location, line->sku),
                                .quantity = line->quantity };
                        order_line_allocate(line, &allocations[n++]);
                        fulfillment->n_lines++;
                }
        }
        return true;
}

/* ---- money ---- */

static bool sum_lines(struct order *order) {
        for (size_t i = 0; i < order->n_lines; i++) {
                int64_t total = 0;

                if (!money_multiply(order->lines[i].unit_price, order->lines[i].quantity, &total) ||
                        !money_add(order->subtotal, total, &order->subtotal))
                        return false;
        }
        return true;
}

static bool sum_discounts(const struct judge *judge, struct order *order) {
        for (size_t i = 0; i < judge->body->n_discounts; i++) {
                const struct discount_body *discount = &judge->body->discounts[i];

                order->discounts[order->n_discounts++] = (struct order_discount){ .amount = discount->amount,
                        .line = discount->has_line ? discount->line : -1,
                        .reason = discount->reason };
                if (!money_add(order->discount, discount->amount, &order->discount))
                        return false;
        }
        return true;
}

/* No line may be worth less than nothing, nor may the order. */
static bool discounts_fit(const struct order *order) {
        for (size_t i = 0; i < order->n_lines; i++) {
                int64_t worth = order->lines[i].unit_price * order->lines[i].quantity;

                for (size_t j = 0; j < order->n_discounts; j++)
                        if (order->discounts[j].line == order->lines[i].number)
                                worth -= order->discounts[j].amount;
                if (worth < 0)
                        return false;
        }
        return order->discount <= order->subtotal;
}

static void add_up(const struct judge *judge, struct order *order) {
        const struct tax_body *tax = judge->body->tax;
        bool fits;

        order->shipping = judge->body->has_shipping ? judge->body->shipping.amount : 0;
        order->tax = tax ? tax->amount : 0;
        order->tax_included = !tax || !tax->has_included || tax->included;
        fits = sum_lines(order) && sum_discounts(judge, order);
        if (fits && !discounts_fit(order)) {
                object(judge, "#/discounts", "too-large", "The discounts are more than what they apply to.");
                return;
        }
        fits = fits && money_add(order->subtotal - order->discount, order->shipping, &order->total);
        if (fits && order->tax_included && order->tax > order->total)
                object(judge, "#/tax/amount", "too-large", "The tax included is more than the total.");
        if (fits && !order->tax_included)
                fits = money_add(order->total, order->tax, &order->total);
        if (!fits)
                object(judge, "#/lines", "out-of-range", "The amounts add up to more than can be stated exactly.");
}

/* ---- the reservation ---- */

static enum problem check_reservation(
        const struct judge *judge, const struct placing *placing, struct reservation **ret_reservation) {
        struct reservation *reservation;
        enum reservation_status status;

        *ret_reservation = NULL;
        if (!judge->body->has_reservation_id)
                return PROBLEM_NONE;
        reservation = reservation_find(&placing->reservations, &judge->body->reservation_id);
        if (!reservation || (reservation->channel && !text_equal(reservation->channel, judge->body->channel))) {
                object(judge, "#/reservation_id", "unknown-reservation", "There is no such reservation.");
                return refuse(
                        judge->refusal, judge->arena, PROBLEM_VALIDATION_FAILED, "The reservation does not exist.");
        }
        status = reservation_status_at(reservation, placing->now);
        if (status != RESERVATION_ACTIVE) {
                judge->refusal->current_status = reservation_lifecycle.states[status];
                return refuse(judge->refusal, judge->arena, PROBLEM_RESERVATION_EXPIRED, "The reservation is %s.",
                        judge->refusal->current_status);
        }
        *ret_reservation = reservation;
        return PROBLEM_NONE;
}

static int64_t reserved_by(const struct reservation *reservation, const struct stock_row *row) {
        int64_t units = 0;

        for (size_t i = 0; reservation && i < reservation->n_lines; i++)
                if (reservation->lines[i].stock == row && reservation->lines[i].held)
                        units += reservation->lines[i].quantity;
        return units;
}

/* ---- stock ---- */

/* What is there for this order once its reservation lets go. */
static int64_t available_to(const struct reservation *reservation, const struct stock_row *row) {
        const struct stock_row without = { .on_hand = row->on_hand,
                .unsellable = row->unsellable,
                .reserved = row->reserved - reserved_by(reservation, row),
                .safety_stock = row->safety_stock };

        return stock_available(&without);
}

static int64_t wanted_of(const struct order *order, const struct stock_row *row, size_t *ret_first) {
        int64_t units = 0;

        *ret_first = order->n_lines;
        for (size_t i = 0; i < order->n_lines; i++) {
                if (order->lines[i].allocations->stock != row)
                        continue;
                units += order->lines[i].quantity;
                if (*ret_first == order->n_lines)
                        *ret_first = i;
        }
        return units;
}

static void name_shortage(const struct judge *judge, const struct order_line *line, int64_t available, int64_t wanted) {
        struct violation *violation;
        char pointer[64];

        (void) snprintf(pointer, sizeof(pointer), "#/lines/%" PRId64 "/quantity", line->number);
        violation = refuse_because(judge->refusal, judge->arena, pointer, "insufficient-stock",
                "%s at %s: %" PRId64 " available, %" PRId64 " requested.", line->sku,
                line->allocations->fulfillment->location, available, wanted);
        if (!violation)
                return;
        violation->available = available;
        violation->has_available = true;
}

/* Lines that draw on the same row are added up first, so that none of them sees the full stock again. */
static enum problem check_stock(
        const struct judge *judge, const struct order *order, const struct reservation *reservation) {
        bool covered = true;

        for (size_t i = 0; i < order->n_lines; i++) {
                const struct stock_row *row = order->lines[i].allocations->stock;
                const int64_t available = available_to(reservation, row);
                size_t first = 0;
                const int64_t wanted = wanted_of(order, row, &first);

                if (wanted <= available || first != i)
                        continue;
                covered = false;
                name_shortage(judge, &order->lines[i], available, wanted);
        }
        if (covered)
                return PROBLEM_NONE;
        return refuse(
                judge->refusal, judge->arena, PROBLEM_INSUFFICIENT_STOCK, "Not everything the order names is there.");
}

/* ---- slots ---- */

void placing_want_slots(struct placing *placing, const struct order_body *body) {
        for (size_t i = 0; i < body->n_lines; i++) {
                const struct fulfillment_choice *choice = placing_choice(body, &body->lines[i]);
                const struct location *location = catalog_find_location(&placing->catalog, choice->location);
                struct slot_time slot;

                if (location && choice->slot != TIMESTAMP_NONE &&
                        slot_find(location, catalog_find_zone(&placing->catalog, location->time_zone), choice->slot,
                                &slot))
                        slots_want(&placing->slots, location->code, choice->slot);
        }
}

/* Each fulfillment takes a place; two of one order may name the same slot. */
static enum problem check_slots(const struct judge *judge, struct placing *placing, const struct order *order) {
        bool fit = true;

        for (size_t j = 0; j < order->n_fulfillments; j++) {
                const struct fulfillment *fulfillment = order->fulfillments[j];
                const struct location *location = catalog_find_location(&placing->catalog, fulfillment->location);
                struct slot_time slot;
                int64_t taken;

                if (!fulfillment->has_slot)
                        continue;
                taken = slot_row_find(&placing->slots, fulfillment->location, fulfillment->slot_at)->booked;
                for (size_t k = 0; k < j; k++)
                        taken += order->fulfillments[k]->has_slot &&
                                 order->fulfillments[k]->slot_at == fulfillment->slot_at &&
                                 text_equal(order->fulfillments[k]->location, fulfillment->location);
                if (slot_find(location, catalog_find_zone(&placing->catalog, location->time_zone), fulfillment->slot_at,
                            &slot) &&
                        taken < slot.capacity)
                        continue;
                fit = false;
                object_line(judge, (size_t) fulfillment->lines[0].order_line->number, "fulfillment/slot", "slot-full",
                        "All places of the slot are taken.");
        }
        return fit ? PROBLEM_NONE : refuse(judge->refusal, judge->arena, PROBLEM_SLOT_FULL, "The slot is full.");
}

static void book_slots(struct placing *placing, const struct order *order) {
        for (size_t j = 0; j < order->n_fulfillments; j++) {
                const struct fulfillment *fulfillment = order->fulfillments[j];
                struct slot_row *row;

                if (!fulfillment->has_slot)
                        continue;
                row = slot_row_find(&placing->slots, fulfillment->location, fulfillment->slot_at);
                row->booked++;
                row->changed = true;
        }
}

/* ---- deciding ---- */

enum problem placing_check_ref(const struct placing *placing, const char *channel, const char *external_ref,
        struct arena *arena, struct refusal *refusal) {
        for (size_t i = 0; i < placing->n_orders; i++) {
                const struct order *other = placing->orders[i];
                char id[UUID_TEXT_SIZE];

                if (!text_equal(other->channel, channel) || !text_equal(other->external_ref, external_ref))
                        continue;
                uuid_format(&other->id, id);
                refusal->link = arena_format(arena, "/v1/orders/%s", id);
                return refuse(refusal, arena, PROBLEM_DUPLICATE_EXTERNAL_REF, "Channel %s already has the order %s.",
                        other->channel, other->external_ref);
        }
        return PROBLEM_NONE;
}

static void tell_placed(struct placing *placing, const struct order *order, const char *actor) {
        struct event *event = order_tell(&placing->events, order, "order.created", actor);

        event_text(event, "order_number", order->number);
        event_text(event, "channel", order->channel);
        event_integer(event, "total", order->total);
        event_text(event, "currency", order->currency);
        for (size_t i = 0; i < order->n_fulfillments; i++)
                (void) fulfillment_tell(&placing->events, order->fulfillments[i], "fulfillment.allocated", actor);
        if (order->payment_status == PAYMENT_AUTHORIZED)
                (void) order_tell(&placing->events, order, "payment.authorized", actor);
        if (order->payment_status == PAYMENT_CAPTURED)
                (void) order_tell(&placing->events, order, "payment.captured", actor);
}

/* Nothing can refuse it any more: the reservation lets go, and the order takes what it needs. */
static void commit_order(
        struct placing *placing, struct order *order, struct reservation *reservation, const char *actor) {
        struct refusal none = { 0 };

        if (reservation && !reservation_advance(reservation, RESERVATION_CLAIM, placing->now, placing->arena, &none)) {
                reservation->order_id = order->id;
                placing->claimed[placing->n_claimed++] = reservation;
        }
        for (size_t i = 0; i < order->n_lines; i++)
                stock_reserve(order->lines[i].allocations->stock, order->lines[i].quantity);
        book_slots(placing, order);
        placing->orders[placing->n_orders++] = order;
        placing->n_placed++;
        tell_placed(placing, order, actor);
}

enum problem placing_decide(struct placing *placing, const struct order_body *body, const char *actor,
        struct arena *arena, struct refusal *refusal, struct order **ret_order) {
        const struct judge judge = { body, arena, refusal };
        struct reservation *reservation = NULL;
        struct order *order;
        enum problem p = placing_check_ref(placing, body->channel, body->external_ref, arena, refusal);

        if (p)
                return p;
        order = order_new(&judge, placing, actor);
        if (!order)
                return FAULT_BUSY;
        if (!catalog_find_channel(&placing->catalog, body->channel))
                object(&judge, "#/channel", "unknown-channel", "There is no such channel.");
        if (body->payment && body->payment->due_at != TIMESTAMP_NONE && body->payment->due_at <= placing->now)
                object(&judge, "#/payment/due_at", "out-of-range", "It lies in the past.");
        for (size_t i = 0; i < body->n_lines; i++)
                line_build(&judge, placing, i, order);
        if (!allocate_lines(&judge, placing, order))
                return FAULT_BUSY;
        if (!refusal->n_violations)
                add_up(&judge, order);
        if (refusal->n_violations)
                return refuse(refusal, arena, PROBLEM_VALIDATION_FAILED, "The order cannot be placed as it stands.");
        p = check_reservation(&judge, placing, &reservation);
        if (!p)
                p = check_stock(&judge, order, reservation);
        if (!p)
                p = check_slots(&judge, placing, order);
        if (p)
                return p;
        commit_order(placing, order, reservation, actor);
        *ret_order = order;
        return PROBLEM_NONE;
}
