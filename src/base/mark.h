/*
 * base/mark: a digest of 64 bits that changes with the figures it is made of (FNV-1a).
 *
 * It shows that something has changed. An attacker can find figures with the same mark, so it protects nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MARK_BEGIN UINT64_C(0xcbf29ce484222325) /* of no bytes */

/* Continue a mark with one number, or with bytes. */
uint64_t mark_number(uint64_t mark, uint64_t number);
uint64_t mark_bytes(uint64_t mark, const void *bytes, size_t size);
