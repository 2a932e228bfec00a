#include "catalog/columns.h"
#include "catalog/slots.h"

static const struct enum_column channel_kind_column = { "channels", "kind", .texts = channel_kinds };
static const struct enum_column location_kind_column = { "locations", "kind", .texts = location_kinds };
static const struct enum_column capabilities_column = { "locations", "capabilities", .texts = capability_names };
static const struct enum_column handover_methods_column = { "locations", "handover_methods",
        .texts = handover_method_names };

#define RECORD_COLUMNS(row, member)                                                                                    \
        { "version", INTEGER_AT(row, member.record.version) },                                                         \
                { "created_at", TIME_AT(row, member.record.created_at) }, {                                            \
                "updated_at", TIME_AT(row, member.record.updated_at)                                                   \
        }

/* Wanted records that do not exist come as rows of nulls, so a kind may be null. */
#define NO_KIND (-1)

static const struct column channel_list[] = {
        { "code", TEXT_AT(struct channel_row, channel.code) },
        { "exists", BOOLEAN_AT(struct channel_row, channel.record.exists) },
        { "name", TEXT_AT(struct channel_row, channel.name) },
        { "kind", ENUM_AT(struct channel_row, channel.kind), .words = &channel_kind_column, .nullable = true,
                .absent = NO_KIND },
        { "return_policy", JSONB_AT(struct channel_row, return_policy) },
        { "notifications", JSONB_AT(struct channel_row, notifications) },
        { "resourcing", BOOLEAN_AT(struct channel_row, channel.policy.resourcing),
                .has = HAS(struct channel_row, channel.policy.has_resourcing) },
        { "resourcing_radius_km", INTEGER_AT(struct channel_row, channel.policy.resourcing_radius_km),
                .has = HAS(struct channel_row, channel.policy.has_resourcing_radius_km) },
        { "unpaid_ttl_s", INTEGER_AT(struct channel_row, channel.policy.unpaid_ttl_s),
                .has = HAS(struct channel_row, channel.policy.has_unpaid_ttl_s) },
        RECORD_COLUMNS(struct channel_row, channel),
};
const struct columns channel_row_columns = { "channels", COLUMNS(struct channel_row, channel_list) };

static const struct column location_list[] = {
        { "code", TEXT_AT(struct location_row, location.code) },
        { "exists", BOOLEAN_AT(struct location_row, location.record.exists) },
        { "name", TEXT_AT(struct location_row, location.name) },
        { "kind", ENUM_AT(struct location_row, location.kind), .words = &location_kind_column, .nullable = true,
                .absent = NO_KIND },
        { "latitude", NUMBER_AT(struct location_row, location.latitude),
                .has = HAS(struct location_row, location.has_position) },
        { "longitude", NUMBER_AT(struct location_row, location.longitude),
                .has = HAS(struct location_row, location.has_position) },
        { "time_zone", TEXT_AT(struct location_row, location.time_zone) },
        { "address", TEXT_AT(struct location_row, location.address) },
        { "country", TEXT_AT(struct location_row, location.country) },
        { "capabilities", BITS_AT(struct location_row, location.capabilities), .words = &capabilities_column },
        { "opening_hours", JSONB_AT(struct location_row, opening_hours) },
        { "closures", JSONB_AT(struct location_row, closures) },
        { "lead_time_s", INTEGER_AT(struct location_row, lead_time_s) },
        { "hold_for_s", INTEGER_AT(struct location_row, hold_for_s) },
        { "cut_off", INTEGER_AT(struct location_row, cut_off), .has = HAS(struct location_row, location.has_cut_off) },
        { "cut_offs", JSONB_AT(struct location_row, cut_offs) },
        { "handover_methods", BITS_AT(struct location_row, location.handover_methods),
                .words = &handover_methods_column },
        { "slots", JSONB_AT(struct location_row, slots) },
        RECORD_COLUMNS(struct location_row, location),
};
const struct columns location_row_columns = { "locations", COLUMNS(struct location_row, location_list) };

static const struct column product_list[] = {
        { "sku", TEXT_AT(struct product_row, product.sku) },
        { "exists", BOOLEAN_AT(struct product_row, product.record.exists) },
        { "title", TEXT_AT(struct product_row, product.title) },
        { "gtin", TEXT_AT(struct product_row, product.gtin) },
        { "price_amount", INTEGER_AT(struct product_row, product.price.amount),
                .has = HAS(struct product_row, has_price) },
        { "price_currency", TEXT_AT(struct product_row, price_currency) },
        { "image_url", TEXT_AT(struct product_row, product.image_url) },
        { "description", TEXT_AT(struct product_row, product.description) },
        { "attributes", JSONB_AT(struct product_row, product.attributes) },
        { "returnable", BOOLEAN_AT(struct product_row, product.returnable) },
        { "return_policy", JSONB_AT(struct product_row, return_policy) },
        RECORD_COLUMNS(struct product_row, product),
};
const struct columns product_row_columns = { "products", COLUMNS(struct product_row, product_list) };

static const struct column listing_list[] = {
        { "channel", TEXT_AT(struct listing_row, listing.channel) },
        { "sku", TEXT_AT(struct listing_row, listing.sku) },
        { "exists", BOOLEAN_AT(struct listing_row, listing.record.exists) },
        { "title", TEXT_AT(struct listing_row, listing.title) },
        { "price_amount", INTEGER_AT(struct listing_row, listing.price.amount),
                .has = HAS(struct listing_row, has_price) },
        { "price_currency", TEXT_AT(struct listing_row, price_currency) },
        { "external_sku", TEXT_AT(struct listing_row, listing.external_sku) },
        { "published", BOOLEAN_AT(struct listing_row, listing.published) },
        RECORD_COLUMNS(struct listing_row, listing),
        { "channel_known", BOOLEAN_AT(struct listing_row, listing.channel_known) },
        { "sku_known", BOOLEAN_AT(struct listing_row, listing.sku_known) },
};
const struct columns listing_row_columns = { "listings", COLUMNS(struct listing_row, listing_list) };

static const struct column slot_list[] = {
        { "location", TEXT_AT(struct slot_row, location) },
        { "starts_at", TIME_AT(struct slot_row, begins) },
        { "booked", INTEGER_AT(struct slot_row, booked) },
};
const struct columns slot_columns = { "slots", COLUMNS(struct slot_row, slot_list) };
