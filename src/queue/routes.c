/* The routes of the room. */
#include "queue/commands.h"

#define READ_BATCH   64
#define SCAN_BATCH   8
#define STREAM_BATCH 16

const struct route queue_routes[] = {
        { METHOD_GET, "/v1/locations/{code}/events", SCOPE_FULFILLMENT_READ, LANE_READ, STREAM_BATCH, KEY_UNUSED,
                .query = &stream_shape, .check = call_check_location, .operation = &queue_stream,
                .topic = queue_events_topic, .stream = true },
        { METHOD_GET, "/v1/locations/{code}/queue", SCOPE_FULFILLMENT_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .query = &queue_list_shape, .check = call_check_location, .operation = &queue_list,
                .topic = queue_topic },
        { METHOD_GET, "/v1/locations/{code}/queue/counts", SCOPE_FULFILLMENT_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .check = call_check_location, .operation = &queue_counts, .topic = queue_topic },
        { METHOD_POST, "/v1/locations/{code}/scan", SCOPE_FULFILLMENT_READ, LANE_READ, SCAN_BATCH, KEY_UNUSED,
                .body = &scan_shape, .check = call_check_location, .operation = &queue_scan },
};
const size_t queue_route_count = array_size(queue_routes);
