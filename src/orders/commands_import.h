/*
 * orders/commands_import: calls that only the importer makes.
 *
 *     POST /import/orders           take an order over as history: 201 {"id","order_number"}
 *     POST /import/orders/compare   the same body, changes nothing: which of its lines the order that is there already
 *                                   lacks, and what else it has otherwise: 200 {"missing":[3],"otherwise":["date"]};
 *                                   404 when there is none
 */
#pragma once

#include "engine/call.h"

extern const struct route order_import_routes[];
extern const size_t order_import_route_count;
