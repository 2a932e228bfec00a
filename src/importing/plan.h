/*
 * importing/plan: a map bound to the header of a file, applied row by row.
 *
 * A row of the file becomes no row, one, or one for each column that is a location. Texts live until the next row.
 */
#pragma once

#include "importing/map.h"

struct import_plan;

/* Bind the map, whose columns leave the unknown ones of the header. NULL with a fault of IMPORT_FAULT_SIZE: a map of
 * the caller names a column that the file lacks, or there is no memory. */
struct import_plan *import_plan_bind(const struct import_map *map, struct import_header *header, char *reason);

/* A row of the file. */
void import_plan_begin(struct import_plan *plan, char **fields);

/* The next row that it becomes: cells by column. False: there is none. *ret_fault: a cell is longer than its room. */
bool import_plan_next(struct import_plan *plan, const char **cells, bool *ret_fault);

void import_plan_free(struct import_plan *plan);
