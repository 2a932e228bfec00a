/*
 * importing/amounts: figures as people and programs write them.
 *
 * Thousands and currency signs are taken away when the pattern leaves no doubt. A point is a decimal point, unless
 * `decimal` says otherwise or a comma behind it is the decimal one. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AMOUNT_SIZE 64

/* A price as digits with a point, such as 1250.00. `decimal`: '.', ',' or '\0', which is not said. NULL, or the fault
 * as half a sentence. */
const char *amount_plain(const char *text, const char *currency, char decimal, char out[AMOUNT_SIZE]);

/* A whole number, which may have zeros as decimals. `loose`: 1,000 is a thousand even when `decimal` is not said. NULL,
 * or the fault. */
const char *quantity_plain(const char *text, char decimal, bool loose, int64_t *ret_quantity);
