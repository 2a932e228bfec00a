/* The choice of the locations that supply wanted units. Pure: no I/O, no clock. */
#include "catalog/promise.h"
#include "sourcing/sourcing.h"

#include "base/snapshot.h"
#include "base/sorted.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- candidates ---- */

static int candidate_compare(const void *left, const void *right) {
        const struct candidate *a = left, *b = right;

        if (a->distance < b->distance || a->distance > b->distance)
                return a->distance < b->distance ? -1 : 1;
        return strcmp(a->code, b->code);
}

void candidates_sort(struct candidate *candidates, size_t n) {
        sort(candidates, n, sizeof(*candidates), candidate_compare);
}

void candidates_promise(struct sourcing_search *search, timestamp now) {
        for (size_t i = 0; i < search->n_candidates; i++) {
                struct candidate *candidate = &search->candidates[i];
                timestamp promised_at = TIMESTAMP_NONE;

                if (!(candidate->location->capabilities & search->capability) ||
                        !promise_time(candidate->location, candidate->zone, now, &promised_at))
                        promised_at = TIMESTAMP_NONE;
                candidate->promised_at = promised_at;
        }
}

static bool is_excluded(const struct sourcing_search *search, const struct sourcing_need *need, const char *location) {
        if (search->elsewhere && text_equal(search->near, location))
                return true;
        for (size_t i = 0; i < need->n_excluded; i++)
                if (text_equal(need->excluded[i], location))
                        return true;
        return false;
}

/* ---- choosing ---- */

struct choice {
        const struct sourcing_search *search;
        const struct stock *stock;
        struct sourcing_need *needs;
        size_t n_needs;
        struct sourcing_part *parts;
        size_t n;
};

/* Units of the need that the candidate has; 0 when it may not supply it. */
static int64_t offered(const struct choice *choice, const struct candidate *candidate, const struct sourcing_need *need,
        struct stock_row **ret_row) {
        struct stock_row *row = stock_find(choice->stock, candidate->code, need->sku);

        if (!row || candidate->promised_at == TIMESTAMP_NONE || !stock_available(row) ||
                is_excluded(choice->search, need, candidate->code))
                return 0;
        *ret_row = row;
        return stock_available(row);
}

static void take_units(struct choice *choice, struct sourcing_need *need, const struct candidate *candidate,
        struct stock_row *row, int64_t units) {
        stock_reserve(row, units);
        need->left -= units;
        choice->parts[choice->n++] = (struct sourcing_part){ (size_t) (need - choice->needs), candidate, row, units };
}

static void choice_abandon(struct choice *choice) {
        while (choice->n) {
                const struct sourcing_part *part = &choice->parts[--choice->n];

                stock_release(part->row, part->quantity);
                choice->needs[part->need].left += part->quantity;
        }
}

/* Everything from one location, or nothing. */
static bool choice_take_all(struct choice *choice, const struct candidate *candidate) {
        for (size_t i = 0; i < choice->n_needs; i++) {
                struct sourcing_need *need = &choice->needs[i];
                struct stock_row *row = NULL;

                if (offered(choice, candidate, need, &row) < need->quantity) {
                        choice_abandon(choice);
                        return false;
                }
                take_units(choice, need, candidate, row, need->quantity);
        }
        return true;
}

static bool take_whole(struct choice *choice, struct sourcing_need *need) {
        for (size_t i = 0; i < choice->search->n_candidates; i++) {
                const struct candidate *candidate = &choice->search->candidates[i];
                struct stock_row *row = NULL;

                if (offered(choice, candidate, need, &row) < need->quantity)
                        continue;
                take_units(choice, need, candidate, row, need->quantity);
                return true;
        }
        return false;
}

static void take_parts(struct choice *choice, struct sourcing_need *need) {
        size_t parts = 0;

        for (size_t i = 0; i < choice->search->n_candidates && need->left && parts < SOURCING_SPLIT_MAX; i++) {
                const struct candidate *candidate = &choice->search->candidates[i];
                struct stock_row *row = NULL;
                const int64_t units = offered(choice, candidate, need, &row);

                if (!units)
                        continue;
                take_units(choice, need, candidate, row, units < need->left ? units : need->left);
                parts++;
        }
}

enum problem sourcing_choose(const struct sourcing_search *search, struct sourcing_need *needs, size_t n_needs,
        struct stock *stock, struct sourcing_plan *ret_plan) {
        struct choice choice = { .search = search, .stock = stock, .needs = needs, .n_needs = n_needs };
        int64_t left = 0;
        bool all = false;

        choice.parts = arena_new_array(stock->arena, struct sourcing_part, n_needs * SOURCING_SPLIT_MAX);
        if (!choice.parts)
                return FAULT_BUSY;
        for (size_t i = 0; i < n_needs; i++)
                needs[i].left = needs[i].quantity;
        for (size_t i = 0; i < search->n_candidates && !all; i++)
                all = choice_take_all(&choice, &search->candidates[i]);
        for (size_t i = 0; i < n_needs && !all; i++)
                if (!take_whole(&choice, &needs[i]))
                        take_parts(&choice, &needs[i]);
        for (size_t i = 0; i < n_needs; i++)
                left += needs[i].left;
        *ret_plan = (struct sourcing_plan){ choice.parts, choice.n, left };
        return PROBLEM_NONE;
}

enum problem sourcing_confirm(struct sourcing_search *search, struct sourcing_need *needs, size_t n_needs,
        struct stock *stock, timestamp now, struct sourcing_plan *ret_plan) {
        enum problem p;

        candidates_promise(search, now);
        p = sourcing_choose(search, needs, n_needs, stock, ret_plan);
        return !p && ret_plan->left > search->left ? FAULT_STALE : p;
}

void sourcing_snapshot(struct snapshot *snapshot, struct sourcing_search *search) {
        snapshot_one(snapshot, search);
        if (search)
                snapshot_list(snapshot, search->candidates, search->n_candidates);
}
