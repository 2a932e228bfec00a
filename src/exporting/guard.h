/*
 * exporting/guard: cells of a CSV file that a spreadsheet would run as a formula.
 *
 * A cell that begins with = + - @, a tab or a carriage return gets an apostrophe before it, which makes it text. Plain
 * numbers such as -3 or -12.50 stay as they are. An import takes the apostrophe as a part of the text. Pure; one row
 * at a time.
 */
#pragma once

#include <stddef.h>

/* The largest size of a row of `size` bytes once it is guarded. */
size_t guard_size_max(size_t size);

/* Copy a row with its line end, as COPY_CSV writes it, to `guarded`, which has guard_size_max bytes. Its size. */
size_t guard_row(const char *row, size_t size, char *guarded);
