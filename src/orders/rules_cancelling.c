#include "catalog/catalog.h"
#include "orders/orders.h"

#include "base/text.h"
#include "base/writer.h"

#include <inttypes.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

unsigned fulfillment_capability(enum fulfillment_method method) {
        static const unsigned needed[] = {
                [BY_CURBSIDE] = CAN_CURBSIDE,
                [BY_PICKUP] = CAN_PICKUP,
                [BY_SHIPPING] = CAN_SHIP,
        };

        return needed[method];
}

/* ---- units ---- */

int64_t fulfillment_line_open(const struct fulfillment_line *line) {
        return line->quantity - line->shorted - line->cancelled - line->fulfilled;
}

int64_t fulfillment_line_remaining(const struct fulfillment_line *line) {
        return line->quantity - line->shorted - line->cancelled - line->picked;
}

int64_t fulfillment_remaining(const struct fulfillment *fulfillment) {
        int64_t units = 0;

        for (size_t i = 0; i < fulfillment->n_lines; i++)
                units += fulfillment_line_remaining(&fulfillment->lines[i]);
        return units;
}

void order_line_allocate(struct order_line *line, struct fulfillment_line *allocation) {
        struct fulfillment_line **place = &line->allocations;

        while (*place && (*place)->fulfillment->number > allocation->fulfillment->number)
                place = &(*place)->older;
        allocation->order_line = line;
        allocation->older = *place;
        *place = allocation;
}

int64_t order_line_open(const struct order_line *line) {
        int64_t units = 0;

        for (const struct fulfillment_line *at = line->allocations; at; at = at->older)
                units += fulfillment_line_open(at);
        return units;
}

/* Units that leave the order are taken from the unpicked ones first. */
static void picked_cap(struct fulfillment_line *line) {
        const int64_t most = line->quantity - line->shorted - line->cancelled;

        if (line->picked > most)
                line->picked = most;
}

/* Release units at the location; the caller has counted them on `line`. */
static void fulfillment_line_release(struct fulfillment_line *line, int64_t quantity) {
        line->changed = true;
        line->fulfillment->touched = true;
        stock_release(line->stock, quantity);
        picked_cap(line);
}

static void drop_units(struct fulfillment_line *line, int64_t quantity) {
        struct order_line *order_line = line->order_line;
        const int64_t tax = order_line_tax(order_line, order_line->cancelled + order_line->returned, quantity);
        const int64_t value = order_credit_units(order_line, quantity);

        order_line->cancelled_value += value;
        order_line->cancelled_tax += tax;
        order_line->dropped += quantity;
        order_line->dropped_value += value;
        order_line->dropped_tax += tax;
        order_line->cancelled += quantity;
        order_line->changed = true;
        fulfillment_line_release(line, quantity);
}

void fulfillment_line_cancel(struct fulfillment_line *line, int64_t quantity) {
        line->cancelled += quantity;
        drop_units(line, quantity);
}

void fulfillment_line_expire(struct fulfillment_line *line) {
        const int64_t units = fulfillment_line_open(line);

        line->expired += units;
        fulfillment_line_cancel(line, units);
}

void fulfillment_line_reinstate(struct fulfillment_line *line) {
        struct order_line *order_line = line->order_line;
        const int64_t units = line->expired;

        order_charge_units(order_line, units);
        order_line->cancelled -= units;
        order_line->changed = true;
        line->cancelled -= units;
        line->expired = 0;
        line->picked += units;
        line->changed = true;
        line->fulfillment->touched = true;
        stock_reserve(line->stock, units);
}

/* Cancel up to `quantity` units among those that `held` counts on each allocation. Returns the number not cancelled. */
static int64_t allocations_cancel(
        struct order_line *line, int64_t quantity, int64_t (*held)(const struct fulfillment_line *line)) {
        for (struct fulfillment_line *at = line->allocations; at && quantity; at = at->older) {
                const int64_t units = held(at) < quantity ? held(at) : quantity;

                if (!units)
                        continue;
                fulfillment_line_cancel(at, units);
                quantity -= units;
        }
        return quantity;
}

void order_line_cancel(struct order_line *line, int64_t quantity) {
        quantity = allocations_cancel(line, quantity, fulfillment_line_remaining);
        (void) allocations_cancel(line, quantity, fulfillment_line_open);
}

void fulfillment_line_short(struct fulfillment_line *line, int64_t quantity) {
        line->shorted += quantity;
        drop_units(line, quantity);
}

void fulfillment_line_move(struct fulfillment_line *line, int64_t quantity) {
        line->cancelled += quantity;
        line->moved += quantity;
        fulfillment_line_release(line, quantity);
}

void fulfillment_line_resource(struct fulfillment_line *line, int64_t quantity) {
        line->shorted += quantity;
        line->resourced += quantity;
        fulfillment_line_release(line, quantity);
}

void fulfillment_line_fulfill(
        struct fulfillment_line *line, int64_t quantity, struct stock *stock, const struct stock_cause *cause) {
        line->fulfilled += quantity;
        line->order_line->fulfilled += quantity;
        line->changed = line->order_line->changed = true;
        line->fulfillment->touched = true;
        stock_release(line->stock, quantity);
        stock_move(stock, line->stock, -quantity, 0, cause);
}

/* ---- states ---- */

enum order_status order_project(const struct order *order) {
        bool fulfilled = false, open = false;

        for (size_t i = 0; i < order->n_lines; i++) {
                fulfilled = fulfilled || order->lines[i].fulfilled > 0;
                open = open || order->lines[i].fulfilled + order->lines[i].cancelled < order->lines[i].quantity;
        }
        if (open)
                return fulfilled ? ORDER_PARTIALLY_FULFILLED : ORDER_OPEN;
        return fulfilled ? ORDER_FULFILLED : ORDER_CANCELLED;
}

static void tell_status(const struct order *order, struct events *events, const char *actor) {
        static const enum event_type types[] = {
                [ORDER_CANCELLED] = EVENT_ORDER_CANCELLED,
                [ORDER_FULFILLED] = EVENT_ORDER_FULFILLED,
                [ORDER_OPEN] = EVENT_ORDER_REOPENED,
                [ORDER_PARTIALLY_FULFILLED] = EVENT_ORDER_PARTIALLY_FULFILLED,
        };
        struct event *event = order_tell(events, order, types[order->status], actor);

        if (order->status == ORDER_CANCELLED)
                event_text(event, "reason", order->cancel_reason);
}

static void write_dropped(struct event *event, const struct order *order) {
        struct writer json = { .buffer = &event->data, .comma = event->data.size > 0 };

        write_name(&json, "lines");
        write_list_begin(&json);
        for (size_t i = 0; i < order->n_lines; i++) {
                const struct order_line *line = &order->lines[i];

                if (!line->dropped)
                        continue;
                write_object_begin(&json);
                write_uuid_member(&json, "order_line_id", &line->id);
                write_integer_member(&json, "quantity", line->dropped);
                write_integer_member(&json, "value", line->dropped_value);
                write_integer_member(&json, "tax", line->dropped_tax);
                write_object_end(&json);
        }
        write_list_end(&json);
}

/* Event for a credit note: the units that the command has cancelled, with their value and the tax in it, and the
 * shipping if the last unit is cancelled. */
static void tell_dropped(struct order *order, bool with_shipping, struct events *events, const char *actor) {
        int64_t units = 0, value = with_shipping ? order->shipping : 0;
        int64_t tax = with_shipping ? order_shipping_tax(order) : 0;
        struct event *event;

        for (size_t i = 0; i < order->n_lines; i++) {
                units += order->lines[i].dropped;
                value += order->lines[i].dropped_value;
                tax += order->lines[i].dropped_tax;
        }
        if (!units)
                return;
        event = order_tell(events, order, EVENT_ORDER_UNITS_CANCELLED, actor);
        event_integer(event, "amount", value);
        event_integer(event, "tax", tax);
        event_integer(event, "shipping", with_shipping ? order->shipping : 0);
        event_text(event, "currency", order->currency);
        write_dropped(event, order);
        for (size_t i = 0; i < order->n_lines; i++)
                order->lines[i].dropped = order->lines[i].dropped_value = order->lines[i].dropped_tax = 0;
}

/* A customer who does not come, or came before the slot, frees the place for another order. */
static void give_slot_back(struct fulfillment *fulfillment, timestamp now) {
        const enum fulfillment_status status = fulfillment->status;
        const bool early = status == FULFILLMENT_HANDED_OVER && now < fulfillment->slot_at;

        if (!fulfillment->has_slot || !(early || status == FULFILLMENT_REJECTED || status == FULFILLMENT_CANCELLED ||
                                              status == FULFILLMENT_EXPIRED))
                return;
        fulfillment->has_slot = false;
        fulfillment->gives_slot_back = true;
}

void order_settle(struct order *order, struct events *events, const char *actor, timestamp now) {
        const enum order_status before = order->status;

        order->status = order_project(order);
        if (order->status == ORDER_CANCELLED && before != ORDER_CANCELLED)
                order_credit_shipping(order);
        if (order->status != ORDER_CANCELLED && before == ORDER_CANCELLED)
                order_revive(order, events, actor);
        tell_dropped(order, order->status == ORDER_CANCELLED && before != ORDER_CANCELLED, events, actor);
        order_settle_money(order, events, actor, now);
        order_project_open(order);
        order->changed = true;
        order->version++;
        order->updated_at = now;
        for (size_t i = 0; i < order->n_fulfillments; i++) {
                struct fulfillment *fulfillment = order->fulfillments[i];

                if (!fulfillment->touched)
                        continue;
                if (fulfillment->moved)
                        fulfillment->moved_by = actor;
                fulfillment->moved = fulfillment->touched = false;
                fulfillment->changed = true;
                fulfillment->version++;
                fulfillment->updated_at = now;
                give_slot_back(fulfillment, now);
        }
        if (order->status != before)
                tell_status(order, events, actor);
}

/* ---- cancelling ---- */

struct order_line *order_line_find(const struct order *order, const struct uuid *line_id) {
        for (size_t i = 0; i < order->n_lines; i++)
                if (uuid_equal(&order->lines[i].id, line_id))
                        return &order->lines[i];
        return NULL;
}

struct fulfillment *order_add_fulfillment(struct order *order, enum fulfillment_method method, const char *location,
        timestamp promised_at, timestamp now, struct arena *arena) {
        struct fulfillment *fulfillment = arena_new(arena, struct fulfillment);
        struct fulfillment **list = arena_grow(arena, order->fulfillments, order->n_fulfillments,
                &order->fulfillments_capacity, sizeof(struct fulfillment *));

        if (!fulfillment || !list)
                return NULL;
        order->fulfillments = list;
        order->fulfillments[order->n_fulfillments++] = fulfillment;
        *fulfillment = (struct fulfillment){
                .id = uuid_new_at(location),
                .order = order,
                .number = (int64_t) order->n_fulfillments,
                .method = method,
                .location = location,
                .packages = "[]",
                .promised_at = promised_at,
                .hold_until = TIMESTAMP_NONE,
                .locked_until = TIMESTAMP_NONE,
                .check_in = NO_CHECK_IN,
                .remind_at = TIMESTAMP_NONE,
                .link.expires_at = TIMESTAMP_NONE,
                .created_at = now,
                .updated_at = now,
                .pickup_serial = 1,
                .version = 1,
                .is_new = true,
        };
        return fulfillment;
}

static void name_cancel_line(struct refusal *refusal, struct arena *arena, size_t i, const char *member,
        const char *code, const char *detail) {
        char pointer[64];

        (void) snprintf(pointer, sizeof(pointer), "#/lines/%zu/%s", i, member);
        (void) refuse_because(refusal, arena, pointer, code, "%s", detail);
}

static void cancel_excess_add(struct refusal *refusal, struct arena *arena, size_t i, int64_t open) {
        char pointer[64];

        (void) snprintf(pointer, sizeof(pointer), "#/lines/%zu/quantity", i);
        refuse_beyond(refusal, arena, pointer, "not-cancellable", open,
                "%" PRId64 " units of this line can still be cancelled.", open);
}

static bool is_cancel_line_repeated(const struct cancel_line *lines, size_t i) {
        for (size_t j = 0; j < i; j++)
                if (uuid_equal(&lines[j].order_line_id, &lines[i].order_line_id))
                        return true;
        return false;
}

/* Units that have left with a carrier or a customer cannot be cancelled; they can be returned. */
static enum problem check_cancel_lines(const struct order *order, const struct cancel_line *lines, size_t n_lines,
        struct arena *arena, struct refusal *refusal) {
        bool unknown = false, too_many = false;

        for (size_t i = 0; i < n_lines; i++) {
                const struct order_line *line = order_line_find(order, &lines[i].order_line_id);

                if (is_cancel_line_repeated(lines, i)) {
                        unknown = true;
                        name_cancel_line(refusal, arena, i, "order_line_id", "repeated",
                                "An earlier line of the request names the same line.");
                }
                if (!line) {
                        unknown = true;
                        name_cancel_line(
                                refusal, arena, i, "order_line_id", "unknown-line", "The order has no such line.");
                } else if (lines[i].quantity > order_line_open(line)) {
                        too_many = true;
                        cancel_excess_add(refusal, arena, i, order_line_open(line));
                }
        }
        if (unknown)
                return refuse(
                        refusal, arena, PROBLEM_VALIDATION_FAILED, "Some lines are unknown or repeated; see `errors`.");
        if (too_many) {
                refusal->current_status = order_status_texts[order->status];
                return refuse(refusal, arena, PROBLEM_INVALID_TRANSITION,
                        "Units that were handed over, shipped or cancelled cannot be cancelled.");
        }
        return PROBLEM_NONE;
}

static int64_t open_units(const struct fulfillment *fulfillment) {
        int64_t units = 0;

        for (size_t i = 0; i < fulfillment->n_lines; i++)
                units += fulfillment_line_open(&fulfillment->lines[i]);
        return units;
}

static int64_t fulfilled_units(const struct fulfillment *fulfillment) {
        int64_t units = 0;

        for (size_t i = 0; i < fulfillment->n_lines; i++)
                units += fulfillment->lines[i].fulfilled;
        return units;
}

void fulfillment_pack_if_done(struct fulfillment *fulfillment, struct events *events, const char *actor) {
        struct refusal ignored = { 0 };
        struct arena none;

        if (fulfillment->method != BY_SHIPPING || fulfillment->status != FULFILLMENT_PICKING ||
                fulfillment_remaining(fulfillment) || !open_units(fulfillment))
                return;
        arena_init(&none, 0);
        if (!fulfillment_advance(fulfillment, FULFILLMENT_PACK, &none, &ignored))
                (void) fulfillment_tell(events, fulfillment, EVENT_FULFILLMENT_PACKED, actor);
}

static bool is_over(enum fulfillment_status status) {
        return status != FULFILLMENT_ALLOCATED && status != FULFILLMENT_PICKING && status != FULFILLMENT_READY &&
               status != FULFILLMENT_PACKED;
}

/* A fulfillment without held units is cancelled, or ends with the part that has left. Each state in which a location
 * holds units allows both. */
static enum problem close_if_empty(struct fulfillment *fulfillment, const char *reason, const char *actor,
        struct events *events, struct arena *arena, struct refusal *refusal) {
        const bool gone = fulfilled_units(fulfillment) > 0;
        enum event_type told = EVENT_FULFILLMENT_CANCELLED;
        enum problem p;

        if (open_units(fulfillment) || is_over(fulfillment->status))
                return PROBLEM_NONE;
        p = fulfillment_advance(fulfillment, gone ? FULFILLMENT_CLOSE : FULFILLMENT_CANCEL, arena, refusal);
        if (p)
                return p;
        if (gone)
                told = fulfillment->method == BY_SHIPPING ? EVENT_FULFILLMENT_SHIPPED : EVENT_FULFILLMENT_HANDED_OVER;
        else
                fulfillment->reason = reason;
        event_text(fulfillment_tell(events, fulfillment, told, actor), "reason", reason);
        return PROBLEM_NONE;
}

static void cancel_units(struct order *order, const struct cancel_line *lines, size_t n_lines) {
        if (!lines)
                for (size_t i = 0; i < order->n_lines; i++)
                        order_line_cancel(&order->lines[i], order_line_open(&order->lines[i]));
        for (size_t i = 0; lines && i < n_lines; i++)
                order_line_cancel(order_line_find(order, &lines[i].order_line_id), lines[i].quantity);
}

static bool has_open_units(const struct order *order) {
        for (size_t i = 0; i < order->n_lines; i++)
                if (order_line_open(&order->lines[i]))
                        return true;
        return false;
}

enum problem order_after_units(struct order *order, const char *reason, const char *actor, struct events *events,
        timestamp now, struct arena *arena, struct refusal *refusal) {
        for (size_t i = 0; i < order->n_fulfillments; i++) {
                struct fulfillment *fulfillment = order->fulfillments[i];
                enum problem p = PROBLEM_NONE;

                if (fulfillment->touched)
                        p = close_if_empty(fulfillment, reason, actor, events, arena, refusal);
                if (p)
                        return p;
                if (fulfillment->touched)
                        fulfillment_pack_if_done(fulfillment, events, actor);
        }
        if (!order->cancel_reason && order_project(order) == ORDER_CANCELLED)
                order->cancel_reason = reason;
        order_settle(order, events, actor, now);
        return PROBLEM_NONE;
}

void order_tell_units_cancelled(
        const struct order *order, const char *reason, const char *actor, struct events *events) {
        for (size_t i = 0; i < order->n_fulfillments; i++) {
                const struct fulfillment *fulfillment = order->fulfillments[i];

                if (fulfillment->touched && open_units(fulfillment))
                        event_text(fulfillment_tell(events, fulfillment, EVENT_FULFILLMENT_UNITS_CANCELLED, actor),
                                "reason", reason);
        }
}

enum problem order_cancel(struct order *order, const struct cancel_line *lines, size_t n_lines, const char *reason,
        const char *actor, struct events *events, timestamp now, struct arena *arena, struct refusal *refusal) {
        enum problem p;

        if (!lines && order->status == ORDER_CANCELLED)
                return PROBLEM_NONE;
        if (!lines && !has_open_units(order)) {
                refusal->current_status = order_status_texts[order->status];
                return refuse(refusal, arena, PROBLEM_INVALID_TRANSITION,
                        "Every unit of the order has left; goods come back as a return.");
        }
        p = lines ? check_cancel_lines(order, lines, n_lines, arena, refusal) : PROBLEM_NONE;
        if (p)
                return p;
        order->cancel_reason = reason;
        cancel_units(order, lines, n_lines);
        order_tell_units_cancelled(order, reason, actor, events);
        return order_after_units(order, reason, actor, events, now, arena, refusal);
}

/* ---- quoting a cancellation ---- */

/* The quote is never saved, so all lines may share one stock row. */
static bool lend_shelves(struct order *order, struct arena *arena) {
        struct stock_row *row = arena_new(arena, struct stock_row);

        for (size_t i = 0; row && i < order->n_fulfillments; i++)
                for (size_t j = 0; j < order->fulfillments[i]->n_lines; j++)
                        order->fulfillments[i]->lines[j].stock = row;
        return row != NULL;
}

/* Add or subtract the cancelled units of each line: the difference is the quote. */
static void note_cancelled(const struct order *order, struct cancelled_line *lines, int64_t sign) {
        for (size_t i = 0; i < order->n_lines; i++) {
                lines[i].line = &order->lines[i];
                lines[i].quantity += sign * order->lines[i].cancelled;
                lines[i].value += sign * order->lines[i].cancelled_value;
                lines[i].tax += sign * order->lines[i].cancelled_tax;
        }
}

static void cancel_quote_sum(const struct order *order, struct cancel_quote *quote) {
        size_t n = 0;

        for (size_t i = 0; i < quote->n_lines; i++) {
                quote->value += quote->lines[i].value;
                quote->tax += quote->lines[i].tax;
                if (quote->lines[i].quantity)
                        quote->lines[n++] = quote->lines[i];
        }
        quote->n_lines = n;
        for (size_t i = 0; i < order->n_payments; i++)
                quote->void_due += order->payments[i]->void_due;
}

enum problem order_cancel_quote(struct order *order, const struct cancel_line *lines, size_t n_lines,
        const char *reason, const char *actor, timestamp now, struct arena *arena, struct refusal *refusal,
        struct cancel_quote *ret_quote) {
        const enum order_status before = order->status;
        struct cancel_quote quote = { .lines = arena_new_array(arena, struct cancelled_line, order->n_lines),
                .n_lines = order->n_lines };
        struct events unheard;
        enum problem p;

        if (!quote.lines || !lend_shelves(order, arena))
                return FAULT_BUSY;
        events_init(&unheard, arena);
        note_cancelled(order, quote.lines, -1);
        p = order_cancel(order, lines, n_lines, reason, actor, &unheard, now, arena, refusal);
        if (p)
                return p;
        note_cancelled(order, quote.lines, 1);
        if (order->status == ORDER_CANCELLED && before != ORDER_CANCELLED) {
                quote.shipping = order->shipping;
                quote.shipping_tax = order_shipping_tax(order);
        }
        cancel_quote_sum(order, &quote);
        *ret_quote = quote;
        return PROBLEM_NONE;
}

/* ---- pickup codes ---- */

bool pickup_code(const char *secret, const struct uuid *fulfillment_id, int64_t serial, char *ret_code) {
        static const char letters[] = "ABCDEFGHJKMNPQRSTUVWXYZ"; /* without I, L, O */
        unsigned char message[sizeof(fulfillment_id->bytes) + sizeof(serial)];
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;

        if (!secret)
                return false;
        memcpy(message, fulfillment_id->bytes, sizeof(fulfillment_id->bytes));
        for (size_t i = 0; i < sizeof(serial); i++)
                message[sizeof(fulfillment_id->bytes) + i] = (unsigned char) ((uint64_t) serial >> (56 - 8 * i));
        if (!HMAC(EVP_sha256(), secret, (int) strlen(secret), message, sizeof(message), digest, &size))
                return false;
        for (size_t i = 0; i < PICKUP_CODE_SIZE - 1; i++)
                ret_code[i] = letters[((unsigned) digest[2 * i] << 8 | digest[2 * i + 1]) % (sizeof(letters) - 1)];
        ret_code[PICKUP_CODE_SIZE - 1] = '\0';
        return true;
}

/* ---- events ---- */

struct event *order_tell(struct events *events, const struct order *order, enum event_type type, const char *actor) {
        struct event *event = event_add(events, type, actor);

        event->order_id = &order->id;
        event->channel = order->channel;
        event_about(event, SUBJECT_ORDER, &order->id, &order->version);
        return event;
}

struct event *fulfillment_tell(
        struct events *events, const struct fulfillment *fulfillment, enum event_type type, const char *actor) {
        struct event *event = order_tell(events, fulfillment->order, type, actor);

        event->location = fulfillment->location;
        event_about(event, SUBJECT_FULFILLMENT, &fulfillment->id, &fulfillment->version);
        return event;
}
