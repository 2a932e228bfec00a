#include "catalog/catalog.h"
#include "catalog/hours.h"
#include "catalog/records.h"
#include "db/connection.h"

#include "base/text.h"
#include "sql/catalog.h"

#include <string.h>

#define KEYS_FIRST 32

/* ---- what was named ---- */

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

static int key_compare(const void *left, const void *right) {
        const struct catalog_key *a = left, *b = right;
        const int by_code = strcmp(a->code, b->code);

        return by_code ? by_code : strcmp(a->sku, b->sku);
}

static void keys_sort(struct catalog_keys *keys) {
        size_t n = 0;

        if (keys->n)
                qsort(keys->at, keys->n, sizeof(*keys->at), key_compare);
        for (size_t i = 0; i < keys->n; i++)
                if (!n || key_compare(&keys->at[n - 1], &keys->at[i]) != 0)
                        keys->at[n++] = keys->at[i];
        keys->n = n;
}

/* ---- rows ---- */

static const struct enum_column channel_kind_column = { "channels", "kind", .texts = channel_kinds };
static const struct enum_column location_kind_column = { "locations", "kind", .texts = location_kinds };
static const struct enum_column capabilities_column = { "locations", "capabilities", .texts = capability_names };
static const struct enum_column handover_methods_column = { "locations", "handover_methods",
        .texts = handover_method_names };

/* Wanted records that do not exist come as rows of nulls. */
static int kind_take(struct row *row, const struct record *record, const struct enum_column *column) {
        return record->exists ? row_enum(row, column) : row_enum_or(row, column, 0);
}

static void record_take(struct row *row, struct record *record) {
        record->version = row_integer(row);
        record->created_at = row_time(row);
        record->updated_at = row_time(row);
}

static struct money money_take(struct row *row) {
        struct money money = { .amount = row_integer(row) };
        const char *currency = row_text(row);

        if (currency && strlen(currency) < sizeof(money.currency))
                memcpy(money.currency, currency, strlen(currency) + 1);
        return money;
}

static bool channel_take(struct row *row, struct arena *arena, struct channel *ret_channel) {
        bool readable;

        ret_channel->code = row_text(row);
        ret_channel->record.exists = row_boolean(row);
        ret_channel->name = row_text(row);
        ret_channel->kind = (enum channel_kind) kind_take(row, &ret_channel->record, &channel_kind_column);
        readable = policy_read(row_text(row), arena, &ret_channel->return_policy);
        record_take(row, &ret_channel->record);
        return readable;
}

static bool hours_take(struct row *row, struct arena *arena, struct location *location) {
        const char *opening_hours = row_text(row);
        const char *closures = row_text(row);

        if (!location->record.exists)
                return true;
        location->opening_hours = openings_read(opening_hours, arena, &location->n_opening_hours);
        location->closures = closures_read(closures, arena, &location->n_closures);
        return location->opening_hours && location->closures;
}

static bool cut_offs_take(struct row *row, struct arena *arena, struct location *location) {
        const char *cut_offs = row_text(row);

        return !location->record.exists || cut_offs_read(cut_offs, arena, location);
}

static bool slots_take(struct row *row, struct arena *arena, struct location *location) {
        const char *slots = row_text(row);

        if (!location->record.exists)
                return true;
        location->slots = slots_read(slots, arena, &location->n_slots);
        return location->slots != NULL;
}

static bool location_take(struct row *row, struct arena *arena, struct location *ret_location) {
        bool readable;

        ret_location->code = row_text(row);
        ret_location->record.exists = row_boolean(row);
        ret_location->name = row_text(row);
        ret_location->kind = (enum location_kind) kind_take(row, &ret_location->record, &location_kind_column);
        ret_location->has_position = !row_is_null(row);
        ret_location->latitude = row_number(row);
        ret_location->longitude = row_number(row);
        ret_location->time_zone = row_text(row);
        ret_location->country = row_text(row);
        ret_location->capabilities = row_enum_bits(row, &capabilities_column, arena);
        readable = hours_take(row, arena, ret_location);
        ret_location->lead_time = row_integer(row) * SECOND;
        ret_location->hold_for = row_integer(row) * SECOND;
        ret_location->has_cut_off = !row_is_null(row);
        ret_location->cut_off = (int) row_integer(row);
        readable = cut_offs_take(row, arena, ret_location) && readable;
        ret_location->handover_methods = row_enum_bits(row, &handover_methods_column, arena);
        readable = slots_take(row, arena, ret_location) && readable;
        record_take(row, &ret_location->record);
        return readable;
}

static bool product_take(struct row *row, struct arena *arena, struct product *ret_product) {
        bool readable;

        ret_product->sku = row_text(row);
        ret_product->record.exists = row_boolean(row);
        ret_product->title = row_text(row);
        ret_product->gtin = row_text(row);
        ret_product->price = money_take(row);
        ret_product->image_url = row_text(row);
        ret_product->description = row_text(row);
        ret_product->attributes = row_text(row);
        ret_product->returnable = row_boolean(row);
        readable = policy_read(row_text(row), arena, &ret_product->return_policy);
        record_take(row, &ret_product->record);
        return readable;
}

static void listing_take(struct row *row, struct listing *ret_listing) {
        ret_listing->channel = row_text(row);
        ret_listing->sku = row_text(row);
        ret_listing->record.exists = row_boolean(row);
        ret_listing->title = row_text(row);
        ret_listing->price = money_take(row);
        ret_listing->external_sku = row_text(row);
        ret_listing->published = row_boolean(row);
        record_take(row, &ret_listing->record);
        ret_listing->channel_known = row_boolean(row);
        ret_listing->sku_known = row_boolean(row);
}

static enum problem channels_take(struct rows *rows, void *into) {
        struct catalog_set *set = into;

        set->n_channels = rows_count(rows);
        set->channels = arena_new_array(set->arena, struct channel, set->n_channels);
        for (size_t i = 0; set->channels && i < set->n_channels; i++) {
                struct row row = row_at(rows, i);

                if (!channel_take(&row, set->arena, &set->channels[i]))
                        return set->arena->exhausted ? FAULT_BUSY : FAULT_BROKEN;
        }
        return set->channels ? PROBLEM_NONE : FAULT_BUSY;
}

static enum problem locations_take(struct rows *rows, void *into) {
        struct catalog_set *set = into;

        set->n_locations = rows_count(rows);
        set->locations = arena_new_array(set->arena, struct location, set->n_locations);
        for (size_t i = 0; set->locations && i < set->n_locations; i++) {
                struct row row = row_at(rows, i);

                if (!location_take(&row, set->arena, &set->locations[i]))
                        return set->arena->exhausted ? FAULT_BUSY : FAULT_BROKEN;
        }
        return set->locations ? PROBLEM_NONE : FAULT_BUSY;
}

static enum problem products_take(struct rows *rows, void *into) {
        struct catalog_set *set = into;

        set->n_products = rows_count(rows);
        set->products = arena_new_array(set->arena, struct product, set->n_products);
        for (size_t i = 0; set->products && i < set->n_products; i++) {
                struct row row = row_at(rows, i);

                if (!product_take(&row, set->arena, &set->products[i]))
                        return set->arena->exhausted ? FAULT_BUSY : FAULT_BROKEN;
        }
        return set->products ? PROBLEM_NONE : FAULT_BUSY;
}

static enum problem listings_take(struct rows *rows, void *into) {
        struct catalog_set *set = into;

        set->n_listings = rows_count(rows);
        set->listings = arena_new_array(set->arena, struct listing, set->n_listings);
        for (size_t i = 0; set->listings && i < set->n_listings; i++) {
                struct row row = row_at(rows, i);

                listing_take(&row, &set->listings[i]);
        }
        return set->listings ? PROBLEM_NONE : FAULT_BUSY;
}

/* ---- looking up ---- */

static void ask_by_codes(struct database *database, struct catalog_set *set, struct catalog_keys *keys,
        const struct statement *statement, rows_reader reader) {
        struct parameters p;
        struct array *codes;

        if (!keys->n)
                return;
        keys_sort(keys);
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
        keys_sort(keys);
        parameters_init(&p, set->arena);
        channels = parameter_texts(&p);
        skus = parameter_texts(&p);
        for (size_t i = 0; i < keys->n; i++) {
                array_text(channels, keys->at[i].code);
                array_text(skus, keys->at[i].sku);
        }
        database_ask(database, statement, &p, listings_take, set);
}

/* The statements of a look-up, which differ only in what they lock and how much they read. */
struct look {
        const struct statement *channels, *listings, *locations, *products;
};

static enum problem look_up(struct database *database, struct catalog_set *set, const struct look *look) {
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

        return look_up(database, set, &look);
}

enum problem catalog_read(struct database *database, struct catalog_set *set) {
        static const struct look look = {
                .channels = &sql_channels_read,
                .listings = &sql_listings_read,
                .locations = &sql_locations_read,
                .products = &sql_products_read,
        };

        return look_up(database, set, &look);
}

enum problem catalog_lock(struct database *database, struct catalog_set *set) {
        static const struct look look = {
                .channels = &sql_channels_lock,
                .listings = &sql_listings_lock,
                .locations = &sql_locations_lock,
                .products = &sql_products_lock,
        };

        return look_up(database, set, &look);
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

        return key_compare(left, &key);
}

/* bsearch does not take the NULL of a set that was never loaded. */
static void *find(const void *key, void *records, size_t n, size_t size, int (*compare)(const void *, const void *)) {
        return n ? bsearch(key, records, n, size, compare) : NULL;
}

struct channel *catalog_channel(const struct catalog_set *set, const char *code) {
        return find(code, set->channels, set->n_channels, sizeof(*set->channels), channel_compare);
}

struct location *catalog_location(const struct catalog_set *set, const char *code) {
        return find(code, set->locations, set->n_locations, sizeof(*set->locations), location_compare);
}

struct product *catalog_product(const struct catalog_set *set, const char *sku) {
        return find(sku, set->products, set->n_products, sizeof(*set->products), product_compare);
}

struct listing *catalog_listing(const struct catalog_set *set, const char *channel, const char *sku) {
        const struct catalog_key key = { channel, sku };

        return find(&key, set->listings, set->n_listings, sizeof(*set->listings), listing_compare);
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

/* ---- what only PostgreSQL knows ---- */

static enum problem zones_take(struct rows *rows, void *into) {
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
        struct array *wanted;

        *zones = (struct zones){ .arena = arena };
        parameters_init(&p, arena);
        wanted = parameter_texts(&p);
        for (size_t i = 0; i < n; i++)
                array_text(wanted, names[i]);
        database_ask(database, &sql_time_zones_find, &p, zones_take, zones);
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
        struct array *codes;

        page_begin(&p, filter, set->arena);
        if (filter->all_codes) {
                parameter_null(&p);
        } else {
                codes = parameter_texts(&p);
                for (size_t i = 0; i < filter->n_codes; i++)
                        array_text(codes, filter->codes[i]);
        }
        parameter_text(&p, filter->kind);
        parameter_text(&p, filter->capability);
        parameter_text(&p, filter->search);
        database_ask(database, &sql_locations_page, &p, locations_take, set);
}

void products_page(struct database *database, const struct catalog_filter *filter, struct catalog_set *set) {
        struct parameters p;

        page_begin(&p, filter, set->arena);
        parameter_text(&p, filter->gtin);
        if (filter->search)
                parameter_text(&p, filter->search);
        database_ask(database, filter->search ? &sql_products_search : &sql_products_page, &p, products_take, set);
}
