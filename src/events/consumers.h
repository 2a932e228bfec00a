/*
 * events/consumers: readers of the log whose position the service keeps, by name.
 *
 * A consumer reads pages of events and commits the cursor after its own write. With `expected`, a commit compares and
 * sets, so of two processes with one name only one moves it.
 */
#pragma once

#include "events/log.h"

#define CONSUMER_TYPES_MAX 64 /* patterns of one consumer */

struct consumer {
        const char *name;
        const char *types; /* patterns, separated by commas; NULL: all */
        int64_t position, version;
        double lag_s; /* age of the first event that it has not committed; 0: none. Only when it was read */
        timestamp updated_at;
        bool is_new, changed, removed;
};

struct consumer_set {
        struct arena *arena;
        struct consumer *rows; /* that exist */
        size_t n;
};

/* Queue: lock, or read with its lag, the consumers of these names; repeated or not, known or not. */
void consumers_lock(struct database *database, struct consumer_set *set, const char *const *names, size_t n);
void consumers_read(struct database *database, struct consumer_set *set, const char *const *names, size_t n);

/* Queue: the next consumers by name, with their lag, from behind `after` (NULL: the first) on. */
void consumers_page(struct database *database, struct consumer_set *set, const char *after, int64_t limit);

/* Queue: insert those of these consumers that are new, update those that have changed, and delete the removed ones. */
void consumers_save(struct database *database, struct arena *arena, struct consumer *const *consumers, size_t n);

/* Queue: move the consumer if it still has the expected position. `ret_moved` is false if another process has moved it,
 * or if there is none. */
void consumer_move(struct database *database, struct arena *arena, const char *name, int64_t expected, int64_t position,
        bool *ret_moved);
