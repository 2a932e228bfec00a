/* Time zones for promises, as PostgreSQL knows them: read for the first location that has them, and kept for a while.
 */
#include "catalog/catalog.h"
#include "catalog/records.h"
#include "db/connection.h"

#include "base/text.h"
#include "sql/catalog.h"

#include <pthread.h>
#include <string.h>

#define ZONES_KEPT_MAX 64 /* further zones are read again each time */
#define ZONE_KEPT_FOR  (1 * HOUR)

/* All of the process; the mutex guards them. A zone is replaced whole, and readers take copies. */
static struct kept {
        struct zone zone;
        timestamp until;
} kept[ZONES_KEPT_MAX];
static size_t n_kept;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void zone_clear(struct zone *zone) {
        free((void *) zone->name);
        free((void *) zone->spans);
        *zone = (struct zone){ 0 };
}

/* A copy on the heap; false, and nothing, without memory. */
static bool zone_keep(const struct zone *zone, struct zone *ret_copy) {
        struct zone copy = { .name = strdup(zone->name), .n_spans = zone->n_spans };
        struct zone_span *spans = calloc(zone->n_spans, sizeof(*spans));

        copy.spans = spans;
        if (!copy.name || !spans) {
                zone_clear(&copy);
                return false;
        }
        memcpy(spans, zone->spans, zone->n_spans * sizeof(*spans));
        *ret_copy = copy;
        return true;
}

/* The place of a zone, also of an outdated one; the first free place for a new name; NULL when all are taken. */
static struct kept *zone_place(const char *name) {
        for (size_t i = 0; i < n_kept; i++)
                if (text_equal(kept[i].zone.name, name))
                        return &kept[i];
        return n_kept < ZONES_KEPT_MAX ? &kept[n_kept++] : NULL;
}

static void keep_all(const struct zone *zones, size_t n, timestamp until) {
        (void) pthread_mutex_lock(&mutex);
        for (size_t i = 0; i < n; i++) {
                struct kept *place = zone_place(zones[i].name);
                struct zone copy;

                if (!place || !zone_keep(&zones[i], &copy))
                        continue;
                zone_clear(&place->zone);
                *place = (struct kept){ copy, until };
        }
        (void) pthread_mutex_unlock(&mutex);
}

/* Copy the kept zones that are not outdated into the set. */
static bool recall(struct catalog_set *set, timestamp now) {
        bool complete = true;

        (void) pthread_mutex_lock(&mutex);
        set->zones = arena_new_array(set->arena, struct zone, n_kept);
        for (size_t i = 0; set->zones && complete && i < n_kept; i++) {
                const struct zone *zone = &kept[i].zone;
                struct zone *copy = &set->zones[set->n_zones];

                if (now >= kept[i].until)
                        continue;
                copy->name = arena_text(set->arena, zone->name);
                copy->spans = arena_copy(set->arena, zone->spans, zone->n_spans * sizeof(*zone->spans));
                copy->n_spans = zone->n_spans;
                complete = copy->name && copy->spans;
                set->n_zones++;
        }
        (void) pthread_mutex_unlock(&mutex);
        return set->zones && complete;
}

/* ---- reading ---- */

/* Spans of one zone are adjacent, so each zone is a run of rows. */
static bool zone_take(struct rows *rows, size_t first, size_t n, struct catalog_set *set, struct zone *ret_zone) {
        struct zone_span *spans = arena_new_array(set->arena, struct zone_span, n);

        *ret_zone = (struct zone){ .spans = spans, .n_spans = n };
        for (size_t i = 0; spans && i < n; i++) {
                struct row row = row_at(rows, first + i);

                ret_zone->name = row_text(&row);
                spans[i].begins = row_time(&row);
                spans[i].ahead = row_integer(&row) * SECOND;
        }
        return spans != NULL;
}

static size_t run_from(struct rows *rows, size_t first) {
        struct row row = row_at(rows, first);
        const char *name = row_text(&row);
        size_t n = 1;

        for (; first + n < rows_count(rows); n++) {
                struct row other = row_at(rows, first + n);

                if (!text_equal(row_text(&other), name))
                        break;
        }
        return n;
}

static enum problem zone_rules_take(struct rows *rows, void *into) {
        struct catalog_set *set = into;
        struct zone *zones = arena_new_array(set->arena, struct zone, set->n_zones + rows_count(rows));
        size_t n = set->n_zones;

        if (!zones)
                return FAULT_BUSY;
        if (n)
                memcpy(zones, set->zones, n * sizeof(*zones));
        for (size_t i = 0; i < rows_count(rows); i += zones[n++].n_spans)
                if (!zone_take(rows, i, run_from(rows, i), set, &zones[n]))
                        return FAULT_BUSY;
        set->zones = zones;
        set->n_zones = n;
        return PROBLEM_NONE;
}

static enum problem zones_take_and_keep(struct rows *rows, void *into) {
        struct catalog_set *set = into;
        const size_t n_known = set->n_zones;
        const enum problem p = zone_rules_take(rows, into);

        if (!p)
                keep_all(set->zones + n_known, set->n_zones - n_known, clock_monotonic() + ZONE_KEPT_FOR);
        return p;
}

static void zone_rules_ask(struct database *database, struct catalog_set *set, timestamp from, rows_reader reader) {
        struct array *codes, *known;
        struct parameters p;

        parameters_init(&p, set->arena);
        codes = parameter_texts(&p);
        for (size_t i = 0; i < set->wanted_locations.n; i++)
                array_text(codes, set->wanted_locations.at[i].code);
        known = parameter_texts(&p);
        for (size_t i = 0; i < set->n_zones; i++)
                array_text(known, set->zones[i].name);
        parameter_time(&p, from);
        database_ask(database, &sql_zones_read, &p, reader, set);
}

enum problem catalog_load_zones(struct database *database, struct catalog_set *set) {
        if (set->exhausted || !recall(set, clock_monotonic()))
                return FAULT_BUSY;
        zone_rules_ask(database, set, /* from= */ TIMESTAMP_NONE, zones_take_and_keep);
        return PROBLEM_NONE;
}

void zones_read(struct database *database, struct catalog_set *set, timestamp from) {
        zone_rules_ask(database, set, from, zone_rules_take);
}

bool catalog_zones_fit(const struct catalog_set *set) {
        for (size_t i = 0; i < set->n_locations; i++)
                if (set->locations[i].record.exists && !catalog_find_zone(set, set->locations[i].time_zone))
                        return false;
        return true;
}

const struct zone *catalog_find_zone(const struct catalog_set *set, const char *name) {
        for (size_t i = 0; i < set->n_zones; i++)
                if (text_equal(set->zones[i].name, name))
                        return &set->zones[i];
        return NULL;
}
