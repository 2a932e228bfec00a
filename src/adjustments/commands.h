/*
 * adjustments/commands: the operation that adjusts stock, for the table of routes.
 */
#pragma once

#include "engine/call.h"

extern const struct shape adjust_body_shape, adjust_query_shape;
extern const struct operation adjust_operation;
