#include "db/columns.h"
#include "db/connection.h"
#include "events/columns.h"
#include "events/log.h"
#include "sql/events.h"

#include <string.h>

static const struct column columns[] = {
        { "position", INTEGER_AT(struct log_event, position) },
        { "id", UUID_AT(struct log_event, id) },
        { "type", TEXT_AT(struct log_event, type) },
        { "subject_kind", TEXT_AT(struct log_event, subject_kind) },
        { "subject_id", TEXT_AT(struct log_event, subject_id) },
        { "order_id", UUID_AT(struct log_event, order_id), .nullable = true },
        { "location", TEXT_AT(struct log_event, location) },
        { "channel", TEXT_AT(struct log_event, channel) },
        { "occurred_at", TIME_AT(struct log_event, occurred_at) },
        { "data", JSONB_AT(struct log_event, data) },
};
const struct columns log_event_columns = { "log_events", COLUMNS(struct log_event, columns) };

static enum problem bounds_read(struct rows *rows, void *into) {
        struct log_bounds *bounds = into;

        if (rows_count(rows)) {
                struct row row = row_at(rows, 0);

                bounds->position = row_integer(&row);
                bounds->first = row_integer(&row);
        }
        return PROBLEM_NONE;
}

void event_log_bounds_ask(struct database *database, struct log_bounds *bounds) {
        database_ask(database, &sql_event_log_bounds, NULL, bounds_read, bounds);
}

static enum problem events_read(struct rows *rows, void *into) {
        struct log_page *page = into;

        page->events = rows_fill(rows, &log_event_columns, page->arena);
        page->n = page->events ? rows_count(rows) : 0;
        return page->events ? PROBLEM_NONE : FAULT_BUSY;
}

static void parameter_types(struct parameters *p, const struct log_filter *filter) {
        struct array *names;

        if (!filter->types) {
                parameter_null(p);
                return;
        }
        names = parameter_texts(p);
        for (size_t i = 0; i < filter->n_types; i++)
                array_text(names, event_types[filter->types[i]].name);
}

/* The locations whose events pass; null: all. */
static void parameter_locations(struct parameters *p, const struct log_filter *filter) {
        struct array *codes;

        if (!filter->location && !filter->some_locations) {
                parameter_null(p);
                return;
        }
        codes = parameter_texts(p);
        if (filter->location)
                array_text(codes, filter->location);
        for (size_t i = 0; !filter->location && i < filter->n_locations; i++)
                array_text(codes, filter->locations[i]);
}

static void subject_ask(struct database *database, const struct log_filter *filter, struct log_page *page) {
        const size_t kind_size = strcspn(filter->subject, "/");
        struct parameters p;

        parameters_init(&p, page->arena);
        parameter_integer(&p, filter->after);
        parameter_text(&p, arena_text_sized(page->arena, filter->subject, kind_size));
        parameter_text(&p, filter->subject + kind_size + (filter->subject[kind_size] == '/'));
        parameter_types(&p, filter);
        parameter_locations(&p, filter);
        parameter_text(&p, filter->channel);
        parameter_integer(&p, filter->limit);
        database_ask(database, &sql_event_log_of_subject, &p, events_read, page);
}

static void location_ask(struct database *database, const struct log_filter *filter, struct log_page *page) {
        struct parameters p;

        parameters_init(&p, page->arena);
        parameter_integer(&p, filter->after);
        parameter_text_list(&p, subject_kinds, SUBJECT_KIND_COUNT);
        parameter_text(&p, filter->location);
        parameter_integer(&p, filter->limit);
        database_ask(database, &sql_event_log_at_location, &p, events_read, page);
}

void event_log_page_ask(struct database *database, const struct log_filter *filter, struct log_page *page) {
        struct parameters p;

        if (filter->subject) {
                subject_ask(database, filter, page);
                return;
        }
        if (filter->location && !filter->types && !filter->channel) {
                location_ask(database, filter, page);
                return;
        }
        parameters_init(&p, page->arena);
        parameter_integer(&p, filter->after);
        parameter_types(&p, filter);
        parameter_locations(&p, filter);
        parameter_text(&p, filter->channel);
        parameter_integer(&p, filter->limit);
        database_ask(database, &sql_event_log_page, &p, events_read, page);
}
