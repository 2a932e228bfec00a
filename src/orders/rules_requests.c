#include "catalog/promise.h"
#include "orders/requests.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define POINTER_SIZE 160
#define CHOICE       "fulfillment"

/* ---- violations ---- */

static bool is_said(const struct offer_context *context, const char *pointer, const char *code) {
        for (const struct violation *said = context->refusal->violations; said; said = said->next)
                if (text_equal(said->pointer, pointer) && text_equal(said->code, code))
                        return true;
        return false;
}

void requested_line_refuse(const struct offer_context *context, const struct requested_line *requested,
        const char *member, const char *code, const char *detail) {
        char pointer[POINTER_SIZE];

        if (!requested->choice_at || !text_starts_with(member, CHOICE)) {
                violation_at(context->refusal, context->arena, requested->list, requested->place, member, code, "%s",
                        detail);
                return;
        }
        (void) snprintf(pointer, sizeof(pointer), "%s%s", requested->choice_at, member + strlen(CHOICE));
        if (!is_said(context, pointer, code))
                (void) refuse_because(context->refusal, context->arena, pointer, code, "%s", detail);
}

static bool is_order_currency(const struct offer_context *context, const struct money *money) {
        return text_equal(money->currency, context->currency);
}

void requested_line_check(const struct offer_context *context, const struct requested_line *requested) {
        const struct fulfillment_choice *choice = requested->choice;

        if (!choice || choice->method < 0)
                requested_line_refuse(context, requested, CHOICE, "required",
                        "Name a method and a location, for the line or the whole order.");
        else if (!choice->location)
                requested_line_refuse(
                        context, requested, CHOICE "/location", "required", "Name the location that fulfils the line.");
        else if (choice->method == BY_SHIPPING && choice->slot != TIMESTAMP_NONE)
                requested_line_refuse(
                        context, requested, CHOICE "/slot", "not-allowed", "Only pickup and curbside have slots.");
        if (requested->unit_price && !is_order_currency(context, requested->unit_price))
                requested_line_refuse(context, requested, "unit_price/currency", "currency-mismatch",
                        "The currency differs from that of the order.");
}

/* ---- offers ---- */

/* The channel's own price, else the product's. */
static struct money price_of(const struct product *product, const struct listing *listing) {
        return listing && *listing->price.currency ? listing->price : product->price;
}

static int64_t price(const struct offer_context *context, const struct requested_line *requested,
        const struct product *product, const struct listing *listing) {
        const struct money price = requested->unit_price ? *requested->unit_price : price_of(product, listing);

        if (!*price.currency)
                requested_line_refuse(context, requested, "unit_price", "price-missing",
                        "Neither the channel nor the product has a price; name a unit_price.");
        else if (!is_order_currency(context, &price))
                requested_line_refuse(context, requested, "unit_price", "currency-mismatch",
                        "The currency of the price differs from that of the order.");
        return price.amount;
}

void requested_line_offer(
        const struct offer_context *context, const struct requested_line *requested, struct order_line *line) {
        const struct product *product = catalog_find_product(context->catalog, requested->sku);
        const struct listing *listing = catalog_find_listing(context->catalog, context->channel, requested->sku);

        if (!product) {
                requested_line_refuse(context, requested, "sku", "unknown-sku", "There is no such product.");
                return;
        }
        if (listing && !listing->published)
                requested_line_refuse(
                        context, requested, "sku", "not-published", "The channel does not sell this product.");
        line->title = listing && listing->title ? listing->title : product->title;
        line->unit_price = price(context, requested, product, listing);
}

/* ---- when it is ready ---- */

/* A named slot replaces the promise, unless it begins before it. */
static void choose_slot(const struct offer_context *context, const struct requested_line *requested,
        const struct location *location, struct line_promise *promise) {
        const timestamp begins = requested->choice->slot;
        const struct zone *zone = catalog_find_zone(context->catalog, location->time_zone);
        struct slot_time slot;

        if (begins == TIMESTAMP_NONE)
                return;
        if (begins > context->now + SLOT_HORIZON || !slot_find(location, zone, begins, &slot) || !context->slots ||
                !slot_row_find(context->slots, location->code, begins)) {
                requested_line_refuse(context, requested, CHOICE "/slot", "unknown-slot",
                        "The location has no slot that begins then, or it is too far ahead.");
                return;
        }
        if (begins < promise->promised_at)
                requested_line_refuse(context, requested, CHOICE "/slot", "too-soon",
                        "The order will not be ready by then; choose a later slot.");
        *promise = (struct line_promise){ begins, .has_slot = true };
}

struct line_promise requested_line_promise(
        const struct offer_context *context, const struct requested_line *requested) {
        const struct location *location = catalog_find_location(context->catalog, requested->choice->location);
        struct line_promise promise = { .promised_at = context->now };

        if (!location) {
                requested_line_refuse(
                        context, requested, CHOICE "/location", "unknown-location", "There is no such location.");
                return promise;
        }
        if (!(location->capabilities & fulfillment_capability((enum fulfillment_method) requested->choice->method)))
                requested_line_refuse(context, requested, CHOICE "/method", "not-capable",
                        "The location does not offer this method.");
        if (!promise_time(location, catalog_find_zone(context->catalog, location->time_zone), context->now,
                    &promise.promised_at)) {
                promise.promised_at = context->now;
                requested_line_refuse(context, requested, CHOICE "/location", "closed",
                        "The location is not open for long enough within the next year.");
        }
        choose_slot(context, requested, location, &promise);
        return promise;
}

/* ---- lookup ---- */

void requested_line_want(
        const struct requested_line *requested, const char *channel, struct catalog_set *catalog, struct stock *stock) {
        stock_want(stock, requested->choice->location, requested->sku);
        catalog_want_location(catalog, requested->choice->location);
        catalog_want_product(catalog, requested->sku);
        catalog_want_listing(catalog, channel, requested->sku);
}

void requested_line_want_slot(
        const struct requested_line *requested, const struct catalog_set *catalog, struct slot_set *slots) {
        const struct location *location = catalog_find_location(catalog, requested->choice->location);
        struct slot_time slot;

        if (location && requested->choice->slot != TIMESTAMP_NONE &&
                slot_find(location, catalog_find_zone(catalog, location->time_zone), requested->choice->slot, &slot))
                slots_want(slots, location->code, requested->choice->slot);
}
