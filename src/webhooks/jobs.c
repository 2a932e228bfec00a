#include "webhooks/jobs.h"

#include "base/config.h"
#include "base/seal.h"
#include "base/text.h"
#include "db/connection.h"
#include "events/events.h"
#include "sql/webhooks.h"
#include "webhooks/commands_work.h"

#define DUE_BATCH 32
#define DEAD_MAX  100 /* events of one endpoint that one batch tells */

static struct event *event_of_job(
        struct batch *batch, const struct call *call, enum event_type type, const struct webhook *webhook) {
        struct event *event = event_add(batch->events, type, call->claims->subject);

        event_about(event, SUBJECT_WEBHOOK, &webhook->id, &webhook->version);
        return event;
}

/* ---- endpoints that are disabled ---- */

static enum problem to_disable_find(struct database *database, int64_t limit, struct due_documents *due) {
        struct parameters p;

        parameters_init(&p, due->arena);
        parameter_integer(&p, limit);
        parameter_integer(&p, WEBHOOK_DISABLED_AFTER / SECOND);
        database_ask(database, &sql_webhooks_to_disable, &p, due_documents_read, due);
        return PROBLEM_NONE;
}

/* Found without a lock, so the rule decides again. */
static enum problem disable_one(struct batch *batch, struct call *call) {
        struct webhook_work *work = batch->work;
        struct webhook *webhook = webhook_find(&work->set, call_id(call, 0));
        const char *reason = webhook ? webhook_disabling_reason(webhook, batch->now) : NULL;

        call->reply.status = 200;
        if (!reason || webhook_advance(webhook, WEBHOOK_DISABLE, batch->now, &call->arena, &call->refusal))
                return PROBLEM_NONE;
        webhook_work_touch(work, webhook);
        event_text(event_of_job(batch, call, EVENT_WEBHOOK_ENDPOINT_DISABLED, webhook), "reason", reason);
        return PROBLEM_NONE;
}

/* ---- events that were given up ---- */

static enum problem to_tell_find(struct database *database, int64_t limit, struct due_documents *due) {
        struct parameters p;

        parameters_init(&p, due->arena);
        parameter_integer(&p, limit);
        database_ask(database, &sql_webhooks_to_tell, &p, due_documents_read, due);
        return PROBLEM_NONE;
}

static enum problem tell_load(struct batch *batch) {
        struct uuid *ids = arena_new_array(batch->arena, struct uuid, batch->n_calls);
        enum problem p = webhook_work_load(batch);
        struct webhook_work *work = batch->work;

        if (p || !ids)
                return p ? p : FAULT_BUSY;
        for (size_t i = 0; i < batch->n_calls; i++)
                ids[i] = *call_id(batch->calls[i], 0);
        webhook_dead_read(batch->database, &work->dead, ids, batch->n_calls, DEAD_MAX);
        return PROBLEM_NONE;
}

/* An event about an endpoint that is given up for another one makes no further event: that would never end. */
static enum problem tell_one(struct batch *batch, struct call *call) {
        struct webhook_work *work = batch->work;
        const struct webhook *webhook = webhook_find(&work->set, call_id(call, 0));

        call->reply.status = 200;
        for (size_t i = 0; webhook && i < work->dead.n; i++) {
                const struct webhook_dead *dead = &work->dead.rows[i];
                struct event *event;
                char id[UUID_TEXT_SIZE];

                if (!uuid_equal(&dead->webhook_id, &webhook->id) ||
                        (dead->type && text_starts_with(dead->type, "webhook.")))
                        continue;
                uuid_format(&dead->event_id, id);
                event = event_of_job(batch, call, EVENT_WEBHOOK_DELIVERY_FAILED, webhook);
                event_integer(event, "attempts", dead->attempts);
                event_text(event, "event_id", id);
        }
        return PROBLEM_NONE;
}

static enum problem tell_save(struct batch *batch) {
        const struct webhook_work *work = batch->work;

        webhook_dead_told(batch->database, &work->dead);
        return PROBLEM_NONE;
}

/* ---- secrets under another key ---- */

static enum problem to_reseal_find(struct database *database, int64_t limit, struct due_documents *due) {
        char prefix[SEAL_PREFIX_SIZE];
        struct parameters p;

        seal_prefix(config_text(CONFIG_WEBHOOK_SEALING_KEY), prefix);
        parameters_init(&p, due->arena);
        parameter_integer(&p, limit);
        parameter_text(&p, prefix);
        database_ask(database, &sql_webhooks_to_reseal, &p, due_documents_read, due);
        return PROBLEM_NONE;
}

static void previous_forget(struct webhook *webhook, timestamp now) {
        if (webhook->previous_until == TIMESTAMP_NONE || webhook->previous_until >= now)
                return;
        webhook->secret_previous = NULL;
        webhook->previous_until = TIMESTAMP_NONE;
}

static const char *resealed(const struct webhook *webhook, const char *secret, struct arena *arena) {
        const struct sealing_keys keys = webhook_sealing_keys();
        const char *sealed = secret ? webhook_secret_reseal(&keys, &webhook->id, secret, arena) : NULL;

        return sealed ? sealed : secret;
}

/* A secret that no key opens stays: the deliverer logs it. */
static enum problem reseal_one(struct batch *batch, struct call *call) {
        struct webhook_work *work = batch->work;
        struct webhook *webhook = webhook_find(&work->set, call_id(call, 0));

        call->reply.status = 200;
        if (!webhook)
                return PROBLEM_NONE;
        previous_forget(webhook, batch->now);
        webhook->secret = resealed(webhook, webhook->secret, batch->arena);
        webhook->secret_previous = resealed(webhook, webhook->secret_previous, batch->arena);
        webhook->resealed = true;
        webhook_work_touch(work, webhook);
        return PROBLEM_NONE;
}

/* ---- the jobs ---- */

static const struct operation disable = {
        .load = webhook_work_load, .documents = webhook_work_documents, .change = disable_one, .save = webhook_work_save
};
static const struct operation tell = {
        .load = tell_load, .documents = webhook_work_documents, .change = tell_one, .save = tell_save
};
static const struct operation reseal = {
        .load = webhook_work_load, .documents = webhook_work_documents, .change = reseal_one, .save = webhook_work_save
};

static const struct route disable_route = { METHOD_POST, "(webhooks to disable)", SCOPE_ADMIN, LANE_CATALOG, DUE_BATCH,
        KEY_UNUSED, .operation = &disable };
static const struct route tell_route = { METHOD_POST, "(deliveries given up)", SCOPE_ADMIN, LANE_CATALOG, DUE_BATCH,
        KEY_UNUSED, .operation = &tell };
static const struct route reseal_route = { METHOD_POST, "(secrets to seal anew)", SCOPE_ADMIN, LANE_CATALOG, DUE_BATCH,
        KEY_UNUSED, .operation = &reseal };

const struct job webhook_jobs[] = {
        { "disable_webhooks", JOBS_TIDYING, .batch = DUE_BATCH, .find = to_disable_find, .each = &disable_route },
        { "tell_failed_deliveries", JOBS_TIDYING, .batch = DUE_BATCH, .find = to_tell_find, .each = &tell_route },
        { "reseal_webhooks", JOBS_TIDYING, .every = 10 * SECOND, .batch = DUE_BATCH, .find = to_reseal_find,
                .each = &reseal_route },
};
const size_t webhook_job_count = array_size(webhook_jobs);
