/*
 * catalog: channels, locations, products, and listings (products offered by a channel).
 *
 * Other rooms look things up through a `catalog_set`: they name the codes they need (`catalog_want_...`), queue the
 * look-ups of them all (`catalog_load`), and find the records after the trip. A set lives in the arena of its batch;
 * text of records lives until the batch ends. Codes are chosen by the retailer. Records are never deleted, so a record
 * once found stays.
 */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "base/money.h"
#include "base/problem.h"
#include "catalog/messages.h"
#include "catalog/policy.h"

struct database;

#define LEAD_TIME_DEFAULT (2 * HOUR)
#define HOLD_FOR_DEFAULT  (7 * DAY)
#define RADIUS_KM_MAX     20000 /* nearly half the way round the Earth */

enum channel_kind {
        CHANNEL_APP,
        CHANNEL_CALL_CENTER,
        CHANNEL_KIOSK,
        CHANNEL_MARKETPLACE,
        CHANNEL_POS,
        CHANNEL_SOCIAL,
        CHANNEL_WEB,
};

enum location_kind { LOCATION_STORE, LOCATION_WAREHOUSE };

/* The capabilities of a location; bit n is the name n. */
enum capability { CAN_CURBSIDE = 1 << 0, CAN_PICKUP = 1 << 1, CAN_RETURNS = 1 << 2, CAN_SHIP = 1 << 3 };

/* The proofs of identity at a hand-over; bit n is the name n. */
#define HANDOVER_METHODS_ALL 3u

/* Names on the wire and in SQL, NULL-terminated; the index is the enum, or the bit. Days begin with Monday. */
extern const char *const capability_names[], *const channel_kinds[], *const day_names[], *const location_kinds[];
extern const char *const handover_method_names[];

/* The state of a record between the database and the next save. */
struct record {
        int64_t version;
        timestamp created_at, updated_at;
        bool exists;  /* or will, once the batch is saved */
        bool is_new;  /* to be inserted */
        bool changed; /* to be updated */
};

/* The policy that a channel states. For a member that it does not state, the setting of the service holds. */
struct channel_policy {
        bool has_resourcing, has_resourcing_radius_km, has_unpaid_ttl_s;
        bool resourcing;              /* other locations take over missing units */
        int64_t resourcing_radius_km; /* 0: no limit */
        int64_t unpaid_ttl_s;         /* 0: unpaid orders are never cancelled */
};

struct channel {
        struct record record;
        const char *code;
        const char *name;
        enum channel_kind kind;
        struct channel_policy policy;
        const struct return_policy *return_policy; /* may be NULL */
        const struct channel_messages *messages;   /* may be NULL */
};

#define WEEKDAYS 7 /* 0 is Monday */

/* Minutes since local midnight. closes <= opens: it closes on the next day. */
struct opening {
        int day; /* 0 is Monday */
        int opens, closes;
};

/* A day without the ordinary hours: closed, or open at other hours. */
struct closure {
        struct day date;
        bool has_hours;
        int opens, closes;
};

/* The number of orders that may be collected between two times of a weekday. Minutes since local midnight; begins <
 * ends. */
struct slot {
        int day; /* 0 is Monday */
        int begins, ends;
        int64_t capacity;
};

/* From `begins` on, the clocks of a zone are `ahead` of UTC. */
struct zone_span {
        timestamp begins; /* TIMESTAMP_NONE: for all time */
        duration ahead;
};

/* A time zone as far as promises look: the spans in order, at least one. */
struct zone {
        const char *name; /* IANA */
        const struct zone_span *spans;
        size_t n_spans;
};

struct location {
        struct record record;
        const char *code;
        const char *name;
        enum location_kind kind;
        bool has_position;
        double latitude, longitude;
        const char *address;   /* as customers read it, in lines; may be NULL */
        const char *time_zone; /* IANA */
        const char *country;   /* ISO 3166-1 alpha-2 */
        unsigned capabilities;
        const struct opening *opening_hours; /* by day, then opens; none: no hours are kept (a warehouse) */
        size_t n_opening_hours;
        const struct closure *closures; /* by date, then opens */
        size_t n_closures;
        duration lead_time; /* from order to ready, in opening hours */
        duration hold_for;  /* from ready to no-show */
        bool has_cut_off;
        const struct slot *slots; /* by day, then begins */
        size_t n_slots;
        int cut_off; /* minutes since local midnight; a later order counts as placed at the next day's opening */
        unsigned cut_off_days;  /* bit n: weekday n has a cut-off instead of that one, */
        int cut_offs[WEEKDAYS]; /* this one */
        unsigned handover_methods;
};

struct product {
        struct record record;
        const char *sku;
        const char *title;
        const char *gtin;        /* 14 digits; may be NULL */
        struct money price;      /* currency "": none */
        const char *image_url;   /* may be NULL */
        const char *description; /* may be NULL; not read by catalog_load */
        const char *attributes;  /* a JSON object; not read by catalog_load */
        bool returnable;
        const struct return_policy *return_policy; /* overrides its channel's, member by member; may be NULL */
        bool card_changed;                         /* by a PUT: a member that queue cards show */
};

/* A member that is NULL or has no currency is taken from the product. */
struct listing {
        struct record record;
        const char *channel, *sku;
        const char *title;        /* may be NULL */
        struct money price;       /* currency "": none */
        const char *external_sku; /* may be NULL */
        bool published;
        bool channel_known, sku_known;
};

/* ---- looking up ---- */

struct catalog_key {
        const char *code, *sku;
};

struct catalog_keys {
        struct catalog_key *at;
        size_t n, capacity;
};

struct catalog_set {
        struct arena *arena;
        struct catalog_keys wanted_channels, wanted_locations, wanted_products, wanted_listings;
        struct channel *channels; /* one for each key, sorted, whether it exists or not; so are the rest */
        struct location *locations;
        struct product *products;
        struct listing *listings;
        struct zone *zones; /* read by catalog_load_zones: those of the locations, and maybe others */
        size_t n_channels, n_locations, n_products, n_listings, n_zones;
        bool exhausted; /* the arena is exhausted; shows at catalog_load */
};

void catalog_init(struct catalog_set *set, struct arena *arena);

/* Name a record; the text must outlive the set; naming it twice is fine. */
void catalog_want_channel(struct catalog_set *set, const char *code);
void catalog_want_location(struct catalog_set *set, const char *code);
void catalog_want_product(struct catalog_set *set, const char *sku);
void catalog_want_listing(struct catalog_set *set, const char *channel, const char *sku);

/* Queue: read all named records, without a lock. FAULT_BUSY when the arena is exhausted. */
enum problem catalog_load(struct database *database, struct catalog_set *set);

/* Queue: read the time zones of the named locations, for promises. Each process reads a zone once an hour, so a new
 * release of PostgreSQL's zone database applies within the hour. FAULT_BUSY without memory. */
enum problem catalog_load_zones(struct database *database, struct catalog_set *set);

/* After the trip: whether the zones of all locations were read. False when a location got another zone between the two
 * look-ups: then the batch starts over (FAULT_STALE). */
must_check bool catalog_zones_fit(const struct catalog_set *set);

/* The record, or NULL when there is none (or it was not named). */
const struct channel *catalog_find_channel(const struct catalog_set *set, const char *code);
const struct location *catalog_find_location(const struct catalog_set *set, const char *code);
const struct zone *catalog_find_zone(const struct catalog_set *set, const char *name);
const struct product *catalog_find_product(const struct catalog_set *set, const char *sku);
const struct listing *catalog_find_listing(const struct catalog_set *set, const char *channel, const char *sku);
