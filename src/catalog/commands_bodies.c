/*
 * The request bodies of the room, as shapes.
 */
#include "catalog/records.h"

static const struct shape_member resourcing_members[] = {
        OPTIONAL_FLAGGED(BOOLEAN, struct resourcing_body, enabled),
        OPTIONAL_FLAGGED(INTEGER, struct resourcing_body, radius_km, BETWEEN(0, RADIUS_KM_MAX)),
};
static const struct shape resourcing_shape = SHAPE(struct resourcing_body, resourcing_members);

static const struct shape_member channel_members[] = {
        REQUIRED(ENUM, struct channel_body, kind, .names = channel_kinds),
        REQUIRED(TEXT, struct channel_body, name, BETWEEN(1, NAME_LENGTH_MAX)),
        OPTIONAL(OBJECT, struct channel_body, notifications, .shape = &channel_messages_shape),
        OPTIONAL(OBJECT, struct channel_body, resourcing, .shape = &resourcing_shape),
        OPTIONAL(OBJECT, struct channel_body, return_policy, .shape = &return_policy_shape),
        OPTIONAL(TEXT, struct channel_body, unpaid_ttl, BETWEEN(1, DURATION_TEXT_SIZE - 1)),
};
const struct shape channel_shape = SHAPE(struct channel_body, channel_members);

static const struct shape_member pickup_members[] = {
        OPTIONAL(TEXT, struct pickup_body, cut_off, BETWEEN(1, TIME_SIZE)),
        OPTIONAL(OBJECT, struct pickup_body, cut_offs, .shape = &cut_offs_shape),
        COUNTED(TEXTS, false, struct pickup_body, handover_methods, .names = handover_method_names,
                BETWEEN(1, HANDOVER_METHOD_COUNT)),
        OPTIONAL_FLAGGED(DURATION, struct pickup_body, hold_for, BETWEEN(HOLD_FOR_MIN, HOLD_FOR_MAX)),
        OPTIONAL_FLAGGED(DURATION, struct pickup_body, lead_time, BETWEEN(0, LEAD_TIME_MAX)),
        OPTIONAL_LIST(struct pickup_body, slots, &slot_shape, 0, SLOTS_MAX),
};
static const struct shape pickup_shape = SHAPE(struct pickup_body, pickup_members);

static const struct shape_member location_members[] = {
        OPTIONAL(TEXT, struct location_body, address, BETWEEN(1, LOCATION_ADDRESS_MAX)),
        COUNTED(TEXTS, false, struct location_body, capabilities, .names = capability_names,
                BETWEEN(0, CAPABILITY_COUNT)),
        OPTIONAL_LIST(struct location_body, closures, &closure_shape, 0, CLOSURES_MAX),
        REQUIRED(TEXT, struct location_body, country, BETWEEN(2, 2)),
        REQUIRED(ENUM, struct location_body, kind, .names = location_kinds),
        OPTIONAL_FLAGGED(NUMBER, struct location_body, latitude, BETWEEN(-90, 90)),
        OPTIONAL_FLAGGED(NUMBER, struct location_body, longitude, BETWEEN(-180, 180)),
        REQUIRED(TEXT, struct location_body, name, BETWEEN(1, NAME_LENGTH_MAX)),
        OPTIONAL_LIST(struct location_body, opening_hours, &opening_shape, 0, OPENINGS_MAX),
        OPTIONAL(OBJECT, struct location_body, pickup, .shape = &pickup_shape),
        REQUIRED(TEXT, struct location_body, time_zone, BETWEEN(1, TIME_ZONE_MAX)),
};
const struct shape location_shape = SHAPE(struct location_body, location_members);

static const struct shape_member product_members[] = {
        OPTIONAL(RAW, struct product_body, attributes, BETWEEN(0, ATTRIBUTES_SIZE_MAX)),
        OPTIONAL(TEXT, struct product_body, description, BETWEEN(0, DESCRIPTION_MAX)),
        OPTIONAL(TEXT, struct product_body, gtin, BETWEEN(0, GTIN_TEXT_MAX)),
        OPTIONAL(TEXT, struct product_body, image_url, BETWEEN(1, IMAGE_URL_MAX)),
        OPTIONAL(MONEY, struct product_body, price, BETWEEN(0, MONEY_MAXIMUM)),
        OPTIONAL(OBJECT, struct product_body, return_policy, .shape = &return_policy_shape),
        OPTIONAL_FLAGGED(BOOLEAN, struct product_body, returnable),
        REQUIRED(TEXT, struct product_body, title, BETWEEN(1, TITLE_LENGTH_MAX)),
};
const struct shape product_shape = SHAPE(struct product_body, product_members);

static const struct shape_member listing_members[] = {
        OPTIONAL(TEXT, struct listing_body, external_sku, BETWEEN(1, EXTERNAL_SKU_MAX)),
        OPTIONAL(MONEY, struct listing_body, price, BETWEEN(0, MONEY_MAXIMUM)),
        OPTIONAL_FLAGGED(BOOLEAN, struct listing_body, published),
        OPTIONAL(TEXT, struct listing_body, title, BETWEEN(1, TITLE_LENGTH_MAX)),
};
const struct shape listing_shape = SHAPE(struct listing_body, listing_members);
