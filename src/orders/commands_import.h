/*
 * orders/commands_import: calls that only the importer makes.
 *
 *     POST /import/orders           import a fulfilled order: 201 {"id","order_number"}
 *     POST /import/orders/compare   the same body, changes nothing: names the lines that the stored order lacks, and
 *                                   its other differences: 200 {"missing":[3],"otherwise":["date"]}; 404 when there is
 *                                   no such order
 */
#pragma once

#include "engine/call.h"

extern const struct shape order_import_shape;
extern const struct operation order_import_operation, order_compare_operation;
void order_import_body_check(struct call *call); /* on the loop: checks that need no database */

extern const struct route order_import_routes[];
extern const size_t order_import_route_count;
