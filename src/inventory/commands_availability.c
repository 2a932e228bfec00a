/* POST /v1/availability/query: available units of products, by location. */
#include "catalog/catalog.h"
#include "inventory/commands.h"
#include "inventory/lookup.h"

#include "base/sorted.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

#define SKUS_MAX      100
#define LOCATIONS_MAX 100

struct near_body {
        double latitude, longitude, radius_km;
};

struct query_body {
        const char **skus;
        size_t n_skus;
        const char **locations;
        size_t n_locations;
        const char *channel;
        struct near_body *near;
};

static const struct shape_member near_members[] = {
        REQUIRED(NUMBER, struct near_body, latitude, BETWEEN(-90, 90)),
        REQUIRED(NUMBER, struct near_body, longitude, BETWEEN(-180, 180)),
        REQUIRED(NUMBER, struct near_body, radius_km, BETWEEN(0, RADIUS_KM_MAX)),
};
static const struct shape near_shape = SHAPE(struct near_body, near_members);

static const struct shape_member query_members[] = {
        OPTIONAL(CODE, struct query_body, channel),
        OPTIONAL_CODES(struct query_body, locations, 1, LOCATIONS_MAX),
        OPTIONAL(OBJECT, struct query_body, near, .shape = &near_shape),
        CODES(struct query_body, skus, 1, SKUS_MAX),
};
const struct shape availability_shape = SHAPE(struct query_body, query_members);

void availability_check(struct call *call) {
        const struct query_body *body = call->body;

        for (size_t i = 0; i < body->n_locations; i++)
                if (!call_may_act_at(call, body->locations[i]))
                        return;
        if (body->channel)
                (void) call_may_act_for(call, body->channel);
}

/* The reads of one batch. */
struct work {
        struct catalog_set catalog;
        struct lookup lookup;
};

static void availability_want(struct work *work, const struct query_body *body) {
        for (size_t i = 0; i < body->n_skus; i++) {
                catalog_want_product(&work->catalog, body->skus[i]);
                if (!body->n_locations)
                        lookup_want_everywhere(&work->lookup, body->skus[i]);
                for (size_t j = 0; j < body->n_locations; j++)
                        lookup_want_row(&work->lookup, body->locations[j], body->skus[i]);
        }
        for (size_t j = 0; j < body->n_locations; j++)
                catalog_want_location(&work->catalog, body->locations[j]);
        if (!body->channel)
                return;
        catalog_want_channel(&work->catalog, body->channel);
        for (size_t i = 0; i < body->n_skus; i++)
                catalog_want_listing(&work->catalog, body->channel, body->skus[i]);
}

static enum problem query_load(struct batch *batch) {
        struct work *work = arena_new(batch->arena, struct work);
        enum problem p;

        if (!work)
                return FAULT_BUSY;
        catalog_init(&work->catalog, batch->arena);
        lookup_init(&work->lookup, batch->arena);
        for (size_t i = 0; i < batch->n_calls; i++)
                availability_want(work, batch->calls[i]->body);
        batch->work = work;
        p = catalog_load(batch->database, &work->catalog);
        return p ? p : lookup_read(batch->database, &work->lookup);
}

/* An unknown code is an error of the client, unlike a product without stock. */
static bool all_is_known(struct call *call, const struct catalog_set *catalog) {
        const struct query_body *body = call->body;

        for (size_t i = 0; i < body->n_skus; i++) {
                if (!catalog_find_product(catalog, body->skus[i]))
                        violation_at(&call->refusal, &call->arena, "#/skus", i, NULL, "unknown-sku",
                                "There is no product %s.", body->skus[i]);
        }
        for (size_t j = 0; j < body->n_locations; j++) {
                if (!catalog_find_location(catalog, body->locations[j]))
                        violation_at(&call->refusal, &call->arena, "#/locations", j, NULL, "unknown-location",
                                "There is no location %s.", body->locations[j]);
        }
        if (body->channel && !catalog_find_channel(catalog, body->channel))
                (void) refuse_because(&call->refusal, &call->arena, "#/channel", "unknown-channel",
                        "There is no channel %s.", body->channel);
        if (!call->refusal.n_violations)
                return true;
        call_refuse(call, PROBLEM_VALIDATION_FAILED, "Some products, locations or channels are unknown; see errors.");
        return false;
}

/* ---- the reply of one call ---- */

struct offer {
        const char *sku, *location;
        int64_t available;
        double distance_km;
};

struct offers {
        struct call *call;
        const struct query_body *body;
        struct offer *list;
        size_t n;
};

/* Whether the location is within the radius, if one is named; a location without coordinates never is. */
static bool is_near(
        const struct offers *offers, bool has_position, double latitude, double longitude, struct offer *offer) {
        const struct near_body *near = offers->body->near;

        if (!near)
                return true;
        if (!has_position)
                return false;
        offer->distance_km = distance_km(near->latitude, near->longitude, latitude, longitude);
        return offer->distance_km <= near->radius_km;
}

static bool code_is_repeated(const char *const *codes, size_t i) {
        for (size_t j = 0; j < i; j++)
                if (text_equal(codes[j], codes[i]))
                        return true;
        return false;
}

/* A product that the channel does not sell cannot be ordered there, so it has 0 available at every location. */
static void hold_back_unpublished(struct offers *offers, const struct work *work) {
        const char *channel = offers->body->channel;

        for (size_t i = 0; channel && i < offers->n; i++) {
                const struct listing *listing = catalog_find_listing(&work->catalog, channel, offers->list[i].sku);

                if (listing && !listing->published)
                        offers->list[i].available = 0;
        }
}

static void offers_at_named(struct offers *offers, const struct work *work, const char *sku) {
        const struct query_body *body = offers->body;

        for (size_t j = 0; j < body->n_locations; j++) {
                const struct location *location = catalog_find_location(&work->catalog, body->locations[j]);
                const struct shelf *shelf = lookup_row(&work->lookup, body->locations[j], sku);
                struct offer offer = { .sku = sku, .location = body->locations[j] };

                if (shelf)
                        offer.available = stock_available(&shelf->row);
                if (!code_is_repeated(body->locations, j) &&
                        is_near(offers, location->has_position, location->latitude, location->longitude, &offer))
                        offers->list[offers->n++] = offer;
        }
}

static void offers_everywhere(struct offers *offers, const struct work *work, const char *sku) {
        size_t n;
        const struct shelf *shelves = lookup_everywhere(&work->lookup, sku, &n);

        for (size_t i = 0; i < n; i++) {
                const struct shelf *shelf = &shelves[i];
                struct offer offer = {
                        .sku = sku, .location = shelf->row.location, .available = stock_available(&shelf->row)
                };

                if (token_allows_location(offers->call->claims, offer.location) &&
                        is_near(offers, shelf->has_position, shelf->latitude, shelf->longitude, &offer))
                        offers->list[offers->n++] = offer;
        }
}

static size_t offers_at_most(const struct query_body *body, const struct lookup *lookup) {
        size_t most = body->n_skus * body->n_locations;

        for (size_t i = 0; !body->n_locations && i < body->n_skus; i++) {
                size_t n;

                (void) lookup_everywhere(lookup, body->skus[i], &n);
                most += n;
        }
        return most;
}

static int offer_compare(const void *left, const void *right) {
        const struct offer *a = left, *b = right;
        const int by_location = strcmp(a->location, b->location);

        if (a->distance_km < b->distance_km)
                return -1;
        if (a->distance_km > b->distance_km)
                return 1;
        return by_location ? by_location : strcmp(a->sku, b->sku);
}

static bool offers_make(struct offers *offers, const struct work *work) {
        const struct query_body *body = offers->body;

        offers->list = arena_new_array(&offers->call->arena, struct offer, offers_at_most(body, &work->lookup));
        if (!offers->list)
                return false;
        for (size_t i = 0; i < body->n_skus; i++) {
                if (code_is_repeated(body->skus, i))
                        continue;
                if (body->n_locations)
                        offers_at_named(offers, work, body->skus[i]);
                else
                        offers_everywhere(offers, work, body->skus[i]);
        }
        hold_back_unpublished(offers, work);
        if (body->near)
                sort(offers->list, offers->n, sizeof(*offers->list), offer_compare);
        return true;
}

static void availability_reply(struct call *call, const struct offers *offers) {
        struct reply_writer w;

        reply_begin(&w, call, 200);
        write_name(&w.json, "data");
        write_list_begin(&w.json);
        for (size_t i = 0; i < offers->n; i++) {
                write_object_begin(&w.json);
                write_text_member(&w.json, "sku", offers->list[i].sku);
                write_text_member(&w.json, "location", offers->list[i].location);
                write_integer_member(&w.json, "available", offers->list[i].available);
                if (offers->body->near) /* to the metre */
                        write_number_member(&w.json, "distance_km", round(offers->list[i].distance_km * 1000) / 1000);
                write_object_end(&w.json);
        }
        write_list_end(&w.json);
        reply_end(&w);
}

static enum problem query_decide(struct batch *batch) {
        const struct work *work = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                struct offers offers = { .call = call, .body = call->body };

                if (!all_is_known(call, &work->catalog))
                        continue;
                if (!offers_make(&offers, work))
                        return FAULT_BUSY;
                availability_reply(call, &offers);
        }
        return PROBLEM_NONE;
}

const struct operation availability_query = { .load = query_load, .decide = query_decide };
