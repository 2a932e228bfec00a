#include "catalog/columns.h"
#include "catalog/slots.h"
#include "db/connection.h"
#include "sql/slots.h"

#include "base/sorted.h"

#include <string.h>

void slots_init(struct slot_set *set, struct arena *arena) {
        *set = (struct slot_set){ .arena = arena };
}

static int slot_row_compare(const void *left, const void *right) {
        const struct slot_row *a = left, *b = right;
        const int by_location = strcmp(a->location, b->location);

        if (by_location)
                return by_location;
        return a->begins < b->begins ? -1 : a->begins > b->begins;
}

static void row_add(struct slot_set *set, struct slot_row row) {
        struct slot_row *rows = arena_grow(set->arena, set->rows, set->n_rows, &set->capacity, sizeof(*rows));

        set->exhausted = set->exhausted || !rows;
        if (!rows)
                return;
        set->rows = rows;
        set->rows[set->n_rows++] = row;
}

void slots_want(struct slot_set *set, const char *location, timestamp begins) {
        row_add(set, (struct slot_row){ .location = location, .begins = begins });
}

/* They come in the order of the rows. */
static enum problem rows_take(struct rows *rows, void *into) {
        const struct slot_set *set = into;
        struct binding binding;

        if (rows_count(rows) != set->n_rows)
                return FAULT_STALE;
        if (!rows_bind(rows, &slot_columns, &binding))
                return FAULT_BROKEN;
        for (size_t i = 0; i < set->n_rows; i++)
                row_fill(&binding, i, &set->rows[i]);
        return PROBLEM_NONE;
}

enum problem slots_lock(struct database *database, struct slot_set *set) {
        struct records open, lock;

        if (set->exhausted)
                return FAULT_BUSY;
        if (!set->n_rows)
                return PROBLEM_NONE;
        set->n_rows = sort_unique(set->rows, set->n_rows, sizeof(*set->rows), slot_row_compare);
        records_begin(&open, set->arena, &sql_slots_open, &slot_columns);
        records_begin(&lock, set->arena, &sql_slots_lock, &slot_columns);
        for (size_t i = 0; i < set->n_rows; i++) {
                records_add(&open, &set->rows[i]);
                records_add(&lock, &set->rows[i]);
        }
        records_ask(&open, database);
        database_ask(database, &sql_slots_lock, &lock.parameters, rows_take, set);
        return PROBLEM_NONE;
}

struct slot_row *slot_row_find(const struct slot_set *set, const char *location, timestamp begins) {
        const struct slot_row key = { .location = location, .begins = begins };

        return sorted_find(&key, set->rows, set->n_rows, sizeof(key), slot_row_compare);
}

void slots_save(struct database *database, struct slot_set *set) {
        struct records changed, unused;

        records_begin(&changed, set->arena, &sql_slots_update, &slot_columns);
        records_begin(&unused, set->arena, &sql_slots_close, &slot_columns);
        for (size_t i = 0; i < set->n_rows; i++)
                if (set->rows[i].changed)
                        records_add(&changed, &set->rows[i]);
                else if (!set->rows[i].booked)
                        records_add(&unused, &set->rows[i]);
        records_ask(&changed, database);
        records_ask(&unused, database);
}

void slots_give_back(struct database *database, struct arena *arena, const struct slot_row *places, size_t n) {
        struct records given;

        records_begin(&given, arena, &sql_slots_give_back, &slot_columns);
        for (size_t i = 0; i < n; i++)
                records_add(&given, &places[i]);
        records_ask(&given, database);
}

/* The rows have no location column: all belong to the requested location. */
static enum problem booked_take(struct rows *rows, void *into) {
        struct slot_set *set = into;
        struct slot_row *booked = rows_fill(rows, &slot_columns, set->arena);

        if (!booked)
                return FAULT_BUSY;
        for (size_t i = 0; i < rows_count(rows); i++) {
                booked[i].location = "";
                row_add(set, booked[i]);
        }
        return set->exhausted ? FAULT_BUSY : PROBLEM_NONE;
}

void slots_booked(struct database *database, struct slot_set *set, const char *location, timestamp from, timestamp to,
        duration span) {
        struct parameters p;

        parameters_init(&p, set->arena);
        parameter_text(&p, location);
        parameter_time(&p, from);
        parameter_time(&p, to);
        parameter_integer(&p, span / SECOND);
        database_ask(database, &sql_slots_booked, &p, booked_take, set);
}
