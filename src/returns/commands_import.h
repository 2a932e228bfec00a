/*
 * returns/commands_import: a call that only the importer makes.
 *
 *     POST /import/returns   take a return over as history: 201 {"id","return_number"}. When it is there already: which
 * of the lines it lacks, and what else it has otherwise: 200 {"missing":[3],"otherwise":["date"]}
 */
#pragma once

#include "engine/call.h"

extern const struct route return_import_routes[];
extern const size_t return_import_route_count;
