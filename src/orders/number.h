/*
 * orders/number: the number that a customer names an order by: "7KM-2QX-9RT".
 */
#pragma once

#include "base/arena.h"

#include <stdint.h>

#define ORDER_NUMBER_SIZE 12 /* with its NUL */

/* A new number, or the number encoded from nine bytes. NULL without memory. */
const char *order_number_new(struct arena *arena);
const char *order_number_of(const uint8_t *bytes, struct arena *arena);

/* The number as a person types it: in lower case, with hyphens at other places or without any. NULL: it cannot be an
 * order number. */
const char *order_number_read(const char *text, struct arena *arena);

/* The same for a filter: a text that cannot be a number stays as it is, and finds none. */
const char *order_number_named(const char *text, struct arena *arena);
