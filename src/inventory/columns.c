#include "inventory/columns.h"

#include "inventory/inventory.h"
#include "inventory/lists.h"
#include "inventory/lookup.h"
#include "inventory/settings.h"

static const struct column in_stock_row[] = {
        { "location", TEXT_AT(struct stock_row, location) },
        { "sku", TEXT_AT(struct stock_row, sku) },
        { "on_hand", INTEGER_AT(struct stock_row, on_hand) },
        { "unsellable", INTEGER_AT(struct stock_row, unsellable) },
        { "reserved", INTEGER_AT(struct stock_row, reserved) },
        { "safety_stock", INTEGER_AT(struct stock_row, safety_stock) },
        { "movements", INTEGER_AT(struct stock_row, movements) },
        { "exists", BOOLEAN_AT(struct stock_row, exists) },
        { "location_known", BOOLEAN_AT(struct stock_row, location_known) },
        { "sku_known", BOOLEAN_AT(struct stock_row, sku_known) },
};
const struct columns stock_row_columns = { "stock", COLUMNS(struct stock_row, in_stock_row) };

static const struct column in_stock_setting[] = {
        { "location", TEXT_AT(struct stock_setting, figures.location) },
        { "sku", TEXT_AT(struct stock_setting, figures.sku) },
        { "on_hand", INTEGER_AT(struct stock_setting, figures.on_hand) },
        { "unsellable", INTEGER_AT(struct stock_setting, figures.unsellable) },
        { "reserved", INTEGER_AT(struct stock_setting, figures.reserved) },
        { "safety_stock", INTEGER_AT(struct stock_setting, figures.safety_stock) },
        { "version", INTEGER_AT(struct stock_setting, record.version) },
        { "exists", BOOLEAN_AT(struct stock_setting, figures.exists) },
        { "location_known", BOOLEAN_AT(struct stock_setting, figures.location_known) },
        { "sku_known", BOOLEAN_AT(struct stock_setting, figures.sku_known) },
};
const struct columns stock_setting_columns = { "stock_settings", COLUMNS(struct stock_setting, in_stock_setting) };

static const struct column in_shelf[] = {
        { "location", TEXT_AT(struct shelf, row.location) },
        { "sku", TEXT_AT(struct shelf, row.sku) },
        { "on_hand", INTEGER_AT(struct shelf, row.on_hand) },
        { "unsellable", INTEGER_AT(struct shelf, row.unsellable) },
        { "reserved", INTEGER_AT(struct shelf, row.reserved) },
        { "safety_stock", INTEGER_AT(struct shelf, row.safety_stock) },
        { "exists", BOOLEAN_AT(struct shelf, row.exists) },
        { "latitude", NUMBER_AT(struct shelf, latitude), .has = HAS(struct shelf, has_position) },
        { "longitude", NUMBER_AT(struct shelf, longitude), .has = HAS(struct shelf, has_position) },
};
const struct columns shelf_columns = { "shelves", COLUMNS(struct shelf, in_shelf) };

static const struct column in_ledger[] = {
        { "location", TEXT_AT(struct ledger_row, location) },
        { "sku", TEXT_AT(struct ledger_row, sku) },
        { "number", INTEGER_AT(struct ledger_row, number) },
        { "reason", TEXT_AT(struct ledger_row, reason) },
        { "on_hand_change", INTEGER_AT(struct ledger_row, on_hand_change) },
        { "unsellable_change", INTEGER_AT(struct ledger_row, unsellable_change) },
        { "on_hand_after", INTEGER_AT(struct ledger_row, on_hand_after) },
        { "unsellable_after", INTEGER_AT(struct ledger_row, unsellable_after) },
        { "document", TEXT_AT(struct ledger_row, document) },
        { "reference", TEXT_AT(struct ledger_row, reference) },
        { "actor", TEXT_AT(struct ledger_row, actor) },
        { "recorded_at", TIME_AT(struct ledger_row, recorded_at) },
};
const struct columns ledger_columns = { "ledger", COLUMNS(struct ledger_row, in_ledger) };
