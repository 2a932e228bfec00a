#include "db/connection.h"
#include "sourcing/columns.h"
#include "sourcing/sourcing.h"

#include "base/text.h"
#include "sql/sourcing.h"
#include "sql/transaction.h"

#include <math.h>

void sourcing_init(struct sourcing *sourcing, struct arena *arena) {
        *sourcing = (struct sourcing){ .arena = arena };
        stock_init(&sourcing->shelves, arena);
        catalog_init(&sourcing->catalog, arena);
}

void sourcing_want(struct sourcing *sourcing, const struct sourcing_search *search) {
        struct sourcing_search *searches = arena_grow(
                sourcing->arena, sourcing->searches, sourcing->n_searches, &sourcing->capacity, sizeof(*searches));

        if (!searches) {
                sourcing->exhausted = true;
                return;
        }
        sourcing->searches = searches;
        searches[sourcing->n_searches++] = *search;
}

struct sourcing_search *sourcing_find(const struct sourcing *sourcing, const void *owner) {
        for (size_t i = 0; i < sourcing->n_searches; i++)
                if (sourcing->searches[i].owner == owner)
                        return &sourcing->searches[i];
        return NULL;
}

/* ---- stock of the candidates ---- */

/* A question, or a stock row that answers it. */
struct sourcing_shelf {
        /* the question: */
        const char *capability, *near;
        struct position place;
        bool elsewhere;
        int64_t radius_km, units;
        /* the answer: */
        int64_t number; /* of the question, from 1 */
        struct stock_row row;
        bool has_distance;
        double distance;
};

static const struct column in_sourcing_shelf[] = {
        { "sku", TEXT_AT(struct sourcing_shelf, row.sku) },
        { "units", INTEGER_AT(struct sourcing_shelf, units) },
        { "capability", TEXT_AT(struct sourcing_shelf, capability) },
        { "latitude", NUMBER_AT(struct sourcing_shelf, place.latitude),
                .has = HAS(struct sourcing_shelf, place.known) },
        { "longitude", NUMBER_AT(struct sourcing_shelf, place.longitude),
                .has = HAS(struct sourcing_shelf, place.known) },
        { "near", TEXT_AT(struct sourcing_shelf, near) },
        { "elsewhere", BOOLEAN_AT(struct sourcing_shelf, elsewhere) },
        { "radius_km", INTEGER_AT(struct sourcing_shelf, radius_km) },
        { "number", INTEGER_AT(struct sourcing_shelf, number) },
        { "location", TEXT_AT(struct sourcing_shelf, row.location) },
        { "on_hand", INTEGER_AT(struct sourcing_shelf, row.on_hand) },
        { "unsellable", INTEGER_AT(struct sourcing_shelf, row.unsellable) },
        { "reserved", INTEGER_AT(struct sourcing_shelf, row.reserved) },
        { "safety_stock", INTEGER_AT(struct sourcing_shelf, row.safety_stock) },
        { "exists", BOOLEAN_AT(struct sourcing_shelf, row.exists) },
        { "distance", NUMBER_AT(struct sourcing_shelf, distance), .has = HAS(struct sourcing_shelf, has_distance) },
};
const struct columns sourcing_shelf_columns = { "sourcing_shelves", COLUMNS(struct sourcing_shelf, in_sourcing_shelf) };

static const char *capability_name(enum capability capability) {
        size_t bit = 0;

        while (capability_names[bit] && !(capability & 1u << bit))
                bit++;
        return capability_names[bit];
}

/* Wanted units of the SKU of a need; 0 when a need before it has the same. */
static int64_t units_of_sku(const struct sourcing_search *search, size_t place) {
        const char *sku = search->needs[place].sku;
        int64_t units = 0;

        for (size_t i = 0; i < search->n_needs; i++) {
                if (!text_equal(search->needs[i].sku, sku))
                        continue;
                if (i < place)
                        return 0;
                units += search->needs[i].quantity;
        }
        return units;
}

/* One question for each SKU. */
static void search_ask(struct sourcing *sourcing, struct sourcing_search *search, struct records *questions) {
        for (size_t i = 0; i < search->n_needs; i++) {
                struct sourcing_shelf question = { .capability = capability_name(search->capability),
                        .near = search->near,
                        .place = search->place,
                        .elsewhere = search->elsewhere,
                        .radius_km = search->radius_km,
                        .units = units_of_sku(search, i),
                        .row.sku = search->needs[i].sku };

                if (!question.units)
                        continue;
                sourcing->asked[questions->n] = search;
                records_add(questions, &question);
        }
}

static enum problem candidate_add(
        struct sourcing *sourcing, struct sourcing_search *search, const char *code, double distance) {
        struct candidate *candidates;

        /* They come sorted by location. */
        if (search->n_candidates && text_equal(search->candidates[search->n_candidates - 1].code, code))
                return PROBLEM_NONE;
        candidates = arena_grow(
                sourcing->arena, search->candidates, search->n_candidates, &search->capacity, sizeof(*candidates));
        if (!candidates)
                return FAULT_BUSY;
        search->candidates = candidates;
        candidates[search->n_candidates++] = (struct candidate){ .code = code, .distance = distance };
        catalog_want_location(&sourcing->catalog, code);
        return PROBLEM_NONE;
}

/* Several searches may have asked for the same row. */
static void shelf_add(struct stock *shelves, const struct stock_row *shelf) {
        const struct stock_row *last = shelves->n_rows ? &shelves->rows[shelves->n_rows - 1] : NULL;

        if (last && text_equal(last->location, shelf->location) && text_equal(last->sku, shelf->sku))
                return;
        shelves->rows[shelves->n_rows++] = *shelf;
}

static enum problem shelves_read(struct rows *rows, void *into) {
        struct sourcing *sourcing = into;
        const size_t n = rows_count(rows);
        const struct sourcing_shelf *shelves = rows_fill(rows, &sourcing_shelf_columns, sourcing->arena);
        enum problem p = PROBLEM_NONE;

        sourcing->shelves.rows = arena_new_array(sourcing->arena, struct stock_row, n);
        if (!shelves || !sourcing->shelves.rows)
                return FAULT_BUSY;
        for (size_t i = 0; i < n && !p; i++) {
                const struct sourcing_shelf *shelf = &shelves[i];

                shelf_add(&sourcing->shelves, &shelf->row);
                p = candidate_add(sourcing, sourcing->asked[shelf->number - 1], shelf->row.location,
                        shelf->has_distance ? shelf->distance : INFINITY);
        }
        return p;
}

static enum problem shelves_ask(struct sourcing *sourcing, struct database *database, timestamp deadline) {
        struct records questions;
        size_t n_needs = 0;

        for (size_t i = 0; i < sourcing->n_searches; i++)
                n_needs += sourcing->searches[i].n_needs;
        sourcing->asked = arena_new_array(sourcing->arena, struct sourcing_search *, n_needs);
        if (!sourcing->asked)
                return FAULT_BUSY;
        records_begin(&questions, sourcing->arena, &sql_sourcing_shelves, &sourcing_shelf_columns);
        for (size_t i = 0; i < sourcing->n_searches; i++)
                search_ask(sourcing, &sourcing->searches[i], &questions);
        if (!questions.n)
                return PROBLEM_NONE;
        parameter_integer(&questions.parameters, SOURCING_SHELVES_MAX);
        database_ask(database, &sql_sourcing_shelves, &questions.parameters, shelves_read, sourcing);
        return database_trip(database, deadline);
}

/* ---- records of the candidates ---- */

static enum problem candidates_ask(struct sourcing *sourcing, struct database *database, timestamp deadline) {
        enum problem p;

        if (!sourcing->shelves.n_rows)
                return PROBLEM_NONE;
        p = catalog_load(database, &sourcing->catalog);
        if (!p)
                p = catalog_load_zones(database, &sourcing->catalog);
        database_ask_clock(database, &sourcing->now);
        if (!p)
                p = database_trip(database, deadline);
        return p || catalog_zones_fit(&sourcing->catalog) ? p : FAULT_STALE;
}

static void candidates_resolve(const struct sourcing *sourcing, struct sourcing_search *search) {
        size_t n = 0;

        for (size_t i = 0; i < search->n_candidates; i++) {
                struct candidate *candidate = &search->candidates[n];

                *candidate = search->candidates[i];
                candidate->location = catalog_find_location(&sourcing->catalog, candidate->code);
                if (!candidate->location)
                        continue;
                candidate->zone = catalog_find_zone(&sourcing->catalog, candidate->location->time_zone);
                n++;
        }
        search->n_candidates = n;
        candidates_sort(search->candidates, n);
}

enum problem sourcing_read(struct sourcing *sourcing, struct database *database, timestamp deadline) {
        enum problem p = sourcing->exhausted ? FAULT_BUSY : shelves_ask(sourcing, database, deadline);

        if (!p)
                p = candidates_ask(sourcing, database, deadline);
        for (size_t i = 0; i < sourcing->n_searches && !p; i++)
                candidates_resolve(sourcing, &sourcing->searches[i]);
        return p;
}

enum problem sourcing_foresee(struct sourcing *sourcing, struct sourcing_search *search, struct sourcing_need *needs,
        size_t n_needs, struct stock *stock) {
        struct sourcing_plan plan;
        enum problem p;

        candidates_promise(search, sourcing->now);
        p = sourcing_choose(search, needs, n_needs, &sourcing->shelves, &plan);
        if (p)
                return p;
        for (size_t i = 0; i < plan.n_parts; i++)
                stock_want(stock, plan.parts[i].row->location, plan.parts[i].row->sku);
        search->left = plan.left;
        return PROBLEM_NONE;
}
