/*
 * base/lifecycle: the life of a document as a table of (state, event, next state).
 *
 * Each room keeps one table per document and one function `<thing>_advance` that changes the state by it; nothing
 * else assigns a state. docs/lifecycles.md is printed from the same tables.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

struct transition {
        int from, event, to;
        const char *comment; /* for humans: when this happens */
};

struct lifecycle {
        const char *name;
        const char *const *states; /* as on the wire and in SQL; the index is the enum */
        size_t n_states;
        const char *const *events;
        size_t n_events;
        const struct transition *transitions;
        size_t n_transitions;
};

/* The state that follows, or false when the event is not allowed in this one. */
must_check bool lifecycle_next(const struct lifecycle *lifecycle, int from, int event, int *ret_to);

/* The state of that name, or false when there is none. */
must_check bool lifecycle_state(const struct lifecycle *lifecycle, const char *name, int *ret_state);
