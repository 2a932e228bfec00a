/*
 * adjustments/commands_import: a call that only the importer makes.
 *
 *     POST /import/stock/overridden   the figures that an import has set, by their movements: 200 {"overridden": 3},
 * the movements between them and the imported figures before them
 */
#pragma once

#include "engine/call.h"

extern const struct shape stock_overridden_shape;
extern const struct operation stock_overridden_operation;

extern const struct route stock_import_routes[];
extern const size_t stock_import_route_count;
