/*
 * inventory/commands: operations of the room, and their shared parts.
 */
#pragma once

#include "catalog/commands_records.h"
#include "engine/call.h"
#include "engine/list.h"
#include "engine/reply.h"
#include "inventory/inventory.h"

extern const struct operation product_stock_show;
extern const struct operation availability_query;
extern const struct list_kind ledger_list, stock_list;
extern const struct record_kind safety_stock_record;
extern const struct shape availability_shape, safety_stock_shape;

/* On the loop: checks that need no database. */
void availability_check(struct call *call);

/* The figures of a row, into an open object. */
void write_figures(struct writer *json, const struct stock_row *row);
