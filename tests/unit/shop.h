/*
 * unit/shop: three locations with ten of each product, and the placing of orders there.
 *
 * Alpha can do everything, beta offers only pickup, the depot only ships. The jade has a price in JPY, the coat has
 * none. Channel web sells the bread as rye bread, and no drum. There is no channel, location or product "gone".
 */
#pragma once

#include "catalog/records.h"
#include "orders/placing.h"

#define SHOP_NOW        (1700000000 * SECOND) /* 2023-11-14T22:13:20Z, a Tuesday */
#define SHOP_ON_HAND    10
#define SHOP_LOCATIONS  4
#define SHOP_PRODUCTS   6
#define SHOP_LISTINGS   3
#define SHOP_ORDERS_MAX 16

enum { SHOP_ALPHA, SHOP_BETA, SHOP_DEPOT };
enum { SHOP_LISTED_APPLE, SHOP_LISTED_BREAD };

extern struct shop {
        struct arena arena;
        struct placing placing;
        struct events told;
        struct refusal refusal;
        struct command command; /* of ada, now */
        struct location locations[SHOP_LOCATIONS];
        struct product products[SHOP_PRODUCTS];
        struct listing listings[SHOP_LISTINGS];
        struct stock_row rows[SHOP_LOCATIONS * SHOP_PRODUCTS];
        struct order *orders[SHOP_ORDERS_MAX];
        struct reservation *claimed[SHOP_ORDERS_MAX];
} shop;

/* The shop as above, before its first order; and its end. */
void shop_open(void);
void shop_close(void);

/* Fill its shelves anew. */
void shop_stock_up(void);

struct stock_row *shop_row(const char *location, const char *sku);

/* ---- what a customer may ask for ---- */

extern const struct customer_body shop_ada;
extern const struct address_body shop_home;
extern const struct fulfillment_choice pickup_at_alpha, ship_from_depot;
