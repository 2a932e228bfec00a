#include "queue/columns.h"

#include "queue/queue.h"

static const struct column in_head[] = {
        { "location", TEXT_AT(struct queue_head, location) },
        { "exists", BOOLEAN_AT(struct queue_head, exists) },
        { "revision", INTEGER_AT(struct queue_head, revision) },
        { "now", TIME_AT(struct queue_head, now) },
};
const struct columns queue_head_columns = { "queue_heads", COLUMNS(struct queue_head, in_head) };

static const struct column in_place[] = {
        { "id", UUID_AT(struct queue_place, id) },
        { "order_id", UUID_AT(struct queue_place, order_id) },
        { "rank", INTEGER_AT(struct queue_place, rank) },
        { "key", INTEGER_AT(struct queue_place, key) },
        { "customer_name", TEXT_AT(struct queue_place, customer_name) },
};
const struct columns queue_place_columns = { "queue_places", COLUMNS(struct queue_place, in_place) };

static const struct column in_count[] = {
        { "location", TEXT_AT(struct queue_count, location) },
        { "allocated", INTEGER_AT(struct queue_count, n[CARD_ALLOCATED]) },
        { "arrived", INTEGER_AT(struct queue_count, n[CARD_ARRIVED]) },
        { "on_the_way", INTEGER_AT(struct queue_count, n[CARD_ON_THE_WAY]) },
        { "packed", INTEGER_AT(struct queue_count, n[CARD_PACKED]) },
        { "picking", INTEGER_AT(struct queue_count, n[CARD_PICKING]) },
        { "ready", INTEGER_AT(struct queue_count, n[CARD_READY]) },
        { "overdue", INTEGER_AT(struct queue_count, overdue) },
        { "changes_at", TIME_AT(struct queue_count, changes_at) },
};
const struct columns queue_count_columns = { "queue_counts", COLUMNS(struct queue_count, in_count) };

static const struct column in_code[] = {
        { "id", UUID_AT(struct scanned_code, fulfillment_id) },
        { "pickup_serial", INTEGER_AT(struct scanned_code, pickup_serial) },
};
const struct columns scanned_code_columns = { "scanned_codes", COLUMNS(struct scanned_code, in_code) };

static const struct column in_event[] = {
        { "position", INTEGER_AT(struct stream_event, position) },
        { "id", UUID_AT(struct stream_event, id) },
        { "type", TEXT_AT(struct stream_event, type) },
        { "order_id", UUID_AT(struct stream_event, order_id) },
        { "fulfillment_id", UUID_AT(struct stream_event, fulfillment_id) },
        { "occurred_at", TIME_AT(struct stream_event, occurred_at) },
        { "data", JSONB_AT(struct stream_event, data) },
};
const struct columns stream_event_columns = { "stream_events", COLUMNS(struct stream_event, in_event) };
