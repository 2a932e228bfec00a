/*
 * inventory/columns: the columns of stock rows, their settings and the ledger (db/columns.h), for the room's store.
 */
#pragma once

#include "db/columns.h"

extern const struct columns stock_row_columns, stock_setting_columns, shelf_columns, ledger_columns;
