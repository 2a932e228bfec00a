/*
 * fulfillment/leaving: units on their way out of a location, handed over or shipped. For the rules of both.
 */
#pragma once

#include "fulfillment/fulfillment.h"

#include <jansson.h>

/* Units that are to leave, for each line of a fulfillment. */
struct departure {
        int64_t units[ORDER_LINES_MAX];
        bool foreign, too_many;
};

/* Add units of a request to the departure. A line that is not in the fulfillment, or units that are not picked, are
 * named in the refusal; `at` is the pointer of the list in the request. */
void departure_add(struct departure *departure, const struct fulfillment *fulfillment, const struct line_units *units,
        const char *at, size_t place, const struct command *command);

/* Add all picked units that are still here. */
void departure_rest(struct departure *departure, const struct fulfillment *fulfillment);

/* Refuse a departure with units that cannot leave. */
must_check enum problem departure_check(
        const struct departure *departure, const struct fulfillment *fulfillment, const struct command *command);

/* The units by line, into an array of ORDER_LINES_MAX; returns how many lines. */
size_t departure_lines(
        const struct departure *departure, const struct fulfillment *fulfillment, struct line_units *lines);

/* Take the units off the stock, advance by `event` when none are left, and write the event: `whole` when none are left,
 * else `part`. */
must_check enum problem departure_leave(struct fulfillment *fulfillment, const struct departure *departure,
        enum fulfillment_event event, enum event_type whole, enum event_type part, const struct command *command,
        struct event **ret_told);

/* The text of a member of a kept document; NULL when there is none. */
static inline const char *json_member_text(const json_t *object, const char *name) {
        return json_string_value(json_object_get(object, name));
}

static inline void json_tree_cleanup(json_t **tree) {
        json_decref(*tree);
}
