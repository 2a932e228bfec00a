/*
 * Every named statement can be prepared on a schema that has just been migrated, and the pinned ones are planned with
 * indexes alone: lanes keep the generic plan that was made while the tables were empty.
 */
#include "fixture.h"

#include "base/text.h"
#include "catalog/columns.h"
#include "commands/audit.h"
#include "commands/doctor_indexes.h"
#include "db/columns.h"
#include "db/sql.h"
#include "events/columns.h"
#include "fulfillment/columns.h"
#include "inventory/columns.h"
#include "notifications/columns.h"
#include "orders/columns.h"
#include "payments/columns.h"
#include "privacy/columns.h"
#include "queue/columns.h"
#include "reservations/columns.h"
#include "returns/columns.h"
#include "sourcing/columns.h"
#include "webhooks/columns.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PARAMETERS_TEXT_MAX ((size_t) 512)
#define STATEMENT_TEXT_MAX  ((size_t) 1024)

#define PREPARED_A_TRIP     ((size_t) 64)

static void prepare_all(void) {
        store_open();
        for (size_t i = 0; i < statement_count; i++) {
                database_prepare(store_database, statements[i]);
                if (i % PREPARED_A_TRIP == 0)
                        store_trip();
        }
        store_trip();
}

TestSuite(statements, .init = prepare_all, .fini = store_close);

/* All that there are: tests/lint/registered.py looks. */
static const struct columns *const tables[] = {
        &audit_bound_columns,
        &channel_row_columns,
        &consumer_columns,
        &erasable_order_columns,
        &event_columns,
        &finding_columns,
        &found_order_columns,
        &fulfillment_columns,
        &fulfillment_line_columns,
        &known_order_columns,
        &ledger_columns,
        &left_day_columns,
        &listed_order_columns,
        &listed_return_columns,
        &listing_row_columns,
        &local_time_columns,
        &location_row_columns,
        &log_event_columns,
        &notification_columns,
        &notification_outcome_columns,
        &notification_template_columns,
        &order_discount_columns,
        &order_header_columns,
        &order_line_columns,
        &owner_columns,
        &payment_columns,
        &personal_document_columns,
        &product_row_columns,
        &queue_count_columns,
        &queue_head_columns,
        &queue_place_columns,
        &refund_columns,
        &reservation_columns,
        &reservation_line_columns,
        &resourcing_policy_columns,
        &return_claim_columns,
        &return_columns,
        &return_line_columns,
        &return_target_columns,
        &scanned_code_columns,
        &shelf_columns,
        &slot_columns,
        &sourcing_shelf_columns,
        &stock_row_columns,
        &stock_setting_columns,
        &stream_event_columns,
        &timeline_entry_columns,
        &told_row_columns,
        &webhook_attempt_columns,
        &webhook_columns,
        &webhook_dead_columns,
        &webhook_failure_columns,
        &webhook_test_columns,
};

/* The nodes of one plan. */
struct plan {
        const char *statement;
        bool is_index_scan, has_condition, reads_table; /* of the node at hand */
        unsigned faults, filters;
};

/* Pinned statements that compare a column beside the columns of the index. There the index leads to few rows: of one
 * subject, of a limited number of positions, of one consumer, of one order, of one fulfillment, of one return, of one
 * slot, of one location, or movements of one stock row since its last import. Sorted. */
static const char *const filtering[] = { "adjustments_overridden", "consumer_move", "event_log_of_subject",
        "event_log_page", "order_return_claims", "orders_known_by_external_ref", "queues_raise_for_products",
        "reservations_lock_lapsed", "returns_left_days", "scan_orders", "slots_close", "sourcing_shelves" };

static void node_end(struct plan *plan) {
        if (plan->is_index_scan && !plan->has_condition)
                plan->faults++;
        plan->is_index_scan = plan->has_condition = false;
}

static void node_begin(struct plan *plan, const char *node) {
        node_end(plan);
        if (strstr(node, "Seq Scan"))
                plan->faults++;
        plan->reads_table = strstr(node, " using ") || strstr(node, "Bitmap Heap Scan");
        plan->is_index_scan =
                strstr(node, "Index Scan") || strstr(node, "Index Only Scan") || strstr(node, "Bitmap Index Scan");
}

static enum problem plan_read(struct rows *rows, void *into) {
        struct plan *plan = into;

        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                const char *line = row_text(&row);

                if (i == 0 || strstr(line, "->"))
                        node_begin(plan, line);
                else if (strstr(line, "Index Cond:"))
                        plan->has_condition = true;
                else if (strstr(line, " Filter:") && strstr(line, " = ") && !strstr(line, "SubPlan"))
                        plan->filters += plan->reads_table;
        }
        node_end(plan);
        if (!plan->faults)
                return PROBLEM_NONE;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);

                (void) fprintf(stderr, "%s: %s\n", plan->statement, row_text(&row));
        }
        return PROBLEM_NONE;
}

static enum problem integer_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        cr_assert_eq(rows_count(rows), 1);
        *(int64_t *) into = row_integer(&row);
        return PROBLEM_NONE;
}

static int64_t parameters_of(const char *statement) {
        const char *const values[] = { statement };
        int64_t n = -1;

        database_ask_values(store_database,
                "select cardinality(parameter_types)::bigint from pg_prepared_statements where name = $1", 1, values,
                integer_read, &n);
        store_trip();
        return n;
}

static bool has_plan(const char *sql) {
        static const char *const words[] = { "delete", "insert", "select", "update", "with" };

        for (size_t i = 0; i < array_size(words); i++)
                if (text_starts_with(sql, words[i]))
                        return true;
        return false;
}

static struct plan plan_of(const struct statement *statement) {
        struct plan plan = { .statement = statement->name };
        const int64_t n = parameters_of(statement->name);
        char explain[STATEMENT_TEXT_MAX], parameters[PARAMETERS_TEXT_MAX] = "";

        for (int64_t i = 0; i < n; i++)
                (void) snprintf(parameters + strlen(parameters), sizeof(parameters) - strlen(parameters), "%cnull",
                        i ? ',' : '(');
        (void) snprintf(explain, sizeof(explain), "explain execute %s%s%s", statement->name, parameters, n ? ")" : "");
        database_ask_text(store_database, explain, plan_read, &plan);
        store_trip();
        return plan;
}

static unsigned faults_of(const struct statement *statement) {
        return plan_of(statement).faults;
}

/* prepare_all has prepared them all, or failed. */
Test(statements, each_is_prepared_under_its_name) {
        for (size_t i = 0; i < statement_count; i++)
                cr_expect_geq(parameters_of(statements[i]->name), 0, "%s", statements[i]->name);
}

Test(statements, pinned_ones_need_nothing_but_indexes) {
        size_t n = 0;

        for (size_t i = 0; i < statement_count; i++) {
                if (!statements[i]->pinned || !has_plan(statements[i]->sql))
                        continue;
                n++;
                cr_expect_eq(
                        faults_of(statements[i]), 0, "%s reads more than an index leads it to", statements[i]->name);
        }
        cr_assert_gt(n, 10);
}

static enum problem missing_read(struct rows *rows, void *into) {
        (void) into;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                const char *name = row_text(&row);
                bool known = false;

                for (size_t j = 0; doctor_indexes[j] && !known; j++)
                        known = text_equal(doctor_indexes[j], name);
                cr_expect(known, "doctor does not look for the index %s", name);
        }
        for (size_t j = 0; doctor_indexes[j]; j++)
                cr_expect(j == 0 || strcmp(doctor_indexes[j - 1], doctor_indexes[j]) < 0, "%s is not in order",
                        doctor_indexes[j]);
        return PROBLEM_NONE;
}

Test(statements, doctor_looks_for_each_index_of_the_schema) {
        database_ask_text(store_database,
                "select c.relname::text from pg_index x join pg_class c on c.oid = x.indexrelid"
                " where c.relnamespace = current_schema()::regnamespace"
                "   and not exists (select from pg_constraint k where k.conindid = c.oid) and not c.relispartition",
                missing_read, NULL);
        store_trip();
}

static bool may_filter(const char *name) {
        for (size_t i = 0; i < array_size(filtering); i++)
                if (text_equal(filtering[i], name))
                        return true;
        return false;
}

/* Tables are empty here, so two indexes that lead with a wanted column cost the same, and a lane keeps the plan. */
Test(statements, pinned_ones_look_up_by_all_columns_that_they_name) {
        for (size_t i = 0; i < statement_count; i++)
                if (statements[i]->pinned && has_plan(statements[i]->sql))
                        cr_expect_eq(plan_of(statements[i]).filters > 0, may_filter(statements[i]->name),
                                "%s compares a column beside its index", statements[i]->name);
}

Test(statements, a_look_up_by_some_of_its_columns_is_noticed) {
        const struct statement some = { .name = "some_columns" };

        store_execute("prepare some_columns as select id from orders where status = 'open' and order_number = 'a'");
        store_execute("drop index orders_by_state, orders_by_state_change");
        cr_assert_eq(plan_of(&some).filters, 1);
}

Test(statements, a_plan_that_reads_a_whole_table_is_noticed) {
        const struct statement whole_table = { .name = "whole_table" }, whole_index = { .name = "whole_index" };

        store_execute("prepare whole_table as select title from products where title = 'a'");
        cr_assert_gt(faults_of(&whole_table), 0);
        store_execute("prepare whole_index (bigint) as select sku from products order by sku");
        cr_assert_gt(faults_of(&whole_index), 0);
}

/* ---- columns ---- */

static const struct column *column_named(const struct columns *columns, const char *name) {
        for (size_t i = 0; i < columns->n; i++)
                if (text_equal(columns->at[i].name, name))
                        return &columns->at[i];
        return NULL;
}

/* The names and casts of its unnest list. */
static unsigned parameter_faults(const struct statement *statement, const struct columns *columns) {
        unsigned faults = 0;

        for (size_t i = 0; i < statement->n_parameters; i++) {
                const struct statement_parameter *parameter = &statement->parameters[i];
                const struct column *column = column_named(columns, parameter->name);

                if (column && text_equal(column_type(column->kind), parameter->type))
                        continue;
                (void) fprintf(stderr, "%s: %s %s is no column of %s\n", statement->name, parameter->name,
                        parameter->type, columns->record);
                faults++;
        }
        return faults;
}

struct comparing {
        const struct columns *columns;
        bool is_bound;
};

static enum problem binding_try(struct rows *rows, void *into) {
        struct comparing *comparing = into;
        struct binding binding;

        comparing->is_bound = rows_bind(rows, comparing->columns, &binding);
        return PROBLEM_NONE;
}

/* The names and types of its result, which has no rows because all parameters are null. */
static unsigned result_faults(const struct statement *statement, const struct columns *columns) {
        struct comparing comparing = { .columns = columns };
        const int64_t n = parameters_of(statement->name);
        struct parameters p;
        enum problem problem;

        parameters_init(&p, &store_arena);
        for (int64_t i = 0; i < n; i++)
                parameter_null(&p);
        database_ask(store_database, statement, &p, binding_try, &comparing);
        problem = database_trip(store_database, clock_monotonic() + 10 * SECOND);
        if (!problem && comparing.is_bound)
                return 0;
        (void) fprintf(stderr, "%s: %s\n", statement->name, database_message(store_database));
        return 1;
}

static unsigned column_faults(const struct statement *statement, const struct columns *columns) {
        const unsigned faults = parameter_faults(statement, columns);

        return faults ? faults : result_faults(statement, columns);
}

static const struct columns *table_of(const struct statement *statement) {
        for (size_t i = 0; i < array_size(tables); i++)
                if (text_equal(tables[i]->record, statement->record))
                        return tables[i];
        return NULL;
}

Test(statements, each_one_names_its_columns_as_its_table_does) {
        for (size_t i = 0; i < statement_count; i++) {
                if (!statements[i]->record)
                        continue;
                cr_assert_not_null(table_of(statements[i]), "no table for %s", statements[i]->record);
                cr_assert_eq(column_faults(statements[i], table_of(statements[i])), 0, "%s", statements[i]->name);
        }
}

Test(statements, each_table_has_a_statement) {
        for (size_t i = 0; i < array_size(tables); i++) {
                size_t n = 0;

                for (size_t j = 0; j < statement_count; j++)
                        n += text_equal(statements[j]->record, tables[i]->record);
                cr_expect_gt(n, 0, "%s", tables[i]->record);
        }
}

struct made_up {
        int64_t number;
        const char *text;
};

/* In the place of a table that parts from its statement in one point. */
static unsigned made_up_faults(const char *sql, const struct statement_parameter *parameters, size_t n) {
        static const struct column columns[] = {
                { "number", INTEGER_AT(struct made_up, number) },
                { "text", TEXT_AT(struct made_up, text) },
        };
        struct statement statement = *store_statement(sql);
        const struct columns table = { "made_up", COLUMNS(struct made_up, columns) };

        statement.record = "made_up";
        statement.parameters = parameters;
        statement.n_parameters = n;
        database_prepare(store_database, &statement);
        store_trip();
        return column_faults(&statement, &table);
}

Test(statements, a_result_that_parts_from_its_table_is_noticed) {
        cr_assert_eq(made_up_faults("select 1::bigint as number, 'a'::text as text", NULL, 0), 0);
        cr_assert_eq(made_up_faults("select 'a'::text as text, 1::integer as number", NULL, 0), 0);
        cr_assert_eq(made_up_faults("select 1::bigint as number, 'a'::text as other", NULL, 0), 1);
        store_close();
        prepare_all();
        cr_assert_eq(made_up_faults("select 1::bigint as number, true as text", NULL, 0), 1);
}

Test(statements, an_unnest_list_that_parts_from_its_table_is_noticed) {
        static const struct statement_parameter right[] = { { "number", "bigint" }, { "text", "text" } },
                                                other_name[] = { { "number", "bigint" }, { "title", "text" } },
                                                other_type[] = { { "number", "text" }, { "text", "text" } };

        cr_assert_eq(made_up_faults("select", right, array_size(right)), 0);
        cr_assert_eq(made_up_faults("select", other_name, array_size(other_name)), 1);
        cr_assert_eq(made_up_faults("select", other_type, array_size(other_type)), 1);
}
