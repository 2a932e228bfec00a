#include "returns/store.h"
#include "db/connection.h"

#include "base/text.h"
#include "sql/returns.h"

#include <string.h>

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

static const struct enum_column refund_to_column = { "returns", "refund_to", .texts = refund_choice_texts };
static const struct enum_column reception_column = { "return_lines", "reception", .lifecycle = &reception_lifecycle };
static const struct enum_column acceptance_column = { "return_lines", "acceptance",
        .lifecycle = &acceptance_lifecycle };
static const struct enum_column condition_column = { "return_lines", "condition", .texts = goods_condition_texts };
static const struct enum_column disposition_column = { "return_lines", "disposition", .texts = disposition_texts };
static const struct enum_column bucket_column = { "return_lines", "bucket", .lifecycle = &bucket_lifecycle };

static void rma_from_row(struct row *row, struct rma *rma) {
        rma->number = row_text(row);
        rma->location = row_text(row);
        rma->status = (enum return_status) row_enum(row, &return_status_column);
        rma->by_post = row_boolean(row);
        rma->overridden = row_boolean(row);
        rma->shipping = row_integer(row);
        rma->withheld = row_integer(row);
        rma->refund_to = row_enum_text(row, &refund_to_column);
        rma->exchange = row_text(row);
        rma->unexpected = row_text(row);
        rma->cancel_reason = row_text(row);
        rma->actor = row_text(row);
        rma->moved_by = row_text(row);
        rma->version = rma->seen_version = row_integer(row);
        rma->created_at = row_time(row);
        rma->updated_at = row_time(row);
}

static enum problem returns_row(struct rows *rows, void *into) {
        struct returns_reading *reading = into;
        struct return_set *set = reading->set;
        const size_t n = rows_count(rows);
        struct rma *rmas = arena_new_array(set->arena, struct rma, n);

        set->rows = arena_new_array(set->arena, struct rma *, n);
        if (!rmas || !set->rows)
                return FAULT_BUSY;
        set->n_rows = set->capacity = n;
        for (size_t i = 0; i < n; i++) {
                struct row row = row_at(rows, i);
                struct uuid order_id;

                set->rows[i] = &rmas[i];
                rmas[i].id = row_uuid(&row);
                order_id = row_uuid(&row);
                rmas[i].order = order_find(reading->orders, &order_id);
                if (!rmas[i].order)
                        return FAULT_BROKEN;
                rma_from_row(&row, &rmas[i]);
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

static bool line_from_row(struct row *row, struct return_line *line, struct arena *arena) {
        bool readable;

        line->quantity = row_integer(row);
        line->reason = row_text(row);
        line->announced = row_boolean(row);
        line->reception = (enum reception) row_enum(row, &reception_column);
        line->acceptance = (enum acceptance) row_enum(row, &acceptance_column);
        line->condition = row_enum_or(row, &condition_column, -1);
        line->disposition = row_enum_or(row, &disposition_column, -1);
        line->bucket = (enum bucket) row_enum(row, &bucket_column);
        line->location = row_text(row);
        line->value = row_integer(row);
        line->fee = row_integer(row);
        line->refund = row_integer(row);
        readable = terms_from(row_text(row), arena, &line->terms);
        line->note = row_text(row);
        line->received_at = row_time(row);
        return readable;
}

/* They come in the order of their returns, each with all of its lines. */
static enum problem return_lines_row(struct rows *rows, void *into) {
        struct returns_reading *reading = into;
        struct arena *arena = reading->set->arena;
        const size_t n = rows_count(rows);
        struct return_line *lines = arena_new_array(arena, struct return_line, n);
        struct return_line **list = arena_new_array(arena, struct return_line *, n);

        if (!lines || !list)
                return FAULT_BUSY;
        for (size_t i = 0; i < n; i++) {
                struct row row = row_at(rows, i);
                const struct uuid return_id = row_uuid(&row);
                struct rma *rma = rma_find(reading->set, &return_id);
                size_t order_line;

                lines[i].rma = rma;
                lines[i].number = row_integer(&row);
                lines[i].id = row_uuid(&row);
                order_line = (size_t) row_integer(&row);
                if (!rma || order_line >= rma->order->n_lines)
                        return FAULT_BROKEN;
                lines[i].order_line = &rma->order->lines[order_line];
                if (!line_from_row(&row, &lines[i], arena))
                        return arena->exhausted ? FAULT_BUSY : FAULT_BROKEN;
                list[i] = &lines[i];
                if (!rma->n_lines++)
                        rma->lines = &list[i];
                rma->lines_capacity = rma->n_lines;
        }
        return PROBLEM_NONE;
}

static void ask(struct database *database, struct returns_reading *reading, const struct statement *statement,
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
        ask(database, reading, &sql_returns_read, returns_row);
        ask(database, reading, &sql_return_lines_read, return_lines_row);
        return PROBLEM_NONE;
}

/* ---- where to look ---- */

static enum problem targets_row(struct rows *rows, void *into) {
        struct return_targets *targets = into;

        targets->rows = arena_new_array(targets->arena, struct return_target, rows_count(rows));
        if (!targets->rows)
                return FAULT_BUSY;
        targets->n_rows = rows_count(rows);
        for (size_t i = 0; i < targets->n_rows; i++) {
                struct row row = row_at(rows, i);
                struct return_target *target = &targets->rows[i];

                if (targets->by_number)
                        target->number = row_text(&row);
                else
                        target->id = row_uuid(&row);
                target->order_id = row_uuid(&row);
                target->location = targets->by_number ? NULL : row_text(&row);
        }
        return PROBLEM_NONE;
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
        struct array *wanted;

        targets->by_number = true;
        parameters_init(&p, targets->arena);
        wanted = parameter_texts(&p);
        for (size_t i = 0; i < n; i++)
                array_text(wanted, numbers[i]);
        database_ask(database, &sql_returns_orders_by_number, &p, targets_row, targets);
}

/* ---- days ---- */

static enum problem left_days_row(struct rows *rows, void *into) {
        struct left_days *days = into;
        struct left_day *list = arena_new_array(days->arena, struct left_day, rows_count(rows));

        if (!list)
                return FAULT_BUSY;
        days->rows = list;
        days->n_rows = rows_count(rows);
        for (size_t i = 0; i < days->n_rows; i++) {
                struct row row = row_at(rows, i);

                list[i].order_id = row_uuid(&row);
                list[i].fulfillment_id = row_uuid(&row);
                list[i].location = row_text(&row);
                list[i].left = row_integer(&row);
                list[i].today = row_integer(&row);
        }
        return PROBLEM_NONE;
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

        page->rows = arena_new_array(page->arena, struct listed_return, rows_count(rows));
        if (!page->rows)
                return FAULT_BUSY;
        page->n = rows_count(rows);
        for (size_t i = 0; i < page->n; i++) {
                struct row row = row_at(rows, i);

                page->rows[i].id = row_uuid(&row);
                page->rows[i].order_id = row_uuid(&row);
                page->rows[i].created_at = row_time(&row);
        }
        return PROBLEM_NONE;
}

static void parameter_list(struct parameters *p, const char *const *texts, size_t n, bool given) {
        struct array *array;

        if (!given) {
                parameter_null(p);
                return;
        }
        array = parameter_texts(p);
        for (size_t i = 0; i < n; i++)
                array_text(array, texts[i]);
}

void return_page_load(struct database *database, const struct return_filter *filter, struct return_page *page) {
        struct parameters p;

        parameters_init(&p, page->arena);
        parameter_uuid(&p, filter->order_id);
        parameter_text(&p, filter->order_number);
        parameter_text(&p, filter->return_number);
        parameter_text(&p, filter->location);
        parameter_list(&p, filter->statuses, filter->n_statuses, filter->n_statuses > 0);
        parameter_list(&p, filter->locations, filter->n_locations, !filter->all_locations);
        parameter_text(&p, filter->channel);
        parameter_time(&p, filter->after_time);
        parameter_uuid(&p, &filter->after_id);
        parameter_integer(&p, filter->limit);
        database_ask(database, &sql_returns_page, &p, page_row, page);
}
