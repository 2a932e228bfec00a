/*
 * exporting/kinds: the kinds of files that can be exported.
 *
 * One table: the statement of a kind names its columns and their order, and the options say which rows to leave out.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

struct statement;

/* Options that a kind may take. */
enum export_option {
        EXPORT_TIME = 1,     /* since and until */
        EXPORT_LOCATION = 2, /* rows of one location, or of several */
        EXPORT_CHANNEL = 4,
        EXPORT_MARKET = 8, /* no option: its sums are of all locations, so a token of some may not have them */
};

struct export_kind {
        const char *name;
        const struct statement *statement;
        unsigned takes; /* enum export_option */
};

extern const struct export_kind export_kinds[]; /* sorted by name */
extern const size_t export_kind_count;

/* NULL when there is no such kind. */
const struct export_kind *export_kind_named(const char *name);
