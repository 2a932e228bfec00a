/*
 * Every named statement can be prepared on a schema that has just been migrated, and the pinned ones are planned with
 * indexes alone: lanes keep the generic plan that was made while the tables were empty.
 */
#include "fixture.h"

#include "base/text.h"
#include "db/sql.h"

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

/* What one plan says, node by node. */
struct plan {
        const char *statement;
        bool is_index_scan, has_condition; /* of the node at hand */
        unsigned faults;
};

static void node_end(struct plan *plan) {
        if (plan->is_index_scan && !plan->has_condition)
                plan->faults++;
        plan->is_index_scan = plan->has_condition = false;
}

static void node_begin(struct plan *plan, const char *node) {
        node_end(plan);
        if (strstr(node, "Seq Scan"))
                plan->faults++;
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

static unsigned faults_of(const struct statement *statement) {
        struct plan plan = { .statement = statement->name };
        const int64_t n = parameters_of(statement->name);
        char explain[STATEMENT_TEXT_MAX], parameters[PARAMETERS_TEXT_MAX] = "";

        for (int64_t i = 0; i < n; i++)
                (void) snprintf(parameters + strlen(parameters), sizeof(parameters) - strlen(parameters), "%cnull",
                        i ? ',' : '(');
        (void) snprintf(explain, sizeof(explain), "explain execute %s%s%s", statement->name, parameters, n ? ")" : "");
        database_ask_text(store_database, explain, plan_read, &plan);
        store_trip();
        return plan.faults;
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

Test(statements, a_plan_that_reads_a_whole_table_is_noticed) {
        const struct statement whole_table = { .name = "whole_table" }, whole_index = { .name = "whole_index" };

        store_execute("prepare whole_table as select title from products where title = 'a'");
        cr_assert_gt(faults_of(&whole_table), 0);
        store_execute("prepare whole_index (bigint) as select sku from products order by sku");
        cr_assert_gt(faults_of(&whole_index), 0);
}
