#include "notifications/store_messages.h"

#include "db/connection.h"
#include "notifications/columns.h"
#include "sql/notifications.h"

static const struct column message_columns[] = {
        { "id", UUID_AT(struct message, id) },
        { "order_id", UUID_AT(struct message, order_id) },
        { "fulfillment_id", UUID_AT(struct message, fulfillment_id), .nullable = true },
        { "refund_id", UUID_AT(struct message, refund_id), .nullable = true },
        { "event_id", UUID_AT(struct message, event_id) },
        { "kind", ENUM_AT(struct message, kind), .words = &message_kind_column },
        { "medium", ENUM_AT(struct message, medium), .words = &message_medium_column },
        { "state", ENUM_AT(struct message, state), .words = &message_state_column },
        { "channel", TEXT_AT(struct message, channel) },
        { "locale", TEXT_AT(struct message, locale) },
        { "recipient", TEXT_AT(struct message, recipient) },
        { "message_id", TEXT_AT(struct message, message_id) },
        { "answer", TEXT_AT(struct message, answer) },
        { "actor", TEXT_AT(struct message, actor) },
        { "attempts", INTEGER_AT(struct message, attempts) },
        { "due_at", TIME_AT(struct message, due_at) },
        { "created_at", TIME_AT(struct message, created_at) },
        { "updated_at", TIME_AT(struct message, updated_at) },
        { "sent_at", TIME_AT(struct message, sent_at) },
};
const struct columns notification_columns = { "notifications", COLUMNS(struct message, message_columns) };

static const struct column outcome_columns[] = {
        { "id", UUID_AT(struct message_outcome, id) },
        { "attempts", INTEGER_AT(struct message_outcome, attempts) },
        { "counted", INTEGER_AT(struct message_outcome, counted) },
        { "state", ENUM_AT(struct message_outcome, state), .words = &message_state_column },
        { "due_at", TIME_AT(struct message_outcome, due_at) },
        { "sent_at", TIME_AT(struct message_outcome, sent_at) },
        { "answer", TEXT_AT(struct message_outcome, answer) },
};
const struct columns notification_outcome_columns = { "notification_outcomes",
        COLUMNS(struct message_outcome, outcome_columns) };

/* ---- planning ---- */

static enum problem progress_take(struct rows *rows, void *into) {
        struct planning_progress *progress = into;
        struct row row = row_at(rows, 0);

        progress->is_ours = rows_count(rows) > 0;
        if (progress->is_ours)
                progress->position = row_integer(&row);
        return PROBLEM_NONE;
}

void planning_lock(struct database *database, struct planning_progress *progress) {
        database_ask(database, &sql_notification_progress_lock, NULL, progress_take, progress);
}

void planning_save(struct database *database, struct arena *arena, int64_t position) {
        struct parameters p;

        parameters_init(&p, arena);
        parameter_integer(&p, position);
        database_ask(database, &sql_notification_progress_save, &p, NULL, NULL);
}

void messages_insert(struct database *database, const struct message_list *list) {
        struct records records;

        records_begin(&records, list->arena, &sql_notifications_insert, &notification_columns);
        for (size_t i = 0; i < list->n; i++)
                records_add(&records, &list->at[i]);
        records_ask(&records, database);
}

/* ---- reading ---- */

static enum problem messages_take(struct rows *rows, void *into) {
        struct message_list *list = into;

        list->at = rows_fill(rows, &notification_columns, list->arena);
        list->n = list->at ? rows_count(rows) : 0;
        for (size_t i = 0; i < list->n; i++)
                list->at[i].version = 1;
        return list->at ? PROBLEM_NONE : FAULT_BUSY;
}

void messages_lease(struct database *database, const struct uuid *instance, int64_t limit, struct message_list *list) {
        struct parameters p;

        parameters_init(&p, list->arena);
        parameter_uuid(&p, instance);
        parameter_integer(&p, limit);
        parameter_integer(&p, MESSAGE_LEASE / SECOND);
        database_ask(database, &sql_notifications_lease, &p, messages_take, list);
}

void messages_of_orders_ask(
        struct database *database, const struct uuid *order_ids, size_t n, struct message_list *list) {
        struct parameters p;
        struct array *ids;

        parameters_init(&p, list->arena);
        ids = parameter_uuids(&p);
        for (size_t i = 0; i < n; i++)
                array_uuid(ids, &order_ids[i]);
        parameter_integer(&p, MESSAGES_OF_ORDER);
        database_ask(database, &sql_notifications_of_order, &p, messages_take, list);
}

/* ---- outcomes ---- */

static enum problem message_ids_take(struct rows *rows, void *into) {
        struct message_ids *ids = into;

        ids->at = arena_new_array(ids->arena, struct uuid, rows_count(rows) + 1);
        if (!ids->at)
                return FAULT_BUSY;
        ids->n = rows_count(rows);
        for (size_t i = 0; i < ids->n; i++) {
                struct row row = row_at(rows, i);

                ids->at[i] = row_uuid(&row);
        }
        return PROBLEM_NONE;
}

void outcomes_save(struct database *database, const struct uuid *instance, const struct message_outcome *list, size_t n,
        timestamp now, struct message_ids *saved) {
        struct records records;
        struct parameters *p = &records.parameters;

        records_begin(&records, saved->arena, &sql_notifications_save, &notification_outcome_columns);
        for (size_t i = 0; i < n; i++)
                records_add(&records, &list[i]);
        parameter_uuid(p, instance);
        parameter_time(p, now);
        if (n)
                database_ask(database, &sql_notifications_save, p, message_ids_take, saved);
}
