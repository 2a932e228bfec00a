/* The routes of the room. */
#include "catalog/commands.h"

#define PUT_BATCH  32
#define READ_BATCH 32
#define LIST_BATCH 4

#define READ(path_, operation_, ...)                                                                                   \
        {                                                                                                              \
                METHOD_GET, (path_), SCOPE_CATALOG_READ, LANE_READ, READ_BATCH, KEY_UNUSED,                            \
                        .operation = &(operation_), __VA_ARGS__                                                        \
        }
#define LISTED(path_, query_, operation_, ...)                                                                         \
        {                                                                                                              \
                METHOD_GET, (path_), SCOPE_CATALOG_READ, LANE_LIST, LIST_BATCH, KEY_UNUSED,                            \
                        .query = &(query_), .may_lag = true, .operation = &(operation_), __VA_ARGS__                   \
        }
#define PUT(path_, body_, operation_, check_)                                                                          \
        {                                                                                                              \
                METHOD_PUT, (path_), SCOPE_CATALOG_WRITE, LANE_CATALOG, PUT_BATCH, KEY_UNUSED,                         \
                        .body = &(body_), .operation = &(operation_), .check = (check_)                                \
        }

const struct route catalog_routes[] = {
        LISTED("/v1/channels", channels_query_shape, channels_list),
        READ("/v1/channels/{code}", channel_show),
        PUT("/v1/channels/{code}", channel_shape, channel_put, channel_put_check),
        LISTED("/v1/channels/{code}/listings", channels_query_shape, listings_list),
        READ("/v1/channels/{code}/listings/{sku}", listing_show),
        PUT("/v1/channels/{code}/listings/{sku}", listing_shape, listing_put, listing_put_check),
        LISTED("/v1/locations", locations_query_shape, locations_list),
        READ("/v1/locations/{code}", location_show, .check = location_show_check),
        PUT("/v1/locations/{code}", location_shape, location_put, location_put_check),
        { METHOD_GET, "/v1/locations/{code}/slots", SCOPE_CATALOG_READ, LANE_READ, 1, KEY_UNUSED,
                .query = &slots_query_shape, .operation = &slots_list, .check = slots_list_check },
        LISTED("/v1/products", products_query_shape, products_list, .check = products_list_check),
        READ("/v1/products/{sku}", product_show),
        PUT("/v1/products/{sku}", product_shape, product_put, product_put_check),
};
const size_t catalog_route_count = array_size(catalog_routes);
