#include "db/connection.h"
#include "queue/queue.h"
#include "sql/queue.h"

static enum problem stream_events_read(struct rows *rows, void *into) {
        struct stream_part *part = into;

        part->events = arena_new_array(part->arena, struct stream_event, rows_count(rows));
        if (!part->events)
                return FAULT_BUSY;
        part->n_events = rows_count(rows);
        for (size_t i = 0; i < part->n_events; i++) {
                struct row row = row_at(rows, i);
                struct stream_event *event = &part->events[i];

                event->position = row_integer(&row);
                event->id = row_uuid(&row);
                event->type = row_text(&row);
                event->order_id = row_uuid(&row);
                event->fulfillment_id = row_uuid(&row);
                event->occurred_at = row_time(&row);
                event->data = row_text(&row);
        }
        return PROBLEM_NONE;
}

void stream_read_ask(struct database *database, struct stream_part *part, const char *location, int64_t after) {
        struct parameters p;

        parameters_init(&p, part->arena);
        parameter_text(&p, location);
        parameter_integer(&p, after);
        parameter_integer(&p, STREAM_READ_MAX);
        database_ask(database, &sql_stream_read, &p, stream_events_read, part);
}
