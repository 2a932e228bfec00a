/* Units added to an order after it was placed. */
#include "orders/additions.h"
#include "reservations/reservations.h"

#include "base/text.h"

#include <string.h>

/* ---- where units can join ---- */

static bool is_slot_of(const struct fulfillment *fulfillment, timestamp slot) {
        return slot == TIMESTAMP_NONE || (fulfillment->has_slot && fulfillment->slot_at == slot);
}

/* No customer waits for it yet, so it can take more units. A fulfillment that replaces another one takes only the units
 * that the other fell short of. */
static bool is_joinable(const struct fulfillment *fulfillment) {
        return (fulfillment->status == FULFILLMENT_ALLOCATED || fulfillment->status == FULFILLMENT_PICKING) &&
               uuid_is_nil(&fulfillment->replaces);
}

static struct fulfillment *fulfillment_to_join(const struct order *order, const struct fulfillment_choice *choice) {
        for (size_t i = order->n_fulfillments; i > 0; i--) {
                struct fulfillment *fulfillment = order->fulfillments[i - 1];

                if ((int) fulfillment->method == choice->method &&
                        text_equal(fulfillment->location, choice->location) && is_joinable(fulfillment) &&
                        is_slot_of(fulfillment, choice->slot))
                        return fulfillment;
        }
        return NULL;
}

/* ---- checking ---- */

static void check_one(const struct order *order, struct addition *addition, bool has_address, const struct stock *stock,
        const struct offer_context *context) {
        const struct requested_line *requested = &addition->requested;
        int64_t amount;

        if (addition->line) {
                addition->unit_price = addition->line->unit_price;
        } else {
                struct order_line offer = { 0 };

                requested_line_offer(context, requested, &offer);
                addition->title = offer.title;
                addition->unit_price = offer.unit_price;
        }
        addition->row = stock_find(stock, requested->choice->location, requested->sku);
        addition->joins = fulfillment_to_join(order, requested->choice) != NULL;
        if (!addition->joins)
                addition->promise = requested_line_promise(context, requested);
        if (requested->choice->method == BY_SHIPPING && !has_address)
                requested_line_refuse(context, requested, "fulfillment/method", "address-missing",
                        "The order has no address to ship to; add ship_to.");
        addition->fits = money_multiply(addition->unit_price, requested->quantity, &amount);
}

static void check_amounts(
        const struct order *order, const struct addition *additions, size_t n, const struct offer_context *context) {
        int64_t subtotal = order->subtotal, total = order->balance.total;

        for (size_t i = 0; i < n; i++) {
                const struct addition *addition = &additions[i];
                const int64_t amount = addition->fits ? addition->unit_price * addition->requested.quantity : 0;

                if (addition->moved)
                        continue;
                if (addition->fits && money_add(subtotal, amount, &subtotal) && money_add(total, amount, &total))
                        continue;
                requested_line_refuse(context, &addition->requested, "quantity", "out-of-range",
                        "The sum of the amounts exceeds 2^53 - 1, the largest amount.");
        }
}

static void additions_check_room(
        const struct order *order, const struct addition *additions, size_t n, const struct offer_context *context) {
        size_t lines = order->n_lines;

        for (size_t i = 0; i < n; i++) {
                const struct addition *addition = &additions[i];

                if (!addition->line && ++lines > ORDER_LINES_MAX)
                        requested_line_refuse(context, &addition->requested, "sku", "too-many",
                                "The order has no room for more lines.");
                if (addition->line && !addition->moved &&
                        addition->line->quantity + addition->requested.quantity > QUANTITY_MAX)
                        requested_line_refuse(context, &addition->requested, "quantity", "out-of-range",
                                "The line has no room for more units.");
        }
}

/* ---- stock ---- */

static int64_t available_with(const struct stock_row *row, const struct release *releases, size_t n_releases) {
        struct stock_row after = { 0 };

        if (!row)
                return 0;
        after = *row;
        for (size_t i = 0; i < n_releases; i++)
                if (releases[i].row == row)
                        after.reserved -= releases[i].units;
        return stock_available(&after);
}

/* The units of all additions to the same stock row; 0 if an earlier addition draws on it. */
static int64_t addition_units_of_row(const struct addition *additions, size_t n, size_t place) {
        const struct requested_line *requested = &additions[place].requested;
        int64_t units = 0;

        for (size_t i = 0; i < n; i++) {
                if (!text_equal(additions[i].requested.sku, requested->sku) ||
                        !text_equal(additions[i].requested.choice->location, requested->choice->location))
                        continue;
                if (i < place)
                        return 0;
                units += additions[i].requested.quantity;
        }
        return units;
}

static enum problem additions_check_stock(const struct addition *additions, size_t n, const struct release *releases,
        size_t n_releases, const struct offer_context *context) {
        bool covered = true;

        for (size_t i = 0; i < n; i++) {
                const struct requested_line *requested = &additions[i].requested;
                const int64_t available = available_with(additions[i].row, releases, n_releases);
                const int64_t wanted = addition_units_of_row(additions, n, i);

                if (wanted <= available)
                        continue;
                covered = false;
                stock_shortage_violate(context->refusal, context->arena, requested->list, requested->place,
                        &(struct stock_shortage){ requested->sku, requested->choice->location, available, wanted });
        }
        return covered ? PROBLEM_NONE
                       : refuse(context->refusal, context->arena, PROBLEM_INSUFFICIENT_STOCK,
                                 "Some lines exceed the available stock; see `errors`.");
}

/* ---- slots ---- */

static bool takes_place(const struct addition *addition) {
        return !addition->joins && addition->promise.has_slot;
}

/* Whether one fulfillment will hold both additions. */
static bool share_place(const struct addition *a, const struct addition *b) {
        return a->requested.choice->method == b->requested.choice->method &&
               a->requested.choice->slot == b->requested.choice->slot &&
               text_equal(a->requested.choice->location, b->requested.choice->location);
}

static bool is_first_of_place(const struct addition *additions, size_t place) {
        for (size_t i = 0; i < place; i++)
                if (takes_place(&additions[i]) && share_place(&additions[i], &additions[place]))
                        return false;
        return takes_place(&additions[place]);
}

static int64_t places_before(const struct addition *additions, size_t place) {
        const struct fulfillment_choice *choice = additions[place].requested.choice;
        int64_t places = 0;

        for (size_t i = 0; i < place; i++)
                places += is_first_of_place(additions, i) && additions[i].requested.choice->slot == choice->slot &&
                          text_equal(additions[i].requested.choice->location, choice->location);
        return places;
}

static enum problem additions_check_slots(
        const struct addition *additions, size_t n, const struct offer_context *context) {
        bool fit = true;

        for (size_t i = 0; i < n; i++) {
                const struct fulfillment_choice *choice = additions[i].requested.choice;
                const struct location *location;
                const struct slot_row *row;
                struct slot_time slot;

                if (!is_first_of_place(additions, i))
                        continue;
                location = catalog_find_location(context->catalog, choice->location);
                row = slot_row_find(context->slots, choice->location, choice->slot);
                if (slot_find(
                            location, catalog_find_zone(context->catalog, location->time_zone), choice->slot, &slot) &&
                        row->booked + places_before(additions, i) < slot.capacity)
                        continue;
                fit = false;
                requested_line_refuse(context, &additions[i].requested, "fulfillment/slot", "slot-full",
                        "The slot has no free place; choose another one.");
        }
        return fit ? PROBLEM_NONE : refuse(context->refusal, context->arena, PROBLEM_SLOT_FULL, "The slot is full.");
}

void additions_validate(const struct order *order, struct addition *additions, size_t n, bool has_address,
        const struct stock *stock, const struct offer_context *context) {
        for (size_t i = 0; i < n; i++)
                check_one(order, &additions[i], has_address, stock, context);
        check_amounts(order, additions, n, context);
        additions_check_room(order, additions, n, context);
}

enum problem additions_cover(const struct addition *additions, size_t n, const struct release *releases,
        size_t n_releases, const struct offer_context *context) {
        const enum problem p = additions_check_stock(additions, n, releases, n_releases, context);

        return p ? p : additions_check_slots(additions, n, context);
}

enum problem additions_check(const struct order *order, struct addition *additions, size_t n, bool has_address,
        const struct stock *stock, const struct offer_context *context) {
        additions_validate(order, additions, n, has_address, stock, context);
        if (context->refusal->n_violations)
                return refuse(context->refusal, context->arena, PROBLEM_VALIDATION_FAILED,
                        "The order cannot be changed; see `errors`.");
        return additions_cover(additions, n, NULL, 0, context);
}

/* ---- making ---- */

/* The lines move in memory; the pointers to them are updated. */
static struct order_line *order_line_append(struct order *order, struct arena *arena) {
        struct order_line *lines = order->lines;

        if (order->n_lines >= order->lines_capacity) {
                const size_t capacity = 2 * order->n_lines + 1;

                lines = arena_new_array(arena, struct order_line, capacity);
                if (!lines)
                        return NULL;
                memcpy(lines, order->lines, order->n_lines * sizeof(*lines));
                order->lines_capacity = capacity;
        }
        for (size_t i = 0; i < order->n_lines && lines != order->lines; i++)
                for (struct fulfillment_line *at = lines[i].allocations; at; at = at->older)
                        at->order_line = &lines[i];
        order->lines = lines;
        return &lines[order->n_lines++];
}

static struct order_line *order_line_new(struct order *order, const struct addition *addition, struct arena *arena) {
        struct order_line *line = order_line_append(order, arena);

        if (!line)
                return NULL;
        *line = (struct order_line){ .id = uuid_new(),
                .number = (int64_t) order->n_lines - 1,
                .sku = addition->requested.sku,
                .title = addition->title,
                .unit_price = addition->unit_price,
                .order = order,
                .is_new = true };
        return line;
}

static void relink(struct fulfillment_line *from, struct fulfillment_line *to) {
        struct fulfillment_line **place = &from->order_line->allocations;

        while (*place && *place != from)
                place = &(*place)->older;
        if (*place)
                *place = to;
}

static struct fulfillment_line *fulfillment_line_append(
        struct fulfillment *fulfillment, struct order_line *line, struct stock_row *row, struct arena *arena) {
        struct fulfillment_line *lines = arena_new_array(arena, struct fulfillment_line, fulfillment->n_lines + 1);

        if (!lines)
                return NULL;
        for (size_t i = 0; i < fulfillment->n_lines; i++) {
                lines[i] = fulfillment->lines[i];
                relink(&fulfillment->lines[i], &lines[i]);
        }
        fulfillment->lines = lines;
        lines += fulfillment->n_lines++;
        *lines = (struct fulfillment_line){ .fulfillment = fulfillment, .stock = row, .is_new = true };
        order_line_allocate(line, lines);
        return lines;
}

/* The part of the line in the fulfillment; added if there is none. */
static struct fulfillment_line *fulfillment_line_for(
        struct fulfillment *fulfillment, struct order_line *line, struct stock_row *row, struct arena *arena) {
        for (struct fulfillment_line *at = line->allocations; at; at = at->older)
                if (at->fulfillment == fulfillment)
                        return at;
        return fulfillment_line_append(fulfillment, line, row, arena);
}

static void book(struct slot_set *slots, struct fulfillment *fulfillment, const struct line_promise *promise) {
        struct slot_row *row;

        if (!promise->has_slot)
                return;
        fulfillment->has_slot = true;
        fulfillment->slot_at = promise->promised_at;
        row = slot_row_find(slots, fulfillment->location, fulfillment->slot_at);
        row->booked++;
        row->changed = true;
}

/* Additions with the same method, location and slot share a new fulfillment: the second addition joins it. */
static struct fulfillment *added_fulfillment_for(
        struct order *order, const struct addition *addition, const struct adding *adding) {
        const struct fulfillment_choice *choice = addition->requested.choice;
        struct fulfillment *fulfillment = fulfillment_to_join(order, choice);

        if (fulfillment) {
                if (!fulfillment->is_new && !fulfillment->touched)
                        (void) fulfillment_tell(fulfillment, EVENT_FULFILLMENT_UNITS_ADDED, adding->command);
                fulfillment->touched = true;
                return fulfillment;
        }
        fulfillment = order_add_fulfillment(order, (enum fulfillment_method) choice->method, choice->location,
                addition->promise.promised_at, adding->command->now, adding->arena);
        if (!fulfillment)
                return NULL;
        book(adding->slots, fulfillment, &addition->promise);
        (void) fulfillment_tell(fulfillment, EVENT_FULFILLMENT_ALLOCATED, adding->command);
        return fulfillment;
}

static void tell_line(const struct order_line *line, int64_t units, const struct adding *adding) {
        struct event *event = order_tell(
                line->order, line->is_new ? EVENT_ORDER_LINE_ADDED : EVENT_ORDER_UNITS_ADDED, adding->command);
        char id[UUID_TEXT_SIZE];

        uuid_format(&line->id, id);
        event_text(event, "order_line_id", id);
        event_text(event, "sku", line->sku);
        event_integer(event, "quantity", units);
}

static bool discount_add(struct order *order, const struct order_line *line, int64_t amount, struct arena *arena) {
        struct order_discount *discounts = arena_new_array(arena, struct order_discount, order->n_discounts + 1);

        if (!discounts)
                return false;
        if (order->n_discounts)
                memcpy(discounts, order->discounts, order->n_discounts * sizeof(*discounts));
        discounts[order->n_discounts++] =
                (struct order_discount){ .amount = amount, .line = line->number, .reason = "exchange" };
        order->discounts = discounts;
        order->discount += amount;
        return true;
}

int64_t addition_value(const struct order *order, const struct addition *addition) {
        return addition->unit_price * addition->requested.quantity - addition->discount +
               (order->tax_included ? 0 : addition->tax);
}

/* Add the units to the order line; their value is their price, less a discount and with their tax. */
static bool line_grow(struct order_line *line, const struct addition *addition, struct arena *arena) {
        struct order *order = line->order;
        const int64_t price = line->unit_price * addition->requested.quantity;
        const int64_t value = addition_value(order, addition);

        order_line_settle_value(line);
        line->quantity += addition->requested.quantity;
        line->value += value;
        line->tax += addition->tax;
        line->changed = true;
        order->subtotal += price;
        order->tax += addition->tax;
        order->balance.total += value;
        order->rewritten = true;
        return !addition->discount || discount_add(order, line, addition->discount, arena);
}

/* A fulfillment shows the units of its replacement, so its version rises, too. */
static void touch_replaced(const struct fulfillment *replacement) {
        const struct order *order = replacement->order;

        for (size_t i = 0; i < order->n_fulfillments; i++)
                if (uuid_equal(&order->fulfillments[i]->id, &replacement->replaces))
                        order->fulfillments[i]->touched = true;
}

static enum problem allocation_add(
        struct order_line *line, const struct addition *addition, const struct adding *adding) {
        struct fulfillment *fulfillment = added_fulfillment_for(line->order, addition, adding);
        struct fulfillment_line *allocation;

        if (!fulfillment)
                return FAULT_BUSY;
        allocation = fulfillment_line_for(fulfillment, line, addition->row, adding->arena);
        if (!allocation)
                return FAULT_BUSY;
        allocation->quantity += addition->requested.quantity;
        touch_replaced(allocation->fulfillment);
        allocation->changed = true;
        stock_reserve(addition->row, addition->requested.quantity);
        return PROBLEM_NONE;
}

enum problem additions_make(struct order *order, struct addition *additions, size_t n, const struct adding *adding) {
        size_t *numbers = arena_new_array(adding->arena, size_t, n);
        enum problem p = numbers ? PROBLEM_NONE : FAULT_BUSY;

        if (n) {
                order_value_lines(order);
                order_keep_credited(order);
        }
        for (size_t i = 0; i < n && !p; i++) {
                struct addition *addition = &additions[i];
                struct order_line *line = addition->line ? &order->lines[addition->line->number]
                                                         : order_line_new(order, addition, adding->arena);

                if (!line)
                        return FAULT_BUSY;
                numbers[i] = (size_t) line->number;
                if (!addition->moved) {
                        if (!line_grow(line, addition, adding->arena))
                                return FAULT_BUSY;
                        tell_line(line, addition->requested.quantity, adding);
                }
                p = allocation_add(line, addition, adding);
        }
        for (size_t i = 0; i < n && !p; i++)
                additions[i].line = &order->lines[numbers[i]];
        return p;
}
