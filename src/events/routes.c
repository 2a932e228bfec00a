/* The routes of the room. */
#include "events/commands.h"

#define LIST_BATCH   16
#define STREAM_BATCH 16

const struct route event_routes[] = {
        { METHOD_GET, "/v1/events", SCOPE_EVENTS_READ, LANE_READ, LIST_BATCH, KEY_UNUSED, .query = &events_list_shape,
                .check = events_query_check, .operation = &events_list, .topic = events_topic, .waits = true },
        { METHOD_GET, "/v1/events/stream", SCOPE_EVENTS_READ, LANE_READ, STREAM_BATCH, KEY_UNUSED,
                .query = &events_stream_shape, .check = events_query_check, .operation = &events_stream,
                .topic = events_topic, .stream = true },
};
const size_t event_route_count = array_size(event_routes);
