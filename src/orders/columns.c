#include "orders/columns.h"
#include "orders/lists.h"

/* ---- orders ---- */

static const struct column order_list[] = {
        { "id", UUID_AT(struct order, id) },
        { "order_number", TEXT_AT(struct order, number) },
        { "channel", TEXT_AT(struct order, channel) },
        { "external_ref", TEXT_AT(struct order, external_ref) },
        { "status", ENUM_AT(struct order, status), .words = &order_status_column },
        { "payment_status", ENUM_AT(struct order, balance.payment_status), .words = &order_payment_status_column },
        { "payment_reference", TEXT_AT(struct order, payment_reference) },
        { "payment_due_at", TIME_AT(struct order, balance.payment_due_at) },
        { "unpaid_since", TIME_AT(struct order, balance.unpaid_since) },
        { "unpaid_ttl_s", INTEGER_AT(struct order, balance.unpaid_ttl_s), .nullable = true },
        { "currency", TEXT_AT(struct order, balance.currency) },
        { "customer", JSONB_AT(struct order, customer) },
        { "ship_to", JSONB_AT(struct order, ship_to) },
        { "subtotal", INTEGER_AT(struct order, subtotal) },
        { "discount", INTEGER_AT(struct order, discount) },
        { "shipping", INTEGER_AT(struct order, shipping) },
        { "tax", INTEGER_AT(struct order, tax) },
        { "tax_included", BOOLEAN_AT(struct order, tax_included) },
        { "total", INTEGER_AT(struct order, balance.total) },
        { "credited", INTEGER_AT(struct order, balance.credited) },
        { "adjusted", INTEGER_AT(struct order, adjusted) },
        { "adjusted_tax", INTEGER_AT(struct order, adjusted_tax) },
        { "paid", INTEGER_AT(struct order, balance.paid) },
        { "refunded", INTEGER_AT(struct order, balance.refunded) },
        { "refund_due", INTEGER_AT(struct order, balance.refund_due) },
        { "returns_awaited", INTEGER_AT(struct order, returns_awaited) },
        { "open_for", TEXT_AT(struct order, open_for) },
        { "reservation_id", UUID_AT(struct order, reservation_id), .nullable = true },
        { "cancel_reason", TEXT_AT(struct order, cancel_reason) },
        { "actor", TEXT_AT(struct order, actor) },
        { "version", INTEGER_AT(struct order, version) },
        { "placed_at", TIME_AT(struct order, placed_at) },
        { "updated_at", TIME_AT(struct order, updated_at) },
};
const struct columns order_header_columns = { "orders", COLUMNS(struct order, order_list) };

static const struct column order_line_list[] = {
        { "order_id", UUID_AT(struct order, id), .through = POINTER(struct order_line, order) },
        { "line", INTEGER_AT(struct order_line, number) },
        { "id", UUID_AT(struct order_line, id) },
        { "sku", TEXT_AT(struct order_line, sku) },
        { "title", TEXT_AT(struct order_line, title) },
        { "quantity", INTEGER_AT(struct order_line, quantity) },
        { "unit_price", INTEGER_AT(struct order_line, unit_price) },
        { "value", INTEGER_AT(struct order_line, value) },
        { "cancelled", INTEGER_AT(struct order_line, cancelled) },
        { "fulfilled", INTEGER_AT(struct order_line, fulfilled) },
        { "returned", INTEGER_AT(struct order_line, returned) },
        { "settled", INTEGER_AT(struct order_line, settled) },
        { "settled_value", INTEGER_AT(struct order_line, settled_value) },
        { "tax", INTEGER_AT(struct order_line, tax) },
        { "settled_tax", INTEGER_AT(struct order_line, settled_tax) },
        { "cancelled_value", INTEGER_AT(struct order_line, cancelled_value) },
        { "cancelled_tax", INTEGER_AT(struct order_line, cancelled_tax) },
};
const struct columns order_line_columns = { "order_lines", COLUMNS(struct order_line, order_line_list) };

static const struct column order_discount_list[] = {
        { "order_id", UUID_AT(struct discount_row, order_id) },
        { "number", INTEGER_AT(struct discount_row, number) },
        { "amount", INTEGER_AT(struct discount_row, discount.amount) },
        { "line", INTEGER_AT(struct discount_row, discount.line), .nullable = true, .absent = -1 },
        { "reason", TEXT_AT(struct discount_row, discount.reason) },
};
const struct columns order_discount_columns = { "order_discounts", COLUMNS(struct discount_row, order_discount_list) };

/* ---- fulfillments ---- */

static const struct column fulfillment_list[] = {
        { "id", UUID_AT(struct fulfillment, id) },
        { "order_id", UUID_AT(struct order, id), .through = POINTER(struct fulfillment, order) },
        { "number", INTEGER_AT(struct fulfillment, number) },
        { "method", ENUM_AT(struct fulfillment, method), .words = &fulfillment_method_column },
        { "location", TEXT_AT(struct fulfillment, location) },
        { "status", ENUM_AT(struct fulfillment, status), .words = &fulfillment_status_column },
        { "reason", TEXT_AT(struct fulfillment, reason) },
        { "promised_at", TIME_AT(struct fulfillment, promised_at) },
        { "hold_until", TIME_AT(struct fulfillment, hold_until) },
        { "assignee", TEXT_AT(struct fulfillment, assignee) },
        { "staging_location", TEXT_AT(struct fulfillment, staging_location) },
        { "pickup_serial", INTEGER_AT(struct fulfillment, pickup_serial) },
        { "wrong_codes", INTEGER_AT(struct fulfillment, wrong_codes) },
        { "locked_until", TIME_AT(struct fulfillment, locked_until) },
        { "handover", JSONB_AT(struct fulfillment, handover) },
        { "packages", JSONB_AT(struct fulfillment, packages) },
        { "version", INTEGER_AT(struct fulfillment, version) },
        { "created_at", TIME_AT(struct fulfillment, created_at) },
        { "updated_at", TIME_AT(struct fulfillment, updated_at) },
        { "replaces", UUID_AT(struct fulfillment, replaces), .nullable = true },
        { "check_in", ENUM_AT(struct fulfillment, check_in.state), .words = &fulfillment_check_in_column },
        { "eta_minutes", INTEGER_AT(struct fulfillment, check_in.eta_minutes), .nullable = true, .absent = -1 },
        { "bay", TEXT_AT(struct fulfillment, check_in.bay) },
        { "vehicle_make", TEXT_AT(struct fulfillment, check_in.vehicle.make) },
        { "vehicle_color", TEXT_AT(struct fulfillment, check_in.vehicle.color) },
        { "vehicle_plate", TEXT_AT(struct fulfillment, check_in.vehicle.plate) },
        { "on_the_way_at", TIME_AT(struct fulfillment, check_in.on_the_way_at) },
        { "arrived_at", TIME_AT(struct fulfillment, check_in.arrived_at) },
        { "waited_s", INTEGER_AT(struct fulfillment, check_in.waited_s), .nullable = true, .absent = -1 },
        { "remind_at", TIME_AT(struct fulfillment, remind_at) },
        { "recipient", JSONB_AT(struct fulfillment, recipient) },
        { "moved_by", TEXT_AT(struct fulfillment, moved_by) },
        { "link_digest", DIGEST_AT(struct fulfillment, link.digest) },
        { "link_expires_at", TIME_AT(struct fulfillment, link.expires_at) },
        { "slot_at", TIME_AT(struct fulfillment, slot_at), .has = HAS(struct fulfillment, has_slot) },
        { "channel", TEXT_AT(struct order, channel), .through = POINTER(struct fulfillment, order) },
        { "order_status", ENUM_AT(struct order, status), .through = POINTER(struct fulfillment, order),
                .words = &order_status_column },
        { "placed_at", TIME_AT(struct order, placed_at), .through = POINTER(struct fulfillment, order) },
        { "order_updated_at", TIME_AT(struct order, updated_at), .through = POINTER(struct fulfillment, order) },
        { "order_is_new", BOOLEAN_AT(struct order, is_new), .through = POINTER(struct fulfillment, order) },
};
const struct columns fulfillment_columns = { "fulfillments", COLUMNS(struct fulfillment, fulfillment_list) };

static const struct column fulfillment_line_list[] = {
        { "order_id", UUID_AT(struct order, id), .through = POINTER(struct fulfillment_line, fulfillment),
                .then = POINTER(struct fulfillment, order) },
        { "fulfillment_id", UUID_AT(struct fulfillment, id), .through = POINTER(struct fulfillment_line, fulfillment) },
        { "line", INTEGER_AT(struct order_line, number), .through = POINTER(struct fulfillment_line, order_line) },
        { "location", TEXT_AT(struct fulfillment, location), .through = POINTER(struct fulfillment_line, fulfillment) },
        { "sku", TEXT_AT(struct order_line, sku), .through = POINTER(struct fulfillment_line, order_line) },
        { "quantity", INTEGER_AT(struct fulfillment_line, quantity) },
        { "picked", INTEGER_AT(struct fulfillment_line, picked) },
        { "short", INTEGER_AT(struct fulfillment_line, shorted) },
        { "resourced", INTEGER_AT(struct fulfillment_line, resourced) },
        { "cancelled", INTEGER_AT(struct fulfillment_line, cancelled) },
        { "moved", INTEGER_AT(struct fulfillment_line, moved) },
        { "expired", INTEGER_AT(struct fulfillment_line, expired) },
        { "fulfilled", INTEGER_AT(struct fulfillment_line, fulfilled) },
};
const struct columns fulfillment_line_columns = { "fulfillment_lines",
        COLUMNS(struct fulfillment_line, fulfillment_line_list) };

/* ---- lists ---- */

static const struct column listed_order_list[] = {
        { "id", UUID_AT(struct listed_order, id) },
        { "sorted_by", TIME_AT(struct listed_order, sorted_by) },
};
const struct columns listed_order_columns = { "listed_orders", COLUMNS(struct listed_order, listed_order_list) };

static const struct column timeline_entry_list[] = {
        { "id", UUID_AT(struct timeline_entry, id) },
        { "type", TEXT_AT(struct timeline_entry, type) },
        { "occurred_at", TIME_AT(struct timeline_entry, occurred_at) },
        { "actor", TEXT_AT(struct timeline_entry, actor) },
        { "fulfillment_id", UUID_AT(struct timeline_entry, fulfillment_id), .nullable = true },
        { "location", TEXT_AT(struct timeline_entry, location) },
        { "data", JSONB_AT(struct timeline_entry, data) },
};
const struct columns timeline_entry_columns = { "timeline_entries",
        COLUMNS(struct timeline_entry, timeline_entry_list) };

static const struct column return_claim_list[] = {
        { "order_id", UUID_AT(struct return_claim_row, order_id) },
        { "return_id", UUID_AT(struct return_claim_row, claim.return_id) },
        { "amount", INTEGER_AT(struct return_claim_row, claim.amount) },
        { "tax", INTEGER_AT(struct return_claim_row, claim.tax) },
};
const struct columns return_claim_columns = { "return_claims", COLUMNS(struct return_claim_row, return_claim_list) };
