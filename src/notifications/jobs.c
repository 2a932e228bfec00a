#include "notifications/jobs.h"

#include "base/log.h"
#include "base/snapshot.h"
#include "base/text.h"
#include "db/connection.h"
#include "events/log.h"
#include "notifications/mailer.h"
#include "notifications/store_messages.h"

#define EVENTS_PLANNED 100 /* at once */

struct planning {
        struct planning_progress progress;
        struct log_filter filter;
        enum event_type types[EVENT_TYPE_COUNT];
        struct log_page page;
        struct order_set orders;
        struct catalog_set catalog;
        struct message_list messages;
        int64_t next;
        bool has_more;
};

/* ---- loading ---- */

static enum problem planning_begin(struct batch *batch, struct planning *planning) {
        planning->page.arena = batch->arena;
        planning->messages.arena = batch->arena;
        orders_init(&planning->orders, batch->arena, NULL);
        catalog_init(&planning->catalog, batch->arena);
        planning_lock(batch->database, &planning->progress);
        event_log_bounds_ask(batch->database, &planning->page.bounds);
        return batch_trip(batch);
}

/* Events that the log no longer has, or has no longer after a restore, cause no messages. */
static int64_t planning_position(const struct planning *planning) {
        const struct log_bounds *bounds = &planning->page.bounds;

        if (event_log_can_resume(bounds, planning->progress.position))
                return planning->progress.position;
        log_event(LOG_LEVEL_WARNING, "events without messages, the log no longer has them", LOG_INTEGER, "after",
                planning->progress.position, LOG_END);
        return bounds->first && planning->progress.position < bounds->position ? bounds->first - 1 : bounds->position;
}

static enum problem page_load(struct batch *batch, struct planning *planning) {
        planning->filter = (struct log_filter){ .after = planning_position(planning),
                .limit = EVENTS_PLANNED,
                .types = planning->types,
                .n_types = message_event_types(planning->types) };
        event_log_page_ask(batch->database, &planning->filter, &planning->page);
        return batch_trip(batch);
}

static enum problem planned_orders_load(struct batch *batch, struct planning *planning) {
        enum problem p;

        for (size_t i = 0; i < planning->page.n; i++)
                orders_want(&planning->orders, &planning->page.events[i].order_id);
        p = orders_read(batch->database, &planning->orders);
        if (!p)
                p = batch_trip(batch);
        if (p)
                return p;
        for (size_t i = 0; i < planning->orders.n_rows; i++)
                catalog_want_channel(&planning->catalog, planning->orders.rows[i].channel);
        return catalog_load(batch->database, &planning->catalog);
}

static enum problem plan_load(struct batch *batch) {
        struct planning *planning = arena_new(batch->arena, struct planning);
        enum problem p;

        if (!planning)
                return FAULT_BUSY;
        batch->work = planning;
        p = planning_begin(batch, planning);
        if (p || !planning->progress.is_ours || planning->progress.position == planning->page.bounds.position)
                return p;
        p = page_load(batch, planning);
        if (p)
                return p;
        planning->next = event_log_next(&planning->filter, &planning->page, &planning->has_more);
        return planning->page.n ? planned_orders_load(batch, planning) : PROBLEM_NONE;
}

/* ---- deciding ---- */

/* No document changes; the list of messages is made anew by each attempt. */
static void plan_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        (void) call;
        snapshot_one(snapshot, (struct planning *) batch->work);
}

static struct uuid planned_fulfillment(const struct log_event *event) {
        struct uuid id;

        if (!text_equal(event->subject_kind, subject_kinds[SUBJECT_FULFILLMENT]) || !uuid_parse(event->subject_id, &id))
                return (struct uuid){ 0 };
        return id;
}

static void event_plan(const struct batch *batch, struct planning *planning, const struct log_event *event) {
        const struct order *order = order_find(&planning->orders, &event->order_id);
        const struct message_cause cause = { .type = event->type,
                .data = event->data,
                .event_id = event->id,
                .fulfillment_id = planned_fulfillment(event),
                .occurred_at = event->occurred_at };

        if (order)
                messages_plan(&planning->messages, &cause, order,
                        catalog_find_channel(&planning->catalog, order->channel), config_text(CONFIG_SMTP_URL) != NULL,
                        batch->now);
}

static enum problem plan_all(struct batch *batch, struct call *call) {
        struct planning *planning = batch->work;
        struct message_list *messages = &planning->messages;

        for (size_t i = 0; i < planning->page.n; i++)
                event_plan(batch, planning, &planning->page.events[i]);
        for (size_t i = 0; i < messages->n; i++) {
                messages->at[i].id = uuid_new();
                if (messages->at[i].state == MESSAGE_REQUESTED)
                        (void) message_tell(batch->events, &messages->at[i], EVENT_NOTIFICATION_REQUESTED);
        }
        if (messages->exhausted ||
                !job_answer(call, planning->has_more ? EVENTS_PLANNED : messages->n, messages->n ? messages : NULL))
                return FAULT_BUSY;
        return PROBLEM_NONE;
}

static enum problem plan_save(struct batch *batch) {
        const struct planning *planning = batch->work;

        messages_insert(batch->database, &planning->messages);
        if (planning->next)
                planning_save(batch->database, batch->arena, planning->next);
        return PROBLEM_NONE;
}

static void plan_done(const void *messages) {
        if (messages)
                mailer_wake();
}

static const struct operation plan = {
        .load = plan_load, .documents = plan_documents, .change = plan_all, .save = plan_save
};
static const struct route plan_route = { .path = "(plan messages)", .batch = 1, .operation = &plan };

const struct job notification_jobs[] = {
        { "plan_messages", JOBS_TIDYING, .batch = EVENTS_PLANNED, .route = &plan_route, .done = plan_done },
};
const size_t notification_job_count = array_size(notification_jobs);
