#include "events/store_publish.h"

#include "base/text.h"
#include "db/connection.h"
#include "events/topics.h"
#include "events/types.h"
#include "sql/events.h"

/* Add each name of the list that is separated by spaces. */
static void names_add(struct array *names, const char *list, struct arena *arena) {
        const char *part;
        size_t size;

        while (text_next_part(&list, ' ', &part, &size)) {
                const char *name = arena_text_sized(arena, part, size);

                if (name)
                        array_text(names, name);
        }
}

/* The types that have members for the timeline alone, and those members. */
static void parameter_kept(struct parameters *p, struct arena *arena) {
        struct array *names = parameter_texts(p);

        for (enum event_type type = 0; type < EVENT_TYPE_COUNT; type++)
                if (*event_types[type].kept)
                        array_text(names, event_types[type].name);
        names = parameter_texts(p);
        for (enum event_type type = 0; type < EVENT_TYPE_COUNT; type++)
                names_add(names, event_types[type].kept, arena);
}

static enum problem published_read(struct rows *rows, void *into) {
        struct publisher *publisher = into;

        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                const char *topic = row_text(&row);
                const int64_t position = row_integer(&row);

                notes_add(&publisher->topics, topic);
                if (position > publisher->position)
                        publisher->position = position;
                publisher->n = (uint64_t) row_integer(&row);
        }
        return PROBLEM_NONE;
}

static enum problem log_end_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(int64_t *) into = row_integer(&row);
        return PROBLEM_NONE;
}

/* There must be a partition for each position of a turn. */
static enum problem log_extend(
        struct publisher *publisher, struct database *database, struct arena *arena, timestamp deadline) {
        struct parameters p;

        if (publisher->end >= publisher->position + LOG_SPARE / 2)
                return PROBLEM_NONE;
        parameters_init(&p, arena);
        parameter_integer(&p, LOG_SPARE);
        database_begin(database);
        database_ask(database, &sql_event_log_extend, &p, log_end_read, &publisher->end);
        database_commit(database);
        return database_trip(database, deadline);
}

/* Positions must survive a crash, because clients resume by them: this transaction does wait for the disk. After a
 * fault the end of the log is read again: another publisher may have come near it. */
enum problem events_publish(
        struct publisher *publisher, struct database *database, struct arena *arena, timestamp deadline) {
        struct parameters p;
        enum problem problem;

        publisher->topics = (struct notes){ 0 };
        publisher->n = 0;
        problem = log_extend(publisher, database, arena, deadline);
        if (!problem) {
                parameters_init(&p, arena);
                parameter_integer(&p, PUBLISHED_AT_ONCE);
                parameter_kept(&p, arena);
                database_begin(database);
                database_ask(database, &sql_events_publish, &p, published_read, publisher);
                database_commit(database);
                problem = database_trip(database, deadline);
        }
        publisher->is_full = !problem && publisher->n >= PUBLISHED_AT_ONCE;
        if (problem)
                publisher->end = 0;
        return problem;
}
