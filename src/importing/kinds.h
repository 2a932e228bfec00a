/*
 * importing/kinds: the kinds of files that can be imported.
 */
#pragma once

#include "importing/import.h"

struct import_kind {
        const char *name;
        const struct import_columns *columns;
        int (*run)(struct import *import);
        size_t price, currency; /* its columns of these; both 0: it has no prices */
};

/* NULL when there is no such kind. */
const struct import_kind *import_kind_named(const char *name);

/* Import the file that the options name: open it, connect, run the kind, print the sums. Exit code. `routes` are those
 * of all rooms. */
int import_run(struct import *import, const struct import_kind *kind, const struct route_list *routes, size_t n_routes);
