/*
 * The writing of records: inserts and updates of one kind write the same columns.
 */
#include "catalog/columns.h"
#include "catalog/records.h"
#include "db/connection.h"
#include "sql/catalog.h"
#include "sql/queue.h"

#define HOURS_SIZE_MAX ((size_t) 64 * 1024)

/* Whether the statement that inserts (or the one that updates) writes this record. */
static bool record_is_due(const struct record *record, bool insert) {
        return insert ? record->is_new : record->changed && !record->is_new;
}

/* The text of a writer; NULL when it did not fit. */
static const char *json_of(const struct buffer *text) {
        return text->failed ? NULL : buffer_text(text);
}

static const char *policy_text(const struct return_policy *policy, struct arena *arena) {
        struct buffer text;
        struct writer json;

        buffer_init(&text, arena, POLICY_SIZE_MAX);
        writer_init(&json, &text);
        policy_write(&json, policy);
        return policy ? json_of(&text) : NULL;
}

static const char *messages_text(const struct channel_messages *messages, struct arena *arena) {
        struct buffer text;
        struct writer json;

        buffer_init(&text, arena, CHANNEL_MESSAGES_MAX);
        writer_init(&json, &text);
        channel_messages_write(&json, messages);
        return messages ? json_of(&text) : NULL;
}

static const char *openings_text(const struct location *location, struct arena *arena) {
        struct buffer text;
        struct writer json;

        buffer_init(&text, arena, HOURS_SIZE_MAX);
        writer_init(&json, &text);
        write_openings(&json, location->opening_hours, location->n_opening_hours);
        return json_of(&text);
}

static const char *closures_text(const struct location *location, struct arena *arena) {
        struct buffer text;
        struct writer json;

        buffer_init(&text, arena, HOURS_SIZE_MAX);
        writer_init(&json, &text);
        write_closures(&json, location->closures, location->n_closures);
        return json_of(&text);
}

static const char *cut_offs_text(const struct location *location, struct arena *arena) {
        struct buffer text;
        struct writer json;

        buffer_init(&text, arena, HOURS_SIZE_MAX);
        writer_init(&json, &text);
        write_cut_offs(&json, location);
        return json_of(&text);
}

static const char *slots_text(const struct location *location, struct arena *arena) {
        struct buffer text;
        struct writer json;

        buffer_init(&text, arena, HOURS_SIZE_MAX);
        writer_init(&json, &text);
        write_slots(&json, location->slots, location->n_slots);
        return json_of(&text);
}

static void channels_write(
        struct database *database, struct catalog_set *set, bool insert, const struct statement *statement) {
        struct records records;

        records_begin(&records, set->arena, statement, &channel_row_columns);
        for (size_t i = 0; i < set->n_channels; i++) {
                const struct channel *channel = &set->channels[i];

                if (record_is_due(&channel->record, insert))
                        records_add(&records, &(struct channel_row){ .channel = *channel,
                                                      .return_policy = policy_text(channel->return_policy, set->arena),
                                                      .notifications = messages_text(channel->messages, set->arena) });
        }
        records_ask(&records, database);
}

static void locations_write(
        struct database *database, struct catalog_set *set, bool insert, const struct statement *statement) {
        struct records records;

        records_begin(&records, set->arena, statement, &location_row_columns);
        for (size_t i = 0; i < set->n_locations; i++) {
                const struct location *location = &set->locations[i];

                if (record_is_due(&location->record, insert))
                        records_add(&records, &(struct location_row){ .location = *location,
                                                      .opening_hours = openings_text(location, set->arena),
                                                      .closures = closures_text(location, set->arena),
                                                      .slots = slots_text(location, set->arena),
                                                      .lead_time_s = location->lead_time / SECOND,
                                                      .hold_for_s = location->hold_for / SECOND,
                                                      .cut_off = location->cut_off,
                                                      .cut_offs = cut_offs_text(location, set->arena) });
        }
        records_ask(&records, database);
}

static void products_write(
        struct database *database, struct catalog_set *set, bool insert, const struct statement *statement) {
        struct records records;

        records_begin(&records, set->arena, statement, &product_row_columns);
        for (size_t i = 0; i < set->n_products; i++) {
                const struct product *product = &set->products[i];
                const bool has_price = *product->price.currency;

                if (record_is_due(&product->record, insert))
                        records_add(
                                &records, &(struct product_row){ .product = *product,
                                                  .has_price = has_price,
                                                  .price_currency = has_price ? product->price.currency : NULL,
                                                  .return_policy = policy_text(product->return_policy, set->arena) });
        }
        records_ask(&records, database);
}

static enum problem queues_raised(struct rows *rows, void *into) {
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);

                notes_add(into, row_text(&row));
        }
        return PROBLEM_NONE;
}

/* The cards of a queue show members of a product. */
static void product_queues_raise(struct database *database, struct catalog_set *set) {
        struct parameters p;
        struct array *skus;

        parameters_init(&p, set->arena);
        skus = parameter_texts(&p);
        for (size_t i = 0; i < set->n_products; i++)
                if (set->products[i].card_changed && record_is_due(&set->products[i].record, /* insert= */ false))
                        array_text(skus, set->products[i].sku);
        if (skus->n)
                database_ask(database, &sql_queues_raise_for_products, &p, queues_raised, database_notes(database));
}

static void listings_write(
        struct database *database, struct catalog_set *set, bool insert, const struct statement *statement) {
        struct records records;

        records_begin(&records, set->arena, statement, &listing_row_columns);
        for (size_t i = 0; i < set->n_listings; i++) {
                const struct listing *listing = &set->listings[i];
                const bool has_price = *listing->price.currency;

                if (record_is_due(&listing->record, insert))
                        records_add(&records, &(struct listing_row){ .listing = *listing,
                                                      .has_price = has_price,
                                                      .price_currency = has_price ? listing->price.currency : NULL });
        }
        records_ask(&records, database);
}

enum problem catalog_save(struct database *database, struct catalog_set *set) {
        channels_write(database, set, /* insert= */ true, &sql_channels_insert);
        channels_write(database, set, /* insert= */ false, &sql_channels_update);
        locations_write(database, set, /* insert= */ true, &sql_locations_insert);
        locations_write(database, set, /* insert= */ false, &sql_locations_update);
        products_write(database, set, /* insert= */ true, &sql_products_insert);
        products_write(database, set, /* insert= */ false, &sql_products_update);
        product_queues_raise(database, set);
        listings_write(database, set, /* insert= */ true, &sql_listings_insert);
        listings_write(database, set, /* insert= */ false, &sql_listings_update);
        return set->arena->exhausted ? FAULT_BUSY : PROBLEM_NONE;
}
