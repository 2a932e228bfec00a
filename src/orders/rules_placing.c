#include "orders/number.h"
#include "orders/placing.h"

#include "base/snapshot.h"
#include "base/text.h"

/* ---- building ---- */

static struct order *placed_order_new(
        const struct validation *validation, struct placing *placing, const struct command *command) {
        const struct order_body *body = validation->body;
        const struct payment_body *payment = body->payment;
        struct order *order = arena_new(placing->arena, struct order);

        if (!order)
                return NULL;
        *order = (struct order){
                .id = uuid_new_at(placing_choice(body, &body->lines[0])->location),
                .number = order_number_new(placing->arena),
                .channel = body->channel,
                .external_ref = body->external_ref,
                .actor = command->actor,
                .customer = order_customer(placing->arena, body->customer),
                .ship_to = body->ship_to ? order_address(placing->arena, body->ship_to) : NULL,
                .payment_reference = payment ? payment->reference : NULL,
                .balance = { .currency = body->currency,
                        .payment_due_at = payment ? payment->due_at : TIMESTAMP_NONE,
                        .unpaid_since = TIMESTAMP_NONE },
                .reservation_id = body->reservation_id,
                .placed_at = command->now,
                .updated_at = command->now,
                .version = 1,
                .lines = arena_new_array(placing->arena, struct order_line, body->n_lines),
                .discounts = arena_new_array(placing->arena, struct order_discount, body->n_discounts),
                .is_new = true,
        };
        order_open_balance(order);
        return order->number && order->lines && order->discounts ? order : NULL;
}

static void line_build(const struct validation *validation, size_t i, struct order *order) {
        const struct requested_line requested = placing_line(validation->body, i);
        struct order_line *line = &order->lines[order->n_lines++];

        *line = (struct order_line){ .id = uuid_new(),
                .number = (int64_t) i,
                .sku = requested.sku,
                .quantity = requested.quantity,
                .order = order };
        requested_line_offer(&validation->context, &requested, line);
}

static void check_same_slot(const struct validation *validation, size_t i, const struct fulfillment *fulfillment) {
        const struct requested_line requested = placing_line(validation->body, i);

        if (requested.choice->slot != (fulfillment->has_slot ? fulfillment->slot_at : TIMESTAMP_NONE))
                requested_line_refuse(&validation->context, &requested, "fulfillment/slot", "conflict",
                        "Lines of one method and location need the same slot.");
}

/* The fulfillment for method and location: lines that share both are one unit of work. NULL without memory. */
static struct fulfillment *placed_fulfillment_for(
        const struct validation *validation, const struct placing *placing, size_t i, struct order *order) {
        const struct requested_line requested = placing_line(validation->body, i);
        const enum fulfillment_method method = (enum fulfillment_method) requested.choice->method;
        struct fulfillment *fulfillment;
        struct line_promise promise;

        for (size_t j = 0; j < order->n_fulfillments; j++)
                if (order->fulfillments[j]->method == method &&
                        text_equal(order->fulfillments[j]->location, requested.choice->location)) {
                        check_same_slot(validation, i, order->fulfillments[j]);
                        return order->fulfillments[j];
                }
        promise = requested_line_promise(&validation->context, &requested);
        fulfillment = order_add_fulfillment(order, method, requested.choice->location, promise.promised_at,
                validation->context.now, placing->arena);
        if (fulfillment && promise.has_slot) {
                fulfillment->has_slot = true;
                fulfillment->slot_at = promise.promised_at;
        }
        return fulfillment;
}

/* Lines of one fulfillment are adjacent in memory, as in a loaded order. */
static bool allocate_lines(const struct validation *validation, struct placing *placing, struct order *order) {
        struct fulfillment_line *allocations = arena_new_array(placing->arena, struct fulfillment_line, order->n_lines);
        struct fulfillment **chosen = arena_new_array(placing->arena, struct fulfillment *, order->n_lines);
        size_t n = 0;

        if (!allocations || !chosen)
                return false;
        for (size_t i = 0; i < order->n_lines; i++) {
                chosen[i] = placed_fulfillment_for(validation, placing, i, order);
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

static bool sum_discounts(const struct validation *validation, struct order *order) {
        for (size_t i = 0; i < validation->body->n_discounts; i++) {
                const struct discount_body *discount = &validation->body->discounts[i];

                order->discounts[order->n_discounts++] = (struct order_discount){ .amount = discount->amount,
                        .line = discount->has_line ? discount->line : -1,
                        .reason = discount->reason };
                if (!money_add(order->discount, discount->amount, &order->discount))
                        return false;
        }
        return true;
}

/* No line may have a negative value, nor may the order. */
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

static void placed_total_set(const struct validation *validation, struct order *order) {
        const struct tax_body *tax = validation->body->tax;
        bool fits;

        order->shipping = validation->body->has_shipping ? validation->body->shipping.amount : 0;
        order->tax = tax ? tax->amount : 0;
        order->tax_included = !tax || !tax->has_included || tax->included;
        fits = sum_lines(order) && sum_discounts(validation, order);
        if (fits && !discounts_fit(order)) {
                placing_violation_add(
                        validation, "#/discounts", "too-large", "The discounts exceed the price of their lines.");
                return;
        }
        fits = fits && money_add(order->subtotal - order->discount, order->shipping, &order->balance.total);
        if (fits && order->tax_included && order->tax > order->balance.total)
                placing_violation_add(validation, "#/tax/amount", "too-large", "The included tax exceeds the total.");
        if (fits && !order->tax_included)
                fits = money_add(order->balance.total, order->tax, &order->balance.total);
        if (!fits)
                placing_violation_add(validation, "#/lines", "out-of-range",
                        "The sum of the amounts exceeds 2^53 - 1, the largest amount.");
}

/* ---- payments ---- */

static enum problem placed_order_pay(
        const struct validation *validation, struct order *order, const char *actor, struct arena *arena) {
        const struct payment_body *whole = validation->body->payment;
        int64_t sum = 0;

        if (whole) {
                const struct payment_request request = {
                        .status = whole->status, .amount = order->balance.total, .reference = whole->reference
                };

                if (!payment_add(&order->balance, &request, actor, validation->context.now, arena))
                        return FAULT_BUSY;
        }
        for (size_t i = 0; i < validation->body->n_payments; i++) {
                const struct payment_request *request = &validation->body->payments[i];

                if (!money_add(sum, request->amount, &sum) || sum > order->balance.total)
                        break;
                if (!payment_add(&order->balance, request, actor, validation->context.now, arena))
                        return FAULT_BUSY;
        }
        if (sum > order->balance.total)
                placing_violation_add(validation, "#/payments", "too-large", "The payments exceed the total.");
        return PROBLEM_NONE;
}

/* An order without covering payments waits for them as long as its channel says, unless its client names a deadline. */
static void placed_order_owe(const struct placing *placing, const struct channel *channel, struct order *order) {
        struct balance *balance = &order->balance;

        order_project_balance(order);
        if (balance->payment_status != PAYMENT_PENDING || balance->payment_due_at != TIMESTAMP_NONE)
                return;
        balance->unpaid_since = order->placed_at;
        balance->unpaid_ttl_s =
                channel->policy.has_unpaid_ttl_s ? channel->policy.unpaid_ttl_s : placing->unpaid_ttl / SECOND;
}

/* ---- the reservation ---- */

static enum problem check_reservation(
        const struct validation *validation, const struct placing *placing, struct reservation **ret_reservation) {
        struct reservation *reservation;
        enum reservation_status status;

        *ret_reservation = NULL;
        if (!validation->body->has_reservation_id)
                return PROBLEM_NONE;
        reservation = reservation_find(&placing->reservations, &validation->body->reservation_id);
        if (!reservation || (reservation->channel && !text_equal(reservation->channel, validation->body->channel))) {
                placing_violation_add(
                        validation, "#/reservation_id", "unknown-reservation", "There is no such reservation.");
                return refuse(validation->context.refusal, validation->context.arena, PROBLEM_VALIDATION_FAILED,
                        "The reservation does not exist.");
        }
        status = reservation_status_at(reservation, validation->context.now);
        if (status != RESERVATION_ACTIVE) {
                validation->context.refusal->current_status = reservation_lifecycle.states[status];
                return refuse(validation->context.refusal, validation->context.arena, PROBLEM_RESERVATION_EXPIRED,
                        "The reservation is %s.", validation->context.refusal->current_status);
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

/* Units available to this order once its reservation is released. */
static int64_t available_to(const struct reservation *reservation, const struct stock_row *row) {
        const struct stock_row without = { .on_hand = row->on_hand,
                .unsellable = row->unsellable,
                .reserved = row->reserved - reserved_by(reservation, row),
                .safety_stock = row->safety_stock };

        return stock_available(&without);
}

static int64_t order_units_of_row(const struct order *order, const struct stock_row *row, size_t *ret_first) {
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

/* Lines of the same stock row are added up first, so that each unit counts once. */
static enum problem order_stock_check(
        const struct validation *validation, const struct order *order, const struct reservation *reservation) {
        bool covered = true;

        for (size_t i = 0; i < order->n_lines; i++) {
                const struct stock_row *row = order->lines[i].allocations->stock;
                const int64_t available = available_to(reservation, row);
                size_t first = 0;
                const int64_t wanted = order_units_of_row(order, row, &first);

                if (wanted <= available || first != i)
                        continue;
                covered = false;
                stock_shortage_violate(validation->context.refusal, validation->context.arena, "#/lines", i,
                        &(struct stock_shortage){ order->lines[i].sku,
                                order->lines[i].allocations->fulfillment->location, available, wanted });
        }
        if (covered)
                return PROBLEM_NONE;
        return refuse(validation->context.refusal, validation->context.arena, PROBLEM_INSUFFICIENT_STOCK,
                "Some lines exceed the available stock; see `errors`.");
}

/* ---- slots ---- */

void placing_want_slots(struct placing *placing, const struct order_body *body) {
        for (size_t i = 0; i < body->n_lines; i++) {
                const struct requested_line requested = placing_line(body, i);

                requested_line_want_slot(&requested, &placing->catalog, &placing->slots);
        }
}

/* Each fulfillment takes one place, also when two of an order name the same slot. */
static enum problem order_slots_check(
        const struct validation *validation, struct placing *placing, const struct order *order) {
        bool fit = true;

        for (size_t j = 0; j < order->n_fulfillments; j++) {
                const struct fulfillment *fulfillment = order->fulfillments[j];
                const struct location *location = catalog_find_location(&placing->catalog, fulfillment->location);
                struct slot_time slot;
                struct requested_line requested;
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
                requested = placing_line(validation->body, (size_t) fulfillment->lines[0].order_line->number);
                requested_line_refuse(&validation->context, &requested, "fulfillment/slot", "slot-full",
                        "The slot has no free place; choose another one.");
        }
        return fit ? PROBLEM_NONE
                   : refuse(validation->context.refusal, validation->context.arena, PROBLEM_SLOT_FULL,
                             "The slot is full.");
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

/* ---- the documents of an order that is placed ---- */

void placing_snapshot(struct snapshot *snapshot, struct placing *placing, const struct order_body *body) {
        snapshot_one(snapshot, placing);
        stock_snapshot(snapshot, &placing->stock);
        if (body->has_reservation_id)
                reservation_snapshot(snapshot, reservation_find(&placing->reservations, &body->reservation_id));
        for (size_t i = 0; i < body->n_lines; i++) {
                const struct fulfillment_choice *choice = placing_choice(body, &body->lines[i]);

                stock_row_snapshot(snapshot, stock_find(&placing->stock, choice->location, body->lines[i].sku));
                if (choice->slot != TIMESTAMP_NONE)
                        snapshot_one(snapshot, slot_row_find(&placing->slots, choice->location, choice->slot));
        }
}

/* ---- deciding ---- */

enum problem placing_check_ref(
        const struct placing *placing, const char *channel, const char *external_ref, const struct command *command) {
        for (size_t i = 0; i < placing->n_orders; i++) {
                const struct order *other = placing->orders[i];
                char id[UUID_TEXT_SIZE];

                if (!text_equal(other->channel, channel) || !text_equal(other->external_ref, external_ref))
                        continue;
                uuid_format(&other->id, id);
                command->refusal->link = arena_format(command->arena, "/v1/orders/%s", id);
                return refuse(command->refusal, command->arena, PROBLEM_DUPLICATE_EXTERNAL_REF,
                        "Channel %s already has the order %s.", other->channel, other->external_ref);
        }
        return PROBLEM_NONE;
}

static void tell_placed(const struct order *order, const struct command *command) {
        struct event *event = order_tell(order, EVENT_ORDER_CREATED, command);

        event_text(event, "order_number", order->number);
        event_text(event, "channel", order->channel);
        event_integer(event, "total", order->balance.total);
        event_text(event, "currency", order->balance.currency);
        for (size_t i = 0; i < order->n_fulfillments; i++)
                (void) fulfillment_tell(order->fulfillments[i], EVENT_FULFILLMENT_ALLOCATED, command);
        for (size_t i = 0; i < order->balance.n_payments; i++) {
                const struct payment *payment = order->balance.payments[i];

                if (payment->state == FUNDS_AUTHORIZED)
                        (void) payment_tell(payment, EVENT_PAYMENT_AUTHORIZED, payment->amount, command);
                if (payment->state == FUNDS_CAPTURED)
                        (void) payment_tell(payment, EVENT_PAYMENT_CAPTURED, payment->amount, command);
                event_cover(command->events, EVENT_PAYMENT_UPDATED, &payment->id, payment->version, NULL,
                        order->channel, command->actor);
        }
}

/* The order is granted: claim its reservation, reserve its units and book its slots. */
static void commit_order(
        struct placing *placing, struct order *order, struct reservation *reservation, const struct command *command) {
        struct refusal none = { 0 };

        if (reservation && !reservation_advance(reservation, RESERVATION_CLAIM, command->now, placing->arena, &none)) {
                reservation->order_id = order->id;
                placing->claimed[placing->n_claimed++] = reservation;
        }
        for (size_t i = 0; i < order->n_lines; i++)
                stock_reserve(order->lines[i].allocations->stock, order->lines[i].quantity);
        book_slots(placing, order);
        placing->orders[placing->n_orders++] = order;
        placing->n_placed++;
        tell_placed(order, command);
}

enum problem placing_decide(struct placing *placing, const struct order_body *body, const struct command *command,
        struct order **ret_order) {
        const struct offer_context context = { &placing->catalog, &placing->slots, command->now, body->channel,
                body->currency, command->arena, command->refusal };
        const struct validation validation = { body, context };
        struct reservation *reservation = NULL;
        struct order *order;
        const struct refusal *refusal = command->refusal;
        enum problem p = placing_check_ref(placing, body->channel, body->external_ref, command);

        if (p)
                return p;
        order = placed_order_new(&validation, placing, command);
        if (!order)
                return FAULT_BUSY;
        if (!catalog_find_channel(&placing->catalog, body->channel))
                placing_violation_add(&validation, "#/channel", "unknown-channel", "There is no such channel.");
        if (body->payment && body->payment->due_at != TIMESTAMP_NONE && body->payment->due_at <= command->now)
                placing_violation_add(&validation, "#/payment/due_at", "out-of-range", "The time is in the past.");
        for (size_t i = 0; i < body->n_lines; i++)
                line_build(&validation, i, order);
        if (!allocate_lines(&validation, placing, order))
                return FAULT_BUSY;
        if (!refusal->n_violations)
                placed_total_set(&validation, order);
        if (!refusal->n_violations)
                p = placed_order_pay(&validation, order, command->actor, placing->arena);
        if (p)
                return p;
        if (refusal->n_violations)
                return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                        "The order cannot be placed; see `errors`.");
        placed_order_owe(placing, catalog_find_channel(&placing->catalog, body->channel), order);
        p = check_reservation(&validation, placing, &reservation);
        if (!p)
                p = order_stock_check(&validation, order, reservation);
        if (!p)
                p = order_slots_check(&validation, placing, order);
        if (p)
                return p;
        commit_order(placing, order, reservation, command);
        order_project_open(order);
        *ret_order = order;
        return PROBLEM_NONE;
}
