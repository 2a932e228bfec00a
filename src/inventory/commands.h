/*
 * inventory/commands: shared parts of the route files of the room.
 */
#pragma once

#include "engine/call.h"
#include "engine/reply.h"
#include "inventory/inventory.h"

extern const struct operation product_stock_show;
extern const struct operation availability_query, ledger_list, safety_stock_put, stock_list, stock_row_show;
extern const struct shape availability_shape, ledger_query_shape, safety_stock_shape, stock_query_shape;

/* On the loop: checks that need no database. */
void availability_check(struct call *call);
void stock_location_check(struct call *call);

/* The figures of a row, into an open object. */
void write_figures(struct writer *json, const struct stock_row *row);
