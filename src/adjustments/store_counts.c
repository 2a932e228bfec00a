/* Movements since a count, and movements that an imported figure overrides. */
#include "adjustments/adjustments.h"
#include "db/connection.h"
#include "sql/adjustments.h"

bool counts_want(struct counts *counts, struct adjustment *item) {
        struct adjustment **items;

        if (!item->has_counted_at)
                return true;
        items = arena_grow(counts->arena, counts->items, counts->n, &counts->capacity, sizeof(struct adjustment *));
        if (!items)
                return false;
        counts->items = items;
        items[counts->n++] = item;
        return true;
}

static enum problem moved_read(struct rows *rows, void *into) {
        struct counts *counts = into;

        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);

                counts->items[i]->moved = row_integer(&row);
        }
        return PROBLEM_NONE;
}

void counts_ask(struct counts *counts, struct database *database) {
        struct array *locations, *skus, *times;
        struct parameters p;

        if (!counts->n)
                return;
        parameters_init(&p, counts->arena);
        locations = parameter_texts(&p);
        skus = parameter_texts(&p);
        times = parameter_times(&p);
        for (size_t i = 0; i < counts->n; i++) {
                array_text(locations, counts->items[i]->location);
                array_text(skus, counts->items[i]->sku);
                array_time(times, counts->items[i]->counted_at);
        }
        database_ask(database, &sql_adjustments_moved_since, &p, moved_read, counts);
}

enum problem counts_peek(struct counts *counts, struct database *database, timestamp deadline) {
        if (!counts->n)
                return PROBLEM_NONE;
        counts_ask(counts, database);
        return database_trip(database, deadline);
}

static enum problem overridden_read(struct rows *rows, void *into) {
        int64_t *overridden = into;

        if (rows_count(rows)) {
                struct row row = row_at(rows, 0);

                *overridden = row_integer(&row);
        }
        return PROBLEM_NONE;
}

enum problem overridden_ask(struct database *database, struct arena *arena, const struct imported_figure *figures,
        size_t n, int64_t *ret_overridden) {
        struct array *locations, *skus, *documents;
        struct parameters p;

        parameters_init(&p, arena);
        locations = parameter_texts(&p);
        skus = parameter_texts(&p);
        documents = parameter_texts(&p);
        for (size_t i = 0; i < n; i++) {
                char id[UUID_TEXT_SIZE];
                const char *document;

                uuid_format(&figures[i].movement, id);
                document = arena_format(arena, "adjustment/%s", id);
                if (!document)
                        return FAULT_BUSY;
                array_text(locations, figures[i].location);
                array_text(skus, figures[i].sku);
                array_text(documents, document);
        }
        database_ask(database, &sql_adjustments_overridden, &p, overridden_read, ret_overridden);
        return PROBLEM_NONE;
}
