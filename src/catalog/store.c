#include "catalog/catalog.h"
#include "catalog/columns.h"
#include "catalog/hours.h"
#include "catalog/records.h"
#include "db/connection.h"

#include "base/sorted.h"
#include "base/text.h"
#include "sql/catalog.h"

#include <string.h>

#define KEYS_FIRST 32
#define PRODUCTS_NEAR                                                                                                  \
        500 /* products that a search compares one by one before it asks the index of words; see products_search */

/* ---- named records ---- */

void catalog_init(struct catalog_set *set, struct arena *arena) {
        *set = (struct catalog_set){ .arena = arena };
}

static void key_add(struct catalog_set *set, struct catalog_keys *keys, const char *code, const char *sku) {
        if (keys->n == keys->capacity) {
                const size_t capacity = keys->capacity ? 2 * keys->capacity : KEYS_FIRST;
                struct catalog_key *at = arena_new_array(set->arena, struct catalog_key, capacity);

                if (!at) {
                        set->exhausted = true;
                        return;
                }
                if (keys->n)
                        memcpy(at, keys->at, keys->n * sizeof(*at));
                keys->at = at;
                keys->capacity = capacity;
        }
        keys->at[keys->n++] = (struct catalog_key){ code, sku };
}

void catalog_want_channel(struct catalog_set *set, const char *code) {
        key_add(set, &set->wanted_channels, code, "");
}

void catalog_want_location(struct catalog_set *set, const char *code) {
        key_add(set, &set->wanted_locations, code, "");
}

void catalog_want_product(struct catalog_set *set, const char *sku) {
        key_add(set, &set->wanted_products, sku, "");
}

void catalog_want_listing(struct catalog_set *set, const char *channel, const char *sku) {
        key_add(set, &set->wanted_listings, channel, sku);
}

static int catalog_key_compare(const void *left, const void *right) {
        const struct catalog_key *a = left, *b = right;
        const int by_code = strcmp(a->code, b->code);

        return by_code ? by_code : strcmp(a->sku, b->sku);
}

/* ---- rows ---- */

static void currency_take(const char *currency, struct money *money) {
        if (currency && strlen(currency) < sizeof(money->currency))
                memcpy(money->currency, currency, strlen(currency) + 1);
}

static enum problem fault_of(const struct catalog_set *set) {
        return set->arena->exhausted ? FAULT_BUSY : FAULT_BROKEN;
}

static enum problem channels_take(struct rows *rows, void *into) {
        struct catalog_set *set = into;
        struct binding binding;

        set->channels = arena_new_array(set->arena, struct channel, rows_count(rows));
        if (!set->channels || !rows_bind(rows, &channel_row_columns, &binding))
                return fault_of(set);
        for (set->n_channels = 0; set->n_channels < rows_count(rows); set->n_channels++) {
                struct channel_row row = { 0 };

                row_fill(&binding, set->n_channels, &row);
                if (!policy_read(row.return_policy, set->arena, &row.channel.return_policy) ||
                        !channel_messages_read(row.notifications, set->arena, &row.channel.messages))
                        return fault_of(set);
                set->channels[set->n_channels] = row.channel;
        }
        return PROBLEM_NONE;
}

static bool location_take(const struct location_row *row, struct arena *arena, struct location *ret_location) {
        struct location *l = ret_location;

        *l = row->location;
        l->lead_time = row->lead_time_s * SECOND;
        l->hold_for = row->hold_for_s * SECOND;
        l->cut_off = (int) row->cut_off;
        if (!l->record.exists)
                return true;
        l->opening_hours = openings_read(row->opening_hours, arena, &l->n_opening_hours);
        l->closures = closures_read(row->closures, arena, &l->n_closures);
        l->slots = slots_read(row->slots, arena, &l->n_slots);
        return cut_offs_read(row->cut_offs, arena, l) && l->opening_hours && l->closures && l->slots;
}

static enum problem locations_take(struct rows *rows, void *into) {
        struct catalog_set *set = into;
        struct binding binding;

        set->locations = arena_new_array(set->arena, struct location, rows_count(rows));
        if (!set->locations || !rows_bind(rows, &location_row_columns, &binding))
                return fault_of(set);
        for (set->n_locations = 0; set->n_locations < rows_count(rows); set->n_locations++) {
                struct location_row row = { 0 };

                row_fill(&binding, set->n_locations, &row);
                if (!location_take(&row, set->arena, &set->locations[set->n_locations]))
                        return fault_of(set);
        }
        return PROBLEM_NONE;
}

static enum problem products_take(struct rows *rows, void *into) {
        struct catalog_set *set = into;
        struct binding binding;

        set->products = arena_new_array(set->arena, struct product, rows_count(rows));
        if (!set->products || !rows_bind(rows, &product_row_columns, &binding))
                return fault_of(set);
        for (set->n_products = 0; set->n_products < rows_count(rows); set->n_products++) {
                struct product_row row = { 0 };

                row_fill(&binding, set->n_products, &row);
                currency_take(row.price_currency, &row.product.price);
                if (!policy_read(row.return_policy, set->arena, &row.product.return_policy))
                        return fault_of(set);
                set->products[set->n_products] = row.product;
        }
        return PROBLEM_NONE;
}

static enum problem listings_take(struct rows *rows, void *into) {
        struct catalog_set *set = into;
        struct binding binding;

        set->listings = arena_new_array(set->arena, struct listing, rows_count(rows));
        if (!set->listings || !rows_bind(rows, &listing_row_columns, &binding))
                return fault_of(set);
        for (set->n_listings = 0; set->n_listings < rows_count(rows); set->n_listings++) {
                struct listing_row row = { 0 };

                row_fill(&binding, set->n_listings, &row);
                currency_take(row.price_currency, &row.listing.price);
                set->listings[set->n_listings] = row.listing;
        }
        return PROBLEM_NONE;
}

/* ---- looking up ---- */

static void ask_by_codes(struct database *database, struct catalog_set *set, struct catalog_keys *keys,
        const struct statement *statement, rows_reader reader) {
        struct parameters p;
        struct array *codes;

        if (!keys->n)
                return;
        keys->n = sort_unique(keys->at, keys->n, sizeof(*keys->at), catalog_key_compare);
        parameters_init(&p, set->arena);
        codes = parameter_texts(&p);
        for (size_t i = 0; i < keys->n; i++)
                array_text(codes, keys->at[i].code);
        database_ask(database, statement, &p, reader, set);
}

static void ask_listings(struct database *database, struct catalog_set *set, const struct statement *statement) {
        struct catalog_keys *keys = &set->wanted_listings;
        struct parameters p;
        struct array *channels, *skus;

        if (!keys->n)
                return;
        keys->n = sort_unique(keys->at, keys->n, sizeof(*keys->at), catalog_key_compare);
        parameters_init(&p, set->arena);
        channels = parameter_texts(&p);
        skus = parameter_texts(&p);
        for (size_t i = 0; i < keys->n; i++) {
                array_text(channels, keys->at[i].code);
                array_text(skus, keys->at[i].sku);
        }
        database_ask(database, statement, &p, listings_take, set);
}

/* The statements of a look-up, which differ only in their locks and columns. */
struct look {
        const struct statement *channels, *listings, *locations, *products;
};

static enum problem records_look_up(struct database *database, struct catalog_set *set, const struct look *look) {
        if (set->exhausted)
                return FAULT_BUSY;
        ask_by_codes(database, set, &set->wanted_channels, look->channels, channels_take);
        ask_by_codes(database, set, &set->wanted_locations, look->locations, locations_take);
        ask_by_codes(database, set, &set->wanted_products, look->products, products_take);
        ask_listings(database, set, look->listings);
        return PROBLEM_NONE;
}

enum problem catalog_load(struct database *database, struct catalog_set *set) {
        static const struct look look = {
                .channels = &sql_channels_read,
                .listings = &sql_listings_read,
                .locations = &sql_locations_read,
                .products = &sql_products_find,
        };

        return records_look_up(database, set, &look);
}

enum problem catalog_read(struct database *database, struct catalog_set *set) {
        static const struct look look = {
                .channels = &sql_channels_read,
                .listings = &sql_listings_read,
                .locations = &sql_locations_read,
                .products = &sql_products_read,
        };

        return records_look_up(database, set, &look);
}

enum problem catalog_lock(struct database *database, struct catalog_set *set) {
        static const struct look look = {
                .channels = &sql_channels_lock,
                .listings = &sql_listings_lock,
                .locations = &sql_locations_lock,
                .products = &sql_products_lock,
        };

        return records_look_up(database, set, &look);
}

static int channel_compare(const void *key, const void *channel) {
        return strcmp(key, ((const struct channel *) channel)->code);
}

static int location_compare(const void *key, const void *location) {
        return strcmp(key, ((const struct location *) location)->code);
}

static int product_compare(const void *key, const void *product) {
        return strcmp(key, ((const struct product *) product)->sku);
}

static int listing_compare(const void *left, const void *right) {
        const struct listing *listing = right;
        const struct catalog_key key = { listing->channel, listing->sku };

        return catalog_key_compare(left, &key);
}

struct channel *catalog_channel(const struct catalog_set *set, const char *code) {
        return sorted_find(code, set->channels, set->n_channels, sizeof(*set->channels), channel_compare);
}

struct location *catalog_location(const struct catalog_set *set, const char *code) {
        return sorted_find(code, set->locations, set->n_locations, sizeof(*set->locations), location_compare);
}

struct product *catalog_product(const struct catalog_set *set, const char *sku) {
        return sorted_find(sku, set->products, set->n_products, sizeof(*set->products), product_compare);
}

struct listing *catalog_listing(const struct catalog_set *set, const char *channel, const char *sku) {
        const struct catalog_key key = { channel, sku };

        return sorted_find(&key, set->listings, set->n_listings, sizeof(*set->listings), listing_compare);
}

const struct channel *catalog_find_channel(const struct catalog_set *set, const char *code) {
        const struct channel *channel = catalog_channel(set, code);

        return channel && channel->record.exists ? channel : NULL;
}

const struct location *catalog_find_location(const struct catalog_set *set, const char *code) {
        const struct location *location = catalog_location(set, code);

        return location && location->record.exists ? location : NULL;
}

const struct product *catalog_find_product(const struct catalog_set *set, const char *sku) {
        const struct product *product = catalog_product(set, sku);

        return product && product->record.exists ? product : NULL;
}

const struct listing *catalog_find_listing(const struct catalog_set *set, const char *channel, const char *sku) {
        const struct listing *listing = catalog_listing(set, channel, sku);

        return listing && listing->record.exists ? listing : NULL;
}

/* ---- time zones and JSON texts from PostgreSQL ---- */

static enum problem zone_names_take(struct rows *rows, void *into) {
        struct zones *zones = into;

        zones->names = arena_new_array(zones->arena, const char *, rows_count(rows));
        if (!zones->names)
                return FAULT_BUSY;
        for (; zones->n < rows_count(rows); zones->n++) {
                struct row row = row_at(rows, zones->n);

                zones->names[zones->n] = row_text(&row);
        }
        return PROBLEM_NONE;
}

void zones_ask(
        struct database *database, const char *const *names, size_t n, struct arena *arena, struct zones *zones) {
        struct parameters p;

        *zones = (struct zones){ .arena = arena };
        parameters_init(&p, arena);
        parameter_text_list(&p, names, n);
        database_ask(database, &sql_time_zones_find, &p, zone_names_take, zones);
}

static enum problem documents_take(struct rows *rows, void *into) {
        const char **texts = into;

        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);

                texts[i] = row_text(&row);
        }
        return PROBLEM_NONE;
}

void documents_ask(struct database *database, const char **texts, size_t n, struct arena *arena) {
        struct parameters p;
        struct array *sent;

        parameters_init(&p, arena);
        sent = parameter_jsonbs(&p);
        for (size_t i = 0; i < n; i++)
                array_jsonb(sent, texts[i]);
        database_ask(database, &sql_documents_canonical, &p, documents_take, texts);
}

/* ---- lists ---- */

static void page_begin(struct parameters *p, const struct catalog_filter *filter, struct arena *arena) {
        parameters_init(p, arena);
        parameter_text(p, filter->after);
        parameter_integer(p, filter->limit);
}

void channels_page(struct database *database, const struct catalog_filter *filter, struct catalog_set *set) {
        struct parameters p;

        page_begin(&p, filter, set->arena);
        parameter_text(&p, filter->channel);
        database_ask(database, &sql_channels_page, &p, channels_take, set);
}

void listings_page(struct database *database, const struct catalog_filter *filter, struct catalog_set *set) {
        struct parameters p;

        page_begin(&p, filter, set->arena);
        parameter_text(&p, filter->channel);
        database_ask(database, &sql_listings_page, &p, listings_take, set);
}

void locations_page(struct database *database, const struct catalog_filter *filter, struct catalog_set *set) {
        struct parameters p;

        page_begin(&p, filter, set->arena);
        parameter_text_filter(&p, filter->codes, filter->n_codes, !filter->all_codes);
        parameter_text(&p, filter->kind);
        parameter_text(&p, filter->capability);
        parameter_text(&p, filter->search);
        database_ask(database, &sql_locations_page, &p, locations_take, set);
}

void products_page(struct database *database, const struct catalog_filter *filter, struct catalog_set *set) {
        struct parameters p;

        page_begin(&p, filter, set->arena);
        parameter_text(&p, filter->gtin);
        if (filter->search) {
                parameter_text(&p, filter->search);
                parameter_integer(&p, PRODUCTS_NEAR);
        }
        database_ask(database, filter->search ? &sql_products_search : &sql_products_page, &p, products_take, set);
}
