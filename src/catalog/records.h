/*
 * catalog/records: the records of the catalogue for its routes and the importer.
 *
 * A PUT replaces a whole record. All named records are locked, decided one by one, and saved once, so a later call of
 * the batch sees the result of an earlier one. A list is read into a separate set, page by page, by code.
 */
#pragma once

#include "base/shape.h"
#include "catalog/catalog.h"
#include "catalog/hours.h"

#define NAME_LENGTH_MAX       200 /* code points, here and below */
#define TITLE_LENGTH_MAX      300
#define DESCRIPTION_MAX       10000
#define EXTERNAL_SKU_MAX      100
#define IMAGE_URL_MAX         2048
#define ATTRIBUTES_SIZE_MAX   ((size_t) 16 * 1024) /* bytes of JSON, as sent */
#define ATTRIBUTES_STORED_MAX ((size_t) 32 * 1024) /* as PostgreSQL writes them back, with its spaces */
#define LOCATION_ADDRESS_MAX  500
#define LEAD_TIME_MAX         (30 * DAY)
#define CUT_OFF_MAX           (24 * 60 - 1) /* minutes */
#define HOLD_FOR_MIN          (1 * HOUR)
#define HOLD_FOR_MAX          (60 * DAY)
#define SEARCH_MAX            100 /* code points of q= */
#define TIME_ZONE_MAX         64
#define GTIN_TEXT_MAX         512 /* a GS1 Digital Link; a violation explains a wrong one */
#define CAPABILITY_COUNT      4
#define HANDOVER_METHOD_COUNT 2
#define UNPAID_TTL_MIN        SECOND
#define UNPAID_TTL_MAX        (366 * DAY)
#define UNPAID_TTL_NEVER      "never" /* instead of a duration */

/* ---- request bodies ---- */

struct resourcing_body {
        bool enabled, has_enabled;
        int64_t radius_km;
        bool has_radius_km;
};

struct channel_body {
        const char *name;
        int kind;
        const struct channel_messages *notifications; /* may be NULL */
        const struct resourcing_body *resourcing;     /* may be NULL */
        const struct return_policy *return_policy;    /* may be NULL */
        const char *unpaid_ttl;                       /* may be NULL */
};

struct pickup_body {
        const char *cut_off;                  /* may be NULL */
        const struct cut_offs_body *cut_offs; /* may be NULL */
        duration lead_time, hold_for;
        bool has_lead_time, has_hold_for;
        const char **handover_methods;
        size_t n_handover_methods; /* 0: all */
        struct slot_body *slots;
        size_t n_slots;
};

struct location_body {
        const char *name;
        int kind;
        double latitude, longitude;
        bool has_latitude, has_longitude;
        const char *address; /* may be NULL */
        const char *time_zone;
        const char *country;
        const char **capabilities;
        size_t n_capabilities;
        struct opening_body *opening_hours;
        size_t n_opening_hours;
        struct closure_body *closures;
        size_t n_closures;
        struct pickup_body *pickup; /* may be NULL */
};

struct product_body {
        const char *title;
        const char *gtin;        /* may be NULL */
        struct money price;      /* currency "": none */
        const char *description; /* may be NULL */
        const char *image_url;   /* may be NULL */
        const char *attributes;  /* may be NULL */
        bool returnable, has_returnable;
        const struct return_policy *return_policy; /* may be NULL */
};

struct listing_body {
        const char *title; /* may be NULL */
        struct money price;
        const char *external_sku; /* may be NULL */
        bool published, has_published;
};

extern const struct shape channel_shape, listing_shape, location_shape, product_shape;

/* ---- pure rules ---- */

/* Check a body and copy it into a record; its code and `record` stay unchanged. False after a refusal, with
 * VALIDATION_FAILED and every fault named. The time zone is checked by location_zone_known. */
bool channel_from(
        const struct channel_body *body, struct arena *arena, struct refusal *refusal, struct channel *channel);
void listing_from(const struct listing_body *body, struct listing *listing);
bool location_from(
        const struct location_body *body, struct arena *arena, struct refusal *refusal, struct location *location);
bool product_from(
        const struct product_body *body, struct arena *arena, struct refusal *refusal, struct product *product);

/* A GTIN as a client may write it, padded to 14 digits. Otherwise refused at `pointer` as "malformed" or "check-digit",
 * and NULL. */
const char *gtin_from(const char *text, const char *pointer, struct arena *arena, struct refusal *refusal);

/* Whether the zone is one of the names; refuses when not. */
must_check bool location_zone_known(const struct location *location, const char *const *names, size_t n,
        struct arena *arena, struct refusal *refusal);

/* Replace the sent attributes by the text that PostgreSQL stores. False when that is too long: a few bytes
 * of 1e308 grow to hundreds of digits. */
must_check bool product_attributes_from(
        const char *canonical, struct arena *arena, struct refusal *refusal, struct product *product);

/* Whether two records have equal members. */
bool channel_equal(const struct channel *a, const struct channel *b);
bool listing_equal(const struct listing *a, const struct listing *b);
bool location_equal(const struct location *a, const struct location *b);
bool product_equal(const struct product *a, const struct product *b);

/* Put a record, new or again; an equal one keeps its version. */
void record_put(struct record *record, bool same, timestamp now);

/* ---- replacing ---- */

/* Queue: lock all named records and read them whole; and the same without a lock. */
enum problem catalog_lock(struct database *database, struct catalog_set *set);
enum problem catalog_read(struct database *database, struct catalog_set *set);

/* The place of a record, whether it exists or not; NULL when it was not named. */
struct channel *catalog_channel(const struct catalog_set *set, const char *code);
struct location *catalog_location(const struct catalog_set *set, const char *code);
struct product *catalog_product(const struct catalog_set *set, const char *sku);
struct listing *catalog_listing(const struct catalog_set *set, const char *channel, const char *sku);

/* Queue: insert new records and update changed ones. */
enum problem catalog_save(struct database *database, struct catalog_set *set);

/* Time zones that exist. */
struct zones {
        struct arena *arena;
        const char **names;
        size_t n;
};

/* Queue: which of the named zones exist; known after the trip. PostgreSQL reads every file of its zone database for it,
 * so ask only for zones that no stored record has. */
void zones_ask(struct database *database, const char *const *names, size_t n, struct arena *arena, struct zones *zones);

/* Queue: read the zones of the named locations for a year and some days from an instant on
 * (TIMESTAMP_NONE: the database's now), except those that the set has. */
void zones_read(struct database *database, struct catalog_set *set, timestamp from);

/* Queue: replace the n JSON documents by the text that PostgreSQL stores for them; NULL stays NULL. */
void documents_ask(struct database *database, const char **texts, size_t n, struct arena *arena);

/* ---- lists ---- */

/* The filters of a list; NULL or all_codes: no filter. */
struct catalog_filter {
        const char *after; /* the last code of the previous page */
        int64_t limit;     /* rows at most */
        const char *const *codes;
        size_t n_codes;
        bool all_codes;
        const char *capability, *channel, *gtin, *kind, *search;
};

/* Queue: the records of the page, into the empty set; filters that do not apply to the kind are ignored. */
void channels_page(struct database *database, const struct catalog_filter *filter, struct catalog_set *set);
void listings_page(struct database *database, const struct catalog_filter *filter, struct catalog_set *set);
void locations_page(struct database *database, const struct catalog_filter *filter, struct catalog_set *set);
void products_page(struct database *database, const struct catalog_filter *filter, struct catalog_set *set);
