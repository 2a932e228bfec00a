#include "shop.h"

#include <string.h>

#define MEMORY ((size_t) 64 * 1024 * 1024)

struct shop shop;

static struct channel channels[] = {
        { .record = { .exists = true }, .code = "app" },
        { .code = "gone" },
        { .record = { .exists = true }, .code = "web" },
};
static const struct location locations[SHOP_LOCATIONS] = {
        { .record = { .exists = true },
                .code = "alpha",
                .capabilities = CAN_CURBSIDE | CAN_PICKUP | CAN_RETURNS | CAN_SHIP,
                .time_zone = "UTC",
                .lead_time = 2 * HOUR },
        { .record = { .exists = true },
                .code = "beta",
                .capabilities = CAN_PICKUP,
                .time_zone = "UTC",
                .lead_time = HOUR },
        { .record = { .exists = true },
                .code = "depot",
                .capabilities = CAN_SHIP,
                .time_zone = "UTC",
                .lead_time = DAY },
        { .code = "gone" },
};
static const struct zone_span utc[] = { { TIMESTAMP_NONE, 0 } };
static struct zone zones[] = { { .name = "UTC", .spans = utc, .n_spans = array_size(utc) } };
static const struct product products[SHOP_PRODUCTS] = {
        { .record = { .exists = true }, .sku = "A", .title = "Apple", .price = { 1000, "EUR" } },
        { .record = { .exists = true }, .sku = "B", .title = "Bread", .price = { 2500, "EUR" } },
        { .record = { .exists = true }, .sku = "C", .title = "Coat" },
        { .record = { .exists = true }, .sku = "D", .title = "Drum", .price = { 900, "EUR" } },
        { .record = { .exists = true }, .sku = "J", .title = "Jade", .price = { 500, "JPY" } },
        { .sku = "gone" },
};
static const struct listing listings[SHOP_LISTINGS] = {
        { .record = { .exists = true }, .channel = "app", .sku = "A", .published = true },
        { .record = { .exists = true },
                .channel = "web",
                .sku = "B",
                .title = "Rye bread",
                .price = { 2400, "EUR" },
                .published = true },
        { .record = { .exists = true }, .channel = "web", .sku = "D" },
};

const struct customer_body shop_ada = { .name = "Ada", .email = "ada@example.com" };
const struct address_body shop_home = {
        .name = "Ada", .line1 = "Here 1", .city = "Berlin", .postal_code = "10117", .country = "DE"
};
const struct fulfillment_choice pickup_at_alpha = { BY_PICKUP, "alpha", TIMESTAMP_NONE };
const struct fulfillment_choice ship_from_depot = { BY_SHIPPING, "depot", TIMESTAMP_NONE };

void shop_stock_up(void) {
        size_t n = 0;

        for (size_t i = 0; i < SHOP_LOCATIONS; i++)
                for (size_t j = 0; j < SHOP_PRODUCTS; j++)
                        shop.rows[n++] = (struct stock_row){ .location = locations[i].code,
                                .sku = products[j].sku,
                                .on_hand = SHOP_ON_HAND,
                                .exists = true };
}

static void shop_open_placing(void) {
        shop.placing = (struct placing){ .arena = &shop.arena,
                .catalog = { .channels = channels,
                        .n_channels = array_size(channels),
                        .locations = shop.locations,
                        .n_locations = SHOP_LOCATIONS,
                        .zones = zones,
                        .n_zones = array_size(zones),
                        .products = shop.products,
                        .n_products = SHOP_PRODUCTS,
                        .listings = shop.listings,
                        .n_listings = SHOP_LISTINGS },
                .orders = shop.orders,
                .claimed = shop.claimed };
        stock_init(&shop.placing.stock, &shop.arena);
        shop.placing.stock.rows = shop.rows;
        shop.placing.stock.n_rows = array_size(shop.rows);
        reservations_init(&shop.placing.reservations, &shop.arena, &shop.placing.stock);
}

void shop_open(void) {
        memset(&shop, 0, sizeof(shop));
        memcpy(shop.locations, locations, sizeof(locations));
        memcpy(shop.products, products, sizeof(products));
        memcpy(shop.listings, listings, sizeof(listings));
        arena_init(&shop.arena, MEMORY);
        events_init(&shop.told, &shop.arena);
        shop_stock_up();
        shop_open_placing();
        shop.command = (struct command){
                .actor = "ada", .now = SHOP_NOW, .events = &shop.told, .arena = &shop.arena, .refusal = &shop.refusal
        };
}

void shop_close(void) {
        arena_clear(&shop.arena);
}

struct stock_row *shop_row(const char *location, const char *sku) {
        return stock_find(&shop.placing.stock, location, sku);
}
