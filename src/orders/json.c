#include "orders/orders.h"

#include "base/mark.h"
#include "base/text.h"
#include "base/writer.h"
#include "orders/lists.h"

static void write_order_line(struct writer *json, const struct order_line *line) {
        const char *currency = line->order->balance.currency;

        write_object_begin(json);
        write_uuid_member(json, "id", &line->id);
        write_text_member(json, "sku", line->sku);
        write_text_member(json, "title", line->title);
        write_integer_member(json, "quantity", line->quantity);
        write_amount_member(json, "unit_price", line->unit_price, currency);
        write_amount_member(json, "total", line->unit_price * line->quantity, currency);
        write_amount_member(json, "value", order_line_value(line, 0, line->quantity), currency);
        write_amount_member(json, "tax", order_line_tax(line, 0, line->quantity), currency);
        write_integer_member(json, "cancelled", line->cancelled);
        write_amount_member(json, "cancelled_value", line->cancelled_value, currency);
        write_amount_member(json, "cancelled_tax", line->cancelled_tax, currency);
        write_integer_member(json, "fulfilled", line->fulfilled);
        write_integer_member(json, "returned", line->returned);
        write_object_end(json);
}

static void write_totals(struct writer *json, const struct order *order) {
        write_name(json, "totals");
        write_object_begin(json);
        write_amount_member(json, "subtotal", order->subtotal, order->balance.currency);
        write_amount_member(json, "discount", order->discount, order->balance.currency);
        write_amount_member(json, "shipping", order->shipping, order->balance.currency);
        write_amount_member(json, "tax", order->tax, order->balance.currency);
        write_boolean_member(json, "tax_included", order->tax_included);
        write_amount_member(json, "total", order->balance.total, order->balance.currency);
        write_amount_member(json, "credited", order->balance.credited, order->balance.currency);
        write_amount_member(json, "creditable", balance_charge(&order->balance), order->balance.currency);
        write_amount_member(json, "credited_tax", order_credited(order).tax, order->balance.currency);
        write_amount_member(json, "shipping_tax", order_shipping_tax(order), order->balance.currency);
        write_amount_member(json, "paid", order->balance.paid, order->balance.currency);
        write_amount_member(json, "refunded", order->balance.refunded, order->balance.currency);
        write_amount_member(json, "balance", balance_due(&order->balance), order->balance.currency);
        write_amount_member(json, "refund_due", order->balance.refund_due, order->balance.currency);
        write_object_end(json);
}

static void write_discounts(struct writer *json, const struct order *order) {
        write_name(json, "discounts");
        write_list_begin(json);
        for (size_t i = 0; i < order->n_discounts; i++) {
                const struct order_discount *discount = &order->discounts[i];

                write_object_begin(json);
                write_integer_member(json, "amount", discount->amount);
                if (discount->line >= 0)
                        write_integer_member(json, "line", discount->line);
                write_text_member(json, "reason", discount->reason);
                write_object_end(json);
        }
        write_list_end(json);
}

static void write_fulfillment_line(struct writer *json, const struct fulfillment_line *line) {
        write_object_begin(json);
        write_uuid_member(json, "order_line_id", &line->order_line->id);
        write_text_member(json, "sku", line->order_line->sku);
        write_text_member(json, "title", line->order_line->title);
        write_integer_member(json, "quantity", line->quantity);
        write_integer_member(json, "picked", line->picked);
        write_integer_member(json, "short", line->shorted);
        write_integer_member(json, "resourced", line->resourced);
        write_integer_member(json, "cancelled", line->cancelled);
        write_integer_member(json, "moved", line->moved);
        write_integer_member(json, "fulfilled", line->fulfilled);
        write_integer_member(json, "remaining", fulfillment_line_remaining(line));
        write_object_end(json);
}

static void write_pickup_code(struct writer *json, const struct fulfillment *fulfillment, const char *secret) {
        char code[PICKUP_CODE_SIZE];

        if (fulfillment->method != BY_SHIPPING && secret &&
                pickup_code(secret, &fulfillment->id, fulfillment->pickup_serial, code))
                write_text_member(json, "pickup_code", code);
}

static void write_integer_or_null(struct writer *json, const char *name, int64_t value) {
        if (value >= 0)
                write_integer_member(json, name, value);
        else
                write_text_member(json, name, NULL);
}

static void write_vehicle(struct writer *json, const struct vehicle *vehicle) {
        write_name(json, "vehicle");
        if (!vehicle->make) {
                write_null(json);
                return;
        }
        write_object_begin(json);
        write_text_member(json, "make", vehicle->make);
        write_text_member(json, "color", vehicle->color);
        write_text_member(json, "plate", vehicle->plate);
        write_object_end(json);
}

void check_in_write(struct writer *json, const struct check_in *check_in) {
        write_name(json, "check_in");
        if (check_in->state == CHECK_IN_NONE) {
                write_null(json);
                return;
        }
        write_object_begin(json);
        write_text_member(json, "state", check_in_lifecycle.states[check_in->state]);
        write_integer_or_null(json, "eta_minutes", check_in->eta_minutes);
        write_text_member(json, "bay", check_in->bay);
        write_vehicle(json, &check_in->vehicle);
        write_time_member(json, "on_the_way_at", check_in->on_the_way_at);
        write_time_member(json, "arrived_at", check_in->arrived_at);
        write_object_end(json);
}

void replaces_write(struct writer *json, const struct fulfillment *fulfillment) {
        if (uuid_is_nil(&fulfillment->replaces))
                write_text_member(json, "replaces", NULL);
        else
                write_uuid_member(json, "replaces", &fulfillment->replaces);
}

/* The fulfillments that took over its short units. */
static void write_replaced_by(struct writer *json, const struct fulfillment *fulfillment) {
        const struct order *order = fulfillment->order;

        write_name(json, "replaced_by");
        write_list_begin(json);
        for (size_t i = 0; i < order->n_fulfillments; i++) {
                const struct fulfillment *other = order->fulfillments[i];

                if (!uuid_equal(&other->replaces, &fulfillment->id))
                        continue;
                write_object_begin(json);
                write_uuid_member(json, "fulfillment_id", &other->id);
                write_text_member(json, "location", other->location);
                write_name(json, "lines");
                write_list_begin(json);
                for (size_t j = 0; j < other->n_lines; j++) {
                        write_object_begin(json);
                        write_uuid_member(json, "order_line_id", &other->lines[j].order_line->id);
                        write_integer_member(json, "quantity", other->lines[j].quantity);
                        write_object_end(json);
                }
                write_list_end(json);
                write_object_end(json);
        }
        write_list_end(json);
}

void fulfillment_write(struct writer *json, const struct fulfillment *fulfillment, const char *pickup_secret) {
        write_uuid_member(json, "id", &fulfillment->id);
        write_uuid_member(json, "order_id", &fulfillment->order->id);
        write_text_member(json, "order_number", fulfillment->order->number);
        write_text_member(json, "method", fulfillment_method_texts[fulfillment->method]);
        write_text_member(json, "location", fulfillment->location);
        write_text_member(json, "status", fulfillment_shown_status(fulfillment));
        write_text_member(json, "reason", fulfillment->reason);
        replaces_write(json, fulfillment);
        write_replaced_by(json, fulfillment);
        write_time_member(json, "promised_at", fulfillment->promised_at);
        write_time_member(json, "slot", fulfillment->has_slot ? fulfillment->slot_at : TIMESTAMP_NONE);
        write_time_member(json, "hold_until", fulfillment_held_until(fulfillment));
        write_text_member(json, "assignee", fulfillment->assignee);
        write_text_member(json, "staging_location", fulfillment->staging_location);
        write_pickup_code(json, fulfillment, pickup_secret);
        write_raw_member(json, "recipient", fulfillment->recipient);
        check_in_write(json, &fulfillment->check_in);
        write_integer_or_null(json, "waited_s", fulfillment->check_in.waited_s);
        write_raw_member(json, "handover", fulfillment->handover);
        write_raw_member(json, "packages", fulfillment->packages);
        write_name(json, "lines");
        write_list_begin(json);
        for (size_t i = 0; i < fulfillment->n_lines; i++)
                write_fulfillment_line(json, &fulfillment->lines[i]);
        write_list_end(json);
        write_integer_member(json, "version", fulfillment->version);
        write_time_member(json, "created_at", fulfillment->created_at);
        write_time_member(json, "updated_at", fulfillment->updated_at);
}

static void write_header(struct writer *json, const struct order *order) {
        write_uuid_member(json, "id", &order->id);
        write_text_member(json, "order_number", order->number);
        write_text_member(json, "channel", order->channel);
        write_text_member(json, "external_ref", order->external_ref);
        write_text_member(json, "status", order_status_texts[order->status]);
        write_text_member(json, "payment_status", payment_status_texts[order->balance.payment_status]);
        write_integer_member(json, "version", order->version);
        write_time_member(json, "placed_at", order->placed_at);
        write_time_member(json, "updated_at", order->updated_at);
        write_text_member(json, "currency", order->balance.currency);
        write_raw_member(json, "customer", order->customer);
        write_raw_member(json, "ship_to", order->ship_to);
        write_text_member(json, "payment_reference", order->payment_reference);
        write_time_member(json, "payment_due_at", balance_due_at(&order->balance));
        write_text_member(json, "cancel_reason", order->cancel_reason);
}

static const char *secret_for(const struct code_viewer *viewer, const char *location) {
        bool here = viewer && viewer->all_locations;

        for (size_t i = 0; viewer && !here && i < viewer->n_locations; i++)
                here = text_equal(viewer->locations[i], location);
        return here ? viewer->secret : NULL;
}

uint64_t order_view(const struct order *order) {
        const timestamp due_at = balance_due_at(&order->balance);

        return due_at == order->balance.payment_due_at ? 0 : mark_number(0, (uint64_t) due_at);
}

uint64_t order_view_of(const struct order *order, const struct code_viewer *viewer) {
        uint64_t digest = order_view(order);

        for (size_t i = 0; i < order->n_fulfillments; i++) {
                const struct fulfillment *fulfillment = order->fulfillments[i];

                if (fulfillment->method != BY_SHIPPING && !secret_for(viewer, fulfillment->location))
                        digest = mark_number(digest, i + 1);
        }
        return digest;
}

void order_write(struct writer *json, const struct order *order, const struct code_viewer *viewer) {
        write_header(json, order);
        write_name(json, "lines");
        write_list_begin(json);
        for (size_t i = 0; i < order->n_lines; i++)
                write_order_line(json, &order->lines[i]);
        write_list_end(json);
        write_discounts(json, order);
        write_totals(json, order);
        payments_write(json, &order->balance);
        write_name(json, "fulfillments");
        write_list_begin(json);
        for (size_t i = 0; i < order->n_fulfillments; i++) {
                const struct fulfillment *fulfillment = order->fulfillments[i];

                write_object_begin(json);
                fulfillment_write(json, fulfillment, secret_for(viewer, fulfillment->location));
                write_object_end(json);
        }
        write_list_end(json);
}

static void write_entry(struct writer *json, const struct timeline_entry *entry) {
        write_object_begin(json);
        write_uuid_member(json, "id", &entry->id);
        write_text_member(json, "type", entry->type);
        write_time_member(json, "occurred_at", entry->occurred_at);
        write_text_member(json, "actor", entry->actor);
        if (uuid_is_nil(&entry->fulfillment_id))
                write_text_member(json, "fulfillment_id", NULL);
        else
                write_uuid_member(json, "fulfillment_id", &entry->fulfillment_id);
        write_text_member(json, "location", entry->location);
        write_name(json, "data");
        write_raw(json, entry->data);
        write_object_end(json);
}

void timeline_write(struct writer *json, const struct timeline *timeline) {
        write_list_begin(json);
        for (size_t i = 0; i < timeline->n; i++)
                write_entry(json, &timeline->entries[i]);
        write_list_end(json);
}
