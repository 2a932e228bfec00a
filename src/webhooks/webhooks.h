/*
 * webhooks: endpoints of integrators that get the events of the log by POST.
 *
 * An endpoint is a document with a filter. Its progress, a cursor in the log, is a row beside it, so that deliveries
 * do not change the version of the document. Lists of the filter are text, separated by spaces; NULL: no filter.
 */
#pragma once

#include "base/enum_column.h"
#include "base/problem.h"
#include "base/uuid.h"

#define WEBHOOKS_MAX              1000 /* of one market */
#define WEBHOOK_TYPES_MAX         50
#define WEBHOOK_PLACES_MAX        100 /* locations, channels */
#define WEBHOOK_IN_FLIGHT_MAX     32
#define WEBHOOK_IN_FLIGHT_DEFAULT 8
#define WEBHOOK_SECRET_SIZE       ((size_t) 32)
#define WEBHOOK_SECRET_TEXT_SIZE  52             /* "whsec_", base64 and the NUL */
#define WEBHOOK_HINT_SIZE         10             /* characters of the secret that stay visible */
#define WEBHOOK_TESTS_MAX         10             /* of one endpoint that wait */
#define WEBHOOK_PING              "webhook.ping" /* the type of a test event, which is in no log */
#define WEBHOOK_DISABLED_AFTER    (5 * DAY)      /* without a success */
#define WEBHOOK_OVERLAP_MAX       (7 * DAY)
#define WEBHOOK_OVERLAP_DEFAULT   (1 * DAY)

enum webhook_state { WEBHOOK_ACTIVE, WEBHOOK_PAUSED, WEBHOOK_DISABLED };
enum webhook_event { WEBHOOK_PAUSE, WEBHOOK_RESUME, WEBHOOK_DISABLE };
enum webhook_mode { WEBHOOK_ORDERED, WEBHOOK_PARALLEL };

extern const struct lifecycle webhook_lifecycle;
extern const char *const webhook_modes[]; /* NULL behind the last */

struct webhook {
        struct uuid id;
        const char *url, *types;
        const char *locations, *channels, *description; /* each may be NULL */
        enum webhook_mode mode;
        int64_t max_in_flight;
        enum webhook_state state;
        const char *secret; /* as base/seal.h keeps it */
        const char *secret_hint;
        const char *secret_previous; /* signs besides until `previous_until`; NULL: there is none */
        timestamp previous_until;
        const char *actor; /* the subject that made it */
        timestamp created_at, updated_at;
        int64_t version;
        /* Its progress. */
        int64_t cursor, head; /* positions of the log: of the last event done, of the newest */
        timestamp failing_since, last_success_at;
        int64_t gone_version; /* of the document that answered 410; 0: none */
        int64_t tests_waiting;
        struct uuid test_id; /* of a test event that an instance has taken */
        /* Events that are sent once more; replay_id is nil: none. */
        struct uuid replay_id;
        int64_t after_position, until_position;
        const char *replay_types;            /* NULL: all */
        bool only_failed;                    /* those that were given up */
        bool replayed;                       /* the replay is new, to be inserted */
        bool resealed;                       /* its secrets are sealed anew */
        bool is_new, changed, resumed, gone; /* to be inserted, updated, begun again, deleted */
};

struct webhook_set {
        struct arena *arena;
        struct webhook *rows; /* by id */
        size_t n;
        int64_t total; /* endpoints of the market, when asked for */
};

/* A test event that a client asks for. */
struct webhook_test {
        struct uuid event_id, webhook_id;
        timestamp created_at;
};

/* An event that was given up, and that no event tells yet. */
struct webhook_dead {
        struct uuid webhook_id, event_id;
        int64_t position, attempts;
        const char *type; /* NULL: the log no longer has it */
};

struct webhook_dead_set {
        struct arena *arena;
        struct webhook_dead *rows; /* by endpoint */
        size_t n;
};

/* ---- pure rules ---- */

/* Why an active endpoint is disabled: "gone" or "failing"; NULL: it is not. */
const char *webhook_disabling_reason(const struct webhook *webhook, timestamp now);

/* The only place where the state changes. INVALID_TRANSITION names the state. */
enum problem webhook_advance(
        struct webhook *webhook, enum webhook_event event, timestamp now, struct arena *arena, struct refusal *refusal);

/* Whether the endpoint gets an event of this type, location and channel; each of the latter may be NULL. An event
 * without a location passes no filter of locations. */
bool webhook_takes(const char *types, const char *locations, const char *channels, const char *type,
        const char *location, const char *channel);

/* Whether a list that is separated by spaces has the word. */
bool webhook_list_has(const char *list, const char *word);

/* The text of a secret: "whsec_" and base64. */
void webhook_secret_format(const uint8_t secret[WEBHOOK_SECRET_SIZE], char text[WEBHOOK_SECRET_TEXT_SIZE]);

/* The key that seals secrets, and the one before it; each may be NULL. */
struct sealing_keys {
        const char *now, *before;
};

/* Open a secret with either key. False: neither opens it, or there is no memory. */
must_check bool webhook_secret_open(const struct sealing_keys *keys, const struct uuid *id, const char *sealed,
        struct arena *arena, uint8_t ret_secret[WEBHOOK_SECRET_SIZE]);

/* The secret under the present key; NULL: neither key opens it, or there is no memory. */
must_check const char *webhook_secret_reseal(
        const struct sealing_keys *keys, const struct uuid *id, const char *sealed, struct arena *arena);

/* The value of webhook-signature (Standard Webhooks 1.0.0): "v1," and base64 of HMAC-SHA256 over "id.seconds.body". */
#define WEBHOOK_SIGNATURE_SIZE 48
must_check bool webhook_sign(const uint8_t *secret, size_t secret_size, const char *id, int64_t seconds,
        const char *body, size_t body_size, char text[WEBHOOK_SIGNATURE_SIZE]);

/* ---- store ---- */

struct database;

/* Queue: the endpoints of these ids, by id; `locked` for a change. */
void webhooks_read(struct database *database, struct webhook_set *set, const struct uuid *ids, size_t n, bool locked);
struct webhook *webhook_find(const struct webhook_set *set, const struct uuid *id);

/* Queue: endpoints after this id, `limit` at most. */
void webhooks_page_ask(struct database *database, struct webhook_set *set, const struct uuid *after, int64_t limit);

/* Queue: count all endpoints, and let no other transaction add one before this one ends. */
void webhooks_count_locked(struct database *database, struct webhook_set *set);

/* Queue: write what has changed, and tell the deliverers of all instances. */
void webhooks_save(struct database *database, struct arena *arena, struct webhook *const *list, size_t n);

/* Queue: the events of these endpoints that were given up, `limit` of each at most; mark those that events tell. */
void webhook_dead_read(
        struct database *database, struct webhook_dead_set *set, const struct uuid *ids, size_t n, int64_t limit);
void webhook_dead_told(struct database *database, const struct webhook_dead_set *set);

/* Queue: write test events, and tell the deliverers. */
void webhook_tests_save(struct database *database, struct arena *arena, const struct webhook_test *list, size_t n);

/* Queue: for each time the last position of the log that was published before it, in `ret_positions`. */
void webhook_positions_ask(
        struct database *database, struct arena *arena, const timestamp *times, size_t n, int64_t *ret_positions);

/* Queue: the position of an event that the endpoint has had an attempt of; `ret_position` stays when there is none. */
void webhook_position_ask(struct database *database, struct arena *arena, const struct uuid *webhook_id,
        const struct uuid *event_id, int64_t *ret_position);

#define TOPIC_WEBHOOKS "webhooks" /* raised by each change of an endpoint (events/topics.h) */
