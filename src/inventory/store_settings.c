#include "db/connection.h"
#include "inventory/columns.h"
#include "inventory/settings.h"
#include "sql/inventory.h"

#include "base/sorted.h"

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

static int setting_row_compare(const void *left, const void *right) {
        const struct stock_row *row = &((const struct stock_setting *) right)->figures;

        return stock_key_compare(left, &(struct stock_key){ row->location, row->sku });
}

struct stock_setting *stock_setting_find(const struct stock_settings *settings, const char *location, const char *sku) {
        const struct stock_key key = { location, sku };

        return sorted_find(&key, settings->rows, settings->n_rows, sizeof(*settings->rows), setting_row_compare);
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
        struct parameters p;

        if (settings->exhausted)
                return FAULT_BUSY;
        settings->n_wanted =
                sort_unique(settings->wanted, settings->n_wanted, sizeof(*settings->wanted), stock_key_compare);
        parameters_init(&p, settings->arena);
        parameter_stock_keys(&p, settings->wanted, settings->n_wanted);
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
