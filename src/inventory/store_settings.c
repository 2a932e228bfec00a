#include "db/connection.h"
#include "inventory/columns.h"
#include "inventory/settings.h"
#include "sql/inventory.h"

#include <stdlib.h>
#include <string.h>

void stock_settings_init(struct stock_settings *settings, struct arena *arena) {
        *settings = (struct stock_settings){ .arena = arena };
}

void stock_settings_want(struct stock_settings *settings, const char *location, const char *sku) {
        struct stock_key *wanted =
                arena_grow(settings->arena, settings->wanted, settings->n_wanted, &settings->capacity, sizeof(*wanted));

        if (!wanted) {
                settings->exhausted = true;
                return;
        }
        settings->wanted = wanted;
        settings->wanted[settings->n_wanted++] = (struct stock_key){ location, sku };
}

static int setting_key_compare(const void *left, const void *right) {
        const struct stock_key *a = left, *b = right;
        const int by_location = strcmp(a->location, b->location);

        return by_location ? by_location : strcmp(a->sku, b->sku);
}

static int setting_row_compare(const void *left, const void *right) {
        const struct stock_row *row = &((const struct stock_setting *) right)->figures;
        const struct stock_key key = { row->location, row->sku };

        return setting_key_compare(left, &key);
}

struct stock_setting *stock_setting_find(const struct stock_settings *settings, const char *location, const char *sku) {
        const struct stock_key key = { location, sku };

        if (!settings->n_rows)
                return NULL;
        return bsearch(&key, settings->rows, settings->n_rows, sizeof(*settings->rows), setting_row_compare);
}

static enum problem setting_rows_read(struct rows *rows, void *into) {
        struct stock_settings *settings = into;

        settings->rows = rows_fill(rows, &stock_setting_columns, settings->arena);
        settings->n_rows = settings->rows ? rows_count(rows) : 0;
        for (size_t i = 0; i < settings->n_rows; i++)
                settings->rows[i].record.exists = settings->rows[i].figures.exists;
        return settings->rows ? PROBLEM_NONE : FAULT_BUSY;
}

static enum problem settings_ask(
        struct database *database, struct stock_settings *settings, const struct statement *statement) {
        struct array *locations, *skus;
        struct parameters p;

        if (settings->exhausted)
                return FAULT_BUSY;
        qsort(settings->wanted, settings->n_wanted, sizeof(*settings->wanted), setting_key_compare);
        parameters_init(&p, settings->arena);
        locations = parameter_texts(&p);
        skus = parameter_texts(&p);
        for (size_t i = 0; i < settings->n_wanted; i++) {
                if (i && setting_key_compare(&settings->wanted[i - 1], &settings->wanted[i]) == 0)
                        continue;
                array_text(locations, settings->wanted[i].location);
                array_text(skus, settings->wanted[i].sku);
        }
        database_ask(database, statement, &p, setting_rows_read, settings);
        return PROBLEM_NONE;
}

enum problem stock_settings_lock(struct database *database, struct stock_settings *settings) {
        return settings_ask(database, settings, &sql_safety_stock_lock);
}

enum problem stock_settings_read(struct database *database, struct stock_settings *settings) {
        return settings_ask(database, settings, &sql_safety_stock_read);
}

static void settings_save(struct database *database, const struct stock_settings *settings, bool is_new,
        const struct statement *statement) {
        struct records records;

        records_begin(&records, settings->arena, statement, &stock_setting_columns);
        for (size_t i = 0; i < settings->n_rows; i++) {
                const struct stock_setting *setting = &settings->rows[i];

                if (is_new ? setting->record.is_new : !setting->record.is_new && setting->record.changed)
                        records_add(&records, setting);
        }
        records_ask(&records, database);
}

enum problem stock_settings_save(struct database *database, const struct stock_settings *settings) {
        settings_save(database, settings, /* is_new= */ false, &sql_safety_stock_save);
        settings_save(database, settings, /* is_new= */ true, &sql_safety_stock_insert);
        return PROBLEM_NONE;
}
