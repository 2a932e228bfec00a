#include "catalog/promise.h"
#include "orders/requests.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define POINTER_SIZE 160
#define CHOICE       "fulfillment"

/* ---- violations ---- */

static bool is_said(const struct market *market, const char *pointer, const char *code) {
        for (const struct violation *said = market->refusal->violations; said; said = said->next)
                if (text_equal(said->pointer, pointer) && text_equal(said->code, code))
                        return true;
        return false;
}

struct violation *wish_object(const struct market *market, const struct wish *wish, const char *member,
        const char *code, const char *detail) {
        char pointer[POINTER_SIZE];

        if (wish->choice_at && text_starts_with(member, CHOICE)) {
                (void) snprintf(pointer, sizeof(pointer), "%s%s", wish->choice_at, member + strlen(CHOICE));
                if (is_said(market, pointer, code))
                        return NULL;
        } else {
                (void) snprintf(pointer, sizeof(pointer), "%s/%zu/%s", wish->list, wish->place, member);
        }
        return refuse_because(market->refusal, market->arena, pointer, code, "%s", detail);
}

static bool is_wish_currency(const struct market *market, const struct money *money) {
        return text_equal(money->currency, market->currency);
}

void wish_check(const struct market *market, const struct wish *wish) {
        const struct fulfillment_choice *choice = wish->choice;

        if (!choice || choice->method < 0)
                (void) wish_object(market, wish, CHOICE, "required",
                        "Name a method and a location, for the line or the whole order.");
        else if (!choice->location)
                (void) wish_object(
                        market, wish, CHOICE "/location", "required", "Name the location that fulfils the line.");
        else if (choice->method == BY_SHIPPING && choice->slot != TIMESTAMP_NONE)
                (void) wish_object(market, wish, CHOICE "/slot", "not-allowed", "Only pickup and curbside have slots.");
        if (wish->unit_price && !is_wish_currency(market, wish->unit_price))
                (void) wish_object(market, wish, "unit_price/currency", "currency-mismatch",
                        "The currency differs from that of the order.");
}

/* ---- offers ---- */

/* The channel's own price, else the product's. */
static struct money price_of(const struct product *product, const struct listing *listing) {
        return listing && *listing->price.currency ? listing->price : product->price;
}

static int64_t price(const struct market *market, const struct wish *wish, const struct product *product,
        const struct listing *listing) {
        const struct money price = wish->unit_price ? *wish->unit_price : price_of(product, listing);

        if (!*price.currency)
                (void) wish_object(market, wish, "unit_price", "price-missing",
                        "Neither the channel nor the product has a price; name a unit_price.");
        else if (!is_wish_currency(market, &price))
                (void) wish_object(market, wish, "unit_price", "currency-mismatch",
                        "The currency of the price differs from that of the order.");
        return price.amount;
}

void wish_offer(const struct market *market, const struct wish *wish, struct order_line *line) {
        const struct product *product = catalog_find_product(market->catalog, wish->sku);
        const struct listing *listing = catalog_find_listing(market->catalog, market->channel, wish->sku);

        if (!product) {
                (void) wish_object(market, wish, "sku", "unknown-sku", "There is no such product.");
                return;
        }
        if (listing && !listing->published)
                (void) wish_object(market, wish, "sku", "not-published", "The channel does not sell this product.");
        line->title = listing && listing->title ? listing->title : product->title;
        line->unit_price = price(market, wish, product, listing);
}

/* ---- when it is ready ---- */

/* A named slot replaces the promise, unless it begins before it. */
static void choose_slot(const struct market *market, const struct wish *wish, const struct location *location,
        struct wish_promise *promise) {
        const timestamp begins = wish->choice->slot;
        const struct zone *zone = catalog_find_zone(market->catalog, location->time_zone);
        struct slot_time slot;

        if (begins == TIMESTAMP_NONE)
                return;
        if (begins > market->now + SLOT_HORIZON || !slot_find(location, zone, begins, &slot) || !market->slots ||
                !slot_row_find(market->slots, location->code, begins)) {
                (void) wish_object(market, wish, CHOICE "/slot", "unknown-slot",
                        "The location has no slot that begins then, or it is too far ahead.");
                return;
        }
        if (begins < promise->promised_at)
                (void) wish_object(market, wish, CHOICE "/slot", "too-soon",
                        "The order will not be ready by then; choose a later slot.");
        *promise = (struct wish_promise){ begins, .has_slot = true };
}

struct wish_promise wish_promise(const struct market *market, const struct wish *wish) {
        const struct location *location = catalog_find_location(market->catalog, wish->choice->location);
        struct wish_promise promise = { .promised_at = market->now };

        if (!location) {
                (void) wish_object(market, wish, CHOICE "/location", "unknown-location", "There is no such location.");
                return promise;
        }
        if (!(location->capabilities & fulfillment_capability((enum fulfillment_method) wish->choice->method)))
                (void) wish_object(
                        market, wish, CHOICE "/method", "not-capable", "The location does not offer this method.");
        if (!promise_time(location, catalog_find_zone(market->catalog, location->time_zone), market->now,
                    &promise.promised_at)) {
                promise.promised_at = market->now;
                (void) wish_object(market, wish, CHOICE "/location", "closed",
                        "The location is not open for long enough within the next year.");
        }
        choose_slot(market, wish, location, &promise);
        return promise;
}

/* ---- lookup ---- */

void wish_want(const struct wish *wish, const char *channel, struct catalog_set *catalog, struct stock *stock) {
        stock_want(stock, wish->choice->location, wish->sku);
        catalog_want_location(catalog, wish->choice->location);
        catalog_want_product(catalog, wish->sku);
        catalog_want_listing(catalog, channel, wish->sku);
}

void wish_want_slot(const struct wish *wish, const struct catalog_set *catalog, struct slot_set *slots) {
        const struct location *location = catalog_find_location(catalog, wish->choice->location);
        struct slot_time slot;

        if (location && wish->choice->slot != TIMESTAMP_NONE &&
                slot_find(location, catalog_find_zone(catalog, location->time_zone), wish->choice->slot, &slot))
                slots_want(slots, location->code, wish->choice->slot);
}
