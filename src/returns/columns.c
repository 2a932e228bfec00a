#include "returns/columns.h"
#include "returns/store.h"

static const struct enum_column refund_to_column = { "returns", "refund_to", .texts = refund_choice_texts };
static const struct enum_column reception_column = { "return_lines", "reception", .lifecycle = &reception_lifecycle };
static const struct enum_column acceptance_column = { "return_lines", "acceptance",
        .lifecycle = &acceptance_lifecycle };
static const struct enum_column condition_column = { "return_lines", "condition", .texts = goods_condition_texts };
static const struct enum_column disposition_column = { "return_lines", "disposition", .texts = disposition_texts };
static const struct enum_column bucket_column = { "return_lines", "bucket", .lifecycle = &bucket_lifecycle };

static const struct column return_list[] = {
        { "id", UUID_AT(struct rma, id) },
        { "order_id", UUID_AT(struct order, id), .through = POINTER(struct rma, order) },
        { "return_number", TEXT_AT(struct rma, number) },
        { "location", TEXT_AT(struct rma, location) },
        { "status", ENUM_AT(struct rma, status), .words = &return_status_column },
        { "by_post", BOOLEAN_AT(struct rma, by_post) },
        { "overridden", BOOLEAN_AT(struct rma, overridden) },
        { "shipping", INTEGER_AT(struct rma, shipping) },
        { "withheld", INTEGER_AT(struct rma, withheld) },
        { "shipping_tax", INTEGER_AT(struct rma, shipping_tax) },
        { "withheld_tax", INTEGER_AT(struct rma, withheld_tax) },
        { "refund_to", WORD_AT(struct rma, refund_to), .words = &refund_to_column },
        { "exchange", JSONB_AT(struct rma, exchange) },
        { "unexpected", JSONB_AT(struct rma, unexpected) },
        { "cancel_reason", TEXT_AT(struct rma, cancel_reason) },
        { "actor", TEXT_AT(struct rma, actor) },
        { "moved_by", TEXT_AT(struct rma, moved_by) },
        { "version", INTEGER_AT(struct rma, version) },
        { "created_at", TIME_AT(struct rma, created_at) },
        { "updated_at", TIME_AT(struct rma, updated_at) },
};
const struct columns return_columns = { "returns", COLUMNS(struct rma, return_list) };

static const struct column return_line_list[] = {
        { "return_id", UUID_AT(struct rma, id), .through = POINTER(struct return_line_row, line.rma) },
        { "line", INTEGER_AT(struct return_line_row, line.number) },
        { "id", UUID_AT(struct return_line_row, line.id) },
        { "order_id", UUID_AT(struct order, id), .through = POINTER(struct return_line_row, line.rma),
                .then = POINTER(struct rma, order) },
        { "order_line", INTEGER_AT(struct order_line, number),
                .through = POINTER(struct return_line_row, line.order_line) },
        { "sku", TEXT_AT(struct order_line, sku), .through = POINTER(struct return_line_row, line.order_line) },
        { "quantity", INTEGER_AT(struct return_line_row, line.quantity) },
        { "reason", TEXT_AT(struct return_line_row, line.reason) },
        { "announced", BOOLEAN_AT(struct return_line_row, line.announced) },
        { "reception", ENUM_AT(struct return_line_row, line.reception), .words = &reception_column },
        { "acceptance", ENUM_AT(struct return_line_row, line.acceptance), .words = &acceptance_column },
        { "condition", ENUM_AT(struct return_line_row, line.condition), .words = &condition_column, .nullable = true,
                .absent = -1 },
        { "disposition", ENUM_AT(struct return_line_row, line.disposition), .words = &disposition_column,
                .nullable = true, .absent = -1 },
        { "bucket", ENUM_AT(struct return_line_row, line.bucket), .words = &bucket_column },
        { "location", TEXT_AT(struct return_line_row, line.location) },
        { "value", INTEGER_AT(struct return_line_row, line.value) },
        { "fee", INTEGER_AT(struct return_line_row, line.fee) },
        { "refund", INTEGER_AT(struct return_line_row, line.refund) },
        { "tax", INTEGER_AT(struct return_line_row, line.tax) },
        { "terms", JSONB_AT(struct return_line_row, terms) },
        { "note", TEXT_AT(struct return_line_row, line.note) },
        { "received_at", TIME_AT(struct return_line_row, line.received_at) },
};
const struct columns return_line_columns = { "return_lines", COLUMNS(struct return_line_row, return_line_list) };

/* ---- lists and look-ups ---- */

static const struct column listed_return_list[] = {
        { "id", UUID_AT(struct listed_return, id) },
        { "order_id", UUID_AT(struct listed_return, order_id) },
        { "created_at", TIME_AT(struct listed_return, created_at) },
};
const struct columns listed_return_columns = { "listed_returns", COLUMNS(struct listed_return, listed_return_list) };

static const struct column return_target_list[] = {
        { "id", UUID_AT(struct return_target, id) },
        { "number", TEXT_AT(struct return_target, number) },
        { "order_id", UUID_AT(struct return_target, order_id) },
        { "location", TEXT_AT(struct return_target, location) },
};
const struct columns return_target_columns = { "return_targets", COLUMNS(struct return_target, return_target_list) };

static const struct column left_day_list[] = {
        { "order_id", UUID_AT(struct left_day, order_id) },
        { "fulfillment_id", UUID_AT(struct left_day, fulfillment_id) },
        { "location", TEXT_AT(struct left_day, location) },
        { "left", INTEGER_AT(struct left_day, left) },
        { "today", INTEGER_AT(struct left_day, today) },
};
const struct columns left_day_columns = { "left_days", COLUMNS(struct left_day, left_day_list) };
