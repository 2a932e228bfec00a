/*
 * webhooks/commands_work: the endpoints of a batch, for the commands of the room.
 */
#pragma once

#include "engine/batch.h"
#include "engine/cursor.h"
#include "events/log.h"
#include "webhooks/webhooks.h"

struct snapshot;

/* The work of one batch. */
struct webhook_work {
        struct webhook_set set;
        struct cursor_key key;
        struct log_bounds bounds;
        struct webhook **touched;
        size_t n_touched;
        struct webhook_test *tests; /* that calls ask for */
        size_t n_tests;
        struct webhook_dead_set dead; /* of a job */
};

/* Begin the work of a batch, as batch->work. */
must_check enum problem webhook_work_begin(struct batch *batch, struct webhook_work **ret_work);

/* Of operations on endpoints that exist: lock those of all paths; keep the one of a call; write what has changed. */
enum problem webhook_work_load(struct batch *batch);
void webhook_work_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot);
enum problem webhook_work_save(struct batch *batch);

/* The same without locks, for reads. */
enum problem webhook_work_read(struct batch *batch);

/* Save the endpoint with the batch. */
void webhook_work_touch(struct webhook_work *work, struct webhook *webhook);

/* The endpoint of the call's path; refuses when there is none, or the bearer may not see it. */
struct webhook *webhook_of(const struct batch *batch, struct call *call);

/* Whether the bearer covers all that the endpoint gets. */
bool webhook_is_visible(const struct call *call, const struct webhook *webhook);

/* Write the members of an endpoint. */
void webhook_write(struct writer *json, const struct webhook *webhook, const struct cursor_key *key);

/* Answer the call with the endpoint; `secret` only in the reply that makes it, else NULL. */
void webhook_reply(
        struct batch *batch, struct call *call, const struct webhook *webhook, unsigned status, const char *secret);

/* The keys of the settings. */
struct sealing_keys webhook_sealing_keys(void);

/* Give the endpoint a fresh secret, which only its text shows. False without memory. */
must_check bool webhook_secret_make(struct webhook *webhook, struct arena *arena, char text[WEBHOOK_SECRET_TEXT_SIZE]);
