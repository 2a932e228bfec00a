#include "returns/store.h"
#include "db/connection.h"
#include "returns/columns.h"

#include "base/text.h"
#include "sql/returns.h"

void returns_init(struct return_set *set, struct arena *arena) {
        *set = (struct return_set){ .arena = arena };
}

struct rma *rma_find(const struct return_set *set, const struct uuid *id) {
        for (size_t i = 0; i < set->n_rows; i++)
                if (uuid_equal(&set->rows[i]->id, id))
                        return set->rows[i];
        return NULL;
}

/* ---- rows ---- */

static enum problem returns_row(struct rows *rows, void *into) {
        struct returns_reading *reading = into;
        struct return_set *set = reading->set;
        const size_t n = rows_count(rows);
        struct rma *rmas = rows_fill(rows, &return_columns, set->arena);
        struct binding binding;

        set->rows = arena_new_array(set->arena, struct rma *, n);
        if (!rmas || !set->rows)
                return FAULT_BUSY;
        if (!rows_bind(rows, &return_columns, &binding))
                return FAULT_BROKEN;
        set->n_rows = set->capacity = n;
        for (size_t i = 0; i < n; i++) {
                const struct uuid order_id = binding_uuid(&binding, i, binding_place(&binding, "order_id"));

                set->rows[i] = &rmas[i];
                rmas[i].seen_version = rmas[i].version;
                rmas[i].is_awaited = return_is_awaited(rmas[i].status);
                rmas[i].order = order_find(reading->orders, &order_id);
                if (!rmas[i].order)
                        return FAULT_BROKEN;
        }
        return PROBLEM_NONE;
}

/* Kept as a policy that says everything. */
static bool terms_from(const char *text, struct arena *arena, struct return_terms *terms) {
        const struct return_policy *policy;

        if (!policy_read(text, arena, &policy))
                return false;
        *terms = return_terms_of(policy, NULL);
        return true;
}

static enum problem return_line_take(
        const struct returns_reading *reading, const struct binding *binding, size_t i, struct return_line *ret_line) {
        const struct uuid return_id = binding_uuid(binding, i, binding_place(binding, "return_id"));
        const size_t number = (size_t) binding_integer(binding, i, binding_place(binding, "order_line"));
        struct arena *arena = reading->set->arena;
        struct return_line_row row = { 0 };

        row_fill(binding, i, &row);
        row.line.rma = rma_find(reading->set, &return_id);
        if (!row.line.rma || number >= row.line.rma->order->n_lines)
                return FAULT_BROKEN;
        row.line.order_line = &row.line.rma->order->lines[number];
        if (!terms_from(row.terms, arena, &row.line.terms))
                return arena->exhausted ? FAULT_BUSY : FAULT_BROKEN;
        *ret_line = row.line;
        return PROBLEM_NONE;
}

/* They come in the order of their returns, each with all of its lines. */
static enum problem return_lines_row(struct rows *rows, void *into) {
        struct returns_reading *reading = into;
        struct arena *arena = reading->set->arena;
        const size_t n = rows_count(rows);
        struct return_line *lines = arena_new_array(arena, struct return_line, n);
        struct return_line **list = arena_new_array(arena, struct return_line *, n);
        struct binding binding;

        if (!lines || !list)
                return FAULT_BUSY;
        if (!rows_bind(rows, &return_line_columns, &binding))
                return FAULT_BROKEN;
        for (size_t i = 0; i < n; i++) {
                const enum problem p = return_line_take(reading, &binding, i, &lines[i]);
                struct rma *rma = lines[i].rma;

                if (p)
                        return p;
                list[i] = &lines[i];
                if (!rma->n_lines++)
                        rma->lines = &list[i];
                rma->lines_capacity = rma->n_lines;
        }
        return PROBLEM_NONE;
}

static void returns_ask(struct database *database, struct returns_reading *reading, const struct statement *statement,
        rows_reader reader) {
        const struct order_set *orders = reading->orders;
        struct parameters p;
        struct array *ids;

        parameters_init(&p, reading->set->arena);
        ids = parameter_uuids(&p);
        for (size_t i = 0; i < orders->n_orders_wanted; i++)
                array_uuid(ids, &orders->orders_wanted[i]);
        database_ask(database, statement, &p, reader, reading);
}

enum problem returns_read(struct database *database, struct return_set *set, struct order_set *orders) {
        struct returns_reading *reading = arena_new(set->arena, struct returns_reading);

        if (!reading || set->exhausted)
                return FAULT_BUSY;
        *reading = (struct returns_reading){ .set = set, .orders = orders };
        orders->returns_loaded = true;
        returns_ask(database, reading, &sql_returns_read, returns_row);
        returns_ask(database, reading, &sql_return_lines_read, return_lines_row);
        return PROBLEM_NONE;
}

/* ---- where to look ---- */

static enum problem targets_row(struct rows *rows, void *into) {
        struct return_targets *targets = into;

        targets->rows = rows_fill(rows, &return_target_columns, targets->arena);
        targets->n_rows = rows_count(rows);
        return targets->rows ? PROBLEM_NONE : FAULT_BUSY;
}

void return_targets_by_id(
        struct database *database, struct return_targets *targets, const struct uuid *const *ids, size_t n) {
        struct parameters p;
        struct array *wanted;

        parameters_init(&p, targets->arena);
        wanted = parameter_uuids(&p);
        for (size_t i = 0; i < n; i++)
                array_uuid(wanted, ids[i]);
        database_ask(database, &sql_returns_find, &p, targets_row, targets);
}

void return_targets_by_number(
        struct database *database, struct return_targets *targets, const char *const *numbers, size_t n) {
        struct parameters p;

        targets->by_number = true;
        parameters_init(&p, targets->arena);
        parameter_text_list(&p, numbers, n);
        database_ask(database, &sql_returns_orders_by_number, &p, targets_row, targets);
}

/* ---- days ---- */

static enum problem left_days_row(struct rows *rows, void *into) {
        struct left_days *days = into;

        days->rows = rows_fill(rows, &left_day_columns, days->arena);
        days->n_rows = rows_count(rows);
        return days->rows ? PROBLEM_NONE : FAULT_BUSY;
}

void left_days_read(struct database *database, struct left_days *days, const struct uuid *const *order_ids,
        const char *const *locations, size_t n) {
        struct parameters p;
        struct array *orders, *places;

        parameters_init(&p, days->arena);
        orders = parameter_uuids(&p);
        places = parameter_texts(&p);
        for (size_t i = 0; i < n; i++) {
                array_uuid(orders, order_ids[i]);
                array_text(places, locations[i]);
        }
        database_ask(database, &sql_returns_left_days, &p, left_days_row, days);
}

/* ---- lists ---- */

static enum problem page_row(struct rows *rows, void *into) {
        struct return_page *page = into;

        page->rows = rows_fill(rows, &listed_return_columns, page->arena);
        page->n = rows_count(rows);
        return page->rows ? PROBLEM_NONE : FAULT_BUSY;
}

/* The locations of the token, of which a client may ask for one. */
static void parameter_places(struct parameters *p, const struct return_filter *filter) {
        bool allowed = filter->all_locations;

        if (!filter->location) {
                parameter_text_filter(p, filter->locations, filter->n_locations, !filter->all_locations);
                return;
        }
        for (size_t i = 0; i < filter->n_locations && !allowed; i++)
                allowed = text_equal(filter->locations[i], filter->location);
        parameter_text_filter(p, &filter->location, allowed ? 1 : 0, /* given= */ true);
}

/* Which filters lead to the returns; see returns_page. */
static const char *lead_of(const struct return_filter *filter) {
        if (filter->order_id || filter->order_number)
                return "order";
        if (filter->return_number)
                return "number";
        if (filter->location || !filter->all_locations)
                return "place";
        return "state";
}

void return_page_load(struct database *database, const struct return_filter *filter, struct return_page *page) {
        struct parameters p;

        parameters_init(&p, page->arena);
        parameter_uuid(&p, filter->order_id);
        parameter_text(&p, filter->order_number);
        parameter_text(&p, filter->return_number);
        parameter_places(&p, filter);
        parameter_text_filter(&p, filter->statuses, filter->n_statuses, filter->n_statuses > 0);
        parameter_text(&p, filter->channel);
        parameter_time(&p, filter->after_time);
        parameter_uuid(&p, &filter->after_id);
        parameter_integer(&p, filter->limit);
        parameter_text(&p, lead_of(filter));
        database_ask(database, &sql_returns_page, &p, page_row, page);
}
