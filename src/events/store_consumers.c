#include "db/columns.h"
#include "db/connection.h"
#include "events/columns.h"
#include "events/consumers.h"
#include "sql/events.h"

static const struct column columns[] = {
        { "name", TEXT_AT(struct consumer, name) },
        { "types", TEXT_AT(struct consumer, types) },
        { "position", INTEGER_AT(struct consumer, position) },
        { "version", INTEGER_AT(struct consumer, version) },
        { "lag_s", NUMBER_AT(struct consumer, lag_s) },
        { "updated_at", TIME_AT(struct consumer, updated_at) },
};
const struct columns consumer_columns = { "consumers", COLUMNS(struct consumer, columns) };

static enum problem consumers_taken(struct rows *rows, void *into) {
        struct consumer_set *set = into;

        set->rows = rows_fill(rows, &consumer_columns, set->arena);
        set->n = set->rows ? rows_count(rows) : 0;
        return set->rows ? PROBLEM_NONE : FAULT_BUSY;
}

static void consumers_ask(struct database *database, struct consumer_set *set, const struct statement *statement,
        const char *const *names, size_t n) {
        struct parameters p;

        parameters_init(&p, set->arena);
        parameter_text_list(&p, names, n);
        database_ask(database, statement, &p, consumers_taken, set);
}

void consumers_lock(struct database *database, struct consumer_set *set, const char *const *names, size_t n) {
        consumers_ask(database, set, &sql_consumers_lock, names, n);
}

void consumers_read(struct database *database, struct consumer_set *set, const char *const *names, size_t n) {
        consumers_ask(database, set, &sql_consumers_read, names, n);
}

void consumers_page(struct database *database, struct consumer_set *set, const char *after, int64_t limit) {
        struct parameters p;

        parameters_init(&p, set->arena);
        parameter_text(&p, after);
        parameter_integer(&p, limit);
        database_ask(database, &sql_consumers_page, &p, consumers_taken, set);
}

void consumers_save(struct database *database, struct arena *arena, struct consumer *const *consumers, size_t n) {
        struct records added, changed;
        struct parameters p;
        struct array *removed;
        size_t n_removed = 0;

        parameters_init(&p, arena);
        removed = parameter_texts(&p);
        records_begin(&added, arena, &sql_consumers_insert, &consumer_columns);
        records_begin(&changed, arena, &sql_consumers_update, &consumer_columns);
        for (size_t i = 0; i < n; i++)
                if (consumers[i]->removed && !consumers[i]->is_new) {
                        array_text(removed, consumers[i]->name);
                        n_removed++;
                } else if (consumers[i]->changed && !consumers[i]->removed)
                        records_add(consumers[i]->is_new ? &added : &changed, consumers[i]);
        records_ask(&added, database);
        records_ask(&changed, database);
        if (n_removed)
                database_ask(database, &sql_consumers_delete, &p, NULL, NULL);
}

static enum problem move_read(struct rows *rows, void *into) {
        *(bool *) into = rows_count(rows) == 1;
        return PROBLEM_NONE;
}

void consumer_move(struct database *database, struct arena *arena, const char *name, int64_t expected, int64_t position,
        bool *ret_moved) {
        struct parameters p;

        parameters_init(&p, arena);
        parameter_text(&p, name);
        parameter_integer(&p, expected);
        parameter_integer(&p, position);
        database_ask(database, &sql_consumer_move, &p, move_read, ret_moved);
}
