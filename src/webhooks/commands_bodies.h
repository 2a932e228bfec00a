/*
 * webhooks/commands_bodies: bodies that clients send, for the commands of the room.
 */
#pragma once

#include "engine/call.h"
#include "webhooks/webhooks.h"

struct webhook_body {
        const char **channels, **locations, **types;
        size_t n_channels, n_locations, n_types;
        const char *description, *url; /* description may be NULL */
        int64_t max_in_flight;
        bool has_max_in_flight;
        int mode; /* -1: the default */
};

struct rotation_body {
        duration overlap;
        bool has_overlap;
};

struct replay_body {
        const char *from, *to; /* cursors or times */
        const char **types;
        size_t n_types;
        struct uuid event_id;
        bool has_event_id, only_failed;
};

/* The texts with a space between, in the arena; NULL: none, or no memory. */
const char *webhook_texts_join(const char **texts, size_t n, struct arena *arena);

/* Write the members of the body into the endpoint; texts in the arena. False without memory. */
must_check bool webhook_body_take(const struct webhook_body *body, struct arena *arena, struct webhook *webhook);
