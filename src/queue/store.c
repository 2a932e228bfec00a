#include "db/connection.h"
#include "queue/columns.h"
#include "queue/queue.h"

#include "base/sorted.h"
#include "base/text.h"
#include "sql/queue.h"

#include <string.h>

#define PATTERN_SIZE_MAX 4096
#define DIGITS_MIN       3 /* of a phone: fewer would match nearly all customers */

/* ---- heads ---- */

static enum problem heads_read(struct rows *rows, void *into) {
        struct queue_heads *heads = into;

        heads->at = rows_fill(rows, &queue_head_columns, heads->arena);
        heads->n = heads->at ? rows_count(rows) : 0;
        return heads->at ? PROBLEM_NONE : FAULT_BUSY;
}

enum problem queue_heads_ask(
        struct database *database, struct queue_heads *heads, const char *const *locations, size_t n) {
        const char **sorted = arena_new_array(heads->arena, const char *, n);
        struct parameters p;

        if (!sorted)
                return FAULT_BUSY;
        memcpy(sorted, locations, n * sizeof(*sorted));
        parameters_init(&p, heads->arena);
        parameter_text_list(&p, sorted, sort_unique(sorted, n, sizeof(*sorted), texts_compare));
        database_ask(database, &sql_queue_heads, &p, heads_read, heads);
        return PROBLEM_NONE;
}

static int head_compare(const void *location, const void *head) {
        return strcmp(location, ((const struct queue_head *) head)->location);
}

const struct queue_head *queue_head_find(const struct queue_heads *heads, const char *location) {
        return sorted_find(location, heads->at, heads->n, sizeof(*heads->at), head_compare);
}

/* ---- pages ---- */

static enum problem page_read(struct rows *rows, void *into) {
        struct queue_page *page = into;

        page->places = rows_fill(rows, &queue_place_columns, page->arena);
        page->n = page->places ? rows_count(rows) : 0;
        return page->places ? PROBLEM_NONE : FAULT_BUSY;
}

/* The last digits of a phone number in any usual spelling; NULL when the words are no number. */
static const char *digits_pattern(struct arena *arena, const char *words) {
        struct buffer pattern;
        size_t n = 0;

        buffer_init(&pattern, arena, PATTERN_SIZE_MAX);
        buffer_append_text(&pattern, "%");
        for (const char *c = words; *c; c++) {
                if (*c >= '0' && *c <= '9') {
                        buffer_append(&pattern, c, 1);
                        n++;
                } else if (!strchr(" +-()/.", *c))
                        return NULL;
        }
        return n >= DIGITS_MIN ? buffer_text(&pattern) : NULL;
}

enum problem queue_page_ask(struct database *database, const struct queue_filter *filter, struct queue_page *page) {
        struct parameters p;

        parameters_init(&p, page->arena);
        parameter_text(&p, filter->location);
        parameter_text_filter(&p, filter->statuses, filter->n_statuses, filter->n_statuses > 0);
        parameter_text_filter(&p, filter->methods, filter->n_methods, filter->n_methods > 0);
        parameter_text(&p, filter->assignee);
        parameter_time(&p, filter->promised_before);
        parameter_pattern(&p, filter->words);
        parameter_text(&p, filter->words ? digits_pattern(page->arena, filter->words) : NULL);
        parameter_boolean(&p, filter->sort == BY_CREATED_LAST || filter->sort == BY_PROMISED_LAST);
        parameter_boolean(&p, filter->sort == BY_CREATED || filter->sort == BY_CREATED_LAST);
        if (filter->has_after) {
                parameter_integer(&p, filter->after_rank);
                parameter_integer(&p, filter->after_key);
                parameter_uuid(&p, &filter->after_id);
        } else {
                parameter_null(&p);
                parameter_null(&p);
                parameter_null(&p);
        }
        parameter_integer(&p, filter->limit);
        database_ask(database, &sql_queue_page, &p, page_read, page);
        return PROBLEM_NONE;
}

/* ---- counts ---- */

static enum problem counts_read(struct rows *rows, void *into) {
        struct queue_counts *counts = into;

        counts->at = rows_fill(rows, &queue_count_columns, counts->arena);
        counts->n = counts->at ? rows_count(rows) : 0;
        return counts->at ? PROBLEM_NONE : FAULT_BUSY;
}

enum problem queue_counts_ask(struct database *database, const struct queue_heads *heads, struct queue_counts *counts) {
        struct parameters p;
        struct array *locations;

        parameters_init(&p, counts->arena);
        locations = parameter_texts(&p);
        for (size_t i = 0; i < heads->n; i++)
                array_text(locations, heads->at[i].location);
        parameter_time(&p, heads->n ? heads->at[0].now : 0);
        database_ask(database, &sql_queue_counts, &p, counts_read, counts);
        return PROBLEM_NONE;
}
