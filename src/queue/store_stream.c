#include "db/connection.h"
#include "queue/columns.h"
#include "queue/queue.h"
#include "sql/queue.h"

static enum problem stream_events_read(struct rows *rows, void *into) {
        struct stream_part *part = into;

        part->events = rows_fill(rows, &stream_event_columns, part->arena);
        part->n_events = rows_count(rows);
        return part->events ? PROBLEM_NONE : FAULT_BUSY;
}

void stream_read_ask(struct database *database, struct stream_part *part, const char *location, int64_t after) {
        struct parameters p;

        parameters_init(&p, part->arena);
        parameter_text(&p, location);
        parameter_integer(&p, after);
        parameter_integer(&p, STREAM_READ_MAX);
        database_ask(database, &sql_stream_read, &p, stream_events_read, part);
}
