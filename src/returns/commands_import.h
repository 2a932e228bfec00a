/*
 * returns/commands_import: a call that only the importer makes.
 *
 *     POST /import/returns   import a return as history: 201 {"id","return_number"}. When the return exists already:
 * the numbers of the lines it lacks, and its members that differ: 200 {"missing":[3],"otherwise":["date"]}
 */
#pragma once

#include "engine/call.h"

extern const struct shape return_import_shape;
extern const struct operation return_import_operation;

extern const struct route return_import_routes[];
extern const size_t return_import_route_count;
