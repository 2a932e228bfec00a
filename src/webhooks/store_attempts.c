#include "db/connection.h"
#include "sql/webhooks.h"
#include "webhooks/attempts.h"
#include "webhooks/columns.h"

static const struct column attempt_columns[] = {
        { "webhook_id", UUID_AT(struct webhook_attempt, webhook_id) },
        { "event_id", UUID_AT(struct webhook_attempt, event_id) },
        { "at", TIME_AT(struct webhook_attempt, at) },
        { "position", INTEGER_AT(struct webhook_attempt, position) },
        { "attempt", INTEGER_AT(struct webhook_attempt, attempt) },
        { "is_ok", BOOLEAN_AT(struct webhook_attempt, is_ok) },
        { "status", INTEGER_AT(struct webhook_attempt, status) },
        { "ms", INTEGER_AT(struct webhook_attempt, ms) },
        { "answer", TEXT_AT(struct webhook_attempt, answer) },
        { "error", TEXT_AT(struct webhook_attempt, error) },
        { "next_at", TIME_AT(struct webhook_attempt, next_at) },
};
const struct columns webhook_attempt_columns = { "webhook_attempts", COLUMNS(struct webhook_attempt, attempt_columns) };

void attempts_store(struct database *database, struct arena *arena, const struct attempts *attempts) {
        struct records records;

        records_begin(&records, arena, &sql_webhook_attempts_save, &webhook_attempt_columns);
        for (size_t i = 0; i < attempts->n; i++)
                records_add(&records, &attempts->list[i]);
        records_ask(&records, database);
}

static enum problem attempts_take(struct rows *rows, void *into) {
        struct attempt_page *page = into;

        page->rows = rows_fill(rows, &webhook_attempt_columns, page->arena);
        page->n = page->rows ? rows_count(rows) : 0;
        return page->rows ? PROBLEM_NONE : FAULT_BUSY;
}

/* Each filter has its index. A filter for both looks at the attempts of one event, which are few. */
void attempts_page_ask(struct database *database, const struct attempt_filter *filter, struct attempt_page *page) {
        struct parameters p;

        parameters_init(&p, page->arena);
        parameter_uuid(&p, &filter->webhook_id);
        parameter_time(&p, filter->after);
        parameter_uuid(&p, filter->after == TIMESTAMP_NONE ? NULL : &filter->after_id);
        parameter_integer(&p, filter->limit);
        if (filter->has_result)
                parameter_boolean(&p, filter->is_ok);
        else
                parameter_null(&p);
        if (filter->has_event_id)
                parameter_uuid(&p, &filter->event_id);
        database_ask(database,
                filter->has_event_id ? &sql_webhook_attempts_of_event
                : filter->has_result ? &sql_webhook_attempts_by_result
                                     : &sql_webhook_attempts_page,
                &p, attempts_take, page);
}
