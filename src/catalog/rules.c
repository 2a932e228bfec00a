#include "catalog/records.h"

#include "base/country.h"
#include "base/gtin.h"
#include "base/text.h"

#include <string.h>

const char *const capability_names[] = { "curbside", "pickup", "returns", "ship", NULL };
const char *const handover_method_names[] = { "code", "id_check", NULL };
const char *const channel_kinds[] = { "app", "call_center", "kiosk", "marketplace", "pos", "social", "web", NULL };
const char *const location_kinds[] = { "store", "warehouse", NULL };

static bool refuse_faults(const char *what, size_t n_before, struct arena *arena, struct refusal *refusal) {
        if (arena->exhausted) {
                refuse(refusal, arena, PROBLEM_CONTENT_TOO_LARGE, "The %s needs more memory than one request may use.",
                        what);
                return false;
        }
        if (refusal->n_violations == n_before)
                return true;
        refuse(refusal, arena, PROBLEM_VALIDATION_FAILED, "The %s has %zu fault(s); see errors.", what,
                refusal->n_violations - n_before);
        return false;
}

/* ---- channels ---- */

static void unpaid_ttl_from(
        const char *text, struct arena *arena, struct refusal *refusal, struct channel_policy *policy) {
        duration span = 0;

        if (!text)
                return;
        policy->has_unpaid_ttl_s = true;
        if (text_equal(text, UNPAID_TTL_NEVER))
                return;
        if (!duration_parse(text, &span))
                (void) refuse_because(refusal, arena, "#/unpaid_ttl", "malformed",
                        "This must be a duration such as PT2H, or \"" UNPAID_TTL_NEVER "\".");
        else if (span < UNPAID_TTL_MIN || span > UNPAID_TTL_MAX)
                (void) refuse_because(refusal, arena, "#/unpaid_ttl", "out-of-range",
                        "This must be from PT1S to P366D, or \"" UNPAID_TTL_NEVER "\".");
        policy->unpaid_ttl_s = span / SECOND;
}

bool channel_from(
        const struct channel_body *body, struct arena *arena, struct refusal *refusal, struct channel *channel) {
        const struct resourcing_body *resourcing = body->resourcing;
        const size_t n_before = refusal->n_violations;

        channel->name = body->name;
        channel->kind = (enum channel_kind) body->kind;
        channel->return_policy = body->return_policy;
        channel->policy = (struct channel_policy){ 0 };
        if (resourcing)
                channel->policy = (struct channel_policy){
                        .has_resourcing = resourcing->has_enabled,
                        .resourcing = resourcing->enabled,
                        .has_resourcing_radius_km = resourcing->has_radius_km,
                        .resourcing_radius_km = resourcing->radius_km,
                };
        unpaid_ttl_from(body->unpaid_ttl, arena, refusal, &channel->policy);
        channel->messages = body->notifications;
        channel_messages_check(channel->messages, arena, refusal);
        return refuse_faults("channel", n_before, arena, refusal);
}

static bool channel_policies_equal(const struct channel_policy *a, const struct channel_policy *b) {
        return a->has_resourcing == b->has_resourcing && a->resourcing == b->resourcing &&
               a->has_resourcing_radius_km == b->has_resourcing_radius_km &&
               a->resourcing_radius_km == b->resourcing_radius_km && a->has_unpaid_ttl_s == b->has_unpaid_ttl_s &&
               a->unpaid_ttl_s == b->unpaid_ttl_s;
}

bool channel_equal(const struct channel *a, const struct channel *b) {
        return text_equal(a->name, b->name) && a->kind == b->kind &&
               policies_equal(a->return_policy, b->return_policy) && channel_policies_equal(&a->policy, &b->policy) &&
               channel_messages_equal(a->messages, b->messages);
}

/* ---- locations ---- */

/* A bit for each of the names, in the order of `known`. */
static unsigned bits_from(const char *const *names, size_t n, const char *const *known, const char *at,
        struct arena *arena, struct refusal *refusal) {
        unsigned bits = 0;

        for (size_t i = 0; i < n; i++) {
                unsigned bit = 0;

                while (!text_equal(names[i], known[bit]))
                        bit++;
                if (bits & 1u << bit)
                        violation_at(refusal, arena, at, i, NULL, "repeated", "This is repeated in the list.");
                bits |= 1u << bit;
        }
        return bits;
}

static void pickup_from(
        const struct pickup_body *body, struct arena *arena, struct refusal *refusal, struct location *location) {
        location->lead_time = body && body->has_lead_time ? body->lead_time : LEAD_TIME_DEFAULT;
        location->hold_for = body && body->has_hold_for ? body->hold_for : HOLD_FOR_DEFAULT;
        location->has_cut_off = body && body->cut_off;
        location->cut_off = 0;
        if (location->has_cut_off &&
                (!time_of_day_parse(body->cut_off, &location->cut_off) || location->cut_off > CUT_OFF_MAX))
                (void) refuse_because(refusal, arena, "#/pickup/cut_off", "malformed",
                        "A cut-off must be a time of day from 00:00 to 23:59.");
        cut_offs_from(body ? body->cut_offs : NULL, arena, refusal, location);
        location->handover_methods = HANDOVER_METHODS_ALL;
        if (body && body->n_handover_methods)
                location->handover_methods = bits_from(body->handover_methods, body->n_handover_methods,
                        handover_method_names, "#/pickup/handover_methods", arena, refusal);
        location->n_slots = body ? body->n_slots : 0;
        location->slots = slots_from(body ? body->slots : NULL, location->n_slots, arena, refusal);
}

bool location_from(
        const struct location_body *body, struct arena *arena, struct refusal *refusal, struct location *location) {
        const size_t n_before = refusal->n_violations;

        if (body->has_latitude != body->has_longitude)
                (void) refuse_because(refusal, arena, body->has_latitude ? "#/longitude" : "#/latitude", "required",
                        "A position has a latitude and a longitude.");
        if (!country_exists(body->country))
                (void) refuse_because(refusal, arena, "#/country", "malformed",
                        "This must be a two-letter country code of ISO 3166-1, such as DE.");
        location->name = body->name;
        location->kind = (enum location_kind) body->kind;
        location->has_position = body->has_latitude;
        location->latitude = body->latitude;
        location->longitude = body->longitude;
        location->address = body->address;
        location->time_zone = body->time_zone;
        location->country = body->country;
        location->capabilities =
                bits_from(body->capabilities, body->n_capabilities, capability_names, "#/capabilities", arena, refusal);
        location->opening_hours = openings_from(body->opening_hours, body->n_opening_hours, arena, refusal);
        location->n_opening_hours = body->n_opening_hours;
        location->closures = closures_from(body->closures, body->n_closures, arena, refusal);
        location->n_closures = body->n_closures;
        pickup_from(body->pickup, arena, refusal, location);
        return refuse_faults("location", n_before, arena, refusal);
}

bool location_zone_known(const struct location *location, const char *const *names, size_t n, struct arena *arena,
        struct refusal *refusal) {
        for (size_t i = 0; i < n; i++)
                if (text_equal(location->time_zone, names[i]))
                        return true;
        (void) refuse_because(refusal, arena, "#/time_zone", "unknown-time-zone",
                "This must be a time zone of the IANA database, such as Europe/Berlin.");
        refuse(refusal, arena, PROBLEM_VALIDATION_FAILED, "The time zone is unknown.");
        return false;
}

static bool openings_equal(const struct location *a, const struct location *b) {
        if (a->n_opening_hours != b->n_opening_hours)
                return false;
        for (size_t i = 0; i < a->n_opening_hours; i++) {
                const struct opening *x = &a->opening_hours[i], *y = &b->opening_hours[i];

                if (x->day != y->day || x->opens != y->opens || x->closes != y->closes)
                        return false;
        }
        return true;
}

static bool closures_equal(const struct location *a, const struct location *b) {
        if (a->n_closures != b->n_closures)
                return false;
        for (size_t i = 0; i < a->n_closures; i++) {
                const struct closure *x = &a->closures[i], *y = &b->closures[i];

                if (x->date.year != y->date.year || x->date.month != y->date.month || x->date.day != y->date.day ||
                        x->has_hours != y->has_hours || x->opens != y->opens || x->closes != y->closes)
                        return false;
        }
        return true;
}

static bool slots_equal(const struct location *a, const struct location *b) {
        if (a->n_slots != b->n_slots)
                return false;
        for (size_t i = 0; i < a->n_slots; i++) {
                const struct slot *x = &a->slots[i], *y = &b->slots[i];

                if (x->day != y->day || x->begins != y->begins || x->ends != y->ends || x->capacity != y->capacity)
                        return false;
        }
        return true;
}

/* Exact comparison: PostgreSQL keeps every bit of a double, and a shape refuses NaN. */
static bool same_number(double a, double b) {
        return a <= b && a >= b;
}

bool location_equal(const struct location *a, const struct location *b) {
        return text_equal(a->name, b->name) && a->kind == b->kind && a->has_position == b->has_position &&
               same_number(a->latitude, b->latitude) && same_number(a->longitude, b->longitude) &&
               text_equal(a->address, b->address) && text_equal(a->time_zone, b->time_zone) &&
               text_equal(a->country, b->country) && a->capabilities == b->capabilities && openings_equal(a, b) &&
               closures_equal(a, b) && a->lead_time == b->lead_time && a->hold_for == b->hold_for &&
               a->has_cut_off == b->has_cut_off && a->cut_off == b->cut_off && a->cut_off_days == b->cut_off_days &&
               memcmp(a->cut_offs, b->cut_offs, sizeof(a->cut_offs)) == 0 &&
               a->handover_methods == b->handover_methods && slots_equal(a, b);
}

/* ---- products ---- */

const char *gtin_from(const char *text, const char *pointer, struct arena *arena, struct refusal *refusal) {
        char gtin[GTIN_SIZE];

        if (gtin_parse(text, gtin) || gtin_from_digital_link(text, gtin))
                return arena_text(arena, gtin);
        if (gtin_is_mistyped(text))
                (void) refuse_because(refusal, arena, pointer, "check-digit",
                        "The check digit, the last one, does not match the other digits.");
        else
                (void) refuse_because(refusal, arena, pointer, "malformed",
                        "A GTIN has 8, 12, 13 or 14 digits, or is part of a GS1 Digital Link.");
        return NULL;
}

/* An absolute http or https address: a host, and nothing but visible ASCII (RFC 3986, section 2). */
static bool is_web_address(const char *text) {
        const char *host = text_starts_with(text, "https://")  ? text + strlen("https://")
                           : text_starts_with(text, "http://") ? text + strlen("http://")
                                                               : NULL;

        if (!host || !*host || strchr("/?#:@", *host))
                return false;
        for (const char *byte = host; *byte; byte++)
                if (*byte <= ' ' || *byte > '~' || strchr("\"<>\\^`{|}", *byte))
                        return false;
        return true;
}

bool product_from(
        const struct product_body *body, struct arena *arena, struct refusal *refusal, struct product *product) {
        const size_t n_before = refusal->n_violations;

        product->title = body->title;
        product->gtin = body->gtin ? gtin_from(body->gtin, "#/gtin", arena, refusal) : NULL;
        product->price = body->price;
        product->image_url = body->image_url;
        product->description = body->description;
        product->attributes = body->attributes ? body->attributes : "{}";
        product->returnable = !body->has_returnable || body->returnable;
        product->return_policy = body->return_policy;
        if (body->image_url && !is_web_address(body->image_url))
                (void) refuse_because(
                        refusal, arena, "#/image_url", "malformed", "This must be an http or https address.");
        return refuse_faults("product", n_before, arena, refusal);
}

bool product_attributes_from(
        const char *canonical, struct arena *arena, struct refusal *refusal, struct product *product) {
        const size_t n_before = refusal->n_violations;

        if (canonical && strlen(canonical) > ATTRIBUTES_STORED_MAX)
                (void) refuse_because(refusal, arena, "#/attributes", "too-long",
                        "Stored as JSON, these attributes are longer than %zu bytes.", ATTRIBUTES_STORED_MAX);
        if (canonical)
                product->attributes = canonical;
        return refuse_faults("product", n_before, arena, refusal);
}

static bool prices_equal(struct money a, struct money b) {
        return a.amount == b.amount && text_equal(a.currency, b.currency);
}

bool product_equal(const struct product *a, const struct product *b) {
        return text_equal(a->title, b->title) && text_equal(a->gtin, b->gtin) && prices_equal(a->price, b->price) &&
               text_equal(a->image_url, b->image_url) && text_equal(a->description, b->description) &&
               text_equal(a->attributes, b->attributes) && a->returnable == b->returnable &&
               policies_equal(a->return_policy, b->return_policy);
}

/* ---- listings ---- */

void listing_from(const struct listing_body *body, struct listing *listing) {
        listing->title = body->title;
        listing->price = body->price;
        listing->external_sku = body->external_sku;
        listing->published = !body->has_published || body->published;
}

bool listing_equal(const struct listing *a, const struct listing *b) {
        return text_equal(a->title, b->title) && prices_equal(a->price, b->price) &&
               text_equal(a->external_sku, b->external_sku) && a->published == b->published;
}

/* ---- all of them ---- */

void record_put(struct record *record, bool same, timestamp now) {
        if (!record->exists) {
                *record = (struct record){
                        .version = 1, .created_at = now, .updated_at = now, .exists = true, .is_new = true
                };
                return;
        }
        if (same)
                return;
        record->version++;
        record->updated_at = now;
        record->changed = true;
}
