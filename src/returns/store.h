/*
 * returns/store: queries that only the routes of the room need.
 */
#pragma once

#include "returns/returns.h"

/* The arguments of the readers of one set. */
struct returns_reading {
        struct return_set *set;
        struct order_set *orders;
};

/* ---- look-up of the order of a return, or of an order number ---- */

struct return_target {
        struct uuid id;     /* of the return */
        const char *number; /* of the order */
        struct uuid order_id;
        const char *location; /* of the return */
};

struct return_targets {
        struct arena *arena;
        bool by_number;
        struct return_target *rows;
        size_t n_rows;
};

/* Queue: the values read never change, so they need no lock. */
void return_targets_by_id(
        struct database *database, struct return_targets *targets, const struct uuid *const *ids, size_t n);
void return_targets_by_number(
        struct database *database, struct return_targets *targets, const char *const *numbers, size_t n);

/* Queue: the days of some orders at some locations. */
void left_days_read(struct database *database, struct left_days *days, const struct uuid *const *order_ids,
        const char *const *locations, size_t n);

/* ---- lists ---- */

/* A filter of returns; a member that is NULL, or all_locations, does not restrict. */
struct return_filter {
        const struct uuid *order_id;
        const char *order_number, *return_number, *location, *channel;
        const char *const *statuses;
        size_t n_statuses;
        bool all_locations;
        const char *const *locations;
        size_t n_locations;
        timestamp after_time; /* TIMESTAMP_NONE: from the start */
        struct uuid after_id;
        int64_t limit;
};

struct listed_return {
        struct uuid id, order_id;
        timestamp created_at;
};

struct return_page {
        struct arena *arena;
        struct listed_return *rows;
        size_t n;
};

/* Queue: the page, newest first. */
void return_page_load(struct database *database, const struct return_filter *filter, struct return_page *page);
