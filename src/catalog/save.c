/*
 * Writing what was decided: inserts and updates of one kind take the same columns.
 */
#include "catalog/records.h"
#include "db/connection.h"
#include "sql/catalog.h"
#include "sql/queue.h"

#define HOURS_SIZE_MAX ((size_t) 64 * 1024)

/* Whether the statement that inserts (or the one that updates) writes this record. */
static bool is_due(const struct record *record, bool insert) {
        return insert ? record->is_new : record->changed && !record->is_new;
}

static void policy_add(struct array *column, const struct return_policy *policy, struct arena *arena) {
        struct buffer text;
        struct writer json;

        buffer_init(&text, arena, POLICY_SIZE_MAX);
        writer_init(&json, &text);
        policy_write(&json, policy);
        array_jsonb(column, policy && !text.failed ? buffer_text(&text) : NULL);
}

struct record_columns {
        struct array *versions, *created, *updated;
};

static struct record_columns record_columns(struct parameters *p) {
        struct record_columns columns;

        columns.versions = parameter_integers(p);
        columns.created = parameter_times(p);
        columns.updated = parameter_times(p);
        return columns;
}

static void record_add(struct record_columns *columns, const struct record *record) {
        array_integer(columns->versions, record->version);
        array_time(columns->created, record->created_at);
        array_time(columns->updated, record->updated_at);
}

static void price_add(struct array *amounts, struct array *currencies, const struct money *money) {
        if (*money->currency)
                array_integer(amounts, money->amount);
        else
                array_null(amounts);
        array_text(currencies, *money->currency ? money->currency : NULL);
}

static void channels_write(
        struct database *database, struct catalog_set *set, bool insert, const struct statement *statement) {
        struct parameters p;
        struct array *codes, *names, *kinds, *policies;
        struct record_columns records;

        parameters_init(&p, set->arena);
        codes = parameter_texts(&p);
        names = parameter_texts(&p);
        kinds = parameter_texts(&p);
        policies = parameter_jsonbs(&p);
        records = record_columns(&p);
        for (size_t i = 0; i < set->n_channels; i++) {
                const struct channel *channel = &set->channels[i];

                if (!is_due(&channel->record, insert))
                        continue;
                array_text(codes, channel->code);
                array_text(names, channel->name);
                array_text(kinds, channel_kinds[channel->kind]);
                policy_add(policies, channel->return_policy, set->arena);
                record_add(&records, &channel->record);
        }
        if (codes->n)
                database_ask(database, statement, &p, NULL, NULL);
}

/* ---- locations ---- */

struct location_columns {
        struct array *codes, *names, *kinds, *latitudes, *longitudes, *time_zones, *countries, *capabilities;
        struct array *opening_hours, *closures, *lead_times, *hold_fors, *cut_offs, *day_cut_offs, *handover_methods,
                *slots;
        struct record_columns records;
};

static struct location_columns location_columns(struct parameters *p) {
        struct location_columns columns;

        columns.codes = parameter_texts(p);
        columns.names = parameter_texts(p);
        columns.kinds = parameter_texts(p);
        columns.latitudes = parameter_numbers(p);
        columns.longitudes = parameter_numbers(p);
        columns.time_zones = parameter_texts(p);
        columns.countries = parameter_texts(p);
        columns.capabilities = parameter_texts(p);
        columns.opening_hours = parameter_jsonbs(p);
        columns.closures = parameter_jsonbs(p);
        columns.lead_times = parameter_integers(p);
        columns.hold_fors = parameter_integers(p);
        columns.cut_offs = parameter_integers(p);
        columns.day_cut_offs = parameter_jsonbs(p);
        columns.handover_methods = parameter_texts(p);
        columns.slots = parameter_jsonbs(p);
        columns.records = record_columns(p);
        return columns;
}

static void position_add(struct location_columns *columns, const struct location *location) {
        if (location->has_position) {
                array_number(columns->latitudes, location->latitude);
                array_number(columns->longitudes, location->longitude);
        } else {
                array_null(columns->latitudes);
                array_null(columns->longitudes);
        }
}

/* The names of the bits, separated by spaces. */
static void bits_add(struct array *column, unsigned bits, const char *const *known, struct arena *arena) {
        struct buffer names;

        buffer_init(&names, arena, HOURS_SIZE_MAX);
        for (unsigned bit = 0; known[bit]; bit++)
                if (bits & 1u << bit)
                        buffer_append_format(&names, "%s%s", names.size ? " " : "", known[bit]);
        array_text(column, buffer_text(&names));
}

static void hours_add(struct location_columns *columns, const struct location *location, struct arena *arena) {
        struct buffer openings, closures;
        struct writer json;

        buffer_init(&openings, arena, HOURS_SIZE_MAX);
        writer_init(&json, &openings);
        write_openings(&json, location->opening_hours, location->n_opening_hours);
        array_jsonb(columns->opening_hours, openings.failed ? NULL : buffer_text(&openings));
        buffer_init(&closures, arena, HOURS_SIZE_MAX);
        writer_init(&json, &closures);
        write_closures(&json, location->closures, location->n_closures);
        array_jsonb(columns->closures, closures.failed ? NULL : buffer_text(&closures));
}

static void slots_add(struct location_columns *columns, const struct location *location, struct arena *arena) {
        struct buffer slots;
        struct writer json;

        buffer_init(&slots, arena, HOURS_SIZE_MAX);
        writer_init(&json, &slots);
        write_slots(&json, location->slots, location->n_slots);
        array_jsonb(columns->slots, slots.failed ? NULL : buffer_text(&slots));
}

static void day_cut_offs_add(struct location_columns *columns, const struct location *location, struct arena *arena) {
        struct buffer text;
        struct writer json;

        buffer_init(&text, arena, HOURS_SIZE_MAX);
        writer_init(&json, &text);
        write_cut_offs(&json, location);
        array_jsonb(columns->day_cut_offs, text.failed ? NULL : buffer_text(&text));
}

static void location_add(struct location_columns *columns, const struct location *location, struct arena *arena) {
        array_text(columns->codes, location->code);
        array_text(columns->names, location->name);
        array_text(columns->kinds, location_kinds[location->kind]);
        position_add(columns, location);
        array_text(columns->time_zones, location->time_zone);
        array_text(columns->countries, location->country);
        bits_add(columns->capabilities, location->capabilities, capability_names, arena);
        hours_add(columns, location, arena);
        array_integer(columns->lead_times, location->lead_time / SECOND);
        array_integer(columns->hold_fors, location->hold_for / SECOND);
        if (location->has_cut_off)
                array_integer(columns->cut_offs, location->cut_off);
        else
                array_null(columns->cut_offs);
        day_cut_offs_add(columns, location, arena);
        bits_add(columns->handover_methods, location->handover_methods, handover_method_names, arena);
        slots_add(columns, location, arena);
        record_add(&columns->records, &location->record);
}

static void locations_write(
        struct database *database, struct catalog_set *set, bool insert, const struct statement *statement) {
        struct location_columns columns;
        struct parameters p;

        parameters_init(&p, set->arena);
        columns = location_columns(&p);
        for (size_t i = 0; i < set->n_locations; i++)
                if (is_due(&set->locations[i].record, insert))
                        location_add(&columns, &set->locations[i], set->arena);
        if (columns.codes->n)
                database_ask(database, statement, &p, NULL, NULL);
}

/* ---- products ---- */

static void products_write(
        struct database *database, struct catalog_set *set, bool insert, const struct statement *statement) {
        struct parameters p;
        struct array *skus, *titles, *gtins, *amounts, *currencies, *image_urls, *descriptions, *attributes,
                *returnable, *policies;
        struct record_columns records;

        parameters_init(&p, set->arena);
        skus = parameter_texts(&p);
        titles = parameter_texts(&p);
        gtins = parameter_texts(&p);
        amounts = parameter_integers(&p);
        currencies = parameter_texts(&p);
        image_urls = parameter_texts(&p);
        descriptions = parameter_texts(&p);
        attributes = parameter_jsonbs(&p);
        returnable = parameter_booleans(&p);
        policies = parameter_jsonbs(&p);
        records = record_columns(&p);
        for (size_t i = 0; i < set->n_products; i++) {
                const struct product *product = &set->products[i];

                if (!is_due(&product->record, insert))
                        continue;
                array_text(skus, product->sku);
                array_text(titles, product->title);
                array_text(gtins, product->gtin);
                price_add(amounts, currencies, &product->price);
                array_text(image_urls, product->image_url);
                array_text(descriptions, product->description);
                array_jsonb(attributes, product->attributes);
                array_boolean(returnable, product->returnable);
                policy_add(policies, product->return_policy, set->arena);
                record_add(&records, &product->record);
        }
        if (skus->n)
                database_ask(database, statement, &p, NULL, NULL);
}

static enum problem queues_bumped(struct rows *rows, void *into) {
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);

                notes_add(into, row_text(&row));
        }
        return PROBLEM_NONE;
}

/* The cards of a queue show what the product says of itself. */
static void queues_bump(struct database *database, struct catalog_set *set) {
        struct parameters p;
        struct array *skus;

        parameters_init(&p, set->arena);
        skus = parameter_texts(&p);
        for (size_t i = 0; i < set->n_products; i++)
                if (is_due(&set->products[i].record, /* insert= */ false))
                        array_text(skus, set->products[i].sku);
        if (skus->n)
                database_ask(database, &sql_queue_bump_for_products, &p, queues_bumped, database_notes(database));
}

/* ---- listings ---- */

static void listings_write(
        struct database *database, struct catalog_set *set, bool insert, const struct statement *statement) {
        struct parameters p;
        struct array *channels, *skus, *titles, *amounts, *currencies, *external_skus, *published;
        struct record_columns records;

        parameters_init(&p, set->arena);
        channels = parameter_texts(&p);
        skus = parameter_texts(&p);
        titles = parameter_texts(&p);
        amounts = parameter_integers(&p);
        currencies = parameter_texts(&p);
        external_skus = parameter_texts(&p);
        published = parameter_booleans(&p);
        records = record_columns(&p);
        for (size_t i = 0; i < set->n_listings; i++) {
                const struct listing *listing = &set->listings[i];

                if (!is_due(&listing->record, insert))
                        continue;
                array_text(channels, listing->channel);
                array_text(skus, listing->sku);
                array_text(titles, listing->title);
                price_add(amounts, currencies, &listing->price);
                array_text(external_skus, listing->external_sku);
                array_boolean(published, listing->published);
                record_add(&records, &listing->record);
        }
        if (skus->n)
                database_ask(database, statement, &p, NULL, NULL);
}

enum problem catalog_save(struct database *database, struct catalog_set *set) {
        channels_write(database, set, /* insert= */ true, &sql_channels_insert);
        channels_write(database, set, /* insert= */ false, &sql_channels_update);
        locations_write(database, set, /* insert= */ true, &sql_locations_insert);
        locations_write(database, set, /* insert= */ false, &sql_locations_update);
        products_write(database, set, /* insert= */ true, &sql_products_insert);
        products_write(database, set, /* insert= */ false, &sql_products_update);
        queues_bump(database, set);
        listings_write(database, set, /* insert= */ true, &sql_listings_insert);
        listings_write(database, set, /* insert= */ false, &sql_listings_update);
        return set->arena->exhausted ? FAULT_BUSY : PROBLEM_NONE;
}
