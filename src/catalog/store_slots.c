#include "catalog/slots.h"
#include "db/connection.h"
#include "sql/slots.h"

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

static void slot_rows_sort(struct slot_set *set) {
        size_t n = 0;

        qsort(set->rows, set->n_rows, sizeof(*set->rows), slot_row_compare);
        for (size_t i = 0; i < set->n_rows; i++)
                if (!n || slot_row_compare(&set->rows[n - 1], &set->rows[i]) != 0)
                        set->rows[n++] = set->rows[i];
        set->n_rows = n;
}

static enum problem rows_take(struct rows *rows, void *into) {
        const struct slot_set *set = into;

        if (rows_count(rows) != set->n_rows)
                return FAULT_STALE;
        for (size_t i = 0; i < set->n_rows; i++) {
                struct row row = row_at(rows, i);

                (void) row_text(&row);
                (void) row_time(&row);
                set->rows[i].booked = row_integer(&row);
        }
        return PROBLEM_NONE;
}

static bool has_changed(const struct slot_row *row) {
        return row->changed;
}

static bool is_unused(const struct slot_row *row) {
        return !row->booked;
}

static void names_begin(struct parameters *p, struct arena *arena, const struct slot_row *rows, size_t n,
        bool (*which)(const struct slot_row *)) {
        struct array *locations, *beginnings;

        parameters_init(p, arena);
        locations = parameter_texts(p);
        beginnings = parameter_times(p);
        for (size_t i = 0; i < n; i++) {
                if (which && !which(&rows[i]))
                        continue;
                array_text(locations, rows[i].location);
                array_time(beginnings, rows[i].begins);
        }
}

enum problem slots_lock(struct database *database, struct slot_set *set) {
        struct parameters open, lock;

        if (set->exhausted)
                return FAULT_BUSY;
        if (!set->n_rows)
                return PROBLEM_NONE;
        slot_rows_sort(set);
        names_begin(&open, set->arena, set->rows, set->n_rows, /* which= */ NULL);
        database_ask(database, &sql_slots_open, &open, NULL, NULL);
        names_begin(&lock, set->arena, set->rows, set->n_rows, /* which= */ NULL);
        database_ask(database, &sql_slots_lock, &lock, rows_take, set);
        return PROBLEM_NONE;
}

struct slot_row *slot_row_find(const struct slot_set *set, const char *location, timestamp begins) {
        const struct slot_row key = { .location = location, .begins = begins };

        return set->n_rows ? bsearch(&key, set->rows, set->n_rows, sizeof(key), slot_row_compare) : NULL;
}

void slots_save(struct database *database, struct slot_set *set) {
        struct array *booked;
        struct parameters p, unused;
        size_t n_unused = 0;

        names_begin(&p, set->arena, set->rows, set->n_rows, has_changed);
        booked = parameter_integers(&p);
        for (size_t i = 0; i < set->n_rows; i++)
                if (has_changed(&set->rows[i]))
                        array_integer(booked, set->rows[i].booked);
                else
                        n_unused += is_unused(&set->rows[i]);
        if (booked->n)
                database_ask(database, &sql_slots_update, &p, NULL, NULL);
        if (!n_unused)
                return;
        names_begin(&unused, set->arena, set->rows, set->n_rows, is_unused);
        database_ask(database, &sql_slots_close, &unused, NULL, NULL);
}

void slots_give_back(struct database *database, struct arena *arena, const struct slot_row *places, size_t n) {
        struct parameters p;

        if (!n)
                return;
        names_begin(&p, arena, places, n, /* which= */ NULL);
        database_ask(database, &sql_slots_give_back, &p, NULL, NULL);
}

/* The rows have no location column: all belong to the requested location. */
static enum problem booked_take(struct rows *rows, void *into) {
        struct slot_set *set = into;

        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                struct slot_row slot = { .location = "" };

                slot.begins = row_time(&row);
                slot.booked = row_integer(&row);
                row_add(set, slot);
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
