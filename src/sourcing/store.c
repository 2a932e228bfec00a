#include "db/connection.h"
#include "sourcing/sourcing.h"

#include "base/text.h"
#include "sql/sourcing.h"
#include "sql/transaction.h"

#include <math.h>

void sourcing_init(struct sourcing *sourcing, struct arena *arena, int64_t radius_km) {
        *sourcing = (struct sourcing){ .arena = arena, .radius_km = radius_km };
        orders_init(&sourcing->orders, arena, NULL);
        stock_init(&sourcing->shelves, arena);
        catalog_init(&sourcing->catalog, arena);
}

void sourcing_want(struct sourcing *sourcing, const void *owner, const struct uuid *fulfillment_id,
        const struct line_units *lines, size_t n_lines) {
        struct search *searches = arena_grow(
                sourcing->arena, sourcing->searches, sourcing->n_searches, &sourcing->capacity, sizeof(*searches));

        if (!searches) {
                sourcing->exhausted = true;
                return;
        }
        sourcing->searches = searches;
        searches[sourcing->n_searches++] = (struct search){
                .owner = owner, .fulfillment_id = *fulfillment_id, .lines = lines, .n_lines = n_lines
        };
        orders_want_fulfillment(&sourcing->orders, fulfillment_id);
}

struct search *sourcing_find(const struct sourcing *sourcing, const void *owner) {
        for (size_t i = 0; i < sourcing->n_searches; i++)
                if (sourcing->searches[i].owner == owner)
                        return &sourcing->searches[i];
        return NULL;
}

/* ---- stock of other locations ---- */

static size_t search_needs(const struct sourcing *sourcing, const struct search *search, struct need *needs) {
        const struct fulfillment *fulfillment = fulfillment_find(&sourcing->orders, &search->fulfillment_id);

        return fulfillment ? needs_of(fulfillment, search->lines, search->n_lines, needs) : 0;
}

/* Units missing of the SKU of a need; 0 when a need before it has the same. */
static int64_t missing_of_sku(const struct need *needs, size_t n, size_t place) {
        const char *sku = needs[place].line->order_line->sku;
        int64_t units = 0;

        for (size_t i = 0; i < n; i++) {
                if (!text_equal(needs[i].line->order_line->sku, sku))
                        continue;
                if (i < place)
                        return 0;
                units += needs[i].quantity;
        }
        return units;
}

static void ask_one(struct sourcing *sourcing, struct search *search, struct array *ids, struct array *skus,
        struct array *units, size_t *n_asked) {
        struct need needs[ORDER_LINES_MAX];
        const size_t n = search_needs(sourcing, search, needs);

        for (size_t i = 0; i < n; i++) {
                const int64_t missing = missing_of_sku(needs, n, i);

                if (!missing)
                        continue;
                array_uuid(ids, &search->fulfillment_id);
                array_text(skus, needs[i].line->order_line->sku);
                array_integer(units, missing);
                sourcing->asked[(*n_asked)++] = search;
        }
}

static enum problem candidate_add(struct sourcing *sourcing, struct search *search, const char *code, double distance) {
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
        enum problem p = PROBLEM_NONE;

        sourcing->shelves.rows = arena_new_array(sourcing->arena, struct stock_row, rows_count(rows));
        if (!sourcing->shelves.rows)
                return FAULT_BUSY;
        for (size_t i = 0; i < rows_count(rows) && !p; i++) {
                struct row row = row_at(rows, i);
                struct search *search = sourcing->asked[row_integer(&row) - 1];
                struct stock_row shelf = { .exists = true };
                bool nowhere;

                shelf.location = row_text(&row);
                shelf.sku = row_text(&row);
                shelf.on_hand = row_integer(&row);
                shelf.unsellable = row_integer(&row);
                shelf.reserved = row_integer(&row);
                shelf.safety_stock = row_integer(&row);
                shelf_add(&sourcing->shelves, &shelf);
                nowhere = row_is_null(&row);
                p = candidate_add(sourcing, search, shelf.location, nowhere ? INFINITY : row_number(&row));
        }
        return p;
}

static enum problem ask_shelves(struct sourcing *sourcing, struct database *database, timestamp deadline) {
        struct parameters p;
        struct array *ids, *skus, *units;
        size_t n_asked = 0;

        sourcing->asked = arena_new_array(sourcing->arena, struct search *, sourcing->n_searches * ORDER_LINES_MAX);
        if (!sourcing->asked)
                return FAULT_BUSY;
        parameters_init(&p, sourcing->arena);
        ids = parameter_uuids(&p);
        skus = parameter_texts(&p);
        units = parameter_integers(&p);
        parameter_integer(&p, SOURCING_SHELVES_MAX);
        parameter_integer(&p, sourcing->radius_km);
        for (size_t i = 0; i < sourcing->n_searches; i++)
                ask_one(sourcing, &sourcing->searches[i], ids, skus, units, &n_asked);
        if (!n_asked)
                return PROBLEM_NONE;
        database_ask(database, &sql_sourcing_shelves, &p, shelves_read, sourcing);
        return database_trip(database, deadline);
}

/* ---- records of the candidates ---- */

static enum problem clock_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(timestamp *) into = row_time(&row);
        return PROBLEM_NONE;
}

static enum problem ask_candidates(struct sourcing *sourcing, struct database *database, timestamp deadline) {
        enum problem p;

        if (!sourcing->shelves.n_rows)
                return PROBLEM_NONE;
        p = catalog_load(database, &sourcing->catalog);
        if (!p)
                p = catalog_load_zones(database, &sourcing->catalog);
        database_ask(database, &sql_clock, NULL, clock_read, &sourcing->now);
        if (!p)
                p = database_trip(database, deadline);
        return p || catalog_zones_fit(&sourcing->catalog) ? p : FAULT_STALE;
}

static void candidates_resolve(const struct sourcing *sourcing, struct search *search) {
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

/* ---- choosing before the locks ---- */

/* Apply the search to its documents, so that the next search of the same order sees its effect. */
static void note_in_documents(const struct search *search, const struct need *needs, size_t n_needs) {
        for (size_t i = 0; i < n_needs; i++)
                needs[i].line->shorted += needs[i].quantity;
        if (n_needs && !search->lines)
                needs[0].line->fulfillment->status = FULFILLMENT_REJECTED;
}

static enum problem choose_for(struct sourcing *sourcing, struct search *search, struct stock *stock) {
        struct need needs[ORDER_LINES_MAX];
        const size_t n_needs = search_needs(sourcing, search, needs);
        struct source *sources = NULL;
        size_t n_sources = 0;
        enum problem p;

        if (!n_needs)
                return PROBLEM_NONE;
        candidates_resolve(sourcing, search);
        candidates_promise(search->candidates, search->n_candidates, needs[0].line->fulfillment->method, sourcing->now);
        p = sources_choose(needs, n_needs, search, &sourcing->shelves, &sources, &n_sources);
        if (p)
                return p;
        for (size_t i = 0; i < n_sources; i++)
                stock_want(stock, sources[i].row->location, sources[i].row->sku);
        for (size_t i = 0; i < n_needs; i++)
                search->left += needs[i].left;
        note_in_documents(search, needs, n_needs);
        return PROBLEM_NONE;
}

enum problem sourcing_lock(
        struct sourcing *sourcing, struct database *database, struct order_set *set, timestamp deadline) {
        enum problem p = sourcing->exhausted ? FAULT_BUSY : orders_read(database, &sourcing->orders);

        if (!p)
                p = database_trip(database, deadline);
        if (!p)
                p = ask_shelves(sourcing, database, deadline);
        if (!p)
                p = ask_candidates(sourcing, database, deadline);
        for (size_t i = 0; i < sourcing->n_searches && !p; i++)
                p = choose_for(sourcing, &sourcing->searches[i], set->stock);
        return p ? p : orders_lock(database, set);
}
