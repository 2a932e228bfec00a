/*
 * privacy/columns: the columns of orders and documents whose customer is erased (db/columns.h), for the room's store.
 */
#pragma once

#include "db/columns.h"

extern const struct columns erasable_order_columns, found_order_columns, personal_document_columns;
