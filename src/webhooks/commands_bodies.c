#include "webhooks/commands_bodies.h"

#include "base/config.h"
#include "base/text.h"
#include "engine/delivery.h"
#include "events/commands.h"
#include "webhooks/commands.h"

#include <string.h>

#define DESCRIPTION_MAX 200
#define CURSOR_TEXT_MAX 1024
#define LIST_TEXT_MAX   ((size_t) 16 * 1024)

static const struct shape_member body_members[] = {
        OPTIONAL_CODES(struct webhook_body, channels, 1, WEBHOOK_PLACES_MAX),
        OPTIONAL(TEXT, struct webhook_body, description, BETWEEN(1, DESCRIPTION_MAX)),
        OPTIONAL_CODES(struct webhook_body, locations, 1, WEBHOOK_PLACES_MAX),
        OPTIONAL_FLAGGED(INTEGER, struct webhook_body, max_in_flight, BETWEEN(1, WEBHOOK_IN_FLIGHT_MAX)),
        OPTIONAL(ENUM, struct webhook_body, mode, .names = webhook_modes),
        COUNTED(TEXT_LIST, true, struct webhook_body, types, BETWEEN(1, WEBHOOK_TYPES_MAX)),
        REQUIRED(TEXT, struct webhook_body, url, BETWEEN(1, URL_SIZE_MAX)),
};
const struct shape webhook_body_shape = SHAPE(struct webhook_body, body_members);

static const struct shape_member rotation_members[] = {
        OPTIONAL_FLAGGED(DURATION, struct rotation_body, overlap, BETWEEN(0, WEBHOOK_OVERLAP_MAX)),
};
const struct shape webhook_rotation_shape = SHAPE(struct rotation_body, rotation_members);

static const struct shape_member replay_members[] = {
        OPTIONAL_FLAGGED(UUID, struct replay_body, event_id),
        OPTIONAL(TEXT, struct replay_body, from, BETWEEN(1, CURSOR_TEXT_MAX)),
        OPTIONAL(BOOLEAN, struct replay_body, only_failed),
        OPTIONAL(TEXT, struct replay_body, to, BETWEEN(1, CURSOR_TEXT_MAX)),
        COUNTED(TEXT_LIST, false, struct replay_body, types, BETWEEN(1, WEBHOOK_TYPES_MAX)),
};
const struct shape webhook_replay_shape = SHAPE(struct replay_body, replay_members);

const struct shape webhook_nothing_shape = { .size = 1 };

static void check_url(struct call *call, const char *url) {
        struct networks allowed = { 0 };
        const char *reason = NULL;
        enum url_fault fault;

        if (!networks_parse(config_text(CONFIG_WEBHOOK_ALLOW_CIDRS), &allowed))
                allowed.n = 0;
        fault = delivery_url_check(url, &allowed, &reason);
        if (fault == URL_REFUSED) {
                call_refuse(call, PROBLEM_URL_NOT_ALLOWED, "The URL %s. Use https, a public host and port 443 or 8443.",
                        reason);
        } else if (fault == URL_MALFORMED) {
                (void) refuse_because(&call->refusal, &call->arena, "#/url", "malformed",
                        "A URL looks like https://shop.example/events; it has no fragment.");
                call_refuse(call, PROBLEM_VALIDATION_FAILED, "The URL is malformed.");
        }
}

/* A bearer that is bound to locations or a channel makes endpoints for these alone. */
static void check_bearer(struct call *call, const struct webhook_body *body) {
        const struct token_claims *claims = call->claims;

        if (!claims->all_locations && !body->n_locations)
                call_refuse(call, PROBLEM_STORE_NOT_ALLOWED, "Name the locations; the token does not cover all.");
        for (size_t i = 0; i < body->n_locations; i++)
                if (!call_may_act_at(call, body->locations[i]))
                        return;
        if (claims->channel && !body->n_channels)
                call_refuse(call, PROBLEM_CHANNEL_NOT_ALLOWED, "Name the channel; the token is bound to %s.",
                        claims->channel);
        for (size_t i = 0; i < body->n_channels; i++)
                if (!call_may_act_for(call, body->channels[i]))
                        return;
}

void webhook_body_check(struct call *call) {
        const struct webhook_body *body = call->body;

        event_patterns_check(call, body->types, body->n_types);
        if (!call->refusal.problem)
                check_url(call, body->url);
        if (!call->refusal.problem)
                check_bearer(call, body);
}

const char *webhook_texts_join(const char **texts, size_t n, struct arena *arena) {
        struct buffer joined;

        buffer_init(&joined, arena, LIST_TEXT_MAX);
        for (size_t i = 0; i < n; i++) {
                buffer_append_text(&joined, i ? " " : "");
                buffer_append_text(&joined, texts[i]);
        }
        return n && !joined.failed ? buffer_text(&joined) : NULL;
}

bool webhook_body_take(const struct webhook_body *body, struct arena *arena, struct webhook *webhook) {
        webhook->url = body->url;
        webhook->types = webhook_texts_join(body->types, body->n_types, arena);
        webhook->locations = webhook_texts_join(body->locations, body->n_locations, arena);
        webhook->channels = webhook_texts_join(body->channels, body->n_channels, arena);
        webhook->description = body->description;
        webhook->mode = body->mode < 0 ? WEBHOOK_ORDERED : (enum webhook_mode) body->mode;
        webhook->max_in_flight = body->has_max_in_flight ? body->max_in_flight : WEBHOOK_IN_FLIGHT_DEFAULT;
        return webhook->types && !webhook->locations == !body->n_locations && !webhook->channels == !body->n_channels;
}
