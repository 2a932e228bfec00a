#include "catalog/commands.h"

#include "base/text.h"

#define PUT_BATCH  32
#define READ_BATCH 32
#define LIST_BATCH 4

enum problem catalog_work_begin(struct batch *batch, struct catalog_work **ret_work) {
        struct catalog_work *work = arena_new(batch->arena, struct catalog_work);

        if (!work)
                return FAULT_BUSY;
        catalog_init(&work->set, batch->arena);
        batch->work = work;
        *ret_work = work;
        return PROBLEM_NONE;
}

enum problem catalog_work_save(struct batch *batch) {
        struct catalog_work *work = batch->work;

        return catalog_save(batch->database, &work->set);
}

bool catalog_may_put(struct call *call, const struct record *record) {
        if (record->exists && call_names_version(call, record->version)) {
                call_refuse(call, PROBLEM_PRECONDITION_FAILED, "If-None-Match forbids to replace what is there.");
                call->refusal.version = record->version;
                return false;
        }
        if (record->exists)
                return call_version_matches(call, record->version);
        if (call->if_match == IF_MATCH_ABSENT)
                return true;
        call_refuse(call, PROBLEM_PRECONDITION_FAILED, "If-Match names a version, but there is no such resource yet.");
        return false;
}

bool channel_is_visible(const struct call *call, const char *channel) {
        return !call->claims->channel || text_equal(call->claims->channel, channel);
}

void write_record(struct writer *json, const struct record *record) {
        write_time_member(json, "created_at", record->created_at);
        write_time_member(json, "updated_at", record->updated_at);
        write_integer_member(json, "version", record->version);
}

void write_price(struct writer *json, const struct money *price) {
        write_name(json, "price");
        if (*price->currency)
                write_money(json, *price);
        else
                write_null(json);
}

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
