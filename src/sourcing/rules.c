/* The choice of locations that take over units which another location lacks. Pure but for the new ids. */
#include "catalog/promise.h"
#include "sourcing/sourcing.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

bool short_reason_resources(enum short_reason reason) {
        return reason != SHORT_CUSTOMER_REQUEST;
}

/* ---- missing units ---- */

static size_t needs_of_all(const struct fulfillment *fulfillment, struct need *needs) {
        size_t n = 0;

        for (size_t i = 0; i < fulfillment->n_lines; i++) {
                const int64_t open = fulfillment_line_open(&fulfillment->lines[i]);

                if (open)
                        needs[n++] = (struct need){ &fulfillment->lines[i], open, open };
        }
        return n;
}

size_t needs_of(
        const struct fulfillment *fulfillment, const struct line_units *lines, size_t n_lines, struct need *needs) {
        if (!lines)
                return needs_of_all(fulfillment, needs);
        for (size_t i = 0; i < n_lines; i++) {
                struct fulfillment_line *line = fulfillment_line_find(fulfillment, &lines[i].order_line_id);

                if (!line || lines[i].quantity > fulfillment_line_remaining(line))
                        return 0;
                needs[i] = (struct need){ line, lines[i].quantity, lines[i].quantity };
        }
        return n_lines;
}

/* ---- locations that may take over ---- */

static int candidate_compare(const void *left, const void *right) {
        const struct candidate *a = left, *b = right;

        if (a->distance < b->distance || a->distance > b->distance)
                return a->distance < b->distance ? -1 : 1;
        return strcmp(a->code, b->code);
}

void candidates_sort(struct candidate *candidates, size_t n) {
        if (n)
                qsort(candidates, n, sizeof(*candidates), candidate_compare);
}

void candidates_promise(struct candidate *candidates, size_t n, enum fulfillment_method method, timestamp now) {
        for (size_t i = 0; i < n; i++) {
                const struct candidate *candidate = &candidates[i];
                timestamp promised_at = TIMESTAMP_NONE;

                if (!(candidate->location->capabilities & fulfillment_capability(method)) ||
                        !promise_time(candidate->location, candidate->zone, now, &promised_at))
                        promised_at = TIMESTAMP_NONE;
                candidates[i].promised_at = promised_at;
        }
}

static bool has_rejected(const struct order *order, const char *location) {
        for (size_t i = 0; i < order->n_fulfillments; i++)
                if (order->fulfillments[i]->status == FULFILLMENT_REJECTED &&
                        text_equal(order->fulfillments[i]->location, location))
                        return true;
        return false;
}

/* It falls short of it now, or has done so before. */
static bool falls_short(const struct need *need, const char *location) {
        for (const struct fulfillment_line *at = need->line->order_line->allocations; at; at = at->older)
                if ((at == need->line || at->shorted) && text_equal(at->fulfillment->location, location))
                        return true;
        return false;
}

/* ---- choosing ---- */

struct choice {
        const struct search *search;
        const struct stock *stock;
        struct source *sources;
        size_t n;
};

/* Units of the need that the candidate has; 0 when it must not be asked. */
static int64_t offered(const struct choice *choice, const struct candidate *candidate, const struct need *need,
        struct stock_row **ret_row) {
        const struct order_line *line = need->line->order_line;
        const char *location = candidate->code;
        struct stock_row *row = stock_find(choice->stock, location, line->sku);

        if (!row || candidate->promised_at == TIMESTAMP_NONE || !stock_available(row) || falls_short(need, location) ||
                has_rejected(line->order, location))
                return 0;
        *ret_row = row;
        return stock_available(row);
}

static void take_units(struct choice *choice, struct need *need, const struct candidate *candidate,
        struct stock_row *row, int64_t units) {
        stock_reserve(row, units);
        need->left -= units;
        choice->sources[choice->n++] = (struct source){ need, candidate, row, units };
}

static void choice_abandon(struct choice *choice) {
        while (choice->n) {
                const struct source *source = &choice->sources[--choice->n];

                stock_release(source->row, source->quantity);
                source->need->left += source->quantity;
        }
}

/* Everything from one location, or nothing. */
static bool choice_take_all(
        struct choice *choice, struct need *needs, size_t n_needs, const struct candidate *candidate) {
        for (size_t i = 0; i < n_needs; i++) {
                struct stock_row *row = NULL;

                if (offered(choice, candidate, &needs[i], &row) < needs[i].quantity) {
                        choice_abandon(choice);
                        return false;
                }
                take_units(choice, &needs[i], candidate, row, needs[i].quantity);
        }
        return true;
}

static bool take_whole(struct choice *choice, struct need *need) {
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

static void take_parts(struct choice *choice, struct need *need) {
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

enum problem sources_choose(struct need *needs, size_t n_needs, const struct search *search, struct stock *stock,
        struct source **ret_sources, size_t *ret_n) {
        struct choice choice = { .search = search, .stock = stock };
        bool all = false;

        choice.sources = arena_new_array(stock->arena, struct source, n_needs * SOURCING_SPLIT_MAX);
        if (!choice.sources)
                return FAULT_BUSY;
        for (size_t i = 0; i < search->n_candidates && !all; i++)
                all = choice_take_all(&choice, needs, n_needs, &search->candidates[i]);
        for (size_t i = 0; i < n_needs && !all; i++)
                if (!take_whole(&choice, &needs[i]))
                        take_parts(&choice, &needs[i]);
        *ret_sources = choice.sources;
        *ret_n = choice.n;
        return PROBLEM_NONE;
}

/* ---- taking over ---- */

static bool is_source_repeated(const struct source *sources, size_t place) {
        for (size_t i = 0; i < place; i++)
                if (sources[i].candidate == sources[place].candidate)
                        return true;
        return false;
}

static void tell_resourced(const struct fulfillment *from, const struct fulfillment *to, const struct act *act) {
        struct event *event = fulfillment_tell(act->events, from, "fulfillment.resourced", act->actor);
        struct line_units lines[ORDER_LINES_MAX];
        char id[UUID_TEXT_SIZE];

        uuid_format(&to->id, id);
        for (size_t i = 0; i < to->n_lines; i++)
                lines[i] = (struct line_units){ to->lines[i].order_line->id, to->lines[i].quantity };
        event_text(event, "from", from->location);
        event_text(event, "to", to->location);
        event_text(event, "replaced_by", id);
        event_lines(event, lines, to->n_lines);
        (void) fulfillment_tell(act->events, to, "fulfillment.allocated", act->actor);
}

/* Each need has one source at most in a location. */
static void add_lines(
        struct fulfillment *to, const struct source *sources, size_t n_sources, const struct candidate *of) {
        for (size_t i = 0; i < n_sources; i++) {
                struct fulfillment_line *line = &to->lines[to->n_lines];

                if (sources[i].candidate != of)
                        continue;
                *line = (struct fulfillment_line){
                        .fulfillment = to, .stock = sources[i].row, .quantity = sources[i].quantity
                };
                order_line_allocate(sources[i].need->line->order_line, line);
                to->n_lines++;
        }
}

enum problem sources_take_over(
        struct fulfillment *from, const struct source *sources, size_t n_sources, const struct act *act) {
        struct arena *arena = act->stock->arena;

        for (size_t i = 0; i < n_sources; i++) {
                const struct candidate *candidate = sources[i].candidate;
                struct fulfillment *to;

                if (is_source_repeated(sources, i))
                        continue;
                to = order_add_fulfillment(
                        from->order, from->method, candidate->code, candidate->promised_at, act->now, arena);
                if (!to)
                        return FAULT_BUSY;
                to->replaces = from->id;
                to->recipient = from->recipient;
                to->lines = arena_new_array(arena, struct fulfillment_line, n_sources - i);
                if (!to->lines)
                        return FAULT_BUSY;
                add_lines(to, sources, n_sources, candidate);
                tell_resourced(from, to, act);
        }
        return PROBLEM_NONE;
}
