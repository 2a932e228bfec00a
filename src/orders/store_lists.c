#include "db/connection.h"
#include "orders/columns.h"
#include "orders/lists.h"
#include "sql/orders.h"

/* The number of orders of each stream that a search scans one by one; see orders_search. If one order in twenty
 * contains the words, the first 1,000 orders fill a page; rarer words have few matches. */
#define NEAR_MAX     1000
#define NEAR_OF_RARE 100

static enum problem list_read(struct rows *rows, void *into) {
        struct order_list *list = into;

        list->rows = rows_fill(rows, &listed_order_columns, list->arena);
        list->n = rows_count(rows);
        return list->rows ? PROBLEM_NONE : FAULT_BUSY;
}

/* The most selective filter decides. */
static const struct statement *statement_for(const struct order_filter *filter) {
        const bool by_change = filter->updated_since != TIMESTAMP_NONE;

        if (filter->external_ref || filter->order_number || filter->email || filter->phone)
                return by_change ? &sql_orders_named_changed : &sql_orders_named;
        if (filter->words)
                return by_change ? &sql_orders_search_changed : &sql_orders_search;
        return by_change ? &sql_orders_changed : &sql_orders_page;
}

enum problem order_list_load(struct database *database, const struct order_filter *filter, struct order_list *list) {
        const struct statement *statement = statement_for(filter);
        const struct search_spellings spellings = search_spellings_of(filter->words, list->arena);
        const struct phone_spellings phones = phone_spellings_of(filter->phone, list->arena);
        struct parameters p;

        parameters_init(&p, list->arena);
        parameter_text(&p, filter->channel);
        parameter_text_filter(&p, filter->statuses, filter->n_statuses, filter->n_statuses > 0);
        parameter_text(&p, filter->external_ref);
        parameter_text(&p, filter->order_number);
        parameter_text(&p, filter->words);
        parameter_text_filter(&p, filter->locations, filter->n_locations, !filter->all_locations);
        parameter_time(&p, filter->after_time);
        parameter_uuid(&p, &filter->after_id);
        parameter_integer(&p, filter->limit);
        parameter_text(&p, filter->email);
        parameter_text_filter(&p, phones.at, phones.n, filter->phone != NULL);
        parameter_time(&p, filter->updated_since);
        if (statement != &sql_orders_page && statement != &sql_orders_changed) {
                parameter_text(&p, spellings.number);
                parameter_text_list(&p, spellings.phones.at, spellings.phones.n);
        }
        if (statement == &sql_orders_search || statement == &sql_orders_search_changed) {
                parameter_integer(&p, NEAR_MAX);
                parameter_integer(&p, NEAR_OF_RARE);
        }
        database_ask(database, statement, &p, list_read, list);
        return PROBLEM_NONE;
}

static enum problem timeline_read(struct rows *rows, void *into) {
        struct timeline *timeline = into;

        timeline->entries = rows_fill(rows, &timeline_entry_columns, timeline->arena);
        timeline->n = rows_count(rows);
        return timeline->entries ? PROBLEM_NONE : FAULT_BUSY;
}

enum problem timeline_load(struct database *database, const struct uuid *order_id, struct timeline *timeline) {
        struct parameters p;

        parameters_init(&p, timeline->arena);
        parameter_uuid(&p, order_id);
        parameter_integer(&p, TIMELINE_MAX);
        database_ask(database, &sql_order_timeline, &p, timeline_read, timeline);
        return PROBLEM_NONE;
}
