#include "payments/columns.h"

static const struct column payment_list[] = {
        { "order_id", UUID_AT(struct balance, order_id), .through = POINTER(struct payment, balance) },
        { "id", UUID_AT(struct payment, id) },
        { "number", INTEGER_AT(struct payment, number) },
        { "provider", TEXT_AT(struct payment, provider) },
        { "reference", TEXT_AT(struct payment, reference) },
        { "status", ENUM_AT(struct payment, state), .words = &payment_status_column },
        { "amount", INTEGER_AT(struct payment, amount) },
        { "authorized", INTEGER_AT(struct payment, authorized) },
        { "captured", INTEGER_AT(struct payment, captured) },
        { "voided", INTEGER_AT(struct payment, voided) },
        { "capture_due", INTEGER_AT(struct payment, capture_due) },
        { "void_due", INTEGER_AT(struct payment, void_due) },
        { "void_asked", INTEGER_AT(struct payment, void_asked) },
        { "failed", INTEGER_AT(struct payment, failed) },
        { "opened", ENUM_AT(struct payment, opened), .words = &payment_opened_column },
        { "refunded", INTEGER_AT(struct payment, refunded) },
        { "actor", TEXT_AT(struct payment, actor) },
        { "version", INTEGER_AT(struct payment, version) },
        { "created_at", TIME_AT(struct payment, created_at) },
        { "updated_at", TIME_AT(struct payment, updated_at) },
};
const struct columns payment_columns = { "payments", COLUMNS(struct payment, payment_list) };

static const struct column refund_list[] = {
        { "order_id", UUID_AT(struct balance, order_id), .through = POINTER(struct refund, balance) },
        { "id", UUID_AT(struct refund, id) },
        { "number", INTEGER_AT(struct refund, number) },
        { "payment_id", UUID_AT(struct payment, id), .through = POINTER(struct refund, payment) },
        { "return_id", UUID_AT(struct refund, return_id), .nullable = true },
        { "amount", INTEGER_AT(struct refund, amount) },
        { "tax", INTEGER_AT(struct refund, tax) },
        { "destination", ENUM_AT(struct refund, to), .words = &refund_destination_column },
        { "status", ENUM_AT(struct refund, state), .words = &refund_status_column },
        { "reason", TEXT_AT(struct refund, reason) },
        { "reference", TEXT_AT(struct refund, reference) },
        { "actor", TEXT_AT(struct refund, actor) },
        { "version", INTEGER_AT(struct refund, version) },
        { "created_at", TIME_AT(struct refund, created_at) },
        { "updated_at", TIME_AT(struct refund, updated_at) },
};
const struct columns refund_columns = { "refunds", COLUMNS(struct refund, refund_list) };

/* ---- events of the provider ---- */

static const struct column told_list[] = {
        { "payment_id", UUID_AT(struct told_row, event.payment_id) },
        { "event_id", TEXT_AT(struct told_row, event.event_id) },
        { "type", ENUM_AT(struct told_row, event.type), .words = &provider_event_type_column },
        { "content", DIGEST_AT(struct told_row, content) },
        { "number", INTEGER_AT(struct told_row, event.number) },
        { "amount", INTEGER_AT(struct told_row, event.amount), .has = HAS(struct told_row, event.has_amount) },
        { "voids_asked", INTEGER_AT(struct told_row, event.voids_asked) },
        { "refund_id", UUID_AT(struct told_row, event.refund_id), .has = HAS(struct told_row, event.has_refund_id) },
        { "occurred_at", TIME_AT(struct told_row, event.occurred_at) },
        { "recorded_at", TIME_AT(struct told_row, event.recorded_at) },
        { "counts", BOOLEAN_AT(struct told_row, event.counts) },
};
const struct columns told_row_columns = { "payment_events", COLUMNS(struct told_row, told_list) };

static const struct column owner_list[] = {
        { "id", UUID_AT(struct owner, id) },
        { "order_id", UUID_AT(struct owner, order_id) },
};
const struct columns owner_columns = { "owners", COLUMNS(struct owner, owner_list) };
