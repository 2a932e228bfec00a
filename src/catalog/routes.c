/* The routes of the room. */
#include "catalog/commands.h"

#define PUT_BATCH   32
#define READ_BATCH  32
#define LIST_BATCH  4
#define SLOTS_BATCH 1

#define READ(path_, kind_, ...)                                                                                        \
        {                                                                                                              \
                METHOD_GET, (path_), SCOPE_CATALOG_READ, LANE_READ, READ_BATCH, KEY_UNUSED,                            \
                        .operation = &record_show_operation, .kind = &(kind_), __VA_ARGS__                             \
        }
#define LISTED(path_, query_, kind_, ...)                                                                              \
        {                                                                                                              \
                METHOD_GET, (path_), SCOPE_CATALOG_READ, LANE_LIST, LIST_BATCH, KEY_UNUSED,                            \
                        .query = &(query_), .may_lag = true, .operation = &list_operation, .kind = &(kind_).list,      \
                        __VA_ARGS__                                                                                    \
        }
#define PUT(path_, body_, kind_, check_)                                                                               \
        {                                                                                                              \
                METHOD_PUT, (path_), SCOPE_CATALOG_WRITE, LANE_CATALOG, PUT_BATCH, KEY_UNUSED,                         \
                        .body = &(body_), .operation = &record_put_operation, .kind = &(kind_), .check = (check_)      \
        }

const struct route catalog_routes[] = {
        LISTED("/v1/channels", page_query_shape, channels_list),
        READ("/v1/channels/{code}", channel_record),
        PUT("/v1/channels/{code}", channel_shape, channel_record, channel_put_check),
        LISTED("/v1/channels/{code}/listings", page_query_shape, listings_list),
        READ("/v1/channels/{code}/listings/{sku}", listing_record),
        PUT("/v1/channels/{code}/listings/{sku}", listing_shape, listing_record, call_check_channel),
        LISTED("/v1/locations", locations_query_shape, locations_list),
        READ("/v1/locations/{code}", location_record, .check = call_check_location),
        PUT("/v1/locations/{code}", location_shape, location_record, location_put_check),
        { METHOD_GET, "/v1/locations/{code}/slots", SCOPE_CATALOG_READ, LANE_READ, SLOTS_BATCH, KEY_UNUSED,
                .query = &slots_query_shape, .operation = &slots_list, .check = slots_list_check },
        LISTED("/v1/products", products_query_shape, products_list, .check = products_list_check),
        READ("/v1/products/{sku}", product_record),
        PUT("/v1/products/{sku}", product_shape, product_record, product_put_check),
};
const size_t catalog_route_count = array_size(catalog_routes);
