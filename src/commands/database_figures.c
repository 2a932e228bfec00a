#include "commands/database_figures.h"

#include "base/config.h"
#include "base/exposition.h"
#include "base/text.h"
#include "db/connection.h"
#include "sql/figures.h"

#include <stdio.h>

#define TEXT_SIZE_MAX ((size_t) 1024 * 1024)
#define STATUS_COUNT  6
#define LABELS_SIZE   (2 * EXPOSITION_LABEL_MAX)

struct queue {
        char place[EXPOSITION_LABEL_MAX]; /* a label; "" when all locations are one */
        int64_t depth[STATUS_COUNT];      /* as in `statuses` */
        int64_t overdue;
        double oldest_s, longest_wait_s;
};

/* Standbys of one name are added up, because Prometheus would keep only one of two series with the same labels. */
struct standbys {
        char name[EXPOSITION_LABEL_MAX]; /* a label */
        bool is_known;                   /* the lag of the last one is known */
        double lag_s, lag_bytes;
};

struct follower {
        char name[EXPOSITION_LABEL_MAX]; /* a label; "" when all consumers are one */
        int64_t lag_events;
        double lag_s;
};

struct webhook_figures {
        int64_t states[3]; /* as in `webhook_states` */
        int64_t failing, lag_events, waiting, given_up;
        double lag_s;
};

struct figures {
        struct arena *arena; /* the call's */
        struct queue *queues;
        struct follower *followers;
        struct standbys standbys[FIGURES_STANDBYS_MAX]; /* by name */
        size_t n_queues, n_followers, n_standbys;
        struct webhook_figures webhooks;
        int64_t database_size, lock_waiting, mails_waiting, standbys_connected;
        double mails_oldest_s, oldest_transaction_s, outbox_lag_s;
};

/* In the order of the columns. */
static const char *const statuses[STATUS_COUNT] = { "allocated", "arrived", "on_the_way", "packed", "picking",
        "ready" };

static const char *const webhook_states[] = { "active", "paused", "disabled" };

/* ---- asking ---- */

static enum problem queues_read(struct rows *rows, void *into) {
        struct figures *figures = into;

        figures->queues = arena_new_array(figures->arena, struct queue, rows_count(rows));
        if (!figures->queues && rows_count(rows))
                return FAULT_BUSY;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct queue *queue = &figures->queues[figures->n_queues++];
                struct row row = row_at(rows, i);
                const char *place = row_text(&row);

                if (place)
                        exposition_label("location", place, queue->place);
                for (size_t status = 0; status < STATUS_COUNT; status++)
                        queue->depth[status] = row_integer(&row);
                queue->overdue = row_integer(&row);
                queue->oldest_s = row_number(&row);
                queue->longest_wait_s = row_number(&row);
        }
        return PROBLEM_NONE;
}

static enum problem outbox_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        ((struct figures *) into)->outbox_lag_s = row_number(&row);
        return PROBLEM_NONE;
}

static enum problem followers_read(struct rows *rows, void *into) {
        struct figures *figures = into;

        figures->followers = arena_new_array(figures->arena, struct follower, rows_count(rows));
        if (!figures->followers && rows_count(rows))
                return FAULT_BUSY;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct follower *follower = &figures->followers[figures->n_followers++];
                struct row row = row_at(rows, i);
                const char *name = row_text(&row);

                if (name)
                        exposition_label("consumer", name, follower->name);
                follower->lag_events = row_integer(&row);
                follower->lag_s = row_number(&row);
        }
        return PROBLEM_NONE;
}

static enum problem mails_read(struct rows *rows, void *into) {
        struct figures *figures = into;
        struct row row = row_at(rows, 0);

        figures->mails_waiting = row_integer(&row);
        figures->mails_oldest_s = row_number(&row);
        return PROBLEM_NONE;
}

static enum problem webhook_figures_read(struct rows *rows, void *into) {
        struct webhook_figures *webhooks = &((struct figures *) into)->webhooks;
        struct row row = row_at(rows, 0);

        for (size_t i = 0; i < array_size(webhook_states); i++)
                webhooks->states[i] = row_integer(&row);
        webhooks->failing = row_integer(&row);
        webhooks->lag_events = row_integer(&row);
        webhooks->lag_s = row_number(&row);
        webhooks->waiting = row_integer(&row);
        webhooks->given_up = row_integer(&row);
        return PROBLEM_NONE;
}

static enum problem sessions_read(struct rows *rows, void *into) {
        struct figures *figures = into;
        struct row row = row_at(rows, 0);

        figures->database_size = row_integer(&row);
        figures->lock_waiting = row_integer(&row);
        figures->oldest_transaction_s = row_number(&row);
        return PROBLEM_NONE;
}

static enum problem standbys_read(struct rows *rows, void *into) {
        struct figures *figures = into;

        for (size_t i = 0; i < rows_count(rows) && i < FIGURES_STANDBYS_MAX; i++) {
                struct standbys *standby = &figures->standbys[figures->n_standbys++];
                struct row row = row_at(rows, i);

                exposition_label("standby", row_text(&row), standby->name);
                standby->is_known = !row_is_null(&row);
                standby->lag_s = row_number(&row);
                standby->lag_bytes = row_number(&row);
                figures->standbys_connected += row_integer(&row);
        }
        return PROBLEM_NONE;
}

static enum problem figures_load(struct batch *batch) {
        struct figures *figures = arena_new(&batch->calls[0]->arena, struct figures);
        struct parameters consumers, locations, standbys;

        if (!figures)
                return FAULT_BUSY;
        figures->arena = &batch->calls[0]->arena;
        batch->work = figures;
        parameters_init(&locations, batch->arena);
        parameter_integer(&locations, FIGURES_LOCATIONS_MAX);
        parameters_init(&consumers, batch->arena);
        parameter_integer(&consumers, FIGURES_CONSUMERS_MAX);
        parameters_init(&standbys, batch->arena);
        parameter_integer(&standbys, FIGURES_STANDBYS_MAX);
        database_ask(batch->database, &sql_figures_queue, &locations, queues_read, figures);
        database_ask(batch->database, &sql_figures_outbox, NULL, outbox_read, figures);
        database_ask(batch->database, &sql_figures_consumers, &consumers, followers_read, figures);
        database_ask(batch->database, &sql_figures_mails, NULL, mails_read, figures);
        database_ask(batch->database, &sql_figures_webhooks, NULL, webhook_figures_read, figures);
        database_ask(batch->database, &sql_figures_sessions, NULL, sessions_read, figures);
        database_ask(batch->database, &sql_figures_standbys, &standbys, standbys_read, figures);
        return PROBLEM_NONE;
}

/* ---- writing ---- */

static void write_depth(struct buffer *out, const struct figures *figures) {
        static const char name[] = "holdfast_queue_depth";
        char labels[LABELS_SIZE];

        exposition_head(out, name, "gauge", "Fulfillments in the queues by status");
        for (size_t i = 0; i < figures->n_queues; i++)
                for (size_t status = 0; status < STATUS_COUNT; status++) {
                        const char *place = figures->queues[i].place;

                        (void) snprintf(labels, sizeof(labels), "%s%sstatus=\"%s\"", place, *place ? "," : "",
                                statuses[status]);
                        exposition_integer(out, name, labels, figures->queues[i].depth[status]);
                }
}

static void write_queues(struct buffer *out, const struct figures *figures) {
        static const char overdue[] = "holdfast_queue_overdue", oldest[] = "holdfast_queue_oldest_seconds",
                          wait[] = "holdfast_queue_customer_wait_seconds";

        write_depth(out, figures);
        exposition_head(out, overdue, "gauge", "Fulfillments not ready after their promised time");
        for (size_t i = 0; i < figures->n_queues; i++)
                exposition_integer(out, overdue, figures->queues[i].place, figures->queues[i].overdue);
        exposition_head(out, oldest, "gauge", "Age of the oldest fulfillment that is not ready");
        for (size_t i = 0; i < figures->n_queues; i++)
                exposition_number(out, oldest, figures->queues[i].place, figures->queues[i].oldest_s);
        exposition_head(out, wait, "gauge", "Longest waiting time of a customer at the store");
        for (size_t i = 0; i < figures->n_queues; i++)
                exposition_number(out, wait, figures->queues[i].place, figures->queues[i].longest_wait_s);
}

static void write_followers(struct buffer *out, const struct figures *figures) {
        static const char events[] = "holdfast_consumer_lag_events", seconds[] = "holdfast_consumer_lag_seconds";

        exposition_head(out, events, "gauge", "Events that a consumer of the log has not committed");
        for (size_t i = 0; i < figures->n_followers; i++)
                exposition_integer(out, events, figures->followers[i].name, figures->followers[i].lag_events);
        exposition_head(out, seconds, "gauge", "Age of the first kept event that a consumer has not committed");
        for (size_t i = 0; i < figures->n_followers; i++)
                exposition_number(out, seconds, figures->followers[i].name, figures->followers[i].lag_s);
        exposition_gauge(out, "holdfast_event_log_retention_seconds", "Time for which events are kept in the log",
                (double) config_integer(CONFIG_RETENTION_EVENT_LOG) / SECOND);
}

static void write_standbys(struct buffer *out, const struct figures *figures) {
        static const char seconds[] = "holdfast_db_replication_lag_seconds",
                          bytes[] = "holdfast_db_replication_lag_bytes";

        exposition_gauge(
                out, "holdfast_db_standbys", "Standbys that are connected", (double) figures->standbys_connected);
        exposition_head(out, seconds, "gauge", "Lag of a standby, the last one of its name");
        for (size_t i = 0; i < figures->n_standbys; i++)
                if (figures->standbys[i].is_known)
                        exposition_number(out, seconds, figures->standbys[i].name, figures->standbys[i].lag_s);
        exposition_head(out, bytes, "gauge", "Bytes that a standby has not replayed yet, the last one of its name");
        for (size_t i = 0; i < figures->n_standbys; i++)
                if (figures->standbys[i].is_known)
                        exposition_number(out, bytes, figures->standbys[i].name, figures->standbys[i].lag_bytes);
}

static void write_webhooks(struct buffer *out, const struct webhook_figures *webhooks) {
        static const char endpoints[] = "holdfast_webhook_endpoints";
        char labels[LABELS_SIZE];

        exposition_head(out, endpoints, "gauge", "Webhooks by state");
        for (size_t i = 0; i < array_size(webhook_states); i++) {
                (void) snprintf(labels, sizeof(labels), "state=\"%s\"", webhook_states[i]);
                exposition_integer(out, endpoints, labels, webhooks->states[i]);
        }
        exposition_gauge(out, "holdfast_webhook_endpoints_failing", "Active webhooks without a success since a failure",
                (double) webhooks->failing);
        exposition_gauge(out, "holdfast_webhook_lag_events", "Events that the slowest active webhook is behind",
                (double) webhooks->lag_events);
        exposition_gauge(out, "holdfast_webhook_lag_seconds",
                "Age of the oldest event that an active webhook has not got", webhooks->lag_s);
        exposition_gauge(out, "holdfast_webhook_events_waiting", "Events that failed, or wait for a failed one",
                (double) webhooks->waiting);
        exposition_gauge(out, "holdfast_webhook_events_given_up", "Events that were given up, of the last 30 days",
                (double) webhooks->given_up);
}

static void database_figures_publish(const void *result) {
        const struct figures *figures = result;
        struct buffer out;

        buffer_init(&out, figures->arena, TEXT_SIZE_MAX);
        write_queues(&out, figures);
        exposition_gauge(&out, "holdfast_outbox_lag_seconds",
                "Waiting time of the oldest event without a place in a stream", figures->outbox_lag_s);
        write_followers(&out, figures);
        exposition_gauge(&out, "holdfast_mail_queue_length", "Messages to customers that wait to be sent",
                (double) figures->mails_waiting);
        exposition_gauge(&out, "holdfast_mail_queue_oldest_seconds", "Age of the oldest message that waits to be sent",
                figures->mails_oldest_s);
        write_webhooks(&out, &figures->webhooks);
        exposition_gauge(
                &out, "holdfast_db_lock_waiting", "Sessions that wait for a lock now", (double) figures->lock_waiting);
        exposition_gauge(&out, "holdfast_db_oldest_transaction_seconds", "Age of the oldest open transaction",
                figures->oldest_transaction_s);
        exposition_gauge(&out, "holdfast_db_size_bytes", "Size of the database", (double) figures->database_size);
        write_standbys(&out, figures);
        exposition_gauge(&out, "holdfast_figures_timestamp_seconds",
                "Time of the figures of queues and database, as Unix time", (double) clock_wall() / SECOND);
        if (!out.failed)
                gauges_publish(GAUGES_DATABASE, buffer_text(&out), out.size);
}

/* ---- the job ---- */

static enum problem figures_decide(struct batch *batch) {
        return job_answer(batch->calls[0], 0, batch->work) ? PROBLEM_NONE : FAULT_BUSY;
}

static const struct operation operation = { .load = figures_load, .decide = figures_decide };
static const struct route route = { .path = "(figures)", .batch = 1, .operation = &operation };

const struct job figures_jobs[] = {
        { .thread = JOBS_TIDYING,
                .every = FIGURES_EVERY,
                .batch = 1,
                .route = &route,
                .done = database_figures_publish },
};
const size_t figures_job_count = array_size(figures_jobs);
