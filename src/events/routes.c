/* The routes of the room. */
#include "events/commands.h"

#define LIST_BATCH   16
#define STREAM_BATCH 16
#define WRITE_BATCH  32

const struct route event_routes[] = {
        { METHOD_GET, "/v1/consumers", SCOPE_EVENTS_READ, LANE_LIST, LIST_BATCH, KEY_UNUSED, .query = &page_query_shape,
                .operation = &list_operation, .kind = &consumers_list },
        { METHOD_DELETE, "/v1/consumers/{name}", SCOPE_EVENTS_READ, LANE_CATALOG, WRITE_BATCH, KEY_UNUSED,
                .operation = &consumer_delete },
        { METHOD_GET, "/v1/consumers/{name}", SCOPE_EVENTS_READ, LANE_READ, LIST_BATCH, KEY_UNUSED,
                .operation = &consumer_show },
        { METHOD_PUT, "/v1/consumers/{name}", SCOPE_EVENTS_READ, LANE_CATALOG, WRITE_BATCH, KEY_UNUSED,
                .body = &consumer_shape, .check = consumer_body_check, .operation = &consumer_put },
        { METHOD_POST, "/v1/consumers/{name}/commit", SCOPE_EVENTS_READ, LANE_CATALOG, WRITE_BATCH, KEY_OPTIONAL,
                .body = &consumer_commit_shape, .operation = &consumer_commit },
        { METHOD_GET, "/v1/events", SCOPE_EVENTS_READ, LANE_READ, LIST_BATCH, KEY_UNUSED, .query = &events_list_shape,
                .check = events_query_check, .operation = &events_list, .topic = events_topic, .waits = true },
        { METHOD_GET, "/v1/events/stream", SCOPE_EVENTS_READ, LANE_READ, STREAM_BATCH, KEY_UNUSED,
                .query = &events_stream_shape, .check = events_query_check, .operation = &events_stream,
                .topic = events_topic, .stream = true },
};
const size_t event_route_count = array_size(event_routes);
